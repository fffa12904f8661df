/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keywords about the flow, about what was seen on it or between its hosts
 * before, and about how many alerts are enough.
 */
#include "rules/rule_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 31622400 /* a year */
#define XBITS_EXPIRE 30 /* seconds, as in Suricata */

/* ---- flow ---- */

static bool
flow_word(struct lex_word w, uint8_t *dir)
{
	static const char *const plain[] = {
	    "established", "stateless", "only_stream", "no_stream", "no_frag"};

	*dir = 0;
	if (lex_word_is(w, "to_server") || lex_word_is(w, "from_client"))
		*dir = RULE_TO_SERVER;
	else if (lex_word_is(w, "to_client") || lex_word_is(w, "from_server"))
		*dir = RULE_TO_CLIENT;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (lex_word_is(w, plain[i]))
			return true;
	return *dir != 0;
}

void
value_flow(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct lex_word w;
	uint8_t dir;
	bool more;

	d->flow_at = v.at;
	do {
		more = value_item(&v, &w);
		if (lex_word_is(w, "not_established") ||
		    lex_word_is(w, "only_frag"))
			lex_error(l, w.at,
			    "only what was said on established connections "
			    "is looked at");
		else if (!flow_word(w, &dir))
			lex_error(l, w.at,
			    "flow is to_server, to_client, from_server, "
			    "from_client, established or stateless");
		else if (dir != 0 && d->rule.flow != 0 && d->rule.flow != dir)
			lex_error(l, w.at, "flow names both directions");
		else
			d->rule.flow |= dir;
	} while (more);
}

/* ---- flowbits and xbits ---- */

/* The number of a name in the set; -1: reported. */
static int
bit_name(struct lex *l, struct ruleset *set, struct lex_word w)
{
	char **names;

	for (unsigned i = 0; i < set->nbits; i++)
		if (lex_word_is(w, set->bits[i]))
			return (int)i;
	if (w.len == 0 || w.len >= VALUE_NAME_MAX ||
	    memchr(w.p, ' ', w.len) != NULL) {
		lex_error(l, w.at,
		    "expected a name without blanks of at most %u bytes",
		    VALUE_NAME_MAX - 1);
		return -1;
	}
	if (set->nbits == RULE_FLOWBITS_MAX) {
		lex_error(
		    l, w.at, "more than %u names of bits", RULE_FLOWBITS_MAX);
		return -1;
	}
	names = realloc(set->bits, (set->nbits + 1) * sizeof(*names));
	if (names != NULL)
		set->bits = names;
	if (names == NULL ||
	    (names[set->nbits] = strndup(w.p, w.len)) == NULL) {
		lex_nomem(l);
		return -1;
	}
	return (int)set->nbits++;
}

static uint8_t
bit_op(struct lex_word w)
{
	static const char *const ops[] = {[BIT_SET] = "set",
	    [BIT_UNSET] = "unset",
	    [BIT_TOGGLE] = "toggle",
	    [BIT_ISSET] = "isset",
	    [BIT_ISNOTSET] = "isnotset"};

	for (unsigned i = BIT_SET; i <= BIT_ISNOTSET; i++)
		if (lex_word_is(w, ops[i]))
			return i;
	return 0;
}

static void
bit_add(struct lex *l, struct rule_draft *d, struct rule_bit b,
    struct lex_word name)
{
	int n = bit_name(l, d->set, name);

	if (n == -1)
		return;
	if (d->rule.nbits == RULE_BITS_MAX) {
		lex_error(
		    l, name.at, "more than %u bits in one rule", RULE_BITS_MAX);
		return;
	}
	b.name = (uint16_t)n;
	d->rule.bits[d->rule.nbits++] = b;
}

