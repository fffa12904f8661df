/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file of lines. Lines are collected, written with one write(2), and have
 * arrived when fdatasync(2) says so; what was written since then is cut off
 * again if anything fails, and half a line that a crash left behind is cut off
 * when the file is opened: the feed sends all of that once more.
 *
 * Rotation renames PATH.1 to PATH.2 and so on, PATH to PATH.1. Between two
 * renames a crash leaves a gap in the numbers and no line is lost. A program
 * that moves the file away instead (logrotate(8)) is noticed within a second,
 * with or without SIGHUP.
 */
#include "db/transport_kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (256u << 10) /* bytes of lines between two writes */
#define TAIL (512u << 10) /* in which the last line must begin */
#define LOOK_MS 1000 /* between looks whether the file was moved */

struct transport {
	const struct transport_config *c;
	int fd; /* -1: not open */
	off_t good; /* bytes that have arrived */
	bool dirty; /* written since */
	int64_t born; /* s since the epoch: for its age */
	int64_t looked; /* ms */
	int64_t sent, arrived; /* seq */
	size_t used;
	char buf[BUFFER];
};

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* -1, with a sentence for errno. */
static int
trouble(const struct transport *t, char *err, const char *what)
{
	const char *path = t->c->path;
	int error = errno;

	if (error == ENOSPC || error == EDQUOT)
		(void)snprintf(err, TRANSPORT_ERROR_MAX,
		    "%.200s: no room on the disk: make room", path);
	else if (error == ENOENT)
		(void)snprintf(err, TRANSPORT_ERROR_MAX,
		    "%.200s: its folder does not exist: make it", path);
	else if (error == EACCES || error == EPERM || error == EROFS)
		(void)snprintf(err, TRANSPORT_ERROR_MAX,
		    "%.200s: %s (%s): file and folder must be writable for "
		    "the user of the sensor",
		    path, what, strerror(error));
	else
		(void)snprintf(err, TRANSPORT_ERROR_MAX, "%.200s: %s: %s", path,
		    what, strerror(error));
	return -1;
}

static struct transport *
file_open(const struct transport_config *c, char *err)
{
	struct transport *t;

	if (c->path == NULL || c->path[0] == '\0') {
		(void)snprintf(
		    err, TRANSPORT_ERROR_MAX, "no path: set it to a file");
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL) {
		(void)snprintf(err, TRANSPORT_ERROR_MAX, "out of memory");
		return NULL;
	}
	t->c = c;
	t->fd = -1;
	return t;
}

static void
file_disconnect(struct transport *t)
{
	if (t->fd != -1)
		(void)close(t->fd);
	t->fd = -1;
	t->used = 0;
	t->dirty = false;
}

static void
file_close(struct transport *t)
{
	if (t == NULL)
		return;
	file_disconnect(t);
	free(t);
}

/* ---- opening ---- */

/* Where the last whole line ends; size, if there is none to be found. */
static off_t
last_line_end(int fd, off_t size)
{
	off_t from = size > (off_t)TAIL ? size - (off_t)TAIL : 0;
	off_t end = from == 0 ? 0 : size;
	char *tail = malloc(TAIL);
	ssize_t n;

	if (tail == NULL)
		return size;
	n = pread(fd, tail, TAIL, from);
	for (ssize_t i = n; i > 0; i--)
		if (tail[i - 1] == '\n') {
			end = from + i;
			break;
		}
	free(tail);
	return n < 0 ? size : end;
}

/* Half a line at the end goes, or, if it is none of ours, is ended. */
static int
mend(int fd, off_t *size)
{
	char last = '\n';
	off_t end;

	if (*size == 0 || pread(fd, &last, 1, *size - 1) != 1 || last == '\n')
		return 0;
	end = last_line_end(fd, *size);
	if (end == *size)
		return write(fd, "\n", 1) == 1 ? (*size += 1, 0) : -1;
	*size = end;
	return ftruncate(fd, end);
}

/* When it was made, if the file system knows. */
static int64_t
birth(int fd, bool fresh)
{
	struct statx x;

	if (!fresh && statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &x) == 0 &&
	    (x.stx_mask & STATX_BTIME) != 0)
		return x.stx_btime.tv_sec;
	return (int64_t)time(NULL);
}

static int
sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd = -1, status;

	if (copy != NULL)
		fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	status = fd == -1 ? -1 : fsync(fd);
	if (fd != -1)
		(void)close(fd);
	return status;
}

