/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Between the ordered bytes and the mail decoder. A decoder is spent on a flow
 * when its first bytes are seen and its port or these bytes say mail, and is
 * given back when the flow has become opaque.
 *
 * All observations of a flow, the decoder's and those of TCP evidence, pass
 * here on their way out: the first of them is preceded by OBS_FLOW_OPEN, so
 * that flows nothing was seen of cost nobody anything; flow number, visibility
 * and time are put in. Time is that of the event which completed the unit (the
 * packet that filled a hole, a deadline), never that of an earlier packet that
 * had waited; obs.pkt still names the packet that carried the bytes.
 */
#include "sensor/conn.h"

#include <string.h>

#define GREETING_MAX 512 /* RFC 5321 4.5.3.1.5 */
#define SAMPLE 16 /* decoders looked at for one to take away */

/* So far: a side that goes on beyond its SYN has seen packets of the other
 * that we have not. On a tap that is not in step they may still come, and then
 * it is said no more. */
static uint32_t
vis_of(const struct conn *c, const struct obs *o)
{
	bool silent = c->packets[0] == 0 || c->packets[1] == 0;

	if (silent && (c->state == CONN_OPEN || o->kind == OBS_FLOW_END ||
			  o->time - c->start >= NORM_WAIT))
		return c->vis | VIS_ONE_WAY;
	return c->vis;
}

static void open_flow(struct tracker *, struct conn *, const struct obs *first);

/* Whoever listens now has not heard what was said before. */
static void
join_late(struct tracker *t, struct conn *c, const struct obs *first)
{
	c->vis |= VIS_MIDSTREAM | VIS_GAP_C2S | VIS_GAP_S2C;
	open_flow(t, c, first);
}

/* Stamps what every observation of the flow shares, and lets it go. */
static inline void
send(struct tracker *t, struct conn *c, struct obs *o)
{
	if (c->listener != t->listener && o->kind != OBS_FLOW_OPEN)
		join_late(t, c, o);
	o->flow = c->number;
	o->vis |= vis_of(c, o);
	memcpy(o->gap, c->gap, sizeof(o->gap));
	if (o->time < c->last_obs)
		o->time = c->last_obs;
	c->last_obs = o->time;
	t->n.observed[o->kind]++;
	t->out.emit(t->out.ctx, o);
}

static void
stamp(struct obs *o, struct conn *c)
{
	if (c->mail != NULL)
		mail_state(c->mail, &c->known); /* else nothing has changed */
	o->proto = c->known.proto;
	o->implicit_tls = c->known.implicit_tls;
}

void
session_drop_early(struct tracker *t, struct conn *c)
{
	if (c->early == NULL)
		return;
	t->n.early_dropped += early_count(c->early);
	pool_put(t->early, c->early);
	c->early = NULL;
}

/* Now it is known whose it is. */
static void
tell_early(struct tracker *t, struct conn *c, const struct obs *first)
{
	struct early *e = c->early;
	struct obs o;

	c->early = NULL;
	for (unsigned i = 0; i < early_count(e); i++) {
		early_get(e, i, &o);
		o.proto = first->proto;
		o.implicit_tls = first->implicit_tls;
		t->n.early_told++;
		send(t, c, &o);
	}
	pool_put(t->early, e);
}

static int64_t
first_time(const struct conn *c, const struct obs *first)
{
	struct obs o;

	if (early_count(c->early) == 0)
		return first->time;
	early_get(c->early, 0, &o);
	return o.time < first->time ? o.time : first->time;
}

