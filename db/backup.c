/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SQLite's backup of pages. query_open() has begun a transaction for reading,
 * which holds over it: without one it would begin anew each time the sensor
 * commits, that is for ever.
 */
#include "db/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/query_priv.h"

#define STEP 1024 /* pages */

static int
say(char *err, size_t errlen, const char *path, const char *what)
{
	(void)snprintf(err, errlen, "%s: %s", path, what);
	return -1;
}

/* Of the database as it is now: the transaction that query_open() began reads
 * from here on, or each step would be one of its own, and SQLite begin anew
 * whenever the sensor wrote meanwhile: beside a busy one it would never end. */
static int
copy_pages(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *b;
	int rc = sqlite3_exec(
	    from, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		return rc;
	b = sqlite3_backup_init(to, "main", from, "main");
	rc = b != NULL ? SQLITE_OK : sqlite3_errcode(to);
	while (rc == SQLITE_OK)
		rc = sqlite3_backup_step(b, STEP);
	if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	(void)sqlite3_backup_finish(b);
	return rc;
}

/* Without a log beside it: one file that can be read where it lies. */
static int
copy_into(struct query *from, const char *path, char *err, size_t errlen)
{
	sqlite3 *to = NULL;
	int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL);

	if (rc == SQLITE_OK)
		rc = copy_pages(from->db, to);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(
		    to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		(void)say(err, errlen, path, sqlite3_errstr(rc));
	if (sqlite3_close(to) != SQLITE_OK && rc == SQLITE_OK) {
		(void)say(err, errlen, path, "cannot be closed");
		rc = SQLITE_ERROR;
	}
	return rc == SQLITE_OK ? 0 : -1;
}

static int
sync_folder(const char *file)
{
	char *copy = strdup(file), *slash = copy ? strrchr(copy, '/') : NULL;
	int fd, status;

	if (copy == NULL)
		return -1;
	if (slash != NULL)
		slash[slash == copy] = '\0';
	fd = open(
	    slash != NULL ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	status = fd == -1 ? -1 : fsync(fd);
	if (fd != -1)
		(void)close(fd);
	free(copy);
	return status;
}

/* Bytes; -1: errno. */
static int64_t
sync_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int64_t size = -1;

	if (fd == -1)
		return -1;
	if (fsync(fd) == 0 && fstat(fd, &st) == 0)
		size = st.st_size;
	(void)close(fd);
	return size;
}

static int64_t
make(struct query *from, const char *part, const char *to, char *err,
    size_t errlen)
{
	int64_t size;

	if (copy_into(from, part, err, errlen) == -1)
		return -1;
	size = sync_file(part);
	if (size == -1 || rename(part, to) == -1 || sync_folder(to) == -1)
		return say(err, errlen, to, strerror(errno));
	return size;
}

int64_t
backup_make(
    struct query *from, const char *to, int replace, char *err, size_t errlen)
{
	char part[PATH_MAX];
	int n = snprintf(part, sizeof(part), "%s.part", to), fd;
	int64_t size;

	if (n < 0 || (size_t)n >= sizeof(part))
		return say(err, errlen, to, "the path is too long");
	if (!replace && access(to, F_OK) == 0)
		return say(err, errlen, to,
		    "is there already: name another file, or --force");
	fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 && errno == EEXIST)
		return say(err, errlen, part,
		    "is there already: another backup is being made, or was "
		    "not finished; then remove it");
	if (fd == -1)
		return say(err, errlen, part, strerror(errno));
	(void)close(fd);
	size = make(from, part, to, err, errlen);
	if (size == -1)
		(void)unlink(part);
	return size;
}
