/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What waits behind a hole of its own direction. The bytes wait in libnids;
 * here is the list of their intervals, each with the packet that carried it
 * (libnids gives back bytes and nothing else), and what becomes of a hole:
 * filled, replaced by a doubtful copy, or given up.
 *
 * A flow enters libnids when a segment is ahead and leaves when nothing is
 * pending; while it is there, both directions go through it.
 */
#include "sensor/causal.h"

#include <stdlib.h>
#include <string.h>

const struct seg *
norm_first_pending(const struct norm *n, enum dir dir)
{
	return n->wait == NULL ? NULL : n->wait->pend[dir].head;
}

static void
note_gap(struct norm_env *env, struct norm *n, enum dir dir, uint64_t to)
{
	const struct norm_dir *d = &n->d[dir];
	struct norm_gap *g = &n->gap[dir];
	uint64_t len = to - d->next;

	if (g->to == d->next)
		len += n->gap_len[dir];
	n->gap_len[dir] = len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
	g->to = to;
	g->sum += to - d->next;
	env->n.holes++;
	env->n.hole_bytes += to - d->next;
}

static void
enter_skip(struct norm_env *env, struct norm *n, enum dir dir, uint64_t len)
{
	if (!stream_is_open(env->stream, n->slot))
		return;
	env->cur = n;
	stream_skip(env->stream, n->slot, dir, len);
	env->cur = NULL;
}

/* libnids is not entered twice: what its callback finds lost is told to it
 * when it has returned, and so is what that callback finds then. */
static void
skip_later(struct norm_env *env, struct norm *n)
{
	while (n->wait != NULL &&
	       (n->wait->later[0] > 0 || n->wait->later[1] > 0)) {
		enum dir dir = n->wait->later[0] > 0 ? DIR_C2S : DIR_S2C;
		uint64_t len = n->wait->later[dir];

		n->wait->later[dir] = 0;
		enter_skip(env, n, dir, len);
	}
}

static void
skip_stream(struct norm_env *env, struct norm *n, enum dir dir, uint64_t len)
{
	if (env->cur != NULL) {
		n->wait->later[dir] += len;
		return;
	}
	enter_skip(env, n, dir, len);
	skip_later(env, n);
}

/* Is there a doubtful copy of the byte that is missing? Then that goes on, up
 * to `stop`. */
static bool
use_doubt(struct norm_env *env, struct norm *n, enum dir dir, uint64_t stop)
{
	struct norm_dir *d = &n->d[dir];
	struct seg *s = n->wait == NULL ? NULL : n->wait->doubt[dir].head;
	struct norm_piece p = {.dir = dir};
	uint64_t end;

	while (s != NULL && (s->at > d->next || s->at + s->len <= d->next))
		s = s->next;
	if (s == NULL)
		return false;
	end = s->at + s->len < stop ? s->at + s->len : stop;
	p.bytes.p = s->bytes + (d->next - s->at);
	p.bytes.len = (size_t)(end - d->next);
	p.ref = &s->ref;
	if (!s->syn) {
		env->n.doubt_used++;
		n->unsure = true;
	}
	causal_bytes(env, n, &p, s->need);
	skip_stream(env, n, dir, p.len);
	return true;
}

void
norm_use_syn(struct norm_env *env, struct norm *n, enum dir dir)
{
	struct norm_dir *d = &n->d[dir];
	const struct seg *s = n->wait == NULL ? NULL : n->wait->doubt[dir].head;
	const struct seg *next = norm_first_pending(n, dir);
	uint64_t stop;

	if (s == NULL || !s->syn || d->next != s->at ||
	    d->acked < s->at + s->len)
		return;
	stop = s->at + s->len;
	if (next != NULL && next->at < stop)
		stop = next->at; /* from there on libnids has bytes */
	if (stop > d->next)
		use_doubt(env, n, dir, stop);
}

void
norm_skip(struct norm_env *env, struct norm *n, enum dir dir, uint64_t to)
{
	struct norm_dir *d = &n->d[dir];

	while (d->next < to) {
		const struct seg *s = norm_first_pending(n, dir);
		uint64_t stop = s != NULL && s->at < to ? s->at : to;
		uint64_t len = stop - d->next;

		if (stop <= d->next)
			break;
		if (use_doubt(env, n, dir, stop))
			continue;
		note_gap(env, n, dir, stop);
		causal_gap(env, n, dir, len);
		skip_stream(env, n, dir, len);
		if (n->wait != NULL && n->wait->cut_to[dir] > to)
			to = n->wait->cut_to[dir];
	}
}

