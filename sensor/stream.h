/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reassembly of one direction that is out of order: push segments, get ordered
 * bytes, close. The only door to libnids: stream_nids.c is the one file that
 * includes <nids.h>, and what it is fed is canonical IPv4 that we build
 * (DESIGN section 1), never the wire.
 *
 * A slot is a number below the capacity given to stream_new(); the caller uses
 * its flow-table slot. generation makes a slot used again a new connection.
 * Positions are stream offsets (64 bit, 0 is the first payload byte), not
 * sequence numbers: unwrapping is done by the caller.
 */
#ifndef STRIPWIRE_STREAM_H
#define STRIPWIRE_STREAM_H

#include "decoders/obs.h"
#include "decoders/table_use.h"

#define STREAM_AHEAD_MAX (512u << 20) /* a segment may be this far ahead */

/* Called from within stream_push() and stream_skip(): bytes are next in order
 * and live until the callback returns. Do not call back into stream_*. */
typedef void (*stream_bytes_fn)(
    void *ctx, uint32_t slot, enum dir dir, struct slice bytes);

struct stream_config {
	uint32_t capacity; /* slots */
	uint32_t streams; /* open at the same time; 420 bytes each */
	stream_bytes_fn fn;
	void *ctx;
};

struct stream_counters {
	uint64_t opened, closed, segments, bytes, refused;
	uint64_t warnings; /* libnids complained: a mistake of ours */
};

struct stream; /* one per process: libnids keeps its state in globals */

struct stream *stream_new(
    const struct stream_config *cfg, char *err, size_t errlen);
void stream_free(struct stream *s);

/* Starts following a slot; next[] is what each direction has delivered so
 * far. Returns -1 if the pool is full (counted as refused). */
int stream_open(struct stream *s, uint32_t slot, uint32_t generation,
    const uint64_t next[2]) __attribute__((warn_unused_result));
bool stream_is_open(const struct stream *s, uint32_t slot);

/* A segment at offset `at`; in order or not, within STREAM_AHEAD_MAX of next.
 * The caller has trimmed what was delivered already and overlaps of what is
 * pending. */
void stream_push(struct stream *s, uint32_t slot, enum dir dir, uint64_t at,
    struct slice bytes);

/* The next n bytes of this direction will never come: what lies behind them is
 * delivered, they are not. n is at most STREAM_AHEAD_MAX. */
void stream_skip(struct stream *s, uint32_t slot, enum dir dir, uint64_t n);

void stream_close(struct stream *s, uint32_t slot);
const struct stream_counters *stream_counters(const struct stream *s);
/* Of the streams, without the bytes that wait in them. */
struct table_use stream_use(const struct stream *s);

#endif
