/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The list of intercepting products: three fields a line, read with the lexer
 * of the rules, so that mistakes look the same.
 */
#include "rules/interceptors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/utf8.h"
#include "rules/rule_file.h"
#include "rules/rule_lex.h"

struct interceptors {
	unsigned n, cap;
	struct interceptor *list;
};

static const char *const kinds[] = {[ICPT_TOOL] = "tool",
    [ICPT_GATEWAY] = "gateway",
    [ICPT_ENDPOINT] = "endpoint"};
#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

/* May it stand in an alert, on a terminal and in JSON? */
static bool
is_printable(struct lex_word w)
{
	for (size_t i = 0; i < w.len;) {
		unsigned n = utf8_char(w.p + i, w.len - i);
		const unsigned char *u = (const unsigned char *)w.p + i;

		if (n == 0 || u[0] < ' ' || u[0] == 0x7f ||
		    (u[0] == 0xc2 && u[1] < 0xa0))
			return false;
		i += n;
	}
	return true;
}

/* Copies a field of min to cap - 1 bytes, or says why not. */
static void
take(struct lex *l, char *buf, size_t cap, struct lex_word w, const char *what)
{
	buf[0] = '\0';
	if (w.len == 0)
		lex_error(l, w.at,
		    "%s expected: words, product and kind, with a tab between "
		    "them",
		    what);
	else if (w.len >= cap)
		lex_error(l, w.at, "%s: at most %zu characters", what, cap - 1);
	else if (!is_printable(w))
		lex_error(
		    l, w.at, "%s: a character that cannot be shown", what);
	else
		(void)snprintf(buf, cap, "%.*s", (int)w.len, w.p);
}

static void
take_kind(struct lex *l, struct interceptor *e, struct lex_word w)
{
	for (unsigned i = ICPT_TOOL; i < NKINDS; i++)
		if (lex_word_is(w, kinds[i]))
			e->kind = (uint8_t)i;
	if (e->kind == ICPT_NONE)
		lex_error(l, w.at,
		    "the kind must be tool, gateway or "
		    "endpoint");
}

/* An entry behind another one that fits wherever it does would never count. */
static void
check_reach(struct interceptors *set, struct lex *l,
    const struct interceptor *e, size_t at)
{
	for (unsigned i = 0; i < set->n; i++)
		if (strcasestr(e->words, set->list[i].words) != NULL) {
			lex_error(l, at,
			    "never reached: \"%s\" further up fits wherever "
			    "this does",
			    set->list[i].words);
			return;
		}
}

static int
add(struct interceptors *set, const struct interceptor *e)
{
	if (set->n == set->cap) {
		unsigned cap = set->cap == 0 ? 128 : set->cap * 2;
		struct interceptor *p = realloc(set->list, cap * sizeof(*p));

		if (p == NULL)
			return -1;
		set->list = p;
		set->cap = cap;
	}
	set->list[set->n++] = *e;
	return 0;
}

static void
read_entry(struct interceptors *set, struct lex *l)
{
	struct lex_word line, words, product;
	struct interceptor e = {.kind = ICPT_NONE};
	unsigned errors = l->errors;

	lex_skip_space(l);
	line = (struct lex_word){l->rule + l->at, l->len - l->at, l->at};
	words = lex_split(&line, '\t');
	product = lex_split(&line, '\t');
	take(l, e.words, sizeof(e.words), words, "words");
	if (words.len > 0 && words.len < INTERCEPTOR_WORDS_MIN)
		lex_error(l, words.at,
		    "words: at least %d characters, fewer are in any name",
		    INTERCEPTOR_WORDS_MIN);
	take(l, e.product, sizeof(e.product), product, "product");
	take_kind(l, &e, lex_trim(line));
	if (l->errors == errors)
		check_reach(set, l, &e, words.at);
	if (l->errors == errors && set->n == INTERCEPTORS_MAX) {
		lex_error(l, 0, "more than %d products", INTERCEPTORS_MAX);
		l->stopped = true;
	}
	if (l->errors == errors && add(set, &e) == -1)
		lex_nomem(l);
}

struct interceptors *
interceptors_parse(const char *name, struct slice text,
    void (*on_error)(void *ctx, const struct rule_error *e), void *ctx)
{
	struct interceptors *set = calloc(1, sizeof(*set));
	struct lex l = {0};
	bool ok = set != NULL && lex_init(&l, name, text) == 0;

	l.on_error = on_error;
	l.ctx = ctx;
	while (ok && lex_next_rule(&l))
		read_entry(set, &l);
	ok = ok && l.errors == 0;
	lex_fini(&l);
	if (ok)
		return set;
	interceptors_free(set);
	return NULL;
}

struct interceptors *
interceptors_load(
    const struct rule_sources *src, int *sys, char *err, size_t errlen)
{
	const struct rule_wanted w = {
	    src->reader, src->path, "the intercepting products", false};
	struct interceptors *set;
	struct rule_file f;

	*sys = rule_file_open(&w, &f, err, errlen);
	if (*sys == -1)
		return NULL;
	set = interceptors_parse(src->path,
	    (struct slice){(uint8_t *)f.bytes, f.len}, src->on_error, src->ctx);
	rule_file_fini(&f);
	return set;
}

void
interceptors_free(struct interceptors *l)
{
	if (l == NULL)
		return;
	free(l->list);
	free(l);
}

unsigned
interceptors_count(const struct interceptors *l)
{
	return l->n;
}

const struct interceptor *
interceptors_find(const struct interceptors *l, const struct x509_facts *leaf)
{
	for (unsigned i = 0; l != NULL && i < l->n; i++) {
		const struct interceptor *e = &l->list[i];

		if (strcasestr(leaf->issuer, e->words) == NULL)
			continue;
		return e->kind == ICPT_TOOL ||
			       strcasestr(leaf->subject, e->words) == NULL
			   ? e
			   : NULL;
	}
	return NULL;
}
