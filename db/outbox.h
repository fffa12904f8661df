/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables `events` and `feeds` as a feed sees them: what is stored after
 * its cursor, and its own row. A connection of its own for each thread. Reads
 * are short and copy, so that nobody waits for a slow receiver; the one write
 * is a single row.
 */
#ifndef STRIPWIRE_OUTBOX_H
#define STRIPWIRE_OUTBOX_H

#include <stdbool.h>

#include "db/event.h"

#define OUTBOX_BATCH 256 /* events */
#define OUTBOX_BYTES (1u << 20) /* of a batch; one event always fits */

struct outbox;

struct outbox_batch { /* what outbox_read() fills; zero before the first */
	unsigned n;
	struct event event[OUTBOX_BATCH];
	const char *id[OUTBOX_BATCH];
	char *text; /* of all of them */
	size_t used, room;
};

struct outbox_row { /* of the table feeds */
	int64_t cursor, highest; /* events.seq */
	uint64_t sent, again, failed, dropped;
	uint64_t expired; /* only read: the store counts it */
	char error[300]; /* "" none so far */
	int64_t error_at; /* ns */
};

struct outbox_lag {
	int64_t last; /* seq of the newest event there is or was */
	uint64_t events; /* after the position, of all types */
	int64_t oldest; /* ns: when the first of them was stored; 0: none */
};

/* -1 or NULL: a sentence is in err. The database must be there and of this
 * version. */
struct outbox *outbox_open(const char *path, char *err, size_t errlen);
void outbox_close(struct outbox *o);

/* The events after that seq, in order, as many as a batch holds. */
int outbox_read(struct outbox *o, int64_t after, struct outbox_batch *b,
    char *err, size_t errlen) __attribute__((warn_unused_result));
void outbox_batch_free(struct outbox_batch *b);
/* For other sources: adds a copy of an event and its id. False: it is full. */
bool outbox_batch_add(
    struct outbox_batch *b, const struct event *e, const char *id);
int outbox_lag(struct outbox *o, int64_t position, struct outbox_lag *lag,
    char *err, size_t errlen) __attribute__((warn_unused_result));

/* The row of a feed; 1: there is none, *row is zero. */
int outbox_load(struct outbox *o, const char *name, struct outbox_row *row,
    char *err, size_t errlen) __attribute__((warn_unused_result));
/* Writes it; cursor and highest never go back, and `expired` is not touched. */
int outbox_save(struct outbox *o, const char *name,
    const struct outbox_row *row, char *err, size_t errlen)
    __attribute__((warn_unused_result));

/* The functions above as a feed calls them: where its events come from. */
struct outbox_source {
	int (*read)(void *from, int64_t after, struct outbox_batch *b,
	    char *err, size_t errlen);
	int (*lag)(void *from, int64_t position, struct outbox_lag *lag,
	    char *err, size_t errlen);
	int (*load)(void *from, const char *name, struct outbox_row *row,
	    char *err, size_t errlen);
	int (*save)(void *from, const char *name, const struct outbox_row *row,
	    char *err, size_t errlen);
	void (*close)(void *from);
};

extern const struct outbox_source outbox_source; /* from: an outbox */

/* ---- history sent again (feed --replay) ---- */

struct outbox_item { /* an alert or an event of an incident */
	int64_t time;
	int64_t seq; /* of its event; 0: it was stored without one */
	int64_t alert; /* its id; 0: an incident */
};

/* What happened in that time (packet time, ns), oldest first: alerts with or
 * without an event, and incidents. *list is to be freed. Returns how many. */
int64_t outbox_history(struct outbox *o, int64_t since, int64_t until,
    struct outbox_item **list, char *err, size_t errlen)
    __attribute__((warn_unused_result));

#endif
