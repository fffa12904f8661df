/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A child inherits everything and gives up all that is not its own before it
 * looks at anything from the wire.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "sensor/harden.h"
#include "sensor/log.h"
#include "sensor/supervise.h"
#include "sensor/verifier_process.h"

#define KEEP_MAX (5 + 2 * WORKERS_MAX + INTERFACES_MAX)

volatile int child_stopped;

struct keep {
	int fd[KEEP_MAX];
	unsigned n;
};

static void
on_term(int sig)
{
	(void)sig;
	child_stopped = 1;
}

const char *
child_name(const struct child *c, char buf[24])
{
	if (c->role == ROLE_WORKER)
		(void)snprintf(buf, 24, "worker %u", c->number);
	else
		(void)snprintf(buf, 24, "%s",
		    c->role == ROLE_JUDGE   ? "judge"
		    : c->role == ROLE_FEEDS ? "feeds"
					    : "verifier");
	return buf;
}

static void
keep(struct keep *k, int fd)
{
	if (k->n < KEEP_MAX)
		k->fd[k->n++] = fd;
}

/* Captures and queues of others: out of its memory. */
static void
drop_workers(struct supervisor *s, const struct child *me)
{
	for (unsigned i = 0; i < s->nworkers; i++) {
		struct child *c = &s->worker[i];

		if (c == me)
			continue;
		for (unsigned n = 0; n < s->cfg->ninterfaces; n++)
			live_close(c->live[n]);
		if (me->role != ROLE_JUDGE)
			ring_free(c->ring);
	}
	if (me->role != ROLE_JUDGE && me->role != ROLE_FEEDS)
		ring_free(s->events);
}

static void
set_signals(void)
{
	struct sigaction sa = {.sa_handler = on_term};
	sigset_t none;

	sigemptyset(&none);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGINT, SIG_IGN); /* the supervisor tells when to stop */
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Ends with the supervisor. The judge does not: it sees its socket close, and
 * stores what is on the way. */
void
child_end_with_parent(pid_t parent, int sig)
{
	(void)prctl(PR_SET_PDEATHSIG, sig);
	if (getppid() != parent)
		_exit(1);
}

int
child_failed(const char *err)
{
	log_line(LOG_LEVEL_ERROR, "%s", err);
	return 2;
}

/* ---- the worker ---- */

static int
worker_main(struct supervisor *s, struct child *c, pid_t parent)
{
	unsigned of = s->nworkers;
	const struct pipeline_config *p = s->cfg->cfg;
	struct worker_config wc = {.front = {.tracker = p->tracker,
				       .tls_bytes = p->tls_bytes,
				       .secret_key = s->secret_key,
				       .lines = p->lines},
	    .out = c->ring,
	    .board = c->board,
	    .number = c->number,
	    .of = of,
	    .epoch = c->epoch,
	    .nlive = s->cfg->ninterfaces,
	    .stop = &child_stopped};
	struct sandbox box = s->sandbox;
	struct worker *w;
	char err[300] = "";
	int status;

	worker_share(&wc.front, of);
	wc.front.tracker.first_number = worker_first_flow(c->number, c->epoch);
	memcpy(wc.live, c->live, sizeof(wc.live));
	box.role = SANDBOX_WORKER;
	box.nfolders = 0;
	if (sandbox_user(&box, err, sizeof(err)) == -1)
		return child_failed(err);
	child_end_with_parent(parent, SIGTERM);
	w = worker_new(&wc, err, sizeof(err));
	if (w == NULL || sandbox_enter(&box, err, sizeof(err)) == -1)
		return child_failed(err);
	status = worker_live(w);
	worker_free(w);
	return status;
}

/* ---- the verifier ---- */

/* Trust store and products are those that the supervisor loaded: what lies on
 * the disk by now may not load. */
static int
verifier_main(struct supervisor *s, int fd, pid_t parent)
{
	struct sandbox box = s->sandbox;
	char err[600] = "";

	box.role = SANDBOX_VERIFIER;
	box.nfolders = 0;
	if (sandbox_user(&box, err, sizeof(err)) == -1)
		return child_failed(err);
	child_end_with_parent(parent, SIGKILL);
	if (sandbox_enter(&box, err, sizeof(err)) == -1)
		return child_failed(err);
	verifier_process_serve(s->in_force.trust, fd, s->verified);
	return 0;
}

/* ---- the judge ---- */

static int
enter_judge(void *ctx, char *err, size_t errlen)
{
	return sandbox_enter(ctx, err, errlen);
}

static void
on_say(void *ctx, enum say what, const char *text)
{
	static const enum log_level level[] = {[SAY_DETAIL] = LOG_LEVEL_DETAIL,
	    [SAY_NOTE] = LOG_LEVEL_NOTE,
	    [SAY_PROBLEM] = LOG_LEVEL_ERROR,
	    [SAY_LOSS] = LOG_LEVEL_ERROR};

	(void)ctx;
	log_line(level[what], "%s", text);
}

