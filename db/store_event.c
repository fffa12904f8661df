/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What feeds send, and how long it waits for them.
 *
 * An event is written in the transaction of its alert, so that either both
 * are there or none. Its number says where it stands in the order of all;
 * a feed has a cursor in that order, which its own process moves. Here the
 * cursor is only moved when events that it has not passed must go: because
 * there are too many, or the alerts of that time are retired. So a receiver
 * that is away for weeks costs a table of known size.
 */
#include "db/store_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "db/event_id.h"
#include "db/feed_eve.h"

#define STEP 500 /* rows that go at a time */
#define SAY_AGAIN 600000 /* ms */
#define DAY (INT64_C(86400) * 1000000000)

struct row {
	enum event_type type;
	int64_t time, ref;
	const char *id;
	size_t len; /* of the line in event_text, with its newline */
};

static int
insert(struct store *s, const struct row *r)
{
	struct binder b;
	int rc;

	if (r->len == 0) {
		s->counters.unfed++;
		return SQLITE_OK;
	}
	if ((rc = store_stmt(s, ST_EVENT, &b)) != SQLITE_OK)
		return rc;
	s->event_text[r->len - 1] = '\0';
	bind_text(&b, r->type == EVENT_ALERT ? "alert" : "incident");
	bind_int(&b, r->time);
	bind_int(&b, store_wall_ns());
	bind_text(&b, r->id);
	bind_int(&b, r->ref);
	bind_text(&b, s->event_text);
	return store_step(&b);
}

static char *
line_room(struct store *s)
{
	if (s->event_text == NULL)
		s->event_text = malloc(EVE_LINE_MAX);
	return s->event_text;
}

int
store_alert_event(
    struct store *s, const struct alert *a, struct store_file *f, int64_t id)
{
	char text[EVENT_ID_MAX];
	struct row r = {EVENT_ALERT, a->finding.time, id,
	    event_alert_id(text, s->cfg.sensor, a), 0};
	int rc;

	if (line_room(s) == NULL)
		return SQLITE_NOMEM;
	r.len = eve_format(s->event_text, EVE_LINE_MAX, a, s->cfg.sensor,
	    f != NULL ? f->path : NULL);
	rc = insert(s, &r);
	if (rc == SQLITE_OK && f != NULL && f->first_event == 0)
		f->first_event = sqlite3_last_insert_rowid(s->db);
	return rc;
}

void
store_incident_event(
    struct store *s, const struct incident *i, enum incident_event what)
{
	char text[EVENT_ID_MAX];
	struct row r = {EVENT_INCIDENT, i->last, i->id, text, 0};
	int rc;

	if (s->cfg.nfeeds == 0)
		return;
	(void)event_incident_id(text, s->cfg.sensor, i, what);
	rc = line_room(s) != NULL ? store_begin(s) : SQLITE_NOMEM;
	if (rc == SQLITE_OK) {
		r.len = eve_format_incident(
		    s->event_text, EVE_LINE_MAX, i, what, s->cfg.sensor);
		rc = insert(s, &r);
		s->rows++;
	}
	if (rc != SQLITE_OK) {
		store_trouble(s, rc);
		s->counters.unfed++;
	}
}

int
store_drop_events(struct store *s, const struct store_file *f)
{
	struct binder b;
	int rc = SQLITE_OK;

	if (f->first_event != 0 &&
	    (rc = store_stmt(s, ST_EVENTS_DROP, &b)) == SQLITE_OK) {
		bind_int(&b, f->first_event);
		bind_int(&b, f->first_alert);
		bind_int(&b, f->id);
		rc = store_step(&b);
	}
	if (rc == SQLITE_OK)
		rc = store_stmt(s, ST_EVENTS_UNSAVED, &b);
	return rc == SQLITE_OK ? store_step(&b) : rc;
}

int
store_use_feeds(struct store *s, const struct store_feed *feeds, unsigned n)
{
	int rc = SQLITE_OK;
	struct binder b;

	s->cfg.feeds = feeds;
	s->cfg.nfeeds = n;
	if (n == 0)
		return 0;
	rc = store_begin(s);
	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++) {
		if ((rc = store_stmt(s, ST_FEED_NEW, &b)) != SQLITE_OK)
			break;
		bind_text(&b, feeds[i].name);
		rc = store_step(&b);
	}
	if (rc == SQLITE_OK)
		return store_commit(s);
	store_trouble(s, rc);
	return -1;
}

/* ---- retirement ---- */

/* One row of integers; those of an empty answer are fallback. */
static int
ask(struct binder *b, int64_t fallback, int64_t *out, int columns)
{
	bool row = sqlite3_step(b->st) == SQLITE_ROW;

	for (int i = 0; i < columns; i++)
		out[i] = row && sqlite3_column_type(b->st, i) != SQLITE_NULL
			     ? sqlite3_column_int64(b->st, i)
			     : fallback;
	return sqlite3_reset(b->st);
}

