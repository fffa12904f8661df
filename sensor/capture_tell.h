/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An input that is handed out to several processes, and what the judge is told
 * of it beside what happens in it: names and ends of files, problems. That goes
 * through a queue of its own.
 *
 * The end of a file is told with the next packet, or at the very end: see
 * pipeline.c.
 */
#ifndef STRIPWIRE_CAPTURE_TELL_H
#define STRIPWIRE_CAPTURE_TELL_H

#include <sys/types.h>

#include "sensor/capture.h"
#include "sensor/frontend.h"
#include "sensor/ring.h"

#define TELL_ERAS 3 /* from a part's to the next: resets, flows, it */

struct share_board { /* shared memory, for whoever waits */
	struct frontend_totals totals; /* of link and IP */
	_Atomic uint64_t done, total, packets;
};

struct tell_config {
	const char *const *paths;
	unsigned n;
	const volatile int *stop;
	struct ring *judge;
	struct share_board *board;
	/* before this process waits, for room or for input: all that others
	 * wait for is to be said now, or one that has nothing to say would hold
	 * up the judge, which then makes no room */
	void (*on_wait)(void *ctx);
	uint8_t *(*room)(void *ctx); /* see struct capture_config */
	void *ctx;
};

struct tell {
	struct tell_config cfg;
	struct capture *capture; /* NULL: nothing can be read, as was told */
	/* of the whole input; now: INT64_MIN before the first packet */
	struct tracker_clock clock;
	uint32_t era; /* of the clock: see ring_key */
	uint64_t ordinal; /* of the last packet that was dealt with */
	uint64_t packets, said_links;
	pid_t parent;
	struct capture_file ended; /* noted, not yet told */
	uint32_t ended_number, named; /* files whose name was told */
	bool has_ended, is_over;
};

/* Opens the input. t stays where it is. */
void tell_init(struct tell *t, const struct tell_config *cfg);
/* Closes it. */
void tell_fini(struct tell *t);

/* The next packet; false at the end, or if it is to stop. */
bool tell_next(struct tell *t, struct packet *pkt);
/* Of a link type that is not supported. */
void tell_link(struct tell *t, const struct packet *pkt);
/* How far this process has got; all that lies before it was told. */
struct ring_key tell_key(const struct tell *t);
void tell_mark(struct tell *t);
/* This process is about to wait. */
void tell_wait(struct tell *t);
/* A part of the input begins with the packet at hand: `next` is its time. Up to
 * there the clock runs; what the end of the part before brings has eras of its
 * own, see TELL_ERAS. */
bool tell_part_begins(const struct tell *t);
void tell_part_ends(struct tell *t, int64_t next);
void tell_part(struct tell *t);
/* The last file's end, behind all that was and will be said. */
void tell_over(struct tell *t);

#endif
