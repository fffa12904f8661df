/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loop of a feed, one step at a time.
 *
 * Positions, all of them numbers of the table events: `cursor` (from there it
 * would be sent again) <= `position` (handed over, or not wanted) <= `highest`
 * (the furthest it ever was). A break sets position back to cursor.
 *
 * A connection has to prove itself before the trouble counts as over: by
 * something that arrived, or where nobody acknowledges by two seconds without
 * a break and by having taken all that there was. Until then the waiting
 * between attempts grows on, and nothing is said, so a receiver that accepts
 * and closes, or never reads, fills no log.
 */
#include "db/feed.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/feed_queue.h"
#include "db/feed_window.h"

#define PROOF_MS 2000
#define NO_ROOM_MS 100 /* for a transport's queue to get shorter */
#define ON_ITS_WAY_MS 100 /* for what is sent to arrive */
#define UNSAVED_TOLD 5 /* times in a row: it is no moment */
#define DATAGRAMS_LOST 8 /* in a row: nobody is there */
#define SAID_MAX (TRANSPORT_ERROR_MAX + 200)

struct feed {
	const struct feed_config *c;
	struct feed_env env;
	enum feed_state state;
	int64_t since, retry_at, backoff; /* ms */
	bool troubled; /* and said so */
	int64_t trouble_since;
	char said[TRANSPORT_ERROR_MAX];
	int64_t cursor, position, highest,
	    handed; /* handed: the last message */
	struct outbox_batch batch;
	unsigned next; /* in batch */
	struct window window;
	unsigned lost_in_a_row; /* datagrams */
	unsigned unsaved; /* times in a row */
	struct feed_queue queue;
	struct queued *held; /* taken, and not sent yet */
	uint64_t dropped_before; /* by processes before this one */
	struct outbox_row row;
	struct outbox_lag lag;
	int64_t saved_at;
	uint64_t breaks;
	atomic_bool reopen;
	char message[FEED_MESSAGE_MAX];
};

/* What is sent to a receiver whose machine has gone waits until the system
 * gives the connection up: transport_socket.c. */
static int64_t
noticing_ms(const struct feed_config *c)
{
	return (int64_t)TRANSPORT_GONE_TIMES * c->transport.timeout_ms;
}

struct feed *
feed_new(const struct feed_config *c, const struct feed_env *env, char *err,
    size_t errlen)
{
	struct feed *f = calloc(1, sizeof(*f));
	int status;

	if (f == NULL) {
		(void)snprintf(err, errlen, "out of memory");
		return NULL;
	}
	f->c = c;
	f->env = *env;
	feed_queue_init(&f->queue, c->queue_bytes);
	f->window.max_bytes = c->resend_bytes;
	f->window.max_ms =
	    c->resend_ms == 0 ? 0 : c->resend_ms + noticing_ms(c);
	status = env->source->load(env->from, c->name, &f->row, err, errlen);
	if (status != -1)
		status = env->source->lag(env->from, f->row.cursor, &f->lag,
			     err, errlen) == -1
			     ? -1
			     : status;
	if (status == -1) {
		free(f);
		return NULL;
	}
	if (status == 1) /* the store does not know it yet */
		f->row.cursor = f->lag.last;
	f->cursor = f->position = f->handed = f->row.cursor;
	f->highest = f->row.highest > f->cursor ? f->row.highest : f->cursor;
	f->dropped_before = f->row.dropped;
	return f;
}

void
feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	f->env.ops->close(f->env.transport);
	f->env.source->close(f->env.from);
	feed_queue_fini(&f->queue);
	free(f->held);
	outbox_batch_free(&f->batch);
	free(f);
}

void
feed_reopen(struct feed *f)
{
	atomic_store(&f->reopen, true);
}

bool
feed_offer(struct feed *f, const struct event *e, const char *id)
{
	if ((f->c->events & 1u << e->type) == 0)
		return true;
	return feed_queue_put(&f->queue, e, id);
}

const char *
feed_state_name(enum feed_state s)
{
	static const char *const names[] = {[FEED_STARTING] = "starting",
	    [FEED_UP] = "up",
	    [FEED_DOWN] = "down"};

	return s <= FEED_DOWN ? names[s] : "unknown";
}

