/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One direction of a flow: sequence numbers to offsets, what is refused, what
 * is trimmed, what waits in libnids, when a hole is given up. RFC 9293 3.10,
 * RFC 5961 5 (an acknowledgement of what was never sent makes a host drop the
 * segment), RFC 7323 for the window.
 *
 * A hole is never closed while the sender may still repeat what is missing:
 * only when the receiver has acknowledged it (then it arrived, and the sensor
 * missed it), when the receiver is never seen, or when the caps are reached.
 */
#include "sensor/causal.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/norm_next.h"

void
norm_init(struct norm *n, uint32_t slot, uint32_t generation)
{
	n->slot = slot;
	n->generation = generation & ((1u << 30) - 1);
	n->d[0].fin_at = n->d[1].fin_at = NORM_NONE;
}

void
norm_base(struct norm *n, enum dir dir, uint32_t seq)
{
	struct norm_dir *d = &n->d[dir];

	if (d->known && d->base != seq)
		d->acked = d->edge = d->top = 0; /* told of another */
	d->base = seq;
	d->known = true;
	d->soft = false;
}

static int64_t
unwrap(const struct norm_dir *d, uint32_t seq)
{
	uint32_t next = d->base + (uint32_t)d->next;

	return (int64_t)d->next + (int32_t)(seq - next);
}

/* A base guessed from an ACK is put right by the first segment itself, if it
 * lies before: the ACK was captured ahead of data that is still to come. */
static void
mend_base(struct norm_dir *d, uint32_t seq)
{
	int32_t back = (int32_t)(d->base - seq);

	d->soft = false;
	if (d->next != 0 || back <= 0 || (uint32_t)back > NORM_SLACK)
		return;
	d->base = seq;
	d->acked += (uint32_t)back;
	if (d->edge != 0)
		d->edge += (uint32_t)back;
}

static void
learn_bases(struct norm *n, const struct norm_seg *s)
{
	struct norm_dir *d = &n->d[s->dir], *peer = &n->d[!s->dir];

	d->seen = true;
	if (!d->known)
		norm_base(n, s->dir, s->seq);
	else if (d->soft)
		mend_base(d, s->seq);
	if (!peer->known && s->has_ack) {
		norm_base(n, !s->dir, s->ack);
		peer->soft = true;
	}
}

/* May bytes of this direction reach to `end`? */
static bool
is_plausible(const struct norm_dir *d, int64_t end)
{
	uint64_t limit = d->acked > d->next ? d->acked : d->next;

	if (d->edge == 0)
		limit += NORM_AHEAD;
	else
		limit = (d->edge > limit ? d->edge : limit) + NORM_SLACK;
	if (limit > d->next + STREAM_AHEAD_MAX)
		limit = d->next + STREAM_AHEAD_MAX;
	return end <= (int64_t)limit;
}

static unsigned
take_data(struct norm_env *env, struct norm *n, const struct norm_seg *s,
    int64_t at, uint64_t need)
{
	struct norm_dir *d = &n->d[s->dir];
	struct incoming in = {.dir = s->dir,
	    .at = (uint64_t)at,
	    .need = need,
	    .bytes = s->bytes,
	    .cut = s->wire_len - (uint32_t)s->bytes.len};

	if (at + (int64_t)s->wire_len <= 0) {
		env->n.retrans++;
		return NORM_OLD;
	}
	if (at < 0) { /* before the first byte: a keep-alive, or mid-stream */
		uint32_t old = (uint32_t)-at;

		if (old >= s->bytes.len)
			return NORM_OLD;
		in.at = 0;
		in.bytes.p += old;
		in.bytes.len -= old;
	}
	if (in.at + in.bytes.len + in.cut <= d->next &&
	    !norm_rewind(env, n, &in)) {
		env->n.retrans++;
		return NORM_OLD;
	}
	norm_take(env, n, &in);
	return NORM_NEW;
}

static bool
keep_fin(struct norm_env *env, struct norm *n, enum dir dir)
{
	if (n->fins == NULL) {
		n->fins = malloc(sizeof(*n->fins));
		if (n->fins == NULL)
			return false;
		env->fins++;
		norm_note_waiting(n);
	}
	n->fins->ref[dir] = *env->ref;
	return true;
}

static void
drop_fin(struct norm_env *env, struct norm *n, enum dir dir)
{
	n->d[dir].fin = false;
	if (n->d[!dir].fin || n->fins == NULL)
		return;
	free(n->fins);
	n->fins = NULL;
	env->fins--;
	norm_note_waiting(n);
}