void
value_flowbits(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct lex_word rest = v, op = lex_split(&rest, ','), name;
	struct rule_bit b = {.op = bit_op(op)};
	unsigned left = 0;

	rest = lex_trim(rest);
	if (lex_word_is(op, "noalert") && rest.len == 0) {
		d->rule.noalert = true;
		return;
	}
	if (b.op == 0) {
		lex_error(l, op.at,
		    "flowbits wants set, unset, toggle, isset or isnotset and "
		    "a name, or noalert: flowbits:set,name;");
		return;
	}
	for (size_t i = 0; i < rest.len; i++)
		left += rest.p[i] == '|';
	if (left > 0 && b.op != BIT_ISSET && b.op != BIT_ISNOTSET) {
		lex_error(l, rest.at, "a|b can be asked for, and not set");
		return;
	}
	for (;; left--) {
		name = lex_split(&rest, '|');
		b.or = (uint16_t)left;
		bit_add(l, d, b, name);
		if (left == 0)
			return;
	}
}

static uint8_t
xbits_track(struct lex_word w)
{
	if (lex_word_is(w, "ip_src"))
		return TRACK_BY_SRC;
	if (lex_word_is(w, "ip_dst"))
		return TRACK_BY_DST;
	return lex_word_is(w, "ip_pair") ? TRACK_BY_BOTH : 0;
}

/* "track ip_pair" and "expire 60". */
static bool
xbits_part(struct lex_word w, struct rule_bit *b)
{
	struct lex_word rest = w, key = lex_split(&rest, ' ');
	unsigned long n;

	rest = lex_trim(rest);
	if (lex_word_is(key, "track")) {
		b->host = xbits_track(rest);
		return b->host != 0;
	}
	if (!lex_word_is(key, "expire") ||
	    !lex_word_number(rest, SECONDS_MAX, &n) || n == 0)
		return false;
	b->expire = (uint32_t)n;
	return true;
}

void
value_xbits(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct lex_word rest = v, op = lex_split(&rest, ','), w;
	struct lex_word name = lex_split(&rest, ',');
	struct rule_bit b = {.op = bit_op(op), .expire = XBITS_EXPIRE};
	bool more = true;

	while (more) {
		more = value_item(&rest, &w);
		if (b.op == 0 || !xbits_part(w, &b)) {
			lex_error(l, b.op == 0 ? op.at : w.at,
			    "xbits is set, unset, toggle, isset or isnotset, "
			    "a name, track ip_src, ip_dst or ip_pair, and "
			    "perhaps expire SECONDS");
			return;
		}
	}
	if (b.host == 0)
		lex_error(l, v.at,
		    "xbits lacks track ip_src, ip_dst or "
		    "ip_pair");
	else
		bit_add(l, d, b, name);
}

void
value_noalert(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	(void)l;
	(void)v;
	d->rule.noalert = true;
}

void
value_nothing(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	(void)l;
	(void)d;
	(void)v;
}

void
value_target(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	if (lex_word_is(v, "src_ip"))
		d->rule.target = TRACK_BY_SRC;
	else if (lex_word_is(v, "dest_ip"))
		d->rule.target = TRACK_BY_DST;
	else
		lex_error(l, v.at, "target is src_ip or dest_ip");
}

/* ---- limits ---- */

enum {
	HAVE_TYPE = 1,
	HAVE_TRACK = 2,
	HAVE_COUNT = 4,
	HAVE_SECONDS = 8,
	HAVE_ACTION = 16,
	HAVE_TIMEOUT = 32
};

static const char *const limit_types[] = {[LIMIT_LIMIT] = "limit",
    [LIMIT_THRESHOLD] = "threshold",
    [LIMIT_BOTH] = "both"};
static const char *const tracks[] = {[TRACK_BY_SRC] = "by_src",
    [TRACK_BY_DST] = "by_dst",
    [TRACK_BY_BOTH] = "by_both",
    [TRACK_BY_RULE] = "by_rule"};

static bool
limit_number(struct lex *l, struct lex_word w, uint32_t *out)
{
	unsigned long n;

	if (lex_word_number(w, SECONDS_MAX, &n) && n > 0) {
		*out = (uint32_t)n;
		return true;
	}
	lex_error(l, w.at, "this is a number from 1 to %d", SECONDS_MAX);
	return false;
}

static bool
limit_type(struct lex *l, struct lex_word w, struct rule_limit *out)
{
	for (unsigned i = LIMIT_LIMIT; i <= LIMIT_BOTH; i++)
		if (lex_word_is(w, limit_types[i])) {
			out->type = i;
			return true;
		}
	lex_error(l, w.at, "the type is limit, threshold or both");
	return false;
}

