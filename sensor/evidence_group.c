/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups of resets: lent when a first one arrives, kept in order of deadline,
 * told and given back when it has passed, when the flow ends, or, with a proof,
 * at once; then the rest of them is swallowed. The table is of fixed size: the
 * oldest settles early when it is full.
 */
#include <stdlib.h>
#include <string.h>

#include "sensor/evidence.h"
#include "sensor/evidence_private.h"

int
evidence_group_init(struct evidence_ctx *c)
{
	c->groups = calloc(EVIDENCE_GROUPS, sizeof(*c->groups));
	if (c->groups == NULL)
		return -1;
	for (uint32_t i = EVIDENCE_GROUPS; i > 0; i--) {
		c->groups[i - 1].newer = c->free_group;
		c->free_group = i;
	}
	return 0;
}

static struct evidence_dir *
group_dir(const struct rst_group *g)
{
	return &g->ev->d[g->dir];
}

static void
group_free(struct evidence_ctx *c, struct rst_group *g)
{
	uint32_t i = (uint32_t)(g - c->groups) + 1;

	if (g->older != 0)
		c->groups[g->older - 1].newer = g->newer;
	else
		c->oldest = g->newer;
	if (g->newer != 0)
		c->groups[g->newer - 1].older = g->older;
	else
		c->newest = g->older;
	group_dir(g)->group = 0;
	g->newer = c->free_group;
	c->free_group = i;
}

/* A hole in what we saw, filled exactly up to the reset's number: then it was
 * no guess, and the number was the next one. */
static void
forget_filled_hole(struct rst_group *g)
{
	if ((g->tests & (RST_BLIND | RST_ALIVE)) == RST_BLIND &&
	    group_dir(g)->next == g->first.seq)
		g->tests &= ~(uint32_t)RST_BLIND;
}

/* Segments that were seen late, but were sent before the reset: a FIN with a
 * number below it, and a SYN that was repeated. */
static void
take_late(struct rst_group *g)
{
	const struct evidence_dir *d = group_dir(g);
	const struct evidence_dir *peer = &g->ev->d[!g->dir];
	const struct pkt_ref *fin = &evidence_rest(d)->mark,
			     *its = &evidence_rest(peer)->mark;

	if (g->syn && (peer->flags & EVD_SYN_AGAIN) != 0)
		g->tests &= ~(uint32_t)RST_SYN_RACE;
	if (g->syn)
		return;
	if (((d->flags & EVD_FIN) != 0 &&
		seq_diff(g->first.seq, fin->seq + fin->len) > 0) ||
	    ((peer->flags & EVD_FIN) != 0 &&
		(g->first.tcp_flags & TCP_ACK) != 0 &&
		seq_diff(g->first.ack, its->seq + its->len) > 0))
		g->tests |= RST_AFTER_FIN;
	if ((d->flags & EVD_FIN) != 0 && g->first.seq == d->next)
		g->tests &= ~(uint32_t)(RST_BLIND | RST_ALIVE);
}

void
evidence_group_tell(struct evidence_ctx *c, struct rst_group *g, int64_t time)
{
	struct evidence_dir *d = group_dir(g);
	struct obs o;

	g->told = true;
	if (evidence_rest(d)->told_rsts == EVIDENCE_TOLD) {
		c->n.rst_untold++;
		return;
	}
	evidence_rest(d)->told_rsts++;
	forget_filled_hole(g);
	take_late(g);
	obs_init(&o, OBS_RST);
	o.dir = g->dir;
	o.phase = g->phase;
	o.time = time;
	o.pkt = g->wrong;
	o.u.rst.tests = g->tests | g->signs;
	o.u.rst.count = g->count;
	o.u.rst.seq_off = g->syn ? 0 : seq_diff(g->first.seq, g->next);
	o.u.rst.tool = g->tool;
	o.u.rst.ttl_base = g->ttl_base;
	o.u.rst.ttl_rst = g->wrong.ttl;
	o.u.rst.first_phase = g->phase;
	o.u.rst.place = g->place;
	o.u.rst.place_off = g->place_off;
	o.u.rst.has_mac = g->has_mac;
	o.u.rst.odd_mac = g->odd_mac;
	memcpy(o.u.rst.mac_base, d->mac, sizeof(d->mac));
	memcpy(o.u.rst.mac, g->mac, sizeof(g->mac));
	o.u.rst.data_after = g->data_after;
	o.u.rst.idle = g->idle;
	o.u.rst.next = g->proof;
	c->sink.emit(c->sink.user, g->ev->slot, &o);
}

