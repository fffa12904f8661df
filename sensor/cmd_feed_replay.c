/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * History through a connection of its own: a feed like any other, whose events
 * come from a list instead of from behind a cursor, so that breaks are
 * overcome in the same way. Positions are places in that list, and no cursor
 * is kept.
 *
 * What was sent before has its text in the table of events. An alert that was
 * stored without, because there was no feed then, is made anew from its row:
 * the same id, without what the row does not hold (tls, metadata, target).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "db/event_id.h"
#include "db/feed_eve.h"
#include "db/query.h"
#include "sensor/cmd_feed.h"

#define GIVE_UP_MS 120000 /* without progress */
#define FRESH 1000 /* alerts from one view of the database */

struct replay {
	const char *db, *host, *name;
	struct outbox *box;
	struct query *q; /* NULL: not open */
	unsigned asked; /* since it was opened */
	struct outbox_item *list;
	int64_t n;
	int64_t arrived; /* the cursor */
	uint64_t rebuilt;
	struct outbox_batch found; /* events by seq */
	char line[EVE_LINE_MAX];
	char id[EVENT_ID_MAX];
	bool taken; /* line and id hold what is asked for */
};

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* ---- one item ---- */

static int
on_row(void *ctx, const struct query_row *row)
{
	struct replay *r = ctx;
	const struct alert *a = &row->alert;
	size_t n = eve_format(r->line, sizeof(r->line), a, r->host,
	    row->capture[0] != '\0' ? row->capture : NULL);

	if (n > 0)
		r->line[n - 1] = '\0';
	(void)event_alert_id(r->id, r->host, a);
	r->taken = n > 0;
	return 0;
}

static int
rebuild(struct replay *r, int64_t alert, char *err, size_t errlen)
{
	struct query_filter f;

	if (r->q != NULL && ++r->asked > FRESH) {
		query_close(r->q);
		r->q = NULL;
	}
	if (r->q == NULL) {
		r->asked = 0;
		r->q = query_open(r->db, err, errlen);
	}
	query_filter_init(&f);
	f.id = alert;
	r->taken = false;
	if (r->q == NULL || query_each(r->q, &f, on_row, r, err, errlen) == -1)
		return -1;
	r->rebuilt += r->taken;
	return 0;
}

/* Its place among those that were read last, which often holds the next. -1:
 * it is not there. */
