/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keywords that Suricata does not have: what detectors found, how sure they
 * are, what was missing, and what is known from before. A value that is wrong
 * leaves the draft as it was.
 */
#include "rules/rule_value.h"

#include <string.h>

#include "rules/visibility.h"

/* Only rules that select findings have this. */
static void
of_findings(struct rule_draft *d, struct lex_word v)
{
	if (!d->rule.by_finding)
		d->finding_at = v.at;
	d->rule.by_finding = true;
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
	of_findings(d, v);
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
	char buf[VALUE_NAME_MAX];
	struct lex_word w;
	unsigned id;
	bool more;

	do {
		more = value_item(&v, &w);
		id = finding_by_name(value_name(buf, w));

		if (id == FIND_NONE || id >= FIND_COUNT) {
			unknown_finding(l, w);
			continue;
		}
		d->rule.findings[id / 64] |= UINT64_C(1) << (id % 64);
		d->rule.any_finding = false;
		of_findings(d, w);
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
	char buf[VALUE_NAME_MAX];
	struct lex_word w;
	uint32_t tag;
	bool more, negated;

	do {
		more = value_item(&v, &w);
		negated = value_take_not(&w);
		tag = evidence_tag_by_name(value_name(buf, w));

		if (tag == 0) {
			unknown_tag(l, w);
			continue;
		}
		of_findings(d, w);
		*(negated ? &d->rule.tags_not : &d->rule.tags_need) |= tag;
		if (d->rule.tags_need & d->rule.tags_not & tag)
			lex_error(l, w.at,
			    "evidence %s is both wanted and ruled out", buf);
	} while (more);
}

void
value_severity(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	char buf[VALUE_NAME_MAX];
	int sev = severity_by_name(value_name(buf, v));
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
	char buf[VALUE_NAME_MAX];
	struct lex_word w;
	uint32_t bit;
	bool more, negated;
	size_t at = v.at;

	do {
		more = value_item(&v, &w);
		negated = value_take_not(&w);
		bit = vis_by_name(value_name(buf, w));

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

/* ---- incident ---- */

static bool
incident_severity(struct lex *l, struct rule_incident *in, struct lex_word w)
{
	char buf[VALUE_NAME_MAX];
	bool strict = !take(&w, ">=");
	int sev;

	if (strict && !take(&w, ">"))
		return false;
	sev = severity_by_name(value_name(buf, w));
	if (sev < 0 || (strict && sev == SEV_CRITICAL)) {
		lex_error(l, w.at,
		    "after %s comes info, low, medium, high or critical",
		    strict ? ">" : ">=");
		return true;
	}
	in->min = (uint8_t)(sev + strict);
	in->has_min = true;
	return true;
}

void
value_incident(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct rule_incident *in = &d->rule.incident;
	struct lex_word w;
	bool more;

	in->asked = true;
	do {
		more = value_item(&v, &w);
		if (lex_word_is(w, "new"))
			in->want_new = true;
		else if (lex_word_is(w, "open"))
			in->want_open = true;
		else if (lex_word_is(w, "none"))
			in->want_none = true;
		else if (!incident_severity(l, in, w))
			lex_error(l, w.at,
			    "incident is new, open, none or >=SEVERITY, "
			    "with commas between");
	} while (more);
	if ((in->want_none || in->want_new) && in->has_min)
		lex_error(l, v.at,
		    "where there is no incident yet it has no severity");
}

/* ---- history ---- */

static const struct {
	const char *name;
	uint8_t fact; /* enum history_fact */
} history_facts[] = {
    {"server", HIST_SERVER},
    {"starttls", HIST_STARTTLS},
    {"plaintext", HIST_PLAINTEXT},
    {"tls", HIST_TLS},
    {"tls-failed", HIST_TLS_FAILED},
    {"logindisabled", HIST_LOGINDISABLED},
    {"days", HIST_DAYS},
    {"certificates", HIST_CERTIFICATES},
    {"pair", HIST_PAIR},
    {"pair-tls", HIST_PAIR_TLS},
    {"pair-plaintext", HIST_PAIR_PLAINTEXT},
};

#define NFACTS (sizeof(history_facts) / sizeof(history_facts[0]))

static uint8_t
history_fact(struct lex *l, struct lex_word w)
{
	struct nearest near;

	nearest_init(&near, w);
	for (size_t i = 0; i < NFACTS; i++) {
		if (lex_word_is(w, history_facts[i].name))
			return history_facts[i].fact;
		nearest_try(&near, history_facts[i].name);
	}
	nearest_error(l, &near, "fact of the history");
	return 0;
}

/* FACT,seen or FACT,seen,>N or FACT,never */
void
value_history(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct rule_history h = {0, false, 1, UINT32_MAX};
	struct lex_word rest = v, fact = lex_split(&rest, ',');
	struct lex_word how = lex_split(&rest, ',');
	bool has_count = lex_trim(rest).len > 0;

	h.fact = history_fact(l, fact);
	h.negated = lex_word_is(how, "never");
	if (h.fact == 0)
		return;
	if (!h.negated && !lex_word_is(how, "seen"))
		lex_error(l, how.at,
		    "history wants a fact, then seen or never: "
		    "history:starttls,seen,>10;");
	else if (has_count && h.negated)
		lex_error(l, rest.at, "what was never seen has no number");
	else if (has_count &&
		 !value_compare(lex_trim(rest), UINT32_MAX, &h.min, &h.max))
		lex_error(
		    l, rest.at, "how often is >N, >=N, <N, <=N or N sessions");
	else if (d->rule.nhistory == RULE_HISTORY_MAX)
		lex_error(l, v.at, "more than %u of history in one rule",
		    RULE_HISTORY_MAX);
	else
		d->rule.history[d->rule.nhistory++] = h;
}