static bool
limit_track(struct lex *l, struct lex_word w, struct rule_limit *out)
{
	for (unsigned i = TRACK_BY_SRC; i <= TRACK_BY_RULE; i++)
		if (lex_word_is(w, tracks[i])) {
			out->track = i;
			return true;
		}
	lex_error(l, w.at, "track is by_src, by_dst, by_both or by_rule");
	return false;
}

static bool
limit_action(struct lex *l, struct lex_word w, struct rule_limit *out)
{
	static const char *const actions[] = {
	    [RULE_ALERT] = "alert", [RULE_PASS] = "pass", [RULE_LOG] = "log"};

	for (unsigned i = RULE_ALERT; i <= RULE_LOG; i++)
		if (lex_word_is(w, actions[i])) {
			out->new_action = i;
			return true;
		}
	lex_error(l, w.at,
	    "new_action is pass, log or alert: Stripwire only listens and "
	    "cannot drop or reject");
	return false;
}

bool
limit_part(struct lex *l, struct limit_text *t, struct lex_word item,
    struct rule_limit *out)
{
	struct lex_word rest = item, key = lex_split(&rest, ' ');
	unsigned bit;
	bool ok;

	rest = lex_trim(rest);
	if (lex_word_is(key, "type") && t->wants_type) {
		bit = HAVE_TYPE;
		ok = limit_type(l, rest, out);
	} else if (lex_word_is(key, "track")) {
		bit = HAVE_TRACK;
		ok = limit_track(l, rest, out);
	} else if (lex_word_is(key, "count")) {
		bit = HAVE_COUNT;
		ok = limit_number(l, rest, &out->count);
	} else if (lex_word_is(key, "seconds")) {
		bit = HAVE_SECONDS;
		ok = limit_number(l, rest, &out->seconds);
	} else if (lex_word_is(key, "new_action") && t->is_rate) {
		bit = HAVE_ACTION;
		ok = limit_action(l, rest, out);
	} else if (lex_word_is(key, "timeout") && t->is_rate) {
		bit = HAVE_TIMEOUT;
		ok = limit_number(l, rest, &out->timeout);
	} else {
		lex_error(l, key.at, "%s takes %strack, count and seconds%s",
		    t->what, t->wants_type ? "type, " : "",
		    t->is_rate ? ", new_action and timeout" : "");
		return false;
	}
	if (ok && (t->have & bit) != 0)
		lex_error(l, key.at, "this was said already");
	ok = ok && (t->have & bit) == 0;
	t->have |= bit;
	return ok;
}

bool
limit_complete(
    struct lex *l, const struct limit_text *t, const struct rule_limit *lim)
{
	unsigned need = HAVE_TRACK | HAVE_COUNT | HAVE_SECONDS;

	(void)lim;
	need |= t->wants_type ? HAVE_TYPE : 0;
	need |= t->is_rate ? HAVE_ACTION | HAVE_TIMEOUT : 0;
	need &= ~t->have;
	if (need == 0)
		return true;
	lex_error(l, t->at, "%s lacks%s%s%s%s%s%s", t->what,
	    need & HAVE_TYPE ? " type" : "", need & HAVE_TRACK ? " track" : "",
	    need & HAVE_COUNT ? " count" : "",
	    need & HAVE_SECONDS ? " seconds" : "",
	    need & HAVE_ACTION ? " new_action" : "",
	    need & HAVE_TIMEOUT ? " timeout" : "");
	return false;
}

static bool
limit_all(struct lex *l, struct lex_word v, struct limit_text *t,
    struct rule_limit *out)
{
	struct lex_word item;
	bool more, ok = true;

	t->at = v.at;
	do {
		more = value_item(&v, &item);
		ok = limit_part(l, t, item, out) && ok;
	} while (more);
	return ok && limit_complete(l, t, out);
}

void
value_threshold(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct limit_text t = {.what = "threshold", .wants_type = true};

	(void)limit_all(l, v, &t, &d->rule.threshold);
}

void
value_detection_filter(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct limit_text t = {.what = "detection_filter"};

	if (limit_all(l, v, &t, &d->rule.detection))
		d->rule.detection.type = LIMIT_DETECTION;
}