static unsigned
verdict(const struct rst_group *g)
{
	if ((g->tests & (RST_PROOF | RST_BLIND)) != 0 || !g->in_window)
		return EVID_LIVES;
	return EVID_DEAD;
}

/* By time: told now if it was not before; the tracker hears the verdict. */
static void
group_settle(struct evidence_ctx *c, struct rst_group *g, int64_t time)
{
	uint32_t slot = g->ev->slot;
	enum dir dir = (enum dir)g->dir;
	bool told = g->told;
	unsigned hints;

	if (!told)
		evidence_group_tell(c, g, time);
	hints = verdict(g);
	group_free(c, g);
	if (!told && c->sink.settled != NULL)
		c->sink.settled(c->sink.user, slot, dir, hints);
}

void
evidence_group_settle(struct evidence_ctx *c)
{
	struct rst_group *g = &c->groups[c->oldest - 1];

	c->settling = g->first.ordinal;
	group_settle(c, g, g->deadline);
}

int64_t
evidence_group_deadline(const struct evidence_ctx *c)
{
	return c->oldest == 0 ? INT64_MAX : c->groups[c->oldest - 1].deadline;
}

void
evidence_group_end(struct evidence_ctx *c, struct evidence_dir *d, int64_t now)
{
	struct rst_group *g;

	if (d->group == 0)
		return;
	g = &c->groups[d->group - 1];
	if (!g->told)
		evidence_group_tell(
		    c, g, now < g->deadline ? now : g->deadline);
	group_free(c, g);
}

/* By deadline; the times of packets may step back, and then not as the last. */
static void
insert(struct evidence_ctx *c, uint32_t i)
{
	struct rst_group *g = &c->groups[i - 1];

	g->older = c->newest;
	g->newer = 0;
	while (
	    g->older != 0 && c->groups[g->older - 1].deadline > g->deadline) {
		g->newer = g->older;
		g->older = c->groups[g->older - 1].older;
	}
	if (g->older != 0)
		c->groups[g->older - 1].newer = i;
	else
		c->oldest = i;
	if (g->newer != 0)
		c->groups[g->newer - 1].older = i;
	else
		c->newest = i;
}

struct rst_group *
evidence_group_new(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	const struct evidence_dir *peer = &ev->d[!view->dir];
	struct evidence_dir *d = &ev->d[view->dir];
	struct rst_group *g;
	uint32_t i;

	if (c->free_group == 0) {
		c->n.rst_forced++;
		g = &c->groups[c->oldest - 1];
		if (!g->told)
			evidence_group_tell(c, g, pkt->time);
		group_free(c, g);
	}
	i = c->free_group;
	g = &c->groups[i - 1];
	c->free_group = g->newer;
	memset(g, 0, sizeof(*g));
	g->deadline = pkt->time + EVIDENCE_RST_WAIT;
	insert(c, i);
	d->group = (uint16_t)i;
	c->n.rst_groups++;

	g->ev = ev;
	g->dir = view->dir;
	g->phase = view->phase;
	g->idle = evidence_last(ev) == 0 ? 0 : pkt->time - evidence_last(ev);
	g->syn = (d->flags & EVD_SEEN) == 0;
	g->next = d->next;
	g->acked = d->ack;
	if ((pkt->tcp_flags & TCP_ACK) != 0 && seq_diff(pkt->ack, d->ack) > 0 &&
	    seq_diff(pkt->ack, peer->next) <= 0)
		g->acked = pkt->ack; /* it says so itself */
	g->ttl_base = d->ttl;
	g->peer_known = (peer->flags & EVD_SEEN) != 0;
	g->peer_next = peer->next;
	g->shaky = ((d->flags | peer->flags) & EVD_DISORDER) != 0 ||
		   (peer->flags & EVD_RST) != 0;
	evidence_ref(&g->first, pkt, view->dir);
	g->wrong = g->last = g->first;
	return g;
}
