/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules: Suricata's grammar, so far the header (action, protocol, addresses,
 * ports, direction, with lists, negation, ranges and any) and the options
 * msg, sid, gid, rev, classtype, reference, metadata, finding, confidence,
 * evidence, severity, visibility. What the full language adds is an error
 * here that says so, never silence.
 */
#ifndef STRIPWIRE_RULE_H
#define STRIPWIRE_RULE_H

#include "rules/alert.h"

#define RULE_COUNT_MAX 100000 /* about 300 bytes each */
#define RULE_ERRORS_MAX 200 /* reported; then one that says it stopped */

struct ruleset;
struct rule_vars; /* rule_vars.h */

struct rule_error {
	const char *file; /* borrowed from the caller of load or parse */
	unsigned line, column; /* 1-based; column counts bytes */
	unsigned caret; /* 0-based place in source that it is about */
	char message[200];
	char source[256]; /* the line, or the part of it around the place */
};

/* Reads a file. All mistakes are reported (on_error, in order); with any
 * mistake NULL is returned and *sys is 0. If the file itself cannot be read
 * *sys is -1, with a sentence in err. vars: what $NAMES stand for, or NULL:
 * the known ones are any. */
struct ruleset *ruleset_load(const char *path, const struct rule_vars *vars,
    void (*on_error)(void *ctx, const struct rule_error *e), void *ctx,
    int *sys, char *err, size_t errlen);
struct ruleset *ruleset_parse(const char *name, const char *text,
    const struct rule_vars *vars,
    void (*on_error)(void *ctx, const struct rule_error *e), void *ctx);
void ruleset_free(struct ruleset *r);
unsigned ruleset_count(const struct ruleset *r);

/* Calls fn for each rule that selects the finding, in file order, with the
 * alert's rule fields (sid .. metadata, severity) filled in. The caller has
 * filled finding, flow, proto and implicit_tls. Returns how many. */
unsigned ruleset_match(const struct ruleset *r, struct alert *a,
    void (*fn)(void *ctx, const struct alert *a), void *ctx);

/* Writes `file:line:column: message`, the line and a caret to buf, each ended
 * by a newline. Safe for a terminal whatever the file holds. Returns buf. */
char *rule_error_format(char *buf, size_t cap, const struct rule_error *e);

#endif
