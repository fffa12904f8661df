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

enum value_form {
	VALUE_STRING, /* "text" */
	VALUE_MATCH, /* "text" or !"text" */
	VALUE_PLAIN,
	VALUE_NONE,
	VALUE_ANY /* what stands there is passed over */
};

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
    {"priority", VALUE_PLAIN, false, value_priority, "priority:2;"},
    {"reference", VALUE_PLAIN, true, value_reference,
	"reference:url,www.rfc-editor.org/rfc/rfc3207;"},
    {"metadata", VALUE_PLAIN, true, value_metadata,
	"metadata:key value, key value;"},
    {"target", VALUE_PLAIN, false, value_target, "target:dest_ip;"},
    /* findings */
    {"finding", VALUE_PLAIN, false, value_finding,
	"finding:starttls-stripped;"},
    {"confidence", VALUE_PLAIN, false, value_confidence, "confidence:>=50;"},
    {"evidence", VALUE_PLAIN, true, value_evidence, "evidence:was-tls;"},
    {"severity", VALUE_PLAIN, false, value_severity, "severity:high;"},
    {"visibility", VALUE_PLAIN, false, value_visibility,
	"visibility:complete;"},
    {"incident", VALUE_PLAIN, false, value_incident, "incident:open,>=high;"},
    {"history", VALUE_PLAIN, true, value_history, "history:starttls,seen,>10;"},
    /* buffers */
    {"content", VALUE_MATCH, true, value_content, "content:\"text|0d 0a|\";"},
    {"nocase", VALUE_NONE, true, value_nocase, "nocase;"},
    {"offset", VALUE_PLAIN, true, value_offset, "offset:4;"},
    {"depth", VALUE_PLAIN, true, value_depth, "depth:20;"},
    {"distance", VALUE_PLAIN, true, value_distance, "distance:1;"},
    {"within", VALUE_PLAIN, true, value_within, "within:20;"},
    {"startswith", VALUE_NONE, true, value_startswith, "startswith;"},
    {"endswith", VALUE_NONE, true, value_endswith, "endswith;"},
    {"fast_pattern", VALUE_ANY, true, value_fast_pattern, "fast_pattern;"},
    {"rawbytes", VALUE_NONE, true, value_rawbytes, "rawbytes;"},
    {"bsize", VALUE_PLAIN, true, value_bsize, "bsize:>64;"},
    {"isdataat", VALUE_PLAIN, true, value_isdataat, "isdataat:!1,relative;"},
    {"pcre", VALUE_MATCH, true, value_pcre, "pcre:\"/^EHLO [0-9]/i\";"},
    {"strip_whitespace", VALUE_NONE, true, value_strip, "strip_whitespace;"},
    {"to_lowercase", VALUE_NONE, true, value_lower, "to_lowercase;"},
    {"to_uppercase", VALUE_NONE, true, value_upper, "to_uppercase;"},
    {"dotprefix", VALUE_NONE, true, value_dot, "dotprefix;"},
    /* the flow, what was before, how many alerts */
    {"flow", VALUE_PLAIN, false, value_flow, "flow:established,to_server;"},
    {"flowbits", VALUE_PLAIN, true, value_flowbits, "flowbits:set,name;"},
    {"xbits", VALUE_PLAIN, true, value_xbits,
	"xbits:set,name,track ip_pair,expire 3600;"},
    {"noalert", VALUE_NONE, false, value_noalert, "noalert;"},
    {"threshold", VALUE_PLAIN, false, value_threshold,
	"threshold:type limit, track by_both, count 1, seconds 3600;"},
    {"detection_filter", VALUE_PLAIN, false, value_detection_filter,
	"detection_filter:track by_src, count 10, seconds 60;"},
    /* they change nothing here: chains are kept, patterns found beforehand */
    {"tls.store", VALUE_NONE, false, value_nothing, "tls.store;"},
    {"tls_store", VALUE_NONE, false, value_nothing, "tls_store;"},
    {"prefilter", VALUE_NONE, false, value_nothing, "prefilter;"},
};

#define NKEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

_Static_assert(NKEYWORDS <= 64, "keywords met are bits of 64");

const char *
rule_keyword_name(unsigned i)
{
	return i < NKEYWORDS ? keywords[i].name : NULL;
}

const char *
rule_keyword_example(unsigned i)
{
	return i < NKEYWORDS ? keywords[i].example : NULL;
}

static const struct keyword *
keyword_find(struct lex_word w)
{
	for (size_t i = 0; i < NKEYWORDS; i++)
		if (lex_word_is(w, keywords[i].name))
			return &keywords[i];
	return NULL;
}

static enum rule_buffer
buffer_find(struct lex_word w)
{
	char buf[VALUE_NAME_MAX];

	return buffer_by_name(value_name(buf, w));
}

