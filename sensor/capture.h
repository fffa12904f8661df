/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Captures in, packets out, in time order. Reads pcap (both byte orders,
 * micro- and nanoseconds, also the modified Kuznetzov magic as far as libpcap
 * does), pcapng (own block reader: interfaces of different link types and snap
 * lengths in one file), either of them gzipped, from files, folders (rotated
 * captures, ordered by their first packet, read as one input) or standard
 * input ("-"). Format is found by content, never by name.
 *
 * Problems never end the program: they are told through on_problem, one
 * sentence each with file and byte offset, and what was readable is kept.
 */
#ifndef STRIPWIRE_CAPTURE_H
#define STRIPWIRE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "decoders/packet.h"

struct capture;

struct capture_file { /* one file, as far as it was read */
	const char *path;
	uint64_t packets, bytes; /* bytes: captured frame bytes */
	uint64_t file_bytes; /* on disk, 0 unknown */
	uint64_t fingerprint; /* running hash: times and lengths */
	int64_t first, last; /* packet times */
	uint64_t time_backwards; /* steps back of the clock */
	bool broken; /* could not be read whole */
};

struct capture_config {
	/* severity 1: input could not be read whole (exit status 1);
	 * 0: worth saying (a clock that stepped back, a skipped interface) */
	void (*on_problem)(void *ctx, int severity, const char *sentence);
	/* a file was read to its end (or as far as it went) */
	void (*on_file_end)(void *ctx, const struct capture_file *f);
	void *ctx;
	/* a pipe has nothing to read at the moment; may be NULL */
	void (*on_wait)(void *ctx);
	/* where to read to, see struct input: frames live until the caller
	 * gives the same room again; may be NULL */
	uint8_t *(*room)(void *ctx);
};

/*
 * paths: files, folders, "-". Returns NULL with a sentence in err if nothing
 * at all can be read (missing file, folder without captures): exit status 1.
 * A file among several that cannot be opened is a problem, not an error.
 */
struct capture *capture_open(const char *const *paths, unsigned n,
    const struct capture_config *cfg, char *err, size_t errlen);

/* Did a part of the input begin with the packet that capture_next() gave last
 * (capture_plan.h)? Not the first part. */
bool capture_part_begins(const struct capture *c);

/* Fills the frame fields of pkt (time, ordinal, file, frame_no, frame,
 * caplen, wirelen, linktype) and zeroes the rest. Returns 1, or 0 at the end
 * of the input. The frame lives until the next call. */
int capture_next(struct capture *c, struct packet *pkt);

/* Likewise, if the next one is of the same file and lies in memory already: then
 * the frames before it live on, until capture_next(). Returns 0 if not. */
int capture_more(struct capture *c, struct packet *pkt);

void capture_close(struct capture *c);

/* For the progress bar and the summary. total is 0 where it is not known
 * (standard input). Compressed input counts compressed bytes. */
void capture_progress(const struct capture *c, uint64_t *done, uint64_t *total);
const char *capture_file_path(const struct capture *c, uint32_t file);

#endif
