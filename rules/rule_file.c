/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a whole file, and refuses what cannot be text. The length is not asked
 * for beforehand: it may be a pipe, or grow.
 */
#include "rules/rule_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_BYTES 65536u

struct text {
	char *buf;
	size_t used, cap;
};

/* Room for more, up to one byte more than is allowed. It grows with the file:
 * one allocation of the limit would raise malloc's idea of what is large, and
 * keep the program's memory up for good. */
static bool
grow(struct text *t)
{
	size_t cap = t->cap == 0 ? FIRST_BYTES : t->cap * 2;
	char *buf;

	if (cap > RULE_FILE_MAX + 1)
		cap = RULE_FILE_MAX + 1;
	buf = realloc(t->buf, cap);
	if (buf == NULL)
		return false;
	t->buf = buf;
	t->cap = cap;
	return true;
}

/* Reads all of fd. Returns what is wrong with it, or NULL. */
static const char *
read_all(int fd, struct text *t)
{
	ssize_t n;

	do {
		if (t->used == t->cap && !grow(t))
			return "there is no memory for it";
		n = read(fd, t->buf + t->used, t->cap - t->used);
		if (n == -1 && errno != EINTR)
			return strerror(errno);
		if (n > 0)
			t->used += (size_t)n;
	} while (n != 0 && t->used <= RULE_FILE_MAX);
	return NULL;
}

static const char *
slurp(int fd, struct text *t)
{
	struct stat st;
	const char *why;

	if (fd == -1 || fstat(fd, &st) == -1)
		return strerror(errno);
	if (S_ISDIR(st.st_mode))
		return "it is a folder";
	why = read_all(fd, t);
	if (why != NULL)
		return why;
	if (t->used > RULE_FILE_MAX)
		return "it is longer than 8 MiB, which no such file is";
	if (memchr(t->buf, '\0', t->used) != NULL)
		return "it holds NUL bytes and so is no text file";
	return NULL;
}

char *
rule_file_read(
    const char *path, const char *what, size_t *len, char *err, size_t errlen)
{
	struct text t = {NULL, 0, 0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *why = slurp(fd, &t);

	if (why != NULL) {
		(void)snprintf(
		    err, errlen, "cannot read %s from %s: %s", what, path, why);
		free(t.buf);
		t.buf = NULL;
	}
	*len = t.used;
	if (fd != -1)
		(void)close(fd);
	return t.buf;
}
