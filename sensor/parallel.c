/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The processes of one reading. All memory that they share is made before the
 * first of them is forked; if one dies, so does the reading, which is said.
 */
#include "sensor/parallel_private.h"

#include <errno.h>
#include <sched.h>
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

#include "sensor/harden.h"
#include "sensor/verifier_process.h"

#define OUT_BYTES (2u << 20) /* what a worker says */
#define READER_BYTES (1u << 20)

static volatile int stopped; /* in those who read */

static int
make_boards(struct parallel *p, char *err, size_t errlen)
{
	p->lines = harden_shared(PROTO_COUNT);
	for (unsigned i = 0; i < p->n; i++)
		p->board[i] = harden_shared(sizeof(struct board));
	if (p->lines != NULL && p->board[p->n - 1] != NULL)
		return 0;
	(void)snprintf(err, errlen, "out of memory");
	return -1;
}

static int
make_queues(struct parallel *p, char *err, size_t errlen)
{
	p->blocks = frame_blocks_new(err, errlen);
	if (p->blocks == NULL)
		return -1;
	for (unsigned i = 0; i < p->n; i++) {
		p->in[i] = handout_new(err, errlen);
		p->out[i] = ring_new(OUT_BYTES, err, errlen);
		if (p->in[i] == NULL || p->out[i] == NULL)
			return -1;
		ring_in_batches(p->out[i]);
	}
	p->out[p->n] = ring_new(READER_BYTES, err, errlen);
	p->shared = harden_shared(sizeof(*p->shared));
	if (p->out[p->n] == NULL)
		return -1;
	ring_in_batches(p->out[p->n]);
	if (p->shared != NULL)
		return 0;
	(void)snprintf(err, errlen, "out of memory");
	return -1;
}

/* How many processes it takes, and what they share. */
static int
make_shared(struct parallel *p, char *err, size_t errlen)
{
	unsigned wanted = p->n;

	if (parts_plan(p) == -1) {
		parts_free(p);
		p->n = wanted;
	}
	if (make_boards(p, err, errlen) == -1)
		return -1;
	return p->plan != NULL ? 0 : make_queues(p, err, errlen);
}

/* ---- children ---- */

static void
on_term(int sig)
{
	(void)sig;
	stopped = 1;
}

pid_t
parallel_start(enum sandbox_role role)
{
	struct sandbox box = {.role = role};
	struct sigaction sa = {.sa_handler = on_term};
	char err[300];
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	signal(SIGINT, SIG_IGN); /* the parent tells when to stop */
	sigaction(SIGTERM, &sa, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || sandbox_user(&box, err, sizeof(err)) == -1)
		_exit(2);
	return 0;
}

void
parallel_enter(const struct sandbox *box)
{
	char err[300];

	if (sandbox_enter(box, err, sizeof(err)) == 0)
		return;
	fprintf(stderr, "stripwire: %s\n", err);
	_exit(2);
}

