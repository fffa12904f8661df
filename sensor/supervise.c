/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A loop over signals, the judge's socket and askers for status, with a look
 * at all workers a few times a second.
 */
#include "sensor/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sensor/harden.h"
#include "sensor/log.h"
#include "sensor/notify.h"

#define LOOK_MS 200
#define QUICK_MS 2000 /* a process that lived no longer is not restarted at */
#define PAUSE_MS 500 /* once, but after this */
#define PAUSE_MAX_MS 4000 /* a judge whose disk is full is tried so often */
#define START_MS 80000 /* for all to be ready: history is read. systemd: 90 s */
#define END_WORKERS_MS 800
#define END_JUDGE_MS 1100
#define END_FEEDS_MS 1700 /* since the beginning of the end, or */
#define END_FEEDS_LEAST_MS 100

static void judge_says(struct supervisor *);

int64_t
supervise_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t
wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- what they share ---- */

static int
open_captures(struct supervisor *s, struct live *live[INTERFACES_MAX])
{
	struct live_config lc = s->cfg->live;
	char err[400];

	lc.workers = s->nworkers;
	for (unsigned i = 0; i < s->cfg->ninterfaces; i++) {
		lc.interface = s->cfg->interface[i];
		lc.group = ((unsigned)getpid() * INTERFACES_MAX + i) & 0xffff;
		live[i] = live_open(&lc, err, sizeof(err));
		if (err[0] != '\0')
			log_line(
			    live[i] == NULL ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
			    "%s", err);
		if (live[i] != NULL)
			continue;
		while (i-- > 0)
			live_close(live[i]);
		return -1;
	}
	return 0;
}

static int
prepare_worker(struct supervisor *s, unsigned number)
{
	struct child *c = &s->worker[number];
	char err[200] = "out of memory";

	c->role = ROLE_WORKER;
	c->number = number;
	c->board = harden_shared(sizeof(*c->board));
	c->ring = ring_new(QUEUE_BYTES, err, sizeof(err));
	if (c->board == NULL || c->ring == NULL) {
		log_line(LOG_LEVEL_ERROR, "%s", err);
		return -1;
	}
	crash_init_board(s->crash, c->board);
	return open_captures(s, c->live);
}

static int
find_user(struct supervisor *s)
{
	char err[200];

	if (sandbox_choose_user(&s->sandbox, s->cfg->user, err, sizeof(err)) ==
	    0)
		return 0;
	log_line(LOG_LEVEL_ERROR, "%s", err);
	return -1;
}

static int
set_folders(struct supervisor *s)
{
	const char *const file[] = {
	    s->cfg->cfg->db_path, s->cfg->cfg->eve_path};

	for (unsigned i = 0; i < 2; i++) {
		if (file[i] == NULL || strcmp(file[i], "-") == 0)
			continue;
		s->sandbox.folder[s->sandbox.nfolders] =
		    sandbox_folder_of(file[i]);
		if (s->sandbox.folder[s->sandbox.nfolders++] == NULL)
			return -1;
	}
	return 0;
}

static int
catch_signals(struct supervisor *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->signals == -1 ? -1 : 0;
}

static int
prepare(struct supervisor *s)
{
	char err[400];

	if (find_user(s) == -1 || set_folders(s) == -1 ||
	    catch_signals(s) == -1)
		return -1;
	if (getrandom(s->secret_key, sizeof(s->secret_key), 0) !=
	    (ssize_t)sizeof(s->secret_key))
		return -1;
	s->judged = harden_shared(sizeof(*s->judged));
	s->verified = harden_shared(sizeof(*s->verified));
	s->feeds_board = harden_shared(sizeof(*s->feeds_board));
	s->events = ring_new(EVENTS_BYTES, err, sizeof(err));
	s->crash = crash_new(s->cfg->crash_folder, s->cfg->whole_packets);
	if (s->judged == NULL || s->verified == NULL || s->crash == NULL ||
	    s->feeds_board == NULL || s->events == NULL) {
		log_line(LOG_LEVEL_ERROR, "out of memory");
		return -1;
	}
	for (unsigned i = 0; i < s->nworkers; i++)
		if (prepare_worker(s, i) == -1)
			return -1;
	if (s->cfg->socket[0] == '\0')
		return 0;
	s->listener = status_listen(s->cfg->socket, err, sizeof(err));
	if (s->listener != -1)
		return 0;
	log_line(LOG_LEVEL_ERROR, "%s", err);
	return -1;
}

/* ---- starting ---- */

/* The verifier and a socket to it, for whoever judges. Returns the judge's
 * end, -1: said. */
