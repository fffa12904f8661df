/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What can be said of a capture before it is read: when it begins and ends, and
 * whether it holds both directions of its connections. From its first packets
 * and its last bytes.
 *
 * By that captures that have nothing to do with each other are known: nothing is
 * carried from one to the other, and they can be read at the same time.
 */
#ifndef STRIPWIRE_CAPTURE_EXTENT_H
#define STRIPWIRE_CAPTURE_EXTENT_H

#include "sensor/capture_reader.h"

/* Longer than any connection is kept without a packet (conn.h, IDLE_MAIL). */
#define EXTENT_GAP (INT64_C(7200) * 1000000000)

#define EXTENT_CONNS 512

struct extent {
	int64_t first, last; /* packet times */
	bool known; /* both of them */
	bool two_way; /* of most of its first connections both directions */
	unsigned nconns; /* these, by a hash of addresses and ports, in order */
	uint64_t conn[EXTENT_CONNS];
};

/* Of a file that can be read more than once. r is used for it, and left
 * closed. Not known: it is compressed, cut, changing, or empty. */
void extent_of(struct extent *e, struct reader *r, const char *path);

/* Is b, which is read after a, another place's or another day's: it begins in
 * a's first half, both are whole, and none of the connections of a's beginning
 * is in b's; or one begins more than EXTENT_GAP after the other's end. */
bool extent_is_apart(const struct extent *a, const struct extent *b);

#endif
