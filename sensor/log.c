/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One write(2) a line, so that the lines of several processes stay whole. Who
 * reads them, a journal or a pipe, may stand still: nothing here waits for it
 * longer than PATIENCE_MS. What it did not take is counted, and said once it
 * reads again.
 */
#include "sensor/log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char name[24] = "stripwire";
static enum log_level limit = LOG_LEVEL_NOTE;
static bool journal;
static atomic_ulong unread; /* lines that nobody took; feeds are threads */

#define PATIENCE_MS 100

void
log_init(const char *who, enum log_level most)
{
	(void)snprintf(name, sizeof(name), "%s", who);
	limit = most;
	journal = getenv("JOURNAL_STREAM") != NULL;
}

static int
prefix(char *buf, size_t cap, enum log_level level)
{
	static const char *const priority[] = {"<3>", "<4>", "<6>", "<7>"};
	struct timespec now;
	struct tm tm;

	if (journal)
		return snprintf(buf, cap, "%s%s: ", priority[level], name);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	return snprintf(buf, cap,
	    "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s: ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    now.tv_nsec / 1000000, name);
}

/* There is room for a line: a pipe says so when PIPE_BUF bytes fit. */
static bool
is_read(void)
{
	struct pollfd p = {STDERR_FILENO, POLLOUT, 0};

	return poll(&p, 1, atomic_load(&unread) == 0 ? PATIENCE_MS : 0) != 0;
}

static void
tell_unread(enum log_level level)
{
	unsigned long lost = atomic_exchange(&unread, 0);
	char buf[160];
	int n = prefix(buf, sizeof(buf), level);

	if (lost == 0)
		return; /* another thread has said it */
	n += snprintf(buf + n, sizeof(buf) - (size_t)n,
	    "%lu lines of the log were lost: nobody read them\n", lost);
	(void)!write(STDERR_FILENO, buf, (size_t)n);
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	char buf[1400];
	va_list ap;
	int n, more;

	if (level > limit)
		return;
	n = prefix(buf, sizeof(buf), level);
	va_start(ap, fmt);
	more = vsnprintf(buf + n, sizeof(buf) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	n += more < 0 ? 0 : more;
	if ((size_t)n > sizeof(buf) - 2)
		n = (int)sizeof(buf) - 2;
	buf[n++] = '\n';
	if (!is_read()) {
		atomic_fetch_add(&unread, 1);
		return;
	}
	if (atomic_load(&unread) > 0)
		tell_unread(LOG_LEVEL_WARN);
	(void)!write(STDERR_FILENO, buf, (size_t)n);
}

int
log_to_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

	if (fd == -1)
		return -1;
	journal = false;
	if (dup2(fd, STDERR_FILENO) == -1) {
		(void)close(fd);
		return -1;
	}
	(void)close(fd);
	return 0;
}