static unsigned
note_fin(struct norm_env *env, struct norm *n, enum dir dir, uint64_t end)
{
	struct norm_dir *d = &n->d[dir];

	if (d->fin_at != NORM_NONE || end < d->next)
		return 0;
	d->fin_at = end;
	if (!d->off)
		d->fin = keep_fin(env, n, dir);
	return NORM_NEW;
}

/* Data at or beyond a FIN: if nobody has acknowledged that FIN, it was not the
 * sender's last word. */
static bool
is_after_fin(struct norm_env *env, struct norm *n, enum dir dir, int64_t end)
{
	struct norm_dir *d = &n->d[dir];

	if (d->fin_at == NORM_NONE || end <= (int64_t)d->fin_at)
		return false;
	env->n.after_fin++;
	if (d->eof || d->acked > d->fin_at)
		return true;
	n->unsure = true;
	d->fin_at = NORM_NONE;
	drop_fin(env, n, dir);
	return false;
}

static void
give_eof(struct norm_env *env, struct norm *n, enum dir dir)
{
	struct norm_dir *d = &n->d[dir];
	struct norm_piece p = {.what = NORM_EOF,
	    .dir = dir,
	    .at = d->done,
	    .ref = &n->fins->ref[dir]};

	d->eof = true;
	if (!d->off)
		env->deliver(env->user, n, &p);
	drop_fin(env, n, dir);
}

static inline void
check_fins(struct norm_env *env, struct norm *n, bool at_end)
{
	for (int i = 0; i < 2 && n->fins != NULL; i++) {
		const struct norm_dir *d = &n->d[i];

		if (d->fin && d->done == d->fin_at &&
		    (at_end || d->acked > d->fin_at))
			give_eof(env, n, (enum dir)i);
	}
}

/* Has this hole waited long enough? */
static bool
hole_due(struct norm_env *env, struct norm *n, enum dir dir)
{
	const struct norm_dir *d = &n->d[dir];
	struct norm_wait *w = n->wait;

	if (w->hole_at[dir] != d->next || w->hole_since[dir] == INT64_MIN) {
		w->hole_at[dir] = d->next;
		w->hole_since[dir] = env->now;
		w->hole_segs[dir] = 0;
	}
	return env->now >= w->hole_since[dir] + NORM_WAIT ||
	       w->hole_segs[dir] >= NORM_WAIT_SEGMENTS;
}

static void
check_hole(struct norm_env *env, struct norm *n, enum dir dir)
{
	const struct norm_dir *d = &n->d[dir];
	const struct seg *s;

	while ((s = norm_first_pending(n, dir)) != NULL) {
		uint64_t to = s->at;

		if (d->acked <= d->next && n->d[!dir].seen) {
			n->wait->hole_since[dir] = INT64_MIN;
			return;
		}
		if (!hole_due(env, n, dir))
			return;
		if (n->d[!dir].seen && d->acked < to)
			norm_skip(env, n, dir, d->acked);
		else
			norm_skip_hole(env, n, dir);
	}
	if (n->wait != NULL)
		n->wait->hole_since[dir] = INT64_MIN;
}

static bool
is_empty(const struct norm_wait *w)
{
	uint32_t count = 0;

	for (int d = 0; d < 2; d++)
		count +=
		    w->pend[d].count + w->held[d].count + w->doubt[d].count;
	return count == 0;
}

static void
drop_pending(struct norm_env *env, struct norm_wait *w, int dir)
{
	while (w->pend[dir].head != NULL)
		seg_free(env, seg_pop(&w->pend[dir]));
	while (w->held[dir].head != NULL)
		seg_free(env, seg_pop(&w->held[dir]));
	w->pend_bytes = w->held_bytes = 0;
	for (const struct seg *s = w->pend[!dir].head; s != NULL; s = s->next)
		w->pend_bytes += s->len;
	for (const struct seg *s = w->held[!dir].head; s != NULL; s = s->next)
		w->held_bytes += s->what == NORM_BYTES ? s->len : 0;
}

/* Doubtful copies are not needed once others came. */
static void
drop_doubts(struct norm_env *env, struct norm *n, int dir)
{
	struct seg_list *l = &n->wait->doubt[dir];

	while (l->head != NULL &&
	       (n->d[dir].off || l->head->at + l->head->len <= n->d[dir].next))
		seg_free(env, seg_pop(l));
}

