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
	w->rc = store_step(&b);
	w->s->rows++;
	free(detail);
}

/* What the operator closed is at its end: what follows is another one. */
static int
end_closed(struct store *s)
{
	struct binder b;
	int rc = store_stmt(s, ST_INCIDENTS_CLOSED, &b);

	if (rc != SQLITE_OK)
		return rc;
	while (sqlite3_step(b.st) == SQLITE_ROW)
		incidents_close(s->incidents, sqlite3_column_int64(b.st, 0));
	return sqlite3_reset(b.st);
}

int
incidents_sqlite_save(struct store *s)
{
	struct saving w = {s, SQLITE_OK};

	if (s->incidents == NULL)
		return SQLITE_OK;
	if ((w.rc = end_closed(s)) == SQLITE_OK)
		incidents_each_dirty(s->incidents, save_one, &w);
	return w.rc;
}

static void
note_dirty(void *ctx, const struct incident *i)
{
	(void)i;
	*(bool *)ctx = true;
}

/* Most of the time there is nothing to write, and no lock to take. */
static bool
is_anything_new(struct store *s)
{
	bool dirty = false;

	if (s->incidents == NULL || end_closed(s) != SQLITE_OK)
		return s->incidents != NULL;
	incidents_each_dirty(s->incidents, note_dirty, &dirty);
	return dirty;
}

int
store_save_incidents(struct store *s)
{
	int rc;

	if (!is_anything_new(s))
		return 0;
	if ((rc = store_begin(s)) == SQLITE_OK)
		rc = incidents_sqlite_save(s);
	if (rc != SQLITE_OK)
		store_trouble(s, rc);
	else if (store_commit(s) == -1)
		rc = SQLITE_ABORT;
	if (rc != SQLITE_OK)
		return -1;
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
		rc = store_next_id(s, "incidents", &s->next_incident);
	if (rc == SQLITE_OK)
		rc = load_open(s, in);
	if (rc != SQLITE_OK) {
		store_trouble(s, rc);
		return -1;
	}
	s->incidents = in;
	return store_commit(s);
}
