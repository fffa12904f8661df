/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of a rule file, one rule at a time. A rule is a line; a backslash
 * at the end of a line joins the next one to it. Empty lines and comments are
 * passed over. The parser reads a joined rule as one run of characters and
 * names places in it by offset; lex_error() finds the line and column again.
 *
 * Nothing here trusts the text: it may hold any byte, and be of any shape.
 */
#ifndef STRIPWIRE_RULE_LEX_H
#define STRIPWIRE_RULE_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/rule.h"

struct lex_word { /* borrowed from the rule's text */
	const char *p;
	size_t len;
	size_t at; /* offset in the rule */
};

struct rule_vars;
struct lex_seg; /* where a piece of the joined rule came from */

struct lex {
	const char *file;
	const char *next, *end; /* what was not read yet */
	unsigned next_line;
	char *rule; /* the joined rule, NUL-terminated */
	size_t len, at; /* its length, and where the parser stands */
	struct lex_seg *segs;
	size_t nsegs, segs_cap;
	unsigned errors;
	bool after_joined_comment; /* the line before is one, and ends in \ */
	bool stopped; /* too many mistakes, or no memory */
	bool in_rule; /* what is read is a rule: it may be left out */
	bool skipped; /* by lex_skipped() */
	rule_error_fn *on_error;
	void *ctx;
	const struct rule_vars *vars; /* of the configuration, or NULL */
};

/* text is borrowed until lex_fini(). -1: no memory. */
int lex_init(struct lex *l, const char *file, struct slice text)
    __attribute__((warn_unused_result));
void lex_fini(struct lex *l);

/* Goes to the next rule; false at the end, or when stopped. */
bool lex_next_rule(struct lex *l);

/* The line that the rule starts in. */
unsigned lex_line(const struct lex *l);

/* The character where the parser stands, '\0' at the end of the rule. */
char lex_peek(const struct lex *l);
void lex_skip_space(struct lex *l);
/* To where the file's next line was joined to the rule, or to the end. */
void lex_skip_line(struct lex *l);
/* Takes c if it is next. */
bool lex_accept(struct lex *l, char c);
/* Characters up to white space or one of stops (or the end); may be empty. */
struct lex_word lex_word(struct lex *l, const char *stops);

bool lex_word_is(struct lex_word w, const char *s);
/* Decimal digits and nothing else, at most max. */
bool lex_word_number(struct lex_word w, unsigned long max, unsigned long *out);
/* Without white space at both ends. */
struct lex_word lex_trim(struct lex_word w);
/* w up to the first c (or all of it), which is taken off w with the c;
 * trimmed. */
struct lex_word lex_split(struct lex_word *w, char c);
/* NUL-terminated and printable, cut to cap; for messages. Returns buf. */
const char *lex_show(char *buf, size_t cap, struct lex_word w);

/* Reports a mistake at an offset of the rule. */
void lex_error(struct lex *l, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void lex_nomem(struct lex *l);
/* The same of a rule that is left out, which is no mistake; skipped is set. */
void lex_skipped(struct lex *l, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
