/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: the tracker, fed with segments rather than bytes. The input is
 * a list of records of eight bytes, each one segment of one of four flows.
 * What a segment carries is a function of its numbers (both sides speak an
 * SMTP dialogue), unless the record says to garble it, so that any order of
 * them can be put together.
 *
 *	0: flow (2 bits), direction, FIN, SYN, RST, ACK, cut by the capture
 *	1: number, from -64 to +190 of the next one; 255: anywhere
 *	2: ACK, likewise
 *	3: payload bytes; from 240 on 64 times as many
 *	4: 0: as the dialogue has it; else garbled with this
 *	5: time since the one before, in 16 ms; 255: two hours
 *	6: TTL (4 bits), IP id step (4 bits)
 *	7: window (5 bits), wrong checksum, scale, from another MAC address
 *
 * Oracles: straight, by the short ways that most packets take, and always
 * through libnids, without them, give the same observations; a flow's
 * observations begin with its open, end with its end and have times that do
 * not go back; libnids never complains.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/tls_record.h"
#include "sensor/conn.h"

/* Below, both ways take the place of the one in the library. */
bool with_short_ways(
    struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir);
#define conn_packet with_short_ways
#include "sensor/conn_next.c"
#undef conn_packet

#define FLOWS 4
#define RECORD 8
#define RECORDS_MAX 1500
#define OPEN_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const script[2] = {
    "EHLO a.example\r\nSTARTTLS\r\nMAIL FROM:<a@b.c>\r\nDATA\r\n"
    "Subject: x\r\n\r\nbody\r\n.\r\nAUTH PLAIN AGEAYg==\r\nQUIT\r\n",
    "220 mx ESMTP\r\n250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
    "454 no\r\n250 ok\r\n354 go\r\n250 queued\r\n235 ok\r\n221 bye\r\n"};
static const uint16_t ports[FLOWS] = {25, 143, 2525, 110};

struct side {
	uint32_t isn, next;
	uint16_t id;
};

struct seen_flow {
	int64_t last;
	bool open, ended;
};

struct run {
	struct side sides[FLOWS][2];
	struct tracker *t;
	int64_t now;
	uint64_t ordinal;
	uint64_t hash, count;
	struct seen_flow flows[OPEN_MAX];
};

static struct run runs[2];
static bool in_short;
static uint8_t payload[64 * 256];
static const uint8_t macs[3][12] = {{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1},
    {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 9, 9}};

bool
conn_packet(struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir)
{
	return in_short ? with_short_ways(t, c, pkt, dir)
			: conn_any_packet(t, c, pkt, dir);
}

static void
require(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "segments: %s\n", what);
		abort();
	}
}

static void
mix(struct run *r, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len-- > 0)
		r->hash = (r->hash ^ *p++) * 0x100000001b3ull;
}

static void
on_obs(void *ctx, struct obs *o)
{
	struct run *r = ctx;
	struct seen_flow *f = &r->flows[o->flow % OPEN_MAX];
	char line[8192];

	if (o->kind == OBS_FLOW_OPEN) {
		require(!f->open, "opened twice");
		*f = (struct seen_flow){.open = true, .last = INT64_MIN};
	}
	require(f->open && !f->ended, "outside of open and end");
	require(o->time >= f->last, "time goes back");
	f->last = o->time;
	f->ended = o->kind == OBS_FLOW_END;
	r->count++;
	obs_format(line, sizeof(line), o, true);
	if (getenv("DUMP") != NULL)
		fprintf(stderr, "%d %llu %s #%llu\n", r == &runs[1],
		    (unsigned long long)o->flow, line,
		    (unsigned long long)o->pkt.ordinal);
	mix(r, line, strlen(line));
	mix(r, &o->pkt.ordinal, sizeof(o->pkt.ordinal));
	mix(r, &o->pkt.seq, sizeof(o->pkt.seq));
}

static void
begin(
    struct run *r, enum reassembly how, struct mail_env *env, struct ip_ctx *ip)
{
	struct tracker_config cfg;
	char err[256] = "";

	memset(r, 0, sizeof(*r));
	r->now = 1700000000 * 1000000000ll;
	for (unsigned f = 0; f < FLOWS; f++) {
		r->sides[f][0].isn = 0xffffffc0u + f * 7;
		r->sides[f][1].isn = 5000;
		r->sides[f][0].next = r->sides[f][0].isn;
		r->sides[f][1].next = r->sides[f][1].isn;
	}
	env->sink = (struct obs_sink){.emit = on_obs, .ctx = r};
	tracker_config_default(&cfg);
	cfg.max_flows = 64;
	cfg.max_sessions = 64;
	cfg.reassembly = how;
	r->t = tracker_new(&cfg, env, ip, err, sizeof(err));
	require(r->t != NULL, err);
}

