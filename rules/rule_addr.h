/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses and ports in the header of a rule, as Suricata writes them: any,
 * one, CIDR or netmask, from-to (ports from:to, open at either end), !not,
 * [lists, of lists] and $VARIABLES. A list holds what its entries hold, or
 * everything if all of them are negated, less what the negated ones hold.
 */
#ifndef STRIPWIRE_RULE_ADDR_H
#define STRIPWIRE_RULE_ADDR_H

#include "rules/rule_lex.h"
#include "rules/rule_range.h"

#define RULE_LIST_DEPTH 8 /* lists in lists; two are usual */
#define RULE_LIST_MAX 65536 /* ranges in one list */

enum rule_addr_kind { RULE_ADDRESS, RULE_PORT };

/* Reads one from where the parser stands. Mistakes are reported. -1: nothing
 * sensible follows; what was read may be freed either way. */
int rule_addr_parse(struct lex *l, enum rule_addr_kind kind,
    struct range_set *out) __attribute__((warn_unused_result));

#endif