static bool
knows(const struct feed *f, enum transport_memory m)
{
	return f->env.ops->memory == m;
}

/* ---- states ---- */

static void
say(const struct feed *f, bool bad, const char *text)
{
	if (f->env.say != NULL)
		f->env.say(f->env.ctx, bad, text);
}

static void
note_error(struct feed *f, const struct feed_clock *now, const char *err)
{
	(void)snprintf(f->row.error, sizeof(f->row.error), "%s", err);
	f->row.error_at = now->wall;
}

static void
go_back(struct feed *f)
{
	f->position = f->handed = f->cursor;
	f->batch.n = f->next = 0;
	window_reset(&f->window);
	f->lost_in_a_row = 0;
}

static void
break_down(struct feed *f, const struct feed_clock *now, const char *err)
{
	char text[SAID_MAX];

	f->env.ops->disconnect(f->env.transport);
	f->breaks += f->state != FEED_DOWN;
	if (f->state != FEED_DOWN)
		f->since = now->ms;
	f->state = FEED_DOWN;
	f->backoff = f->backoff == 0 ? FEED_BACKOFF_MIN : f->backoff * 2;
	if (f->backoff > FEED_BACKOFF_MAX)
		f->backoff = FEED_BACKOFF_MAX;
	f->retry_at = now->ms + f->backoff;
	go_back(f);
	note_error(f, now, err);
	if (!f->troubled)
		f->trouble_since = now->ms;
	else if (strcmp(f->said, err) == 0)
		return;
	f->troubled = true;
	(void)snprintf(f->said, sizeof(f->said), "%s", err);
	(void)snprintf(text, sizeof(text),
	    "feed %s: %s; events wait, and it is tried again", f->c->name, err);
	say(f, true, text);
}

/* The connection is good: what was wrong is over. */
static void
prove(struct feed *f, const struct feed_clock *now)
{
	char text[SAID_MAX];

	f->backoff = 0;
	if (!f->troubled)
		return;
	f->troubled = false;
	(void)snprintf(text, sizeof(text),
	    "feed %s: works again after %lld s, %llu events wait", f->c->name,
	    (long long)(now->ms - f->trouble_since + 999) / 1000,
	    (unsigned long long)f->lag.events);
	say(f, false, text);
}

static int
come_up(struct feed *f, const struct feed_clock *now)
{
	char err[TRANSPORT_ERROR_MAX] = "";

	if (f->env.ops->connect(f->env.transport, err) == -1) {
		break_down(f, now, err);
		return -1;
	}
	f->state = FEED_UP;
	f->since = now->ms;
	go_back(f);
	return 0;
}

/* ---- sending ---- */

/* 0: it went; 1: no room now; -1: broken down. */
static int
send_one(struct feed *f, const struct feed_clock *now, const struct message *m)
{
	char err[TRANSPORT_ERROR_MAX] = "";
	int64_t arrived;
	int status = f->env.ops->send(f->env.transport, m, err);

	if (status == 1 &&
	    f->env.ops->flush(f->env.transport, NO_ROOM_MS, &arrived, err) == 0)
		status = f->env.ops->send(f->env.transport, m, err);
	else if (status == 1)
		status = -1;
	if (status == 0) {
		f->row.sent++;
		f->row.again += m->seq != 0 && m->seq <= f->highest;
		f->lost_in_a_row = 0;
	}
	if (status != -1)
		return status;
	if (!knows(f, MEMORY_DATAGRAM)) {
		break_down(f, now, err);
		return -1;
	}
	f->row.failed++;
	note_error(f, now, err);
	if (++f->lost_in_a_row < DATAGRAMS_LOST)
		return 0;
	/* these were tried */
	f->cursor = m->seq > f->position ? m->seq : f->position;
	break_down(f, now, err);
	return -1;
}

/* Its message; 0: it cannot be written so, which is counted. */
static size_t
make_message(struct feed *f, const struct feed_clock *now,
    const struct event *e, const char *id)
{
	char err[TRANSPORT_ERROR_MAX];
	size_t n = feed_format(
	    f->message, sizeof(f->message), f->c->format, e, &f->c->me);

	if (n != 0)
		return n;
	f->row.failed++;
	(void)snprintf(err, sizeof(err), "event %s cannot be written as %s", id,
	    feed_format_name(f->c->format));
	note_error(f, now, err);
	return 0;
}