static int
place_of(const struct outbox_batch *b, int64_t seq)
{
	unsigned low = 0, high = b->n;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (b->event[mid].seq < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low < b->n && b->event[low].seq == seq ? (int)low : -1;
}

/* What is not there any more is counted as failed, when it is its turn. */
static int
add_nothing(
    struct replay *r, struct outbox_batch *b, const struct outbox_item *i)
{
	const struct event e = {.seq = i - r->list + 1, .eve = ""};

	return outbox_batch_add(b, &e, "") ? 0 : 1;
}

static int
add_alert(struct replay *r, struct outbox_batch *b, const struct outbox_item *i,
    char *err, size_t errlen)
{
	struct event e = {.seq = i - r->list + 1,
	    .type = EVENT_ALERT,
	    .time = i->time,
	    .eve = r->line};

	if (rebuild(r, i->alert, err, errlen) == -1)
		return -1;
	if (!r->taken)
		return add_nothing(r, b, i);
	e.len = strlen(r->line);
	if (outbox_batch_add(b, &e, r->id))
		return 0;
	r->rebuilt--;
	return 1;
}

/* 1: the batch is full; -1: err. */
static int
add_event(struct replay *r, struct outbox_batch *b, const struct outbox_item *i,
    char *err, size_t errlen)
{
	struct event e;
	int at = place_of(&r->found, i->seq);

	if (at == -1 &&
	    outbox_read(r->box, i->seq - 1, &r->found, err, errlen) == -1)
		return -1;
	at = place_of(&r->found, i->seq);
	if (at == -1) /* retired meanwhile */
		return i->alert != 0 ? add_alert(r, b, i, err, errlen)
				     : add_nothing(r, b, i);
	e = r->found.event[at];
	e.seq = i - r->list + 1;
	return outbox_batch_add(b, &e, r->found.id[at]) ? 0 : 1;
}

/* ---- as the source of a feed ---- */

static int
source_read(
    void *from, int64_t after, struct outbox_batch *b, char *err, size_t errlen)
{
	struct replay *r = from;
	int status = 0;

	b->n = 0;
	b->used = 0;
	for (int64_t n = after; n < r->n && status == 0; n++) {
		const struct outbox_item *i = &r->list[n];

		status =
		    (i->seq != 0 ? add_event : add_alert)(r, b, i, err, errlen);
	}
	return status == -1 ? -1 : 0;
}

static int
source_lag(void *from, int64_t position, struct outbox_lag *lag, char *err,
    size_t errlen)
{
	const struct replay *r = from;

	(void)err;
	(void)errlen;
	*lag = (struct outbox_lag){.last = r->n};
	lag->events = (uint64_t)(r->n > position ? r->n - position : 0);
	return 0;
}

static int
source_load(void *from, const char *name, struct outbox_row *row, char *err,
    size_t errlen)
{
	const struct replay *r = from;

	(void)name;
	(void)err;
	(void)errlen;
	memset(row, 0, sizeof(*row));
	row->cursor = r->arrived;
	return 0;
}

static int
source_save(void *from, const char *name, const struct outbox_row *row,
    char *err, size_t errlen)
{
	struct replay *r = from;

	(void)name;
	(void)err;
	(void)errlen;
	r->arrived = row->cursor;
	return 0;
}

static void
source_close(void *from)
{
	(void)from; /* its owner does */
}

static const struct outbox_source source = {.read = source_read,
    .lag = source_lag,
    .load = source_load,
    .save = source_save,
    .close = source_close};

/* ---- sending ---- */

static void
on_say(void *ctx, bool bad, const char *text)
{
	(void)ctx;
	(void)bad;
	fprintf(stderr, "%s\n", text);
}

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

/* Until all of it was sent, a signal, or nothing has moved for long. */
static void
send_all(struct feed *f, struct feed_status *s)
{
	struct feed_clock c = now();
	int64_t moved = c.ms;
	uint64_t sent = 0;
	int ms;

	do {
		c = now();
		ms = feed_step(f, &c);
		feed_get_status(f, &c, s);
		if (s->sent != sent)
			moved = c.ms;
		sent = s->sent;
		if (ms > 0 && s->waiting > 0)
			(void)usleep((useconds_t)ms * 1000);
	} while (!stop && c.ms - moved < GIVE_UP_MS &&
		 (s->waiting > 0 || s->state != FEED_UP));
	c = now();
	feed_finish(f, &c, 1000);
	feed_get_status(f, &c, s);
}

static int
report(const struct replay *r, const struct feed_status *s)
{
	printf("%s: %lld alerts and incidents of that time, %llu messages "
	       "sent, of them %llu again after a break",
	    r->name, (long long)r->n, (unsigned long long)s->sent,
	    (unsigned long long)s->again);
	if (r->rebuilt > 0)
		printf("; %llu alerts are older than the feeds and were made "
		       "anew from their rows",
		    (unsigned long long)r->rebuilt);
	puts("");
	if (s->waiting == 0 && s->failed == 0)
		return 0;
	printf("%s: NOT all of it was sent: %llu wait, %llu failed%s%s\n",
	    r->name, (unsigned long long)s->waiting,
	    (unsigned long long)s->failed, s->error[0] != '\0' ? ": " : "",
	    s->error);
	return 1;
}

static int
replay(struct replay *r, const struct feed_options *o,
    const struct config_feed *f, char *err, size_t errlen)
{
	struct feed_env env = {.source = &source, .from = r, .say = on_say};
	struct feed_config c;
	struct feed_status s;
	struct feed *feed;

	env.transport = feed_prepare(o, f, &c, err);
	if (env.transport == NULL)
		return 2;
	env.ops = transport_ops(&c.transport);
	r->box = outbox_open(r->db, err, errlen);
	if (r->box == NULL)
		return 2;
	r->n =
	    outbox_history(r->box, o->since, o->until, &r->list, err, errlen);
	if (r->n == -1 || (feed = feed_new(&c, &env, err, errlen)) == NULL)
		return 2;
	send_all(feed, &s);
	feed_free(feed);
	feeds_config_free(&c);
	return report(r, &s);
}

int
feed_replay(struct feed_options *o)
{
	static struct replay r;
	struct sigaction sa = {.sa_handler = on_signal};
	const struct config_feed *f = feed_find(o);
	char err[600] = "";
	int status;

	if (f == NULL)
		return 2;
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	r.db = o->config.database;
	r.host = o->host;
	r.name = f->name;
	status = replay(&r, o, f, err, sizeof(err));
	if (status == 2)
		fprintf(
		    stderr, "stripwire feed --replay %s: %s\n", f->name, err);
	query_close(r.q);
	outbox_close(r.box);
	outbox_batch_free(&r.found);
	free(r.list);
	return status;
}
