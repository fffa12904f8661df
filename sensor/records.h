/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records of workers to the backend. They come from processes that may have
 * been taken over: they are checked before they are used, and a flow number is
 * believed only from the worker to which it belongs.
 */
#ifndef STRIPWIRE_RECORDS_H
#define STRIPWIRE_RECORDS_H

#include "sensor/backend.h"
#include "sensor/ring.h"

/* Takes an observation, a chain, a staple, or flows that ended. Observations
 * are the judge's own copy in *o (OBS_NONE: it was something else). worker:
 * whose flows they must be, -1: the numbers do not say. False: it makes no
 * sense, and nothing was done. */
bool records_take(struct backend *b, const struct ring_record *r,
    const uint8_t *bytes, struct obs *o, int worker);

/* An observation of a part of the input that so many packets went before: in it
 * ordinals begin with 1 (capture_plan.h). */
bool records_take_later(
    struct backend *b, const uint8_t *bytes, size_t len, uint64_t before);

#endif
