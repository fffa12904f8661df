/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each file is opened once to see whether it is a capture and when it begins,
 * and closed again: a folder may hold more files than a process may hold open.
 * Only regular files are touched in a folder, since opening a pipe would wait
 * for its writer; given by name, a pipe is read when its turn comes.
 */
#include "sensor/capture_order.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sensor/capture_extent.h"

#define SENTENCE_MAX 1024
#define NAMES_SHOWN 3 /* of the files that are no captures */

struct folder {
	const char *path;
	unsigned others, folders, failed;
	char names[160]; /* the first few of the others */
};

const char *
capture_path_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static void
mask_controls(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

void
capture_say(
    const struct capture_config *cfg, int severity, const char *fmt, ...)
{
	char sentence[SENTENCE_MAX];
	va_list ap;

	if (cfg->on_problem == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	mask_controls(sentence);
	cfg->on_problem(cfg->ctx, severity, sentence);
}

void
file_list_free(struct file_list *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		free(l->file[i].path);
	free(l->file);
	memset(l, 0, sizeof(*l));
}

int
file_list_append(struct file_list *l, const struct input_file *f)
{
	if (l->n == l->cap) {
		uint32_t cap = l->cap == 0 ? 16 : l->cap * 2;
		struct input_file *p = reallocarray(l->file, cap, sizeof(*p));
		if (p == NULL)
			return -1;
		l->file = p;
		l->cap = cap;
	}
	char *copy = strdup(f->path);
	if (copy == NULL)
		return -1;
	l->file[l->n] = *f;
	l->file[l->n++].path = copy;
	if (f->bytes == 0)
		l->unsized = true;
	return 0;
}

static int
append(struct file_list *l, const char *path, uint64_t bytes, int64_t first)
{
	const struct input_file f = {
	    .path = (char *)(uintptr_t)path, .bytes = bytes, .first = first};

	return file_list_append(l, &f);
}

/* Captures without a packet stand last: their place does not matter. */
static int64_t
first_time(struct reader *r)
{
	struct packet pkt;

	return reader_next(r, &pkt) == READER_PACKET ? pkt.time : INT64_MAX;
}

static int
by_first_packet(const void *a, const void *b)
{
	const struct input_file *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return strcmp(x->path, y->path);
}

static void
note_other(struct folder *f, const char *name)
{
	size_t used = strlen(f->names);

	f->others++;
	if (f->others <= NAMES_SHOWN)
		snprintf(f->names + used, sizeof(f->names) - used, "%s%.40s",
		    used == 0 ? "" : ", ", name);
	else if (f->others == NAMES_SHOWN + 1)
		snprintf(f->names + used, sizeof(f->names) - used, ", ...");
}

/* Returns -1 only if there is no memory. */
static int
add_from_folder(struct file_list *l, struct folder *f, const char *name,
    struct reader *r, const struct capture_config *cfg)
{
	char path[4096];
	struct stat st;
	int rc = 0;

	int len = snprintf(path, sizeof(path), "%s/%s", f->path, name);
	if ((size_t)len >= sizeof(path))
		errno = ENAMETOOLONG;
	if ((size_t)len >= sizeof(path) || stat(path, &st) < 0) {
		f->failed++;
		capture_say(cfg, 1, "%s: %s", path, strerror(errno));
		return 0;
	}
	if (!S_ISREG(st.st_mode)) {
		S_ISDIR(st.st_mode) ? f->folders++ : f->others++;
		return 0;
	}
	switch (reader_open(r, path)) {
	case READER_OPEN:
		rc = append(l, path, (uint64_t)st.st_size, first_time(r));
		break;
	case READER_NOT_CAPTURE:
		note_other(f, name);
		break;
	case READER_FAILED:
		f->failed++;
		capture_say(cfg, 1, "%s: %s", path, r->error);
		break;
	}
	reader_close(r);
	return rc;
}

static int
read_folder(struct file_list *l, struct folder *f, struct reader *r,
    const struct capture_config *cfg)
{
	DIR *dir = opendir(f->path);
	const struct dirent *e;
	int rc = 0;

	if (dir == NULL)
		return -1;
	while (rc == 0 && (e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = add_from_folder(l, f, e->d_name, r, cfg);
	closedir(dir);
	if (rc < 0)
		errno = ENOMEM;
	return rc;
}

static void
folder_remarks(const struct folder *f, const struct capture_config *cfg)
{
	if (f->others > 0)
		capture_say(cfg, 0, "%s: %u file%s in it %s not captures (%s)",
		    f->path, f->others, f->others == 1 ? "" : "s",
		    f->others == 1 ? "is" : "are", f->names);
	if (f->folders > 0)
		capture_say(cfg, 0, "%s: %u folder%s in it %s not entered",
		    f->path, f->folders, f->folders == 1 ? "" : "s",
		    f->folders == 1 ? "was" : "were");
}

/* Returns what is wrong with the folder as a whole, or NULL. */
static const char *
add_folder(struct file_list *l, const char *path, struct reader *r,
    const struct capture_config *cfg)
{
	struct folder f = {.path = path};
	uint32_t before = l->n;

	if (read_folder(l, &f, r, cfg) < 0)
		return strerror(errno);
	if (l->n == before)
		return f.failed > 0 ? "no capture in it can be read"
				    : "a folder without captures";
	qsort(l->file + before, l->n - before, sizeof(l->file[0]),
	    by_first_packet);
	folder_remarks(&f, cfg);
	return NULL;
}

/* A file that can be looked into before its turn. */
static const char *
add_regular(struct file_list *l, const char *path, struct reader *r,
    const struct stat *st)
{
	enum reader_open_result got = reader_open(r, path);

	reader_close(r);
	if (got != READER_OPEN)
		return r->error;
	if (append(l, path, (uint64_t)st->st_size, 0) < 0)
		return strerror(ENOMEM);
	l->file[l->n - 1].single = true;
	return NULL;
}

static const char *
add_any(struct file_list *l, const char *path, struct reader *r,
    const struct capture_config *cfg)
{
	struct stat st;

	if (strcmp(path, "-") != 0) {
		if (stat(path, &st) < 0)
			return strerror(errno);
		if (S_ISDIR(st.st_mode))
			return add_folder(l, path, r, cfg);
		if (S_ISREG(st.st_mode))
			return add_regular(l, path, r, &st);
	}
	return append(l, path, 0, 0) < 0 ? strerror(ENOMEM) : NULL;
}

int
file_list_add(struct file_list *l, const char *path, struct reader *r,
    const struct capture_config *cfg, char *err, size_t errlen)
{
	const char *why = add_any(l, path, r, cfg);

	if (why == NULL)
		return 0;
	snprintf(err, errlen, "%s: %s", path, why);
	mask_controls(err);
	return -1;
}

/* None of the files from i on has to do with any before. */
static bool
part_begins(const struct extent *e, uint32_t n, uint32_t i)
{
	for (uint32_t k = i; k < n; k++)
		for (uint32_t j = 0; j < i; j++)
			if (!extent_is_apart(&e[j], &e[k]))
				return false;
	return true;
}

void
file_list_find_parts(struct file_list *l, struct reader *r)
{
	struct extent *e;

	if (l->n < 2 || l->n > FILE_LIST_LOOKED_AT)
		return;
	e = calloc(l->n, sizeof(*e));
	if (e == NULL)
		return; /* one part */
	for (uint32_t i = 0; i < l->n; i++) {
		if (!l->file[i].single)
			continue;
		extent_of(&e[i], r, l->file[i].path);
		if (e[i].known)
			l->file[i].first = e[i].first;
	}
	for (uint32_t i = 1; i < l->n; i++)
		l->file[i].apart = part_begins(e, l->n, i);
	free(e);
}
