/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The reader of parallel.h, for what workers cannot read by themselves:
 * captures in, frames out to the workers' queues, with the clock of the whole
 * input.
 */
#ifndef STRIPWIRE_CAPTURE_SHARE_H
#define STRIPWIRE_CAPTURE_SHARE_H

#include "sensor/capture_tell.h"

struct share_config {
	struct tell_config input; /* on_wait and ctx are set here */
	struct ring *const *worker; /* of packets */
	unsigned workers;
};

/* Some of it can be read only once (a pipe), or is compressed: unpacking it
 * takes longer than all the rest, and is not to be done by each worker. */
bool share_is_needed(const char *const *paths, unsigned n);

/* Reads all of it. Returns an exit status. */
int share_run(const struct share_config *cfg);

#endif
