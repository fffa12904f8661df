/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order between the two directions. TCP itself gives it: a host that
 * acknowledges byte n had byte n when it sent the segment. On a tap whose two
 * ports are not in step a reply can be captured before its command; whoever
 * fed the decoder in the order of capture would see a server that answers
 * what nobody asked.
 *
 * A piece waits until the opposite direction has delivered what it
 * acknowledges. Two pieces that wait for each other (only forged segments do)
 * go in the order of capture. After NORM_WAIT what is missing counts as lost.
 */
#include "sensor/causal.h"

#include <stdlib.h>
#include <string.h>

struct seg *
seg_new(struct norm_env *env, size_t extra)
{
	size_t cost = sizeof(struct seg) + extra;
	struct seg *s;

	if (env->pending + cost > env->max_pending)
		return NULL;
	s = malloc(cost);
	if (s == NULL)
		return NULL;
	memset(s, 0, sizeof(*s));
	s->cost = s->size = (uint32_t)cost;
	env->pending += cost;
	return s;
}

void
seg_free(struct norm_env *env, struct seg *s)
{
	env->pending -= s->cost;
	explicit_bzero(s, s->size); /* passwords among the bytes */
	free(s);
}

struct seg *
seg_pop(struct seg_list *l)
{
	struct seg *s = l->head;

	l->head = s->next;
	if (l->head == NULL)
		l->tail = NULL;
	l->count--;
	return s;
}

void
seg_append(struct seg_list *l, struct seg *s)
{
	s->next = NULL;
	if (l->tail != NULL)
		l->tail->next = s;
	else
		l->head = s;
	l->tail = s;
	l->count++;
}

bool
norm_need_wait(struct norm_env *env, struct norm *n)
{
	if (n->wait == NULL) {
		n->wait = calloc(1, sizeof(*n->wait));
		if (n->wait == NULL)
			return false;
		env->waits++;
		n->wait->hole_since[0] = n->wait->hole_since[1] = INT64_MIN;
		norm_note_waiting(n);
	}
	return true;
}

void
norm_wait_gone(struct norm_env *env, struct norm *n)
{
	struct norm_wait *w = n->wait;

	if (w == NULL)
		return;
	for (int d = 0; d < 2; d++) {
		while (w->pend[d].head != NULL)
			seg_free(env, seg_pop(&w->pend[d]));
		while (w->held[d].head != NULL)
			seg_free(env, seg_pop(&w->held[d]));
		while (w->doubt[d].head != NULL)
			seg_free(env, seg_pop(&w->doubt[d]));
	}
	free(w);
	env->waits--;
	n->wait = NULL;
	norm_note_waiting(n);
}

static bool
is_ready(const struct norm *n, enum dir dir, uint64_t need)
{
	const struct norm_dir *peer = &n->d[!dir];

	return need <= peer->done || peer->off || peer->done >= peer->fin_at;
}

static void
give(struct norm_env *env, struct norm *n, const struct norm_piece *p)
{
	struct norm_dir *d = &n->d[p->dir];

	d->done = p->at + p->len;
	if (!d->off)
		env->deliver(env->user, n, p);
}

static struct seg *
first_held(const struct norm *n, enum dir dir)
{
	return n->wait == NULL ? NULL : n->wait->held[dir].head;
}

static void
give_first(struct norm_env *env, struct norm *n, enum dir dir)
{
	struct seg *s = seg_pop(&n->wait->held[dir]);
	struct norm_piece p = {.what = (enum norm_what)s->what,
	    .dir = dir,
	    .at = s->at,
	    .len = s->len,
	    .ref = &s->ref};

	if (p.what == NORM_BYTES) {
		p.bytes = (struct slice){s->bytes, (size_t)s->len};
		n->wait->held_bytes -= s->len;
	}
	give(env, n, &p);
	seg_free(env, s);
}

