/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A conversation built by hand, packet by packet, for the tests of the
 * evidence stage. Numbers are relative to each side's first payload byte.
 */
#ifndef STRIPWIRE_EVIDENCE_KIT_H
#define STRIPWIRE_EVIDENCE_KIT_H

#include "sensor/evidence.h"
#include "tests/packed.h"
#include "tests/test.h"

#define MS 1000000LL
#define C_ISN 0xfffffff0u /* wraps early on */
#define S_ISN 7000u
#define C_TTL 64
#define S_TTL 57
#define OBS_CAP 16

static struct evidence_ctx *ctx;
static struct evidence_flow flow;
static struct evidence_view view;
static struct obs seen[OBS_CAP];
static unsigned nseen, verdicts;
static struct packet pk; /* the next packet; set apart before send() */
static int64_t now;
static uint64_t ordinal;
static uint16_t ids[2];
static unsigned hints; /* of the last packet */
static const uint8_t macs[2][12] = {
    {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}};

static inline void
on_emit(void *user, uint32_t slot, struct obs *o)
{
	(void)user;
	CHECK_INT(slot, 5);
	CHECK(packed_survives(o));
	if (nseen < OBS_CAP)
		memcpy(&seen[nseen], o, o->size);
	nseen++;
}

static inline void
on_settled(void *user, uint32_t slot, enum dir dir, unsigned h)
{
	(void)user;
	(void)dir;
	CHECK_INT(slot, 5);
	verdicts |= h;
}

static inline void
start(void)
{
	struct evidence_sink sink = {on_emit, on_settled, NULL};

	ctx = evidence_new(&sink, 1);
	memset(&flow, 0, sizeof(flow));
	evidence_init(&flow, 5);
	memset(&view, 0, sizeof(view));
	nseen = verdicts = 0;
	now = 1700000000LL * 1000 * MS;
	ordinal = 0;
	ids[0] = 100;
	ids[1] = 40000;
}

static inline void
finish(void)
{
	evidence_tick(ctx, INT64_MAX);
	evidence_end(ctx, &flow, now);
	CHECK_INT(evidence_deadline(ctx), INT64_MAX);
	CHECK(flow.d[0].window == NULL && flow.d[0].ring == NULL);
	CHECK_INT(flow.d[1].group, 0);
	evidence_free(ctx);
}

/* Prepares pk; numbers are offsets. */
static inline void
make(enum dir dir, unsigned flags, uint32_t seq, uint32_t ack, const char *text)
{
	memset(&pk, 0, sizeof(pk));
	now += 1 * MS;
	pk.time = now;
	pk.ordinal = ++ordinal;
	pk.tcp_flags = (uint8_t)flags;
	pk.seq = (dir == DIR_C2S ? C_ISN : S_ISN) + 1 + seq;
	if ((flags & TCP_ACK) != 0)
		pk.ack = (dir == DIR_C2S ? S_ISN : C_ISN) + 1 + ack;
	pk.ttl = dir == DIR_C2S ? C_TTL : S_TTL;
	pk.ip_id = ids[dir]++;
	pk.window = 502;
	pk.flags = PKT_IP_DF | PKT_CSUM_CHECKED | PKT_HAS_MAC;
	pk.mac = macs[dir];
	pk.payload = (const uint8_t *)text;
	pk.len = pk.wire_len = text == NULL ? 0 : (uint32_t)strlen(text);
	view.dir = (uint8_t)dir;
}

static inline void
put(void)
{
	evidence_tick(ctx, pk.time);
	hints = evidence_packet(ctx, &flow, &pk, &view);
	if (pk.len > 0 && (hints & EVID_CONFLICT) == 0)
		evidence_public(&flow, view.dir, pk.seq, pk.len);
}

static inline void
send(enum dir dir, unsigned flags, uint32_t seq, uint32_t ack, const char *text)
{
	make(dir, flags, seq, ack, text);
	put();
}

static inline void
c(uint32_t seq, uint32_t ack, const char *text)
{
	send(DIR_C2S, TCP_ACK, seq, ack, text);
}

static inline void
s(uint32_t seq, uint32_t ack, const char *text)
{
	send(DIR_S2C, TCP_ACK, seq, ack, text);
}

/* As closed Linux sockets do: no ACK, IP id 0. */
static inline void
bare_rst(enum dir dir, uint32_t seq)
{
	make(dir, TCP_RST, seq, 0, NULL);
	ids[dir]--;
	pk.ip_id = 0;
	pk.window = 0;
	put();
}

/* As a tool on the path does: no ACK, an IP id of its own. */
static inline void
forged_rst(enum dir dir, uint32_t seq, uint8_t ttl)
{
	make(dir, TCP_RST, seq, 0, NULL);
	ids[dir]--;
	pk.ip_id = 0x9999;
	pk.window = 0;
	pk.ttl = ttl;
	put();
}

static inline void
handshake(void)
{
	view.phase = PHASE_SYN;
	make(DIR_C2S, TCP_SYN, UINT32_MAX, 0, NULL);
	pk.flags |= PKT_WSCALE;
	pk.wscale = 7;
	put();
	make(DIR_S2C, TCP_SYN | TCP_ACK, UINT32_MAX, 0, NULL);
	pk.ip_id = 0;
	ids[DIR_S2C]--;
	pk.flags |= PKT_WSCALE;
	pk.wscale = 7;
	put();
	c(0, 0, NULL);
	view.phase = PHASE_TEXT;
}

/* 20 bytes each way a turn. Ends with the client's 60 unanswered. */
#define LINE "12345678901234567890"
static inline void
dialogue(void)
{
	handshake();
	s(0, 0, LINE);
	c(0, 20, LINE);
	s(20, 20, LINE);
	c(20, 40, LINE);
	s(40, 40, LINE);
	c(40, 60, LINE);
}

#endif
