/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keywords and how their values are cut out of the text. As in Suricata a
 * value ends at the first semicolon that no backslash protects, also inside
 * quotes. Recovery after a mistake aims at the next keyword, so that one run
 * shows them all without inventing more.
 */
#include "rules/rule_option.h"

#include <string.h>

#include "rules/rule_value.h"
#include "rules/rule_words.h"

enum value_form { VALUE_STRING, VALUE_PLAIN };

static const struct keyword {
	const char *name;
	enum value_form form;
	bool repeats;
	void (*read)(struct lex *l, struct rule_draft *d, struct lex_word v);
	const char *example;
} keywords[] = {
    {"msg", VALUE_STRING, false, value_msg, "msg:\"text\";"},
    {"sid", VALUE_PLAIN, false, value_sid, "sid:1000001;"},
    {"gid", VALUE_PLAIN, false, value_gid, "gid:1;"},
    {"rev", VALUE_PLAIN, false, value_rev, "rev:1;"},
    {"classtype", VALUE_PLAIN, false, value_classtype,
	"classtype:policy-violation;"},
    {"reference", VALUE_PLAIN, true, value_reference,
	"reference:url,www.rfc-editor.org/rfc/rfc3207;"},
    {"metadata", VALUE_PLAIN, true, value_metadata,
	"metadata:key value, key value;"},
    {"finding", VALUE_PLAIN, false, value_finding,
	"finding:starttls-stripped;"},
    {"confidence", VALUE_PLAIN, false, value_confidence, "confidence:>=50;"},
    {"evidence", VALUE_PLAIN, true, value_evidence, "evidence:was-tls;"},
    {"severity", VALUE_PLAIN, false, value_severity, "severity:high;"},
    {"visibility", VALUE_PLAIN, false, value_visibility,
	"visibility:complete;"},
};

#define NKEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

static const struct keyword *
keyword_find(struct lex_word w)
{
	for (size_t i = 0; i < NKEYWORDS; i++)
		if (lex_word_is(w, keywords[i].name))
			return &keywords[i];
	return NULL;
}

bool
rule_option_seen(const struct rule_draft *d, const char *name)
{
	for (size_t i = 0; i < NKEYWORDS; i++)
		if (strcmp(keywords[i].name, name) == 0)
			return (d->seen & (1u << i)) != 0;
	return false;
}

/* ---- places to go on from ---- */

/* Behind the next semicolon that is not protected, or at the end. */
static void
skip_option(struct lex *l)
{
	for (; l->at < l->len && l->rule[l->at] != ';'; l->at++)
		if (l->rule[l->at] == '\\' && l->at + 1 < l->len)
			l->at++;
	(void)lex_accept(l, ';');
}

/* Does a keyword with its colon stand here? */
static bool
at_keyword(const struct lex *l, size_t at)
{
	struct lex probe = *l;
	struct lex_word w;

	probe.at = at;
	w = lex_word(&probe, ":;()\"");
	lex_skip_space(&probe);
	return lex_peek(&probe) == ':' &&
	       (keyword_find(w) != NULL || keyword_not_yet(w) != NULL);
}

/* A semicolon is missing or a string went wrong: the next keyword, if one
 * stands right here, else behind the next semicolon. */
static void
resume(struct lex *l)
{
	lex_skip_space(l);
	if (lex_peek(l) != ')' && !at_keyword(l, l->at))
		skip_option(l);
}

/* ---- values ---- */

/* The string was not closed before a semicolon: if a quote and a semicolon
 * come next, the string meant to go on there. */
static void
unclosed_string(struct lex *l, size_t start)
{
	const char *from = l->rule + l->at;
	const char *quote = memchr(from, '"', l->len - l->at);
	size_t stop = l->at;

	lex_error(l, start,
	    "this string has no closing quote before the ';' (a semicolon "
	    "inside quotes is written \\;)");
	if (quote != NULL) {
		l->at = (size_t)(quote - l->rule) + 1;
		lex_skip_space(l);
		if (lex_accept(l, ';') || lex_peek(l) == ')')
			return;
		l->at = stop;
	}
	skip_option(l);
}