/* Keeps a copy of the piece. false: no room. */
static bool
hold(struct norm_env *env, struct norm *n, const struct norm_piece *p,
    uint64_t need)
{
	struct seg *s;

	if (!norm_need_wait(env, n))
		return false;
	s = seg_new(env, p->bytes.len);
	if (s == NULL)
		return false;
	s->at = p->at;
	s->len = p->len;
	s->need = need;
	s->since = env->now;
	s->what = (uint8_t)p->what;
	s->ref = *p->ref;
	if (p->bytes.len > 0)
		memcpy(s->bytes, p->bytes.p, p->bytes.len);
	n->wait->held_bytes += p->bytes.len;
	seg_append(&n->wait->held[p->dir], s);
	env->n.held++;
	return true;
}

static void
give_or_hold(struct norm_env *env, struct norm *n, const struct norm_piece *p,
    uint64_t need)
{
	if (first_held(n, p->dir) != NULL || !is_ready(n, p->dir, need)) {
		if (hold(env, n, p, need))
			return;
		env->n.pending_full++;
		while (first_held(n, p->dir) != NULL)
			give_first(env, n, p->dir);
	}
	give(env, n, p);
}

void
causal_bytes(
    struct norm_env *env, struct norm *n, struct norm_piece *p, uint64_t need)
{
	struct norm_dir *d = &n->d[p->dir], *peer = &n->d[!p->dir];

	p->what = NORM_BYTES;
	p->at = d->next;
	p->len = p->bytes.len;
	if (n->one_way && !peer->seen && need > peer->next)
		norm_skip(env, n, !p->dir, need);
	d->next += p->len;
	give_or_hold(env, n, p, need);
}

void
causal_gap(struct norm_env *env, struct norm *n, enum dir dir, uint64_t len)
{
	struct norm_dir *d = &n->d[dir];
	struct norm_piece p = {.what = NORM_GAP,
	    .dir = dir,
	    .at = d->next,
	    .len = len,
	    .ref = env->ref};

	d->next += len;
	give_or_hold(env, n, &p, 0);
}

void
causal_release(struct norm_env *env, struct norm *n)
{
	for (;;) {
		const struct seg *c = first_held(n, DIR_C2S);
		const struct seg *s = first_held(n, DIR_S2C);

		if (c != NULL && is_ready(n, DIR_C2S, c->need))
			give_first(env, n, DIR_C2S);
		else if (s != NULL && is_ready(n, DIR_S2C, s->need))
			give_first(env, n, DIR_S2C);
		else if (c != NULL && s != NULL)
			give_first(env, n,
			    c->ref.ordinal <= s->ref.ordinal ? DIR_C2S
							     : DIR_S2C);
		else
			return;
	}
}

bool
causal_due(const struct norm_env *env, const struct norm *n, enum dir dir)
{
	const struct seg *s = first_held(n, dir);
	const struct norm_wait *w = n->wait;

	if (s == NULL)
		return false;
	return env->now >= s->since + NORM_WAIT ||
	       w->held_bytes > NORM_HELD_MAX ||
	       w->held[0].count + w->held[1].count > NORM_HELD_SEGS;
}

/* Closes what the first held piece of dir waits for. true: it could go. */
static bool
force_one(struct norm_env *env, struct norm *n, enum dir dir)
{
	const struct seg *s = first_held(n, dir);
	struct norm_dir *peer = &n->d[!dir];
	uint64_t need;

	if (s == NULL)
		return true;
	need = s->need < peer->fin_at ? s->need : peer->fin_at;
	env->n.forced++;
	if (!peer->seen)
		n->one_way = true;
	norm_skip(env, n, !dir, need);
	causal_release(env, n);
	return first_held(n, dir) != s;
}

/* What the piece waits for was lost. Where the other side waits in turn, what
 * that waits for was lost too; then both are in hand. */
void
causal_force(struct norm_env *env, struct norm *n, enum dir dir)
{
	if (force_one(env, n, dir) || force_one(env, n, !dir))
		return;
	if (first_held(n, dir) != NULL)
		give_first(env, n, dir);
	causal_release(env, n);
}

struct table_use
norm_use(const struct norm_env *env, uint32_t flows)
{
	struct table_use use =
	    table_use(env->waits, flows, sizeof(struct norm_wait), 0);

	use.bytes += env->fins * sizeof(struct norm_fins) + env->pending;
	use.max_bytes += env->max_pending;
	return use;
}