static uint32_t
number(uint8_t b, uint32_t next, uint32_t salt)
{
	if (b == 255)
		return next + (salt << 20) * 2654435761u;
	return next + b - 64u;
}

static void
set_payload(struct packet *p, unsigned dir, uint32_t isn, const uint8_t *rec)
{
	size_t n = strlen(script[dir]);
	uint32_t len = rec[3] >= 240 ? (rec[3] - 239u) * 64 : rec[3] % 48;

	for (uint32_t i = 0; i < len; i++) {
		uint32_t at = p->seq + i - isn - 1;

		payload[i] = (uint8_t)script[dir][at % n];
		if (rec[4] != 0 && i == rec[4] % len)
			payload[i] ^= rec[4];
	}
	p->payload = payload;
	p->len = p->wire_len = len;
	if (rec[0] & 0x80 && len > 1) {
		p->len = len / 2;
		p->flags |= PKT_TRUNCATED;
	}
}

static void
segment(struct run *r, const uint8_t *rec)
{
	unsigned f = rec[0] & 3, dir = rec[0] >> 2 & 1;
	struct side *me = &r->sides[f][dir], *peer = &r->sides[f][!dir];
	struct packet p = {
	    .flags = PKT_CSUM_CHECKED | PKT_HAS_MAC, .ip_proto = 6};

	r->now += rec[5] == 255 ? 7200000000000ll : rec[5] * 16000000ll;
	p.time = r->now;
	p.ordinal = ++r->ordinal;
	p.src.b[15] = (uint8_t)(dir ? 100 : f);
	p.dst.b[15] = (uint8_t)(dir ? f : 100);
	p.sport = dir ? ports[f] : 40000;
	p.dport = dir ? 40000 : ports[f];
	p.tcp_flags =
	    (rec[0] & 0x08 ? TCP_FIN : 0) | (rec[0] & 0x10 ? TCP_SYN : 0) |
	    (rec[0] & 0x20 ? TCP_RST : 0) | (rec[0] & 0x40 ? TCP_ACK : 0);
	p.seq = number(rec[1], me->next, rec[4]);
	p.ack = number(rec[2], peer->next, rec[7]);
	p.ttl = 50 + (rec[6] & 15);
	p.ip_id = me->id = (uint16_t)(me->id + (rec[6] >> 4));
	p.window = (uint16_t)((rec[7] & 31) * 2048);
	p.mac = macs[rec[7] & 0x80 ? 2 : dir];
	if (rec[7] & 0x20)
		p.flags |= PKT_BAD_TCP_CSUM;
	if (rec[7] & 0x40) {
		p.flags |= PKT_WSCALE;
		p.wscale = 7;
	}
	set_payload(&p, dir, me->isn, rec);
	if (p.tcp_flags & TCP_SYN)
		me->isn = p.seq;
	if (rec[1] <= 64 && (int32_t)(p.seq + p.wire_len - me->next) > 0)
		me->next = p.seq + p.wire_len;
	if (p.tcp_flags & (TCP_SYN | TCP_FIN) && rec[1] == 64)
		me->next++;
	tracker_packet(r->t, &p);
	for (unsigned age = 0; age < FLOW_AGES; age++)
		mix(r, &r->t->flows->age[age].count, sizeof(uint32_t));
}

static void
end(struct run *r)
{
	tracker_flush(r->t);
	require(tracker_counters(r->t)->stuck == 0, "libnids is stuck");
	tracker_free(r->t);
	for (unsigned i = 0; i < OPEN_MAX; i++)
		require(r->flows[i].open == r->flows[i].ended, "never ended");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mail_env env = {.pool = tls_pool_new(1 << 20)};
	struct ip_ctx *ip = ip_new();
	size_t n = size / RECORD;

	if (n > RECORDS_MAX)
		n = RECORDS_MAX;
	for (int how = 0; how < 2; how++) {
		in_short = how == 0;
		begin(&runs[how],
		    how ? REASSEMBLY_ALWAYS : REASSEMBLY_ON_DEMAND, &env, ip);
		for (size_t i = 0; i < n; i++)
			segment(&runs[how], data + i * RECORD);
		end(&runs[how]);
	}
	ip_free(ip);
	tls_pool_free(env.pool);
	require(runs[0].count == runs[1].count && runs[0].hash == runs[1].hash,
	    "the two ways differ");
	return 0;
}
