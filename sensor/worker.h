/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker: the frontend behind a queue. It is the process that parses hostile
 * bytes, and holds nothing but its captures, its queue and its board.
 *
 * Live, a full queue sheds: first what is nice to have, and only when nothing
 * else is left what an alert may rest on. What was shed marks its flow: all
 * its later observations say that bytes are missing in both directions, so
 * that nothing is concluded from what was not told. Offline the queue blocks.
 */
#ifndef STRIPWIRE_WORKER_H
#define STRIPWIRE_WORKER_H

#include <stdatomic.h>

#include "decoders/x509.h"
#include "sensor/capture.h"
#include "sensor/capture_live.h"
#include "sensor/capture_plan.h"
#include "sensor/fanout.h"
#include "sensor/frontend.h"
#include "sensor/handout.h"
#include "sensor/ring.h"
#include "sensor/spool.h"

#define WORKERS_MAX 64
#define INTERFACES_MAX 8
#define BOARD_FRAME 2048 /* bytes of the packet at hand that are kept */
#define POISON_MAX 16 /* packets that are skipped, known by a hash */

enum record_type {
	REC_OBS = 1, /* obs_pack.h */
	REC_CHAIN, /* struct record_chain, the certificates */
	REC_STAPLE, /* struct record_staple, the response */
	REC_EPOCH, /* struct record_epoch: a new worker begins */
	REC_ENDED, /* numbers of flows whose end was shed */
	REC_END, /* nothing more will come */
	/* offline, from who reads to the judge */
	REC_NAME, /* struct record_file, path: a file is begun */
	REC_FILE, /* struct record_file, path: and has ended */
	REC_PROBLEM, /* uint32_t severity, sentence */
	REC_LINK, /* struct record_link: of a type that is not supported */
	REC_PART /* struct record_part: all of it was said */
};

struct record_link {
	uint32_t file;
	int32_t linktype;
};

struct record_part {
	uint64_t packets;
	uint64_t stopped; /* before its end */
	struct frontend_totals totals; /* of the worker, so far */
};

struct record_file {
	struct capture_file file; /* its path means nothing */
	uint32_t number; /* with REC_FILE: 0, or */
#define RECORD_FILE_LAST 1 /* the last one of its part */
};

struct record_chain {
	uint8_t chain_id[32];
	uint32_t n, len[X509_CHAIN_MAX];
};

struct record_staple {
	uint8_t chain_id[32];
	int64_t time;
};

struct record_epoch {
	uint32_t worker, epoch;
};

/* What a worker shows while it works, in shared memory that the supervisor
 * holds too: it is what remains when the worker dies. */
struct board {
	_Atomic uint64_t beat; /* goes up with each packet and each idle turn */
	_Atomic uint32_t pid, ready;
	/* the packet at hand; len 0: none. The worker's word, not to be
	 * trusted beyond its bounds. */
	_Atomic uint32_t len;
	uint32_t wirelen;
	int32_t linktype;
	uint32_t interface;
	int64_t time;
	uint8_t frame[BOARD_FRAME];
	/* what it counts, brought up to date some times a second */
	struct frontend_totals totals;
	struct table_use memory[MEM_COUNT]; /* by enum memory_table */
	struct live_counters live[INTERFACES_MAX];
	uint64_t shed[OBS_KIND_COUNT + 1]; /* the last: chains, staples */
	uint64_t skipped; /* packets of the poison list */
	int64_t lag; /* ns between now and the last packet's time */
	/* written by the supervisor */
	_Atomic uint32_t judge; /* how many there were before this one */
	_Atomic uint32_t npoison;
	uint64_t poison[POISON_MAX];
	uint8_t poison_key[16];
};

static inline uint64_t
board_shed(const struct board *b)
{
	uint64_t n = 0;

	for (unsigned i = 0; i <= OBS_KIND_COUNT; i++)
		n += b->shed[i];
	return n;
}

/* Offline, in shared memory: which parts of the input are whose. A part is read
 * by whoever is the first without one. */
#define PARTS_MAX 64
struct parts {
	_Atomic uint32_t begun; /* parts that somebody reads, or has read */
	_Atomic uint32_t owner[PARTS_MAX]; /* number of the worker + 1 */
	_Atomic uint64_t done[WORKERS_MAX]; /* bytes behind them */
	_Atomic uint64_t packets[WORKERS_MAX];
	int go; /* inherited: readable once packets may be looked at */
};

struct worker_config {
	struct frontend_config front; /* sink, is_ours and ctx are set here */
	struct ring *out;
	struct board *board;
	unsigned number, of; /* this one, and how many */
	unsigned epoch; /* live: how many had its place before */
	/* live */
	struct live *live[INTERFACES_MAX];
	unsigned nlive;
	const volatile int *stop;
	/* offline: packets come from here, and `out` blocks */
	struct handout *in;
	/* or it reads parts of the input itself, and this blocks */
	struct spool *spool;
	const struct capture_plan *plan;
	struct parts *parts;
};

/* After the sandbox: works until *stop, or until its captures fail. Returns an
 * exit status. f was made by worker_new() before. */
struct worker;
struct worker *worker_new(
    const struct worker_config *cfg, char *err, size_t errlen);
void worker_free(struct worker *w);
int worker_live(struct worker *w);
int worker_offline(struct worker *w);
int worker_parts(struct worker *w, const volatile int *stop);
/* Limits are meant for all workers together: the share of one. */
void worker_share(struct frontend_config *f, unsigned workers);

/* Hash by which a packet is known again: of what lies behind the headers, since
 * a repeated segment has other headers. */
uint64_t worker_fingerprint(
    const uint8_t key[16], const uint8_t *frame, size_t len);

/* First and last number of the flows of a live worker's epoch. */
uint64_t worker_first_flow(unsigned number, unsigned epoch);

#endif
