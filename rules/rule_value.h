/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the value of a keyword into the draft of a rule; each reports what is
 * wrong with it. v is trimmed and not empty, except for msg, whose quotes are
 * off and whose escapes are still in.
 */
#ifndef STRIPWIRE_RULE_VALUE_H
#define STRIPWIRE_RULE_VALUE_H

#include "rules/rule_option.h"

void value_msg(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_sid(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_gid(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_rev(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_classtype(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_reference(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_metadata(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_finding(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_confidence(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_evidence(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_severity(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_visibility(struct lex *l, struct rule_draft *d, struct lex_word v);

#endif
