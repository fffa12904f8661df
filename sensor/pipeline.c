/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stages joined (DESIGN section 1). Order of ends matters: a file of the
 * input counts as read only when the flows it left open have had their say, so
 * the end of a file is noted when it comes and booked when the next packet is
 * there, or after the tracker and the judge were flushed.
 */
#include "sensor/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "decoders/link.h"
#include "sensor/parallel.h"

#define TICK_PACKETS 4096 /* between looks at the clock */

struct pipeline {
	struct pipeline_config cfg;
	struct backend *back;
	struct frontend *front;
	struct parallel *parallel; /* in place of it */
	struct capture *capture; /* while reading */
	struct capture_file ended; /* noted, not yet booked */
	bool has_ended;
	uint64_t packets;
	int64_t first, last;
	uint64_t said_links; /* a bit for each type */
	int reloads; /* asked for so far */
	uint8_t lines[PROTO_COUNT]; /* with one worker */
};

static int open_halves(struct pipeline *, char *, size_t);
static int open_front(struct pipeline *, char *, size_t);
static void on_obs(void *, struct obs *);
static void on_chain(void *, const uint8_t[32], const struct slice *, unsigned);
static void on_staple(void *, const uint8_t[32], struct slice, int64_t);
static void on_wait(void *);
static void on_link_unknown(void *, const struct packet *);
static void on_capture_problem(void *, int, const char *);
static void on_file_end(void *, const struct capture_file *);
static const char *on_path(void *, uint32_t);
static bool one_packet(struct pipeline *, bool);
static void book_file(struct pipeline *);

struct pipeline *
pipeline_new(const struct pipeline_config *cfg, char *err, size_t errlen)
{
	struct pipeline *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	p->cfg = *cfg;
	if (open_halves(p, err, errlen) == -1) {
		pipeline_free(p);
		return NULL;
	}
	backend_set_paths(p->back, on_path, p);
	return p;
}

static int
open_halves(struct pipeline *p, char *err, size_t errlen)
{
	int verifier;

	if (p->cfg.workers < 2) {
		p->cfg.lines = p->lines;
		p->back = backend_new(&p->cfg, -1, err, errlen);
		return p->back == NULL ? -1 : open_front(p, err, errlen);
	}
	p->parallel = parallel_new(&p->cfg, &verifier, err, errlen);
	if (p->parallel == NULL)
		return -1;
	p->cfg.lines = parallel_lines(p->parallel);
	p->back = backend_new(&p->cfg, verifier, err, errlen);
	return p->back == NULL ? -1 : 0;
}

static int
open_front(struct pipeline *p, char *err, size_t errlen)
{
	uint8_t key[16];
	struct frontend_config fc = {.tracker = p->cfg.tracker,
	    .tls_bytes = p->cfg.tls_bytes,
	    .secret_key = key,
	    .lines = p->lines,
	    .sink = {.emit = on_obs,
		.chain = on_chain,
		.staple = on_staple,
		.ctx = p->back},
	    .on_link_unknown = on_link_unknown,
	    .ctx = p};

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
		snprintf(err, errlen, "no random numbers from the system");
		return -1;
	}
	p->front = frontend_new(&fc, err, errlen);
	explicit_bzero(key, sizeof(key));
	return p->front == NULL ? -1 : 0;
}

void
pipeline_free(struct pipeline *p)
{
	if (p == NULL)
		return;
	frontend_free(p->front);
	backend_free(p->back); /* and with it the verifier's socket */
	parallel_free(p->parallel);
	free(p);
}

int
pipeline_read(struct pipeline *p, const char *const *paths, unsigned n,
    const volatile int *stop)
{
	struct capture_config cc = {.on_problem = on_capture_problem,
	    .on_file_end = on_file_end,
	    .ctx = p,
	    .on_wait = on_wait};
	struct frontend_totals t;
	char err[512];
	int status;

	if (p->parallel != NULL)
		return parallel_read(p->parallel, p->back,
		    &(struct parallel_input){paths, n, stop});
	p->capture = capture_open(paths, n, &cc, err, sizeof(err));
	if (p->capture == NULL) {
		backend_problem(p->back, 1, err);
		return 1;
	}
	backend_begin(p->back);
	while (one_packet(p, stop != NULL && *stop)) {
		if (p->cfg.reload == NULL || *p->cfg.reload == p->reloads)
			continue;
		p->reloads = *p->cfg.reload;
		(void)backend_reload(p->back, NULL);
	}
	if (frontend_failed(p->front))
		backend_problem(p->back, 1, "out of memory: not all was read");
	frontend_flush(p->front);
	backend_flush(p->back);
	book_file(p);
	frontend_totals(p->front, &t);
	backend_stats(p->back, &t, NULL);
	status = backend_end(p->back, t.packets, t.bytes, t.tracker.flows);
	capture_close(p->capture);
	p->capture = NULL;
	return status;
}

