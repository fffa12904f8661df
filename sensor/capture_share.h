/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The reader of parallel.h: captures in, frames out to the workers' queues,
 * with the clock of the whole input; names and ends of files to the judge.
 */
#ifndef STRIPWIRE_CAPTURE_SHARE_H
#define STRIPWIRE_CAPTURE_SHARE_H

#include "sensor/worker.h"

struct share_board { /* shared memory, for whoever waits */
	struct frontend_totals totals; /* of link and IP */
	_Atomic uint64_t done, total, packets;
	int64_t first, last; /* packet times */
};

struct share_config {
	const char *const *paths;
	unsigned n;
	const volatile int *stop;
	struct ring *const *worker; /* of packets */
	unsigned workers;
	struct ring *judge;
	struct share_board *board;
};

/* Reads all of it. Returns an exit status. */
int share_run(const struct share_config *cfg);

#endif
