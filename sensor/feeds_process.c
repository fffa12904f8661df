/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main thread hands events out that go past the database, and looks after
 * signals; each other thread is one feed. At the end a thread that is held up
 * by its receiver is left behind: what it has not sent stays in the database.
 */
#include "sensor/feeds_process.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS 100
#define END_MS 700 /* for all threads to end */
#define LAST_MS 300 /* of it for what is on its way */

struct runner { /* one feed */
	struct feed_config config;
	struct feed_env env;
	struct feed *feed;
	struct feeds_slot *slot;
	struct feeds *all;
	pthread_t thread;
	bool started;
	atomic_bool ended;
	bool idle; /* under lock: nothing waits */
};

struct feeds {
	const struct feeds_process *p;
	struct runner *runner;
	unsigned n;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	unsigned generation; /* of events handed out: wakes the threads */
};

static struct feed_clock
now(void)
{
	struct timespec t, w;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	(void)clock_gettime(CLOCK_REALTIME, &w);
	return (struct feed_clock){
	    (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000,
	    (int64_t)w.tv_sec * 1000000000 + w.tv_nsec};
}

static void
say(const struct feeds_process *p, bool bad, const char *text)
{
	p->say(p->ctx, bad, text);
}

/* ---- the board ---- */

static void
publish(struct runner *r, const struct feed_status *s)
{
	struct feeds_slot *slot = r->slot;
	uint32_t writing = atomic_load(&slot->lock) | 1;

	atomic_store(&slot->lock, writing);
	atomic_thread_fence(memory_order_seq_cst);
	slot->status = *s;
	atomic_thread_fence(memory_order_seq_cst);
	atomic_store(&slot->lock, writing + 1);
}

void
feeds_board_read(
    const struct feeds_board *b, unsigned i, struct feed_status *out)
{
	const struct feeds_slot *slot = &b->slot[i];
	uint32_t before;

	for (int tries = 0; tries < 1000; tries++) {
		before = atomic_load(&slot->lock);
		*out = slot->status;
		atomic_thread_fence(memory_order_seq_cst);
		if ((before & 1) == 0 && atomic_load(&slot->lock) == before)
			break;
	}
	out->error[sizeof(out->error) - 1] = '\0';
}

/* ---- a feed's thread ---- */

static bool
is_idle(const struct feed_status *s)
{
	return s->state == FEED_UP && s->waiting == 0;
}

/* Until there may be something to do. True: the end. */
static bool
rest(struct runner *r, int ms, unsigned *seen, const struct feed_status *s)
{
	struct feeds *all = r->all;
	struct timespec until;
	bool stop;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	(void)pthread_mutex_lock(&all->lock);
	r->idle = is_idle(s);
	while (ms > 0 && !all->stop && *seen == all->generation)
		if (pthread_cond_timedwait(&all->wake, &all->lock, &until) ==
		    ETIMEDOUT)
			break;
	*seen = all->generation;
	stop = all->stop;
	(void)pthread_mutex_unlock(&all->lock);
	return stop;
}

static void *
run_feed(void *arg)
{
	struct runner *r = arg;
	struct feed_status s;
	struct feed_clock c;
	unsigned seen = 0;
	int ms;

	do {
		c = now();
		ms = feed_step(r->feed, &c);
		feed_get_status(r->feed, &c, &s);
		publish(r, &s);
	} while (!rest(r, ms, &seen, &s));
	c = now();
	feed_finish(r->feed, &c, LAST_MS);
	feed_get_status(r->feed, &c, &s);
	publish(r, &s);
	atomic_store(&r->ended, true);
	return NULL;
}

/* ---- what goes past the database ---- */

bool
feeds_put(struct ring *r, struct feeds_board *b, const struct event *e,
    const char *id)
{
	struct ring_record head = {.type = 1 + (uint32_t)e->type};
	struct feeds_record rec = {.time = e->time};
	const struct slice part[] = {{(const uint8_t *)&rec, sizeof(rec)},
	    {(const uint8_t *)e->eve, e->len}};

	(void)snprintf(rec.id, sizeof(rec.id), "%s", id);
	if (ring_put(r, &head, part, 2, 0))
		return true;
	atomic_fetch_add(&b->dropped, 1);
	return false;
}

static void
hand_out(struct feeds *f, const struct ring_record *head, uint8_t *bytes)
{
	struct feeds_record rec;
	struct event e = {.seq = 0};

	if (head->size <= sizeof(rec) || head->size >= RING_RECORD_MAX ||
	    head->type < 1 || head->type > EVENT_TYPES)
		return;
	memcpy(&rec, bytes, sizeof(rec));
	rec.id[sizeof(rec.id) - 1] = '\0';
	bytes[head->size] = '\0';
	e.type = (enum event_type)(head->type - 1);
	e.time = rec.time;
	e.eve = (const char *)bytes + sizeof(rec);
	e.len = strlen(e.eve);
	for (unsigned i = 0; i < f->n; i++)
		(void)feed_offer(f->runner[i].feed, &e, rec.id);
}

/* True if there was any. */
static bool
take_events(struct feeds *f)
{
	static uint8_t buf[RING_RECORD_MAX + 1];
	struct ring_record head;
	bool any = false;

	while (f->p->events != NULL && ring_peek(f->p->events, &head, buf)) {
		hand_out(f, &head, buf);
		ring_take(f->p->events);
		any = true;
	}
	return any;
}

static void
wait_for_events(struct feeds *f, int ms)
{
	struct pollfd p = {.fd = -1, .events = POLLIN};

	if (f->p->events == NULL) {
		(void)poll(NULL, 0, ms);
		return;
	}
	p.fd = ring_data_fd(f->p->events);
	if (ring_sleep(f->p->events))
		(void)poll(&p, 1, ms);
	ring_wake(f->p->events);
}

/* ---- the life of all ---- */

static void
signal_threads(struct feeds *f, bool stop)
{
	(void)pthread_mutex_lock(&f->lock);
	f->generation++;
	f->stop |= stop;
	(void)pthread_cond_broadcast(&f->wake);
	(void)pthread_mutex_unlock(&f->lock);
}

static bool
all_idle(struct feeds *f)
{
	bool idle = true;

	(void)pthread_mutex_lock(&f->lock);
	for (unsigned i = 0; i < f->n; i++)
		idle &= f->runner[i].idle;
	(void)pthread_mutex_unlock(&f->lock);
	return idle;
}

static void
work(struct feeds *f)
{
	const struct feeds_process *p = f->p;
	int reopened = *p->reopen, wanted;

	while (!*p->stop && !(p->until_sent && all_idle(f))) {
		atomic_fetch_add(&p->board->beat, 1);
		if (take_events(f))
			signal_threads(f, false);
		wanted = *p->reopen;
		if (p->turn != NULL)
			p->turn(p->ctx);
		if (wanted != reopened) {
			reopened = wanted;
			for (unsigned i = 0; i < f->n; i++)
				feed_reopen(f->runner[i].feed);
			signal_threads(f, false);
		}
		wait_for_events(f, TURN_MS);
	}
}

/* Keys and passwords, while we may read them. What does not open, such as a
 * key that is no key, is said and leaves the others alone. */
static unsigned
open_all(struct feeds *f)
{
	const struct feeds_process *p = f->p;
	char err[TRANSPORT_ERROR_MAX], text[TRANSPORT_ERROR_MAX + 128];
	struct feed_status broken = {.state = FEED_DOWN};

	for (unsigned i = 0; i < p->config->nfeeds; i++) {
		const struct config_feed *c = p->config->feed[i];
		struct runner *r = &f->runner[f->n];

		err[0] = '\0';
		r->slot = &p->board->slot[i];
		r->all = f;
		r->env.say = p->say;
		r->env.ctx = p->ctx;
		if (feeds_config(&r->config, c, p->host, err) == 0 &&
		    (r->env.transport = feeds_open(&r->config, err)) != NULL) {
			r->env.ops = transport_ops(&r->config.transport);
			f->n++;
			continue;
		}
		(void)snprintf(text, sizeof(text),
		    "feed %s: %s; it stays off until that is mended and the "
		    "sensor gets SIGHUP",
		    c->name, err);
		say(p, true, text);
		memcpy(broken.error, err, sizeof(broken.error));
		broken.error_at = now().wall;
		publish(r, &broken);
		feeds_config_free(&r->config);
	}
	atomic_store(&p->board->off, p->config->nfeeds - f->n);
	return f->n;
}

static int
open_feeds(struct feeds *f)
{
	char err[400], text[500];

	for (unsigned i = 0; i < f->n; i++) {
		struct runner *r = &f->runner[i];

		r->env.source = &outbox_source;
		r->env.from = outbox_open(f->p->db_path, err, sizeof(err));
		if (r->env.from != NULL)
			r->feed =
			    feed_new(&r->config, &r->env, err, sizeof(err));
		if (r->feed != NULL)
			continue;
		(void)snprintf(
		    text, sizeof(text), "feed %s: %s", r->config.name, err);
		say(f->p, true, text);
		return -1;
	}
	return 0;
}

static int
start_threads(struct feeds *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct runner *r = &f->runner[i];

		if (pthread_create(&r->thread, NULL, run_feed, r) != 0) {
			say(f->p, true, "feeds: a thread cannot be started");
			return -1;
		}
		r->started = true;
	}
	return 0;
}

