/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words that the rule language knows, and the nearest one to a word that it
 * does not: classification names with their descriptions (as Suricata ships
 * them), reference kinds, and those keywords, protocols and actions of
 * Suricata that are not supported yet and are named as such.
 */
#ifndef STRIPWIRE_RULE_WORDS_H
#define STRIPWIRE_RULE_WORDS_H

#include <stdbool.h>

#include "rules/rule_lex.h"

/* "A Network Trojan was detected" for "trojan-activity"; NULL if unknown. */
const char *classtype_description(const char *name);

bool reference_kind_known(struct lex_word w);

/* What to say of a keyword that Suricata has and we do not have yet; NULL if
 * it is none of Suricata's. The string may be empty. */
const char *keyword_not_yet(struct lex_word w);
bool protocol_not_yet(struct lex_word w);

/*
 * The nearest of several words: distance in insertions, deletions, changed
 * and swapped letters, at most a third of the word's length; or the word is
 * its beginning.
 */
struct nearest {
	struct lex_word w;
	unsigned best;
	const char *name; /* NULL: none is near */
};

void nearest_init(struct nearest *n, struct lex_word w);
void nearest_try(struct nearest *n, const char *name);
void nearest_classtype(struct nearest *n);
void nearest_reference_kind(struct nearest *n);

/* Reports "unknown WHAT 'w'", with the nearest if there is one. */
void nearest_error(struct lex *l, const struct nearest *n, const char *what);

#endif
