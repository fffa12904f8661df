/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The process of parallel.h that reads: captures in, packets out to the workers,
 * with the clock of the whole input.
 */
#ifndef STRIPWIRE_CAPTURE_SHARE_H
#define STRIPWIRE_CAPTURE_SHARE_H

#include "sensor/frame_blocks.h"
#include "sensor/capture_tell.h"
#include "sensor/handout.h"

struct share_config {
	struct tell_config input; /* on_wait and ctx are set here */
	struct frame_blocks *blocks;
	struct handout *const *worker;
	unsigned workers; /* at most WORKERS_MAX */
};

/* Reads all of it. Returns an exit status. */
int share_run(const struct share_config *cfg);

#endif
