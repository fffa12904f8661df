/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The header of a rule: action, protocol, and from whom to whom.
 */
#ifndef STRIPWIRE_RULE_HEADER_H
#define STRIPWIRE_RULE_HEADER_H

#include "rules/rule_lex.h"
#include "rules/ruleset.h"

/* Reads it and the '(' behind it; mistakes are reported. False: no options can
 * be made out in this line. */
bool rule_header(struct lex *l, struct rule *r);

/* Is this a rule of Suricata's about something else than mail? It is told, and
 * nothing is read. */
bool rule_is_outside(struct lex *l);

#endif
