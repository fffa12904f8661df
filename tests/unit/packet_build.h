/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets built in network byte order, innermost part first known to the
 * test: TCP segment, IPv4 or IPv6 around it, fragments of it.
 */
#ifndef STRIPWIRE_PACKET_BUILD_H
#define STRIPWIRE_PACKET_BUILD_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/packet.h"

#define WIRE_CAP (128u << 10)

struct wire {
	uint8_t d[WIRE_CAP];
	uint32_t n;
};

static inline void
w_put(struct wire *w, const void *p, size_t n)
{
	if (n > sizeof(w->d) - w->n)
		abort();
	if (n > 0)
		memcpy(w->d + w->n, p, n);
	w->n += (uint32_t)n;
}

static inline void
w8(struct wire *w, unsigned v)
{
	w_put(w, (const uint8_t[1]){(uint8_t)v}, 1);
}

static inline void
w16(struct wire *w, unsigned v)
{
	w8(w, v >> 8);
	w8(w, v & 0xff);
}

static inline void
w32(struct wire *w, uint32_t v)
{
	w16(w, v >> 16);
	w16(w, v & 0xffff);
}

static inline void
w_set16(struct wire *w, uint32_t at, unsigned v)
{
	w->d[at] = (uint8_t)(v >> 8);
	w->d[at + 1] = (uint8_t)v;
}

/* The plain definition of RFC 1071, to hold the fast one against. */
static inline uint32_t
w_sum(uint32_t sum, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline void
w_tcp(struct wire *w, const void *options, unsigned olen, const void *data,
    unsigned len)
{
	w16(w, 40000);
	w16(w, 25);
	w32(w, 0x01020304);
	w32(w, 0x05060708);
	w8(w, (5 + olen / 4) << 4);
	w8(w, TCP_ACK | TCP_PSH);
	w16(w, 0x7210);
	w16(w, 0); /* checksum */
	w16(w, 9); /* urgent */
	w_put(w, options, olen);
	w_put(w, data, len);
}

/* field: flags and fragment offset. */
static inline void
w_ip4(struct wire *w, unsigned proto, unsigned id, unsigned field,
    unsigned payload)
{
	uint32_t at = w->n;

	w8(w, 0x45);
	w8(w, 0);
	w16(w, 20 + payload);
	w16(w, id);
	w16(w, field);
	w8(w, 57);
	w8(w, proto);
	w16(w, 0);
	w32(w, 0x0a010002);
	w32(w, 0x0a020019);
	w_set16(w, at + 10, 0xffff ^ w_sum(0, w->d + at, 20));
}

static inline void
w_ip6(struct wire *w, unsigned next, unsigned payload)
{
	static const uint8_t addr[32] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1,
	    [16] = 0x20, [17] = 0x01, [18] = 0x0d, [19] = 0xb8, [31] = 2};

	w32(w, 0x60000000);
	w16(w, payload);
	w8(w, next);
	w8(w, 61);
	w_put(w, addr, sizeof(addr));
}

/* Sets the TCP checksum of the segment at `at`, len bytes, behind an IPv4
 * (size 4) or IPv6 (size 16) header with its addresses at `from`. */
static inline void
w_fix_tcp(
    struct wire *w, uint32_t at, uint32_t len, uint32_t from, unsigned size)
{
	uint32_t sum = w_sum(6 + len, w->d + from, size * 2);

	w_set16(w, at + 16, 0);
	sum = w_sum(sum, w->d + at, len);
	w_set16(w, at + 16, 0xffff ^ sum);
}

/* A copy on the heap of exactly the bytes there are, so that a read past the
 * end is seen by the sanitizer. */
static inline uint8_t *
w_exact(const struct wire *w, uint32_t n)
{
	uint8_t *p = malloc(n == 0 ? 1 : n);

	if (p == NULL)
		abort();
	memcpy(p, w->d, n);
	return p;
}

#endif
