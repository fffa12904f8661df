/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The processes of one reading. All memory that they share is made before the
 * first of them is forked; if one dies, so does the reading, which is said.
 */
#include "sensor/parallel.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/capture_share.h"
#include "sensor/harden.h"
#include "sensor/merge.h"
#include "sensor/records.h"
#include "sensor/sandbox.h"
#include "sensor/verifier_process.h"
#include "sensor/worker.h"

#define IN_BYTES (4u << 20) /* packets on their way to a worker */
#define OUT_BYTES (4u << 20) /* and what it says */
#define READER_BYTES (1u << 20)
#define TICK 4096 /* records between looks at the clock */

struct parallel {
	struct pipeline_config cfg;
	unsigned n;
	bool shares; /* a reader hands out the frames */
	pid_t verifier, reader, worker[WORKERS_MAX];
	struct ring *in[WORKERS_MAX];
	struct ring *out[WORKERS_MAX + 1]; /* the last: the reader's */
	struct board *board[WORKERS_MAX];
	struct share_board *shared;
	uint8_t *lines; /* shared: which lines rules look at */
	uint8_t secret_key[16];
	char **path; /* of the files of the input, by number */
	uint32_t npaths;
	struct backend *back; /* while reading */
	unsigned ended; /* workers */
	bool flushed, broken;
	struct frontend_totals totals;
};

static volatile int stopped; /* in those who read */

static int
make_queues(struct parallel *p, char *err, size_t errlen)
{
	for (unsigned i = 0; i < p->n; i++) {
		p->out[i] = ring_new(OUT_BYTES, err, errlen);
		p->board[i] = harden_shared(sizeof(struct board));
		if (p->out[i] == NULL)
			return -1;
		ring_in_batches(p->out[i]);
		if (p->board[i] == NULL)
			break;
	}
	p->out[p->n] = ring_new(READER_BYTES, err, errlen);
	p->lines = harden_shared(PROTO_COUNT);
	p->shared = harden_shared(sizeof(*p->shared));
	if (p->out[p->n] == NULL)
		return -1;
	ring_in_batches(p->out[p->n]);
	if (p->shared != NULL && p->board[p->n - 1] != NULL)
		return 0;
	(void)snprintf(err, errlen, "out of memory");
	return -1;
}

/* ---- children ---- */

static void
on_term(int sig)
{
	(void)sig;
	stopped = 1;
}

static pid_t
start(enum sandbox_role role, int keep)
{
	struct sandbox box = {.role = role};
	struct sigaction sa = {.sa_handler = on_term};
	char err[300];
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	(void)keep;
	signal(SIGINT, SIG_IGN); /* the parent tells when to stop */
	sigaction(SIGTERM, &sa, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || sandbox_user(&box, err, sizeof(err)) == -1)
		_exit(2);
	return 0;
}

static void
enter(enum sandbox_role role)
{
	struct sandbox box = {.role = role};
	char err[300];

	if (sandbox_enter(&box, err, sizeof(err)) == 0)
		return;
	fprintf(stderr, "stripwire: %s\n", err);
	_exit(2);
}

static int
start_verifier(struct parallel *p, int *mine, char *err, size_t errlen)
{
	struct verifier *v = verifier_new(
	    p->cfg.trust, p->cfg.ntrust, p->cfg.no_system_trust, err, errlen);
	const struct rule_sources src = {.path = p->cfg.interceptors_path};
	struct interceptors *list = NULL;
	int pair[2], sys;
	char why[512];

	if (v == NULL)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		p->verifier = -1;
	else
		p->verifier = start(SANDBOX_VERIFIER, pair[0]);
	if (p->verifier == 0) {
		(void)close(pair[1]);
		if (src.path != NULL) /* mistakes: backend */
			list = interceptors_load(&src, &sys, why, sizeof(why));
		verifier_use_interceptors(v, list);
		enter(SANDBOX_VERIFIER);
		verifier_process_serve(v, pair[0], NULL);
		_exit(0);
	}
	verifier_free(v);
	if (p->verifier == -1) {
		(void)snprintf(
		    err, errlen, "the verifier: %s", strerror(errno));
		return -1;
	}
	(void)close(pair[0]);
	*mine = pair[1];
	return 0;
}

/* The first of those that read by themselves tells of the files. */
static struct tell_config
input_of(const struct parallel *p, const struct parallel_input *in, bool tells)
{
	return (struct tell_config){.paths = in->paths,
	    .n = in->n,
	    .stop = &stopped,
	    .judge = tells ? p->out[p->n] : NULL,
	    .board = tells ? p->shared : NULL};
}

