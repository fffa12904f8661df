/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was noted of a flow before anything shows that it is mail: two answers
 * to its SYN, a reset before the answer. Off the mail ports it waits here until
 * the dialogue tells, and goes with the flow if that is not mail. Of fixed
 * size: the first few of a flow are kept, and so many flows may have some; what
 * finds no room is the caller's to count.
 */
#ifndef STRIPWIRE_EARLY_H
#define STRIPWIRE_EARLY_H

#include "decoders/obs.h"
#include "sensor/pool.h"

#define EARLY_FLOWS 1024 /* under 2 MB if all have EARLY_OBS */
#define EARLY_LEAST 64
#define EARLY_OBS 3 /* a SYN race, two answers, and one more */

struct early;

/* For pool_free(); NULL: no memory. One's share of so many workers (0: 1), at
 * least EARLY_LEAST flows. */
struct pool *early_pool(unsigned workers);

/* Keeps a copy of an observation of TCP evidence; *e is made if it is NULL.
 * Returns false if there is no room. */
bool early_keep(struct pool *p, struct early **e, const struct obs *o);
unsigned early_count(const struct early *e);
/* The i-th, in the order they came. */
void early_get(const struct early *e, unsigned i, struct obs *o);

#endif
