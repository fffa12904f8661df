/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which files, in which order. Arguments keep the order they were given in;
 * the files of a folder stand by the time of their first packet (rotated
 * captures), then by name. Folders inside a folder are not entered.
 *
 * A folder is one input, and so are arguments, as far as they can be each
 * other's continuation, or direction. Where one is apart (capture_extent.h), a
 * new part begins: no connection is carried into it.
 */
#ifndef STRIPWIRE_CAPTURE_ORDER_H
#define STRIPWIRE_CAPTURE_ORDER_H

#include "sensor/capture.h"
#include "sensor/capture_reader.h"

struct input_file {
	char *path; /* the list's own */
	uint64_t bytes; /* on disk, 0 unknown */
	int64_t first; /* time of its first packet, where it was looked at */
	bool single; /* a regular file that was named itself */
	bool apart; /* a part begins with it */
};

#define FILE_LIST_LOOKED_AT \
	64 /* of more files, which cost a look each, none
				* begins a part */

struct file_list {
	struct input_file *file;
	uint32_t n, cap;
	bool unsized; /* one of them has no known size */
};

void file_list_free(struct file_list *l);

/* Copies the path. Returns -1 if there is no memory. */
int file_list_append(struct file_list *l, const struct input_file *f)
    __attribute__((warn_unused_result));

/* Adds what path stands for. Returns 0, or -1 with a sentence in err if it
 * stands for nothing. Lesser trouble goes to cfg->on_problem. r is used to
 * look into files and is left closed. */
int file_list_add(struct file_list *l, const char *path, struct reader *r,
    const struct capture_config *cfg, char *err, size_t errlen)
    __attribute__((warn_unused_result));

/* Looks where parts begin. r is left closed. */
void file_list_find_parts(struct file_list *l, struct reader *r);

/* One sentence to cfg->on_problem, control characters masked: names of files
 * are not ours. */
void capture_say(const struct capture_config *cfg, int severity,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* "-" as people call it. */
const char *capture_path_name(const char *path);

#endif