static int
start_verifier(struct supervisor *s)
{
	int pair[2], status;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	s->verifier.role = ROLE_VERIFIER;
	s->verifier_end = pair[0];
	status = child_start(s, &s->verifier);
	(void)close(pair[0]);
	if (status == 0)
		return pair[1];
	(void)close(pair[1]);
	return -1;
}

/* Judge and verifier belong together: what completes chains is with one, what
 * was asked with the other. */
static int
start_judge(struct supervisor *s)
{
	int pair[2], status, verifier = start_verifier(s);

	if (verifier == -1)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
		(void)close(verifier);
		return -1;
	}
	s->judge.role = ROLE_JUDGE;
	for (unsigned i = 0; i < s->nworkers; i++)
		atomic_store(&s->worker[i].board->judge, s->judge.epoch);
	s->judge.epoch++;
	s->verifier_end = verifier;
	s->control = pair[1];
	status = child_start(s, &s->judge);
	(void)close(pair[1]);
	(void)close(verifier);
	s->control = pair[0];
	s->ready = false;
	s->judge.beat = 0;
	return status;
}

void
supervise_tell(struct supervisor *s, enum finding_id id, const char *text)
{
	struct control c = {
	    .what = CONTROL_FINDING, .number = id, .time = wall_ns()};

	(void)snprintf(c.text, sizeof(c.text), "%.500s", text);
	log_line(LOG_LEVEL_WARN, "%s", text);
	if (s->control != -1)
		(void)control_send(s->control, &c, -1);
}

static int
start_workers(struct supervisor *s)
{
	for (unsigned i = 0; i < s->nworkers; i++)
		if (child_start(s, &s->worker[i]) == -1)
			return -1;
	return 0;
}

/* ---- what died ---- */

static void
how_it_died(const struct child *c, int status, char *text, size_t len)
{
	char name[24];

	if (WIFSIGNALED(status))
		(void)snprintf(text, len, "%s (pid %d) died of signal %d (%s)",
		    child_name(c, name), (int)c->pid, WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		(void)snprintf(text, len, "%s (pid %d) ended with status %d",
		    child_name(c, name), (int)c->pid, WEXITSTATUS(status));
}

/* Its successor's captures join before its own are closed: no other worker's
 * share of the packets changes. */
static void
replace_worker(struct supervisor *s, struct child *c)
{
	struct live *fresh[INTERFACES_MAX];

	if (open_captures(s, fresh) == -1)
		return; /* said; tried again at the next look */
	for (unsigned i = 0; i < s->cfg->ninterfaces; i++) {
		live_close(c->live[i]);
		c->live[i] = fresh[i];
	}
	c->epoch++;
	atomic_store(&c->board->ready, 0);
	memset(&c->board->totals, 0, sizeof(c->board->totals));
	memset(c->board->live, 0, sizeof(c->board->live));
	(void)child_start(s, c);
}

static void
worker_died(struct supervisor *s, struct child *c, int status)
{
	char how[160], where[400], text[600];

	how_it_died(c, status, how, sizeof(how));
	crash_note(s->crash, s, c->board, where, sizeof(where));
	for (unsigned i = 0; i < s->cfg->ninterfaces; i++) {
		s->gone.received += c->board->live[i].received;
		s->gone.dropped += c->board->live[i].dropped;
	}
	c->pid = 0;
	s->restarts++;
	(void)snprintf(text, sizeof(text), "%s %s", how, where);
	supervise_tell(s, FIND_SENSOR_RESTARTED, text);
	if (supervise_now() - c->started > QUICK_MS || c->epoch < 3)
		replace_worker(s, c);
}

void
supervise_replace_verifier(struct supervisor *s, bool other_trust)
{
	struct control c = {.what = CONTROL_VERIFIER, .number = other_trust};
	pid_t old = s->verifier.pid;
	int fd;

	s->verifier.pid = 0; /* its end is no death */
	fd = start_verifier(s);
	if (old != 0)
		(void)kill(old, SIGKILL);
	if (fd == -1 || control_send(s->control, &c, fd) == -1)
		log_line(LOG_LEVEL_ERROR, "the judge has no verifier");
	if (fd != -1)
		(void)close(fd);
}

/* One that ended by itself saw its judge go: a new one brings its own. If it
 * does not, the next look finds that there is none. */
static void
verifier_died(struct supervisor *s, int status)
{
	char how[160];

	how_it_died(&s->verifier, status, how, sizeof(how));
	s->verifier.pid = 0;
	if (s->judge.pid == 0 || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return;
	s->restarts++;
	if (supervise_now() - s->verifier.started > QUICK_MS)
		supervise_replace_verifier(s, false);
	supervise_tell(s, FIND_SENSOR_RESTARTED, how);
}

/* What the workers say waits in their queues. A judge that cannot work, such
 * as on a disk that is full, is tried again and again. */
static void
judge_died(struct supervisor *s, int status)
{
	bool quick = supervise_now() - s->judge.started < QUICK_MS;

	judge_says(s);
	if (s->judge_death[0] == '\0')
		how_it_died(
		    &s->judge, status, s->judge_death, sizeof(s->judge_death));
	s->judge.pid = 0;
	s->ready = false;
	(void)close(s->control);
	s->control = -1;
	reload_answer(s, NULL);
	if (s->failed || s->ending)
		return;
	if (s->verifier.pid != 0)
		(void)kill(s->verifier.pid, SIGKILL);
	s->restarts++;
	s->judge_pause = !quick ? 0 : s->judge_pause * 2 + PAUSE_MS;
	if (s->judge_pause > PAUSE_MAX_MS)
		s->judge_pause = PAUSE_MAX_MS;
	if (!quick)
		(void)start_judge(s);
}

static void
reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->judge.pid)
			judge_died(s, status);
		else if (pid == s->verifier.pid) {
			if (s->ending)
				s->verifier.pid = 0;
			else
				verifier_died(s, status);
		} else if (pid == s->feeds.pid) {
			char how[160];

			how_it_died(&s->feeds, status, how, sizeof(how));
			feeds_died(s, how, status);
		}
		for (unsigned i = 0; i < s->nworkers; i++) {
			if (s->worker[i].pid != pid)
				continue;
			if (s->ending)
				s->worker[i].pid = 0;
			else
				worker_died(s, &s->worker[i], status);
		}
	}
}