static int
work(struct parallel *p, const struct parallel_input *in, unsigned number)
{
	struct tell_config files = input_of(p, in, number == 0);
	struct worker_config wc = {.front = {.tracker = p->cfg.tracker,
				       .tls_bytes = p->cfg.tls_bytes,
				       .secret_key = p->secret_key,
				       .lines = p->lines},
	    .in = p->in[number],
	    .files = p->shares ? NULL : &files,
	    .out = p->out[number],
	    .board = p->board[number],
	    .number = number,
	    .of = p->n};
	struct worker *w;
	char err[300] = "";
	int status;

	worker_share(&wc.front, p->n);
	w = worker_new(&wc, err, sizeof(err));
	if (w == NULL) {
		fprintf(stderr, "stripwire: %s\n", err);
		return 2;
	}
	enter(p->shares ? SANDBOX_WORKER : SANDBOX_READER);
	status = p->shares ? worker_offline(w) : worker_files(w);
	worker_free(w);
	return status;
}

static int
read_input(struct parallel *p, const struct parallel_input *in)
{
	struct share_config sc = {
	    .input = input_of(p, in, true), .worker = p->in, .workers = p->n};

	enter(SANDBOX_READER);
	return share_run(&sc);
}

static bool
make_sharing(struct parallel *p)
{
	char err[200]; /* no memory: there is no more to say */

	p->shares = true;
	for (unsigned i = 0; i < p->n; i++) {
		p->in[i] = ring_new(IN_BYTES, err, sizeof(err));
		if (p->in[i] == NULL)
			return false;
		ring_in_batches(p->in[i]);
	}
	return true;
}

static int
start_all(struct parallel *p, const struct parallel_input *in)
{
	if (share_is_needed(in->paths, in->n) && !make_sharing(p))
		return -1;
	for (unsigned i = 0; i < p->n; i++) {
		p->worker[i] =
		    start(p->shares ? SANDBOX_WORKER : SANDBOX_READER, -1);
		if (p->worker[i] == 0)
			_exit(work(p, in, i));
		if (p->worker[i] == -1)
			return -1;
	}
	if (!p->shares)
		return 0;
	p->reader = start(SANDBOX_READER, -1);
	if (p->reader == 0)
		_exit(read_input(p, in));
	return p->reader == -1 ? -1 : 0;
}

/* ---- what they say ---- */

static void
take_name(struct parallel *p, const struct record_file *f, const char *path)
{
	char **more;

	while (p->npaths <= f->number) {
		more = realloc(p->path, (p->npaths + 1) * sizeof(*more));
		if (more == NULL)
			return;
		p->path = more;
		p->path[p->npaths++] = NULL;
	}
	if (p->path[f->number] == NULL)
		p->path[f->number] = strdup(path);
}

static const char *
on_path(void *ctx, uint32_t file)
{
	const struct parallel *p = ctx;

	return file < p->npaths ? p->path[file] : NULL;
}

/* The last file ends behind everything. */
static void
take_file(struct parallel *p, const struct ring_record *r,
    const struct record_file *f, const char *path)
{
	struct capture_file c = f->file;

	if (r->key.era == UINT32_MAX && !p->flushed) {
		backend_flush(p->back);
		p->flushed = true;
	}
	c.path = path;
	backend_say(p->back, SAY_DETAIL, "%s: %llu packets", path,
	    (unsigned long long)c.packets);
	backend_file_end(p->back, &c);
}

static void
take_from_reader(
    struct parallel *p, const struct ring_record *r, const uint8_t *bytes)
{
	struct record_file f;
	size_t head = r->type == REC_PROBLEM ? sizeof(uint32_t) : sizeof(f);
	const char *text = (const char *)bytes + head;
	uint32_t severity;

	if (r->size <= head || bytes[r->size - 1] != '\0')
		return;
	if (r->type == REC_PROBLEM) {
		memcpy(&severity, bytes, sizeof(severity));
		backend_problem(p->back, (int)severity, text);
		return;
	}
	memcpy(&f, bytes, sizeof(f));
	if (f.number > 1u << 20)
		return;
	if (r->type == REC_NAME)
		take_name(p, &f, text);
	else if (r->type == REC_FILE)
		take_file(p, r, &f, text);
}

static void
take(struct parallel *p, struct merge *m, const struct ring_record *r,
    const uint8_t *bytes, unsigned from)
{
	struct obs o;

	if (from == p->n) {
		take_from_reader(p, r, bytes);
	} else if (r->type == REC_END) {
		p->ended++;
		merge_end(m, from);
	} else {
		(void)records_take(p->back, r, bytes, &o, -1);
	}
}

/* A child that died before it had said all: nobody can wait for it. */
static bool
somebody_died(struct parallel *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i < p->n; i++)
			if (p->worker[i] == pid)
				p->worker[i] = 0;
		if (pid == p->reader)
			p->reader = 0;
		if (pid == p->verifier)
			p->verifier = 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		backend_problem(p->back, 1,
		    "a process that looked at packets died: what it "
		    "followed was not judged to its end");
		return true;
	}
	return false;
}