static void
open_flow(struct tracker *t, struct conn *c, const struct obs *first)
{
	const struct flow *fl = flow_at(t->flows, conn_slot(c));
	struct obs o;
	struct obs_flow *f = &o.u.flow_open;

	c->opened = true;
	c->listener = t->listener;
	obs_init(&o, OBS_FLOW_OPEN);
	f->client = fl->client_is_b ? fl->key.b : fl->key.a;
	f->server = fl->client_is_b ? fl->key.a : fl->key.b;
	f->client_port = c->port[DIR_C2S];
	f->server_port = c->port[DIR_S2C];
	memcpy(f->vlan, c->vlan, sizeof(f->vlan));
	f->nvlan = c->nvlan;
	f->v6 = c->v6;
	f->client_ttl = c->ttl[DIR_C2S];
	f->server_ttl = c->ttl[DIR_S2C];
	f->start = c->start;
	f->vantage = c->vantage;
	o.proto = first->proto;
	o.phase = first->phase;
	o.implicit_tls = first->implicit_tls;
	o.time = first_time(c, first);
	send(t, c, &o);
	if (c->early != NULL)
		tell_early(t, c, first);
}

void
session_emit(void *user, struct obs *o)
{
	struct tracker *t = user;
	struct conn *c = t->cur;

	if (c == NULL || c->mute)
		return;
	if (o->time < t->norm.now)
		o->time = t->norm.now;
	if (!c->opened)
		open_flow(t, c, o);
	send(t, c, o);
}

void
session_chain(
    void *user, const uint8_t chain_id[32], const struct slice *der, unsigned n)
{
	struct tracker *t = user;

	if (t->out.chain != NULL && t->cur != NULL && !t->cur->mute)
		t->out.chain(t->out.ctx, chain_id, der, n);
}

void
session_staple(
    void *user, const uint8_t chain_id[32], struct slice response, int64_t time)
{
	struct tracker *t = user;

	if (t->out.staple != NULL && t->cur != NULL && !t->cur->mute)
		t->out.staple(t->out.ctx, chain_id, response, time);
}

void
session_evidence(void *user, uint32_t slot, struct obs *o)
{
	struct tracker *t = user;
	struct conn *c = rest_wake(t, slot);

	if (c == NULL || c->mute)
		return;
	if (o->kind == OBS_CONFLICT) {
		t->n.conflicts++;
		if (!o->u.conflict.csum_bad)
			c->vis |= VIS_AMBIGUOUS;
	}
	if (o->time > t->now)
		o->time = t->now; /* judged early: the input has ended */
	if (!c->opened && !c->mail_port) {
		t->n.early_full += !early_keep(t->early, &c->early, o);
		return;
	}
	stamp(o, c);
	if (!c->opened)
		open_flow(t, c, o);
	send(t, c, o);
}

enum phase
session_phase(const struct conn *c)
{
	if (c->state == CONN_HALF)
		return PHASE_SYN;
	if (c->norm.d[0].fin_at != NORM_NONE ||
	    c->norm.d[1].fin_at != NORM_NONE)
		return PHASE_CLOSING;
	if (c->use == USE_UNDECIDED)
		return PHASE_TEXT;
	return (enum phase)c->known.phase;
}

/* The decoder has nothing more to do, or there is none to be had. */
static void
set_opaque(struct tracker *t, struct conn *c)
{
	c->use = USE_OPAQUE;
	evidence_opaque(t->evidence, &c->ev);
	norm_off(&c->norm, DIR_C2S);
	norm_off(&c->norm, DIR_S2C);
}

static bool
may_be_mail(const struct conn *c, const struct norm_piece *p)
{
	return c->mail_port || mail_looks_like(p->dir, p->bytes);
}

static void
tell_vis(struct conn *c)
{
	mail_add_vis(c->mail, c->vis & ~c->vis_told);
	c->vis_told = c->vis;
}

void
session_finish(struct tracker *t, struct conn *c)
{
	if (c->mail == NULL)
		return;
	t->cur = c;
	if (c->vis != c->vis_told)
		tell_vis(c);
	mail_end(c->mail, t->norm.now);
	t->cur = NULL;
	mail_state(c->mail, &c->known);
	t->n.mail_flows[c->known.proto]++;
	mails_put(t->mails, c->mail);
	c->mail = NULL;
	c->fed = false;
	c->known.in_body[0] = c->known.in_body[1] = false;
	set_opaque(t, c);
}

/* All decoders are in use: of the next few the idlest flow loses its own. One
 * that rests is idler than those that do not. */
