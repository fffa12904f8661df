/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules: Suricata's grammar for mail. A rule selects findings (finding,
 * confidence, evidence ...) or looks at what was said on the wire (sticky
 * buffers with content and pcre); which of them become alerts is thinned out
 * by thresholds. docs/rules.md is the language as users see it.
 *
 * rule_lex.c cuts lines, rule_header.c and rule_option.c take a rule apart,
 * rule_value*.c read single values, rule_parse.c makes rules of them,
 * rule_load.c opens files, rule_index.c sorts rules by what they look at, and
 * engine.c holds them against findings and observations.
 */
#ifndef STRIPWIRE_RULE_H
#define STRIPWIRE_RULE_H

#include "rules/alert.h"
#include "rules/rule_file.h"

#define RULE_COUNT_MAX 100000 /* about 700 bytes each */
#define RULE_ERRORS_MAX 200 /* reported; then one that says it stopped */
#define RULE_INCLUDE_DEPTH 8
#define RULE_FLOWBITS_MAX 256 /* names, of flowbits and xbits together */

struct ruleset;
struct rule_vars; /* rule_vars.h */

enum rule_level {
	RULE_MISTAKE = 0,
	RULE_SKIPPED /* a rule that is right, and not for mail: left out */
};

struct rule_error {
	const char *file; /* lives until the call returns */
	uint8_t level; /* enum rule_level */
	unsigned line, column; /* 1-based; column counts bytes */
	unsigned caret; /* 0-based place in source that it is about */
	char message[200];
	char source[256]; /* the line, or the part of it around the place */
};

typedef void rule_error_fn(void *ctx, const struct rule_error *e);

struct rule_sources {
	const char *path; /* a file, or a folder of *.rules */
	const char *thresholds; /* a threshold.config, or NULL */
	const char *classification; /* a classification.config, or NULL */
	const struct rule_vars *vars; /* what $NAMES stand for; NULL: the
					 known ones are any */
	const struct rule_reader *reader; /* NULL: the disk */
	bool check_only; /* the set is not made ready to be asked: it may be
			    counted and freed */
	rule_error_fn *on_error; /* in order, also for what is skipped */
	void *ctx;
};

/* Reads all of it. All mistakes are reported; with any mistake NULL is
 * returned and *sys is 0. If a file cannot be read *sys is -1, with a
 * sentence in err. */
struct ruleset *ruleset_load(
    const struct rule_sources *s, int *sys, char *err, size_t errlen);
/* The same of a text, which can include nothing. */
struct ruleset *ruleset_parse(const char *name, const char *text,
    const struct rule_vars *vars, rule_error_fn *on_error, void *ctx);
void ruleset_free(struct ruleset *r);
unsigned ruleset_count(const struct ruleset *r);
unsigned ruleset_skipped(const struct ruleset *r);

/* Which lines of a protocol's dialogue some rule looks at: bits of
 * 1 << enum obs_line_what, for mail_env.lines. */
uint8_t ruleset_lines(const struct ruleset *r, enum proto proto);

/* Writes `file:line:column: message`, the line and a caret to buf, each ended
 * by a newline. Safe for a terminal whatever the file holds. Returns buf. */
char *rule_error_format(char *buf, size_t cap, const struct rule_error *e);

#endif
