/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The second layer of the normalizer (see normalize.h), and the storage that
 * both layers share. Private to normalize.c,
 * pending.c and causal.c.
 */
#ifndef STRIPWIRE_CAUSAL_H
#define STRIPWIRE_CAUSAL_H

#include "sensor/normalize.h"

struct seg { /* an interval that waits */
	struct seg *next;
	uint64_t at;
	uint64_t len; /* a gap's may be large */
	uint64_t need; /* offset the opposite direction must have delivered */
	int64_t since;
	uint32_t cut; /* bytes behind it that the capture left out */
	uint32_t cost; /* charged to env->pending */
	uint32_t size; /* bytes allocated */
	uint8_t what; /* enum norm_what */
	bool fresh; /* not pushed into libnids yet */
	bool syn; /* doubtful: data of a SYN */
	struct pkt_ref ref;
	uint8_t bytes[]; /* held pieces only; libnids has the pending ones */
};

struct seg_list {
	struct seg *head, *tail;
	uint32_t count;
};

struct norm_wait {
	struct seg_list pend[2]; /* behind a hole, by offset */
	struct seg_list held[2]; /* in order, waiting for the other side */
	struct seg_list doubt[2]; /* wrong checksums: used instead of a gap */
	uint64_t pend_bytes, held_bytes;
	uint64_t cut_to[2]; /* the capture cut the stream up to there */
	uint64_t hole_at[2]; /* the hole that hole_since is about */
	int64_t hole_since[2]; /* acknowledged since then, INT64_MIN: not */
	uint32_t hole_segs[2]; /* segments of the flow since then */
	uint64_t later[2]; /* skipped while libnids was busy */
};

/* NULL when memory or the caps do not allow it. extra: payload bytes kept. */
struct seg *seg_new(struct norm_env *env, size_t extra);
void seg_free(struct norm_env *env, struct seg *s);
struct seg *seg_pop(struct seg_list *l);
void seg_append(struct seg_list *l, struct seg *s);

/* Makes n->wait; false: no memory. */
bool norm_need_wait(struct norm_env *env, struct norm *n);
/* After wait or fins changed. */
static inline void
norm_note_waiting(struct norm *n)
{
	n->d[0].waiting = n->d[1].waiting = n->wait != NULL || n->fins != NULL;
}
void norm_wait_gone(struct norm_env *env, struct norm *n);

/* The pieces of one direction, in order: delivered now or held. */
void causal_bytes(
    struct norm_env *env, struct norm *n, struct norm_piece *p, uint64_t need);
void causal_gap(
    struct norm_env *env, struct norm *n, enum dir dir, uint64_t len);
/* Delivers all that became ready. */
void causal_release(struct norm_env *env, struct norm *n);
/* Ends the wait of the first held piece of dir. */
void causal_force(struct norm_env *env, struct norm *n, enum dir dir);
bool causal_due(const struct norm_env *env, const struct norm *n, enum dir dir);

/* ---- pending.c ---- */
/* A segment on its way into the interval list. */
struct incoming {
	enum dir dir;
	uint64_t at, need;
	struct slice bytes;
	uint32_t cut;
};

/* In order, ahead, or (cut) partly known: into the list, or straight on. */
void norm_take(struct norm_env *env, struct norm *n, struct incoming *in);
/* Bytes that were given up arrive after all, and nothing behind them was
 * delivered yet: true if they can be taken. */
bool norm_rewind(
    struct norm_env *env, struct norm *n, const struct incoming *in);
const struct seg *norm_first_pending(const struct norm *n, enum dir dir);
/* Gives up the first hole. */
void norm_skip_hole(struct norm_env *env, struct norm *n, enum dir dir);
/* Data of a SYN, now acknowledged. */
void norm_use_syn(struct norm_env *env, struct norm *n, enum dir dir);
/* Bytes up to `to` will not come. */
void norm_skip(struct norm_env *env, struct norm *n, enum dir dir, uint64_t to);

#endif
