/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One deadline for each slot of the flow table, in order: a heap of four
 * children a node over preallocated arrays. Deadlines are packet time in
 * nanoseconds. Ties go to the lower slot, so that the order of expiry does not
 * depend on history.
 *
 * Idle time-outs are lazy: a packet does not move its flow's deadline, the
 * owner looks again when it fires and sets the true one. Setting costs a few
 * compares; memory is 20 bytes a slot and is touched only as far as used.
 */
#ifndef STRIPWIRE_TIMERS_H
#define STRIPWIRE_TIMERS_H

#include <stdint.h>

struct timers;

/* NULL when memory is short. */
struct timers *timers_new(uint32_t capacity);
void timers_free(struct timers *t);
/* That so many slots need. */
uint64_t timers_bytes(const struct timers *t, uint32_t slots);

/* Sets or moves the deadline of a slot. */
void timers_set(struct timers *t, uint32_t slot, int64_t deadline);
/* Of equal deadlines the one with the lower tie comes first, which counts
 * around; then the lower slot. */
void timers_set_tie(
    struct timers *t, uint32_t slot, int64_t deadline, uint32_t tie);
void timers_clear(struct timers *t, uint32_t slot);

/* The slot's deadline, INT64_MAX if it has none. */
int64_t timers_get(const struct timers *t, uint32_t slot);

/* The earliest deadline, INT64_MAX if there is none; *slot is whose. */
int64_t timers_first(const struct timers *t, uint32_t *slot);

#endif
