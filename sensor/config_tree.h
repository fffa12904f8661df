/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of a configuration file as a tree in which everything knows its
 * place. The language is YAML without its traps: no anchors and aliases, no
 * tags, one document; every value is text until config.c knows its type.
 *
 * Nothing here trusts the text. libyaml reads it (yaml.h is included by the
 * source of this header only), because it gives line and column of each word.
 */
#ifndef STRIPWIRE_CONFIG_TREE_H
#define STRIPWIRE_CONFIG_TREE_H

#include <stddef.h>

#include "decoders/slice.h"

#define CONFIG_FILE_MAX (256u << 10) /* bytes; the full sample has 6 KiB */
#define CONFIG_NODES_MAX 10000 /* words, lists and maps in one file */
#define CONFIG_DEPTH_MAX 6 /* nested; the keys need 3 */

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP };

struct config_node {
	uint8_t kind; /* enum node_kind */
	unsigned line, column; /* 1-based, column in characters */
	unsigned text_column; /* where its first character stands; 0: the
				 text is written otherwise (escapes, lines) */
	const char *text; /* NODE_TEXT: no NUL within */
	struct config_node *first, *next; /* children in order; in a map a
					     key and its value take turns */
};

struct config_tree;

/* Called for what breaks the language; after that no more is read. */
typedef void config_mistake_fn(
    void *ctx, unsigned line, unsigned column, const char *message);

/* What could be read, which after a mistake is the part before it. NULL: no
 * memory. text is not kept. */
struct config_tree *config_tree_parse(
    struct slice text, config_mistake_fn *mistake, void *ctx);
void config_tree_free(struct config_tree *t);

/* NULL: the file is empty. */
const struct config_node *config_tree_root(const struct config_tree *t);

#endif
