/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker puts into its queue. Keys only ever grow: what timers say too
 * late stands where it was said.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/obs_pack.h"
#include "sensor/worker_private.h"

#define ROOM_MS 20
#define LEAST_FLOWS 1024

#define NICE 4 /* what is nice to have leaves 1/4 of the queue free */
#define ENDED_AT_ONCE 512 /* in one record */

static void on_obs(void *, struct obs *);
static void on_chain(void *, const uint8_t[32], const struct slice *, unsigned);
static void on_staple(void *, const uint8_t[32], struct slice, int64_t);

uint64_t
worker_first_flow(unsigned number, unsigned epoch)
{
	return (uint64_t)(number + 1) << 56 | (uint64_t)(epoch & 0xffff) << 40;
}

void
worker_share(struct frontend_config *f, unsigned workers)
{
	struct tracker_config *t = &f->tracker;
	unsigned of = workers;

	t->max_sessions = (t->max_sessions + of - 1) / of;
	t->max_pending /= of;
	f->tls_bytes /= of;
	t->workers = workers;
	while (of > 1 && t->max_flows > LEAST_FLOWS) { /* a power of two */
		t->max_flows /= 2;
		of = (of + 1) / 2;
	}
}

struct worker *
worker_new(const struct worker_config *cfg, char *err, size_t errlen)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct frontend_config fc = cfg->front;

	if (w == NULL)
		return NULL;
	w->cfg = *cfg;
	w->parent = getppid();
	fc.sink = (struct obs_sink){on_obs, on_chain, on_staple, w};
	w->offline = cfg->in != NULL;
	fc.is_ours = w->offline ? worker_is_ours : NULL;
	if (cfg->spool != NULL)
		fc.on_link_unknown = worker_link_unknown;
	fc.ctx = w;
	w->front = frontend_new(&fc, err, errlen);
	if (w->front == NULL) {
		worker_free(w);
		return NULL;
	}
	return w;
}

void
worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	frontend_free(w->front);
	free(w);
}

/* ---- what goes out ---- */

/* Behind all that packets brought: what the end of the input brings, or of a
 * part. */
static void
set_flush_key(
    const struct worker *w, struct ring_key *k, const struct tracker_moment *m)
{
	k->era = w->end_era + (m->phase == TRACKER_FLUSH_RESETS ? 1 : 2);
	k->phase = 0;
	if (m->phase == TRACKER_FLUSH_FLOWS)
		k->time = 0;
}

/* Of the same moment TCP evidence comes in the order of its packets, timers in
 * that of their flows. */
static struct ring_key
next_key(struct worker *w)
{
	struct tracker_moment m = tracker_moment(frontend_tracker(w->front));
	struct ring_key k = {
	    .era = w->era, .time = m.time, .phase = (uint32_t)m.phase};

	if (m.phase == TRACKER_PACKET)
		k.tie = w->ordinal;
	else if (m.phase == TRACKER_EVIDENCE || m.phase == TRACKER_FLUSH_RESETS)
		k.tie = m.settling;
	else
		k.tie = w->flow;
	if (m.phase > TRACKER_PACKET && w->offline)
		set_flush_key(w, &k, &m);
	if (ring_compare(&k, &w->last) < 0)
		k = w->last;
	w->last = k;
	return k;
}

static bool
put_in_spool(struct worker *w, enum record_type type, const struct slice *part,
    unsigned n)
{
	while (!spool_put(w->cfg.spool, type, part, n)) {
		if (getppid() != w->parent)
			_exit(1); /* nobody will ever take it */
		spool_wait_room(w->cfg.spool, ROOM_MS);
	}
	return true;
}

bool
worker_put(struct worker *w, enum record_type type, const struct slice *part,
    unsigned n, size_t reserve)
{
	struct ring_record r = {.type = type};

	if (w->cfg.spool != NULL)
		return put_in_spool(w, type, part, n);
	r.key = next_key(w);
	if (!w->offline)
		return ring_put(w->cfg.out, &r, part, n, reserve);
	while (!ring_put(w->cfg.out, &r, part, n, 0)) {
		if (getppid() != w->parent)
			_exit(1); /* nobody will ever take it */
		ring_wait_room(w->cfg.out, ROOM_MS);
	}
	return true;
}

static uint32_t
shed_bit(uint64_t flow)
{
	return (uint32_t)(flow * UINT64_C(0x9e3779b97f4a7c15) >> 40) &
	       (WORKER_SHED_BITS - 1);
}

