/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Captures built in memory, byte by byte, in either byte order: what the tests
 * expect is then known without another program's opinion.
 */
#ifndef STRIPWIRE_CAPTURE_BUILD_H
#define STRIPWIRE_CAPTURE_BUILD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define BYTES_CAP (1u << 20)

struct bytes {
	uint8_t d[BYTES_CAP];
	size_t n;
	bool big; /* byte order of what is put */
};

static inline void
put(struct bytes *b, const void *p, size_t n)
{
	if (n > sizeof(b->d) - b->n)
		abort();
	if (n > 0)
		memcpy(b->d + b->n, p, n);
	b->n += n;
}

static inline void
put_uint(struct bytes *b, uint64_t v, unsigned size)
{
	for (unsigned i = 0; i < size; i++) {
		unsigned shift = 8 * (b->big ? size - 1 - i : i);
		uint8_t byte = (uint8_t)(v >> shift);
		put(b, &byte, 1);
	}
}

static inline void
put16(struct bytes *b, uint32_t v)
{
	put_uint(b, v, 2);
}

static inline void
put32(struct bytes *b, uint32_t v)
{
	put_uint(b, v, 4);
}

static inline void
pcap_begin(struct bytes *b, uint32_t magic, uint32_t snaplen, uint32_t linktype)
{
	b->n = 0;
	put32(b, magic);
	put16(b, 2);
	put16(b, 4);
	put32(b, 0);
	put32(b, 0);
	put32(b, snaplen);
	put32(b, linktype);
}

static inline void
pcap_record(
    struct bytes *b, uint32_t sec, uint32_t frac, const void *p, uint32_t n)
{
	put32(b, sec);
	put32(b, frac);
	put32(b, n);
	put32(b, n + 5); /* five bytes were not captured */
	put(b, p, n);
}

/* A block around what fill() would put; returns where its length stands. */
static inline size_t
ng_open(struct bytes *b, uint32_t type)
{
	put32(b, type);
	put32(b, 0);
	return b->n - 8;
}

static inline void
ng_close(struct bytes *b, size_t at)
{
	while ((b->n - at) % 4 != 0)
		put(b, "", 1);
	size_t end = b->n;
	uint32_t len = (uint32_t)(end - at + 4);
	b->n = at + 4;
	put32(b, len);
	b->n = end;
	put32(b, len);
}

static inline void
ng_section(struct bytes *b)
{
	size_t at = ng_open(b, 0x0a0d0d0a);

	put32(b, 0x1a2b3c4d);
	put16(b, 1);
	put16(b, 0);
	put_uint(b, UINT64_MAX, 8);
	ng_close(b, at);
}

/* resolution < 0: no option; offset 0: no option. */
static inline void
ng_interface(struct bytes *b, uint16_t linktype, uint32_t snaplen,
    int resolution, int64_t offset)
{
	size_t at = ng_open(b, 1);

	put16(b, linktype);
	put16(b, 0);
	put32(b, snaplen);
	put16(b, 2); /* if_name */
	put16(b, 3);
	put(b, "lo0", 4);
	if (resolution >= 0) {
		put16(b, 9);
		put16(b, 1);
		put(b, (const uint8_t[4]){(uint8_t)resolution}, 4);
	}
	if (offset != 0) {
		put16(b, 14);
		put16(b, 8);
		put_uint(b, (uint64_t)offset, 8);
	}
	put32(b, 0);
	ng_close(b, at);
}

static inline void
ng_packet(
    struct bytes *b, uint32_t iface, uint64_t ticks, const void *p, uint32_t n)
{
	size_t at = ng_open(b, 6);

	put32(b, iface);
	put32(b, (uint32_t)(ticks >> 32));
	put32(b, (uint32_t)ticks);
	put32(b, n);
	put32(b, n + 5);
	put(b, p, n);
	ng_close(b, at);
}

static inline void
ng_simple(struct bytes *b, uint32_t sent, const void *p, uint32_t n)
{
	size_t at = ng_open(b, 3);

	put32(b, sent);
	put(b, p, n);
	ng_close(b, at);
}

static inline void
ng_obsolete(
    struct bytes *b, uint16_t iface, uint64_t ticks, const void *p, uint32_t n)
{
	size_t at = ng_open(b, 2);

	put16(b, iface);
	put16(b, 7); /* drops */
	put32(b, (uint32_t)(ticks >> 32));
	put32(b, (uint32_t)ticks);
	put32(b, n);
	put32(b, n + 5);
	put(b, p, n);
	ng_close(b, at);
}

/* dst: src as one gzip member, put behind what is there. */
static inline void
put_gzip(struct bytes *dst, const uint8_t *src, size_t n)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)src,
	    .avail_in = (uInt)n,
	    .next_out = dst->d + dst->n,
	    .avail_out = (uInt)(sizeof(dst->d) - dst->n)};

	if (deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	dst->n = sizeof(dst->d) - z.avail_out;
	deflateEnd(&z);
}

#endif
