/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What $HOME_NET and its like stand for in rules. A name that ends in PORTS
 * holds ports, every other one addresses. The names that rule files in use
 * expect (those of Suricata's and Stripwire's own) are known and are any until
 * they are set; others exist once they are set.
 */
#ifndef STRIPWIRE_RULE_VARS_H
#define STRIPWIRE_RULE_VARS_H

#include "rules/rule_addr.h"
#include "rules/rule_words.h"

#define RULE_VARS_MAX 256
#define RULE_VAR_NAME_MAX 64 /* bytes, with the NUL */

struct rule_vars;

struct rule_vars *rule_vars_new(void); /* NULL: no memory */
void rule_vars_free(struct rule_vars *v);

/* Capital letters, digits and _, a letter first, and not too long. */
bool rule_var_name_ok(const char *name);
enum rule_addr_kind rule_var_kind(const char *name);

/* The known name that this one may be misspelt from, or NULL: it is one
 * itself, or is far from all of them. */
const char *rule_var_nearest(const char *name);

/* Sets a variable; text is what may stand in a rule's header, with variables
 * set before. -1: it is not set, and each mistake was reported (line 1, column
 * in text), also that there is no room or memory. */
int rule_vars_set(struct rule_vars *v, const char *name, const char *text,
    void (*on_error)(void *ctx, const struct rule_error *e), void *ctx)
    __attribute__((warn_unused_result));

/* The same, but nothing is set: is text good? v may be NULL: none is set. */
int rule_vars_try(const struct rule_vars *v, const char *name, const char *text,
    void (*on_error)(void *ctx, const struct rule_error *e), void *ctx)
    __attribute__((warn_unused_result));

/* Its ranges into *out, which is empty. 0; 1: there is no such variable, *near
 * may know one; -1: no memory. v may be NULL: none is set. */
int rule_vars_get(const struct rule_vars *v, struct lex_word name,
    enum rule_addr_kind kind, struct range_set *out, struct nearest *near)
    __attribute__((warn_unused_result));

#endif
