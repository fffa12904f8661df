/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options of a rule, between its parentheses. A keyword is one entry in a
 * table and one function that reads its value into the draft; what belongs to
 * the full language later goes in there.
 */
#ifndef STRIPWIRE_RULE_OPTION_H
#define STRIPWIRE_RULE_OPTION_H

#include "rules/rule_lex.h"
#include "rules/ruleset.h"

struct rule_draft {
	struct rule rule; /* strings not set yet */
	unsigned seen; /* keywords met, 1 << place in the table */
	size_t start; /* offset of the action */
	size_t sid_at; /* offset of sid's value */
	char msg[sizeof(((struct alert *)0)->msg)];
	char classtype[sizeof(((struct alert *)0)->classtype)];
	char reference[sizeof(((struct alert *)0)->reference)];
	char metadata[sizeof(((struct alert *)0)->metadata)];
};

/* Reads all options; the parser stands behind the '('. Mistakes are reported
 * and what can be read after them is read. */
void rule_options(struct lex *l, struct rule_draft *d);

/* Was this keyword met, whether or not its value was right? */
bool rule_option_seen(const struct rule_draft *d, const char *name);

#endif
