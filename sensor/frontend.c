/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Link, IP and tracker joined, and what they count.
 */
#include "sensor/frontend.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/link.h"
#include "decoders/tls_pool.h"
#include "decoders/tls_record.h"
#include "sensor/ahead.h"

#define FLOWS_OF_A_PART (UINT64_C(1) << 40) /* their numbers */
#define TLS_POOL_BYTES (64u << 20) /* handshakes in progress */

struct coming { /* taken apart, not yet dealt with */
	struct packet pkt;
	struct flow_place place;
	uint32_t slot; /* of its flow, as it seems before its turn */
	uint8_t link; /* enum link_result */
	bool is_tcp;
	uint8_t spare[36]; /* 256 bytes in all: places are found by a shift */
};
static_assert(sizeof(struct coming) == 256, "see spare");

struct frontend {
	struct frontend_config cfg;
	struct coming coming[AHEAD]; /* a ring */
	uint32_t first, n_coming;
	bool held_up; /* the last one lies where a next one would come to lie */
	struct ip_ctx *ip;
	struct mail_env env;
	struct tracker *tracker;
	uint64_t said_links; /* bit per link type already complained of */
	struct frontend_totals n;
	struct frontend_totals past; /* of parts that are over: IP and TCP */
	unsigned part;
};

/* What knows of packets. */
static int
new_parts(struct frontend *f, char *err, size_t errlen)
{
	f->ip = ip_new();
	if (f->ip == NULL) {
		(void)snprintf(err, errlen, "out of memory");
		return -1;
	}
	f->tracker = tracker_new(&f->cfg.tracker, &f->env, f->ip, err, errlen);
	return f->tracker == NULL ? -1 : 0;
}

struct frontend *
frontend_new(const struct frontend_config *cfg, char *err, size_t errlen)
{
	struct frontend *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		(void)snprintf(err, errlen, "out of memory");
		return NULL;
	}
	f->cfg = *cfg;
	f->env.sink = cfg->sink;
	memcpy(f->env.secret_key, cfg->secret_key, sizeof(f->env.secret_key));
	f->env.pool =
	    tls_pool_new(cfg->tls_bytes != 0 ? cfg->tls_bytes : TLS_POOL_BYTES);
	if (f->env.pool == NULL) {
		(void)snprintf(err, errlen, "out of memory");
		frontend_free(f);
		return NULL;
	}
	if (new_parts(f, err, errlen) == -1) {
		frontend_free(f);
		return NULL;
	}
	return f;
}

static void
free_parts(struct frontend *f)
{
	if (f->tracker != NULL)
		tracker_free(f->tracker);
	if (f->ip != NULL)
		ip_free(f->ip);
	f->tracker = NULL;
	f->ip = NULL;
}

void
frontend_free(struct frontend *f)
{
	if (f == NULL)
		return;
	free_parts(f);
	if (f->env.pool != NULL)
		tls_pool_free(f->env.pool);
	explicit_bzero(f->env.secret_key, sizeof(f->env.secret_key));
	free(f);
}

/* Link by link, for what is not usual. */
static __attribute__((noinline)) bool
is_tcp_after_all(struct frontend *f, struct packet *pkt, struct coming *c)
{
	c->link = (uint8_t)link_decode(pkt);
	return c->link == LINK_IP && ip_decode(f->ip, pkt) == IP_TCP;
}

static inline void
take_apart(struct frontend *f, struct packet *pkt, struct coming *c)
{
	c->link = LINK_IP;
	c->slot = FLOW_NONE;
	c->is_tcp = ip_decode_frame(f->ip, pkt) || is_tcp_after_all(f, pkt, c);
	if (f->cfg.is_ours != NULL)
		c->is_tcp = c->is_tcp && f->cfg.is_ours(f->cfg.ctx, pkt);
	if (c->is_tcp)
		tracker_expect(f->tracker, pkt, &c->place);
}

static void
link_unknown(struct frontend *f, const struct packet *pkt)
{
	uint64_t bit = UINT64_C(1) << (pkt->linktype & 63);

	f->n.link_unknown++;
	if ((f->said_links & bit) == 0 && f->cfg.on_link_unknown != NULL)
		f->cfg.on_link_unknown(f->cfg.ctx, pkt);
	f->said_links |= bit;
}

