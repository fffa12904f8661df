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
#include "rules/visibility.h"

#define NAME_MAX_LEN 64 /* names of findings, tags, severities: all shorter */

/* NUL-terminated copy of a name; "" (which is no name) if it is too long. */
static const char *
name_of(char buf[NAME_MAX_LEN], struct lex_word w)
{
	size_t len = w.len < NAME_MAX_LEN ? w.len : 0;

	memcpy(buf, w.p, len);
	buf[len] = '\0';
	return buf;
}

/* Takes '!' off the front. */
static bool
take_not(struct lex_word *w)
{
	if (w->len == 0 || w->p[0] != '!')
		return false;
	w->p++;
	w->at++;
	w->len--;
	*w = lex_trim(*w);
	return true;
}

/* The next of a list; true if more follow. */
static bool
list_item(struct lex_word *v, struct lex_word *item)
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
	char buf[NAME_MAX_LEN];
	struct nearest near;

	if (classtype_description(name_of(buf, v)) != NULL) {
		(void)snprintf(d->classtype, sizeof(d->classtype), "%s", buf);
		return;
	}
	nearest_init(&near, v);
	nearest_classtype(&near);
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
		more = list_item(&v, &item);
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

/* Reads >=N, >N, <=N, <N or A-B. Returns what is wrong with it, or NULL. */
static const char *
confidence(struct lex_word v, unsigned long *lo, unsigned long *hi)
{
	static const char form[] = "confidence is >=N, >N, <=N, <N or A-B, "
				   "with numbers from 0 to 100";
	bool above = v.p[0] == '>', below = v.p[0] == '<', strict;

	*lo = 0;
	*hi = 100;
	if (above || below) {
		strict = !take(&v, above ? ">=" : "<=");
		if (strict)
			(void)take(&v, above ? ">" : "<");
		if (!lex_word_number(v, 100, above ? lo : hi))
			return form;
		if (strict && *(above ? lo : hi) == (above ? 100 : 0))
			return "no confidence is like that";
		if (strict)
			*(above ? lo : hi) += above ? 1ul : -1ul;
		return NULL;
	}
	if (lex_word_number(v, 100, lo))
		return "a bare number is ambiguous: write >=N for at least N";
	if (!lex_word_number(lex_split(&v, '-'), 100, lo) ||
	    !lex_word_number(lex_trim(v), 100, hi))
		return form;
	return *lo > *hi ? "the range ends before it starts" : NULL;
}

void
value_confidence(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	unsigned long lo, hi;
	const char *why = confidence(v, &lo, &hi);

	if (why != NULL) {
		lex_error(l, v.at, "%s", why);
		return;
	}
	d->rule.conf_min = (uint8_t)lo;
	d->rule.conf_max = (uint8_t)hi;
}

/* ---- names ---- */

static void
unknown_finding(struct lex *l, struct lex_word w)
{
	struct nearest near;

	nearest_init(&near, w);
	for (int id = FIND_NONE + 1; id < FIND_COUNT; id++)
		nearest_try(&near, finding_info(id)->name);
	nearest_error(l, &near, "finding");
}

void
value_finding(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	char buf[NAME_MAX_LEN];
	struct lex_word w;
	unsigned id;
	bool more;

	do {
		more = list_item(&v, &w);
		id = finding_by_name(name_of(buf, w));

		if (id == FIND_NONE || id >= FIND_COUNT) {
			unknown_finding(l, w);
			continue;
		}
		d->rule.findings[id / 64] |= UINT64_C(1) << (id % 64);
		d->rule.any_finding = false;
	} while (more);
}

static void
unknown_tag(struct lex *l, struct lex_word w)
{
	struct nearest near;
	const char *name;

	nearest_init(&near, w);
	for (unsigned i = 0; i < 32; i++) {
		name = evidence_tag_name(UINT32_C(1) << i);
		if (name != NULL && evidence_tag_by_name(name) != 0)
			nearest_try(&near, name);
	}
	nearest_error(l, &near, "evidence");
}

void
value_evidence(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	char buf[NAME_MAX_LEN];
	struct lex_word w;
	uint32_t tag;
	bool more, negated;

	do {
		more = list_item(&v, &w);
		negated = take_not(&w);
		tag = evidence_tag_by_name(name_of(buf, w));

		if (tag == 0) {
			unknown_tag(l, w);
			continue;
		}
		*(negated ? &d->rule.tags_not : &d->rule.tags_need) |= tag;
		if (d->rule.tags_need & d->rule.tags_not & tag)
			lex_error(l, w.at,
			    "evidence %s is both wanted and ruled out", buf);
	} while (more);
}

void
value_severity(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	char buf[NAME_MAX_LEN];
	int sev = severity_by_name(name_of(buf, v));
	struct nearest near;

	if (sev >= 0) {
		d->rule.severity = (uint8_t)sev;
		return;
	}
	nearest_init(&near, v);
	for (int i = SEV_INFO; i <= SEV_CRITICAL; i++)
		nearest_try(&near, severity_name(i));
	if (near.name == NULL)
		lex_error(
		    l, v.at, "severity is info, low, medium, high or critical");
	else
		nearest_error(l, &near, "severity");
}

static void
unknown_visibility(struct lex *l, struct lex_word w)
{
	struct nearest near;

	nearest_init(&near, w);
	nearest_try(&near, "complete");
	nearest_try(&near, "partial");
	for (unsigned i = 0; i < 32; i++)
		if (vis_name(UINT32_C(1) << i) != NULL)
			nearest_try(&near, vis_name(UINT32_C(1) << i));
	nearest_error(l, &near, "visibility");
}

void
value_visibility(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	char buf[NAME_MAX_LEN];
	struct lex_word w;
	uint32_t bit;
	bool more, negated;
	size_t at = v.at;

	do {
		more = list_item(&v, &w);
		negated = take_not(&w);
		bit = vis_by_name(name_of(buf, w));

		if (bit != 0)
			*(negated ? &d->rule.vis_not : &d->rule.vis_need) |=
			    bit;
		else if (strcmp(buf, negated ? "partial" : "complete") == 0)
			d->rule.vis_state = RULE_VIS_COMPLETE;
		else if (strcmp(buf, negated ? "complete" : "partial") == 0)
			d->rule.vis_state = RULE_VIS_PARTIAL;
		else
			unknown_visibility(l, w);
	} while (more);
	if (d->rule.vis_need & d->rule.vis_not)
		lex_error(l, at, "visibility is both wanted and ruled out");
	else if (d->rule.vis_need != 0 &&
		 d->rule.vis_state == RULE_VIS_COMPLETE)
		lex_error(l, at,
		    "what was seen whole is missing nothing: leave out "
		    "'complete'");
}
