/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: the evidence stage, fed with segments rather than bytes. The
 * input is a list of records of eight bytes, each one segment of one of four
 * flows; numbers are near what a connection would use, so that the deep paths
 * are reached. Every observation is checked for its promises.
 * tests/unit/evidence_next_test.c holds the short ways against the long one.
 *
 *	0: flow (2 bits), direction, FIN, SYN, RST, ACK, wrong checksum
 *	1: number, from -64 to +191 of the last one sent; 255: anything
 *	2: ACK, likewise
 *	3: payload bytes; from 240 on 64 times as many
 *	4: what they are; its second bit: of a body; its sixth: from another
 *	   MAC address
 *	5: time since the one before, in 16 ms; 255: two minutes
 *	6: TTL (4 bits), IP id step (4 bits)
 *	7: phase (3 bits), window (5 bits)
 */
#include <stdlib.h>
#include <string.h>

#include "sensor/evidence.h"

#define FLOWS 4
#define RECORD 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct side {
	uint32_t next;
	uint16_t id;
};

static struct evidence_ctx *ctx;
static struct evidence_flow flows[FLOWS];
static struct side sides[FLOWS][2];
static int64_t now;
static uint64_t ordinal;
static uint8_t bytes[64 * 256];
static const uint8_t macs[3][12] = {{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1},
    {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 9, 9}};

static void
check(void *user, uint32_t slot, struct obs *o)
{
	(void)user;
	if (slot >= FLOWS || o->dir > 1 || o->size != obs_size(o->kind) ||
	    o->phase > PHASE_CLOSING)
		abort();
	if (o->kind == OBS_RST) {
		if (o->u.rst.count == 0 || o->pkt.ordinal == 0 ||
		    (o->pkt.tcp_flags & TCP_RST) == 0 ||
		    o->u.rst.place >= RST_AT_COUNT)
			abort();
		return;
	}
	if (o->kind == OBS_TWO_ANSWERS || o->kind == OBS_FIN_UNDONE) {
		if (o->pkt.ordinal == 0)
			abort();
		return;
	}
	if (o->kind != OBS_CONFLICT ||
	    (o->u.conflict.diff == 0) != (o->u.conflict.hashed != 0) ||
	    o->u.conflict.used_by > USED_SECOND_END ||
	    o->u.conflict.diff > o->u.conflict.len ||
	    memchr(o->u.conflict.first, 0, 96) == NULL ||
	    memchr(o->u.conflict.second, 0, 96) == NULL)
		abort();
}

static void
settled(void *user, uint32_t slot, enum dir dir, unsigned hints)
{
	(void)user;
	if (slot >= FLOWS || dir > DIR_S2C)
		abort();
	if ((hints & EVID_DEAD) != 0)
		evidence_end(ctx, &flows[slot], now);
}

static uint32_t
number(uint32_t base, uint8_t b)
{
	return b == 255 ? base * 2654435761u : base + b - 64;
}

static void
segment(const uint8_t *r)
{
	static const uint8_t flag[] = {TCP_FIN, TCP_SYN, TCP_RST, TCP_ACK};
	unsigned f = r[0] & 3, dir = r[0] >> 2 & 1;
	struct side *me = &sides[f][dir];
	struct evidence_view v = {
	    (uint8_t)dir, r[7] & 7, r[1] & 1, 0, r[4] >> 1 & 1};
	struct packet p;

	memset(&p, 0, sizeof(p));
	for (unsigned i = 0; i < 4; i++)
		if ((r[0] >> (3 + i) & 1) != 0)
			p.tcp_flags |= flag[i];
	now += r[5] == 255 ? 120000000000LL : r[5] * 16000000LL;
	p.time = now;
	p.ordinal = ++ordinal;
	p.seq = number(me->next, r[1]);
	p.ack = number(sides[f][!dir].next, r[2]);
	p.wire_len = r[3] < 240 ? r[3] : (r[3] - 239u) * 64;
	p.len = r[4] == 7 ? p.wire_len / 2 : p.wire_len;
	memset(bytes, r[4], p.len);
	p.payload = bytes;
	p.ttl = 60 + (r[6] & 15);
	p.ip_id = me->id = (uint16_t)(me->id + (r[6] >> 4));
	p.window = (uint16_t)(r[7] >> 3 << 8);
	p.flags =
	    PKT_CSUM_CHECKED | PKT_HAS_MAC | (r[0] >> 7 ? PKT_BAD_TCP_CSUM : 0);
	p.mac = macs[(r[4] & 32) != 0 ? 2 : dir];
	if (r[1] == 64)
		me->next = p.seq + p.wire_len;
	evidence_tick(ctx, now);
	(void)evidence_packet(ctx, &flows[f], &p, &v);
	if ((r[4] & 1) != 0)
		evidence_public(&flows[f], (enum dir)dir, p.seq, p.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evidence_sink sink = {check, settled, NULL};

	if (ctx == NULL && (ctx = evidence_new(&sink, 1)) == NULL)
		abort();
	now = 1000000000000LL;
	ordinal = 0;
	memset(sides, 0, sizeof(sides));
	memset(flows, 0, sizeof(flows));
	for (unsigned f = 0; f < FLOWS; f++)
		evidence_init(&flows[f], f);
	for (size_t i = 0; i + RECORD <= size; i += RECORD)
		segment(data + i);
	evidence_tick(ctx, INT64_MAX);
	for (unsigned f = 0; f < FLOWS; f++)
		evidence_end(ctx, &flows[f], now);
	if (evidence_deadline(ctx) != INT64_MAX)
		abort();
	return 0;
}
