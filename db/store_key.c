/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys that must outlive a run, in the table meta. The first writer's key
 * stays: INSERT OR IGNORE, and then the row is read, whoever wrote it.
 */
#include <stdio.h>
#include <string.h>

#include "db/store_priv.h"

static int
insert_key(sqlite3 *db, const char *name, const uint8_t key[SIPHASH_KEY])
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(db,
	    "INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)", -1, &st,
	    NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, key, SIPHASH_KEY, SQLITE_STATIC);
	(void)sqlite3_step(st);
	return sqlite3_finalize(st);
}

static int
select_key(sqlite3 *db, const char *name, uint8_t key[SIPHASH_KEY])
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(
	    db, "SELECT value FROM meta WHERE name = ?", -1, &st, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	if (sqlite3_step(st) == SQLITE_ROW &&
	    sqlite3_column_bytes(st, 0) == SIPHASH_KEY)
		memcpy(key, sqlite3_column_blob(st, 0), SIPHASH_KEY);
	else
		rc = SQLITE_CORRUPT;
	(void)sqlite3_finalize(st);
	return rc;
}

int
store_key(struct store *s, const char *name, uint8_t key[SIPHASH_KEY],
    char *err, size_t errlen)
{
	int rc = insert_key(s->db, name, key);

	if (rc == SQLITE_OK)
		rc = select_key(s->db, name, key);
	if (rc == SQLITE_OK)
		return 0;
	snprintf(err, errlen, "%s: the key '%s' cannot be kept: %s", s->path,
	    name, sqlite3_errstr(rc));
	return -1;
}
