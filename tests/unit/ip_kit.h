/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One packet at a time through ip_decode(), held in exactly as much heap as it
 * has bytes, so that a read past its end is seen by the sanitizer.
 */
#ifndef STRIPWIRE_IP_KIT_H
#define STRIPWIRE_IP_KIT_H

#include "decoders/ip.h"
#include "packet_build.h"
#include "tests/test.h"

static struct wire w; /* the packet, from its outermost IP header */
static struct packet pkt; /* what became of it */
static struct ip_ctx *ctx;
static uint8_t *exact;

static const char text[] = "220 mx.example.net ESMTP ready\r\n";
#define TEXT_LEN (sizeof(text) - 1)

static inline void
begin(void)
{
	ip_free(ctx);
	ctx = ip_new();
	w.n = 0;
}

static inline void
finish(void)
{
	free(exact);
	exact = NULL;
	ip_free(ctx);
	ctx = NULL;
}

/* The first `held` bytes of w, of `sent` on the wire. */
static inline enum ip_result
decode_cut(uint32_t held, uint32_t sent)
{
	free(exact);
	exact = w_exact(&w, held);
	pkt = (struct packet){.frame = exact,
	    .caplen = held,
	    .wirelen = sent,
	    .ip = exact,
	    .ip_caplen = held};
	return ip_decode(ctx, &pkt);
}

static inline enum ip_result
decode(void)
{
	return decode_cut(w.n, w.n);
}

/* IP header, TCP header and the text, with right checksums. */
static inline void
put_segment(struct wire *to, bool v6, const void *options, unsigned olen)
{
	uint32_t at = to->n, size = v6 ? 40 : 20;

	if (v6)
		w_ip6(to, 6, 20 + olen + TEXT_LEN);
	else
		w_ip4(to, 6, 0x4242, 0x4000, 20 + olen + TEXT_LEN);
	w_tcp(to, options, olen, text, TEXT_LEN);
	w_fix_tcp(to, at + size, 20 + olen + TEXT_LEN, at + (v6 ? 8 : 12),
	    v6 ? 16 : 4);
}

#endif
