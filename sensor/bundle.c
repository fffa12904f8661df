/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One buffer that grows. Entries are found by going through them: there are
 * few, and each is looked for once a load.
 */
#include "sensor/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "swpolicy"
#define CONFIG_NAME "" /* no file is called so */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct head {
	char magic[8];
	char path[BUNDLE_PATHS][PATH_MAX]; /* "": none */
};

struct entry { /* before the name */
	uint64_t device, inode, len;
	uint32_t name_len, folder;
};

struct bundle {
	uint8_t *p; /* head, entries */
	size_t len, cap;
	unsigned n;
};

static const size_t bytes_max = sizeof(struct head) + BUNDLE_BYTES_MAX;

/* ---- one entry after the other ---- */

struct walk {
	size_t at; /* of the next */
	struct entry e;
	const char *name, *bytes;
};

static size_t
padded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

/* false: there is no more, or what is there makes no sense: then at is not the
 * end. */
static bool
next_entry(const struct bundle *b, struct walk *w)
{
	size_t left = b->len - w->at, name = sizeof(w->e), bytes;

	if (left < sizeof(w->e))
		return false;
	memcpy(&w->e, b->p + w->at, sizeof(w->e));
	if (w->e.name_len >= PATH_MAX || w->e.len > RULE_FILE_MAX)
		return false;
	bytes = name + w->e.name_len + 1;
	if (padded(bytes + w->e.len) > left)
		return false;
	w->name = (const char *)b->p + w->at + name;
	w->bytes = (const char *)b->p + w->at + bytes;
	w->at += padded(bytes + w->e.len);
	return true;
}

static bool
find(const struct bundle *b, const char *name, struct walk *w)
{
	w->at = sizeof(struct head);
	while (next_entry(b, w))
		if (strcmp(w->name, name) == 0)
			return true;
	return false;
}

static bool
reserve(struct bundle *b, size_t more)
{
	size_t cap = b->cap;
	uint8_t *p;

	if (more > bytes_max - b->len)
		return false;
	while (cap - b->len < more)
		cap *= 2;
	if (cap == b->cap)
		return true;
	p = realloc(b->p, cap);
	if (p == NULL)
		return false;
	b->p = p;
	b->cap = cap;
	return true;
}

static int
add(struct bundle *b, const char *name, const struct rule_file *f)
{
	struct entry e = {.device = f->device,
	    .inode = f->inode,
	    .len = f->len,
	    .name_len = (uint32_t)strlen(name),
	    .folder = f->folder};
	size_t all = padded(sizeof(e) + e.name_len + 1 + f->len);
	uint8_t *to;

	if (e.name_len >= PATH_MAX || b->n == BUNDLE_FILES_MAX ||
	    !reserve(b, all))
		return -1;
	to = b->p + b->len;
	memset(to, 0, all);
	memcpy(to, &e, sizeof(e));
	memcpy(to + sizeof(e), name, e.name_len);
	if (f->len > 0)
		memcpy(to + sizeof(e) + e.name_len + 1, f->bytes, f->len);
	b->len += all;
	b->n++;
	return 0;
}

/* ---- as a whole ---- */

struct bundle *
bundle_new(void)
{
	struct bundle *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->len = sizeof(struct head);
	b->cap = 4 * sizeof(struct head);
	b->p = calloc(1, b->cap);
	if (b->p == NULL) {
		free(b);
		return NULL;
	}
	memcpy(b->p, MAGIC, sizeof(((struct head *)NULL)->magic));
	return b;
}

void
bundle_free(struct bundle *b)
{
	if (b == NULL)
		return;
	free(b->p);
	free(b);
}

static struct head *
head_of(const struct bundle *b)
{
	return (struct head *)b->p;
}

int
bundle_set_path(struct bundle *b, enum bundle_path which, const char *path)
{
	int n = snprintf(
	    head_of(b)->path[which], PATH_MAX, "%s", path != NULL ? path : "");

	return n < PATH_MAX ? 0 : -1;
}

const char *
bundle_path(const struct bundle *b, enum bundle_path which)
{
	const char *path = head_of(b)->path[which];

	return path[0] != '\0' ? path : NULL;
}

