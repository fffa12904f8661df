/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets in: which flow, is it worth a connection, timers, and who goes when
 * the table is full.
 *
 * A flow that is not mail keeps its 64 bytes in the table, so that the next of
 * its packets costs one look-up and is not looked at again; nothing else is
 * known of it and nothing is emitted.
 *
 * Timers run in order of their deadlines before a later packet is looked at,
 * those of TCP evidence among them. That of a flow that has gone stays: the next
 * flow on its slot mostly ends before it would have to be moved, and one that
 * fires early is set anew. The clock of a capture may step back: by
 * less than STEP_BACK it is taken for disorder and time stands still, by more
 * it is believed.
 */
#include "sensor/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_BACK (60 * SECOND)
#define STREAMS 3072 /* flows out of order at the same time */

void
tracker_config_default(struct tracker_config *cfg)
{
	*cfg = (struct tracker_config){.max_flows = 262144,
	    .max_sessions = 65536,
	    .max_pending = 64u << 20,
	    .reassembly = REASSEMBLY_ON_DEMAND};
}

static void
on_settled(void *user, uint32_t slot, enum dir dir, unsigned hints)
{
	struct tracker *t = user;
	struct conn *c = rest_wake(t, slot);

	if (c == NULL)
		return;
	if (hints & EVID_LIVES)
		conn_lives(t, c, dir);
	if (!(hints & EVID_DEAD) || !c->reset[dir])
		return;
	if (t->busy == slot)
		c->dead = true;
	else
		conn_end(t, c, END_RST, t->norm.now);
}

static int
new_stream(struct tracker *t, char *err, size_t errlen)
{
	bool always = t->cfg.reassembly == REASSEMBLY_ALWAYS;
	struct stream_config sc = {.capacity = t->cfg.max_flows,
	    .streams = always ? t->cfg.max_sessions : STREAMS,
	    .fn = norm_stream_bytes,
	    .ctx = &t->norm};

	t->norm.always = always;
	t->norm.max_pending = t->cfg.max_pending;
	t->norm.deliver = session_deliver;
	t->norm.user = t;
	t->norm.ref = &t->ref;
	t->norm.stream = stream_new(&sc, err, errlen);
	return t->norm.stream == NULL ? -1 : 0;
}

static int
new_parts(struct tracker *t, char *err, size_t errlen)
{
	struct evidence_sink es = {
	    .emit = session_evidence, .settled = on_settled, .user = t};

	if (t->cfg.max_flows == 0 ||
	    (t->cfg.max_flows & (t->cfg.max_flows - 1)) != 0) {
		(void)snprintf(err, errlen,
		    "the number of flows must be a power of two, not %u",
		    t->cfg.max_flows);
		return -1;
	}
	t->flows = flow_table_new(t->cfg.max_flows);
	t->timers = timers_new(t->cfg.max_flows);
	t->conns = pool_new(sizeof(struct conn), t->cfg.max_flows);
	t->mails = mails_new(t->cfg.max_sessions);
	t->early = early_pool(t->cfg.workers);
	t->evidence = evidence_new(&es, t->cfg.workers);
	if (rest_init(&t->rest, t->cfg.rest_after) == -1 || t->flows == NULL ||
	    t->timers == NULL || t->conns == NULL || t->mails == NULL ||
	    t->early == NULL || t->evidence == NULL) {
		(void)snprintf(err, errlen, "flow table: out of memory");
		return -1;
	}
	return new_stream(t, err, errlen);
}

struct tracker *
tracker_new(const struct tracker_config *cfg, struct mail_env *env,
    struct ip_ctx *ip, char *err, size_t errlen)
{
	struct tracker *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		(void)snprintf(err, errlen, "tracker: out of memory");
		return NULL;
	}
	t->cfg = *cfg;
	t->env = env;
	t->ip = ip;
	t->busy = FLOW_NONE;
	t->now = INT64_MIN;
	t->out = env->sink;
	if (new_parts(t, err, errlen) != 0) {
		tracker_free(t);
		return NULL;
	}
	env->sink = (struct obs_sink){.emit = session_emit,
	    .chain = session_chain,
	    .staple = session_staple,
	    .ctx = t};
	env->lender = mails_lender(t->mails);
	return t;
}

void
tracker_number_from(struct tracker *t, uint64_t first)
{
	t->cfg.first_number = first;
}

