/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queues of all workers as one, in the order of their keys. A record goes
 * on when every queue is known to hold nothing before it: by its own next
 * record, or by its mark. Live, one that was put MERGE_PATIENCE_MS ago goes on
 * all the same: a worker that is stuck delays the others no longer than that.
 */
#ifndef STRIPWIRE_MERGE_H
#define STRIPWIRE_MERGE_H

#include "sensor/ring.h"

#define MERGE_MAX 80
#define MERGE_PATIENCE_MS 250

struct merge;

/* rings: n of them, borrowed. NULL: no memory. */
struct merge *merge_new(struct ring *const *rings, unsigned n, bool live);
void merge_free(struct merge *m);

/* The next record, its bytes in *bytes until the next call, and which ring it
 * came from. False: none is due. Of rings in batches the bytes are still the
 * writer's, see ring_look(). */
bool merge_next(struct merge *m, struct ring_record *head,
    const uint8_t **bytes, unsigned *from);
/* No more will come from that ring: what it has not got is not waited for.
 * False: that was said before. */
bool merge_end(struct merge *m, unsigned from);
/* Sleeps until a record may be due, fd (or -1) is readable, or ms. Returns
 * true if fd is. */
bool merge_wait(struct merge *m, int fd, int ms);
/* Nothing is left in any queue. */
bool merge_is_empty(struct merge *m);

#endif