/* Quotes are taken off, escapes are left in. */
static bool
read_string(struct lex *l, const struct keyword *k, struct lex_word *v)
{
	size_t start = l->at;

	if (!lex_accept(l, '"')) {
		lex_error(l, start, "%s wants a string in quotes: %s", k->name,
		    k->example);
		skip_option(l);
		return false;
	}
	for (; l->at < l->len; l->at++) {
		char c = l->rule[l->at];

		if (c == '"' || c == ';')
			break;
		if (c == '\\' && l->at + 1 < l->len)
			l->at++;
	}
	*v = (struct lex_word){
	    l->rule + start + 1, l->at - start - 1, start + 1};
	if (!lex_accept(l, '"')) {
		unclosed_string(l, start);
		return false;
	}
	lex_skip_space(l);
	if (lex_accept(l, ';'))
		return true;
	lex_error(l, l->at,
	    "expected ';' after the string (a quote inside it is written "
	    "\\\")");
	resume(l);
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Is there ` keyword:` inside the value? Then its semicolon is missing. */
static bool
missing_semicolon(struct lex *l, struct lex_word v)
{
	for (size_t i = 1; i < v.len; i++) {
		if (!is_blank(v.p[i - 1]) || is_blank(v.p[i]))
			continue;
		if (at_keyword(l, v.at + i)) {
			lex_error(l, v.at + i, "';' is missing before this");
			l->at = v.at + i;
			return true;
		}
	}
	return false;
}

static bool
read_plain(struct lex *l, const struct keyword *k, struct lex_word *v)
{
	size_t start = l->at;

	skip_option(l);
	if (l->rule[l->at - 1] != ';' || l->at == start) {
		lex_error(l, l->at, "'%s' has no ';' at its end", k->name);
		return false;
	}
	*v = lex_trim(
	    (struct lex_word){l->rule + start, l->at - 1 - start, start});
	if (missing_semicolon(l, *v))
		return false;
	if (v->len == 0)
		lex_error(l, start, "%s has no value: %s", k->name, k->example);
	else if (v->p[0] == '"')
		lex_error(l, v->at, "%s takes its value without quotes: %s",
		    k->name, k->example);
	else
		return true;
	return false;
}

/* ---- keywords ---- */

static void
unknown_keyword(struct lex *l, struct lex_word name)
{
	const char *hint = keyword_not_yet(name);
	struct nearest near;
	char shown[64];

	if (hint != NULL) {
		lex_error(l, name.at, "keyword '%s' is not supported yet%s%s",
		    lex_show(shown, sizeof(shown), name),
		    hint[0] == '\0' ? "" : ": ", hint);
	} else {
		nearest_init(&near, name);
		for (size_t i = 0; i < NKEYWORDS; i++)
			nearest_try(&near, keywords[i].name);
		nearest_error(l, &near, "keyword");
	}
	skip_option(l);
}

static void
known_keyword(struct lex *l, struct rule_draft *d, const struct keyword *k,
    struct lex_word name)
{
	unsigned bit = 1u << (k - keywords);
	struct lex_word v;

	if ((d->seen & bit) && !k->repeats)
		lex_error(
		    l, name.at, "%s was given already in this rule", k->name);
	d->seen |= bit;
	lex_skip_space(l);
	if (!lex_accept(l, ':')) {
		lex_error(
		    l, l->at, "%s wants a value: %s", k->name, k->example);
		resume(l);
		return;
	}
	lex_skip_space(l);
	if (k->form == VALUE_STRING ? read_string(l, k, &v)
				    : read_plain(l, k, &v))
		k->read(l, d, v);
}

static void
option(struct lex *l, struct rule_draft *d)
{
	struct lex_word name = lex_word(l, ":;()\"");
	const struct keyword *k = keyword_find(name);

	if (name.len == 0) {
		lex_error(l, name.at, "expected a keyword");
		skip_option(l);
	} else if (name.p[0] == '#') {
		lex_error(l, name.at, "a comment cannot stand inside a rule");
		lex_skip_line(l);
	} else if (k == NULL) {
		unknown_keyword(l, name);
	} else {
		known_keyword(l, d, k, name);
	}
}

/* What may follow the ')': nothing, or a comment. */
static void
rule_end(struct lex *l)
{
	lex_skip_space(l);
	if (l->at < l->len && lex_peek(l) != '#')
		lex_error(l, l->at, "expected the end of the line after ')'");
}

void
rule_options(struct lex *l, struct rule_draft *d)
{
	for (;;) {
		lex_skip_space(l);
		if (lex_accept(l, ')')) {
			rule_end(l);
			return;
		}
		if (l->at == l->len || l->stopped)
			break;
		option(l, d);
	}
	while (l->len > 0 && strchr(" \t\r;", l->rule[l->len - 1]) != NULL)
		l->len--;
	if (l->len == 0 || l->rule[l->len - 1] != ')')
		lex_error(l, l->at, "the rule has no ')' at its end");
}
