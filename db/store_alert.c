/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Alerts to rows.
 *
 * An alert's key says what it is about, not when or from which copy of a
 * capture it was read: a file that is read again after a kill stores nothing
 * twice, nor does the same traffic in two overlapping captures.
 *
 * Rows wait in memory until their batch is committed, and are then written by
 * one statement a table. Numbers are given here, and what is known is found
 * among those that wait, or in the database: in time only what is not later
 * than all that stands there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/event_id.h"
#include "db/json_text.h"
#include "db/ladder_blob.h"
#include "db/store_priv.h"

static int64_t
key_of(const struct store *s, const struct alert *a)
{
	return event_alert_key(a, s->cfg.again ? (uint64_t)s->run : 0);
}

/* A byte may become six: "\u001F". */
#define EVIDENCE_JSON_MAX \
	(FINDING_EVIDENCE_MAX * (6 * FINDING_SENTENCE_MAX + 16) + 8)

/* Straight into the row. */
static void
add_evidence(struct rows *r, const struct finding *f)
{
	struct json_text t = {.p = rows_place(r, EVIDENCE_JSON_MAX),
	    .room = EVIDENCE_JSON_MAX,
	    .fixed = true};

	if (t.p == NULL)
		return;
	jt_open(&t, '[');
	for (unsigned i = 0; i < f->nevidence && i < FINDING_EVIDENCE_MAX;
	     i++) {
		jt_open(&t, '[');
		jt_int(&t, f->evidence[i].weight);
		jt_string(&t, f->evidence[i].text);
		jt_close(&t, ']');
	}
	jt_close(&t, ']');
	rows_text_placed(r, t.used);
}

static void
add_ladder(struct rows *r, const struct alert *a)
{
	char *to = rows_place(r, LADDER_BLOB_MAX);

	if (to != NULL)
		rows_blob_placed(r, ladder_encode((uint8_t *)to, a));
}

static void
add_capture(struct rows *r, const struct store_file *f)
{
	if (f != NULL)
		rows_int(r, f->id);
	else
		rows_null(r);
}

/* What a row refers to. */
struct refs {
	int64_t flow, kind;
	const struct store_file *file; /* NULL: live */
};

/* Columns as in ST_ALERTS. */
static int
add_alert(
    struct store *s, const struct alert *a, const struct refs *to, int64_t key)
{
	const struct finding *f = &a->finding;
	struct rows *r = s->waiting[ROWS_ALERTS];

	rows_int(r, s->next_alert);
	rows_int(r, key);
	rows_int(r, s->run);
	add_capture(r, to->file);
	rows_int(r, to->flow);
	rows_int(r, f->time);
	rows_int(r, to->kind);
	rows_int(r, f->confidence);
	rows_int(r, f->vis);
	rows_text(r, f->user);
	rows_any_text(r, f->mech);
	rows_any_text(r, f->cert_sha256);
	rows_any_text(r, f->where);
	rows_any_text(r, f->advice);
	add_evidence(r, f);
	add_ladder(r, a);
	rows_int(r, a->incident);
	return rows_end(r);
}

/* ---- the batch ---- */

static struct store_pending *
pending_slot(struct store *s, int64_t key)
{
	uint64_t at = (uint64_t)key;

	while (s->pending[at % STORE_PENDING].id != 0 &&
	       s->pending[at % STORE_PENDING].key != key)
		at++;
	return &s->pending[at % STORE_PENDING];
}

void
store_alerts_drop(struct store *s)
{
	memset(s->pending, 0, sizeof(s->pending));
	s->last_alert = STORE_LAST_UNKNOWN;
	store_flows_forget(s);
	store_kinds_forget(s);
}

int
store_write_alerts(struct store *s)
{
	bool any = rows_count(s->waiting[ROWS_ALERTS]) != 0;
	int rc;

	s->batch_bytes += rows_bytes(s->waiting[ROWS_ALERTS]) +
			  rows_bytes(s->waiting[ROWS_FLOWS]);
	rc = store_append_rows(s, ROWS_ALERTS, ST_ALERTS_NEXT, &s->last_alert);
	if (rc == SQLITE_OK)
		rc = store_write_flows(s);
	if (any)
		memset(s->pending, 0, sizeof(s->pending));
	s->newest = s->newest_pending;
	return rc;
}

/* Rows are written while they are in the CPU's cache. */
static bool
is_much(const struct store *s)
{
	return rows_count(s->waiting[ROWS_ALERTS]) >= STORE_PENDING / 2 ||
	       rows_bytes(s->waiting[ROWS_ALERTS]) >= STORE_WRITE_BYTES;
}

bool
store_alerts_due(const struct store *s)
{
	return s->batch_bytes >= STORE_BATCH_BYTES;
}

