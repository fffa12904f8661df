/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private to the loader and the parser: one text after the other becomes rules
 * of one set. A text with any mistake spoils the whole set, so that a typing
 * error never silently narrows what is watched; all mistakes are reported in
 * one go.
 */
#ifndef STRIPWIRE_RULE_PARSE_H
#define STRIPWIRE_RULE_PARSE_H

#include "rules/rule_class.h"
#include "rules/ruleset.h"

struct sid_use { /* line 0: free */
	uint32_t sid, gid;
	unsigned line;
	uint16_t file;
};

struct rule_parser {
	struct ruleset *set;
	const struct rule_vars *vars;
	const struct rule_classes *classes; /* of a file, or NULL */
	rule_error_fn *on_error;
	void *ctx;
	uint16_t file; /* the one under way, in set->files */
	unsigned errors;
	bool stopped; /* too many mistakes, or no memory */
	struct sid_use *sids; /* open addressing, cap a power of two */
	size_t nsids, sids_cap;
	/* an include, which stands at l->at; NULL: there are none here */
	void (*include)(struct rule_parser *p, struct lex *l, void *ctx);
	void *include_ctx;
};

/* Reads a text of rules. name is copied. */
void rule_parse_text(
    struct rule_parser *p, const char *name, struct slice text);
void rule_parser_fini(struct rule_parser *p);

/* Lines of a threshold.config. */
void rule_filters_text(
    struct rule_parser *p, const char *name, struct slice text);

/* A lexer that reports and counts as the parser does; -1: no memory. */
int rule_parser_lex(struct rule_parser *p, struct lex *l, const char *name,
    struct slice text) __attribute__((warn_unused_result));
void rule_parser_unlex(struct rule_parser *p, struct lex *l);

#endif
