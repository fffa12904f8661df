/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A queue of records between two processes, like ring.h, for a writer that may
 * run far ahead of its reader: what it says is not asked for before others have
 * said all. Shared memory in chunks that both inherit. The one that was given
 * back last is used first, so that a queue that is read as it is written stays
 * as small as what lies in it.
 *
 * A chunk is shown when it is full, or by spool_show(). The reader trusts
 * nothing: numbers and lengths are checked; what contradicts itself ends the
 * queue (spool_is_broken()), and a record is copied before it is looked at.
 */
#ifndef STRIPWIRE_SPOOL_H
#define STRIPWIRE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/slice.h"

#define SPOOL_CHUNK (256u << 10) /* a record lies in one */
#define SPOOL_CHUNKS 1024 /* at most: 256 MiB; memory is what was used */
#define SPOOL_RECORD_MAX (SPOOL_CHUNK - sizeof(struct spool_record))

struct spool_record {
	uint32_t size; /* of the bytes behind it */
	uint32_t type; /* the users' own */
};

struct spool;

/* chunks: 2 to SPOOL_CHUNKS. NULL with a sentence in err. Inherited by fork;
 * spool_free() in each process. */
struct spool *spool_new(uint32_t chunks, char *err, size_t errlen);
void spool_free(struct spool *s);

/* ---- the writer ---- */
/* False: all chunks are full, or the record is too long. */
bool spool_put(struct spool *s, uint32_t type, const struct slice *part,
    unsigned nparts) __attribute__((warn_unused_result));
/* What was put is seen from now on, at the latest. */
void spool_show(struct spool *s);
/* Waits until chunks were given back, or for ms. Shows. */
void spool_wait_room(struct spool *s, int ms);

/* ---- the reader ---- */
/* The next record and its bytes, which the writer can change until they are
 * taken. NULL: there is none. */
const uint8_t *spool_look(struct spool *s, struct spool_record *head);
void spool_take(struct spool *s);
/* Waits until there is one, or for ms. */
void spool_wait(struct spool *s, int ms);
bool spool_is_broken(const struct spool *s);

/* ---- anybody ---- */
void spool_fds(const struct spool *s, int fd[2]);

#endif
