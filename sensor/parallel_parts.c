/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parts of the input that have nothing to do with each other, read by workers
 * at the same time, each by one. The judge takes what they say part by part, in
 * the order in which one worker would have read them. One whose part is not its
 * turn yet gives way to the one whose turn it is: what it says has to wait
 * anyhow.
 */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "decoders/link.h"
#include "sensor/harden.h"
#include "sensor/parallel_private.h"
#include "sensor/wake_fd.h"

#define WAIT_MS 5
#define SPOOL_ALL 2048 /* chunks of all workers together: 512 MiB */
#define GIVES_WAY 4 /* steps of nice: where the others need it */

/* With one that is much larger than the others most would wait for it: then it
 * is better shared out packet by packet. */
static bool
are_worth_it(const struct capture_plan *plan, unsigned workers)
{
	unsigned n = capture_plan_parts(plan);
	uint64_t all = 0, most = 0;

	if (n < 2 || n > PARTS_MAX)
		return false;
	for (unsigned i = 0; i < n; i++) {
		uint64_t bytes = capture_plan_bytes(plan, i);

		if (bytes == 0)
			return false;
		all += bytes;
		most = bytes > most ? bytes : most;
	}
	if (workers > n)
		workers = n;
	return most <= all / workers + all / 4;
}

/* Which files begin a part, as a process has seen that holds nothing. */
struct seen {
	uint32_t n; /* files; 0: not all of them are captures */
	int64_t first[FILE_LIST_LOOKED_AT];
	bool apart[FILE_LIST_LOOKED_AT];
};

static _Noreturn void
look(const struct pipeline_config *cfg, struct seen *seen)
{
	const struct sandbox box = {.role = SANDBOX_READER};
	const struct capture_config cc = {.on_problem = NULL};
	struct capture_plan plan = {{0}};
	struct reader *r = malloc(sizeof(*r));
	char err[300];

	harden_close_others(&(int){-1}, 1);
	parallel_enter(&box);
	if (r == NULL)
		_exit(0);
	reader_init(r);
	if (capture_plan_make(&plan, cfg->inputs, cfg->ninputs, &cc, r, err,
		sizeof(err)) == 0 &&
	    plan.files.n == cfg->ninputs) {
		for (uint32_t i = 0; i < plan.files.n; i++) {
			seen->first[i] = plan.files.file[i].first;
			seen->apart[i] = plan.files.file[i].apart;
		}
		seen->n = plan.files.n;
	}
	_exit(0);
}

/* Files of a size that is known. */
static bool
list_files(const struct pipeline_config *cfg, const struct seen *seen,
    struct file_list *l)
{
	struct stat st;

	for (uint32_t i = 0; i < cfg->ninputs; i++) {
		struct input_file f = {
		    .path = (char *)(uintptr_t)cfg->inputs[i],
		    .first = seen->first[i],
		    .apart = seen->apart[i] && i > 0};

		if (stat(f.path, &st) == -1 || !S_ISREG(st.st_mode) ||
		    st.st_size == 0)
			return false;
		f.bytes = (uint64_t)st.st_size;
		if (file_list_append(l, &f) == -1)
			return false;
	}
	return true;
}

/* In another process: it takes apart what others wrote. */
static bool
see(const struct pipeline_config *cfg, struct seen *seen)
{
	pid_t child = parallel_start(SANDBOX_READER);

	if (child == 0)
		look(cfg, seen);
	return child > 0 && waitpid(child, NULL, 0) == child &&
	       seen->n == cfg->ninputs;
}

static int
make_queues(struct parallel *p)
{
	uint32_t chunks = SPOOL_ALL / p->n;
	char err[200];

	p->parts = harden_shared(sizeof(*p->parts));
	if (p->parts == NULL)
		return -1;
	p->parts->go = wake_fd_new();
	if (p->parts->go == -1)
		return -1;
	for (unsigned i = 0; i < p->n; i++) {
		p->spool[i] = spool_new(chunks, err, sizeof(err));
		if (p->spool[i] == NULL)
			return -1;
	}
	for (unsigned i = 0; i < capture_plan_parts(p->plan); i++)
		p->bytes += capture_plan_bytes(p->plan, i);
	return 0;
}

