/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words that the rule language knows, and the nearest one to a word that it
 * does not.
 */
#ifndef STRIPWIRE_RULE_WORDS_H
#define STRIPWIRE_RULE_WORDS_H

#include <stdbool.h>

#include "rules/rule_lex.h"

bool reference_kind_known(struct lex_word w);

/* Why a keyword of Suricata has no meaning here, which may be ""; NULL if it
 * is none of Suricata's, or has one. */
const char *keyword_outside(struct lex_word w);
bool protocol_outside(struct lex_word w);

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
void nearest_reference_kind(struct nearest *n);

/* Reports "unknown WHAT 'w'", with the nearest if there is one. */
void nearest_error(struct lex *l, const struct nearest *n, const char *what);

#endif