static void
drop_all(struct tracker *t)
{
	for (uint32_t i = 0; t->flows != NULL && i < flow_high(t->flows); i++) {
		struct flow *f = flow_at(t->flows, i);

		if (!f->used || rest_wake(t, i) == NULL)
			continue;
		norm_drop(&t->norm, &f->conn->norm);
		mails_put(t->mails, f->conn->mail);
		free(conn_take_syn(t, f->conn));
		pool_put(t->conns, f->conn);
		f->conn = NULL;
	}
}

void
tracker_free(struct tracker *t)
{
	if (t == NULL)
		return;
	if (t->norm.stream != NULL)
		drop_all(t);
	if (t->env->sink.ctx == t) {
		t->env->sink = t->out;
		t->env->lender = (struct mail_lender){0};
	}
	stream_free(t->norm.stream);
	evidence_free(t->evidence);
	mails_free(t->mails);
	pool_free(t->early);
	pool_free(t->conns);
	timers_free(t->timers);
	flow_table_free(t->flows);
	rest_fini(&t->rest);
	free(t);
}

void
tracker_arm(struct tracker *t, struct conn *c)
{
	int64_t idle = conn_idle_deadline(c), wait = norm_deadline(&c->norm);
	int64_t at = idle < wait ? idle : wait;

	if (at <= timers_get(t->timers, conn_slot(c)))
		timers_set_tie(
		    t->timers, conn_slot(c), at, (uint32_t)c->number);
}

void
tracker_forget(struct tracker *t, struct conn *c)
{
	uint32_t slot = conn_slot(c);

	flow_at(t->flows, slot)->conn = NULL;
	flow_remove(t->flows, slot);
	free(conn_take_syn(t, c));
	pool_put(t->conns, c);
}

/* Not mail, and nothing went out: only the table entry stays. */
static __attribute__((noinline)) void
pass_over(struct tracker *t, struct conn *c)
{
	uint32_t slot = conn_slot(c);

	t->n.not_mail++;
	c->mute = true;
	norm_drop(&t->norm, &c->norm);
	evidence_end(t->evidence, &c->ev, t->now);
	session_drop_early(t, c);
	flow_at(t->flows, slot)->conn = NULL;
	flow_set_age(t->flows, slot, FLOW_PASSED);
	timers_set(t->timers, slot, t->now + IDLE_PASSED);
	free(conn_take_syn(t, c));
	pool_put(t->conns, c);
}

static void
passed_timeout(struct tracker *t, uint32_t slot, int64_t deadline)
{
	uint32_t last = flow_at(t->flows, slot)->last;
	uint32_t idle = (uint32_t)(IDLE_PASSED >> TRACKER_CLOCK_UNIT);
	int64_t left =
	    (int64_t)(int32_t)(last + idle - tracker_clock(t, deadline));

	if (left > 0) {
		timers_set(
		    t->timers, slot, deadline + (left << TRACKER_CLOCK_UNIT));
		return;
	}
	timers_clear(t->timers, slot);
	flow_remove(t->flows, slot);
}

static void
fire(struct tracker *t, uint32_t slot, int64_t deadline)
{
	struct conn *c;

	timers_clear(t->timers, slot);
	if (!flow_at(t->flows, slot)->used)
		return;
	c = rest_wake(t, slot);
	if (c == NULL) {
		passed_timeout(t, slot, deadline);
		return;
	}
	t->busy = slot;
	conn_timeout(t, c, deadline);
	t->busy = FLOW_NONE;
}

/* Timers up to `time`, in order. */
static __attribute__((noinline)) void
run_timers(struct tracker *t, int64_t time)
{
	for (;;) {
		uint32_t slot = FLOW_NONE;
		int64_t mine = timers_first(t->timers, &slot);
		int64_t theirs = evidence_deadline(t->evidence);

		if (mine > time && theirs > time)
			break;
		t->phase = theirs <= mine ? TRACKER_EVIDENCE : TRACKER_TIMER;
		t->moment = theirs <= mine ? theirs : mine;
		if (theirs <= mine) {
			t->norm.now = theirs;
			evidence_tick(t->evidence, theirs);
		} else
			fire(t, slot, mine);
	}
}

