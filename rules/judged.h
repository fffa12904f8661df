/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The flows that the judge has before it: a bounded hash table with a list by
 * last use. Private to the judge.
 *
 * Of a flow that nothing is said of while many others are only the words that
 * are not zero are kept, a tenth of it; it is made whole when it is asked for.
 * So a hundred thousand open connections cost what is known of them, and not
 * what could be.
 */
#ifndef STRIPWIRE_JUDGED_H
#define STRIPWIRE_JUDGED_H

#include "decoders/table_use.h"
#include "rules/engine.h"
#include "rules/facts.h"
#include "rules/ladder.h"
#include "rules/talk.h"

#define JUDGED_MAX 65536 /* half a KiB to 3 KiB each, by what is known */
#define JUDGED_AWAKE 1024 /* 4 KiB each, and up to 4 KiB of steps */

struct judged { /* a flow that is awake */
	struct judged_slot *slot; /* NULL: it is a spare one */
	uint32_t place; /* its own in the table */
	/* from here on all is zero in a spare one, and packed in sleep */
	struct facts f;
	struct ladder ladder;
	struct talk *talk; /* NULL: nothing said, or nobody asked */
	int64_t incident; /* that its alerts belong to, 0 none */
	uint32_t alerts; /* of it; saturates */
	struct engine_flow rules;
};

struct judged_slot { /* a flow */
	struct judged_slot *chain, *older, *newer;
	uint64_t flow;
	struct judged *awake;
	uint64_t *asleep; /* packed; NULL: it is awake */
};

struct judged_table {
	struct judged_slot **bucket, *oldest, *newest;
	uint32_t nbuckets, count, max;
	struct judged *awake[JUDGED_AWAKE];
	bool lately[JUDGED_AWAKE]; /* asked for, since the hand passed by */
	uint16_t spare[JUDGED_AWAKE]; /* places of spare ones */
	uint32_t nawake, nspare; /* nawake: spare ones too */
	uint32_t hand, last; /* last: the place of the last asked for */
	uint64_t *room; /* to pack into */
};

/* max: 0 is JUDGED_MAX. -1: no memory. */
int judged_init(struct judged_table *t, uint32_t max)
    __attribute__((warn_unused_result));
void judged_fini(struct judged_table *t);
/* What these return stays awake until the next two that are asked for. NULL: not
 * known, or there is no memory to wake it. */
struct judged *judged_find(struct judged_table *t, uint64_t flow);
struct judged *judged_wake(struct judged_table *t, struct judged_slot *s);
/* Takes the flow of an OBS_FLOW_OPEN in, in place of one with its number. One
 * that is told again, to a judge that took another's place, stays as it is.
 * Returns how many had to go, or could not come, for want of room. */
unsigned judged_open(struct judged_table *t, const struct obs *open);
void judged_forget(struct judged_table *t, struct judged *w);
/* It was just used. */
void judged_touch(struct judged_table *t, struct judged *w);
/* Not much more will be said of it: where flows sleep at all, it does at once,
 * while what is known of it is still in the cache. */
void judged_rest(struct judged_table *t, struct judged *w);
/* Slow: looks at all. */
struct table_use judged_use(const struct judged_table *t);

#endif
