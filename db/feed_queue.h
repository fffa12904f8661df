/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Events that go past the database, on their way to one feed: a list of at
 * most so many bytes, between one thread that puts and one that takes. What
 * finds no room is dropped and counted.
 */
#ifndef STRIPWIRE_FEED_QUEUE_H
#define STRIPWIRE_FEED_QUEUE_H

#include <pthread.h>
#include <stdbool.h>

#include "db/event.h"

struct queued {
	struct queued *next;
	struct event event; /* eve is the copy behind it */
	char id[EVENT_ID_MAX];
	char text[];
};

struct feed_queue {
	pthread_mutex_t lock;
	struct queued *first, **last;
	size_t bytes, max; /* max: as configured */
	uint64_t dropped;
};

void feed_queue_init(struct feed_queue *q, size_t max);
void feed_queue_fini(struct feed_queue *q);
/* False: dropped. */
bool feed_queue_put(
    struct feed_queue *q, const struct event *e, const char *id);
/* The oldest, to be freed with free(); NULL: there is none. */
struct queued *feed_queue_take(struct feed_queue *q);
uint64_t feed_queue_dropped(struct feed_queue *q);

#endif
