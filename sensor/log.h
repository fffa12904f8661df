/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a service says, one line each, to standard error: the journal takes it
 * from there, or run.log names a file. Under systemd lines begin with their
 * priority (sd-daemon(3)), elsewhere with the time.
 */
#ifndef STRIPWIRE_LOG_H
#define STRIPWIRE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTE,
	LOG_LEVEL_DETAIL
};

/* who: name of the process in the lines. */
void log_init(const char *who, enum log_level most);
void log_line(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends standard error to path, 0640. -1: errno. Also after a rotation. */
int log_to_file(const char *path) __attribute__((warn_unused_result));

#endif
