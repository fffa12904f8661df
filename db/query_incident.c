/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads incidents and notes back. What is in `detail` is taken for what it
 * is worth: a damaged one leaves an incident without timeline.
 */
#include "db/query_incident.h"

#include <stdio.h>
#include <string.h>

#include "db/addr_text.h"
#include "db/incident_json.h"
#include "db/query_priv.h"

/* The addresses stand in quotes in the JSON, and nothing else there looks
 * like one. */
static const char question[] =
    "SELECT i.id, ended, i.status, i.closed_as, title, cause, i.advice, "
    "detail, x.alert, x.n FROM (SELECT * FROM incidents WHERE saved=1 "
    "AND (?1=0 OR id=?1) AND (?2 IS NULL OR last>=?2) AND severity>=?3 "
    "AND (?4 IS NULL OR instr(detail, '\"'||?4||'\"') "
    "OR server_name=?5 COLLATE NOCASE) "
    "AND (NOT ?6 OR (ended=0 AND status<2)) "
    "ORDER BY last DESC, id DESC LIMIT ?7) i "
    "LEFT JOIN (SELECT incident, min(id) AS alert, count(*) AS n "
    "FROM alert_rows WHERE incident<>0 GROUP BY incident) x "
    "ON x.incident=i.id ORDER BY i.first, i.id";

void
query_incident_filter_init(struct query_incident_filter *f)
{
	memset(f, 0, sizeof(*f));
	f->since = QUERY_NO_TIME;
}

static const char *
text(sqlite3_stmt *st, int column)
{
	const char *s = (const char *)sqlite3_column_text(st, column);

	return s != NULL ? s : "";
}

static void
read_row(sqlite3_stmt *st, struct query_incident *row)
{
	int status = sqlite3_column_int(st, 2);

	if (incident_from_json(&row->incident, text(st, 7)) == -1)
		memset(&row->incident, 0, sizeof(row->incident));
	row->id = row->incident.id = sqlite3_column_int64(st, 0);
	row->ended = sqlite3_column_int(st, 1);
	row->status = status == TRIAGE_ACKNOWLEDGED || status == TRIAGE_CLOSED
			  ? (enum triage_status)status
			  : TRIAGE_NEW;
	row->closed_as = text(st, 3);
	row->title = text(st, 4);
	row->cause = text(st, 5);
	row->advice = text(st, 6);
	row->first_alert = sqlite3_column_int64(st, 8);
	row->nalerts = sqlite3_column_int64(st, 9);
}

static void
bind_filter(sqlite3_stmt *st, const struct query_incident_filter *f,
    char host[ADDR_TEXT_MAX])
{
	const char *h = f->host;
	struct addr a;

	if (h != NULL && addr_from_text(&a, h) == 0)
		h = addr_to_text(host, &a);
	sqlite3_bind_int64(st, 1, f->id);
	if (f->since != QUERY_NO_TIME)
		sqlite3_bind_int64(st, 2, f->since);
	sqlite3_bind_int(st, 3, f->min_severity);
	sqlite3_bind_text(st, 4, h, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 5, f->host, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 6, f->open_only);
	sqlite3_bind_int64(st, 7,
	    f->limit == 0 || f->limit > INT64_MAX ? INT64_MAX
						  : (int64_t)f->limit);
}

int64_t
query_incidents(struct query *q, const struct query_incident_filter *f,
    query_incident_fn fn, void *ctx, char *err, size_t errlen)
{
	char host[ADDR_TEXT_MAX];
	struct query_incident row;
	sqlite3_stmt *st;
	int64_t n = 0;
	int rc = sqlite3_prepare_v2(q->db, question, -1, &st, NULL);

	if (rc == SQLITE_OK) {
		bind_filter(st, f, host);
		while (sqlite3_step(st) == SQLITE_ROW) {
			read_row(st, &row);
			n++;
			if (fn(ctx, &row) != 0)
				break;
		}
		rc = sqlite3_finalize(st);
	}
	if (rc == SQLITE_OK)
		return n;
	query_explain(q, rc, err, errlen);
	return -1;
}

int64_t
query_notes(struct query *q, enum triage_kind kind, int64_t id,
    query_note_fn fn, void *ctx, char *err, size_t errlen)
{
	sqlite3_stmt *st;
	int64_t n = 0;
	int rc = sqlite3_prepare_v2(q->db,
	    "SELECT time, what, closed_as, author, text FROM notes "
	    "WHERE kind=? AND ref=? ORDER BY id",
	    -1, &st, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_text(st, 1,
		    kind == TRIAGE_ALERT ? "alert" : "incident", -1,
		    SQLITE_STATIC);
		sqlite3_bind_int64(st, 2, id);
		while (sqlite3_step(st) == SQLITE_ROW) {
			struct query_note row = {sqlite3_column_int64(st, 0),
			    text(st, 1), text(st, 2), text(st, 3), text(st, 4)};

			n++;
			if (fn(ctx, &row) != 0)
				break;
		}
		rc = sqlite3_finalize(st);
	}
	if (rc == SQLITE_OK)
		return n;
	query_explain(q, rc, err, errlen);
	return -1;
}
