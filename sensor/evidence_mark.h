/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The packets of a window in short: 32 bytes in place of a struct pkt_ref and a
 * timestamp, 52. What packets of one direction have nearly in common stands once
 * for all of them: times and ordinals are told by how far they are from it, the
 * place in a file by what it is to the ordinal. Where that is not enough (days
 * of silence, three files within a few packets), it is the oldest of which the
 * place is not known any more.
 *
 * Private to evidence_overlap.c.
 */
#ifndef STRIPWIRE_EVIDENCE_MARK_H
#define STRIPWIRE_EVIDENCE_MARK_H

#include <assert.h>

#include "sensor/evidence_private.h"

/* Of a file: its number, and above it how much more a packet's frame_no is than
 * its ordinal; or EV_NO_FRAMES with it, where frames have no number. */
#define EV_NO_FRAMES (UINT32_C(1) << 31)

struct ev_base {
	int64_t time;
	uint64_t ordinal;
	uint64_t file[2]; /* of the latest, and the one before */
};

enum ev_mark_bits { /* of a byte */
	MARK_ODD = ODD_MAC | ODD_TS, /* as of struct ev_segment */
	MARK_DOUBT = 1 << 2,
	MARK_OLDER = 1 << 3, /* file[1] is its own */
	MARK_LOST = 1 << 4 /* its time and place are not known any more */
};

struct ev_mark {
	uint32_t seq, ack;
	uint16_t window, ip_id;
	uint8_t ttl, tcp_flags;
	uint16_t time_high; /* of the difference in ns, which is signed */
	uint32_t time_low;
	uint32_t ordinal;
	uint32_t tsval;
	uint32_t len_bits; /* MARK_LEN: length; above it enum ev_mark_bits */
};
#define MARK_LEN 0xffffffu

/* Of seq and ack; of window to tcp_flags: as in struct packet. */
#define MARK_NUMBERS 8
#define MARK_HEADER 6

static_assert(sizeof(struct ev_base) == 32, "shapes");
static_assert(sizeof(struct ev_mark) == 32, "shapes");
static_assert(
    offsetof(struct packet, ack) - offsetof(struct packet, seq) == 4 &&
	offsetof(struct packet, tcp_flags) - offsetof(struct packet, window) ==
	    offsetof(struct ev_mark, tcp_flags) -
		offsetof(struct ev_mark, window),
    "copied together");

static inline uint64_t
ev_frames(const struct packet *pkt)
{
	return (uint64_t)(pkt->frame_no - (uint32_t)pkt->ordinal) << 32 |
	       pkt->file;
}

static inline uint64_t
ev_file_of(const struct packet *pkt)
{
	return pkt->frame_no != 0 ? ev_frames(pkt) : pkt->file | EV_NO_FRAMES;
}

/* Of the first packet. */
static inline void
ev_base_begin(struct ev_base *b, const struct packet *pkt)
{
	b->time = pkt->time;
	b->ordinal = pkt->ordinal;
	b->file[0] = ev_file_of(pkt);
}

/* Can the packet be told by it? */
static inline bool
ev_base_has(const struct ev_base *b, const struct packet *pkt)
{
	uint64_t off = (uint64_t)pkt->time - (uint64_t)b->time;

	return (off + (UINT64_C(1) << 47)) >> 48 == 0 &&
	       pkt->ordinal - b->ordinal <= UINT32_MAX &&
	       (ev_frames(pkt) == b->file[0] || ev_file_of(pkt) == b->file[0]);
}

/* Makes it so. What it costs is the time and place of some of these. */
void ev_base_move(struct ev_base *b, const struct packet *pkt,
    struct ev_mark *marks, unsigned n);

/* ev_base_has() it. */
static inline void
ev_mark_set(struct ev_mark *m, const struct ev_base *b,
    const struct packet *pkt, unsigned bits)
{
	const uint8_t *from = (const uint8_t *)pkt;
	uint64_t off = (uint64_t)pkt->time - (uint64_t)b->time;

	memcpy(m, from + offsetof(struct packet, seq), MARK_NUMBERS);
	memcpy(&m->window, from + offsetof(struct packet, window), MARK_HEADER);
	m->time_high = (uint16_t)(off >> 32);
	m->time_low = (uint32_t)off;
	m->ordinal = (uint32_t)(pkt->ordinal - b->ordinal);
	m->tsval = pkt->tsval;
	m->len_bits = (pkt->wire_len & MARK_LEN) | bits << 24;
}

static inline uint32_t
ev_mark_len(const struct ev_mark *m)
{
	return m->len_bits & MARK_LEN;
}

static inline uint8_t
ev_mark_bits(const struct ev_mark *m)
{
	return (uint8_t)(m->len_bits >> 24);
}

/* Of a packet of that direction. */
void ev_mark_get(struct pkt_ref *r, const struct ev_mark *m,
    const struct ev_base *b, unsigned dir);

#endif
