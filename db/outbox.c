/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each read is one statement that is stepped to its end and reset: a read
 * transaction that stays open would keep SQLite's log from being emptied, and
 * the judge's file would grow with the patience of a receiver. For the same
 * reason this connection never checkpoints.
 */
#include "db/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/query_priv.h"
#include "db/store_priv.h"

#define BUSY_US 250 /* between attempts, */
#define BUSY_TRIES 4000 /* then it is tried at the next opportunity */
#define TEXT_MAX (256u << 10) /* of one event; longer: damaged */

enum statement {
	OB_READ,
	OB_LAST,
	OB_OLDEST,
	OB_LOAD,
	OB_SAVE,
	OB_HISTORY,
	OB_EVENTS,
	OB_COUNT
};

static const char *const sql[OB_COUNT] = {
    [OB_READ] = "SELECT seq, type, time, id, eve FROM events WHERE seq>? "
		"ORDER BY seq LIMIT ?",
    [OB_LAST] = "SELECT max(seq) FROM sqlite_sequence WHERE name='events'",
    [OB_OLDEST] = "SELECT seq, stored FROM events WHERE seq>? ORDER BY seq "
		  "LIMIT 1",
    [OB_LOAD] = "SELECT cursor, sent, again, failed, dropped, expired, error, "
		"error_at, highest FROM feeds WHERE name=?",
    [OB_SAVE] =
	"INSERT INTO feeds (name, cursor, highest, updated, sent, again, "
	"failed, dropped, error, error_at) VALUES "
	"(?,?,?,?,?,?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET "
	"cursor=max(cursor, excluded.cursor), "
	"highest=max(highest, excluded.highest), "
	"updated=excluded.updated, sent=excluded.sent, "
	"again=excluded.again, failed=excluded.failed, "
	"dropped=excluded.dropped, error=excluded.error, "
	"error_at=excluded.error_at",
    [OB_HISTORY] = "SELECT time, id FROM alert_rows WHERE time>=? AND time<=? "
		   "ORDER BY id",
    [OB_EVENTS] = "SELECT time, seq, ref, type FROM events WHERE time>=? AND "
		  "time<=? ORDER BY seq",
};

struct outbox {
	struct query q; /* for its words */
	sqlite3_stmt *stmt[OB_COUNT];
};

static int
explain(struct outbox *o, int rc, char *err, size_t errlen)
{
	query_explain(&o->q, rc, err, errlen);
	return -1;
}

static int
prepare(struct outbox *o, enum statement which, struct binder *b)
{
	int rc = SQLITE_OK;

	if (o->stmt[which] == NULL)
		rc = sqlite3_prepare_v3(o->q.db, sql[which], -1,
		    SQLITE_PREPARE_PERSISTENT, &o->stmt[which], NULL);
	b->st = o->stmt[which];
	b->n = 0;
	return rc;
}

static int
check_version(struct outbox *o, char *err, size_t errlen)
{
	sqlite3_stmt *st = NULL;
	int version = 0;
	int rc =
	    sqlite3_prepare_v2(o->q.db, "PRAGMA user_version", -1, &st, NULL);

	if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int(st, 0);
	if (rc == SQLITE_OK)
		rc = sqlite3_finalize(st);
	if (rc != SQLITE_OK)
		return explain(o, rc, err, errlen);
	if (version == STORE_SCHEMA_VERSION)
		return 0;
	(void)snprintf(err, errlen,
	    "%s: is no database of this version (schema %d, this is %d)",
	    o->q.path, version, STORE_SCHEMA_VERSION);
	return -1;
}

/* While alerts pour in, the judge has a transaction open nearly all the time:
 * between two of them there is a millisecond. SQLite's own handler sleeps for
 * a hundred. */
static int
wait_for_gap(void *ctx, int tries)
{
	(void)ctx;
	(void)usleep(BUSY_US);
	return tries < BUSY_TRIES;
}

