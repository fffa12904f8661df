/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The feeds as a process: a thread for each, which reads the events of the
 * database after its cursor and waits for nobody but its own receiver. It
 * never sees a packet; what it may is in sandbox.h. It may be killed at any
 * moment: the next one goes on at the cursors.
 */
#ifndef STRIPWIRE_FEEDS_PROCESS_H
#define STRIPWIRE_FEEDS_PROCESS_H

#include <stdatomic.h>

#include "db/feed.h"
#include "sensor/feeds_config.h"
#include "sensor/ring.h"

#define FEEDS_STATUS_MAX CONFIG_FEEDS_MAX

struct feeds_slot { /* of one feed; written by its thread */
	_Atomic uint32_t lock; /* odd while it is written */
	struct feed_status status;
};

struct feeds_board { /* shared with the supervisor, for `status` */
	_Atomic uint64_t beat;
	_Atomic uint64_t dropped; /* by the judge: its queue was full */
	_Atomic uint32_t off; /* feeds that could not be opened */
	struct feeds_slot slot[FEEDS_STATUS_MAX];
};

/* An event in the queue from the judge; its EVE line follows. The record's
 * type is 1 + enum event_type. */
struct feeds_record {
	int64_t time;
	char id[EVENT_ID_MAX];
};

struct feeds_process {
	const struct config *config;
	const char *db_path, *host;
	struct ring *events; /* NULL: only what is stored */
	struct feeds_board *board;
	/* changes the user, when all keys are read; then closes the sandbox,
	 * before the first connection. -1 with a sentence */
	int (*enter)(void *ctx, char *err, size_t errlen);
	void *ctx;
	const volatile int *stop; /* set by a signal */
	const volatile int *reopen; /* counted up by SIGHUP */
	void (*turn)(void *ctx); /* several times a second; may be NULL */
	bool until_sent; /* ends when nothing waits (`feed send`) */
	/* one line; bad: something does not work */
	void (*say)(void *ctx, bool bad, const char *text);
};

/* Returns an exit status: 0; 1: with until_sent, not all was sent; 2: it could
 * not start, which is said. */
int feeds_process_run(const struct feeds_process *p);

/* A consistent copy of what its thread wrote last. */
void feeds_board_read(
    const struct feeds_board *b, unsigned i, struct feed_status *out);

/* The judge's side: never waits. False: there was no room, and it is counted
 * on the board. */
bool feeds_put(struct ring *r, struct feeds_board *b, const struct event *e,
    const char *id);

#endif