int
parts_plan(struct parallel *p)
{
	const struct pipeline_config *cfg = &p->cfg;
	struct seen *seen;
	bool good = false;

	if (cfg->ninputs < 2 || cfg->ninputs > FILE_LIST_LOOKED_AT)
		return -1;
	seen = harden_shared(sizeof(*seen));
	if (seen == NULL)
		return -1;
	p->plan = calloc(1, sizeof(*p->plan));
	if (p->plan != NULL && see(cfg, seen))
		good = list_files(cfg, seen, &p->plan->files) &&
		       are_worth_it(p->plan, p->n);
	(void)munmap(seen, sizeof(*seen));
	if (!good)
		return -1;
	if (p->n > capture_plan_parts(p->plan))
		p->n = capture_plan_parts(p->plan);
	return make_queues(p);
}

void
parts_free(struct parallel *p)
{
	for (unsigned i = 0; i < WORKERS_MAX; i++) {
		spool_free(p->spool[i]);
		p->spool[i] = NULL;
	}
	if (p->parts != NULL) {
		if (p->parts->go != -1)
			(void)close(p->parts->go);
		(void)munmap(p->parts, sizeof(*p->parts));
	}
	if (p->plan != NULL)
		capture_plan_fini(p->plan);
	free(p->plan);
	p->parts = NULL;
	p->plan = NULL;
}

/* ---- a worker ---- */

/* It can reach its own queue and the captures, no other file. */
static void
keep_own(struct parallel *p, unsigned number)
{
	struct sandbox box = {.role = SANDBOX_READER};
	const struct file_list *l = &p->plan->files;
	int fd[3];

	for (unsigned i = 0; i < p->n; i++)
		if (i != number)
			spool_free(p->spool[i]);
	spool_fds(p->spool[number], fd);
	fd[2] = p->parts->go;
	harden_close_others(fd, 3);
	static_assert(FILE_LIST_LOOKED_AT <= SANDBOX_FOLDERS_MAX, "all fit");
	for (uint32_t i = 0; i < l->n; i++)
		box.readable[box.nreadable++] = l->file[i].path;
	parallel_enter(&box);
}

int
parts_work(struct parallel *p, unsigned number, const volatile int *stop)
{
	const struct worker_config wc = {.front = {.tracker = p->cfg.tracker,
					     .tls_bytes = p->cfg.tls_bytes,
					     .secret_key = p->secret_key,
					     .lines = p->lines},
	    .spool = p->spool[number],
	    .plan = p->plan,
	    .parts = p->parts,
	    .board = p->board[number],
	    .number = number,
	    .of = p->n};
	char err[300] = "out of memory";
	struct worker *w = worker_new(&wc, err, sizeof(err));
	int status;

	if (w == NULL) {
		fprintf(stderr, "stripwire: %s\n", err);
		return 2;
	}
	keep_own(p, number);
	status = worker_parts(w, stop);
	worker_free(w);
	return status;
}

/* ---- the judge ---- */

static const char *
on_path(void *ctx, uint32_t file)
{
	const struct parallel *p = ctx;

	return file < p->plan->files.n ? p->plan->files.file[file].path : NULL;
}

static void
tick(struct parallel *p, const struct parallel_input *in)
{
	uint64_t done = 0, packets = 0;

	backend_poll(p->back);
	for (unsigned i = 0; i < p->n; i++) {
		done += atomic_load(&p->parts->done[i]);
		packets += atomic_load(&p->parts->packets[i]);
		if (in->stop != NULL && *in->stop && p->worker[i] > 0)
			(void)kill(p->worker[i], SIGTERM);
	}
	if (p->cfg.on_tick != NULL && packets != 0)
		p->cfg.on_tick(p->cfg.ctx, done, p->bytes, packets);
}

