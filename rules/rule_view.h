/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules seen from outside: for lists, explanations and profiles.
 */
#ifndef STRIPWIRE_RULE_VIEW_H
#define STRIPWIRE_RULE_VIEW_H

#include "rules/rule.h"

struct rule_view { /* strings live as long as the set */
	uint32_t sid, gid, rev;
	const char *action; /* "alert", "pass", "log" */
	const char *proto; /* "smtp", "mail" ... */
	uint8_t severity; /* enum severity */
	bool noalert;
	bool by_content; /* looks at buffers, else it selects findings */
	const char *msg; /* maybe "" */
	const char *classtype, *category, *reference, *metadata;
	const char *file;
	unsigned line;
	const char *source; /* the rule as written, in one line */
};

/* By its number, 0 to ruleset_count() - 1, in the order of the files. */
void ruleset_view(const struct ruleset *set, unsigned i, struct rule_view *out);

/* The number of the rule with this sid, -1: there is none. gid 0: any. */
int ruleset_find(const struct ruleset *set, uint32_t gid, uint32_t sid);

/* Its findings, buffers or the like, by name, one after the other; NULL behind
 * the last. */
const char *ruleset_finding(const struct ruleset *set, unsigned i, unsigned n);
const char *ruleset_buffer(const struct ruleset *set, unsigned i, unsigned n);

/* What the rule asks for and does, in sentences: one a line, each with a word
 * in front and a tab ("selects\tfinding ..."). To be freed; NULL: no memory. */
char *ruleset_explain(const struct ruleset *set, unsigned i);

#endif
