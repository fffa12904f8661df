/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Offline, where the input has parts that have nothing to do with each other
 * (capture_plan.h): a worker reads one of them as a single worker would read it,
 * then the next one that nobody has begun. What it says of it goes into its queue
 * as one piece; the judge takes the pieces in the order of the parts.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sensor/worker_private.h"

#define PROGRESS_EACH 1024 /* packets */

struct reading { /* of a part */
	struct worker *w;
	struct capture *capture;
	uint64_t packets;
	struct capture_file ended; /* noted, not yet told: see pipeline.c */
	bool has_ended;
};

static void
tell(struct reading *r, enum record_type type, const void *head, size_t len,
    const char *text)
{
	const struct slice part[2] = {
	    {head, len}, {(const uint8_t *)text, strlen(text) + 1}};

	(void)worker_put(r->w, type, part, 2, 0);
}

static void
tell_file(struct reading *r, uint32_t number)
{
	struct record_file f = {.file = r->ended, .number = number};

	if (r->has_ended)
		tell(r, REC_FILE, &f, sizeof(f), r->ended.path);
	r->has_ended = false;
}

static void
on_problem(void *ctx, int severity, const char *sentence)
{
	uint32_t n = (uint32_t)severity;

	tell(ctx, REC_PROBLEM, &n, sizeof(n), sentence);
}

static void
on_file_end(void *ctx, const struct capture_file *f)
{
	struct reading *r = ctx;

	tell_file(r, 0);
	r->ended = *f;
	r->has_ended = true;
}

/* A pipe has nothing to read. */
static void
on_wait(void *ctx)
{
	struct reading *r = ctx;

	if (getppid() != r->w->parent)
		_exit(1);
	spool_show(r->w->cfg.spool);
}

static void
show_progress(struct reading *r)
{
	struct parts *p = r->w->cfg.parts;
	uint64_t done, total;

	capture_progress(r->capture, &done, &total);
	atomic_store(&p->done[r->w->cfg.number], r->w->done + done);
	atomic_store(&p->packets[r->w->cfg.number], r->w->packets + r->packets);
}

static bool
one_packet(struct reading *r, bool is_last)
{
	struct frontend *front = r->w->front;

	if (!is_last)
		frontend_fill(front, r->capture);
	if (!frontend_is_busy(front))
		return false;
	tell_file(r, 0);
	(void)frontend_pop(front);
	if (++r->packets % PROGRESS_EACH == 0)
		show_progress(r);
	return true;
}

static void
end_part(struct reading *r, int64_t next, bool stopped)
{
	struct record_part over = {.packets = r->packets, .stopped = stopped};
	const struct slice what = {(const uint8_t *)&over, sizeof(over)};

	frontend_end_part(r->w->front, next);
	tell_file(r, RECORD_FILE_LAST);
	frontend_totals(r->w->front, &over.totals);
	(void)worker_put(r->w, REC_PART, &what, 1, 0);
	spool_show(r->w->cfg.spool);
}

static void
read_part(struct worker *w, unsigned number, const volatile int *stop)
{
	const struct capture_plan *plan = w->cfg.plan;
	struct reading r = {.w = w};
	struct capture_config cc = {.on_problem = on_problem,
	    .on_file_end = on_file_end,
	    .on_wait = on_wait,
	    .ctx = &r};
	uint32_t from, end;
	int64_t next;

	capture_plan_part(plan, number, &from, &end);
	next = end < plan->files.n ? plan->files.file[end].first : INT64_MIN;
	r.capture = capture_open_part(plan, number, &cc);
	if (r.capture == NULL || !frontend_begin_part(w->front, number))
		_exit(2); /* no memory: the judge says that one died */
	while (one_packet(&r, *stop != 0))
		;
	end_part(&r, *stop ? INT64_MIN : next, *stop != 0);
	w->done += capture_plan_bytes(plan, number);
	w->packets += r.packets;
	capture_close(r.capture);
}

void
worker_link_unknown(void *ctx, const struct packet *pkt)
{
	struct record_link l = {.file = pkt->file, .linktype = pkt->linktype};
	const struct slice part = {(const uint8_t *)&l, sizeof(l)};

	(void)worker_put(ctx, REC_LINK, &part, 1, 0);
}

static void
wait_for_go(const struct worker *w)
{
	struct pollfd p = {.fd = w->cfg.parts->go, .events = POLLIN};

	while (poll(&p, 1, 1000) != 1)
		if (getppid() != w->parent)
			_exit(1);
}

int
worker_parts(struct worker *w, const volatile int *stop)
{
	struct parts *p = w->cfg.parts;
	unsigned n = capture_plan_parts(w->cfg.plan), k;

	wait_for_go(w);
	while (!*stop && (k = atomic_fetch_add(&p->begun, 1)) < n) {
		atomic_store(&p->owner[k], w->cfg.number + 1);
		read_part(w, k, stop);
	}
	return 0;
}
