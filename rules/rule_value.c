/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One function a keyword. A value that is wrong leaves the draft as it was;
 * the rule will not be used anyhow, since any mistake refuses the file.
 */
#include "rules/rule_value.h"

#include <stdio.h>
#include <string.h>

#include "decoders/utf8.h"
#include "rules/rule_words.h"

const char *
value_name(char buf[VALUE_NAME_MAX], struct lex_word w)
{
	size_t len = w.len < VALUE_NAME_MAX ? w.len : 0;

	memcpy(buf, w.p, len);
	buf[len] = '\0';
	return buf;
}

bool
value_take_not(struct lex_word *w)
{
	if (w->len == 0 || w->p[0] != '!')
		return false;
	w->p++;
	w->at++;
	w->len--;
	*w = lex_trim(*w);
	return true;
}

bool
value_item(struct lex_word *v, struct lex_word *item)
{
	bool more = memchr(v->p, ',', v->len) != NULL;

	*item = lex_split(v, ',');
	return more;
}

/* ---- text ---- */

/* Reports what must not stand in a text that goes to terminals and feeds. */
static bool
text_ok(struct lex *l, struct lex_word v, const char *what)
{
	for (size_t i = 0; i < v.len;) {
		unsigned n = utf8_char(v.p + i, v.len - i);

		if (n == 0 || (n == 1 && (v.p[i] < ' ' || v.p[i] == 0x7f))) {
			lex_error(l, v.at + i, "%s in %s",
			    n == 0 ? "bytes that are not UTF-8"
				   : "a control character",
			    what);
			return false;
		}
		i += n;
	}
	return true;
}

void
value_msg(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	size_t used = 0;

	if (!text_ok(l, v, "msg"))
		return;
	for (size_t i = 0; i < v.len; i++) {
		if (v.p[i] == '\\') {
			if (i + 1 == v.len ||
			    strchr("\";\\:", v.p[i + 1]) == NULL) {
				lex_error(l, v.at + i,
				    "unknown escape: there are \\\" \\; \\: "
				    "and \\\\");
				return;
			}
			i++;
		}
		if (used + 1 == sizeof(d->msg)) {
			lex_error(l, v.at, "msg is longer than %zu bytes",
			    sizeof(d->msg) - 1);
			return;
		}
		d->msg[used++] = v.p[i];
	}
	d->msg[used] = '\0';
	if (used == 0)
		lex_error(l, v.at, "msg is empty");
}

void
value_classtype(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	char buf[VALUE_NAME_MAX];
	const struct rule_class *c;
	struct nearest near;

	c = rule_class_find(d->classes, value_name(buf, v));
	if (c != NULL) {
		(void)snprintf(d->classtype, sizeof(d->classtype), "%s", buf);
		(void)snprintf(
		    d->category, sizeof(d->category), "%s", c->description);
		d->class_priority = c->priority;
		return;
	}
	nearest_init(&near, v);
	rule_class_nearest(d->classes, &near);
	nearest_error(l, &near, "classtype");
}

/* Adds a line to a list of lines; false if there is no room. */
static bool
add_line(
    char *buf, size_t cap, char between, struct lex_word a, struct lex_word b)
{
	size_t used = strlen(buf), need = a.len + b.len + 2;

	if (used + need + 1 > cap)
		return false;
	(void)snprintf(buf + used, cap - used, "%s%.*s%c%.*s",
	    used == 0 ? "" : "\n", (int)a.len, a.p, between, (int)b.len, b.p);
	return true;
}

void
value_reference(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct lex_word rest = v, kind = lex_split(&rest, ',');
	struct nearest near;

	rest = lex_trim(rest);
	if (!reference_kind_known(kind)) {
		nearest_init(&near, kind);
		nearest_reference_kind(&near);
		nearest_error(l, &near, "kind of reference");
	} else if (rest.len == 0) {
		lex_error(l, v.at,
		    "reference wants kind,value: reference:url,example.org;");
	} else if (text_ok(l, rest, "reference") &&
		   !add_line(
		       d->reference, sizeof(d->reference), ',', kind, rest)) {
		lex_error(l, v.at,
		    "the references are longer than %zu bytes together",
		    sizeof(d->reference) - 1);
	}
}

void
value_metadata(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct lex_word item, key, val;
	bool more = true;

	while (more) {
		more = value_item(&v, &item);
		val = item;
		key = lex_split(&val, ' ');
		if (item.len == 0) {
			lex_error(
			    l, item.at, "metadata wants key value, key value");
			return;
		}
		if (!text_ok(l, item, "metadata"))
			return;
		if (!add_line(d->metadata, sizeof(d->metadata), ' ', key,
			lex_trim(val))) {
			lex_error(l, item.at,
			    "the metadata is longer than %zu bytes together",
			    sizeof(d->metadata) - 1);
			return;
		}
	}
}

/* ---- numbers ---- */

static void
number(struct lex *l, struct lex_word v, const char *what, uint32_t *out)
{
	unsigned long n, least = strcmp(what, "sid") == 0;
	char shown[32];

	if (lex_word_number(v, 4294967295u, &n) && n >= least)
		*out = (uint32_t)n;
	else
		lex_error(l, v.at,
		    "%s '%s' is not a number from %lu to "
		    "4294967295",
		    what, lex_show(shown, sizeof(shown), v), least);
}

void
value_sid(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	d->sid_at = v.at;
	number(l, v, "sid", &d->rule.sid);
}

void
value_gid(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	number(l, v, "gid", &d->rule.gid);
}

void
value_rev(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	number(l, v, "rev", &d->rule.rev);
}

void
value_priority(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	unsigned long n;

	if (lex_word_number(v, 255, &n) && n > 0)
		d->priority = (uint8_t)n;
	else
		lex_error(l, v.at,
		    "priority is a number from 1, the gravest, to 255");
}

/* Takes prefix off w if it starts with it. */
static bool
take(struct lex_word *w, const char *prefix)
{
	size_t n = strlen(prefix);

	if (w->len < n || memcmp(w->p, prefix, n) != 0)
		return false;
	w->p += n;
	w->at += n;
	w->len -= n;
	*w = lex_trim(*w);
	return true;
}

bool
value_compare(struct lex_word w, unsigned long max, uint32_t *lo, uint32_t *hi)
{
	unsigned long n;
	bool ge = take(&w, ">="), le = !ge && take(&w, "<=");
	bool gt = !ge && !le && take(&w, ">");
	bool lt = !ge && !le && !gt && take(&w, "<");

	if (!ge && !le && !gt && !lt)
		(void)take(&w, "=");
	if (!lex_word_number(w, max, &n) || (gt && n == max) || (lt && n == 0))
		return false;
	*lo = le || lt ? 0 : (uint32_t)n + gt;
	*hi = ge || gt ? (uint32_t)max : (uint32_t)n - lt;
	return true;
}
