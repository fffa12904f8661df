/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens a database file: is it ours, may we write, which version is it? What
 * is not ours, or newer than we are, is left as it was, byte for byte.
 *
 * One writer: flock(2) on the database file itself, through a descriptor of
 * our own. SQLite's locks are fcntl(2) locks and do not see it, so readers
 * are not disturbed; two writers that took turns batch by batch would starve
 * each other. The descriptor is opened before SQLite's and closed after it,
 * because closing any descriptor of a file drops its fcntl locks.
 */
#include "db/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* made from db/schema.sql and db/upgrade_*.sql by the Makefile */
#include "schema_sql.h"
#include "upgrade_2_sql.h"
#include "upgrade_3_sql.h"
#include "upgrade_4_sql.h"
#include "upgrade_5_sql.h"
#include "upgrade_6_sql.h"

#define MAGIC "SQLite format 3"
#define LOCK_STEP_US 50000
#define PROGRESS 100000 /* steps of SQLite's machine: some ms */
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

/* upgrades[n] takes a database from version n to n + 1; a new one begins with
 * the version of today. */
static const char *const upgrades[STORE_SCHEMA_VERSION] = {
    [0] = schema_sql,
    [1] = upgrade_2_sql,
    [2] = upgrade_3_sql,
    [3] = upgrade_4_sql,
    [4] = upgrade_5_sql,
    [5] = upgrade_6_sql,
};

static int
say_open_failed(const char *path, int error, char *err, size_t errlen)
{
	char *copy;

	switch (error) {
	case ENOENT:
		copy = strdup(path);
		snprintf(err, errlen,
		    "%s: the folder %s does not exist: make it, or name "
		    "another database with -d",
		    path, copy != NULL ? dirname(copy) : "of it");
		free(copy);
		break;
	case EACCES:
	case EPERM:
	case EROFS:
		snprintf(err, errlen,
		    "%s: cannot be written (%s): change its permissions, or "
		    "name another database with -d",
		    path, strerror(error));
		break;
	case EISDIR:
		snprintf(
		    err, errlen, "%s: is a folder: name a file with -d", path);
		break;
	default:
		snprintf(err, errlen,
		    "%s: cannot be opened (%s): name another database with -d",
		    path, strerror(error));
	}
	return -1;
}

static int
lock_writer(struct store *s, char *err, size_t errlen)
{
	for (int ms = 0; flock(s->lock_fd, LOCK_EX | LOCK_NB) == -1;
	     ms += LOCK_STEP_US / 1000) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return 0; /* no such locks here: SQLite's must do */
		if (ms >= STORE_BUSY_MS) {
			snprintf(err, errlen,
			    "%s: another stripwire is writing to it: wait "
			    "for it to end, or name another database with -d",
			    s->path);
			return -1;
		}
		usleep(LOCK_STEP_US);
	}
	return 0;
}

static int
say_not_database(const char *path, char *err, size_t errlen)
{
	snprintf(err, errlen,
	    "%s: is not a database (it was left as it is): name another file "
	    "with -d",
	    path);
	return -1;
}

/* A device or a text file never comes as far as SQLite. */
static int
check_magic(struct store *s, char *err, size_t errlen)
{
	char head[sizeof(MAGIC)];
	struct stat st;
	ssize_t n;

	if (fstat(s->lock_fd, &st) == -1)
		return say_open_failed(s->path, errno, err, errlen);
	if (!S_ISREG(st.st_mode))
		return say_not_database(s->path, err, errlen);
	n = pread(s->lock_fd, head, sizeof(head), 0);
	if (n == 0)
		return 0;
	if (n != sizeof(head) || memcmp(head, MAGIC, sizeof(head)) != 0)
		return say_not_database(s->path, err, errlen);
	return 0;
}

static int
open_and_lock(struct store *s, char *err, size_t errlen)
{
	s->lock_fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (s->lock_fd == -1)
		return say_open_failed(s->path, errno, err, errlen);
	if (check_magic(s, err, errlen) == -1)
		return -1;
	return lock_writer(s, err, errlen);
}

static int
say_sqlite(struct store *s, int rc, char *err, size_t errlen)
{
	int error = sqlite3_system_errno(s->db);

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		snprintf(err, errlen,
		    "%s: is locked by another program, for more than %d s: "
		    "wait for that one to end, or name another database with "
		    "-d",
		    s->path, STORE_BUSY_MS / 1000);
		break;
	case SQLITE_NOTADB:
		return say_not_database(s->path, err, errlen);
	case SQLITE_CORRUPT:
		snprintf(err, errlen,
		    "%s: is damaged (%s): restore it from a backup, or name "
		    "another database with -d",
		    s->path, sqlite3_errmsg(s->db));
		break;
	case SQLITE_FULL:
		snprintf(err, errlen,
		    "%s: no room on the disk: make room, or name another "
		    "database with -d",
		    s->path);
		break;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		snprintf(err, errlen,
		    "%s: its folder cannot be written (%s): change the "
		    "permissions, or name another database with -d",
		    s->path,
		    error != 0 ? strerror(error) : sqlite3_errmsg(s->db));
		break;
	default:
		snprintf(err, errlen,
		    "%s: cannot be used (%s%s%s): name "
		    "another database with -d",
		    s->path, sqlite3_errmsg(s->db), error != 0 ? ", " : "",
		    error != 0 ? strerror(error) : "");
	}
	return -1;
}