/* The id under which an alert stands in the database, 0 if it does not. */
static int64_t
standing_id(struct store *s, int64_t time, int64_t key)
{
	struct binder b;
	int64_t id = 0;

	if (store_stmt(s, ST_ALERT_ID, &b) != SQLITE_OK)
		return 0;
	bind_int(&b, time);
	bind_int(&b, key);
	if (sqlite3_step(b.st) == SQLITE_ROW)
		id = sqlite3_column_int64(b.st, 0);
	sqlite3_reset(b.st);
	return id;
}

/* Likewise, or in the batch. Most are later than all that was written. */
static int64_t
known_id(struct store *s, const struct alert *a, int64_t key)
{
	int64_t id = pending_slot(s, key)->id;

	if (id == 0 && a->finding.time <= s->newest)
		id = standing_id(s, a->finding.time, key);
	return id;
}

/* *id: of its row, which is new unless *known. */
static int
take_alert(struct store *s, const struct alert *a, struct store_file *f,
    int64_t *id, bool *known)
{
	struct refs to = {.file = f};
	int64_t key;
	int rc = store_begin(s);

	if (rc == SQLITE_OK && f != NULL)
		rc = store_file_row(s, f);
	if (rc != SQLITE_OK)
		return rc;
	key = key_of(s, a);
	*id = known_id(s, a, key);
	if ((*known = *id != 0))
		return SQLITE_OK;
	if ((rc = store_flow(s, a, &to.flow)) != SQLITE_OK ||
	    (rc = store_kind(s, a, &to.kind)) != SQLITE_OK ||
	    (rc = add_alert(s, a, &to, key)) != SQLITE_OK)
		return rc;
	*id = s->next_alert++;
	*pending_slot(s, key) = (struct store_pending){key, *id};
	if (a->finding.time > s->newest_pending)
		s->newest_pending = a->finding.time;
	if (is_much(s) && (rc = store_write_alerts(s)) != SQLITE_OK)
		return rc;
	return s->cfg.nfeeds != 0 ? store_alert_event(s, a, f, *id) : SQLITE_OK;
}

static void
count_stored(struct store *s, struct store_file *f, int64_t id)
{
	s->counters.alerts++;
	s->batch_alerts++;
	s->rows += 2;
	if (f == NULL)
		return;
	if (f->alerts++ == 0)
		f->first_alert = id;
	f->alert_batch = s->batch;
}

/* A row that was stored by a run that was killed: its incident was not, and
 * the one of now takes its place. */
static void
adopt(struct store *s, const struct alert *a, int64_t id)
{
	struct binder b;
	int rc = SQLITE_OK;

	s->counters.duplicates++;
	if (a->incident == 0)
		return;
	if (pending_slot(s, key_of(s, a))->id == id)
		rc = store_write_alerts(s); /* it waits in the batch */
	if (rc == SQLITE_OK)
		rc = store_stmt(s, ST_ALERT_INCIDENT, &b);
	if (rc == SQLITE_OK) {
		bind_int(&b, a->incident);
		bind_int(&b, id);
		rc = store_step(&b);
	}
	if (rc != SQLITE_OK)
		store_trouble(s, rc);
}

int64_t
store_alert(struct store *s, const struct alert *a, const char *file)
{
	struct store_file *f = store_file_find(s, file);
	bool known = false;
	int64_t id = 0;
	int rc;

	if (f != NULL && f->known) {
		s->counters.duplicates++;
		return known_id(s, a, key_of(s, a));
	}
	rc = take_alert(s, a, f, &id, &known);
	if (rc != SQLITE_OK) {
		store_trouble(s, rc);
		s->counters.lost++;
		if (f != NULL)
			f->lost = true;
		return 0;
	}
	if (known)
		adopt(s, a, id);
	else
		count_stored(s, f, id);
	store_poll(s);
	return id;
}

/* ---- opening ---- */

/* What the last writer left: the next number, and how late its alerts are. */
int
store_alerts_open(struct store *s)
{
	int rc = store_next_id(s, "alert_rows", &s->next_alert);
	struct binder b;

	s->last_alert = s->next_alert - 1;
	s->newest = INT64_MIN;
	if (rc == SQLITE_OK)
		rc = store_flows_open(s);
	if (rc == SQLITE_OK)
		rc = store_stmt(s, ST_NEWEST_TIME, &b);
	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_step(b.st) == SQLITE_ROW &&
	    sqlite3_column_type(b.st, 0) != SQLITE_NULL)
		s->newest = sqlite3_column_int64(b.st, 0);
	s->newest_pending = s->newest;
	return sqlite3_reset(b.st);
}