static int
send_event(struct feed *f, const struct feed_clock *now, const struct event *e,
    const char *id)
{
	char key[128];
	struct message m = {.seq = e->seq, .id = id, .bytes = f->message};
	int status;

	m.len = make_message(f, now, e, id);
	if (m.len == 0)
		return 0;
	m.key = feed_key(key, sizeof(key), e);
	status = send_one(f, now, &m);
	if (status == 0 && e->seq != 0) {
		f->handed = e->seq;
		if (knows(f, MEMORY_NONE))
			window_note(&f->window, f->position, m.len, now->ms);
	}
	return status;
}

static int
fill(struct feed *f, const struct feed_clock *now)
{
	char err[TRANSPORT_ERROR_MAX];

	f->next = 0;
	if (f->env.source->read(
		f->env.from, f->position, &f->batch, err, sizeof(err)) == 0)
		return 0;
	f->batch.n = 0;
	note_error(f, now, err);
	return -1;
}

/* A batch of those that are stored. Returns how many it passed, -1: broken. */
static int
send_stored(struct feed *f, const struct feed_clock *now)
{
	int passed = 0, status = 0;

	if (f->next == f->batch.n && fill(f, now) == -1)
		return 0;
	for (; f->next < f->batch.n; f->next++, passed++) {
		const struct event *e = &f->batch.event[f->next];

		if ((f->c->events & 1u << e->type) != 0)
			status = send_event(f, now, e, f->batch.id[f->next]);
		if (status != 0)
			break;
		f->position = e->seq;
		if (f->highest < e->seq)
			f->highest = e->seq;
	}
	return status == -1 ? -1 : passed;
}

static int
send_queued(struct feed *f, const struct feed_clock *now)
{
	int sent = 0, status;

	while (sent < OUTBOX_BATCH) {
		if (f->held == NULL)
			f->held = feed_queue_take(&f->queue);
		if (f->held == NULL)
			break;
		status = send_event(f, now, &f->held->event, f->held->id);
		if (status != 0)
			return status == -1 ? -1 : sent;
		free(f->held);
		f->held = NULL;
		sent++;
	}
	return sent;
}

/* ---- what has arrived ---- */

static bool
is_good(const struct feed *f, const struct feed_clock *now, int64_t arrived)
{
	if (knows(f, MEMORY_DATAGRAM))
		return now->ms - f->since >= PROOF_MS;
	if (arrived < f->handed || f->held != NULL)
		return false;
	return knows(f, MEMORY_CERTAIN) || now->ms - f->since >= PROOF_MS;
}

static void
advance(struct feed *f, const struct feed_clock *now, int64_t arrived)
{
	int64_t to = f->position;

	if (knows(f, MEMORY_NONE))
		to = window_start(&f->window, f->position, now->ms);
	else if (knows(f, MEMORY_CERTAIN) && arrived < f->handed)
		to = arrived;
	if (to > f->cursor)
		f->cursor = to;
	if (is_good(f, now, arrived))
		prove(f, now);
}

static int
flush(struct feed *f, const struct feed_clock *now, int wait_ms)
{
	char err[TRANSPORT_ERROR_MAX] = "";
	int64_t arrived = 0;
	int status =
	    f->env.ops->flush(f->env.transport, wait_ms, &arrived, err);

	if (arrived < f->cursor) /* of this connection, none yet */
		arrived = f->cursor;
	if (status == -1) {
		if (knows(f, MEMORY_CERTAIN) && arrived > f->cursor)
			f->cursor = arrived;
		break_down(f, now, err);
		return -1;
	}
	advance(f, now, arrived);
	return 0;
}

/* ---- the row ---- */

/* The judge may hold the database for a moment, and what the receiver said is
 * worth more. It is tried again in a second. */
static void
note_unsaved(struct feed *f, const struct feed_clock *now, const char *err)
{
	if (++f->unsaved >= UNSAVED_TOLD && !f->troubled)
		note_error(f, now, err);
}

