/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is too old, or too much, goes: in steps of RETAIN_STEP rows between two
 * batches, so that neither the judge nor a reader waits for it; the log is
 * merged into the file in smaller pieces than usual for the same reason.
 *
 * Alerts go first, oldest first, each with its notes and, when no other alert
 * refers to it, its flow; the index that this needs is made when retention is
 * first asked for, so that databases without it do not pay for it (once, with
 * signs of life; for a million alerts it took 9 to 23 s on a busy machine).
 * Then incidents that have ended, captures and certificates that are older than
 * all alerts that are left: nothing refers to them. History is not touched: it
 * ages by itself (rules/history.h).
 *
 * A database that was made by this version gives pages back by SQLite's
 * incremental vacuum, some at a time, once a tenth of the file is free; in an
 * older one they are used again, so that the file does not grow. A VACUUM
 * would hold the file locked for minutes and need its size again on the disk.
 */
#include "db/store_priv.h"

#include <string.h>

#define RETAIN_STEP 100 /* rows */
#define FREE_PAGES 64 /* may stay so; given back at a time */
#define VACUUM_STEP "PRAGMA incremental_vacuum(64)"
#define AGE_EVERY 60000 /* ms between looks at what is too old */
#define DAY (INT64_C(86400) * 1000000000)

struct doomed {
	int64_t id[RETAIN_STEP], flow[RETAIN_STEP];
	unsigned n;
};

/* The first column of the first row; fallback: there is none, or it is NULL. */
static int
ask(struct store *s, enum store_stmt which, int64_t fallback, int64_t *out)
{
	struct binder b;
	int rc = store_stmt(s, which, &b);

	*out = fallback;
	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_step(b.st) == SQLITE_ROW &&
	    sqlite3_column_type(b.st, 0) != SQLITE_NULL)
		*out = sqlite3_column_int64(b.st, 0);
	return sqlite3_reset(b.st);
}

static int
used_bytes(struct store *s, uint64_t *used, bool *much_is_free)
{
	int64_t pages = 0, unused = 0, size = 0;
	int rc = ask(s, ST_PAGES, 0, &pages);

	if (rc == SQLITE_OK)
		rc = ask(s, ST_PAGES_FREE, 0, &unused);
	if (rc == SQLITE_OK)
		rc = ask(s, ST_PAGE_SIZE, 0, &size);
	*used = (uint64_t)(pages - unused) * (uint64_t)size;
	*much_is_free = unused > FREE_PAGES && unused > pages / 10;
	return rc;
}

/* ids (and flows) of at most RETAIN_STEP rows. */
static int
choose(struct store *s, enum store_stmt which, int64_t before, struct doomed *d)
{
	struct binder b;
	int rc = store_stmt(s, which, &b);

	d->n = 0;
	if (rc != SQLITE_OK)
		return rc;
	bind_int(&b, before);
	while (d->n < RETAIN_STEP && sqlite3_step(b.st) == SQLITE_ROW) {
		d->id[d->n] = sqlite3_column_int64(b.st, 0);
		d->flow[d->n++] = sqlite3_column_int64(b.st, 1);
	}
	return sqlite3_reset(b.st);
}

/* Runs it for each of them. */
static int
each(struct store *s, enum store_stmt which, const int64_t *id, unsigned n)
{
	struct binder b;
	int rc = SQLITE_OK;

	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++) {
		if ((rc = store_stmt(s, which, &b)) != SQLITE_OK)
			break;
		bind_int(&b, id[i]);
		rc = store_step(&b);
	}
	return rc;
}

static int
run(struct store *s, enum store_stmt which)
{
	struct binder b;
	int rc = store_stmt(s, which, &b);

	return rc == SQLITE_OK ? store_step(&b) : rc;
}

static int
drop_alerts(struct store *s, const struct doomed *d)
{
	int rc = each(s, ST_RETIRE_ALERT, d->id, d->n);

	if (rc == SQLITE_OK)
		rc = each(s, ST_RETIRE_ALERT_NOTES, d->id, d->n);
	store_flows_forget(s);
	if (rc == SQLITE_OK)
		rc = each(s, ST_RETIRE_FLOW, d->flow, d->n);
	return rc;
}

/* What lies before floor is referred to by no alert. Returns in *n how many
 * rows went. */
