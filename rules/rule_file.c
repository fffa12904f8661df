/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a whole file, and refuses what cannot be text. The length is not asked
 * for beforehand: it may be a pipe, or grow.
 */
#include "rules/rule_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads all of fd, one byte more than is allowed at most. */
static ssize_t
read_all(int fd, char *buf, size_t cap)
{
	size_t used = 0;

	while (used < cap) {
		ssize_t n = read(fd, buf + used, cap - used);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

/* Fills buf with the file. Returns what is wrong with it, or NULL. */
static const char *
slurp(int fd, char *buf, size_t *len)
{
	struct stat st;
	ssize_t n;

	if (fd == -1 || fstat(fd, &st) == -1)
		return strerror(errno);
	if (S_ISDIR(st.st_mode))
		return "it is a folder";
	n = read_all(fd, buf, RULE_FILE_MAX + 1);
	if (n == -1)
		return strerror(errno);
	if (n > (ssize_t)RULE_FILE_MAX)
		return "it is longer than 8 MiB, which no such file is";
	if (memchr(buf, '\0', (size_t)n) != NULL)
		return "it holds NUL bytes and so is no text file";
	*len = (size_t)n;
	return NULL;
}

char *
rule_file_read(
    const char *path, const char *what, size_t *len, char *err, size_t errlen)
{
	char *buf = malloc(RULE_FILE_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *why = "there is no memory for it";

	if (buf != NULL)
		why = slurp(fd, buf, len);
	if (why != NULL) {
		(void)snprintf(
		    err, errlen, "cannot read %s from %s: %s", what, path, why);
		free(buf);
		buf = NULL;
	}
	if (fd != -1)
		(void)close(fd);
	return buf;
}
