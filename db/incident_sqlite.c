/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An incident's number is taken when it opens, because its alerts carry it;
 * the row is filled when the capture ends, together with what the capture
 * taught, so that a capture that is read again after a kill is not counted
 * twice. What the operator says of an incident stands in columns of its own
 * and is never overwritten.
 */
#include "db/incident_sqlite.h"

#include <stdlib.h>

#include "db/incident_json.h"
#include "db/store_priv.h"

#define CLOSED 2 /* incidents.status */

int64_t
store_incident_id(struct store *s)
{
	int64_t id = s->next_incident++;
	struct binder b;
	int rc = store_begin(s);

	if (rc == SQLITE_OK)
		rc = store_stmt(s, ST_INCIDENT_ID, &b);
	if (rc == SQLITE_OK) {
		bind_int(&b, id);
		bind_int(&b, s->run);
		rc = store_step(&b);
	}
	if (rc != SQLITE_OK)
		store_trouble(s, rc);
	return id;
}

struct saving {
	struct store *s;
	int rc;
	unsigned nclosed;
	int64_t closed[INCIDENTS_MAX]; /* by the operator meanwhile */
};

static void
bind_incident(
    struct binder *b, const struct incident *i, char text[3][STORY_TEXT_MAX])
{
	bind_int(b, i->state == INCIDENT_ENDED ? i->end_reason : 0);
	bind_int(b, i->first);
	bind_int(b, i->last);
	bind_int(b, i->severity);
	bind_int(b, i->confidence);
	bind_text(b, story_name((enum incident_story)i->story));
	bind_int(b, i->stages);
	bind_int(b, i->sessions);
	bind_int(b, i->alerts);
	bind_int(b, i->folded);
	bind_text(b, i->server_name);
	bind_text(b, incident_title(text[0], i));
	bind_text(b, incident_where(text[1], i));
	bind_text(b, incident_advice(text[2], i));
}

static void
save_one(void *ctx, const struct incident *i)
{
	char text[3][STORY_TEXT_MAX], *detail;
	struct saving *w = ctx;
	struct binder b;

	if (w->rc != SQLITE_OK ||
	    (w->rc = store_stmt(w->s, ST_INCIDENT, &b)) != SQLITE_OK)
		return;
	detail = incident_to_json(i);
	bind_int(&b, i->id);
	bind_int(&b, w->s->run);
	bind_incident(&b, i, text);
	bind_text(&b, detail != NULL ? detail : "{}");
	if (sqlite3_step(b.st) == SQLITE_ROW &&
	    sqlite3_column_int(b.st, 0) == CLOSED &&
	    i->state == INCIDENT_OPEN && w->nclosed < INCIDENTS_MAX)
		w->closed[w->nclosed++] = i->id;
	w->rc = sqlite3_reset(b.st);
	w->s->rows++;
	free(detail);
}

int
incidents_sqlite_save(struct store *s)
{
	struct saving *w;
	int rc;

	if (s->incidents == NULL)
		return SQLITE_OK;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return SQLITE_NOMEM;
	w->s = s;
	incidents_each_dirty(s->incidents, save_one, w);
	for (unsigned n = 0; n < w->nclosed; n++)
		incidents_close(s->incidents, w->closed[n]);
	rc = w->rc;
	free(w);
	return rc;
}

int
store_save_incidents(struct store *s)
{
	int rc = store_begin(s);

	if (rc == SQLITE_OK)
		rc = incidents_sqlite_save(s);
	if (rc != SQLITE_OK)
		store_trouble(s, rc);
	else if (store_commit(s) == -1)
		rc = SQLITE_ABORT;
	if (rc != SQLITE_OK)
		return -1;
	if (s->incidents != NULL)
		incidents_keep(s->incidents);
	return 0;
}

/* ---- loading ---- */

static int
load_open(struct store *s, struct incidents *in)
{
	static const char sql[] =
	    "SELECT id, detail FROM incidents WHERE ended=0 AND status<>2 "
	    "ORDER BY last DESC LIMIT ?";
	struct incident *i = malloc(sizeof(*i));
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_NOMEM;

	if (i != NULL)
		rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int(st, 1, INCIDENTS_MAX);
	while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(st, 1);

		if (incident_from_json(i, text != NULL ? text : "") == -1)
			continue; /* damaged: it does not go on */
		i->id = sqlite3_column_int64(st, 0);
		if (incidents_load(in, i) == -1)
			rc = SQLITE_NOMEM;
	}
	if (st != NULL && rc == SQLITE_OK)
		rc = sqlite3_finalize(st);
	else
		sqlite3_finalize(st);
	free(i);
	return rc;
}

static int
load_next(struct store *s)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(s->db,
	    "SELECT seq FROM sqlite_sequence WHERE name='incidents'", -1, &st,
	    NULL);

	s->next_incident = 1;
	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_step(st) == SQLITE_ROW)
		s->next_incident = sqlite3_column_int64(st, 0) + 1;
	return sqlite3_finalize(st);
}

static int
drop_unsaved(struct store *s)
{
	struct binder b;
	int rc = store_stmt(s, ST_INCIDENTS_DROP, &b);

	return rc == SQLITE_OK ? store_step(&b) : rc;
}

int
store_load_incidents(struct store *s, struct incidents *in)
{
	int rc = store_begin(s);

	if (rc == SQLITE_OK)
		rc = drop_unsaved(s);
	if (rc == SQLITE_OK)
		rc = load_next(s);
	if (rc == SQLITE_OK)
		rc = load_open(s, in);
	if (rc != SQLITE_OK) {
		store_trouble(s, rc);
		return -1;
	}
	s->incidents = in;
	return store_commit(s);
}
