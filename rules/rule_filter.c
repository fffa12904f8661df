/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * threshold.config, as Suricata has it:
 *
 *	suppress gen_id 1, sig_id 1000302
 *	suppress gen_id 1, sig_id 0, track by_src, ip [192.0.2.0/24,$SCANNERS]
 *	threshold gen_id 1, sig_id 7, type limit, track by_src, count 1, seconds 60
 *	rate_filter gen_id 1, sig_id 7, track by_src, count 9, seconds 60,
 *	    new_action pass, timeout 600
 *
 * and one line of our own, which grades anew in some networks:
 *
 *	severity gen_id 1, sig_id 0, track by_dst, ip $LAB, new_severity info
 *
 * sig_id 0 is every rule, gen_id 0 with it every group.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rule_addr.h"
#include "rules/rule_parse.h"
#include "rules/rule_value.h"

#define RULE_FILTERS_MAX 10000

enum { HAVE_GID = 1, HAVE_SID = 2, HAVE_TRACK = 4, HAVE_IP = 8, HAVE_SEV = 16 };

struct line {
	struct rule_filter f;
	struct limit_text limit;
	unsigned have;
	size_t at;
	bool wrong;
};

static const struct {
	const char *name;
	uint8_t kind; /* enum filter_kind */
	bool is_rate;
} kinds[] = {
    {"suppress", FILTER_SUPPRESS, false},
    {"threshold", FILTER_LIMIT, false},
    {"event_filter", FILTER_LIMIT, false},
    {"rate_filter", FILTER_LIMIT, true},
    {"severity", FILTER_SEVERITY, false},
};

#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool
begin(struct lex *l, struct line *n)
{
	struct lex_word w = lex_word(l, ",");
	struct nearest near;

	n->at = w.at;
	nearest_init(&near, w);
	for (size_t i = 0; i < NKINDS; i++) {
		if (lex_word_is(w, kinds[i].name)) {
			n->f.kind = kinds[i].kind;
			n->limit = (struct limit_text){.what = kinds[i].name,
			    .is_rate = kinds[i].is_rate,
			    .wants_type = !kinds[i].is_rate,
			    .at = w.at};
			if (kinds[i].is_rate)
				n->f.limit.type = LIMIT_RATE;
			return true;
		}
		nearest_try(&near, kinds[i].name);
	}
	nearest_error(l, &near, "line of thresholds");
	return false;
}

static void
wrong(struct lex *l, struct line *n, size_t at, const char *what)
{
	lex_error(l, at, "%s", what);
	n->wrong = true;
}

static void
number(struct lex *l, struct line *n, struct lex_word w, uint32_t *out)
{
	unsigned long v;

	if (lex_word_number(w, UINT32_MAX, &v))
		*out = (uint32_t)v;
	else
		wrong(l, n, w.at, "this is a number from 0 to 4294967295");
}

static void
track(struct lex *l, struct line *n, struct lex_word w)
{
	if (lex_word_is(w, "by_src"))
		n->f.track = TRACK_BY_SRC;
	else if (lex_word_is(w, "by_dst"))
		n->f.track = TRACK_BY_DST;
	else if (lex_word_is(w, "by_either"))
		n->f.track = TRACK_BY_EITHER;
	else
		wrong(l, n, w.at, "track is by_src, by_dst or by_either here");
}

/* ip ADDRESS, which may be a list with commas of its own. */
static void
addresses(struct lex *l, struct line *n)
{
	lex_skip_space(l);
	if (rule_addr_parse(l, RULE_ADDRESS, &n->f.ip) == -1)
		n->wrong = true;
}

static void
severity(struct lex *l, struct line *n, struct lex_word w)
{
	char buf[VALUE_NAME_MAX];
	int sev = severity_by_name(value_name(buf, w));

	if (sev >= 0)
		n->f.severity = (uint8_t)sev;
	else
		wrong(l, n, w.at,
		    "new_severity is info, low, medium, high or critical");
}

/* Up to the next comma. */
static struct lex_word
rest_of_item(struct lex *l)
{
	size_t start;

	lex_skip_space(l);
	start = l->at;
	while (l->at < l->len && l->rule[l->at] != ',')
		l->at++;
	return lex_trim(
	    (struct lex_word){l->rule + start, l->at - start, start});
}