static void
count_other(
    struct frontend *f, const struct packet *pkt, const struct coming *c)
{
	switch ((enum link_result)c->link) {
	case LINK_IP:
		break;
	case LINK_OTHER:
		f->n.link_other++;
		break;
	case LINK_TRUNCATED:
		f->n.link_truncated++;
		break;
	case LINK_UNKNOWN:
		link_unknown(f, pkt);
		break;
	}
}

static inline void
count_packet(struct frontend *f, const struct packet *pkt)
{
	f->n.packets++;
	f->n.bytes += pkt->caplen;
}

static inline void
tcp_packet(
    struct frontend *f, struct packet *pkt, const struct flow_place *place)
{
	if (f->cfg.lines != NULL)
		memcpy(f->env.lines, f->cfg.lines, sizeof(f->env.lines));
	tracker_packet_at(f->tracker, pkt, place);
}

static inline void
deal_with(struct frontend *f, struct packet *pkt, const struct coming *c)
{
	count_packet(f, pkt);
	if (c->is_tcp)
		tcp_packet(f, pkt, &c->place);
	else
		count_other(f, pkt, c);
}

void
frontend_packet(struct frontend *f, struct packet *pkt)
{
	struct coming c;

	take_apart(f, pkt, &c);
	if (c.is_tcp) {
		c.slot = ahead_flow(f->tracker, &c.place);
		ahead_conn(f->tracker, c.slot);
		ahead_parts(f->tracker, c.slot, c.place.from_b);
	}
	deal_with(f, pkt, &c);
}

void
frontend_expect(const struct frontend *f, const struct packet *pkt,
    struct flow_place *place)
{
	tracker_expect(f->tracker, pkt, place);
}

void
frontend_tcp(struct frontend *f, struct packet *pkt,
    const struct flow_place *place, const struct frontend_ahead *ahead)
{
	if (ahead->flow != NULL)
		(void)ahead_flow(f->tracker, ahead->flow);
	if (ahead->conn != NULL)
		ahead_conn(f->tracker, ahead_flow(f->tracker, ahead->conn));
	if (ahead->parts != NULL)
		ahead_parts(f->tracker, ahead_flow(f->tracker, ahead->parts),
		    ahead->parts->from_b);
	count_packet(f, pkt);
	tcp_packet(f, pkt, place);
}

static inline struct coming *
coming_at(struct frontend *f, uint32_t i)
{
	return &f->coming[(f->first + i) % AHEAD];
}

/* One put together from fragments lies where the next of them will. */
static inline bool
is_elsewhere(const struct coming *c)
{
	return c->is_tcp &&
	       (uintptr_t)c->pkt.tcp - (uintptr_t)c->pkt.frame >= c->pkt.caplen;
}

static inline void
push(struct frontend *f, struct coming *c)
{
	take_apart(f, &c->pkt, c);
	f->held_up = is_elsewhere(c);
	f->n_coming++;
}

static bool
next_part(struct frontend *f, int64_t begins)
{
	frontend_end_part(f, begins);
	return frontend_begin_part(f, f->part + 1);
}

/* A function of its own: in one with all that is done to a packet, registers
 * are short. */
static __attribute__((noinline)) void
fill(struct frontend *f, struct capture *from)
{
	struct coming *c = coming_at(f, f->n_coming);

	if (f->n_coming == 0) {
		if (frontend_failed(f) || capture_next(from, &c->pkt) != 1)
			return;
		if (capture_part_begins(from) && !next_part(f, c->pkt.time))
			return;
		push(f, c);
	}
	while (f->n_coming < AHEAD && !f->held_up) {
		c = coming_at(f, f->n_coming);
		if (capture_more(from, &c->pkt) != 1)
			return;
		push(f, c);
	}
}

void
frontend_fill(struct frontend *f, struct capture *from)
{
	if (f->n_coming < AHEAD)
		fill(f, from);
}

/* One step further for each that comes at that distance; at the end of a window
 * of the file there are fewer, and they have to wait. */
