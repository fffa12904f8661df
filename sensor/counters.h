/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the stages counted, in groups: for people one line a group, of what
 * happened at all; for programs everything. One table for both, counters.c.
 */
#ifndef STRIPWIRE_COUNTERS_H
#define STRIPWIRE_COUNTERS_H

#include <jansson.h>
#include <stdio.h>

#include "sensor/pipeline.h"

/* all: also what is ordinary; else only what keeps the sensor from seeing. */
void counters_print(FILE *out, const struct pipeline_totals *t, bool all);
json_t *counters_json(const struct pipeline_totals *t); /* new reference */

#endif