/* ---- what hangs, what is lost ---- */

static void
look(struct supervisor *s)
{
	static int64_t watchdog;
	int64_t now = supervise_now(), every = notify_watchdog_ms();

	for (unsigned i = 0; i < s->nworkers; i++) {
		struct child *c = &s->worker[i];

		if (c->pid == 0 && now - c->started > PAUSE_MS)
			replace_worker(s, c);
	}
	if (s->judge.pid == 0 && now - s->judge.started > s->judge_pause)
		(void)start_judge(s); /* said; tried again */
	if (s->verifier.pid == 0 && s->judge.pid != 0 &&
	    now - s->verifier.started > PAUSE_MS)
		supervise_replace_verifier(s, false);
	feeds_look(s, now);
	watch(s, now);
	if (every > 0 && now - watchdog > every / 3) {
		notify_send("WATCHDOG=1");
		watchdog = now;
	}
}

/* ---- the loop ---- */

/* It is told what became of the one before. */
static void
judge_ready(struct supervisor *s, unsigned rules)
{
	s->reloads.rules = rules;
	s->ready = s->was_ready = true;
	s->judge_pause = 0;
	s->judge_trouble[0] = '\0';
	if (s->judge_death[0] != '\0')
		supervise_tell(s, FIND_SENSOR_RESTARTED, s->judge_death);
	s->judge_death[0] = '\0';
}

static void
judge_says(struct supervisor *s)
{
	struct control c;
	int fd;

	while (s->control != -1 && control_receive(s->control, &c, &fd) == 1) {
		if (fd != -1)
			(void)close(fd);
		if (c.what == CONTROL_READY)
			judge_ready(s, c.number);
		if (c.what == CONTROL_LOADED || c.what == CONTROL_REFUSED)
			reload_answer(s, &c);
		if (c.what != CONTROL_FAILED)
			continue;
		if (strcmp(s->judge_trouble, c.text) != 0) /* once */
			log_line(LOG_LEVEL_ERROR, "%s", c.text);
		(void)snprintf(
		    s->judge_trouble, sizeof(s->judge_trouble), "%s", c.text);
		s->failed = !s->was_ready;
	}
}