AHEAD_INLINE void
fetch(struct frontend *f)
{
	struct coming *c;

	if (f->n_coming < AHEAD)
		return;
	c = coming_at(f, AHEAD_FLOW);
	if (c->is_tcp)
		c->slot = ahead_flow(f->tracker, &c->place);
	ahead_conn(f->tracker, coming_at(f, AHEAD_CONN)->slot);
	c = coming_at(f, AHEAD_PARTS);
	ahead_parts(f->tracker, c->slot, c->place.from_b);
}

const struct packet *
frontend_pop(struct frontend *f)
{
	struct coming *c = coming_at(f, 0);

	if (f->n_coming == 0)
		return NULL;
	fetch(f);
	deal_with(f, &c->pkt, c);
	f->first = (f->first + 1) % AHEAD;
	if (--f->n_coming == 0)
		f->held_up = false;
	return &c->pkt;
}

bool
frontend_is_busy(const struct frontend *f)
{
	return f->n_coming > 0;
}

struct tracker *
frontend_tracker(struct frontend *f)
{
	return f->tracker;
}

void
frontend_flush(struct frontend *f)
{
	if (!frontend_failed(f))
		tracker_flush(f->tracker);
}

bool
frontend_failed(const struct frontend *f)
{
	return f->tracker == NULL;
}

static void
count_parts(const struct frontend *f, struct frontend_totals *out)
{
	if (frontend_failed(f))
		return;
	out->ip = *ip_counters(f->ip);
	out->tracker = *tracker_counters(f->tracker);
	out->norm = *tracker_norm_counters(f->tracker);
	out->evidence = *tracker_evidence_counters(f->tracker);
}

void
frontend_end_part(struct frontend *f, int64_t next)
{
	tracker_run_to(f->tracker, next);
	tracker_flush(f->tracker);
}

bool
frontend_begin_part(struct frontend *f, unsigned number)
{
	struct frontend_totals over = {0};
	char err[200];

	f->part = number;
	f->said_links = 0;
	f->cfg.tracker.first_number = number * FLOWS_OF_A_PART;
	if (f->n.packets == 0) { /* it has seen none: only numbers */
		tracker_number_from(f->tracker, f->cfg.tracker.first_number);
		return true;
	}
	count_parts(f, &over);
	frontend_totals_add(&f->past, &over);
	free_parts(f);
	if (new_parts(f, err, sizeof(err)) == 0)
		return true;
	free_parts(f);
	return false;
}

void
frontend_totals(struct frontend *f, struct frontend_totals *out)
{
	uint32_t flows = 0, mails = 0;

	*out = f->n;
	count_parts(f, out);
	frontend_totals_add(out, &f->past);
	out->mail = f->env.n;
	if (!frontend_failed(f))
		tracker_used(f->tracker, &flows, &mails);
	out->flows_now = flows;
	out->mails_now = mails;
}

void
frontend_memory(const struct frontend *f, struct table_use memory[MEM_COUNT])
{
	struct tracker_memory m;

	if (frontend_failed(f))
		return;
	tracker_memory(f->tracker, &m);
	memory[MEM_FLOWS] = m.flows;
	memory[MEM_CONNECTIONS] = m.connections;
	memory[MEM_DECODERS] = m.decoders;
	memory[MEM_EARLY] = m.early;
	memory[MEM_EVIDENCE] = m.evidence;
	memory[MEM_RESETS] = m.resets;
	memory[MEM_REASSEMBLY] = m.pending;
	memory[MEM_STREAMS] = m.streams;
	memory[MEM_TLS] = tls_pool_use(f->env.pool);
	memory[MEM_FRAGMENTS] = ip_use(f->ip);
}

void
frontend_totals_add(
    struct frontend_totals *sum, const struct frontend_totals *more)
{
	_Static_assert(sizeof(*sum) % sizeof(uint64_t) == 0, "numbers only");
	uint64_t a[sizeof(*sum) / sizeof(uint64_t)], b[sizeof(a) / sizeof(*a)];

	memcpy(a, sum, sizeof(a));
	memcpy(b, more, sizeof(b));
	for (size_t i = 0; i < sizeof(a) / sizeof(*a); i++)
		a[i] += b[i];
	memcpy(sum, a, sizeof(a));
}