static inline void
advance(struct tracker *t, int64_t time)
{
	uint32_t slot;

	if (timers_first(t->timers, &slot) <= time ||
	    evidence_deadline(t->evidence) <= time)
		run_timers(t, time);
	t->phase = TRACKER_PACKET;
	t->moment = time;
}

static __attribute__((noinline)) void
set_clock(struct tracker *t, int64_t time)
{
	struct tracker_clock c = {t->started, t->now};
	bool back;

	tracker_clock_packet(&c, time, &back);
	t->started = c.started;
	t->now = c.now;
	t->clock_runs = true;
}

static inline void
set_time(struct tracker *t, int64_t time)
{
	if (t->clock_runs && time >= t->now)
		t->now = time;
	else if (!t->clock_is_given)
		set_clock(t, time);
	advance(t, t->now);
}

void
tracker_run_to(struct tracker *t, int64_t time)
{
	if (t->now != INT64_MIN && time > t->now)
		set_time(t, time);
}

void
tracker_clock_packet(struct tracker_clock *c, int64_t time, bool *back)
{
	*back = c->now != INT64_MIN && time < c->now - STEP_BACK;
	if (c->now == INT64_MIN)
		c->started = time;
	if (time > c->now || *back)
		c->now = time;
}

void
tracker_set_clock(struct tracker *t, const struct tracker_clock *c)
{
	t->clock_is_given = true;
	t->clock_runs = false;
	t->started = c->started;
	t->now = c->now;
	advance(t, t->now);
}

struct tracker_moment
tracker_moment(const struct tracker *t)
{
	return (struct tracker_moment){
	    t->moment, t->phase, evidence_settling(t->evidence)};
}

void
tracker_used(const struct tracker *t, uint32_t *flows, uint32_t *mails)
{
	*flows = flow_count(t->flows);
	*mails = mails_used(t->mails);
}

void
tracker_memory(const struct tracker *t, struct tracker_memory *out)
{
	out->flows = flow_use(t->flows);
	out->flows.bytes += timers_bytes(t->timers, flow_high(t->flows));
	out->flows.max_bytes += timers_bytes(t->timers, t->cfg.max_flows);
	out->connections = pool_use(t->conns);
	out->connections.entries += t->rest.asleep;
	out->connections.bytes += blocks_use(&t->rest.blocks);
	out->decoders = mails_use(t->mails);
	out->early = pool_use(t->early);
	out->streams = stream_use(t->norm.stream);
	out->pending = norm_use(&t->norm, t->cfg.max_flows);
	evidence_use(t->evidence, &out->evidence, &out->resets);
}

void
tracker_set_listener(struct tracker *t, uint32_t listener)
{
	t->listener = listener;
}

void
tracker_set_vantage(struct tracker *t, uint32_t vantage)
{
	t->vantage = vantage;
}

void
tracker_tick(struct tracker *t, int64_t now)
{
	if (t->now == INT64_MIN)
		return;
	set_time(t, now);
	rest_walk(t);
}

static void
evict(struct tracker *t)
{
	uint32_t slot = flow_victim(t->flows);
	struct conn *c;

	if (slot == FLOW_NONE)
		return;
	t->n.evicted++;
	c = rest_wake(t, slot);
	if (c != NULL) {
		conn_end(t, c, conn_how(c, END_EVICTED), t->now);
		return;
	}
	flow_remove(t->flows, slot);
}

/* Who is the client, when no SYN says it: the side that is not at the mail
 * port, the side that does not greet, the higher port. */
static enum dir
guess_dir(const struct packet *pkt)
{
	struct slice bytes = {pkt->payload, pkt->len};
	bool from_mail = mail_port(pkt->sport), to_mail = mail_port(pkt->dport);

	if (pkt->tcp_flags & TCP_SYN)
		return pkt->tcp_flags & TCP_ACK ? DIR_S2C : DIR_C2S;
	if (from_mail != to_mail)
		return from_mail ? DIR_S2C : DIR_C2S;
	if (pkt->len > 0 && mail_looks_like(DIR_S2C, bytes))
		return DIR_S2C;
	return pkt->sport < pkt->dport ? DIR_S2C : DIR_C2S;
}

/* Is a packet of an unknown flow reason enough to follow it? */
static bool
is_worth_a_flow(const struct packet *pkt)
{
	if (pkt->tcp_flags & TCP_RST)
		return false;
	if (pkt->tcp_flags & TCP_SYN || pkt->wire_len > 0)
		return true;
	return !(pkt->tcp_flags & TCP_FIN) &&
	       (mail_port(pkt->sport) || mail_port(pkt->dport));
}

