/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where what the operator writes comes from: rules, thresholds, the list of
 * intercepting products. Usually the disk; a process that can open no files
 * has it from one that can (sensor/bundle.h), and reads it with the same code.
 */
#ifndef STRIPWIRE_RULE_FILE_H
#define STRIPWIRE_RULE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULE_FILE_MAX (8u << 20) /* bytes; all rule sets in use are smaller */
#define RULE_FILES_MAX 1024 /* read in one run, or in one folder */

struct rule_file { /* what stands at a path */
	bool folder;
	uint64_t device, inode; /* known again by them under another name */
	char *bytes; /* the text; of a folder the paths of the *.rules in it, in
		      * order, each ended by a NUL. Owned: rule_file_fini() */
	size_t len;
	char why[96]; /* if it cannot be read: what is wrong with it */
};

/* Fills all of out; -1: only why. */
typedef int rule_open_fn(void *ctx, const char *path, struct rule_file *out);

struct rule_reader {
	rule_open_fn *open;
	void *ctx;
};

/* From the disk. `read` waits for a pipe; `now` takes a regular file or a
 * folder only, so that it never waits. */
int rule_file_read(void *ctx, const char *path, struct rule_file *out);
int rule_file_read_now(void *ctx, const char *path, struct rule_file *out);
void rule_file_fini(struct rule_file *f);

/* By a reader, or from the disk if it is NULL. `what` is expected there, for
 * the message. -1: a sentence in err, nothing to be freed. */
struct rule_wanted {
	const struct rule_reader *reader;
	const char *path, *what;
	bool or_folder;
};
int rule_file_open(const struct rule_wanted *w, struct rule_file *out,
    char *err, size_t errlen) __attribute__((warn_unused_result));

#endif
