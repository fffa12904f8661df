/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a receiver that acknowledges nothing may not have got: the messages of
 * the last `ms` milliseconds, at most the last `bytes` of them. Kept as marks,
 * not one for each message: a 256th of either bound is its precision, and it
 * errs to sending more again.
 */
#ifndef STRIPWIRE_FEED_WINDOW_H
#define STRIPWIRE_FEED_WINDOW_H

#include <stdint.h>

#define WINDOW_MARKS 1024
#define WINDOW_PRECISION 256

struct window_mark {
	int64_t seq; /* the position before what follows */
	uint64_t bytes; /* sent until then */
	int64_t ms;
};

struct window {
	uint64_t max_bytes; /* as configured; 0: nothing is sent again */
	int64_t max_ms; /* likewise */
	uint64_t bytes; /* sent since it was reset */
	int64_t last_ms; /* of the last message */
	unsigned first, n; /* of the marks, a ring */
	struct window_mark mark[WINDOW_MARKS];
};

void window_reset(struct window *w);
/* A message of so many bytes goes; before: the position that precedes it. */
void window_note(struct window *w, int64_t before, uint64_t bytes, int64_t ms);
/* From there on it would be sent again now; position: of the last message. */
int64_t window_start(struct window *w, int64_t position, int64_t ms);

#endif
