/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A queue of packets from the process that reads the input to one of those that
 * follow connections. The packets are taken apart already, as far as TCP, and
 * point into blocks that both see at the same addresses (blocks.h): nothing is
 * copied on the way, and each frame is walked over and looked at once.
 *
 * The one that takes believes the one that hands out, which may do more than it
 * may itself; the other way nothing is believed but a number, which is bounded.
 *
 * Packets are shown by the batch, and whoever sleeps is woken for many of them,
 * or when the other side is about to sleep itself.
 */
#ifndef STRIPWIRE_HANDOUT_H
#define STRIPWIRE_HANDOUT_H

#include "decoders/packet.h"
#include "sensor/tracker.h"

/* Many: who waits for the other side loses more than a cache miss. */
#define HANDOUT_SLOTS 8192

enum handed_what {
	HANDED_TCP, /* pkt, taken apart */
	HANDED_FRAME, /* pkt, its frame fields alone: for all, see fragments */
	HANDED_TIME, /* no packet: the clock up to that ordinal */
	HANDED_PART, /* likewise, and a part of the input ends (capture.h) */
	HANDED_END /* likewise, and nothing more will come */
};

struct handed {
	struct packet pkt;
	struct tracker_clock clock; /* of the whole input, pkt in it */
	uint32_t era; /* of the clock, see ring_key */
	uint32_t what; /* enum handed_what */
};

struct handout;

/* Inherited by fork. NULL with a sentence in err. */
struct handout *handout_new(char *err, size_t errlen);
void handout_free(struct handout *h);

/* ---- who hands out ---- */

/* The next one to be filled, then handout_add(). NULL: no room now. */
struct handed *handout_slot(struct handout *h);
void handout_add(struct handout *h);
/* How many there were. */
uint64_t handout_added(const struct handout *h);
/* They are seen from now on. now: wake the other side even for one. */
void handout_show(struct handout *h, bool now);
/* Is the other side done with the first n? */
bool handout_is_past(struct handout *h, uint64_t n);
/* Waits until it is, or for ms. */
void handout_wait(struct handout *h, uint64_t n, int ms);

/* ---- who takes ---- */

/* The next one that was not given yet, which lives until it is done with.
 * NULL: none. */
struct handed *handout_next(struct handout *h);
/* The first of those that were given and not done with. */
void handout_done(struct handout *h);
/* Waits until there is one, or for ms. */
void handout_sleep(struct handout *h, int ms);
/* Its descriptors. */
void handout_fds(const struct handout *h, int fd[2]);

#endif