static void
enter(enum sandbox_role role)
{
	const struct sandbox box = {.role = role};

	parallel_enter(&box);
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
		p->verifier = parallel_start(SANDBOX_VERIFIER);
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

/* Neither the database nor the verifier's socket, nor queues of others. */
static void
keep_queues(struct handout *const *in, unsigned n, const struct ring *out)
{
	int fd[2 * WORKERS_MAX + 2];

	for (unsigned i = 0; i < n; i++)
		handout_fds(in[i], fd + 2 * i);
	fd[2 * n] = ring_data_fd(out);
	fd[2 * n + 1] = ring_room_fd(out);
	harden_close_others(fd, 2 * n + 2);
}

/* A worker can reach its own queues only, and read blocks. */
static bool
keep_own(struct parallel *p, unsigned number)
{
	for (unsigned i = 0; i < p->n; i++) {
		if (i == number)
			continue;
		handout_free(p->in[i]);
		ring_free(p->out[i]);
	}
	ring_free(p->out[p->n]);
	if (frame_blocks_read_only(p->blocks) == -1)
		return false;
	keep_queues(p->in + number, 1, p->out[number]);
	return true;
}

static struct worker *
new_worker(const struct parallel *p, unsigned number)
{
	struct worker_config wc = {.front = {.tracker = p->cfg.tracker,
				       .tls_bytes = p->cfg.tls_bytes,
				       .secret_key = p->secret_key,
				       .lines = p->lines},
	    .in = p->in[number],
	    .out = p->out[number],
	    .board = p->board[number],
	    .number = number,
	    .of = p->n};
	struct worker *w;
	char err[300] = "out of memory";

	worker_share(&wc.front, p->n);
	if ((p->n & (p->n - 1)) != 0) /* the power of two above an even part */
		wc.front.tracker.max_flows *= 2;
	w = worker_new(&wc, err, sizeof(err));
	if (w == NULL)
		fprintf(stderr, "stripwire: %s\n", err);
	return w;
}

static int
work(struct parallel *p, unsigned number)
{
	struct worker *w;
	int status;

	if (!keep_own(p, number)) {
		fprintf(stderr, "stripwire: frames: %s\n", strerror(errno));
		return 2;
	}
	w = new_worker(p, number);
	if (w == NULL)
		return 2;
	enter(SANDBOX_WORKER);
	status = worker_offline(w);
	worker_free(w);
	return status;
}

/* It hands out, and tells of the input; what workers say it cannot reach. */
static int
read_input(struct parallel *p, const struct parallel_input *in)
{
	const struct share_config sc = {.input = {.paths = in->paths,
					    .n = in->n,
					    .stop = &stopped,
					    .judge = p->out[p->n],
					    .board = p->shared},
	    .blocks = p->blocks,
	    .worker = p->in,
	    .workers = p->n};

	for (unsigned i = 0; i < p->n; i++)
		ring_free(p->out[i]);
	keep_queues(p->in, p->n, p->out[p->n]);
	enter(SANDBOX_READER);
	return share_run(&sc);
}

static int
start_workers(struct parallel *p, char *err, size_t errlen)
{
	for (unsigned i = 0; i < p->n; i++) {
		p->worker[i] = parallel_start(SANDBOX_WORKER);
		if (p->worker[i] == 0)
			_exit(p->plan != NULL ? parts_work(p, i, &stopped)
					      : work(p, i));
		if (p->worker[i] != -1)
			continue;
		(void)snprintf(
		    err, errlen, "a worker's process: %s", strerror(errno));
		return -1;
	}
	return 0;
}

static int
start_reader(struct parallel *p, const struct parallel_input *in)
{
	p->reader = parallel_start(SANDBOX_READER);
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
take_of_input(
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

	if (r->type != REC_OBS) { /* of these there are few */
		memcpy(p->copy, bytes, r->size);
		bytes = p->copy;
	}
	if (from == p->n) {
		take_of_input(p, r, bytes);
	} else if (r->type == REC_END) {
		p->ended += merge_end(m, from);
	} else {
		(void)records_take(p->back, r, bytes, &o, -1);
	}
}

/* A child that died before it had said all: nobody can wait for it. */
bool
parallel_somebody_died(struct parallel *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i < p->n; i++)
			if (p->worker[i] == pid)
				p->worker[i] = 0;
		if (pid == p->verifier)
			p->verifier = 0;
		if (pid == p->reader)
			p->reader = 0;
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
		if (p->ended == p->n && merge_is_empty(m))
			return;
		tick(p, in);
		if (parallel_somebody_died(p))
			return;
		(void)merge_wait(m, -1, RING_BATCH_MS);
	}
}

static void
end_child(pid_t *pid)
{
	if (*pid > 0) {
		(void)kill(*pid, SIGKILL);
		(void)waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static void
end_children(struct parallel *p)
{
	end_child(&p->reader);
	for (unsigned i = 0; i < p->n; i++)
		end_child(&p->worker[i]);
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

static void
share_out(struct parallel *p, const struct parallel_input *in)
{
	struct merge *m = merge_new(p->out, p->n + 1, false);

	backend_set_paths(p->back, on_path, p);
	if (m == NULL || start_reader(p, in) == -1)
		backend_problem(
		    p->back, 1, "the processes could not be started");
	else
		judge_all(p, m, in);
	if (!p->flushed)
		backend_flush(p->back);
	add_up(p);
	merge_free(m);
}

int
parallel_read(
    struct parallel *p, struct backend *b, const struct parallel_input *in)
{
	int status;

	p->back = b;
	backend_begin(b);
	if (p->plan != NULL)
		parts_judge(p, in);
	else
		share_out(p, in);
	backend_stats(b, &p->totals, NULL);
	status = backend_end(
	    b, p->totals.packets, p->totals.bytes, p->totals.tracker.flows);
	end_children(p); /* they have given their memory back meanwhile */
	return status;
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

/* There may be more processes than processors, each with much in its queue to
 * go on with: one that is woken need not stop another. */
static void
let_each_work_on(void)
{
	const struct sched_param p = {.sched_priority = 0};

	if (sched_getscheduler(0) == SCHED_OTHER) /* nobody chose */
		(void)sched_setscheduler(0, SCHED_BATCH, &p);
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
	let_each_work_on();
	p->cfg = *cfg;
	p->n = cfg->workers < WORKERS_MAX ? cfg->workers : WORKERS_MAX;
	/* The verifier first: it has nothing to do with queues and frames. The
	 * workers make their tables while this process opens rules and store,
	 * and hold none of these. */
	if (start_verifier(p, verifier, err, errlen) == -1 ||
	    getrandom(p->secret_key, sizeof(p->secret_key), 0) !=
		(ssize_t)sizeof(p->secret_key) ||
	    make_shared(p, err, errlen) == -1 ||
	    start_workers(p, err, errlen) == -1) {
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
	end_children(p);
	end_child(&p->verifier);
	parts_free(p);
	frame_blocks_free(p->blocks);
	for (unsigned i = 0; i < p->n; i++) {
		handout_free(p->in[i]);
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
