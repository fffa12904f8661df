/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The texts of a policy in one piece, for a process that can open no files:
 * rules, what they include, folders as they were listed, thresholds and
 * classifications, and the configuration. Who may open files loads them through
 * the recorder, which keeps what it read; the other loads them through the
 * reader, with the same code, and finds what was kept and nothing else.
 *
 * Between processes it is a sealed memfd: the buffer as it stands, in the
 * machine's own byte order. Who receives one believes no length in it.
 *
 *	head	magic, paths (BUNDLE_PATHS x PATH_MAX)
 *	entry	device, inode, length of the bytes, length of the name, folder?
 *	...	name, NUL, bytes, to a multiple of 8
 */
#ifndef STRIPWIRE_BUNDLE_H
#define STRIPWIRE_BUNDLE_H

#include "decoders/slice.h"
#include "rules/rule_file.h"

#define BUNDLE_BYTES_MAX (64u << 20) /* of all texts together */
#define BUNDLE_FILES_MAX (2 * RULE_FILES_MAX)

struct bundle;

enum bundle_path {
	BUNDLE_RULES,
	BUNDLE_THRESHOLDS,
	BUNDLE_CLASSIFICATION,
	BUNDLE_PATHS
};

struct bundle *bundle_new(void); /* NULL: no memory */
void bundle_free(struct bundle *b);

/* What to load; NULL: none of these. -1: longer than a path can be. */
int bundle_set_path(struct bundle *b, enum bundle_path which, const char *path)
    __attribute__((warn_unused_result));
const char *bundle_path(const struct bundle *b, enum bundle_path which);

/* -1: no memory, or too much. */
int bundle_set_config(struct bundle *b, struct slice text)
    __attribute__((warn_unused_result));
struct slice bundle_config(const struct bundle *b); /* empty: none */

/* Reads regular files and folders from the disk, each once, and keeps them. */
struct rule_reader bundle_recorder(struct bundle *b);
/* What was kept; all else "was not handed over". */
struct rule_reader bundle_reader(struct bundle *b);

/* To be closed by the caller; -1: errno. */
int bundle_to_fd(const struct bundle *b) __attribute__((warn_unused_result));
/* fd stays open. NULL: no memory, or not a bundle. */
struct bundle *bundle_from_fd(int fd);

#endif