static int
drop_others(struct store *s, int64_t floor, unsigned *n)
{
	struct doomed d;
	int rc = choose(s, ST_OLD_INCIDENTS, floor, &d);

	*n = d.n;
	if (rc == SQLITE_OK)
		rc = each(s, ST_RETIRE_INCIDENT, d.id, d.n);
	if (rc == SQLITE_OK)
		rc = each(s, ST_RETIRE_INCIDENT_NOTES, d.id, d.n);
	if (rc == SQLITE_OK)
		rc = each(s, ST_RETIRE_CAPTURES, &floor, 1);
	if (rc == SQLITE_OK)
		rc = each(s, ST_RETIRE_CERTS, &floor, 1);
	if (rc == SQLITE_OK && sqlite3_changes(s->db) > 0)
		rc = run(s, ST_CERT_DERS_DROP);
	return rc;
}

/* One transaction of its own. -1: trouble, which was told. */
static int
step(struct store *s, int64_t cutoff, bool by_size, bool *more)
{
	enum store_stmt which = by_size ? ST_OLDEST_ALERTS : ST_OLD_ALERTS;
	int64_t oldest, floor = cutoff;
	unsigned others = 0;
	struct doomed d;
	int rc = store_begin(s);

	if (rc == SQLITE_OK)
		rc = choose(s, which, cutoff, &d);
	if (rc == SQLITE_OK)
		rc = drop_alerts(s, &d);
	if (rc == SQLITE_OK)
		rc = ask(s, ST_OLDEST_TIME, INT64_MAX, &oldest);
	if (rc == SQLITE_OK && (by_size || oldest < floor))
		floor = oldest;
	if (rc == SQLITE_OK && floor != INT64_MAX)
		rc = drop_others(s, floor, &others);
	if (rc != SQLITE_OK) {
		store_trouble(s, rc);
		return -1;
	}
	*more = d.n == RETAIN_STEP || others == RETAIN_STEP;
	if (store_commit(s) == -1)
		return -1;
	s->counters.retired += d.n;
	return 0;
}

/* -1: trouble; else whether there is more to do at once. */
static int
retain(struct store *s, const struct store_retention *r, int64_t now)
{
	bool much_is_free, more = false, worked = false;
	uint64_t used;
	int rc = used_bytes(s, &used, &much_is_free);

	if (rc != SQLITE_OK)
		return -1;
	s->shrinking = r->bytes != 0 &&
		       used > (s->shrinking ? r->bytes / 20 * 19 : r->bytes);
	if (s->shrinking) {
		uint64_t before = s->counters.retired;

		if (step(s, INT64_MAX, true, &more) == -1)
			return -1;
		/* what is left is no alert */
		s->shrinking = s->counters.retired != before;
		worked = s->shrinking;
	}
	if (r->days != 0 && store_monotonic_ms() >= s->retain_due) {
		if (step(s, now - (int64_t)r->days * DAY, false, &more) == -1)
			return -1;
		worked |= more;
		if (!more)
			s->retain_due = store_monotonic_ms() + AGE_EVERY;
	}
	if (much_is_free && !worked)
		(void)sqlite3_exec(s->db, VACUUM_STEP, NULL, NULL, NULL);
	return worked || (much_is_free && s->gives_back);
}

/* Once in the life of a database. */
static bool
prepare(struct store *s)
{
	int64_t vacuum = 0;
	int rc;

	store_signs_of_life(s, true);
	rc = sqlite3_exec(s->db,
	    "CREATE INDEX IF NOT EXISTS alerts_by_flow ON alert_rows (flow);"
	    "PRAGMA wal_autocheckpoint=250",
	    NULL, NULL, NULL);
	store_signs_of_life(s, false);
	if (rc != SQLITE_OK || ask(s, ST_AUTO_VACUUM, 0, &vacuum) != SQLITE_OK)
		return false; /* tried again */
	s->gives_back = vacuum == 2;
	s->retains = true;
	return true;
}

int
store_retain(struct store *s, const struct store_retention *r, int64_t now)
{
	if ((r->days == 0 && r->bytes == 0) || store_is_down(s))
		return 0;
	store_flush(s);
	if (!s->retains && !prepare(s))
		return 0;
	return retain(s, r, now) == 1;
}
