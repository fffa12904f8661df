/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A loop over the queues, the clock and what the supervisor says.
 */
#include "sensor/judge_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sensor/bundle.h"
#include "sensor/records.h"
#include "sensor/worker.h"

#define ROUND 2048 /* records between looks at clock and supervisor */
#define SAVE_MS 1000 /* between savings of incidents, and of some history */
#define RETAIN_MS 1000 /* between looks at what was kept long enough */
#define RETAIN_AGAIN_MS 50
#define LEARN_MS 10000 /* between looks at how much is known */
#define STATS_MS 10000 /* between events of the counters */
#define WAIT_MS 100
#define ORPHAN_MS 400 /* the supervisor has gone: workers may still speak */

struct judging {
	const struct judge_process *p;
	struct backend *b;
	struct merge *m;
	struct judge_board *n;
	uint64_t packets, bytes, flows;
	int64_t looked; /* ms: at the history */
	bool stop;
};

int
control_send(int sock, const struct control *c, int fd)
{
	char room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec io = {(void *)c, sizeof(*c)};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
	struct cmsghdr *h;

	if (fd != -1) {
		m.msg_control = room;
		m.msg_controllen = sizeof(room);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(int));
	}
	return sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT) ==
		       (ssize_t)sizeof(*c)
		   ? 0
		   : -1;
}

int
control_receive(int sock, struct control *c, int *fd)
{
	char room[CMSG_SPACE(sizeof(int))];
	struct iovec io = {c, sizeof(*c)};
	struct msghdr m = {.msg_iov = &io,
	    .msg_iovlen = 1,
	    .msg_control = room,
	    .msg_controllen = sizeof(room)};
	struct cmsghdr *h;
	ssize_t got = recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*fd = -1;
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got != (ssize_t)sizeof(*c))
		return -1;
	c->text[sizeof(c->text) - 1] = '\0';
	h = CMSG_FIRSTHDR(&m);
	if (h != NULL && h->cmsg_level == SOL_SOCKET &&
	    h->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(h), sizeof(int));
	return 1;
}

/* ---- records ---- */

/* What the worker's predecessors followed will never end. */
static void
take_epoch(struct judging *j, const uint8_t *bytes, size_t len, unsigned from)
{
	struct record_epoch e;

	if (len != sizeof(e))
		return;
	memcpy(&e, bytes, sizeof(e));
	if (e.worker == from && (e.epoch & 0xffff) != 0)
		backend_cut(j->b, worker_first_flow(from, 0),
		    worker_first_flow(from, e.epoch) - 1);
}

static void
note_obs(struct judging *j, const struct obs *o)
{
	struct timespec t;

	if (o->kind == OBS_NONE)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	j->n->observations++;
	j->n->lag = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec - o->time;
	j->flows += o->kind == OBS_FLOW_OPEN;
	if (o->kind == OBS_FLOW_END)
		j->packets += o->u.end.packets[0] + o->u.end.packets[1];
}

static void
take(struct judging *j, const struct ring_record *r, const uint8_t *bytes,
    unsigned from)
{
	struct obs o;

	if (r->type == REC_EPOCH)
		take_epoch(j, bytes, r->size, from);
	else if (records_take(j->b, r, bytes, &o, (int)from))
		note_obs(j, &o);
	else
		j->n->refused++;
	j->n->chains += r->type == REC_CHAIN;
}

/* Those that are due, a round of them at most. */
static unsigned
take_round(struct judging *j)
{
	struct ring_record r;
	const uint8_t *bytes;
	unsigned from, n = 0;

	while (n < ROUND && merge_next(j->m, &r, &bytes, &from)) {
		take(j, &r, bytes, from);
		n++;
	}
	return n;
}

/* ---- the supervisor ---- */

static void
tell(const struct judge_process *p, enum control_what what, unsigned number,
    const char *text)
{
	struct control c = {.what = what, .number = number};

	(void)snprintf(c.text, sizeof(c.text), "%.500s", text);
	(void)control_send(p->control, &c, -1);
}

static unsigned
rules_of(const struct backend *b)
{
	const struct ruleset *rules = backend_rules(b);

	return rules != NULL ? ruleset_count(rules) : 0;
}

