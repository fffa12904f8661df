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

/* A step as it is kept: multiples of 8 bytes. */
struct kept {
	int64_t time;
	uint8_t kind, dir;
	uint8_t len; /* of the text */
	uint8_t pkt; /* enum kept_pkt */
	char rest[]; /* the packet, if it has one; the text without a NUL */
};

enum kept_pkt { /* 0: it has none */
	KEPT_PKT = 1 << 0,
	/* of its fields, only where they are not what they mostly are: */
	KEPT_TIME = 1 << 1, /* that of the step */
	KEPT_FRAME = 1 << 2 /* in the first file, the ordinal */
};

#define LADDER_HEAD offsetof(struct kept, rest)
#define LADDER_PKT_MAX 44

/* From the sequence number to the end, one behind the other. */
#define KEPT_FROM offsetof(struct pkt_ref, seq)
#define KEPT_LEN (offsetof(struct pkt_ref, pad) + 1 - KEPT_FROM)

_Static_assert(LADDER_TEXT_MAX <= UINT8_MAX, "len");
_Static_assert(OBS_KIND_COUNT <= UINT8_MAX, "kind");
_Static_assert(8 + KEPT_LEN + 8 + 8 == LADDER_PKT_MAX, "a packet");

/* pkt: NULL or all 0: none */
static inline unsigned
ladder_pkt_kept(const struct pkt_ref *pkt, int64_t time)
{
	unsigned kept = KEPT_PKT;

	if (pkt == NULL)
		return 0;
	if (pkt->time == time && pkt->ordinal != 0 && pkt->file == 0 &&
	    pkt->frame_no == (uint32_t)pkt->ordinal)
		return KEPT_PKT; /* nearly all */
	if (pkt->ordinal == 0 && pkt->time == 0)
		return 0;
	if (pkt->time != time)
		kept |= KEPT_TIME;
	if (pkt->file != 0 || pkt->frame_no != (uint32_t)pkt->ordinal)
		kept |= KEPT_FRAME;
	return kept;
}

static inline size_t
ladder_kept_size(size_t len, unsigned pkt)
{
	if (pkt == KEPT_PKT)
		len += 8 + KEPT_LEN;
	else if (pkt != 0)
		len += 8 + KEPT_LEN + (pkt & KEPT_TIME) * (8 / KEPT_TIME) +
		       (pkt & KEPT_FRAME) * (8 / KEPT_FRAME);
	return (LADDER_HEAD + len + 7) & ~(size_t)7;
}

static inline size_t
ladder_size_of(const struct kept *k)
{
	return ladder_kept_size(k->len, k->pkt);
}

static inline struct kept *
ladder_kept_at(const struct ladder *l, size_t at)
{
	return (struct kept *)(void *)(l->bytes + at);
}

/* As k->pkt says; returns where the text begins. */
static inline char *
ladder_put_pkt(struct kept *k, const struct pkt_ref *pkt)
{
	char *p = k->rest;

	if (k->pkt == 0)
		return p;
	memcpy(p, &pkt->ordinal, 8);
	memcpy(p + 8, (const char *)pkt + KEPT_FROM, KEPT_LEN);
	p += 8 + KEPT_LEN;
	if ((k->pkt & KEPT_TIME) != 0) {
		memcpy(p, &pkt->time, 8);
		p += 8;
	}
	if ((k->pkt & KEPT_FRAME) != 0) {
		memcpy(p, &pkt->file, 4);
		memcpy(p + 4, &pkt->frame_no, 4);
		p += 8;
	}
	return p;
}

/* *pkt was all 0, and is so if there is none; likewise. */
static inline const char *
ladder_get_pkt(const struct kept *k, struct pkt_ref *pkt)
{
	const char *p = k->rest;

	if (k->pkt == 0)
		return p;
	memcpy(&pkt->ordinal, p, 8);
	memcpy((char *)pkt + KEPT_FROM, p + 8, KEPT_LEN);
	p += 8 + KEPT_LEN;
	pkt->time = k->time;
	pkt->frame_no = (uint32_t)pkt->ordinal;
	if ((k->pkt & KEPT_TIME) != 0) {
		memcpy(&pkt->time, p, 8);
		p += 8;
	}
	if ((k->pkt & KEPT_FRAME) != 0) {
		memcpy(&pkt->file, p, 4);
		memcpy(&pkt->frame_no, p + 4, 4);
		p += 8;
	}
	return p;
}

/* Room for so many bytes of steps, at least; what is there stays. */
bool ladder_set_room(struct ladder *l, struct blocks *b, size_t room);

#endif