/* The store counts what it retired unsent, and has moved the cursor then. */
static void
take_expired(struct feed *f)
{
	struct outbox_row row;
	char err[TRANSPORT_ERROR_MAX];

	if (f->env.source->load(
		f->env.from, f->c->name, &row, err, sizeof(err)) != 0)
		return;
	f->row.expired = row.expired;
	if (row.cursor > f->cursor)
		f->cursor = row.cursor;
	if (row.cursor > f->position) {
		f->position = row.cursor;
		f->batch.n = f->next = 0;
	}
}

static void
save(struct feed *f, const struct feed_clock *now)
{
	char err[TRANSPORT_ERROR_MAX];
	int64_t at = knows(f, MEMORY_CERTAIN) ? f->cursor : f->position;

	f->saved_at = now->ms;
	f->row.cursor = f->cursor;
	f->row.highest = f->highest;
	f->row.dropped = f->dropped_before + feed_queue_dropped(&f->queue);
	if (f->env.source->save(
		f->env.from, f->c->name, &f->row, err, sizeof(err)) == -1)
		note_unsaved(f, now, err);
	else
		f->unsaved = 0;
	take_expired(f);
	if (f->env.source->lag(f->env.from, at, &f->lag, err, sizeof(err)) ==
	    -1)
		note_unsaved(f, now, err);
}

/* ---- steps ---- */

static int
reopen(struct feed *f, const struct feed_clock *now)
{
	char err[TRANSPORT_ERROR_MAX] = "";

	if (!atomic_exchange(&f->reopen, false) || f->env.ops->reopen == NULL ||
	    f->env.ops->reopen(f->env.transport, err) == 0)
		return 0;
	break_down(f, now, err);
	return -1;
}

static int
work(struct feed *f, const struct feed_clock *now)
{
	int stored, queued = 0, wait;

	if (reopen(f, now) == -1)
		return -1;
	stored = send_stored(f, now);
	if (stored != -1)
		queued = send_queued(f, now);
	if (stored == -1 || queued == -1)
		return -1;
	wait = stored + queued == 0 && f->handed > f->cursor &&
		       knows(f, MEMORY_CERTAIN)
		   ? ON_ITS_WAY_MS
		   : 0;
	if (flush(f, now, wait) == -1)
		return -1;
	return stored + queued;
}

int
feed_step(struct feed *f, const struct feed_clock *now)
{
	int done = -1;

	if (f->state == FEED_UP ||
	    (now->ms >= f->retry_at && come_up(f, now) == 0))
		done = work(f, now);
	if (now->ms - f->saved_at >= FEED_SAVE_MS || f->saved_at == 0)
		save(f, now);
	if (done > 0 || (done == 0 && f->held != NULL))
		return 0;
	if (done == 0)
		return FEED_IDLE_MS;
	if (f->retry_at - now->ms > FEED_SAVE_MS)
		return FEED_SAVE_MS; /* status goes on */
	return f->retry_at > now->ms ? (int)(f->retry_at - now->ms) : 0;
}

void
feed_finish(struct feed *f, const struct feed_clock *now, int wait_ms)
{
	if (f->state == FEED_UP && send_stored(f, now) != -1)
		(void)flush(f, now, wait_ms);
	save(f, now);
	f->env.ops->disconnect(f->env.transport);
}

void
feed_get_status(
    struct feed *f, const struct feed_clock *now, struct feed_status *out)
{
	memset(out, 0, sizeof(*out));
	out->state = f->state;
	out->since = f->since;
	out->waiting = f->lag.events;
	if (f->lag.oldest != 0 && now->wall > f->lag.oldest)
		out->lag_ms = (now->wall - f->lag.oldest) / 1000000;
	out->sent = f->row.sent;
	out->again = f->row.again;
	out->failed = f->row.failed;
	out->dropped = f->dropped_before + feed_queue_dropped(&f->queue);
	out->expired = f->row.expired;
	out->breaks = f->breaks;
	(void)snprintf(out->error, sizeof(out->error), "%s", f->row.error);
	out->error_at = f->row.error_at;
}