void
norm_tidy(struct norm_env *env, struct norm *n)
{
	struct norm_wait *w = n->wait;
	bool busy = env->always && !(n->d[0].off && n->d[1].off);

	for (int d = 0; d < 2 && n->fins != NULL; d++)
		if (n->d[d].off)
			drop_fin(env, n, (enum dir)d);
	for (int d = 0; d < 2 && w != NULL; d++) {
		if (n->d[d].off)
			drop_pending(env, w, d);
		drop_doubts(env, n, d);
		busy = busy || w->pend[d].count > 0;
	}
	if (!busy)
		stream_close(env->stream, n->slot);
	if (w != NULL && is_empty(w))
		norm_wait_gone(env, n);
}

void
norm_timeout(struct norm_env *env, struct norm *n)
{
	for (int d = 0; d < 2 && n->wait != NULL; d++) {
		check_hole(env, n, (enum dir)d);
		while (causal_due(env, n, (enum dir)d))
			causal_force(env, n, (enum dir)d);
	}
	if (n->wait != NULL)
		causal_release(env, n);
	check_fins(env, n, false);
	norm_tidy(env, n);
}

int64_t
norm_deadline(const struct norm *n)
{
	const struct norm_wait *w = n->wait;
	int64_t t = INT64_MAX;

	if (w == NULL)
		return t;
	for (int d = 0; d < 2; d++) {
		if (w->held[d].head != NULL &&
		    w->held[d].head->since + NORM_WAIT < t)
			t = w->held[d].head->since + NORM_WAIT;
		if (w->hole_since[d] != INT64_MIN &&
		    w->hole_since[d] + NORM_WAIT < t)
			t = w->hole_since[d] + NORM_WAIT;
	}
	return t;
}

static unsigned
skip_to(struct norm_dir *d, uint64_t end)
{
	if (end <= d->next)
		return NORM_OLD;
	d->next = d->done = end;
	return NORM_NEW;
}

static unsigned
slow_segment(struct norm_env *env, struct norm *n, const struct norm_seg *s,
    int64_t at, uint64_t need)
{
	struct norm_dir *d = &n->d[s->dir];
	int64_t end = at + (int64_t)s->wire_len;
	unsigned r = 0;

	if (n->wait != NULL) {
		n->wait->hole_segs[0]++;
		n->wait->hole_segs[1]++;
	}
	if (s->wire_len > 0 && is_after_fin(env, n, s->dir, end))
		r = NORM_OLD;
	else if (s->wire_len > 0 && d->off)
		r = end > 0 ? skip_to(d, (uint64_t)end) : NORM_OLD;
	else if (s->wire_len > 0)
		r = take_data(env, n, s, at, need);
	if (s->fin && end >= 0)
		r |= note_fin(env, n, s->dir, (uint64_t)end);
	norm_timeout(env, n);
	return r;
}

static __attribute__((noinline)) unsigned
any_segment(struct norm_env *env, struct norm *n, const struct norm_seg *s)
{
	struct norm_dir *d = &n->d[s->dir], *peer = &n->d[!s->dir];
	int64_t at, ack = 0;
	unsigned r = 0;

	learn_bases(n, s);
	at = unwrap(d, s->seq);
	if (s->has_ack)
		ack = unwrap(peer, s->ack);
	if (!is_plausible(d, at + (int64_t)s->wire_len) ||
	    !is_plausible(peer, ack - 1)) {
		env->n.out_of_window++;
		return NORM_REFUSED;
	}
	if (s->has_ack)
		r = norm_note_ack(peer, s->window, ack, env->now);
	if (s->wire_len > 0)
		norm_note_top(d, at + (int64_t)s->wire_len, env->now);
	if (r != 0 && n->wait != NULL)
		norm_use_syn(env, n, !s->dir);
	if (n->wait == NULL && n->fins == NULL && !s->fin && s->wire_len == 0)
		return r;
	return r | slow_segment(env, n, s, at, ack > 0 ? (uint64_t)ack : 0);
}

unsigned
norm_segment(struct norm_env *env, struct norm *n, const struct norm_seg *s)
{
	const struct norm_step step = {.dir = s->dir,
	    .seq = s->seq,
	    .ack = s->ack,
	    .len = s->wire_len,
	    .bytes = s->bytes.p,
	    .window = s->window};

	if (s->has_ack && !s->fin && s->bytes.len == s->wire_len &&
	    norm_is_plain(n, &step) && !env->always)
		return norm_plain(env, n, &step);
	return any_segment(env, n, s);
}