/* A sign of life. */
static void
on_busy(void *ctx)
{
	struct supervisor *s = ctx;

	atomic_fetch_add(&s->judged->beat, 1);
}

static void
on_event(void *ctx, const struct event *e, const char *id)
{
	struct supervisor *s = ctx;

	(void)feeds_put(s->events, s->feeds_board, e, id);
}

static int
judge_main(struct supervisor *s, int verifier)
{
	struct ring *rings[WORKERS_MAX];
	const struct board *boards[WORKERS_MAX];
	struct pipeline_config cfg = *s->cfg->cfg;
	struct bundle *texts = s->in_force.texts;
	const struct rule_reader reader = bundle_reader(texts);
	struct sandbox box = s->sandbox;
	struct judge_process jp = {.cfg = &cfg,
	    .rings = rings,
	    .nrings = s->nworkers,
	    .boards = boards,
	    .ninterfaces = s->cfg->ninterfaces,
	    .verifier = verifier,
	    .control = s->control,
	    .board = s->judged,
	    .enter = enter_judge,
	    .ctx = &box,
	    .again = s->cfg->again};
	char err[300];

	box.role = SANDBOX_JUDGE;
	cfg.rules_path = bundle_path(texts, BUNDLE_RULES);
	cfg.thresholds_path = bundle_path(texts, BUNDLE_THRESHOLDS);
	cfg.classification_path = bundle_path(texts, BUNDLE_CLASSIFICATION);
	cfg.reader = &reader;
	cfg.interceptors_path = NULL; /* the verifier's */
	cfg.on_say = on_say;
	cfg.on_busy = on_busy;
	cfg.on_event = on_event;
	cfg.eve_append = true;
	cfg.interfaces = s->cfg->interface;
	cfg.ninterfaces = s->cfg->ninterfaces;
	cfg.ctx = s;
	for (unsigned i = 0; i < s->nworkers; i++) {
		rings[i] = s->worker[i].ring;
		boards[i] = s->worker[i].board;
	}
	if (sandbox_user(&box, err, sizeof(err)) == -1)
		return child_failed(err);
	return judge_process_run(&jp);
}

/* ---- all of them ---- */

/* Standard error stays, for the log. */
static void
drop_input_and_output(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd == -1 || dup2(fd, STDIN_FILENO) == -1 ||
	    dup2(fd, STDOUT_FILENO) == -1)
		_exit(2);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

static int
child_main(struct supervisor *s, struct child *c, pid_t parent, int fd)
{
	struct keep k = {.n = 0};
	char name[24];

	log_init(child_name(c, name),
	    s->cfg->verbose ? LOG_LEVEL_DETAIL : LOG_LEVEL_NOTE);
	(void)prctl(PR_SET_NAME, name);
	set_signals();
	drop_input_and_output();
	if (c->role == ROLE_WORKER) {
		keep(&k, ring_data_fd(c->ring));
		keep(&k, ring_room_fd(c->ring));
		for (unsigned i = 0; i < s->cfg->ninterfaces; i++)
			keep(&k, live_fd(c->live[i]));
	} else if (fd != -1) {
		keep(&k, fd);
	}
	for (unsigned i = 0; c->role == ROLE_JUDGE && i < s->nworkers; i++) {
		keep(&k, ring_data_fd(s->worker[i].ring));
		keep(&k, ring_room_fd(s->worker[i].ring));
	}
	if (c->role == ROLE_JUDGE)
		keep(&k, s->control);
	if (c->role == ROLE_JUDGE || c->role == ROLE_FEEDS) {
		keep(&k, ring_data_fd(s->events));
		keep(&k, ring_room_fd(s->events));
	}
	drop_workers(s, c);
	harden_close_others(k.fd, k.n);
	if (c->role == ROLE_WORKER)
		return worker_main(s, c, parent);
	if (c->role == ROLE_VERIFIER)
		return verifier_main(s, fd, parent);
	if (c->role == ROLE_FEEDS)
		return feeds_child_main(s, parent);
	return judge_main(s, fd);
}

int
child_start(struct supervisor *s, struct child *c)
{
	pid_t parent = getpid(), pid = fork();
	struct timespec t;
	char name[24];

	if (pid == 0)
		_exit(child_main(s, c, parent,
		    c->role == ROLE_FEEDS ? s->feeds_end : s->verifier_end));
	if (pid == -1) {
		log_line(LOG_LEVEL_ERROR, "%s: cannot be started: %s",
		    child_name(c, name), strerror(errno));
		return -1;
	}
	clock_gettime(CLOCK_MONOTONIC, &t);
	c->pid = pid;
	c->started = c->beat_at =
	    (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	c->beat_cpu = 0;
	return 0;
}