/* One `key value`; the parser stands at the key. */
static void
item(struct lex *l, struct line *n)
{
	size_t start = l->at;
	struct lex_word key = lex_word(l, ","), v;
	unsigned had = n->have;

	if (lex_word_is(key, "ip") && n->f.kind != FILTER_LIMIT) {
		n->have |= HAVE_IP;
		addresses(l, n);
		return;
	}
	v = rest_of_item(l);
	if (lex_word_is(key, "gen_id")) {
		n->have |= HAVE_GID;
		number(l, n, v, &n->f.gid);
	} else if (lex_word_is(key, "sig_id")) {
		n->have |= HAVE_SID;
		number(l, n, v, &n->f.sid);
	} else if (n->f.kind == FILTER_LIMIT) {
		n->wrong |= !limit_part(l, &n->limit,
		    lex_trim((struct lex_word){
			l->rule + start, l->at - start, start}),
		    &n->f.limit);
		return;
	} else if (lex_word_is(key, "track")) {
		n->have |= HAVE_TRACK;
		track(l, n, v);
	} else if (lex_word_is(key, "new_severity") &&
		   n->f.kind == FILTER_SEVERITY) {
		n->have |= HAVE_SEV;
		severity(l, n, v);
	} else {
		wrong(l, n, key.at,
		    n->f.kind == FILTER_SEVERITY
			? "severity takes gen_id, sig_id, track, ip and "
			  "new_severity"
			: "suppress takes gen_id, sig_id, track and ip");
		return;
	}
	if (had == n->have)
		wrong(l, n, key.at, "this was said already");
}

static void
items(struct lex *l, struct line *n)
{
	do {
		lex_skip_space(l);
		item(l, n);
		lex_skip_space(l);
	} while (!n->wrong && lex_accept(l, ','));
	if (!n->wrong && lex_peek(l) != '\0' && lex_peek(l) != '#')
		wrong(l, n, l->at, "expected ',' or the end of the line");
}

static void
check(struct lex *l, struct line *n)
{
	unsigned either = n->have & (HAVE_TRACK | HAVE_IP);

	if ((n->have & HAVE_GID) == 0 || (n->have & HAVE_SID) == 0)
		wrong(l, n, n->at, "gen_id and sig_id say which rule is meant");
	else if (n->f.gid == 0 && n->f.sid != 0)
		wrong(l, n, n->at,
		    "gen_id 0 is every group, and goes with "
		    "sig_id 0");
	else if (either == HAVE_TRACK || either == HAVE_IP)
		wrong(l, n, n->at, "track and ip go together");
	else if (n->f.kind == FILTER_SEVERITY && (n->have & HAVE_SEV) == 0)
		wrong(l, n, n->at, "severity lacks new_severity");
	else if (n->f.kind == FILTER_LIMIT)
		n->wrong |= !limit_complete(l, &n->limit, &n->f.limit);
}

static void
read_line(struct rule_parser *p, struct lex *l)
{
	struct ruleset *set = p->set;
	struct line n = {.f = {.line = lex_line(l)}};
	unsigned errors = l->errors;

	lex_skip_space(l);
	if (!begin(l, &n))
		return;
	items(l, &n);
	if (!n.wrong)
		check(l, &n);
	if (l->errors == errors && set->nfilters == RULE_FILTERS_MAX)
		lex_error(l, n.at, "more than %u lines", RULE_FILTERS_MAX);
	if (l->errors == errors && set->nfilters == set->filters_cap) {
		unsigned cap =
		    set->filters_cap == 0 ? 16 : set->filters_cap * 2;
		struct rule_filter *f = realloc(set->filters, cap * sizeof(*f));

		if (f == NULL) {
			lex_nomem(l);
		} else {
			set->filters = f;
			set->filters_cap = cap;
		}
	}
	if (l->errors == errors)
		set->filters[set->nfilters++] = n.f;
	else
		range_set_free(&n.f.ip);
}

void
rule_filters_text(struct rule_parser *p, const char *name, struct slice text)
{
	struct lex l;

	if (p->stopped || rule_parser_lex(p, &l, name, text) == -1)
		return;
	while (lex_next_rule(&l))
		read_line(p, &l);
	rule_parser_unlex(p, &l);
}