static void
mark_shed(struct worker *w, uint64_t flow)
{
	uint32_t bit = shed_bit(flow);

	w->any_shed = true;
	w->shed[bit / 8] |= (uint8_t)(1u << bit % 8);
}

static bool
was_shed(const struct worker *w, uint64_t flow)
{
	uint32_t bit = shed_bit(flow);

	return w->any_shed && (w->shed[bit / 8] >> bit % 8 & 1) != 0;
}

static size_t
room(const struct worker *w)
{
	return w->cfg.out != NULL ? ring_size(w->cfg.out) : 0;
}

/* What stays free of the queue for what is more than that. */
static size_t
nice_to_have(const struct worker *w)
{
	return room(w) / NICE;
}

/* No finding is lost with these, or a weak one. */
static bool
is_nice_to_have(enum obs_kind kind)
{
	switch (kind) {
	case OBS_MAIL_CONTENT:
	case OBS_TLS_APPDATA:
	case OBS_QUIT:
	case OBS_PROXY:
	case OBS_VERB_UNKNOWN:
	case OBS_TLS_KEY_EXCHANGE:
		return true;
	default:
		return false;
	}
}

static void
on_obs(void *ctx, struct obs *o)
{
	struct worker *w = ctx;
	size_t reserve = room(w) / 64;
	struct slice part[OBS_PACK_PARTS];
	struct obs copy;

	if (is_nice_to_have((enum obs_kind)o->kind))
		reserve = nice_to_have(w);
	else if (o->kind == OBS_FLOW_END)
		reserve = 0;
	w->flow = o->flow;
	if (was_shed(w, o->flow)) {
		memcpy(&copy, o, o->size);
		copy.vis |= VIS_GAP_C2S | VIS_GAP_S2C;
		o = &copy;
	}
	if (worker_put(w, REC_OBS, part, obs_pack(o, part), reserve))
		return;
	w->cfg.board->shed[o->kind]++;
	if (o->kind != OBS_FLOW_END)
		mark_shed(w, o->flow);
	else if (w->nended < WORKER_ENDED_MAX)
		w->ended[w->nended++] = o->flow;
}

void
worker_tell_ended(struct worker *w)
{
	while (w->nended > 0) {
		uint32_t n =
		    w->nended < ENDED_AT_ONCE ? w->nended : ENDED_AT_ONCE;
		struct slice part = {(const uint8_t *)&w->ended[w->nended - n],
		    n * sizeof(w->ended[0])};

		if (!worker_put(w, REC_ENDED, &part, 1, nice_to_have(w)))
			return;
		w->nended -= n;
	}
}

static void
on_chain(
    void *ctx, const uint8_t chain_id[32], const struct slice *der, unsigned n)
{
	struct worker *w = ctx;
	struct record_chain c = {.n = n < X509_CHAIN_MAX ? n : X509_CHAIN_MAX};
	struct slice part[1 + X509_CHAIN_MAX] = {
	    {(const uint8_t *)&c, sizeof(c)}};

	memcpy(c.chain_id, chain_id, sizeof(c.chain_id));
	for (unsigned i = 0; i < c.n; i++) {
		part[1 + i] = der[i];
		c.len[i] = (uint32_t)der[i].len;
	}
	if (!worker_put(w, REC_CHAIN, part, 1 + c.n, nice_to_have(w)))
		w->cfg.board->shed[OBS_KIND_COUNT]++;
}

static void
on_staple(
    void *ctx, const uint8_t chain_id[32], struct slice response, int64_t time)
{
	struct worker *w = ctx;
	struct record_staple s = {.time = time};
	const struct slice part[2] = {
	    {(const uint8_t *)&s, sizeof(s)}, response};

	memcpy(s.chain_id, chain_id, sizeof(s.chain_id));
	if (!worker_put(w, REC_STAPLE, part, 2, nice_to_have(w)))
		w->cfg.board->shed[OBS_KIND_COUNT]++;
}

void
worker_set_mark(struct worker *w, int64_t time)
{
	struct ring_key k = {.era = w->era,
	    .time = time,
	    .phase = TRACKER_PACKET,
	    .tie = w->ordinal};

	if (ring_compare(&k, &w->last) < 0)
		k = w->last;
	w->last = k;
	ring_set_mark(w->cfg.out, &k);
}
