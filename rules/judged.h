/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The flows that the judge has before it: a bounded hash table with a list by
 * last use. Private to the judge.
 *
 * Of a flow there is as much as is known of it, and no more: so a hundred
 * thousand open connections cost what they said, and not what they could say.
 */
#ifndef STRIPWIRE_JUDGED_H
#define STRIPWIRE_JUDGED_H

#include "decoders/table_use.h"
#include "rules/engine.h"
#include "rules/facts.h"
#include "rules/ladder.h"
#include "rules/talk.h"

#define JUDGED_MAX 65536 /* 80 bytes to 7 KiB each, by what is known */

#define JUDGED_REST (30 * INT64_C(1000000000)) /* ns: see judged_rest.h */
#define JUDGED_REST_ALWAYS (-1) /* after each observation */

struct judged_link { /* a flow's place in the table */
	struct judged_link *chain, *older, *newer;
	uint64_t flow; /* its number; and JUDGED_RESTS */
};

/* This is no struct judged: judged_wake(). No flow has such a number. */
#define JUDGED_RESTS (UINT64_C(1) << 63)

static inline bool
judged_rests(const struct judged_link *l)
{
	return (l->flow & JUDGED_RESTS) != 0;
}

static inline uint64_t
judged_number(const struct judged_link *l)
{
	return l->flow & ~JUDGED_RESTS;
}

struct judged { /* a flow */
	struct judged_link link;
	struct facts f;
	struct ladder ladder;
	struct talk *talk; /* NULL: nothing said, or nobody asked */
	int64_t incident; /* that its alerts belong to, 0 none */
	uint32_t alerts; /* of it; saturates */
	struct engine_flow rules;
};

struct judged_table {
	struct judged_link **bucket, *oldest, *newest;
	struct judged_link
	    *tired; /* all older ones rest or may not; NULL: all */
	uint32_t nbuckets, count, max;
	int64_t rest_after; /* ns */
	struct judged_rest *rest;
	struct blocks blocks; /* what flows are made of */
};

/* max: 0 is JUDGED_MAX. rest: ns, 0 is JUDGED_REST. -1: no memory. */
int judged_init(struct judged_table *t, uint32_t max, int64_t rest)
    __attribute__((warn_unused_result));
void judged_fini(struct judged_table *t);
/* NULL: not known. */
struct judged_link *judged_find(const struct judged_table *t, uint64_t flow);
/* The flow whole, in its place; one that rested is another block then. NULL:
 * there is no memory for it, and it is forgotten. */
struct judged *judged_wake(struct judged_table *t, struct judged_link *l);
/* Takes the flow of an OBS_FLOW_OPEN in, in place of one with its number. One
 * that is told again, to a judge that took another's place, stays as it is.
 * Returns how many had to go, or could not come, for want of room. */
unsigned judged_open(struct judged_table *t, const struct obs *open);
void judged_forget(struct judged_table *t, struct judged_link *l);
/* It was just used. */
void judged_touch(struct judged_table *t, struct judged *w);
/* A few of those of which nothing was said lately go to rest: what was found
 * is found anew. */
void judged_let_rest(struct judged_table *t, int64_t now);
/* Slow: looks at all. */
struct table_use judged_use(const struct judged_table *t);

#endif