struct outbox *
outbox_open(const char *path, char *err, size_t errlen)
{
	static const char settings[] = "PRAGMA synchronous=NORMAL;"
				       "PRAGMA temp_store=MEMORY;"
				       "PRAGMA trusted_schema=OFF;"
				       "PRAGMA wal_autocheckpoint=0;";
	struct outbox *o = calloc(1, sizeof(*o));
	int rc;

	if (o == NULL || (o->q.path = strdup(path)) == NULL) {
		(void)snprintf(err, errlen, "%s: out of memory", path);
		free(o);
		return NULL;
	}
	rc = sqlite3_open_v2(
	    path, &o->q.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_busy_handler(o->q.db, wait_for_gap, NULL);
		sqlite3_db_config(
		    o->q.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		rc = sqlite3_exec(o->q.db, settings, NULL, NULL, NULL);
	}
	if (rc != SQLITE_OK)
		(void)explain(o, rc, err, errlen);
	else if (check_version(o, err, errlen) == 0)
		return o;
	outbox_close(o);
	return NULL;
}

void
outbox_close(struct outbox *o)
{
	if (o == NULL)
		return;
	for (unsigned i = 0; i < OB_COUNT; i++)
		sqlite3_finalize(o->stmt[i]);
	sqlite3_close(o->q.db);
	free(o->q.path);
	free(o);
}

/* ---- events ---- */

static int
make_room(struct outbox_batch *b)
{
	b->n = 0;
	b->used = 0;
	if (b->text != NULL)
		return 0;
	b->room = OUTBOX_BYTES + TEXT_MAX;
	b->text = malloc(b->room);
	return b->text != NULL ? 0 : -1;
}

/* A copy, with a NUL; NULL: it does not fit. */
static const char *
keep(struct outbox_batch *b, const char *text, size_t len)
{
	char *to = b->text + b->used;

	if (len + 1 > b->room - b->used)
		return NULL;
	if (len > 0)
		memcpy(to, text, len);
	to[len] = '\0';
	b->used += len + 1;
	return to;
}

bool
outbox_batch_add(struct outbox_batch *b, const struct event *e, const char *id)
{
	struct event *to = &b->event[b->n];
	size_t used = b->used;

	if (b->text == NULL && make_room(b) == -1)
		return false;
	if (b->n == OUTBOX_BATCH || b->used >= OUTBOX_BYTES)
		return false;
	*to = *e;
	b->id[b->n] = keep(b, id, strlen(id));
	to->eve = b->id[b->n] != NULL ? keep(b, e->eve, e->len) : NULL;
	if (to->eve == NULL) {
		b->used = used;
		return false;
	}
	b->n++;
	return true;
}

static const char *
column(sqlite3_stmt *st, int n)
{
	const char *text = (const char *)sqlite3_column_text(st, n);

	return text != NULL ? text : "";
}

/* False: the batch is full. One that is damaged is there, and empty. */
static bool
take(struct outbox_batch *b, sqlite3_stmt *st)
{
	struct event e = {.seq = sqlite3_column_int64(st, 0),
	    .type = strcmp(column(st, 1), "incident") == 0 ? EVENT_INCIDENT
							   : EVENT_ALERT,
	    .time = sqlite3_column_int64(st, 2),
	    .eve = column(st, 4)};

	e.len = strlen(e.eve);
	if (outbox_batch_add(b, &e, column(st, 3)))
		return true;
	e.len = 0;
	return b->n == 0 && outbox_batch_add(b, &e, "");
}

int
outbox_read(struct outbox *o, int64_t after, struct outbox_batch *batch,
    char *err, size_t errlen)
{
	struct binder b;
	int rc = prepare(o, OB_READ, &b);

	if (rc == SQLITE_OK && make_room(batch) == -1)
		rc = SQLITE_NOMEM;
	if (rc != SQLITE_OK)
		return explain(o, rc, err, errlen);
	bind_int(&b, after);
	bind_int(&b, OUTBOX_BATCH);
	while (sqlite3_step(b.st) == SQLITE_ROW)
		if (!take(batch, b.st))
			break;
	rc = sqlite3_reset(b.st);
	return rc == SQLITE_OK ? 0 : explain(o, rc, err, errlen);
}

void
outbox_batch_free(struct outbox_batch *b)
{
	free(b->text);
	memset(b, 0, sizeof(*b));
}

int
outbox_lag(struct outbox *o, int64_t position, struct outbox_lag *lag,
    char *err, size_t errlen)
{
	struct binder b;
	int64_t first = 0;
	int rc = prepare(o, OB_LAST, &b);

	memset(lag, 0, sizeof(*lag));
	if (rc == SQLITE_OK && sqlite3_step(b.st) == SQLITE_ROW)
		lag->last = sqlite3_column_int64(b.st, 0);
	if (rc == SQLITE_OK)
		rc = sqlite3_reset(b.st);
	if (rc == SQLITE_OK)
		rc = prepare(o, OB_OLDEST, &b);
	if (rc != SQLITE_OK)
		return explain(o, rc, err, errlen);
	bind_int(&b, position);
	if (sqlite3_step(b.st) == SQLITE_ROW) {
		first = sqlite3_column_int64(b.st, 0);
		lag->oldest = sqlite3_column_int64(b.st, 1);
	}
	if (first != 0 && lag->last >= first)
		lag->events = (uint64_t)(lag->last - first) + 1;
	rc = sqlite3_reset(b.st);
	return rc == SQLITE_OK ? 0 : explain(o, rc, err, errlen);
}

/* ---- the feed's row ---- */

int
outbox_load(struct outbox *o, const char *name, struct outbox_row *row,
    char *err, size_t errlen)
{
	struct binder b;
	int rc = prepare(o, OB_LOAD, &b), found = 1;
	const char *text;

	memset(row, 0, sizeof(*row));
	if (rc != SQLITE_OK)
		return explain(o, rc, err, errlen);
	bind_text(&b, name);
	if (sqlite3_step(b.st) == SQLITE_ROW) {
		found = 0;
		row->cursor = sqlite3_column_int64(b.st, 0);
		row->sent = (uint64_t)sqlite3_column_int64(b.st, 1);
		row->again = (uint64_t)sqlite3_column_int64(b.st, 2);
		row->failed = (uint64_t)sqlite3_column_int64(b.st, 3);
		row->dropped = (uint64_t)sqlite3_column_int64(b.st, 4);
		row->expired = (uint64_t)sqlite3_column_int64(b.st, 5);
		text = (const char *)sqlite3_column_text(b.st, 6);
		(void)snprintf(row->error, sizeof(row->error), "%s",
		    text != NULL ? text : "");
		row->error_at = sqlite3_column_int64(b.st, 7);
		row->highest = sqlite3_column_int64(b.st, 8);
	}
	rc = sqlite3_reset(b.st);
	return rc == SQLITE_OK ? found : explain(o, rc, err, errlen);
}

int
outbox_save(struct outbox *o, const char *name, const struct outbox_row *row,
    char *err, size_t errlen)
{
	struct binder b;
	int rc = prepare(o, OB_SAVE, &b);

	if (rc == SQLITE_OK) {
		bind_text(&b, name);
		bind_int(&b, row->cursor);
		bind_int(&b, row->highest);
		bind_int(&b, store_wall_ns());
		bind_int(&b, (int64_t)row->sent);
		bind_int(&b, (int64_t)row->again);
		bind_int(&b, (int64_t)row->failed);
		bind_int(&b, (int64_t)row->dropped);
		bind_text(&b, row->error);
		bind_int(&b, row->error_at);
		rc = store_step(&b);
	}
	return rc == SQLITE_OK ? 0 : explain(o, rc, err, errlen);
}

/* ---- history ---- */

struct items {
	struct outbox_item *at;
	size_t n, room;
	bool failed; /* no memory */
};

static struct outbox_item *
add(struct items *l)
{
	struct outbox_item *more;

	if (l->n == l->room) {
		l->room = l->room == 0 ? 1024 : l->room * 2;
		more = realloc(l->at, l->room * sizeof(*more));
		l->failed = more == NULL;
		if (l->failed)
			return NULL;
		l->at = more;
	}
	l->at[l->n] = (struct outbox_item){0, 0, 0};
	return &l->at[l->n++];
}

static int
by_alert(const void *a, const void *b)
{
	const struct outbox_item *x = a, *y = b;

	return x->alert < y->alert ? -1 : x->alert > y->alert;
}

static int
by_time(const void *a, const void *b)
{
	const struct outbox_item *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->seq != y->seq && x->seq != 0 && y->seq != 0)
		return x->seq < y->seq ? -1 : 1;
	return by_alert(a, b);
}