static uint32_t
add_flow(struct tracker *t, const struct packet *pkt)
{
	enum dir dir = guess_dir(pkt);
	struct flow_key key;
	bool from_b = flow_key_of(&key, pkt);
	struct flow *f;
	uint32_t slot, other;

	if (flow_is_crowded(t->flows, FLOW_YOUNG))
		evict(t);
	other = flow_find(t->flows, &key);
	slot = flow_add(t->flows, &key, FLOW_YOUNG);
	if (slot == FLOW_NONE)
		return slot;
	t->n.flows++;
	f = flow_at(t->flows, slot);
	f->client_is_b = from_b == (dir == DIR_C2S);
	f->conn = pool_get(t->conns);
	if (f->conn == NULL) {
		flow_remove(t->flows, slot);
		return FLOW_NONE;
	}
	conn_init(t, f->conn, slot, pkt, dir);
	leg_init(t, slot, other, pkt);
	tracker_arm(t, f->conn);
	rest_add_young(t, slot);
	return slot;
}

/* ... whose SYN was kept until its answer came. */
static uint32_t
renew_from(struct tracker *t, struct packet *syn)
{
	uint32_t slot = add_flow(t, syn);

	if (slot != FLOW_NONE) {
		t->busy = slot;
		(void)conn_packet(
		    t, flow_at(t->flows, slot)->conn, syn, DIR_C2S);
	}
	free(syn);
	return slot;
}

/* A new connection on the four-tuple of an old one. */
static uint32_t
renew(struct tracker *t, uint32_t slot, const struct packet *pkt)
{
	struct conn *c = flow_at(t->flows, slot)->conn, old = *c;
	struct packet *syn = conn_take_syn(t, c);

	conn_end(t, c, conn_how(c, END_REUSED), t->now);
	if (syn != NULL)
		return renew_from(t, syn);
	slot = add_flow(t, pkt);
	if (slot != FLOW_NONE && !(pkt->tcp_flags & TCP_SYN))
		conn_adopt(flow_at(t->flows, slot)->conn, &old);
	return slot;
}

/* Connections end so fast that not all can be kept for what comes after. */
static __attribute__((noinline)) void
end_closed(struct tracker *t)
{
	uint32_t slot = flow_closed_victim(t->flows);
	struct conn *c;

	if (slot == FLOW_NONE || (c = rest_wake(t, slot)) == NULL)
		return;
	t->n.closed_early++;
	conn_end(t, c, conn_how(c, END_FIN), t->now);
}

/* The packet begins a new connection on the four-tuple of this one. */
static __attribute__((noinline)) struct conn *
take_anew(struct tracker *t, uint32_t slot, struct packet *pkt)
{
	struct conn *c;

	t->busy = FLOW_NONE;
	slot = renew(t, slot, pkt);
	if (slot == FLOW_NONE)
		return NULL;
	t->busy = slot;
	c = flow_at(t->flows, slot)->conn;
	flow_at(t->flows, slot)->last = tracker_clock(t, t->now);
	(void)conn_packet(
	    t, c, pkt, c->port[DIR_C2S] == pkt->sport ? DIR_C2S : DIR_S2C);
	return c;
}

static inline void
take(struct tracker *t, uint32_t slot, struct packet *pkt, bool from_b)
{
	struct flow *f = flow_at(t->flows, slot);
	struct conn *c = f->conn;

	f->last = tracker_clock(t, t->now);
	if (c == NULL)
		return;
	t->busy = slot;
	if (!conn_packet(
		t, c, pkt, f->client_is_b == from_b ? DIR_C2S : DIR_S2C)) {
		c = take_anew(t, slot, pkt);
		if (c == NULL)
			return;
	}
	t->busy = FLOW_NONE;
	if (c->dead)
		conn_end(t, c, END_RST, t->now);
	else if (c->mute && !c->opened)
		pass_over(t, c);
	else if (c->closed)
		end_closed(t);
}

/* Each of this four-tuple. */
static void
rest_all(
    struct tracker *t, const struct packet *pkt, const struct flow_place *place)
{
	uint32_t slot = flow_find_at(t->flows, pkt, place);