static void
take_signals(struct supervisor *s)
{
	struct signalfd_siginfo si;

	while (read(s->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			s->ending = true;
		if (si.ssi_signo != SIGHUP)
			continue;
		s->reload = true;
		reload_reopen(s);
	}
	reap(s);
	if (!s->reload || !s->ready || s->reloads.pending || s->ending)
		return; /* a judge that is not ready hears of it when it is */
	s->reload = false;
	reload_begin(s);
}

static void
turn(struct supervisor *s, int ms)
{
	struct pollfd p[3] = {{s->signals, POLLIN, 0}, {s->control, POLLIN, 0},
	    {s->listener, POLLIN, 0}};

	if (poll(p, 3, ms) == -1 && errno != EINTR)
		return;
	judge_says(s);
	take_signals(s);
	if (p[2].revents != 0)
		status_answer(s);
}

static bool
all_ready(const struct supervisor *s)
{
	if (!s->ready)
		return false;
	for (unsigned i = 0; i < s->nworkers; i++)
		if (atomic_load(&s->worker[i].board->ready) == 0)
			return false;
	return true;
}

/* -1: they did not come up, which is said. */
static int
wait_ready(struct supervisor *s)
{
	int64_t until = supervise_now() + START_MS;

	while (!all_ready(s) && !s->failed && !s->ending &&
	       supervise_now() < until)
		turn(s, LOOK_MS);
	if (s->failed || s->ending)
		return s->failed ? -1 : 0;
	if (!all_ready(s)) {
		log_line(LOG_LEVEL_ERROR, "the processes did not start");
		return -1;
	}
	log_line(LOG_LEVEL_NOTE, "capturing with %u worker%s%s", s->nworkers,
	    s->nworkers == 1 ? "" : "s",
	    sandbox_is_off() ? ", WITHOUT a sandbox (sanitizers)" : "");
	notify_send("READY=1");
	return 0;
}

/* ---- the end ---- */

static bool
workers_live(const struct supervisor *s)
{
	for (unsigned i = 0; i < s->nworkers; i++)
		if (s->worker[i].pid != 0)
			return true;
	return false;
}

static void
signal_workers(const struct supervisor *s, int sig)
{
	for (unsigned i = 0; i < s->nworkers; i++)
		if (s->worker[i].pid != 0)
			(void)kill(s->worker[i].pid, sig);
}

/* Last, so that they have seen what the judge stored at the end; what they do
 * not send in the time that is left, they send after the next start. */
static void
end_feeds(struct supervisor *s, int64_t begun)
{
	int64_t least = supervise_now() + END_FEEDS_LEAST_MS;
	int64_t until = begun + END_FEEDS_MS;

	if (until < least)
		until = least;
	if (s->feeds.pid != 0)
		(void)kill(s->feeds.pid, SIGTERM);
	while (s->feeds.pid != 0 && supervise_now() < until)
		turn(s, 20);
	if (s->feeds.pid != 0)
		(void)kill(s->feeds.pid, SIGKILL);
}

/* Workers first, so that the judge has heard all that they had to say. */
static void
end_all(struct supervisor *s)
{
	struct control c = {.what = CONTROL_STOP};
	bool absent = s->was_ready && s->judge.pid == 0;
	int64_t begun = supervise_now(), until = begun + END_WORKERS_MS;

	s->ending = true;
	notify_send("STOPPING=1");
	signal_workers(s, SIGTERM);
	while (workers_live(s) && supervise_now() < until)
		turn(s, 50);
	signal_workers(s, SIGKILL);
	if (s->control != -1)
		(void)control_send(s->control, &c, -1);
	until = supervise_now() + END_JUDGE_MS;
	while (s->judge.pid != 0 && supervise_now() < until)
		turn(s, 50);
	if (s->judge.pid != 0) {
		log_line(LOG_LEVEL_ERROR, "the judge did not end in time: what "
					  "it had not stored is lost");
		(void)kill(s->judge.pid, SIGKILL);
	} else if (absent) {
		log_line(LOG_LEVEL_ERROR, "there was no judge at the end: what "
					  "was not judged is lost");
		s->failed = true;
	}
	end_feeds(s, begun);
	if (s->verifier.pid != 0)
		(void)kill(s->verifier.pid, SIGKILL);
	if (s->cfg->socket[0] != '\0' && s->listener != -1)
		(void)unlink(s->cfg->socket);
}

static int
run(struct supervisor *s)
{
	if (prepare(s) == -1 || reload_first(s) == -1)
		return 2;
	if (start_judge(s) == -1 || start_workers(s) == -1 ||
	    wait_ready(s) == -1) {
		end_all(s);
		return 2;
	}
	while (!s->ending && !s->failed) {
		turn(s, LOOK_MS);
		look(s);
	}
	end_all(s);
	log_line(LOG_LEVEL_NOTE, "ended");
	return s->failed ? 1 : 0;
}

int
supervise(struct supervise_config *cfg)
{
	static struct supervisor s;
	int status;

	s.cfg = cfg;
	s.nworkers = cfg->workers;
	s.control = s.listener = s.signals = -1;
	s.feeds_control = s.feeds_end = -1;
	s.started = wall_ns() / 1000000000;
	status = run(&s);
	for (unsigned i = 0; i < s.sandbox.nfolders; i++)
		free((char *)s.sandbox.folder[i]);
	reload_fini(&s);
	crash_free(s.crash);
	return status;
}