int
bundle_set_config(struct bundle *b, struct slice text)
{
	const struct rule_file f = {.bytes = (char *)text.p, .len = text.len};

	return add(b, CONFIG_NAME, &f);
}

struct slice
bundle_config(const struct bundle *b)
{
	struct walk w;

	if (!find(b, CONFIG_NAME, &w))
		return (struct slice){NULL, 0};
	return (struct slice){(const uint8_t *)w.bytes, w.e.len};
}

/* ---- loading through it ---- */

/* 1: not there. */
static int
open_kept(const struct bundle *b, const char *path, struct rule_file *out)
{
	struct walk w;

	memset(out, 0, sizeof(*out));
	if (!find(b, path, &w)) {
		(void)snprintf(
		    out->why, sizeof(out->why), "it was not handed over");
		return 1;
	}
	out->bytes = malloc(w.e.len + 1);
	if (out->bytes == NULL) {
		(void)snprintf(
		    out->why, sizeof(out->why), "there is no memory for it");
		return -1;
	}
	memcpy(out->bytes, w.bytes, w.e.len);
	out->bytes[w.e.len] = '\0';
	out->len = w.e.len;
	out->folder = w.e.folder != 0;
	out->device = w.e.device;
	out->inode = w.e.inode;
	return 0;
}

static int
open_reading(void *ctx, const char *path, struct rule_file *out)
{
	return open_kept(ctx, path, out) == 0 ? 0 : -1;
}

static int
open_recording(void *ctx, const char *path, struct rule_file *out)
{
	struct bundle *b = ctx;
	int rc = open_kept(b, path, out);

	if (rc != 1)
		return rc;
	if (rule_file_read_now(NULL, path, out) == -1)
		return -1;
	if (add(b, path, out) == 0)
		return 0;
	rule_file_fini(out);
	(void)snprintf(out->why, sizeof(out->why),
	    "all files together are more than 64 MiB, or there is no memory");
	return -1;
}

struct rule_reader
bundle_recorder(struct bundle *b)
{
	return (struct rule_reader){open_recording, b};
}

struct rule_reader
bundle_reader(struct bundle *b)
{
	return (struct rule_reader){open_reading, b};
}

/* ---- to another process ---- */

int
bundle_to_fd(const struct bundle *b)
{
	int fd = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING), why;
	size_t done = 0;

	while (fd != -1 && done < b->len) {
		ssize_t n = write(fd, b->p + done, b->len - done);

		if (n == -1 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd == -1 || (done == b->len && fcntl(fd, F_ADD_SEALS, SEALS) == 0))
		return fd;
	why = errno;
	(void)close(fd);
	errno = why;
	return -1;
}

/* Paths and names end, and so do the paths that a folder's text holds. */
static bool
makes_sense(const struct bundle *b)
{
	struct walk w = {.at = sizeof(struct head)};
	const struct head *h = head_of(b);

	if (memcmp(h->magic, MAGIC, sizeof(h->magic)) != 0)
		return false;
	for (unsigned i = 0; i < BUNDLE_PATHS; i++)
		if (memchr(h->path[i], '\0', PATH_MAX) == NULL)
			return false;
	while (next_entry(b, &w))
		if (strnlen(w.name, w.e.name_len + 1) != w.e.name_len ||
		    (w.e.folder != 0 && w.e.len > 0 &&
			w.bytes[w.e.len - 1] != '\0'))
			return false;
	return w.at == b->len;
}

static bool
read_whole(int fd, uint8_t *p, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, p + done, len - done, (off_t)done);

		if (n == 0 || (n == -1 && errno != EINTR))
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

struct bundle *
bundle_from_fd(int fd)
{
	struct bundle *b;
	struct stat st;

	if (fstat(fd, &st) == -1 || st.st_size < (off_t)sizeof(struct head) ||
	    st.st_size > (off_t)bytes_max)
		return NULL;
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return NULL;
	b->len = b->cap = (size_t)st.st_size;
	b->p = malloc(b->len);
	if (b->p != NULL && read_whole(fd, b->p, b->len) && makes_sense(b))
		return b;
	bundle_free(b);
	return NULL;
}
