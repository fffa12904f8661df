/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Status and notes. The store's lock is not taken: that is for writers of
 * batches, and this waits for the gap between two of them.
 */
#include "db/triage.h"

#include <stdio.h>
#include <string.h>

#include "db/store_priv.h"

const char *const triage_reasons[] = {
    "attack", "not-an-attack", "resolved", NULL};

static const char *const verbs[] = {[TRIAGE_ACK] = "ack",
    [TRIAGE_CLOSE] = "close",
    [TRIAGE_REOPEN] = "reopen",
    [TRIAGE_COMMENT] = "comment"};

#define NVERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct {
	const char *name, *status, *alerts;
} tables[] = {
    [TRIAGE_ALERT] = {"alert",
	"UPDATE alert_rows SET status=?1, closed_as=?2 WHERE id=?3", NULL},
    [TRIAGE_INCIDENT] = {"incident",
	"UPDATE incidents SET status=?1, closed_as=?2 WHERE id=?3",
	/* what was closed by itself stays as it is */
	"UPDATE alert_rows SET status=?1, closed_as=?2 WHERE incident=?3 "
	"AND (status<?1 OR ?1=0)"},
};

const char *
triage_verb_name(enum triage_verb v)
{
	return verbs[v];
}

int
triage_verb_by_name(const char *name)
{
	for (unsigned i = 0; i < NVERBS; i++)
		if (strcmp(name, verbs[i]) == 0)
			return (int)i;
	return -1;
}

const char *
triage_status_name(enum triage_status s)
{
	switch (s) {
	case TRIAGE_ACKNOWLEDGED:
		return "acknowledged";
	case TRIAGE_CLOSED:
		return "closed";
	default:
		return "new";
	}
}

struct writing {
	sqlite3 *db;
	const char *path;
	const struct triage *t;
	char *err;
	size_t errlen;
};

static int
say_sqlite(const struct writing *w, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		snprintf(w->err, w->errlen,
		    "%s: another program is writing to it without a pause: "
		    "try again",
		    w->path);
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		snprintf(w->err, w->errlen,
		    "%s: cannot be written: change the permissions of the "
		    "file and its folder, or name another with -d",
		    w->path);
		break;
	case SQLITE_NOTADB:
		snprintf(w->err, w->errlen, "%s: is not a database", w->path);
		break;
	default:
		snprintf(w->err, w->errlen, "%s: cannot be written (%s)",
		    w->path, sqlite3_errmsg(w->db));
	}
	return -1;
}

static int
ask_int(struct writing *w, const char *sql, int64_t *out)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(w->db, sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_step(st) == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	return sqlite3_finalize(st);
}

static int
open_db(struct writing *w)
{
	int64_t app = 0, version = 0;
	int rc = sqlite3_open_v2(w->path, &w->db, SQLITE_OPEN_READWRITE, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(w->db, STORE_BUSY_MS);
		rc = ask_int(w, "PRAGMA application_id", &app);
	}
	if (rc == SQLITE_OK)
		rc = ask_int(w, "PRAGMA user_version", &version);
	if (rc != SQLITE_OK)
		return say_sqlite(w, rc);
	if (app == STORE_APPLICATION_ID && version == STORE_SCHEMA_VERSION)
		return 0;
	snprintf(w->err, w->errlen,
	    app != STORE_APPLICATION_ID
		? "%s: is not a database of Stripwire: name another with -d"
		: "%s: was written by another version: `stripwire read` brings "
		  "older ones up to date",
	    w->path);
	return -1;
}

/* ?1 status, ?2 closed as, ?3 id; *changed: how many rows. */
static int
set_status(struct writing *w, const char *sql, int64_t id, int *changed)
{
	static const int status[NVERBS] = {[TRIAGE_ACK] = TRIAGE_ACKNOWLEDGED,
	    [TRIAGE_CLOSE] = TRIAGE_CLOSED,
	    [TRIAGE_REOPEN] = TRIAGE_NEW};
	const struct triage *t = w->t;
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(w->db, sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int(st, 1, status[t->verb]);
	sqlite3_bind_text(st, 2, t->verb == TRIAGE_CLOSE ? t->closed_as : "",
	    -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, id);
	sqlite3_step(st);
	rc = sqlite3_finalize(st);
	*changed = sqlite3_changes(w->db);
	return rc;
}

static int
exists(struct writing *w, int64_t id, int *found)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(w->db,
	    w->t->kind == TRIAGE_ALERT
		? "SELECT 1 FROM alert_rows WHERE id=?"
		: "SELECT 1 FROM incidents WHERE id=? AND saved=1",
	    -1, &st, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(st, 1, id);
	*found = sqlite3_step(st) == SQLITE_ROW;
	return sqlite3_finalize(st);
}

static int
add_note(struct writing *w, int64_t id)
{
	static const char sql[] =
	    "INSERT INTO notes (time, kind, ref, what, closed_as, author, "
	    "text) VALUES (?,?,?,?,?,?,?)";
	const struct triage *t = w->t;
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(w->db, sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(st, 1, t->now);
	sqlite3_bind_text(st, 2, tables[t->kind].name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, id);
	sqlite3_bind_text(st, 4, verbs[t->verb], -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 5, t->verb == TRIAGE_CLOSE ? t->closed_as : "",
	    -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 6, t->author, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 7, t->text, -1, SQLITE_STATIC);
	sqlite3_step(st);
	return sqlite3_finalize(st);
}

/* 0, or -1 with a sentence. */
static int
write_one(struct writing *w, int64_t id)
{
	int found = 0, changed, rc = exists(w, id, &found);

	if (rc == SQLITE_OK && !found) {
		snprintf(w->err, w->errlen,
		    "there is no %s %lld in %s; nothing was changed",
		    tables[w->t->kind].name, (long long)id, w->path);
		return -1;
	}
	if (rc == SQLITE_OK && w->t->verb != TRIAGE_COMMENT)
		rc = set_status(w, tables[w->t->kind].status, id, &changed);
	if (rc == SQLITE_OK && w->t->verb != TRIAGE_COMMENT &&
	    tables[w->t->kind].alerts != NULL)
		rc = set_status(w, tables[w->t->kind].alerts, id, &changed);
	if (rc == SQLITE_OK)
		rc = add_note(w, id);
	return rc == SQLITE_OK ? 0 : say_sqlite(w, rc);
}

static int
write_all(struct writing *w, const int64_t *ids, unsigned n)
{
	int rc = sqlite3_exec(w->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		return say_sqlite(w, rc);
	for (unsigned i = 0; i < n; i++)
		if (write_one(w, ids[i]) == -1)
			return -1; /* closing the database takes it back */
	rc = sqlite3_exec(w->db, "COMMIT", NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : say_sqlite(w, rc);
}

int
triage_write(const char *db, const struct triage *t, const int64_t *ids,
    unsigned n, char *err, size_t errlen)
{
	struct writing w = {NULL, db, t, err, errlen};
	int rc = open_db(&w);

	if (rc == 0)
		rc = write_all(&w, ids, n);
	sqlite3_close(w.db);
	return rc;
}