/* Whose turn it is goes before the others. Without privileges nobody comes back
 * from having given way, but then all have. */
static void
set_priorities(struct parallel *p, unsigned owner)
{
	int own = getpriority(PRIO_PROCESS, 0);

	for (unsigned i = 0; i < p->n; i++) {
		int wanted = i == owner ? own : own + GIVES_WAY;

		if (p->worker[i] > 0)
			(void)setpriority(
			    PRIO_PROCESS, (id_t)p->worker[i], wanted);
	}
}

/* The last of the input ends behind everything. */
static void
take_file(struct parallel *p, const uint8_t *bytes, bool last)
{
	struct record_file f;

	memcpy(&f, bytes, sizeof(f));
	f.file.path = (const char *)bytes + sizeof(f);
	if (last && f.number == RECORD_FILE_LAST) {
		backend_flush(p->back);
		p->flushed = true;
	}
	backend_say(p->back, SAY_DETAIL, "%s: %llu packets", f.file.path,
	    (unsigned long long)f.file.packets);
	backend_file_end(p->back, &f.file);
}

struct part {
	unsigned owner; /* worker */
	bool last; /* of all */
	bool stopped; /* not read to its end */
	uint64_t before; /* packets */
	uint64_t packets;
};

/* Once in a reading. */
static void
say_nonsense(struct parallel *p)
{
	if (!p->said_nonsense)
		backend_problem(p->back, 1,
		    "a process that looked at packets contradicts itself: what "
		    "makes no sense was left out");
	p->said_nonsense = true;
}

static bool
take_link(struct parallel *p, const uint8_t *bytes)
{
	struct record_link l;
	uint64_t bit;
	char text[400];

	memcpy(&l, bytes, sizeof(l));
	bit = UINT64_C(1) << (l.linktype & 63);
	if (l.file >= p->plan->files.n)
		return false;
	if ((p->said_links & bit) != 0)
		return true;
	p->said_links |= bit;
	(void)snprintf(text, sizeof(text),
	    "%.300s: link type %s is not supported, its packets are skipped",
	    p->plan->files.file[l.file].path, link_name(l.linktype));
	backend_problem(p->back, 0, text);
	return true;
}

static void
take_part(struct parallel *p, struct part *part, const uint8_t *bytes)
{
	struct record_part over;

	memcpy(&over, bytes, sizeof(over));
	part->packets = over.packets & UINT32_MAX; /* more is no capture */
	part->stopped = over.stopped != 0;
	p->told[part->owner] = over.totals;
}

/* Bytes are this process' own. */
static bool
take_other(struct parallel *p, struct part *part, const struct spool_record *s,
    const uint8_t *bytes)
{
	const struct ring_record r = {.size = s->size, .type = s->type};
	const char *text = (const char *)bytes + sizeof(uint32_t);
	bool is_text = s->size > 0 && bytes[s->size - 1] == '\0';
	uint32_t severity;
	struct obs o;

	switch (s->type) {
	case REC_FILE:
		if (!is_text || s->size <= sizeof(struct record_file))
			return false;
		take_file(p, bytes, part->last);
		return true;
	case REC_PROBLEM:
		if (!is_text || s->size <= sizeof(severity))
			return false;
		memcpy(&severity, bytes, sizeof(severity));
		backend_problem(p->back, (int)severity, text);
		return true;
	case REC_LINK:
		return s->size == sizeof(struct record_link) &&
		       take_link(p, bytes);
	case REC_PART:
		if (s->size == sizeof(struct record_part))
			take_part(p, part, bytes);
		return s->size == sizeof(struct record_part);
	default:
		return records_take(p->back, &r, bytes, &o, -1);
	}
}

