/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Products that make certificates on the fly, known by words in the issuer's
 * name (D8). The list is a file that the operator may extend,
 * interceptors.list; its form is described at its head. One mistake in it and
 * it is not used; all mistakes are reported in one go, as those of rules.
 *
 * A search goes through the whole list: it belongs where a chain is seen for
 * the first time, not where a session is.
 */
#ifndef STRIPWIRE_INTERCEPTORS_H
#define STRIPWIRE_INTERCEPTORS_H

#include "decoders/x509.h"
#include "rules/rule.h"

#define INTERCEPTORS_MAX 1024 /* entries; 69 are shipped */
#define INTERCEPTOR_WORDS_MIN 4 /* characters: fewer are in any name */
#define INTERCEPTOR_WORDS_MAX 64

struct interceptor {
	char words[INTERCEPTOR_WORDS_MAX + 1];
	char product[INTERCEPTOR_NAME_MAX];
	uint8_t kind; /* enum interceptor_kind */
};

struct interceptors;

/* As ruleset_load(), of src->path, and ruleset_parse(). */
struct interceptors *interceptors_load(
    const struct rule_sources *src, int *sys, char *err, size_t errlen);
struct interceptors *interceptors_parse(const char *name, struct slice text,
    void (*on_error)(void *ctx, const struct rule_error *e), void *ctx);
void interceptors_free(struct interceptors *l);
unsigned interceptors_count(const struct interceptors *l);

/*
 * The first entry whose words are in the issuer's name, in any case; NULL if
 * there is none (or l is NULL). A device shows its own maker's certificate on
 * its own ports: where the subject bears the same words, nothing was
 * intercepted, unless it is a tool.
 */
const struct interceptor *interceptors_find(
    const struct interceptors *l, const struct x509_facts *leaf);

#endif