/* Nothing comes for now: nobody should wait for what was found. */
static void
on_wait(void *ctx)
{
	struct pipeline *p = ctx;

	backend_wait(p->back);
}

static void
tick(struct pipeline *p)
{
	uint64_t done, total;

	backend_poll(p->back);
	if (p->cfg.on_tick == NULL)
		return;
	capture_progress(p->capture, &done, &total);
	p->cfg.on_tick(p->cfg.ctx, done, total, p->packets);
}

/* Returns false at the end. */
static bool
one_packet(struct pipeline *p, bool is_last)
{
	const struct packet *pkt;

	if (!is_last)
		frontend_fill(p->front, p->capture);
	if (!frontend_is_busy(p->front))
		return false;
	if (p->has_ended)
		book_file(p);
	pkt = frontend_pop(p->front);
	if (p->first == 0)
		p->first = pkt->time;
	p->last = pkt->time;
	if (++p->packets % TICK_PACKETS == 0)
		tick(p);
	return true;
}

static void
book_file(struct pipeline *p)
{
	if (!p->has_ended)
		return;
	p->has_ended = false;
	backend_file_end(p->back, &p->ended);
}

static void
on_file_end(void *ctx, const struct capture_file *f)
{
	struct pipeline *p = ctx;

	book_file(p);
	p->ended = *f;
	p->has_ended = true;
	backend_say(p->back, SAY_DETAIL, "%s: %llu packets", f->path,
	    (unsigned long long)f->packets);
}

static void
on_capture_problem(void *ctx, int severity, const char *sentence)
{
	struct pipeline *p = ctx;

	backend_problem(p->back, severity, sentence);
}

static void
on_link_unknown(void *ctx, const struct packet *pkt)
{
	struct pipeline *p = ctx;
	uint64_t bit = UINT64_C(1) << (pkt->linktype & 63);

	if ((p->said_links & bit) != 0)
		return;
	p->said_links |= bit;
	backend_say(p->back, SAY_NOTE,
	    "%s: link type %s is not supported, its packets are skipped",
	    capture_file_path(p->capture, pkt->file), link_name(pkt->linktype));
}

static const char *
on_path(void *ctx, uint32_t file)
{
	const struct pipeline *p = ctx;

	return p->capture != NULL ? capture_file_path(p->capture, file) : NULL;
}

/* ---- what the front sees; ctx is the backend ---- */

static void
on_obs(void *ctx, struct obs *o)
{
	backend_obs(ctx, o);
}

static void
on_chain(
    void *ctx, const uint8_t chain_id[32], const struct slice *der, unsigned n)
{
	backend_chain(ctx, chain_id, der, n);
}

static void
on_staple(
    void *ctx, const uint8_t chain_id[32], struct slice response, int64_t time)
{
	backend_staple(ctx, chain_id, response, time);
}

struct engine *
pipeline_engine(const struct pipeline *p)
{
	return judge_engine(backend_judge(p->back));
}

const struct ruleset *
pipeline_rules(const struct pipeline *p)
{
	return backend_rules(p->back);
}

void
pipeline_totals(const struct pipeline *p, struct pipeline_totals *out)
{
	struct frontend_totals f;
	struct backend_totals b;

	if (p->parallel != NULL)
		parallel_totals(p->parallel, &f);
	else
		frontend_totals(p->front, &f);
	backend_totals(p->back, &b);
	*out = (struct pipeline_totals){.captures = b.captures,
	    .known_captures = b.known_captures,
	    .broken_captures = b.broken_captures,
	    .packets = f.packets,
	    .bytes = f.bytes,
	    .link_other = f.link_other,
	    .link_unknown = f.link_unknown,
	    .link_truncated = f.link_truncated,
	    .first = p->first,
	    .last = p->last,
	    .lost = b.lost,
	    .ip = f.ip,
	    .tracker = f.tracker,
	    .norm = f.norm,
	    .evidence = f.evidence,
	    .judge = b.judge,
	    .incidents = b.incidents,
	    .mail = f.mail};
	memcpy(out->alerts, b.alerts, sizeof(out->alerts));
	memcpy(out->observed, f.tracker.observed, sizeof(out->observed));
	memcpy(out->ends, f.tracker.ends, sizeof(out->ends));
}

void
pipeline_memory(const struct pipeline *p, struct table_use memory[MEM_COUNT])
{
	struct judge_memory j;

	memset(memory, 0, MEM_COUNT * sizeof(memory[0]));
	judge_memory(backend_judge(p->back), &j);
	memory[MEM_JUDGED] = j.flows;
	memory[MEM_PAIRS] = j.pairs;
	memory[MEM_LIMITS] = j.limits;
	backend_memory(p->back, memory);
	if (p->front != NULL)
		frontend_memory(p->front, memory);
}