static void
take(struct parallel *p, struct part *part, const struct spool_record *r,
    const uint8_t *bytes)
{
	bool good = false;

	if (r->type == REC_OBS) {
		good =
		    records_take_later(p->back, bytes, r->size, part->before);
	} else if (r->size <= sizeof(p->copy)) { /* there are few */
		memcpy(p->copy, bytes, r->size);
		good = take_other(p, part, r, p->copy);
	}
	if (!good)
		say_nonsense(p);
}

static bool
all_are_gone(const struct parallel *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->worker[i] != 0)
			return false;
	return true;
}

static void
say_unread(struct parallel *p)
{
	backend_problem(p->back, 1,
	    "a process that looked at packets ended before its time: what it "
	    "followed was not judged to its end");
}

/* The worker that has begun it; -1: nobody will. */
static int
owner_of(struct parallel *p, unsigned number, const struct parallel_input *in)
{
	uint32_t owner;

	while ((owner = atomic_load(&p->parts->owner[number])) == 0 ||
	       owner > p->n) {
		tick(p, in);
		if (parallel_somebody_died(p) || (in->stop && *in->stop))
			return -1;
		if (all_are_gone(p) &&
		    atomic_load(&p->parts->owner[number]) == 0) {
			say_unread(p);
			return -1;
		}
		(void)poll(NULL, 0, 1);
	}
	return (int)owner - 1;
}

/* Nothing is there. Returns false if nothing will come. One that is gone has
 * shown all that it had before. */
static bool
wait_for(struct parallel *p, const struct part *part,
    const struct parallel_input *in)
{
	struct spool *from = p->spool[part->owner];
	struct spool_record r;

	tick(p, in);
	if (spool_is_broken(from)) {
		say_nonsense(p);
		return false;
	}
	p->died |= parallel_somebody_died(p);
	if (p->verifier == 0)
		return false;
	if (p->worker[part->owner] != 0) {
		spool_wait(from, WAIT_MS);
		return true;
	}
	if (spool_look(from, &r) != NULL)
		return true;
	if (!p->died)
		say_unread(p);
	return false;
}

static bool
judge_part(
    struct parallel *p, struct part *part, const struct parallel_input *in)
{
	struct spool *from = p->spool[part->owner];
	struct spool_record r = {.type = 0};
	const uint8_t *bytes;
	unsigned n = 0;

	while (r.type != REC_PART) {
		bytes = spool_look(from, &r);
		if (bytes != NULL) {
			take(p, part, &r, bytes);
			spool_take(from);
			if (++n % TICK == 0)
				tick(p, in);
		} else if (!wait_for(p, part, in)) {
			return false;
		}
	}
	return true;
}

static void
judge_parts(struct parallel *p, const struct parallel_input *in)
{
	unsigned n = capture_plan_parts(p->plan);
	struct part part = {0};
	int owner;

	for (unsigned i = 0; i < n; i++) {
		owner = owner_of(p, i, in);
		if (owner == -1)
			return;
		part.owner = (unsigned)owner;
		part.last = i + 1 == n;
		set_priorities(p, part.owner);
		if (!judge_part(p, &part, in))
			return;
		part.before += part.packets;
		if (in->stop != NULL && *in->stop)
			return;
		if (part.stopped)
			say_unread(p);
		p->died |= parallel_somebody_died(p);
		if (p->died || part.stopped)
			return;
	}
}

void
parts_judge(struct parallel *p, const struct parallel_input *in)
{
	backend_set_paths(p->back, on_path, p);
	backend_say(p->back, SAY_DETAIL,
	    "%u captures, or rows of them, have nothing to do with each other: "
	    "%u workers read them at the same time",
	    capture_plan_parts(p->plan), p->n);
	wake_fd_signal(p->parts->go);
	judge_parts(p, in);
	if (!p->flushed)
		backend_flush(p->back);
	for (unsigned i = 0; i < p->n; i++)
		frontend_totals_add(&p->totals, &p->told[i]);
}
