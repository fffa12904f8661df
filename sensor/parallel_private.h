/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private to parallel.c, which has the processes, and to parallel_parts.c, where
 * each worker reads parts of the input itself.
 */
#ifndef STRIPWIRE_PARALLEL_PRIVATE_H
#define STRIPWIRE_PARALLEL_PRIVATE_H

#include "sensor/capture_plan.h"
#include "sensor/capture_share.h"
#include "sensor/merge.h"
#include "sensor/parallel.h"
#include "sensor/records.h"
#include "sensor/sandbox.h"
#include "sensor/worker.h"

#define TICK 4096 /* records between looks at the clock */

struct parallel {
	struct pipeline_config cfg;
	unsigned n; /* workers */
	pid_t verifier, reader, worker[WORKERS_MAX];
	struct board *board[WORKERS_MAX];
	uint8_t *lines; /* shared: which lines rules look at */
	uint8_t secret_key[16];
	struct backend *back; /* while reading */
	struct frontend_totals totals;
	uint8_t copy[RING_RECORD_MAX]; /* of the record at hand */
	bool flushed;
	/* one reads and hands out */
	struct frame_blocks *blocks; /* frames */
	struct handout *in[WORKERS_MAX]; /* packets */
	struct ring *out[WORKERS_MAX + 1]; /* the last: of the input */
	struct share_board *shared;
	char **path; /* of the files of the input, by number */
	uint32_t npaths;
	unsigned ended; /* workers */
	/* or each reads parts; NULL: not so */
	struct capture_plan *plan;
	struct parts *parts;
	struct spool *spool[WORKERS_MAX];
	uint64_t bytes; /* of all files */
	uint64_t said_links; /* a bit for each type */
	bool said_nonsense, died;
	struct frontend_totals told[WORKERS_MAX]; /* in what was judged */
};

/* A child that died before it had said all: nobody can wait for it. True: the
 * reading is over, as was said. */
bool parallel_somebody_died(struct parallel *p);

/* A child that becomes whom this role wants; in it 0 is returned. -1: errno. */
pid_t parallel_start(enum sandbox_role role);
/* The child's last step before it looks at what others wrote. */
void parallel_enter(const struct sandbox *box);

/* If the input has parts to share out, of about one size: p->plan, queues, and
 * no more workers than parts. -1: it has not, or there is no memory. */
int parts_plan(struct parallel *p);
void parts_free(struct parallel *p);
/* In a worker: keeps what is its own, and works. */
int parts_work(struct parallel *p, unsigned number, const volatile int *stop);
void parts_judge(struct parallel *p, const struct parallel_input *in);

#endif
