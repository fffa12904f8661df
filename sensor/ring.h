/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A queue of records between two processes: one writer, one reader, shared
 * memory that both inherit. A record becomes visible when it is whole, so a
 * writer that dies in the middle of one leaves nothing behind, and a new
 * writer goes on where it stopped.
 *
 * The reader trusts nothing: positions and lengths are checked, and a record
 * is copied out before it is looked at. What contradicts itself drops all that
 * is queued, counted in `broken`.
 *
 * Whoever finds nothing to do sleeps on an eventfd; the other side writes to
 * it only if the first said that it sleeps. A ring in batches shows many records
 * at once, wakes its reader when another quarter of it has filled up, and its
 * writer when half of it is free: for each record that costs more than the
 * record. Its reader looks by itself every few milliseconds (RING_BATCH_MS).
 */
#ifndef STRIPWIRE_RING_H
#define STRIPWIRE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/slice.h"

/* 64 KiB of frame or chain, with room for what goes with it. */
#define RING_RECORD_MAX (160u << 10)
#define RING_BATCH_MS 5

struct ring;

/* Where an event stands among those of all workers (merge.h). Ordered by the
 * fields in turn. */
struct ring_key {
	uint32_t era; /* of the clock: it stepped back so many times */
	uint32_t phase; /* enum tracker_phase; after the time in the order */
	int64_t time; /* ns */
	uint64_t tie; /* ordinal of the packet, or number of the flow */
};

struct ring_record {
	uint32_t size; /* of the bytes behind it */
	uint32_t type; /* the users' own, not 0 */
	int64_t put; /* ms, CLOCK_MONOTONIC: set by ring_put(); in batches 0 */
	struct ring_key key;
};

/* bytes: a power of two, at least 4 RING_RECORD_MAX. NULL with a sentence in
 * err. Inherited by fork; ring_free() in each process. */
struct ring *ring_new(size_t bytes, char *err, size_t errlen);
void ring_free(struct ring *r);
/* Before it is inherited. */
void ring_in_batches(struct ring *r);

int ring_compare(const struct ring_key *a, const struct ring_key *b);

int64_t ring_now_ms(void);

/* ---- the writer ---- */
/* The record's size is set to the sum of the parts. False: there is no room
 * now, beyond `reserve` bytes that are to stay free. */
bool ring_put(struct ring *r, struct ring_record *head,
    const struct slice *part, unsigned nparts, size_t reserve)
    __attribute__((warn_unused_result));
/* In batches: what was put is seen from now on, at the latest. */
void ring_show(struct ring *r);
/* Waits until the reader has taken something, or for ms. Shows. */
void ring_wait_room(struct ring *r, int ms);
/* Shows, and lets the reader see it now. */
void ring_wake_reader(struct ring *r);
/* Everything with a lesser key was put. Shows. */
void ring_set_mark(struct ring *r, const struct ring_key *mark);

/* ---- the reader ---- */
/* The next record and its bytes, copied into buf (RING_RECORD_MAX); it stays
 * until ring_take(). False: there is none. */
bool ring_peek(struct ring *r, struct ring_record *head, uint8_t *buf);
/* Likewise, without the copy: the writer, which may have been taken over, can
 * change these bytes until they are taken. NULL: there is none. */
const uint8_t *ring_look(struct ring *r, struct ring_record *head);
bool ring_is_in_batches(const struct ring *r);
void ring_take(struct ring *r);
void ring_mark(const struct ring *r, struct ring_key *mark);
/* Between the two ring_data_fd() can be polled. False: something is there
 * already. */
bool ring_sleep(struct ring *r);
void ring_wake(struct ring *r);

/* ---- anybody ---- */
/* The descriptors that a process keeps which uses it. */
int ring_data_fd(const struct ring *r);
int ring_room_fd(const struct ring *r);
size_t ring_used(const struct ring *r);
size_t ring_size(const struct ring *r);
uint64_t ring_broken(const struct ring *r);

#endif
