/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options of a rule, between its parentheses. A keyword is one entry in a
 * table and one function that reads its value into the draft; sticky buffers
 * stand in a table of their own (rule_buffer.h).
 */
#ifndef STRIPWIRE_RULE_OPTION_H
#define STRIPWIRE_RULE_OPTION_H

#include "rules/rule_class.h"
#include "rules/rule_lex.h"
#include "rules/ruleset.h"

struct rule_draft {
	struct rule rule; /* strings and checks not set yet */
	struct ruleset *set; /* where names of bits go */
	const struct rule_classes *classes; /* of a file, or NULL */
	uint64_t seen; /* keywords met, 1 << place in the table */
	size_t start; /* offset of the action */
	size_t sid_at; /* offset of sid's value */
	size_t finding_at; /* of the first keyword that only findings have */
	size_t flow_at;
	uint8_t priority, class_priority; /* 0: not given */
	bool negated; /* a '!' stood before the string */
	int look; /* the buffer that content belongs to; -1: none yet */
	uint8_t tried; /* 1 << look: something was looked for, right or not */
	size_t look_at[RULE_LOOKS_MAX];
	unsigned nchecks;
	struct check checks[CHECKS_MAX]; /* owned */
	uint8_t check_look[CHECKS_MAX];
	size_t check_at[CHECKS_MAX];
	char msg[sizeof(((struct alert *)0)->msg)];
	char classtype[sizeof(((struct alert *)0)->classtype)];
	char category[sizeof(((struct alert *)0)->category)];
	char reference[sizeof(((struct alert *)0)->reference)];
	char metadata[sizeof(((struct alert *)0)->metadata)];
};

/* Reads all options; the parser stands behind the '('. Mistakes are reported
 * and what can be read after them is read. */
void rule_options(struct lex *l, struct rule_draft *d);

/* Was this keyword met, whether or not its value was right? */
bool rule_option_seen(const struct rule_draft *d, const char *name);

/* The first keyword from l->at on that Suricata has and that means nothing
 * here; why (maybe "") or NULL: there is none. */
const char *rule_option_outside(const struct lex *l, struct lex_word *name);

/* For help and tests: keywords by number, NULL behind the last. */
const char *rule_keyword_name(unsigned i);
const char *rule_keyword_example(unsigned i);

#endif
