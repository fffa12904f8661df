/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the first worker of parallel.h does beside following its own connections:
 * captures in, packets out to the other workers, with the clock of the whole
 * input.
 */
#ifndef STRIPWIRE_CAPTURE_SHARE_H
#define STRIPWIRE_CAPTURE_SHARE_H

#include "sensor/frame_blocks.h"
#include "sensor/capture_tell.h"
#include "sensor/handout.h"

struct share_config {
	struct tell_config input; /* on_wait and ctx are set here */
	struct frame_blocks *blocks;
	struct handout *const *worker; /* but for the first */
	unsigned workers; /* at most WORKERS_MAX */
};

/* Reads all of it; self was made with share_on_wait() and NULL. Returns an exit
 * status. One in a process. */
struct worker;
int share_run(const struct share_config *cfg, struct worker *self);
void share_on_wait(void *ctx);

#endif
