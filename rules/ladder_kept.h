/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps as a ladder keeps them, one behind the other. Private to ladder.c and
 * ladder_rest.c.
 */
#ifndef STRIPWIRE_LADDER_KEPT_H
#define STRIPWIRE_LADDER_KEPT_H

#include <stddef.h>
#include <string.h>

#include "rules/ladder.h"

/*
 * A step as it is kept, byte by byte: ladders are much of what is known of a
 * dialogue.
 *
 *	kind, enum kept_bits, length of the text; 8 bytes: its time
 *	of the packet, if it has one: seq and ack, length, window to flags, the
 *	ordinal; and what is not as it mostly is
 *	the text, without a NUL
 */
struct kept {
	int64_t time;
	uint8_t kind;
	uint8_t bits; /* enum kept_bits */
	uint8_t len; /* of the text */
	const uint8_t *rest; /* the packet, the text */
};

enum kept_bits {
	KEPT_DIR = 1 << 0, /* enum dir of the step */
	KEPT_SENDER = 1 << 1, /* enum dir of its packet */
	KEPT_PKT = 1 << 2, /* it has one */
	/* of whose fields these are there where they are not */
	KEPT_TIME = 1 << 3, /* that of the step; */
	KEPT_FRAME = 1 << 4, /* in the first file, the ordinal; */
	KEPT_LONG = 1 << 5 /* below 2^16, the length, and 2^32, the ordinal */
};

#define LADDER_HEAD 11
#define LADDER_PKT 20
#define LADDER_PKT_MAX (LADDER_PKT + 8 + 8 + 6)

#define KEPT_NUMBERS offsetof(struct pkt_ref, seq) /* 8 bytes */
#define KEPT_HEADER offsetof(struct pkt_ref, window) /* 6 bytes */

_Static_assert(LADDER_TEXT_MAX <= UINT8_MAX, "len");
_Static_assert(OBS_KIND_COUNT <= UINT8_MAX, "kind");
_Static_assert(offsetof(struct pkt_ref, ack) == KEPT_NUMBERS + 4, "numbers");
_Static_assert(
    offsetof(struct pkt_ref, tcp_flags) == KEPT_HEADER + 5, "header");

/* pkt: NULL or all 0: none */
static inline unsigned
ladder_kept_bits(const struct pkt_ref *pkt, int64_t time, unsigned dir)
{
	unsigned bits = (dir & 1) * KEPT_DIR;

	if (pkt == NULL || (pkt->ordinal == 0 && pkt->time == 0))
		return bits;
	bits |= KEPT_PKT | (pkt->dir & 1u) * KEPT_SENDER;
	if (pkt->time == time && pkt->file == 0 &&
	    pkt->frame_no == pkt->ordinal && pkt->len <= UINT16_MAX)
		return bits; /* nearly all */
	if (pkt->time != time)
		bits |= KEPT_TIME;
	if (pkt->file != 0 || pkt->frame_no != (uint32_t)pkt->ordinal)
		bits |= KEPT_FRAME;
	if (pkt->ordinal > UINT32_MAX || pkt->len > UINT16_MAX)
		bits |= KEPT_LONG;
	return bits;
}

static inline size_t
ladder_kept_size(size_t len, unsigned bits)
{
	len += LADDER_HEAD + (bits / KEPT_PKT & 1) * LADDER_PKT;
	if (bits >= KEPT_TIME)
		len += (bits / KEPT_TIME & 1) * 8 +
		       (bits / KEPT_FRAME & 1) * 8 + (bits / KEPT_LONG & 1) * 6;
	return len;
}

static inline size_t
ladder_size_at(const struct ladder *l, size_t at)
{
	return ladder_kept_size(l->bytes[at + 2], l->bytes[at + 1]);
}

/* Returns where the next one begins. */
static inline size_t
ladder_get(const struct ladder *l, size_t at, struct kept *k)
{
	const uint8_t *p = l->bytes + at;

	k->kind = p[0];
	k->bits = p[1];
	k->len = p[2];
	memcpy(&k->time, p + 3, 8);
	k->rest = p + LADDER_HEAD;
	return at + ladder_kept_size(k->len, k->bits);
}

static inline uint8_t *
ladder_put_pkt(uint8_t *p, const struct pkt_ref *pkt, unsigned bits)
{
	const uint8_t *from = (const uint8_t *)pkt;
	uint32_t low = (uint32_t)pkt->ordinal;
	uint16_t len = (uint16_t)pkt->len;

	memcpy(p, from + KEPT_NUMBERS, 8);
	memcpy(p + 8, &len, 2);
	memcpy(p + 10, from + KEPT_HEADER, 6);
	memcpy(p + 16, &low, 4);
	p += LADDER_PKT;
	if (bits < KEPT_TIME)
		return p;
	if ((bits & KEPT_TIME) != 0) {
		memcpy(p, &pkt->time, 8);
		p += 8;
	}
	if ((bits & KEPT_FRAME) != 0) {
		memcpy(p, &pkt->file, 4);
		memcpy(p + 4, &pkt->frame_no, 4);
		p += 8;
	}
	if ((bits & KEPT_LONG) != 0) {
		uint32_t high = pkt->ordinal >> 32;
		uint16_t more = (uint16_t)(pkt->len >> 16);

		memcpy(p, &high, 4);
		memcpy(p + 4, &more, 2);
		p += 6;
	}
	return p;
}

/* *pkt was all 0, and is so if there is none. Returns the text. */
static inline const char *
ladder_get_pkt(const struct kept *k, struct pkt_ref *pkt)
{
	const uint8_t *p = k->rest;
	uint8_t *to = (uint8_t *)pkt;
	uint32_t low, high = 0;
	uint16_t len, more = 0;

	if ((k->bits & KEPT_PKT) == 0)
		return (const char *)p;
	memcpy(to + KEPT_NUMBERS, p, 8);
	memcpy(&len, p + 8, 2);
	memcpy(to + KEPT_HEADER, p + 10, 6);
	memcpy(&low, p + 16, 4);
	p += LADDER_PKT;
	pkt->time = k->time;
	pkt->frame_no = low;
	pkt->dir = (k->bits & KEPT_SENDER) != 0;
	if ((k->bits & KEPT_TIME) != 0) {
		memcpy(&pkt->time, p, 8);
		p += 8;
	}
	if ((k->bits & KEPT_FRAME) != 0) {
		memcpy(&pkt->file, p, 4);
		memcpy(&pkt->frame_no, p + 4, 4);
		p += 8;
	}
	if ((k->bits & KEPT_LONG) != 0) {
		memcpy(&high, p, 4);
		memcpy(&more, p + 4, 2);
		p += 6;
	}
	pkt->ordinal = (uint64_t)high << 32 | low;
	pkt->len = (uint32_t)more << 16 | len;
	return (const char *)p;
}

/* Behind the others, where there is room for its size; k->rest is not read. */
static inline __attribute__((always_inline)) void
ladder_put(struct ladder *l, const struct kept *k, size_t size,
    const struct pkt_ref *pkt, const void *text)
{
	uint8_t *p = l->bytes + l->used;

	l->used += (uint16_t)size;
	l->n++;
	p[0] = k->kind;
	p[1] = k->bits;
	p[2] = k->len;
	memcpy(p + 3, &k->time, 8);
	p += LADDER_HEAD;
	if ((k->bits & KEPT_PKT) != 0)
		p = ladder_put_pkt(p, pkt, k->bits);
	memcpy(p, text, k->len);
}

/* Room for so many bytes of steps, at least; what is there stays. */
bool ladder_set_room(struct ladder *l, struct blocks *b, size_t room);

#endif