bool
rule_option_seen(const struct rule_draft *d, const char *name)
{
	for (size_t i = 0; i < NKEYWORDS; i++)
		if (strcmp(keywords[i].name, name) == 0)
			return (d->seen & (UINT64_C(1) << i)) != 0;
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
	       (keyword_find(w) != NULL || keyword_outside(w) != NULL);
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
read_string(
    struct lex *l, const char *name, const char *example, struct lex_word *v)
{
	size_t start = l->at;

	if (!lex_accept(l, '"')) {
		lex_error(
		    l, start, "%s wants a string in quotes: %s", name, example);
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

/* The value of a match, which may be negated. */
static bool
read_match(struct lex *l, struct rule_draft *d, const char *name,
    const char *example, struct lex_word *v)
{
	d->negated = lex_accept(l, '!');
	lex_skip_space(l);
	return read_string(l, name, example, v);
}

/* Nothing but the semicolon. */
static bool
read_none(struct lex *l, const struct keyword *k)
{
	lex_skip_space(l);
	if (lex_accept(l, ';'))
		return true;
	if (lex_peek(l) == ':') {
		lex_error(
		    l, l->at, "%s takes no value: %s", k->name, k->example);
		skip_option(l);
		return false;
	}
	lex_error(l, l->at, "'%s' has no ';' at its end", k->name);
	resume(l);
	return true;
}

/* ---- keywords ---- */

static void
unknown_keyword(struct lex *l, struct lex_word name)
{
	struct nearest near;

	nearest_init(&near, name);
	for (size_t i = 0; i < NKEYWORDS; i++)
		nearest_try(&near, keywords[i].name);
	for (unsigned b = BUF_LINE + 1; b < BUF_COUNT; b++)
		nearest_try(&near, buffer_info((enum rule_buffer)b)->name);
	nearest_error(l, &near, "keyword");
	skip_option(l);
}

static bool
read_colon(struct lex *l, const struct keyword *k)
{
	lex_skip_space(l);
	if (!lex_accept(l, ':')) {
		lex_error(
		    l, l->at, "%s wants a value: %s", k->name, k->example);
		resume(l);
		return false;
	}
	lex_skip_space(l);
	return true;
}

static bool
read_value(struct lex *l, struct rule_draft *d, const struct keyword *k,
    struct lex_word *v)
{
	switch (k->form) {
	case VALUE_NONE:
		return read_none(l, k);
	case VALUE_ANY:
		skip_option(l);
		return true;
	case VALUE_STRING:
		return read_colon(l, k) &&
		       read_string(l, k->name, k->example, v);
	case VALUE_MATCH:
		return read_colon(l, k) &&
		       read_match(l, d, k->name, k->example, v);
	case VALUE_PLAIN:
		return read_colon(l, k) && read_plain(l, k, v);
	}
	return false;
}

static void
known_keyword(struct lex *l, struct rule_draft *d, const struct keyword *k,
    struct lex_word name)
{
	uint64_t bit = UINT64_C(1) << (k - keywords);
	struct lex_word v = name;

	if ((d->seen & bit) && !k->repeats)
		lex_error(
		    l, name.at, "%s was given already in this rule", k->name);
	d->seen |= bit;
	if (read_value(l, d, k, &v))
		k->read(l, d, v);
}

/* A value behind the name of a buffer, with or without quotes. */
static void
buffer_value(struct lex *l, struct rule_draft *d, enum rule_buffer b)
{
	static const struct keyword plain = {
	    .name = "tls.version", .example = "tls.version:1.2;"};
	struct lex_word v;
	bool ok;

	lex_skip_space(l);
	if (b == BUF_TLS_VERSION && lex_peek(l) != '"' && lex_peek(l) != '!') {
		d->negated = false;
		ok = read_plain(l, &plain, &v);
	} else {
		ok = read_match(
		    l, d, buffer_info(b)->name, "tls.subject:\"CN=a\";", &v);
	}
	if (ok)
		value_buffer(l, d, b, v);
}

static void
buffer(struct lex *l, struct rule_draft *d, enum rule_buffer b,
    struct lex_word name)
{
	const struct buffer_info *info = buffer_info(b);
	char shown[64];

	lex_show(shown, sizeof(shown), name);
	lex_skip_space(l);
	if (lex_accept(l, ';')) {
		(void)value_select(l, d, b, name.at);
	} else if (info->with_value && lex_accept(l, ':')) {
		buffer_value(l, d, b);
	} else if (lex_peek(l) == ':') {
		lex_error(l, l->at,
		    "%s takes no value, content stands behind it: %s; "
		    "content:\"text\";",
		    shown, shown);
		skip_option(l);
	} else {
		lex_error(l, l->at, "'%s' has no ';' at its end", shown);
		(void)value_select(l, d, b, name.at);
		resume(l);
	}
}

static void
option(struct lex *l, struct rule_draft *d)
{
	struct lex_word name = lex_word(l, ":;()\"");
	const struct keyword *k = keyword_find(name);
	enum rule_buffer b = k == NULL ? buffer_find(name) : BUF_COUNT;

	if (name.len == 0) {
		lex_error(l, name.at, "expected a keyword");
		skip_option(l);
	} else if (name.p[0] == '#') {
		lex_error(l, name.at, "a comment cannot stand inside a rule");
		lex_skip_line(l);
	} else if (k != NULL) {
		known_keyword(l, d, k, name);
	} else if (b != BUF_COUNT) {
		buffer(l, d, b, name);
	} else {
		unknown_keyword(l, name);
		/* it may have been a content: one mistake is enough */
		if (d->look >= 0)
			d->tried |= (uint8_t)(1u << d->look);
	}
}

const char *
rule_option_outside(const struct lex *l, struct lex_word *name)
{
	struct lex probe = *l;
	const char *why;

	while (probe.at < probe.len) {
		lex_skip_space(&probe);
		*name = lex_word(&probe, ":;()\"");
		why = name->len != 0 && keyword_find(*name) == NULL &&
			      buffer_find(*name) == BUF_COUNT
			  ? keyword_outside(*name)
			  : NULL;
		if (why != NULL)
			return why;
		skip_option(&probe);
	}
	return NULL;
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