void
norm_close(
    struct norm_env *env, struct norm *n, const struct norm_step *s, bool fin)
{
	struct norm_dir *d = &n->d[s->dir], *peer = &n->d[!s->dir];
	int64_t ack = (int64_t)peer->next + norm_ack_beyond(n, s);

	(void)norm_note_ack(peer, s->window, ack, env->now);
	d->seen = true;
	if (fin)
		(void)note_fin(env, n, s->dir, d->next);
	check_fins(env, n, false);
	for (int i = 0; i < 2; i++) /* nor is a stream open */
		if (n->d[i].fin && n->d[i].off)
			drop_fin(env, n, (enum dir)i);
}

void
norm_doubt(struct norm_env *env, struct norm *n, const struct norm_seg *s)
{
	struct norm_dir *d = &n->d[s->dir];
	struct seg *copy;
	int64_t at;

	if (!d->known || d->off || s->bytes.len == 0)
		return;
	at = unwrap(d, s->seq);
	if (at < (int64_t)d->next ||
	    !is_plausible(d, at + (int64_t)s->wire_len) ||
	    !norm_need_wait(env, n) ||
	    n->wait->doubt[s->dir].count >= NORM_DOUBT_SEGS)
		return;
	copy = seg_new(env, s->bytes.len);
	if (copy == NULL)
		return;
	copy->at = (uint64_t)at;
	copy->len = s->bytes.len;
	copy->syn = s->syn;
	copy->ref = *env->ref;
	memcpy(copy->bytes, s->bytes.p, s->bytes.len);
	seg_append(&n->wait->doubt[s->dir], copy);
	env->n.doubted += !s->syn;
	norm_use_syn(env, n, s->dir);
}

void
norm_off(struct norm *n, enum dir dir)
{
	n->d[dir].off = true;
}

/* Acknowledged, but never seen. One byte may have been a FIN. */
static void
settle_tail(struct norm_env *env, struct norm *n, enum dir dir)
{
	struct norm_dir *d = &n->d[dir];
	uint64_t to = d->acked < d->fin_at ? d->acked : d->fin_at;

	if (d->off || to <= d->next)
		return;
	if (to - d->next > 1 || d->fin_at != NORM_NONE)
		norm_skip(env, n, dir, to);
}

/* Nothing shows that its receiver ever had what was missing: then it did not
 * read on. */
static void
end_hole(struct norm_env *env, struct norm *n, enum dir dir)
{
	if (n->d[!dir].seen && n->d[dir].acked <= n->d[dir].next)
		n->unsure = true;
	norm_skip_hole(env, n, dir);
}

void
norm_end(struct norm_env *env, struct norm *n)
{
	if (n->wait != NULL)
		causal_release(env, n);
	while (n->wait != NULL) {
		const struct norm_wait *w = n->wait;

		if (w->held[0].head != NULL)
			causal_force(env, n, DIR_C2S);
		else if (w->held[1].head != NULL)
			causal_force(env, n, DIR_S2C);
		else if (w->pend[0].head != NULL)
			end_hole(env, n, DIR_C2S);
		else if (w->pend[1].head != NULL)
			end_hole(env, n, DIR_S2C);
		else
			break;
	}
	settle_tail(env, n, DIR_C2S);
	settle_tail(env, n, DIR_S2C);
	check_fins(env, n, true);
	norm_drop(env, n);
}

void
norm_drop(struct norm_env *env, struct norm *n)
{
	if (n->wait == NULL && n->fins == NULL && !env->always)
		return; /* nor is a stream open */
	stream_close(env->stream, n->slot);
	norm_wait_gone(env, n);
	drop_fin(env, n, DIR_C2S);
	drop_fin(env, n, DIR_S2C);
}

bool
norm_has_ended(const struct norm *n, enum dir dir)
{
	const struct norm_dir *d = &n->d[dir];

	return d->fin_at != NORM_NONE ||
	       (d->known && d->seen && d->acked == d->next + 1);
}

uint64_t
norm_unacked(const struct norm *n, enum dir dir)
{
	const struct norm_dir *d = &n->d[dir];

	return d->stale && !d->off && d->next > d->acked ? d->next - d->acked
							 : 0;
}

bool
norm_fin_acked(const struct norm *n, enum dir dir)
{
	const struct norm_dir *d = &n->d[dir];

	return d->fin_at != NORM_NONE && d->acked > d->fin_at;
}
