/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A recursive descent that works on sets. A wrong entry is reported and left
 * out, so that the next one is looked at too; a list without its end gives
 * up.
 */
#include "rules/rule_addr.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rule_vars.h"

/* Ends of a word in a header. */
#define STOPS ",[]()!;"

struct reader {
	struct lex *l;
	enum rule_addr_kind kind;
	bool wrong; /* a mistake was reported */
	struct lex_word any; /* a variable that is any, if one is */
};

static int parse_entry(struct reader *r, unsigned depth, struct range_set *pos,
    struct range_set *neg);

static struct range
everything(enum rule_addr_kind kind)
{
	struct range all;

	memset(&all.lo, 0, sizeof(all.lo));
	memset(&all.hi, 0xff, sizeof(all.hi));
	if (kind == RULE_PORT)
		all.hi = addr_of_port(65535);
	return all;
}

static const char *
kind_name(enum rule_addr_kind kind)
{
	return kind == RULE_PORT ? "port" : "address";
}

static void
wrong(struct reader *r, struct lex_word w, const char *why)
{
	char shown[64];

	r->wrong = true;
	lex_error(
	    r->l, w.at, "'%s' %s", lex_show(shown, sizeof(shown), w), why);
}

/* ---- one entry ---- */

/* Returns the family's width in bits, 0 if it is no address. */
static unsigned
address(struct lex_word w, struct addr *out)
{
	static const uint8_t mapped[12] = {
	    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	char text[INET6_ADDRSTRLEN];

	if (w.len == 0 || w.len >= sizeof(text) || memchr(w.p, 0, w.len))
		return 0;
	memcpy(text, w.p, w.len);
	text[w.len] = '\0';
	if (inet_pton(AF_INET6, text, out->b) == 1)
		return 128;
	memcpy(out->b, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, out->b + 12) == 1 ? 32 : 0;
}

/* Length of a prefix: digits, or an IPv4 netmask. */
static bool
prefix_length(struct lex_word w, unsigned bits, unsigned long *out)
{
	struct addr mask;
	uint32_t m;

	if (lex_word_number(w, bits, out))
		return true;
	if (bits != 32 || address(w, &mask) != 32)
		return false;
	m = (uint32_t)mask.b[12] << 24 | (uint32_t)mask.b[13] << 16 |
	    (uint32_t)mask.b[14] << 8 | mask.b[15];
	if ((~m & (~m + 1)) != 0)
		return false; /* a hole in it */
	for (*out = 0; *out < 32 && (m & (UINT32_C(1) << (31 - *out)));)
		++*out;
	return true;
}

static bool
network(struct reader *r, struct lex_word net, struct lex_word len,
    struct range *out)
{
	unsigned bits = address(net, &out->lo);
	unsigned long prefix;

	if (bits == 0) {
		wrong(r, net, "is not an address");
		return false;
	}
	if (!prefix_length(len, bits, &prefix)) {
		wrong(r, len,
		    bits == 32 ? "is not a prefix length (0 to 32) or netmask"
			       : "is not a prefix length (0 to 128)");
		return false;
	}
	out->hi = out->lo;
	for (unsigned i = (unsigned)prefix + 128 - bits; i < 128; i++) {
		uint8_t bit = (uint8_t)(0x80 >> (i % 8));

		out->lo.b[i / 8] &= (uint8_t)~bit;
		out->hi.b[i / 8] |= bit;
	}
	return true;
}

static bool
address_range(struct reader *r, struct lex_word whole, struct lex_word from,
    struct lex_word to, struct range *out)
{
	unsigned a = address(from, &out->lo), b = address(to, &out->hi);

	if (a == 0 || b == 0)
		wrong(r, a == 0 ? from : to, "is not an address");
	else if (a != b)
		wrong(r, whole, "joins an IPv4 and an IPv6 address");
	else if (memcmp(out->lo.b, out->hi.b, sizeof(out->lo.b)) > 0)
		wrong(r, whole, "ends before it starts");
	else
		return true;
	return false;
}

static bool
parse_address(struct reader *r, struct lex_word w, struct range *out)
{
	struct lex_word rest = w, head;

	if (memchr(w.p, '/', w.len) != NULL) {
		head = lex_split(&rest, '/');
		return network(r, head, rest, out);
	}
	if (memchr(w.p, '-', w.len) != NULL) {
		head = lex_split(&rest, '-');
		return address_range(r, w, head, rest, out);
	}
	if (address(w, &out->lo) == 0) {
		wrong(r, w,
		    "is not an address: any, IPv4, IPv6, a/len, a-b, !a, "
		    "[a,b] or $NAME is expected");
		return false;
	}
	out->hi = out->lo;
	return true;
}

static bool
parse_port(struct reader *r, struct lex_word w, struct range *out)
{
	unsigned long lo = 0, hi = 65535;
	struct lex_word rest = w, head = lex_split(&rest, ':');
	bool is_range = head.len != w.len;

	if ((head.len > 0 || !is_range) && !lex_word_number(head, 65535, &lo))
		wrong(r, head, "is not a port (0 to 65535)");
	else if (rest.len > 0 && !lex_word_number(rest, 65535, &hi))
		wrong(r, rest, "is not a port (0 to 65535)");
	else if (is_range && lo > hi)
		wrong(r, w, "ends before it starts");
	else {
		out->lo = addr_of_port((uint16_t)lo);
		out->hi = addr_of_port((uint16_t)(is_range ? hi : lo));
		return true;
	}
	return false;
}

static bool
parse_word(struct reader *r, struct lex_word w, struct range *out)
{
	if (lex_word_is(w, "any")) {
		*out = everything(r->kind);
		return true;
	}
	if (r->kind == RULE_PORT)
		return parse_port(r, w, out);
	return parse_address(r, w, out);
}

/* ---- lists ---- */

static int
nomem(struct reader *r)
{
	lex_nomem(r->l);
	return -1;
}

/* pos := pos (or everything, if there was only negation) without neg. */
static int
combine(struct reader *r, struct range_set *pos, struct range_set *neg)
{
	struct range all = everything(r->kind);

	if (pos->n == 0 && neg->n > 0 &&
	    range_set_add(pos, &all.lo, &all.hi) == -1)
		return nomem(r);
	range_set_settle(pos);
	range_set_settle(neg);
	if (neg->n > 0 && range_set_subtract(pos, neg) == -1)
		return nomem(r);
	return 0;
}

static int
list_entries(struct reader *r, unsigned depth, size_t start,
    struct range_set *pos, struct range_set *neg)
{
	for (;;) {
		lex_skip_space(r->l);
		if (parse_entry(r, depth, pos, neg) == -1)
			return -1;
		lex_skip_space(r->l);
		if (lex_accept(r->l, ']'))
			return 0;
		if (!lex_accept(r->l, ',')) {
			lex_error(r->l, start, "the list has no closing ']'");
			return -1;
		}
		if (pos->n + neg->n > RULE_LIST_MAX) {
			lex_error(r->l, start,
			    "the list has more than %u entries", RULE_LIST_MAX);
			return -1;
		}
	}
}

/* The parser stands behind the '['. */
static int
parse_list(struct reader *r, unsigned depth, struct range_set *into)
{
	size_t start = r->l->at - 1;
	struct range_set pos = {0}, neg = {0};
	int rc = -1;

	if (depth == RULE_LIST_DEPTH)
		lex_error(r->l, start, "lists are nested more than %d deep",
		    RULE_LIST_DEPTH);
	else if (list_entries(r, depth + 1, start, &pos, &neg) == 0 &&
		 combine(r, &pos, &neg) == 0)
		rc = range_set_add_all(into, &pos) == -1 ? nomem(r) : 0;
	range_set_free(&pos);
	range_set_free(&neg);
	return rc;
}

static int
parse_variable(struct reader *r, struct lex_word w, struct range_set *into)
{
	struct range all = everything(r->kind);
	struct range_set set = {0};
	struct nearest near;
	int rc;

	w.p++;
	w.at++;
	w.len--;
	rc = rule_vars_get(r->l->vars, w, r->kind, &set, &near);
	if (rc == 0 && set.all)
		r->any = w;
	if (rc == 0)
		rc = set.all ? range_set_add(into, &all.lo, &all.hi)
			     : range_set_add_all(into, &set);
	range_set_free(&set);
	if (rc == -1)
		return nomem(r);
	if (rc == 1) {
		r->wrong = true;
		nearest_error(r->l, &near,
		    r->kind == RULE_PORT ? "port variable"
					 : "address variable");
	}
	return 0;
}

static int
parse_entry(struct reader *r, unsigned depth, struct range_set *pos,
    struct range_set *neg)
{
	bool negated = lex_accept(r->l, '!');
	struct range_set *into = negated ? neg : pos;
	struct lex_word w;
	struct range range;

	if (lex_accept(r->l, '['))
		return parse_list(r, depth, into);
	w = lex_word(r->l, STOPS);
	if (w.len == 0) {
		lex_error(r->l, w.at, "expected %s %s%s",
		    r->kind == RULE_PORT ? "a" : "an", kind_name(r->kind),
		    depth > 0 ? " in the list" : "");
		return -1;
	}
	if (w.p[0] == '$')
		return parse_variable(r, w, into);
	if (!parse_word(r, w, &range))
		return 0;
	if (range_set_add(into, &range.lo, &range.hi) == -1)
		return nomem(r);
	return 0;
}

static bool
is_everything(const struct range_set *s, enum rule_addr_kind kind)
{
	struct range all = everything(kind);

	return s->n == 1 && memcmp(&s->r[0], &all, sizeof(all)) == 0;
}

/* Nobody is meant: a slip of the pen, unless a variable is to blame, which the
 * configuration sets. Then the rule is left out, as Suricata does. */
static void
nothing(struct reader *r, size_t at)
{
	const char *what = kind_name(r->kind);
	char shown[64];

	if (r->any.len == 0) {
		lex_error(r->l, at, "this matches no %s at all", what);
		return;
	}
	(void)lex_show(shown, sizeof(shown), r->any);
	if (r->l->in_rule && r->l->skipped)
		return;
	if (r->l->in_rule)
		lex_skipped(r->l, at,
		    "skipped: $%s is any, so this matches no %s at all: set it "
		    "under 'variables:'",
		    shown, what);
	else
		lex_error(r->l, at,
		    "$%s is any, so this matches no %s at all: set it under "
		    "'variables:' first",
		    shown, what);
}

int
rule_addr_parse(struct lex *l, enum rule_addr_kind kind, struct range_set *out)
{
	struct reader r = {.l = l, .kind = kind};
	struct range_set neg = {0};
	size_t start = l->at;
	int rc = parse_entry(&r, 0, out, &neg);

	if (rc == 0)
		rc = combine(&r, out, &neg);
	range_set_free(&neg);
	if (rc == -1)
		return -1;
	if (out->n == 0 && !r.wrong)
		nothing(&r, start);
	if (is_everything(out, kind)) {
		range_set_free(out);
		out->all = true;
	}
	return 0;
}