static int
read_alerts(struct outbox *o, int64_t since, int64_t until, struct items *l)
{
	struct outbox_item *i;
	struct binder b;
	int rc = prepare(o, OB_HISTORY, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_int(&b, since);
	bind_int(&b, until);
	while (sqlite3_step(b.st) == SQLITE_ROW) {
		if ((i = add(l)) == NULL)
			break;
		i->time = sqlite3_column_int64(b.st, 0);
		i->alert = sqlite3_column_int64(b.st, 1);
	}
	rc = sqlite3_reset(b.st);
	return l->failed ? SQLITE_NOMEM : rc;
}

/* Alerts are sorted by id. Of those that are gone the event is left. */
static int
read_events(struct outbox *o, int64_t since, int64_t until, struct items *l)
{
	size_t alerts = l->n;
	struct outbox_item *i, key = {0, 0, 0};
	struct binder b;
	int rc = prepare(o, OB_EVENTS, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_int(&b, since);
	bind_int(&b, until);
	while (sqlite3_step(b.st) == SQLITE_ROW) {
		const char *type = (const char *)sqlite3_column_text(b.st, 3);

		key.alert = type != NULL && strcmp(type, "alert") == 0
				? sqlite3_column_int64(b.st, 2)
				: 0;
		i = key.alert == 0 || alerts == 0
			? NULL
			: bsearch(&key, l->at, alerts, sizeof(key), by_alert);
		if (i == NULL && (i = add(l)) == NULL)
			break;
		i->time = sqlite3_column_int64(b.st, 0);
		i->seq = sqlite3_column_int64(b.st, 1);
		i->alert = key.alert;
	}
	rc = sqlite3_reset(b.st);
	return l->failed ? SQLITE_NOMEM : rc;
}

int64_t
outbox_history(struct outbox *o, int64_t since, int64_t until,
    struct outbox_item **list, char *err, size_t errlen)
{
	struct items l = {NULL, 0, 0, false};
	int rc = read_alerts(o, since, until, &l);

	if (rc == SQLITE_OK)
		rc = read_events(o, since, until, &l);
	*list = l.at;
	if (rc != SQLITE_OK) {
		free(l.at);
		*list = NULL;
		return explain(o, rc, err, errlen);
	}
	if (l.n > 0)
		qsort(l.at, l.n, sizeof(*l.at), by_time);
	return (int64_t)l.n;
}

/* ---- as a source ---- */

static int
source_read(
    void *from, int64_t after, struct outbox_batch *b, char *err, size_t errlen)
{
	return outbox_read(from, after, b, err, errlen);
}

static int
source_lag(void *from, int64_t position, struct outbox_lag *lag, char *err,
    size_t errlen)
{
	return outbox_lag(from, position, lag, err, errlen);
}

static int
source_load(void *from, const char *name, struct outbox_row *row, char *err,
    size_t errlen)
{
	return outbox_load(from, name, row, err, errlen);
}

static int
source_save(void *from, const char *name, const struct outbox_row *row,
    char *err, size_t errlen)
{
	return outbox_save(from, name, row, err, errlen);
}

static void
source_close(void *from)
{
	outbox_close(from);
}

const struct outbox_source outbox_source = {.read = source_read,
    .lag = source_lag,
    .load = source_load,
    .save = source_save,
    .close = source_close};
