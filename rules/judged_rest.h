/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Flows in judgement that rest: nothing was said of them for half a minute.
 * What is known of one is then kept as the bytes in which it differs from
 * another of the same server of which as much is known (its model), and made
 * whole when something is said of it again. Nothing is lost by it.
 */
#ifndef STRIPWIRE_JUDGED_REST_H
#define STRIPWIRE_JUDGED_REST_H

#include "rules/judged.h"

#define JUDGED_MODELS 4096 /* at most; as long as a flow needs it each */

/* NULL: no memory. */
struct judged_rest *judged_rest_new(void);
/* No flow rests any more. */
void judged_rest_free(struct judged_rest *r);
/* Bytes beside the flows', and at most, models included. */
uint64_t judged_rest_held(void);
uint64_t judged_rest_bytes(void);

/* What is known of it, in one block, which takes its place in no list: *w stays
 * as it is. NULL: no memory, or it may not rest. */
struct judged_link *judged_pack(struct judged_table *t, const struct judged *w)
    __attribute__((warn_unused_result));
/* And back; its link is for the caller to fill. NULL: no memory. */
struct judged *judged_unpack(struct judged_table *t,
    const struct judged_link *asleep) __attribute__((warn_unused_result));
/* The block goes. */
void judged_drop(struct judged_table *t, struct judged_link *asleep);

#endif