/* libnids put bytes in order: our list says which packet each came from. */
void
norm_stream_bytes(void *ctx, uint32_t slot, enum dir dir, struct slice bytes)
{
	struct norm_env *env = ctx;
	struct norm *n = env->cur;

	if (n == NULL || n->slot != slot)
		return;
	while (bytes.len > 0 && norm_first_pending(n, dir) != NULL) {
		struct norm_wait *w = n->wait;
		struct seg *s = w->pend[dir].head;
		uint64_t left = s->at + s->len - n->d[dir].next;
		size_t take = left < bytes.len ? (size_t)left : bytes.len;
		struct norm_piece p = {
		    .dir = dir, .bytes = {bytes.p, take}, .ref = &s->ref};

		if (take == left) {
			(void)seg_pop(&w->pend[dir]);
			w->pend_bytes -= s->len;
			if (s->cut != 0)
				w->cut_to[dir] = s->at + s->len + s->cut;
		}
		causal_bytes(env, n, &p, s->need);
		if (take == left)
			seg_free(env, s);
		bytes.p += take;
		bytes.len -= take;
	}
}

static bool
insert_piece(struct norm_env *env, struct norm *n, struct seg **where,
    const struct incoming *in)
{
	struct seg_list *l = &n->wait->pend[in->dir];
	struct seg *s;

	if (l->count >= NORM_PEND_SEGS ||
	    n->wait->pend_bytes + in->bytes.len > NORM_PEND_MAX)
		return false;
	s = seg_new(env, 0);
	if (s == NULL)
		return false;
	s->cost += (uint32_t)in->bytes.len; /* libnids keeps the copy */
	env->pending += in->bytes.len;
	s->at = in->at;
	s->len = in->bytes.len;
	s->need = in->need;
	s->cut = in->cut;
	s->since = env->now;
	s->fresh = true;
	s->ref = *env->ref;
	s->next = *where;
	*where = s;
	if (s->next == NULL)
		l->tail = s;
	l->count++;
	n->wait->pend_bytes += s->len;
	return true;
}

/* Enters what is not covered yet: the first version of a byte wins. */
static bool
insert_uncovered(
    struct norm_env *env, struct norm *n, const struct incoming *in)
{
	struct seg_list *l = &n->wait->pend[in->dir];
	struct seg **where = &l->head;
	uint64_t cur = in->at, end = in->at + in->bytes.len;
	bool ok = true;

	if (l->tail != NULL && l->tail->at + l->tail->len <= cur)
		where = &l->tail->next;
	while (ok && cur < end) {
		const struct seg *s = *where;
		uint64_t stop = s != NULL && s->at < end ? s->at : end;
		struct incoming piece = *in;

		if (stop > cur) {
			piece.at = cur;
			piece.bytes.p += cur - in->at;
			piece.bytes.len = (size_t)(stop - cur);
			piece.cut = stop == end ? in->cut : 0;
			ok = insert_piece(env, n, where, &piece);
			cur = stop;
			if (ok)
				where = &(*where)->next;
			continue;
		}
		env->n.overlaps++;
		if (s->at + s->len > cur)
			cur = s->at + s->len;
		where = &(*where)->next;
	}
	return ok;
}

/* Gives libnids what was entered. A push can deliver, and what is delivered
 * leaves the list: hence from the start each time. */
static void
push_fresh(struct norm_env *env, struct norm *n, const struct incoming *in)
{
	for (;;) {
		struct seg *s = n->wait->pend[in->dir].head;
		struct slice bytes;

		while (s != NULL && !s->fresh)
			s = s->next;
		if (s == NULL)
			return;
		s->fresh = false;
		bytes.p = in->bytes.p + (s->at - in->at);
		bytes.len = (size_t)s->len;
		env->cur = n;
		stream_push(env->stream, n->slot, in->dir, s->at, bytes);
		env->cur = NULL;
		skip_later(env, n);
	}
}

