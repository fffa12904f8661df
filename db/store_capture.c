/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of the input: which one an alert belongs to, and what happens when
 * one ends.
 *
 * Whether a file was read before is only known at its end (the fingerprint is
 * made while reading). Until then its alerts are stored like any others, so
 * that they survive a kill; if it turns out to be known they are taken out.
 * Alerts that settle after the end of their file (a timer, the next file of a
 * rotation) find it in the ring of the last STORE_FILES files.
 */
#include "db/store_priv.h"

#include "db/history_sqlite.h"
#include "db/incident_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct store_file *
store_file_find(struct store *s, const char *path)
{
	struct store_file *f;

	if (path == NULL)
		return NULL;
	for (unsigned i = 1; i <= STORE_FILES; i++) {
		f = &s->files[(s->next_file - i) % STORE_FILES];
		if (f->path == NULL)
			break;
		if (strcmp(f->path, path) == 0)
			return f;
	}
	f = &s->files[s->next_file % STORE_FILES];
	free(f->path);
	memset(f, 0, sizeof(*f));
	if ((f->path = strdup(path)) == NULL)
		return NULL;
	s->next_file++;
	return f;
}

int
store_file_row(struct store *s, struct store_file *f)
{
	struct binder b;
	int rc;

	if (f->id != 0)
		return SQLITE_OK;
	if ((rc = store_stmt(s, ST_CAPTURE_OPEN, &b)) != SQLITE_OK)
		return rc;
	bind_int(&b, s->run);
	bind_text(&b, f->path);
	bind_int(&b, store_wall_ns());
	if ((rc = store_step(&b)) != SQLITE_OK)
		return rc;
	f->id = sqlite3_last_insert_rowid(s->db);
	f->batch = s->batch;
	return SQLITE_OK;
}

void
store_files_rolled_back(struct store *s)
{
	for (unsigned i = 0; i < STORE_FILES; i++) {
		struct store_file *f = &s->files[i];

		if (f->id != 0 && f->batch == s->batch)
			f->id = 0;
		if (f->alerts != 0 && f->alert_batch == s->batch)
			f->lost = true;
	}
}

void
store_files_free(struct store *s)
{
	for (unsigned i = 0; i < STORE_FILES; i++)
		free(s->files[i].path);
}

static void
say_earlier(sqlite3_stmt *st, char *earlier, size_t earlierlen)
{
	const char *path = (const char *)sqlite3_column_text(st, 0);
	time_t at = (time_t)(sqlite3_column_int64(st, 1) / 1000000000);
	char when[40] = "";
	struct tm tm;

	if (gmtime_r(&at, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S +0000", &tm);
	snprintf(earlier, earlierlen, "as %s on %s", path != NULL ? path : "?",
	    when);
}

/* *known: such a file was read to its end before. A file without packets is
 * like any other without: nothing to recognise. */
static int
look_up(struct store *s, const struct store_capture *e, bool *known,
    char *earlier, size_t earlierlen)
{
	struct binder b;
	int rc;

	*known = false;
	if (s->cfg.again || e->packets == 0)
		return SQLITE_OK;
	if ((rc = store_stmt(s, ST_CAPTURE_KNOWN, &b)) != SQLITE_OK)
		return rc;
	bind_int(&b, (int64_t)e->fingerprint);
	bind_int(&b, (int64_t)e->packets);
	bind_int(&b, e->first);
	bind_int(&b, e->last);
	if (sqlite3_step(b.st) == SQLITE_ROW) {
		*known = true;
		say_earlier(b.st, earlier, earlierlen);
	}
	return sqlite3_reset(b.st);
}

static int
run_with(struct store *s, enum store_stmt which, int64_t one, int64_t two)
{
	struct binder b;
	int rc = store_stmt(s, which, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_int(&b, one);
	if (sqlite3_bind_parameter_count(b.st) > 1)
		bind_int(&b, two);
	return store_step(&b);
}

static int
take_out(struct store *s, struct store_file *f)
{
	int rc = SQLITE_OK;
	uint64_t n;

	rc = store_write_alerts(s);
	if (rc == SQLITE_OK)
		rc = store_drop_events(s, f);
	store_flows_forget(s);
	if (rc == SQLITE_OK && f->alerts != 0) {
		rc = run_with(s, ST_DROP_ALERTS, f->first_alert, f->id);
		n = (uint64_t)sqlite3_changes(s->db);
		if (rc == SQLITE_OK)
			rc = run_with(s, ST_DROP_FLOWS, s->run, 0);
		if (rc == SQLITE_OK) {
			s->counters.alerts -= n;
			s->counters.duplicates += n;
			s->batch_alerts -=
			    n < s->batch_alerts ? n : s->batch_alerts;
		}
	}
	if (rc == SQLITE_OK && f->id != 0)
		rc = run_with(s, ST_CAPTURE_DROP, f->id, 0);
	if (rc == SQLITE_OK)
		rc = run_with(s, ST_INCIDENTS_DROP, 0, 0);
	return rc;
}

static int
write_end(
    struct store *s, const struct store_file *f, const struct store_capture *e)
{
	struct binder b;
	int rc = store_stmt(s, ST_CAPTURE_DONE, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_int(&b, (int64_t)e->fingerprint);
	bind_int(&b, (int64_t)e->packets);
	bind_int(&b, e->first);
	bind_int(&b, e->last);
	bind_int(&b, !f->lost);
	bind_int(&b, store_wall_ns());
	bind_int(&b, f->id);
	return store_step(&b);
}

/* The file was not known: what it taught is written, if nothing was lost. */
static int
keep(struct store *s, struct store_file *f, const struct store_capture *e,
    struct history *h)
{
	int rc = store_file_row(s, f);

	if (rc == SQLITE_OK)
		rc = write_end(s, f, e);
	if (rc == SQLITE_OK && !f->lost && h != NULL)
		rc = history_sqlite_save(s, h, UINT64_MAX);
	if (rc == SQLITE_OK && !f->lost)
		rc = incidents_sqlite_save(s);
	return rc;
}

static void
settle(struct store *s, struct history *h, bool kept)
{
	if (h != NULL && kept)
		history_saved(h, UINT64_MAX);
	if (h != NULL)
		kept ? history_keep(h) : history_drop(h);
	if (s->incidents != NULL)
		kept ? incidents_keep(s->incidents)
		     : incidents_drop(s->incidents);
}

enum store_status
store_file_end(struct store *s, const struct store_capture *c,
    struct history *h, char *earlier, size_t earlierlen)
{
	struct store_file *f = store_file_find(s, c->path);
	bool known = false;
	int rc = SQLITE_NOMEM;

	if (f != NULL)
		rc = store_begin(s);
	if (rc == SQLITE_OK)
		rc = look_up(s, c, &known, earlier, earlierlen);
	if (rc == SQLITE_OK)
		rc = known ? take_out(s, f) : keep(s, f, c, h);
	if (rc != SQLITE_OK)
		store_trouble(s, rc);
	else if (store_commit(s) == -1)
		rc = SQLITE_ABORT;
	if (f != NULL && rc == SQLITE_OK)
		f->known = known;
	/* what is not on the disk was not learned: the file will be read again,
	 * and must not count twice then */
	settle(s, h, rc == SQLITE_OK && !known && !f->lost);
	if (rc != SQLITE_OK || (f->lost && !known))
		return STORE_FAILED;
	return known ? STORE_KNOWN : STORE_OK;
}