	for (; slot != FLOW_NONE; slot = flow_next(t->flows, slot))
		rest_sleep(t, slot);
}

void
tracker_expect(
    const struct tracker *t, const struct packet *pkt, struct flow_place *place)
{
	flow_place_of(t->flows, place, pkt);
}

/* The flow of a packet that is not just one more of a known one. */
static __attribute__((noinline)) uint32_t
find_or_add(struct tracker *t, uint32_t slot, const struct packet *pkt,
    const struct flow_place *place)
{
	if (slot != FLOW_NONE) {
		if (flow_at(t->flows, slot)->rests)
			(void)rest_wake(t, slot);
		slot = leg_of(t, slot, pkt, place->from_b);
	}
	if (slot == FLOW_NONE && is_worth_a_flow(pkt))
		slot = add_flow(t, pkt);
	return slot;
}

void
tracker_packet_at(
    struct tracker *t, struct packet *pkt, const struct flow_place *place)
{
	uint32_t slot;

	t->ordinal = pkt->ordinal;
	set_time(t, pkt->time);
	if (++t->n.packets % REST_PACKETS == 0)
		rest_walk(t);
	slot = flow_find_at(t->flows, pkt, place);
	if (slot == FLOW_NONE || !leg_is_plain(flow_at(t->flows, slot), pkt))
		slot = find_or_add(t, slot, pkt, place);
	if (slot != FLOW_NONE)
		take(t, slot, pkt, place->from_b);
	if (t->rest.always)
		rest_all(t, pkt, place);
}

void
tracker_packet(struct tracker *t, struct packet *pkt)
{
	struct flow_place place;

	flow_place_of(t->flows, &place, pkt);
	tracker_packet_at(t, pkt, &place);
}

struct order {
	uint64_t number;
	uint32_t slot;
};

static int
by_number(const void *a, const void *b)
{
	uint64_t x = ((const struct order *)a)->number;
	uint64_t y = ((const struct order *)b)->number;

	return x < y ? -1 : x > y;
}

/* All resets are judged at once: no packet will come before their deadlines. */
static void
settle_resets(struct tracker *t)
{
	int64_t at;

	t->norm.now = t->now;
	t->phase = TRACKER_FLUSH_RESETS;
	while ((at = evidence_deadline(t->evidence)) != INT64_MAX) {
		t->moment = at;
		evidence_tick(t->evidence, at);
	}
}

static void
end_input(struct tracker *t, uint32_t slot)
{
	struct conn *c = rest_wake(t, slot);

	if (c != NULL)
		conn_end(t, c, conn_how(c, END_INPUT), t->now);
}

void
tracker_flush(struct tracker *t)
{
	struct order *list;
	size_t n = 0;

	settle_resets(t);
	list = calloc((size_t)flow_count(t->flows) + 1, sizeof(*list));
	for (uint32_t i = 0; i < flow_high(t->flows); i++) {
		const struct flow *f = flow_at(t->flows, i);

		if (!f->used || f->conn == NULL)
			continue;
		if (list == NULL) /* no memory: in the order of the slots */
			end_input(t, i);
		else
			list[n++] = (struct order){
			    f->rests ? rest_number(f->asleep) : f->conn->number,
			    i};
	}
	if (list != NULL)
		qsort(list, n, sizeof(*list), by_number);
	t->phase = TRACKER_FLUSH_FLOWS;
	t->moment = t->now;
	for (size_t i = 0; i < n; i++)
		end_input(t, list[i].slot);
	free(list);
}

const struct tracker_counters *
tracker_counters(struct tracker *t)
{
	const struct norm_counters *n = &t->norm.n;

	t->n.tcp_packets = t->n.packets;
	t->n.in_order = n->in_order;
	t->n.reordered = n->reordered;
	t->n.retrans = n->retrans;
	t->n.holes = n->holes;
	t->n.hole_bytes = n->hole_bytes;
	t->n.pending_full = n->pending_full;
	t->n.out_of_window = n->out_of_window;
	t->n.stuck = n->stuck + stream_counters(t->norm.stream)->warnings;
	return &t->n;
}

const struct norm_counters *
tracker_norm_counters(const struct tracker *t)
{
	return &t->norm.n;
}

const struct evidence_counters *
tracker_evidence_counters(const struct tracker *t)
{
	return evidence_counters(t->evidence);
}
