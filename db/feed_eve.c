/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing EVE lines. Own buffer and write(2) instead of stdio, because a
 * failed write has to be undone exactly: what stdio keeps after an error is
 * anybody's guess, and a half line would spoil the next one too.
 */
#include "db/feed_eve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct eve {
	int fd;
	bool opened; /* by us: is closed */
	bool regular; /* a file opened by us: may be cut back */
	bool at_once; /* a pipe, a terminal, a socket */
	bool torn; /* the output ends in a half line */
	char *path, *host; /* host may be NULL */
	off_t good; /* bytes of whole lines in a file of our own */
	int64_t flushed; /* ms, monotonic */
	uint64_t lost; /* lines */
	int error; /* errno of the last failure, 0 when writing works */
	bool said; /* about error */
	char problem[512];
	size_t used;
	char buf[EVE_LINE_MAX];
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
eve_free(struct eve *e)
{
	if (e->opened && e->fd != -1)
		(void)close(e->fd);
	free(e->path);
	free(e->host);
	free(e);
}

/* A writer that was killed may have left half a line. */
static bool
ends_in_a_line(int fd, off_t size)
{
	char last = '\n';

	return size == 0 ||
	       (pread(fd, &last, 1, size - 1) == 1 && last == '\n');
}

static int
open_output(struct eve *e, const char *path, bool append)
{
	int how = O_RDWR | O_CREAT | O_CLOEXEC | (append ? 0 : O_TRUNC);
	struct stat st;

	e->opened = strcmp(path, "-") != 0;
	e->fd = STDOUT_FILENO;
	if (e->opened)
		e->fd = open(path, how, 0640);
	if (e->fd == -1 && e->opened) /* a pipe: nobody else reads it */
		e->fd = open(path, (how & ~O_RDWR) | O_WRONLY, 0640);
	if (e->fd == -1 || fstat(e->fd, &st) == -1)
		return -1;
	e->at_once = !S_ISREG(st.st_mode);
	e->regular = e->opened && S_ISREG(st.st_mode);
	if (!append || !e->regular)
		return 0;
	e->good = lseek(e->fd, 0, SEEK_END);
	e->torn = !ends_in_a_line(e->fd, e->good);
	return e->good == -1 ? -1 : 0;
}

static struct eve *
open_feed(
    const char *path, const char *host, bool append, char *err, size_t errlen)
{
	struct eve *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		(void)snprintf(err, errlen, "out of memory for %s", path);
		return NULL;
	}
	e->flushed = now_ms();
	e->path = strdup(strcmp(path, "-") == 0 ? "standard output" : path);
	e->host = host == NULL ? NULL : strdup(host);
	if (e->path != NULL && (host == NULL || e->host != NULL) &&
	    open_output(e, path, append) == 0)
		return e;
	(void)snprintf(err, errlen, "cannot write alerts to %s: %s", path,
	    strerror(errno));
	eve_free(e);
	return NULL;
}

struct eve *
eve_open(const char *path, const char *host, char *err, size_t errlen)
{
	return open_feed(path, host, false, err, errlen);
}

struct eve *
eve_open_append(const char *path, const char *host, char *err, size_t errlen)
{
	return open_feed(path, host, true, err, errlen);
}

/* Returns how much was written before it failed, with errno, or all. */
static size_t
write_all(int fd, const char *p, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t w = write(fd, p + done, n - done);

		if (w > 0) {
			done += (size_t)w;
		} else if (w == -1 && errno == EAGAIN) {
			struct pollfd pfd = {.fd = fd, .events = POLLOUT};

			(void)poll(&pfd, 1, -1);
		} else if (w == 0 || errno != EINTR) {
			break;
		}
	}
	return done;
}

static void
note_error(struct eve *e, int error)
{
	if (error != e->error)
		e->said = false;
	e->error = error;
}