static bool
through_stream(struct norm_env *env, struct norm *n, const struct incoming *in)
{
	uint64_t next[2] = {n->d[0].next, n->d[1].next};
	bool whole;

	if (!norm_need_wait(env, n))
		return false;
	if (!stream_is_open(env->stream, n->slot) &&
	    stream_open(env->stream, n->slot, n->generation, next) != 0)
		return false;
	whole = insert_uncovered(env, n, in);
	push_fresh(env, n, in);
	if (n->wait->cut_to[in->dir] > n->d[in->dir].next)
		norm_skip(env, n, in->dir, n->wait->cut_to[in->dir]);
	return whole;
}

static void
straight(struct norm_env *env, struct norm *n, const struct incoming *in)
{
	struct norm_piece p = {
	    .dir = in->dir, .bytes = in->bytes, .ref = env->ref};

	if (p.bytes.len > 0)
		causal_bytes(env, n, &p, in->need);
	if (in->cut > 0)
		norm_skip(env, n, in->dir, n->d[in->dir].next + in->cut);
}

/* Bytes before next go. What is left may be nothing but what was cut. */
static void
trim(struct incoming *in, uint64_t next)
{
	uint64_t old = next > in->at ? next - in->at : 0;
	size_t n = old < in->bytes.len ? (size_t)old : in->bytes.len;

	in->bytes.p += n;
	in->bytes.len -= n;
	in->at += n;
	old -= n;
	in->cut -= old < in->cut ? (uint32_t)old : in->cut;
	in->at += old;
}

/* Gives up the first hole. What libnids should have and does not deliver
 * would be a mistake of ours; it must not become an endless loop. */
void
norm_skip_hole(struct norm_env *env, struct norm *n, enum dir dir)
{
	const struct seg *s = norm_first_pending(n, dir);

	if (s == NULL)
		return;
	norm_skip(env, n, dir, s->at);
	if (norm_first_pending(n, dir) == s) {
		env->n.stuck++;
		n->wait->pend_bytes -= s->len;
		seg_free(env, seg_pop(&n->wait->pend[dir]));
	}
}

/* No room, or no stream: whatever this flow waits for is given up. */
static void
without_room(struct norm_env *env, struct norm *n, struct incoming *in)
{
	env->n.pending_full++;
	for (int d = 0; d < 2; d++)
		while (norm_first_pending(n, (enum dir)d) != NULL)
			norm_skip_hole(env, n, (enum dir)d);
	norm_skip(env, n, in->dir, in->at);
	trim(in, n->d[in->dir].next);
	if (in->bytes.len == 0 && in->cut == 0)
		return;
	stream_close(env->stream, n->slot);
	straight(env, n, in);
}

void
norm_take(struct norm_env *env, struct norm *n, struct incoming *in)
{
	struct norm_dir *d = &n->d[in->dir];
	bool open = stream_is_open(env->stream, n->slot);

	trim(in, d->next);
	if (in->at > d->next)
		env->n.reordered++;
	else
		env->n.in_order++;
	if (in->bytes.len == 0 && in->at > d->next)
		return; /* cut to nothing: the hole stays */
	if (in->bytes.len == 0 || (in->at == d->next && !open && !env->always))
		straight(env, n, in);
	else if (!through_stream(env, n, in))
		without_room(env, n, in);
}

/* Bytes that were given up arrive after all, and nothing behind them was
 * delivered yet: go back. */
bool
norm_rewind(struct norm_env *env, struct norm *n, const struct incoming *in)
{
	struct norm_dir *d = &n->d[in->dir];
	struct norm_gap *g = &n->gap[in->dir];
	uint64_t from = g->to - n->gap_len[in->dir];
	uint64_t to = in->at > from ? in->at : from;

	if (g->to != d->next || d->done != d->next || to >= d->next ||
	    in->at + in->bytes.len <= to || d->eof || d->off)
		return false;
	if (n->wait != NULL &&
	    (n->wait->pend[0].count + n->wait->pend[1].count +
		n->wait->held[0].count + n->wait->held[1].count) > 0)
		return false;
	stream_close(env->stream, n->slot);
	if (n->wait != NULL)
		n->wait->cut_to[in->dir] = 0;
	g->sum -= d->next - to;
	d->next = d->done = g->to = to;
	n->gap_len[in->dir] = (uint32_t)(to - from);
	env->n.rewound++;
	return true;
}