static void
on_config_mistake(void *ctx, const char *line)
{
	backend_say(ctx, SAY_PROBLEM, "%s", line);
}

/* The supervisor has loaded the same with the same code. Returns what is wrong
 * with it here all the same, or NULL. */
static const char *
load_bundle(struct judging *j, struct bundle *u)
{
	const struct reconfigure *again = j->p->again;
	const struct rule_reader reader = bundle_reader(u);
	const struct pipeline_config *p = again->prepare(
	    again->ctx, bundle_config(u), false, on_config_mistake, j->b);
	struct pipeline_config cfg;

	if (p == NULL)
		return "the configuration did not load";
	cfg = *p;
	cfg.rules_path = bundle_path(u, BUNDLE_RULES);
	cfg.thresholds_path = bundle_path(u, BUNDLE_THRESHOLDS);
	cfg.classification_path = bundle_path(u, BUNDLE_CLASSIFICATION);
	cfg.reader = &reader;
	if (backend_reload(j->b, &cfg) == -1) {
		again->drop(again->ctx);
		return "the rules did not load";
	}
	again->take(again->ctx, NULL, NULL);
	backend_reconfigure(j->b, again->cfg);
	return NULL;
}

static void
reload(struct judging *j, int fd)
{
	struct bundle *u = fd != -1 ? bundle_from_fd(fd) : NULL;
	const char *why = u != NULL ? load_bundle(j, u)
				    : "what was handed over makes no sense";

	bundle_free(u);
	tell(j->p, why == NULL ? CONTROL_LOADED : CONTROL_REFUSED,
	    rules_of(j->b), why != NULL ? why : "");
}

/* What it said goes to the log that there is now. */
static void
reopen(struct judging *j, int fd)
{
	if (fd != -1)
		(void)dup2(fd, STDERR_FILENO);
	backend_reopen(j->b);
}

/* Takes *fd if it keeps it: then it is -1. */
static void
obey_one(struct judging *j, const struct control *c, int *fd)
{
	switch (c->what) {
	case CONTROL_FINDING:
		if (c->number == FIND_SENSOR_RESTARTED ||
		    c->number == FIND_SENSOR_PACKETS_LOST)
			judge_sensor(backend_judge(j->b),
			    (enum finding_id)c->number, c->time, c->text);
		break;
	case CONTROL_VERIFIER:
		if (c->number == 1)
			verify_forget(backend_verify(j->b));
		verify_reconnect(backend_verify(j->b), *fd);
		*fd = -1;
		break;
	case CONTROL_REOPEN:
		reopen(j, *fd);
		break;
	case CONTROL_RELOAD:
		reload(j, *fd);
		break;
	case CONTROL_STOP:
		j->stop = true;
		break;
	default:
		break;
	}
}

