/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What will be read, for who has to know it before: which files there are is
 * seen once, also where several processes read them.
 *
 * A part is a run of files of which connections are carried from one to the
 * next; nothing is carried from part to part (capture_order.h).
 */
#ifndef STRIPWIRE_CAPTURE_PLAN_H
#define STRIPWIRE_CAPTURE_PLAN_H

#include "sensor/capture.h"
#include "sensor/capture_order.h"

struct capture_plan {
	struct file_list files;
};

/* Takes what cannot be read for a problem, told to cfg; -1 with a sentence in
 * err if nothing is left. r is used, and left closed. */
int capture_plan_make(struct capture_plan *p, const char *const *paths,
    unsigned n, const struct capture_config *cfg, struct reader *r, char *err,
    size_t errlen) __attribute__((warn_unused_result));
void capture_plan_fini(struct capture_plan *p);

unsigned capture_plan_parts(const struct capture_plan *p);
/* The files of a part: first, and behind the last. */
void capture_plan_part(
    const struct capture_plan *p, unsigned part, uint32_t *from, uint32_t *end);
/* On disk; 0: not known. */
uint64_t capture_plan_bytes(const struct capture_plan *p, unsigned part);

/* One part. Numbers of files are those of the plan, which outlives it;
 * ordinals begin with 1. NULL: no memory. */
struct capture *capture_open_part(const struct capture_plan *p, unsigned part,
    const struct capture_config *cfg);

#endif
