/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a whole file, and refuses what cannot be text. The length is not asked
 * for beforehand: it may be a pipe, or grow.
 */
#include "rules/rule_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_BYTES 65536u
#define SUFFIX ".rules"

/* Room for more, up to one byte more than is allowed. It grows with the file:
 * one allocation of the limit would raise malloc's idea of what is large, and
 * keep the program's memory up for good. */
static bool
grow(struct rule_file *t, size_t *cap)
{
	size_t more = *cap == 0 ? FIRST_BYTES : *cap * 2;
	char *buf;

	if (more > RULE_FILE_MAX + 1)
		more = RULE_FILE_MAX + 1;
	buf = realloc(t->bytes, more);
	if (buf == NULL)
		return false;
	t->bytes = buf;
	*cap = more;
	return true;
}

/* Reads all of fd. Returns what is wrong with it, or NULL. */
static const char *
read_text(int fd, struct rule_file *t)
{
	size_t cap = 0;
	ssize_t n;

	do {
		if (t->len == cap && !grow(t, &cap))
			return "there is no memory for it";
		n = read(fd, t->bytes + t->len, cap - t->len);
		if (n == -1 && errno != EINTR)
			return strerror(errno);
		if (n > 0)
			t->len += (size_t)n;
	} while (n != 0 && t->len <= RULE_FILE_MAX);
	if (t->len > RULE_FILE_MAX)
		return "it is longer than 8 MiB, which no such file is";
	if (memchr(t->bytes, '\0', t->len) != NULL)
		return "it holds NUL bytes and so is no text file";
	return NULL;
}

/* ---- folders ---- */

static int
is_rules(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > strlen(SUFFIX) &&
	       strcmp(d->d_name + len - strlen(SUFFIX), SUFFIX) == 0;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* One path behind the other. */
static const char *
join(const char *folder, struct dirent *const *name, int n, struct rule_file *t)
{
	size_t room = 1;
	const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";

	for (int i = 0; i < n; i++)
		room += strlen(folder) + strlen(name[i]->d_name) + 2;
	t->bytes = malloc(room);
	if (t->bytes == NULL)
		return "there is no memory for it";
	for (int i = 0; i < n; i++)
		t->len += (size_t)snprintf(t->bytes + t->len, room - t->len,
			      "%s%s%s", folder, slash, name[i]->d_name) +
			  1;
	return NULL;
}

static const char *
list(const char *path, struct rule_file *t)
{
	struct dirent **name;
	int n = scandir(path, &name, is_rules, by_name);
	const char *why = NULL;

	if (n == -1)
		return strerror(errno);
	t->folder = true;
	if (n == 0)
		why = "there is no *.rules in it";
	else if (n > (int)RULE_FILES_MAX)
		why = "there are more than 1024 *.rules in it";
	else
		why = join(path, name, n, t);
	while (n-- > 0)
		free(name[n]);
	free(name);
	return why;
}

/* ---- both ---- */

static const char *
slurp(int fd, const char *path, bool now, struct rule_file *t)
{
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return strerror(errno);
	t->device = st.st_dev;
	t->inode = st.st_ino;
	if (S_ISDIR(st.st_mode))
		return list(path, t);
	if (now && !S_ISREG(st.st_mode))
		return "it is no regular file";
	return read_text(fd, t);
}

static int
read_path(const char *path, bool now, struct rule_file *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | (now ? O_NONBLOCK : 0));
	const char *why;

	memset(out, 0, sizeof(*out));
	why = slurp(fd, path, now, out);
	if (fd != -1)
		(void)close(fd);
	if (why == NULL)
		return 0;
	(void)snprintf(out->why, sizeof(out->why), "%s", why);
	rule_file_fini(out);
	return -1;
}

int
rule_file_read(void *ctx, const char *path, struct rule_file *out)
{
	(void)ctx;
	return read_path(path, false, out);
}

int
rule_file_read_now(void *ctx, const char *path, struct rule_file *out)
{
	(void)ctx;
	return read_path(path, true, out);
}

void
rule_file_fini(struct rule_file *f)
{
	free(f->bytes);
	f->bytes = NULL;
	f->len = 0;
}

int
rule_file_open(const struct rule_wanted *w, struct rule_file *out, char *err,
    size_t errlen)
{
	static const struct rule_reader disk = {rule_file_read, NULL};
	const struct rule_reader *r = w->reader != NULL ? w->reader : &disk;
	int rc = r->open(r->ctx, w->path, out);

	if (rc == 0 && out->folder && !w->or_folder) {
		(void)snprintf(out->why, sizeof(out->why), "it is a folder");
		rule_file_fini(out);
		rc = -1;
	}
	if (rc == -1)
		(void)snprintf(err, errlen, "cannot read %s from %s: %s",
		    w->what, w->path, out->why);
	return rc;
}
