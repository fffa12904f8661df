/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Most segments, in short: simply the next one, and nothing waits. All else is
 * normalize.c's, which makes the same of these.
 *
 * In a header, so that it becomes part of who takes the packet.
 */
#ifndef STRIPWIRE_NORM_NEXT_H
#define STRIPWIRE_NORM_NEXT_H

#include "sensor/normalize.h"

struct norm_step { /* a whole segment of an established flow, no FIN */
	enum dir dir;
	uint32_t seq, ack, len;
	const uint8_t *bytes;
	uint64_t window; /* as norm_seg's */
};

static inline unsigned
norm_note_ack(struct norm_dir *peer, uint64_t window, int64_t ack, int64_t now)
{
	uint64_t edge;
	unsigned r = 0;

	if (ack < 0)
		return 0;
	if ((uint64_t)ack > peer->acked) {
		peer->acked = (uint64_t)ack;
		peer->since = now;
		peer->stale = false;
		r = NORM_NEW_ACK;
	} else if (peer->acked < peer->top && now - peer->since >= NORM_STALE)
		peer->stale = true;
	edge = (uint64_t)ack + window;
	if (window != 0 && edge > peer->edge)
		peer->edge = edge;
	return r;
}

/* What is in flight; with it begins the time for an acknowledgement. */
static inline void
norm_note_top(struct norm_dir *d, int64_t end, int64_t now)
{
	if (end <= (int64_t)d->top)
		return;
	if (d->acked >= d->top)
		d->since = now;
	d->top = (uint64_t)end;
}

/* How far its acknowledgement lies ahead of what is known; ends are added
 * without signs, as they wrap. */
static inline int32_t
norm_ack_beyond(const struct norm *n, const struct norm_step *s)
{
	const struct norm_dir *peer = &n->d[!s->dir];

	return (int32_t)(s->ack - (peer->base + (uint32_t)peer->next));
}

/* Nothing waits, both bases are known, the segment is the next one or empty
 * and in its place, and acknowledges what was seen: that is within any window,
 * and, as nothing waits, was delivered. */
static inline bool
norm_is_plain(const struct norm *n, const struct norm_step *s)
{
	const struct norm_dir *d = &n->d[s->dir], *peer = &n->d[!s->dir];

	return s->seq == d->base + (uint32_t)d->next &&
	       norm_ack_beyond(n, s) <= 0 && d->fin_at == NORM_NONE &&
	       d->known && !d->soft && !d->waiting && peer->known &&
	       s->len <= NORM_SLACK;
}

static inline unsigned
norm_plain(struct norm_env *env, struct norm *n, const struct norm_step *s)
{
	struct norm_dir *d = &n->d[s->dir], *peer = &n->d[!s->dir];
	uint64_t at = d->next;
	int64_t ack = (int64_t)peer->next + norm_ack_beyond(n, s);
	unsigned r = norm_note_ack(peer, s->window, ack, env->now);

	d->seen = true;
	if (s->len == 0)
		return r;
	norm_note_top(d, (int64_t)(at + s->len), env->now);
	d->next = d->done = at + s->len;
	if (!d->off) {
		struct norm_piece p = {.what = NORM_BYTES,
		    .dir = s->dir,
		    .bytes = {s->bytes, s->len},
		    .at = at,
		    .len = s->len,
		    .ref = env->ref};

		env->n.in_order++;
		env->deliver(env->user, n, &p);
	}
	return r | NORM_NEW;
}

/* Of a flow that nobody listens to. */
static inline void
norm_follow_off(struct norm *n, const struct norm_step *s)
{
	struct norm_dir *d = &n->d[s->dir], *peer = &n->d[!s->dir];
	int64_t ack = (int64_t)peer->next + norm_ack_beyond(n, s);

	if (ack >= 0 && (uint64_t)ack > peer->acked)
		peer->acked = (uint64_t)ack;
	if (ack >= 0 && s->window != 0 && ack + s->window > peer->edge)
		peer->edge = (uint64_t)ack + s->window;
	d->seen = true;
	d->next += s->len;
	d->done = d->next;
}

/* A FIN that is next, or an acknowledgement of one; nothing waits but FINs. */
static inline bool
norm_is_closing(const struct norm_env *env, const struct norm *n,
    const struct norm_step *s, bool fin)
{
	const struct norm_dir *d = &n->d[s->dir], *peer = &n->d[!s->dir];
	bool over = d->fin_at != NORM_NONE;

	return d->known && !d->soft && peer->known && n->wait == NULL &&
	       !env->always && s->len == 0 &&
	       s->seq == d->base + (uint32_t)d->next + over &&
	       (!over || (d->fin_at == d->next && !fin)) &&
	       norm_ack_beyond(n, s) <= (peer->fin_at == peer->next);
}

static inline bool
norm_is_next(
    const struct norm_env *env, const struct norm *n, const struct norm_step *s)
{
	return norm_is_plain(n, s) &&
	       (!env->always || (n->d[0].off && n->d[1].off));
}

/* After norm_is_next(): delivers what norm_segment() would. Where the decoder
 * wants nothing of either direction, no more is kept than is needed to tell
 * what belongs to the flow. */
static inline void
norm_follow(struct norm_env *env, struct norm *n, const struct norm_step *s)
{
	if (n->d[0].off && n->d[1].off)
		norm_follow_off(n, s);
	else
		(void)norm_plain(env, n, s);
}

#endif
