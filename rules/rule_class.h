/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Classifications of rules: classtype, its description and its priority.
 */
#ifndef STRIPWIRE_RULE_CLASS_H
#define STRIPWIRE_RULE_CLASS_H

#include "rules/rule_words.h"

#define RULE_CLASSES_MAX 256 /* of a file */

struct rule_class {
	char name[64]; /* as in struct alert */
	char description[96];
	uint8_t priority; /* 1 is the gravest */
};

struct rule_classes; /* what a file says */

/* NULL: mistakes were reported, or there is no memory. */
struct rule_classes *rule_classes_parse(
    const char *file, struct slice text, rule_error_fn *on_error, void *ctx);
void rule_classes_free(struct rule_classes *c);

/* NULL: unknown. own may be NULL. */
const struct rule_class *rule_class_find(
    const struct rule_classes *own, const char *name);
void rule_class_nearest(const struct rule_classes *own, struct nearest *near);

/* "A Network Trojan was detected" for "trojan-activity" of the built-in ones;
 * NULL if unknown. */
const char *classtype_description(const char *name);

#endif
