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

#define JUDGED_MAX 65536 /* half a KiB to 7 KiB each, by what is known */

struct judged { /* a flow */
	struct judged *chain, *older, *newer;
	struct facts f;
	struct ladder ladder;
	struct talk *talk; /* NULL: nothing said, or nobody asked */
	int64_t incident; /* that its alerts belong to, 0 none */
	uint32_t alerts; /* of it; saturates */
	struct engine_flow rules;
};

struct judged_table {
	struct judged **bucket, *oldest, *newest;
	uint32_t nbuckets, count, max;
	struct blocks blocks; /* what flows are made of */
};

/* max: 0 is JUDGED_MAX. -1: no memory. */
int judged_init(struct judged_table *t, uint32_t max)
    __attribute__((warn_unused_result));
void judged_fini(struct judged_table *t);
/* NULL: not known. */
struct judged *judged_find(const struct judged_table *t, uint64_t flow);
/* Takes the flow of an OBS_FLOW_OPEN in, in place of one with its number. One
 * that is told again, to a judge that took another's place, stays as it is.
 * Returns how many had to go, or could not come, for want of room. */
unsigned judged_open(struct judged_table *t, const struct obs *open);
void judged_forget(struct judged_table *t, struct judged *w);
/* It was just used. */
void judged_touch(struct judged_table *t, struct judged *w);
/* Slow: looks at all. */
struct table_use judged_use(const struct judged_table *t);

#endif