/* False: a receiver holds one up, and it is left behind. */
static bool
end_threads(struct feeds *f)
{
	int64_t until = now().ms + END_MS;
	bool all = false;

	signal_threads(f, true);
	while (!all && now().ms < until) {
		all = true;
		for (unsigned i = 0; i < f->n; i++)
			all &= !f->runner[i].started ||
			       atomic_load(&f->runner[i].ended);
		if (!all)
			(void)poll(NULL, 0, 10);
	}
	for (unsigned i = 0; all && i < f->n; i++)
		if (f->runner[i].started)
			(void)pthread_join(f->runner[i].thread, NULL);
	return all;
}

/* Signals are the main thread's. */
static void
block_signals(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, before);
}

static int
run(struct feeds *f)
{
	const struct feeds_process *p = f->p;
	bool missing = open_all(f) < p->config->nfeeds, ended;
	char err[400] = "";
	sigset_t before;
	int status = 2;

	if (p->enter(p->ctx, err, sizeof(err)) == -1) {
		say(p, true, err);
		return 2;
	}
	if (open_feeds(f) == -1)
		return 2;
	block_signals(&before);
	if (start_threads(f) == 0)
		status = missing ? 1 : 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status != 2)
		work(f);
	if (p->until_sent && !all_idle(f))
		status = 1;
	ended = end_threads(f);
	if (!ended)
		_exit(p->until_sent ? status : 0);
	return p->until_sent ? status : 0;
}

int
feeds_process_run(const struct feeds_process *p)
{
	struct feeds f = {.p = p};
	pthread_condattr_t clock;
	int status;

	f.runner = calloc(CONFIG_FEEDS_MAX, sizeof(*f.runner));
	if (f.runner == NULL) {
		say(p, true, "feeds: out of memory");
		return 2;
	}
	(void)pthread_mutex_init(&f.lock, NULL);
	(void)pthread_condattr_init(&clock);
	(void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&f.wake, &clock);
	status = run(&f);
	for (unsigned i = 0; i < f.n; i++) {
		feed_free(f.runner[i].feed);
		feeds_config_free(&f.runner[i].config);
	}
	free(f.runner);
	return status;
}