static int
file_connect(struct transport *t, char *err)
{
	struct stat st;

	file_disconnect(t);
	t->fd = open(t->c->path,
	    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
	if (t->fd == -1 || fstat(t->fd, &st) == -1)
		return trouble(t, err, "cannot be opened");
	if (!S_ISREG(st.st_mode)) {
		file_disconnect(t);
		(void)snprintf(err, TRANSPORT_ERROR_MAX,
		    "%.200s: is not a regular file: name another path",
		    t->c->path);
		return -1;
	}
	t->good = st.st_size;
	t->born = birth(t->fd, t->good == 0);
	t->looked = now_ms();
	t->sent = t->arrived;
	if (mend(t->fd, &t->good) == -1 ||
	    (t->good == 0 && sync_folder(t->c->path) == -1)) {
		(void)trouble(t, err, "cannot be written");
		file_disconnect(t);
		return -1;
	}
	return 0;
}

/* ---- writing ---- */

/* What has not arrived goes; somebody else may have cut the file meanwhile. */
static void
cut_back(struct transport *t)
{
	struct stat st;
	int error = errno;

	if (t->fd != -1 && fstat(t->fd, &st) == 0 && st.st_size > t->good)
		(void)!ftruncate(t->fd, t->good); /* else mended later */
	t->used = 0;
	t->dirty = false;
	errno = error;
}

static int
write_out(struct transport *t, char *err)
{
	size_t done = 0;

	while (done < t->used) {
		ssize_t n = write(t->fd, t->buf + done, t->used - done);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			cut_back(t);
			return trouble(t, err, "cannot be written");
		}
		done += (size_t)n;
		t->dirty = true;
	}
	t->used = 0;
	return 0;
}

static int
file_send(struct transport *t, const struct message *m, char *err)
{
	if (m->len + 1 > sizeof(t->buf) - t->used && write_out(t, err) == -1)
		return -1;
	if (m->len + 1 > sizeof(t->buf)) {
		errno = EMSGSIZE;
		return trouble(t, err, "a line is too long");
	}
	memcpy(t->buf + t->used, m->bytes, m->len);
	t->used += m->len;
	t->buf[t->used++] = '\n';
	if (m->seq > t->sent)
		t->sent = m->seq;
	return 0;
}

static int
sync_file(struct transport *t, char *err)
{
	struct stat st;

	if (write_out(t, err) == -1)
		return -1;
	if (t->dirty && (fdatasync(t->fd) == -1 || fstat(t->fd, &st) == -1)) {
		cut_back(t);
		return trouble(t, err, "cannot be synchronised");
	}
	if (t->dirty)
		t->good = st.st_size;
	t->dirty = false;
	t->arrived = t->sent;
	return 0;
}

/* ---- rotation ---- */

static bool
is_due(const struct transport *t)
{
	const struct transport_config *c = t->c;

	if (t->good == 0)
		return false;
	if (c->rotate_bytes != 0 && (uint64_t)t->good >= c->rotate_bytes)
		return true;
	return c->rotate_s != 0 &&
	       (int64_t)time(NULL) - t->born >= (int64_t)c->rotate_s;
}

static int
shift(const char *path, unsigned from)
{
	char old[PATH_MAX + 16], new[PATH_MAX + 16];

	(void)snprintf(new, sizeof(new), "%s.%u", path, from + 1);
	if (from == 0)
		(void)snprintf(old, sizeof(old), "%s", path);
	else
		(void)snprintf(old, sizeof(old), "%s.%u", path, from);
	return rename(old, new) == -1 && errno != ENOENT ? -1 : 0;
}

static int
rotate(struct transport *t, char *err)
{
	unsigned keep = t->c->rotate_keep;

	if (keep == 0 && unlink(t->c->path) == -1 && errno != ENOENT)
		return trouble(t, err, "cannot be rotated");
	for (unsigned n = keep; n > 0; n--)
		if (shift(t->c->path, n - 1) == -1)
			return trouble(t, err, "cannot be rotated");
	(void)sync_folder(t->c->path);
	return file_connect(t, err);
}

/* Is it still the one that the path names? */
static bool
was_moved(struct transport *t)
{
	struct stat mine, there;

	if (now_ms() - t->looked < LOOK_MS)
		return false;
	t->looked = now_ms();
	return fstat(t->fd, &mine) == 0 &&
	       (stat(t->c->path, &there) == -1 || mine.st_ino != there.st_ino ||
		   mine.st_dev != there.st_dev);
}

static int
file_flush(struct transport *t, int wait_ms, int64_t *arrived, char *err)
{
	int status = 0;

	(void)wait_ms; /* the disk takes as long as it takes */
	if (t->fd == -1) {
		errno = EBADF;
		status = trouble(t, err, "is not open");
	} else {
		status = sync_file(t, err);
	}
	*arrived = t->arrived;
	if (status == 0 && was_moved(t))
		status = file_connect(t, err);
	if (status == 0 && is_due(t))
		status = rotate(t, err);
	return status;
}

static int
file_reopen(struct transport *t, char *err)
{
	if (t->fd != -1 && sync_file(t, err) == -1)
		return -1;
	return file_connect(t, err);
}

const struct transport_ops transport_file = {
    .name = "file",
    .memory = MEMORY_CERTAIN,
    .open = file_open,
    .connect = file_connect,
    .send = file_send,
    .flush = file_flush,
    .reopen = file_reopen,
    .disconnect = file_disconnect,
    .close = file_close,
};