static void
stop_reading(const struct parallel *p)
{
	if (p->reader > 0)
		(void)kill(p->reader, SIGTERM);
	for (unsigned i = 0; i < p->n && !p->shares; i++)
		if (p->worker[i] > 0)
			(void)kill(p->worker[i], SIGTERM);
}

static void
tick(struct parallel *p, const struct parallel_input *in)
{
	backend_poll(p->back);
	if (p->cfg.on_tick != NULL && p->shared->packets != 0)
		p->cfg.on_tick(p->cfg.ctx, p->shared->done, p->shared->total,
		    p->shared->packets);
	if (in->stop != NULL && *in->stop)
		stop_reading(p);
}

static void
judge_all(struct parallel *p, struct merge *m, const struct parallel_input *in)
{
	struct ring_record r;
	const uint8_t *bytes;
	unsigned from, n = 0;

	for (;;) {
		if (++n % TICK == 0)
			tick(p, in);
		if (merge_next(m, &r, &bytes, &from)) {
			take(p, m, &r, bytes, from);
			continue;
		}
		if (p->ended == p->n && p->reader == 0 && merge_is_empty(m))
			return;
		tick(p, in);
		if (somebody_died(p))
			return;
		(void)merge_wait(m, -1, RING_BATCH_MS);
	}
}

static void
end_children(struct parallel *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->worker[i] > 0)
			(void)kill(p->worker[i], SIGKILL);
	if (p->reader > 0)
		(void)kill(p->reader, SIGKILL);
	for (unsigned i = 0; i < p->n; i++)
		if (p->worker[i] > 0)
			(void)waitpid(p->worker[i], NULL, 0);
	if (p->reader > 0)
		(void)waitpid(p->reader, NULL, 0);
	p->reader = 0;
	memset(p->worker, 0, sizeof(p->worker));
}

/* Link and IP were counted by one, who saw all; but for checksums, which are
 * looked at where a connection is followed. */
static void
add_up(struct parallel *p)
{
	struct frontend_totals *t = &p->totals;

	*t = p->shared->totals;
	for (unsigned i = 0; i < p->n; i++) {
		struct frontend_totals w = p->board[i]->totals;
		struct ip_counters ip = {.bad_tcp_csum = w.ip.bad_tcp_csum,
		    .open_tcp_csum = w.ip.open_tcp_csum};

		w.ip = ip;
		w.packets = w.bytes = 0;
		w.link_other = w.link_unknown = w.link_truncated = 0;
		frontend_totals_add(t, &w);
	}
}

int
parallel_read(
    struct parallel *p, struct backend *b, const struct parallel_input *in)
{
	struct merge *m = merge_new(p->out, p->n + 1, false);

	p->back = b;
	backend_set_paths(b, on_path, p);
	backend_begin(b);
	if (m == NULL || start_all(p, in) == -1)
		backend_problem(b, 1, "the processes could not be started");
	else
		judge_all(p, m, in);
	end_children(p);
	if (!p->flushed)
		backend_flush(b);
	add_up(p);
	merge_free(m);
	backend_stats(b, &p->totals, NULL);
	return backend_end(
	    b, p->totals.packets, p->totals.bytes, p->totals.tracker.flows);
}

uint8_t *
parallel_lines(const struct parallel *p)
{
	return p->lines;
}

void
parallel_totals(const struct parallel *p, struct frontend_totals *out)
{
	*out = p->totals;
}

struct parallel *
parallel_new(
    const struct pipeline_config *cfg, int *verifier, char *err, size_t errlen)
{
	struct parallel *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)snprintf(err, errlen, "out of memory");
		return NULL;
	}
	p->cfg = *cfg;
	p->n = cfg->workers < WORKERS_MAX ? cfg->workers : WORKERS_MAX;
	if (getrandom(p->secret_key, sizeof(p->secret_key), 0) !=
		(ssize_t)sizeof(p->secret_key) ||
	    make_queues(p, err, errlen) == -1 ||
	    start_verifier(p, verifier, err, errlen) == -1) {
		parallel_free(p);
		return NULL;
	}
	return p;
}

void
parallel_free(struct parallel *p)
{
	if (p == NULL)
		return;
	if (p->verifier > 0) {
		(void)kill(p->verifier, SIGKILL);
		(void)waitpid(p->verifier, NULL, 0);
	}
	for (unsigned i = 0; i < p->n; i++) {
		ring_free(p->in[i]);
		ring_free(p->out[i]);
		if (p->board[i] != NULL)
			(void)munmap(p->board[i], sizeof(*p->board[i]));
	}
	ring_free(p->out[p->n]);
	if (p->shared != NULL)
		(void)munmap(p->shared, sizeof(*p->shared));
	if (p->lines != NULL)
		(void)munmap(p->lines, PROTO_COUNT);
	for (uint32_t i = 0; i < p->npaths; i++)
		free(p->path[i]);
	free(p->path);
	explicit_bzero(p->secret_key, sizeof(p->secret_key));
	free(p);
}