/* What every feed has passed; all, if there is none. */
static int
passed_by_all(struct store *s, int64_t *passed)
{
	int64_t at[2];
	struct binder b;
	int rc = SQLITE_OK;

	*passed = INT64_MAX;
	for (unsigned i = 0; i < s->cfg.nfeeds && rc == SQLITE_OK; i++) {
		if ((rc = store_stmt(s, ST_FEED_CURSOR, &b)) != SQLITE_OK)
			break;
		bind_text(&b, s->cfg.feeds[i].name);
		rc = ask(&b, 0, at, 2);
		if (at[0] < *passed)
			*passed = at[0];
	}
	return rc;
}

static void
say_expired(struct store *s, const char *name)
{
	int64_t now = store_monotonic_ms();
	char text[300];

	if (s->cfg.on_problem == NULL ||
	    (s->expired_said != 0 && now - s->expired_said < SAY_AGAIN))
		return;
	s->expired_said = now;
	(void)snprintf(text, sizeof(text),
	    "feed %s: its receiver is away for so long that the oldest events "
	    "are given up unsent (counted as expired); stripwire feed "
	    "--replay %s sends their alerts",
	    name, name);
	s->cfg.on_problem(s->cfg.ctx, text);
}

/* Up to there every feed has to be, since what lies before goes. */
static int
expire(struct store *s, int64_t upto)
{
	struct binder b;
	int rc = SQLITE_OK;

	for (unsigned i = 0; i < s->cfg.nfeeds && rc == SQLITE_OK; i++) {
		const struct store_feed *f = &s->cfg.feeds[i];

		if ((rc = store_stmt(s, ST_EVENTS_EXPIRE, &b)) != SQLITE_OK)
			break;
		bind_text(&b, f->name);
		bind_int(&b, upto);
		bind_int(&b, (f->events & 1u << EVENT_ALERT) != 0);
		bind_int(&b, (f->events & 1u << EVENT_INCIDENT) != 0);
		rc = store_step(&b);
		if (rc == SQLITE_OK && sqlite3_changes(s->db) > 0)
			say_expired(s, f->name);
	}
	return rc;
}

/* The last of those up to there that were stored before that moment. */
static int
last_before(struct store *s, int64_t before, int64_t *upto)
{
	struct binder b;
	int rc = store_stmt(s, ST_EVENTS_BEFORE, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_int(&b, *upto);
	bind_int(&b, before);
	return ask(&b, 0, upto, 1);
}

static int
retire(struct store *s, int64_t upto)
{
	struct binder b;
	int rc = store_stmt(s, ST_EVENTS_RETIRE, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_int(&b, upto);
	return store_step(&b);
}

/* Where the table begins and ends. */
struct span {
	int64_t first, stored, last;
};

static int
look(struct store *s, struct span *w)
{
	int64_t oldest[2] = {0, 0};
	struct binder b;
	int rc = store_stmt(s, ST_EVENT_OLDEST, &b);

	if (rc == SQLITE_OK)
		rc = ask(&b, 0, oldest, 2);
	w->first = oldest[0];
	w->stored = oldest[1];
	w->last = 0;
	if (rc == SQLITE_OK && w->first != 0)
		rc = store_stmt(s, ST_EVENT_LAST, &b);
	if (rc == SQLITE_OK && w->first != 0)
		rc = ask(&b, 0, &w->last, 1);
	return rc;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* How far those go that must, sent or not, or that have been kept for long
 * enough. */
static int
choose(struct store *s, const struct store_retention *r, int64_t now,
    const struct span *w, int64_t *upto)
{
	bool crowded = r->max_events != 0 &&
		       (uint64_t)(w->last - w->first) >= r->max_events;
	int64_t before = now - r->days * DAY, passed = 0;
	int rc;

	*upto = least(w->first + STEP - 1, w->last);
	if (s->shrinking)
		return SQLITE_OK;
	if (crowded) {
		*upto = least(*upto, w->last - (int64_t)r->max_events);
		return SQLITE_OK;
	}
	if (r->days != 0 && w->stored < before)
		return last_before(s, before, upto);
	if ((rc = passed_by_all(s, &passed)) != SQLITE_OK)
		return rc;
	*upto = least(*upto, passed);
	return last_before(s, now - r->event_days * DAY, upto);
}

/* What is kept longest is looked at only when the oldest is due. */
static bool
anything_due(const struct store *s, const struct store_retention *r,
    int64_t now, const struct span *w)
{
	return s->shrinking || w->stored < now - r->event_days * DAY ||
	       (r->days != 0 && w->stored < now - r->days * DAY) ||
	       (r->max_events != 0 &&
		   (uint64_t)(w->last - w->first) >= r->max_events);
}

int
store_retire_events(
    struct store *s, const struct store_retention *r, int64_t now)
{
	struct span w = {0, 0, 0};
	int64_t upto = 0;
	int rc;

	if (store_is_down(s) || look(s, &w) != SQLITE_OK || w.first == 0 ||
	    !anything_due(s, r, now, &w) ||
	    choose(s, r, now, &w, &upto) != SQLITE_OK || upto < w.first)
		return 0;
	store_flush(s);
	if ((rc = store_begin(s)) == SQLITE_OK)
		rc = expire(s, upto);
	if (rc == SQLITE_OK)
		rc = retire(s, upto);
	if (rc != SQLITE_OK)
		store_trouble(s, rc);
	else if (store_commit(s) == 0)
		return upto - w.first >= STEP - 1;
	return 0;
}