static void
take_idlest(struct tracker *t)
{
	struct conn *idlest = NULL;
	uint32_t high = flow_high(t->flows);

	for (unsigned looked = 0, found = 0; looked < high && found < SAMPLE;
	     looked++) {
		uint32_t slot = t->hand++ % high;
		const struct flow *f = flow_at(t->flows, slot);
		struct conn *c = f->rests ? NULL : f->conn;

		if (f->rests && rest_is_decoded(f->asleep)) {
			idlest = rest_wake(t, slot);
			break;
		}
		if (c == NULL || c->mail == NULL || slot == t->busy)
			continue;
		found++;
		if (idlest == NULL || c->last < idlest->last)
			idlest = c;
	}
	if (idlest == NULL)
		return;
	idlest->vis |= VIS_CUT;
	session_finish(t, idlest);
}

/* The greeting lies in the hole that the flow begins with, and these bytes are
 * what is left of it: let the client tell. */
static bool
is_rest_of_greeting(const struct conn *c, const struct norm_piece *p)
{
	const struct obs_gap *g = &c->gap[DIR_S2C];

	return p->dir == DIR_S2C && g->bytes > 0 && g->at == 0 &&
	       p->at < (uint64_t)g->bytes + GREETING_MAX;
}

/* The first bytes of the flow decide. */
static __attribute__((noinline)) void
decide(struct tracker *t, struct conn *c, const struct norm_piece *p)
{
	struct mail_flow f = {.flow = c->number,
	    .client_port = c->port[DIR_C2S],
	    .server_port = c->port[DIR_S2C],
	    .vis = c->vis};

	if (!may_be_mail(c, p)) {
		if (is_rest_of_greeting(c, p))
			return;
		c->mute = true;
		set_opaque(t, c);
		return;
	}
	c->mail = mails_get(t->mails);
	if (c->mail == NULL) {
		t->n.sessions_full++;
		take_idlest(t);
		c->mail = mails_get(t->mails);
	}
	if (c->mail == NULL) {
		set_opaque(t, c);
		return;
	}
	c->use = USE_MAIL;
	c->vis_told = f.vis;
	mail_init(c->mail, t->env, &f);
	flow_set_age(t->flows, conn_slot(c), FLOW_LIVE);
}

/* By what is known of the decoder: has session_settle() anything to do? */
static inline bool
is_unsettled(const struct conn *c)
{
	return c->known.starved || c->known.wants[0] != MAIL_BYTES ||
	       c->known.wants[1] != MAIL_BYTES ||
	       (c->norm.d[0].eof && c->norm.d[1].eof);
}

static inline void
deliver_bytes(struct tracker *t, struct conn *c, const struct norm_piece *p)
{
	const struct norm_dir *d = &c->norm.d[p->dir];
	struct mail *m = c->mail;
	unsigned fed;

	t->cur = c;
	if (c->vis != c->vis_told)
		tell_vis(c);
	fed = mail_data(m, p->dir, p->bytes, p->ref);
	t->cur = NULL;
	if ((fed & MAIL_CHANGED) != 0) {
		mail_state(m, &c->known);
		c->fed |= is_unsettled(c);
		if (c->known.wants[p->dir] == MAIL_NOTHING) {
			norm_off(&c->norm, p->dir);
			return;
		}
	}
	if ((fed & MAIL_PUBLIC) != 0)
		evidence_public(&c->ev, p->dir, d->base + (uint32_t)p->at,
		    (uint32_t)p->len);
}

static void
note_gap(struct conn *c, const struct norm_piece *p)
{
	struct obs_gap *g = &c->gap[p->dir];
	uint64_t room = UINT32_MAX - g->bytes;

	c->vis |= p->dir == DIR_C2S ? VIS_GAP_C2S : VIS_GAP_S2C;
	if (g->bytes == 0)
		g->at = p->at < UINT32_MAX ? (uint32_t)p->at : UINT32_MAX;
	g->bytes += (uint32_t)(p->len < room ? p->len : room);
}