/* The output is to end with a whole line again. */
static bool
mend(struct eve *e)
{
	if (!e->torn)
		return true;
	if (e->regular)
		e->torn = ftruncate(e->fd, e->good) == -1 ||
			  lseek(e->fd, e->good, SEEK_SET) == -1;
	else
		e->torn = write_all(e->fd, "\n", 1) != 1;
	return !e->torn;
}

static uint64_t
count_lines(const char *p, size_t n)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	return lines;
}

/* Bytes of buf up to the last whole line among the first n. */
static size_t
whole_lines(const struct eve *e, size_t n)
{
	while (n > 0 && e->buf[n - 1] != '\n')
		n--;
	return n;
}

void
eve_flush(struct eve *e)
{
	size_t done = 0;

	e->flushed = now_ms();
	if (e->used == 0)
		return;
	errno = 0;
	if (mend(e))
		done = write_all(e->fd, e->buf, e->used);
	if (done == e->used) {
		e->good += (off_t)done;
		e->error = 0;
		e->said = false;
	} else {
		note_error(e, errno != 0 ? errno : EIO);
		e->lost += count_lines(e->buf + done, e->used - done);
		e->good += (off_t)whole_lines(e, done);
		e->torn = e->torn || done != whole_lines(e, done);
	}
	e->used = 0;
}

void
eve_poll(struct eve *e)
{
	if (e->used > 0 && now_ms() - e->flushed >= EVE_FLUSH_MS)
		eve_flush(e);
}

/* What is to be written; alert or incident is NULL. */
struct event {
	const struct alert *alert;
	const char *pcap_file;
	const struct incident *incident;
	enum incident_event what;
};

static size_t
format(struct eve *e, const struct event *v)
{
	char *at = e->buf + e->used;
	size_t room = sizeof(e->buf) - e->used;

	if (v->alert != NULL)
		return eve_format(at, room, v->alert, e->host, v->pcap_file);
	return eve_format_incident(at, room, v->incident, v->what, e->host);
}

static void
write_event(struct eve *e, const struct event *v)
{
	size_t n = format(e, v);

	if (n == 0 && e->used > 0) {
		eve_flush(e);
		n = format(e, v);
	}
	if (n == 0) {
		e->lost++;
		note_error(e, ENOMEM);
		return;
	}
	e->used += n;
	if (e->at_once)
		eve_flush(e);
	else
		eve_poll(e);
}

void
eve_alert(struct eve *e, const struct alert *a, const char *pcap_file)
{
	write_event(e, &(struct event){.alert = a, .pcap_file = pcap_file});
}

void
eve_incident(struct eve *e, const struct incident *i, enum incident_event what)
{
	write_event(e, &(struct event){.incident = i, .what = what});
}

void
eve_line(struct eve *e, const char *line, size_t n)
{
	if (n > sizeof(e->buf) - e->used)
		eve_flush(e);
	if (n > sizeof(e->buf)) {
		e->lost++;
		note_error(e, ENOMEM);
		return;
	}
	memcpy(e->buf + e->used, line, n);
	e->used += n;
	if (e->at_once)
		eve_flush(e);
	else
		eve_poll(e);
}

const char *
eve_problem(struct eve *e)
{
	if (e->error == 0 || e->said)
		return NULL;
	e->said = true;
	(void)snprintf(e->problem, sizeof(e->problem),
	    "alerts cannot be written to %s: %s; detection goes on", e->path,
	    strerror(e->error));
	return e->problem;
}

int
eve_close(struct eve *e, char *err, size_t errlen)
{
	uint64_t lost;

	eve_flush(e);
	if (e->opened && close(e->fd) == -1)
		note_error(e, errno);
	e->fd = -1;
	lost = e->lost;
	if (lost > 0 || e->error != 0)
		(void)snprintf(err, errlen,
		    "%llu alerts could not be written to %s%s%s",
		    (unsigned long long)lost, e->path,
		    e->error != 0 ? ": " : "",
		    e->error != 0 ? strerror(e->error) : "");
	lost += e->error != 0;
	eve_free(e);
	return lost > 0 ? -1 : 0;
}