static int
ask_int(sqlite3 *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	return sqlite3_finalize(st);
}

/* Ours, of another program, newer? Only reads. */
static int
check_owner(struct store *s, int64_t *version, char *err, size_t errlen)
{
	int64_t app = 0, objects = 0;
	int rc = ask_int(s->db, "PRAGMA application_id", &app);

	if (rc == SQLITE_OK)
		rc = ask_int(s->db, "PRAGMA user_version", version);
	if (rc == SQLITE_OK)
		rc = ask_int(
		    s->db, "SELECT count(*) FROM sqlite_master", &objects);
	if (rc != SQLITE_OK)
		return say_sqlite(s, rc, err, errlen);
	if (app != STORE_APPLICATION_ID &&
	    (app != 0 || *version != 0 || objects != 0)) {
		snprintf(err, errlen,
		    "%s: is a database of another program (it was left as it "
		    "is): name another file with -d",
		    s->path);
		return -1;
	}
	if (*version > STORE_SCHEMA_VERSION) {
		snprintf(err, errlen,
		    "%s: written by a newer version (schema %lld, this program "
		    "knows %d): use the newer program or another -d",
		    s->path, (long long)*version, STORE_SCHEMA_VERSION);
		return -1;
	}
	if (*version == 0 && objects != 0) {
		snprintf(err, errlen,
		    "%s: has tables and no version: restore it from a backup, "
		    "or name another database with -d",
		    s->path);
		return -1;
	}
	return 0;
}

static int
exec(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

static int
on_progress(void *ctx)
{
	struct store *s = ctx;

	if (s->cfg.on_busy != NULL)
		s->cfg.on_busy(s->cfg.ctx);
	return 0;
}

void
store_signs_of_life(struct store *s, bool on)
{
	sqlite3_progress_handler(
	    s->db, on ? PROGRESS : 0, on ? on_progress : NULL, s);
}

/* Each step is one transaction: a crash leaves the old version or the new. */
static int
upgrade(struct store *s, int64_t version)
{
	char pragma[96];
	int rc = SQLITE_OK;
	int64_t next;

	s->empty = version == 0;
	/* must stand before the first table; see store_retain.c */
	if (version == 0)
		rc = exec(
		    s, "PRAGMA page_size=" TEXT(
			   STORE_PAGE_BYTES) ";PRAGMA auto_vacuum=INCREMENTAL");
	for (; rc == SQLITE_OK && version < STORE_SCHEMA_VERSION;
	     version = next) {
		next = version == 0 ? STORE_SCHEMA_VERSION : version + 1;
		if ((rc = exec(s, "BEGIN IMMEDIATE")) != SQLITE_OK)
			return rc;
		snprintf(pragma, sizeof(pragma),
		    "PRAGMA application_id=%d; PRAGMA user_version=%lld",
		    STORE_APPLICATION_ID, (long long)next);
		if ((rc = exec(s, upgrades[version])) != SQLITE_OK ||
		    (rc = exec(s, pragma)) != SQLITE_OK ||
		    (rc = exec(s, "COMMIT")) != SQLITE_OK) {
			if (!sqlite3_get_autocommit(s->db))
				(void)exec(s, "ROLLBACK");
			return rc;
		}
	}
	return rc;
}

/* The schema is made before WAL is switched on, so that the main file always
 * says whose it is. Then a first write: better to fail now than later. */
static int
prepare(struct store *s, int64_t version, char *err, size_t errlen)
{
	static const char settings[] =
	    "PRAGMA synchronous=NORMAL;"
	    "PRAGMA cache_size=-" TEXT(
		STORE_CACHE_KIB) ";"
				 "PRAGMA temp_store=MEMORY;"
				 "PRAGMA trusted_schema=OFF;"
				 "PRAGMA journal_size_limit=67108864;"
				 "PRAGMA journal_mode=WAL;";
	static const char probe[] =
	    "BEGIN IMMEDIATE;"
	    "UPDATE runs SET ended=ended WHERE id=(SELECT max(id) FROM runs);"
	    "COMMIT";
	int rc;

	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	store_signs_of_life(s, version != 0);
	rc = upgrade(s, version);
	store_signs_of_life(s, false);
	if (rc == SQLITE_OK && (rc = exec(s, settings)) == SQLITE_OK)
		rc = exec(s, probe);
	return rc == SQLITE_OK ? 0 : say_sqlite(s, rc, err, errlen);
}

int
store_open_file(struct store *s, char *err, size_t errlen)
{
	int64_t version = 0;
	int rc;

	if (strcmp(s->path, ":memory:") == 0) {
		/* SQLite would store in memory, beside the file that is locked */
		snprintf(err, errlen,
		    "%s: alerts are stored in a file: name one with -d, or "
		    "store nothing with --no-db",
		    s->path);
		return -1;
	}
	if (open_and_lock(s, err, errlen) == -1)
		return -1;
	/* one thread uses it: no locks, and none for each allocation */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	rc = sqlite3_open_v2(s->path, &s->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	    NULL);
	if (rc != SQLITE_OK)
		return say_sqlite(s, rc, err, errlen);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (check_owner(s, &version, err, errlen) == -1)
		return -1;
	return prepare(s, version, err, errlen);
}