/* A hole, or the end. */
static __attribute__((noinline)) void
deliver_other(struct tracker *t, struct conn *c, const struct norm_piece *p)
{
	if (p->what == NORM_GAP)
		note_gap(c, p);
	if (c->use != USE_MAIL)
		return;
	t->cur = c;
	if (c->vis != c->vis_told)
		tell_vis(c);
	if (p->what == NORM_GAP) {
		mail_gap(c->mail, p->dir, p->len, p->ref);
		c->fed = true;
	} else if (mail_eof(c->mail, p->dir, p->ref) ||
		   c->norm.d[!p->dir].eof || c->norm.d[!p->dir].off) {
		c->fed = true;
	}
	t->cur = NULL;
}

void
session_deliver(void *user, struct norm *n, const struct norm_piece *p)
{
	struct tracker *t = user;
	struct conn *c =
	    (struct conn *)((char *)n - offsetof(struct conn, norm));

	if (n->unsure)
		c->vis |= VIS_AMBIGUOUS;
	if (p->what != NORM_BYTES) {
		deliver_other(t, c, p);
		return;
	}
	if (c->use == USE_UNDECIDED)
		decide(t, c, p);
	if (c->use == USE_MAIL)
		deliver_bytes(t, c, p);
}

static __attribute__((noinline)) void
settle_decoder(struct tracker *t, struct conn *c)
{
	struct mail_state *s = &c->known;
	bool want_c, want_s;

	c->fed = false;
	mail_state(c->mail, s);
	want_c = s->wants[DIR_C2S] == MAIL_BYTES;
	want_s = s->wants[DIR_S2C] == MAIL_BYTES;
	if (s->starved) { /* what comes is not seen: it is said */
		c->vis |= VIS_CUT;
		t->n.sessions_full++;
	}
	if (!want_c)
		norm_off(&c->norm, DIR_C2S);
	if (!want_s)
		norm_off(&c->norm, DIR_S2C);
	if ((!want_c && !want_s) ||
	    (c->norm.d[DIR_C2S].eof && c->norm.d[DIR_S2C].eof))
		session_finish(t, c);
}

/* The decoder's memory is touched only when it was given something. */
void
session_settle(struct tracker *t, struct conn *c)
{
	if (c->fed && c->use == USE_MAIL)
		settle_decoder(t, c);
	if (c->use == USE_OPAQUE && c->known.proto == PROTO_OTHER && !c->opened)
		c->mute = true;
	if (c->norm.wait != NULL)
		norm_tidy(&t->norm, &c->norm);
}

void
session_flow_end(struct tracker *t, struct conn *c, enum end_how how)
{
	struct obs o;
	struct obs_end *e = &o.u.end;

	session_drop_early(t, c);
	if (!c->opened)
		return;
	obs_init(&o, OBS_FLOW_END);
	stamp(&o, c);
	o.phase = (uint8_t)session_phase(c);
	o.time = t->norm.now;
	t->n.ends[how]++;
	e->how = (uint8_t)how;
	e->closed_by = c->closed_by;
	e->quit = c->known.quit;
	e->last = c->last;
	e->bad_csum = c->bad_csum;
	e->dup = c->dup;
	e->retrans = c->retrans;
	e->client_ttl = c->ev.d[DIR_C2S].ttl;
	e->server_ttl = c->ev.d[DIR_S2C].ttl;
	for (int d = 0; d < 2; d++) {
		e->packets[d] = c->packets[d];
		e->rtt[d] = c->ev.rtt[d];
		e->syn_signature[d] = c->ev.rest[d].syn_signature;
		e->gap[d] = c->norm.gap[d].sum;
		e->unacked[d] = t->unacked[d];
		e->bytes[d] = c->norm.d[d].next - c->norm.gap[d].sum;
		e->frame_bytes[d] = c->frame_bytes[d];
		e->tcp_flags[d] = c->tcp_flags[d];
		e->isn_known[d] = c->norm.d[d].known && !c->norm.d[d].soft &&
				  (c->tcp_flags[d] & TCP_SYN) != 0;
		if (e->isn_known[d])
			e->isn[d] = c->norm.d[d].base - 1;
	}
	send(t, c, &o);
}