static void
obey(struct judging *j)
{
	struct control c;
	int fd, got;

	while ((got = control_receive(j->p->control, &c, &fd)) == 1) {
		obey_one(j, &c, &fd);
		if (fd != -1)
			(void)close(fd);
	}
	if (got == -1)
		j->stop = true;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What is in the queues, and what the workers put there while they end. */
static void
drain(struct judging *j)
{
	int64_t quiet = now_ms();

	while (now_ms() - quiet < ORPHAN_MS) {
		if (take_round(j) > 0)
			quiet = now_ms();
		else if (merge_is_empty(j->m) && now_ms() - quiet > 50)
			break;
		else
			(void)merge_wait(j->m, -1, 10);
	}
}

static void
weigh(struct judging *j)
{
	struct table_use *m = j->n->memory, queue = {0, 0, 0, 0};
	struct judge_memory jm;

	for (unsigned i = 0; i < j->p->nrings; i++)
		queue.bytes += ring_size(j->p->rings[i]);
	queue.max_bytes = queue.bytes;
	m[MEM_QUEUE] = queue;
	judge_memory(backend_judge(j->b), &jm);
	m[MEM_JUDGED] = jm.flows;
	m[MEM_PAIRS] = jm.pairs;
	m[MEM_LIMITS] = jm.limits;
	m[MEM_VERDICTS] = verify_use(backend_verify(j->b));
	backend_memory(j->b, m);
	m[MEM_HEAP_FREE] = memory_heap_free();
}

static void
publish(struct judging *j)
{
	int64_t now = now_ms();

	if (j->looked == 0 || now - j->looked > LEARN_MS) {
		backend_knowledge(j->b, &j->n->known);
		weigh(j);
		j->looked = now;
	}
	backend_totals(j->b, &j->n->totals);
	j->n->unanswered = verify_unanswered(backend_verify(j->b));
}

/* Of alerts, while the store could not be written. */
static void
tell_loss(struct judging *j)
{
	struct timespec t;
	char text[600];

	if (!backend_take_loss(j->b, text, sizeof(text)))
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	judge_sensor(backend_judge(j->b), FIND_SENSOR_ALERTS_LOST,
	    (int64_t)t.tv_sec * 1000000000 + t.tv_nsec, text);
}

/* What all workers count, as they show it. */
static void
tell_stats(struct judging *j)
{
	struct frontend_totals sum = {.packets = 0};
	struct live_counters live = {0, 0, 0};

	for (unsigned i = 0; i < j->p->nrings; i++) {
		const struct board *b = j->p->boards[i];
		struct frontend_totals t = b->totals;

		frontend_totals_add(&sum, &t);
		for (unsigned n = 0; n < j->p->ninterfaces; n++)
			live_counters_add(&live, &b->live[n]);
	}
	backend_stats(j->b, &sum, &live);
}

/* What is due by the clock. */
struct due {
	int64_t saved, retain, told; /* ms */
	uint64_t ended; /* incidents, when they were saved */
};

static void
do_due(struct judging *j, struct due *d)
{
	uint64_t ended = j->n->totals.incidents.ended;

	/* those that ended are kept until then, and no more than that */
	if (now_ms() - d->saved > SAVE_MS ||
	    ended - d->ended >= INCIDENTS_MAX) {
		d->ended = ended;
		backend_keep_incidents(j->b);
		backend_keep_some(j->b);
		d->saved = now_ms();
	}
	if (now_ms() > d->retain)
		d->retain = now_ms() + (backend_retain(j->b) ? RETAIN_AGAIN_MS
							     : RETAIN_MS);
	if (now_ms() - d->told > STATS_MS) {
		tell_stats(j);
		d->told = now_ms();
	}
}

static void
work(struct judging *j)
{
	int64_t now = now_ms();
	struct due due = {now, now + RETAIN_MS, now, 0};

	while (!j->stop) {
		unsigned n = take_round(j);

		atomic_fetch_add(&j->n->beat, 1);
		backend_poll(j->b);
		tell_loss(j);
		publish(j);
		do_due(j, &due);
		if (n == 0)
			(void)merge_wait(j->m, j->p->control, WAIT_MS);
		obey(j);
	}
	drain(j);
	backend_flush(j->b);
	backend_keep_incidents(j->b);
	backend_keep(j->b);
}

/* A verifier that hangs keeps nothing from the disk. */
static void
while_waiting(void *ctx)
{
	struct judging *j = ctx;

	backend_poll(j->b);
}

#ifdef STRIPWIRE_TEST_HOOKS
static void
turn_in_a_circle(int sig)
{
	(void)sig;
	for (;;)
		(void)0;
}
#endif

int
judge_process_run(const struct judge_process *p)
{
	struct judging j = {.p = p, .n = p->board};
	char err[700];
	int status;

	j.b = backend_new(p->cfg, p->verifier, err, sizeof(err));
	j.m = merge_new(p->rings, p->nrings, true);
	if (j.b == NULL || j.m == NULL ||
	    p->enter(p->ctx, err, sizeof(err)) == -1) {
		tell(p, CONTROL_FAILED, 0, j.m == NULL ? "out of memory" : err);
		merge_free(j.m);
		backend_free(j.b);
		return 2;
	}
#ifdef STRIPWIRE_TEST_HOOKS
	(void)signal(SIGUSR1, turn_in_a_circle);
#endif
	verify_on_wait(backend_verify(j.b), while_waiting, &j);
	backend_begin(j.b);
	backend_keep(j.b); /* from here on nothing is taken back */
	publish(&j); /* not what the one before it counted */
	tell(p, CONTROL_READY, rules_of(j.b), "");
	work(&j);
	publish(&j);
	status = backend_end(j.b, j.packets, j.bytes, j.flows);
	merge_free(j.m);
	backend_free(j.b);
	return status;
}
