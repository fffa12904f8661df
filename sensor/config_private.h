/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Between config.c (which key is it?) and config_set.c (is that a value for
 * it?). Private to the two.
 */
#ifndef STRIPWIRE_CONFIG_PRIVATE_H
#define STRIPWIRE_CONFIG_PRIVATE_H

#include "sensor/config.h"
#include "sensor/config_tree.h"

struct config_reader {
	struct config *c;
	void *fields; /* where keys have theirs: c, or a feed */
	const char *file;
	bool files; /* look whether input files are there */
	config_error_fn *error;
	void *ctx;
	unsigned mistakes;
	unsigned *line; /* of each key of the table, 0: not seen */
};

void config_mistake_at(struct config_reader *r, unsigned line, unsigned column,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
#define config_mistake(r, n, ...) \
	config_mistake_at(r, (n)->line, (n)->column, __VA_ARGS__)

/* A value from the file to its field, or mistakes. */
void config_set(struct config_reader *r, const struct config_key *k,
    const struct config_node *value);

/* The word of a node made fit for a message, in buf. */
const char *config_show(char *buf, size_t cap, const struct config_node *n);

/* The map of feeds, or mistakes. */
void config_set_feeds(struct config_reader *r, const struct config_node *map);

/* How a field of that type is written; NULL: it is a list, see config.h. */
const char *config_scalar(
    const void *fields, const struct config_key *k, char *buf, size_t cap);
/* The i-th word of those that are set, NULL behind the last. */
const char *config_word(
    const void *fields, const struct config_key *k, unsigned i);

/* fields: the structure that k has its place in. */
static inline void *
config_field(const void *fields, const struct config_key *k)
{
	return (char *)fields + k->at;
}

#endif
