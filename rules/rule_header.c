/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a header from left to right. Where it cannot be made out any more the
 * options are looked for all the same, so that their mistakes are told too.
 */
#include "rules/rule_header.h"

#include <string.h>

#include "rules/rule_addr.h"
#include "rules/rule_option.h"
#include "rules/rule_words.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name;
	enum rule_proto proto;
} protocols[] = {
    {"smtp", RULE_PROTO_SMTP},
    {"imap", RULE_PROTO_IMAP},
    {"pop3", RULE_PROTO_POP3},
    {"managesieve", RULE_PROTO_SIEVE},
    {"mail", RULE_PROTO_MAIL},
    {"tls", RULE_PROTO_TLS},
    {"tcp", RULE_PROTO_TCP},
};

static const char *const actions[] = {
    [RULE_ALERT] = "alert", [RULE_PASS] = "pass", [RULE_LOG] = "log"};
/* Of Suricata and Snort: they change traffic, or what is logged of it. */
static const char *const actions_outside[] = {"drop", "reject", "rejectsrc",
    "rejectdst", "rejectboth", "sdrop", "block", "accept", "config"};

static bool
is_one_of(struct lex_word w, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lex_word_is(w, names[i]))
			return true;
	return false;
}

/* False if this does not look like a rule, and no more is worth saying. */
static bool
unknown_action(struct lex *l, struct lex_word w)
{
	struct nearest near;

	if (l->after_joined_comment) {
		lex_error(l, w.at,
		    "the comment before this line ends in a backslash: put a "
		    "'#' before this line too");
		return false;
	}
	nearest_init(&near, w);
	for (size_t i = 0; i < COUNT(actions); i++)
		nearest_try(&near, actions[i]);
	nearest_try(&near, "include");
	nearest_error(l, &near, "action");
	return near.name != NULL;
}

static bool
read_action(struct lex *l, struct rule *r)
{
	struct lex_word w = lex_word(l, "(");

	for (size_t i = 0; i < COUNT(actions); i++)
		if (lex_word_is(w, actions[i])) {
			r->action = (uint8_t)i;
			return true;
		}
	return unknown_action(l, w);
}

static bool
read_protocol(struct lex *l, struct rule *r)
{
	struct lex_word w;
	struct nearest near;

	lex_skip_space(l);
	w = lex_word(l, "(");
	nearest_init(&near, w);
	for (size_t i = 0; i < COUNT(protocols); i++) {
		nearest_try(&near, protocols[i].name);
		if (lex_word_is(w, protocols[i].name)) {
			r->proto = (uint8_t)protocols[i].proto;
			return true;
		}
	}
	if (w.len == 0)
		lex_error(l, w.at,
		    "expected a protocol: smtp, imap, pop3, mail, tls or tcp");
	else
		nearest_error(l, &near, "protocol");
	return w.len > 0;
}

static bool
read_direction(struct lex *l, struct rule *r)
{
	struct lex_word w;

	lex_skip_space(l);
	w = lex_word(l, "([");
	r->both_ways = lex_word_is(w, "<>");
	if (r->both_ways || lex_word_is(w, "->"))
		return true;
	if (lex_word_is(w, "<-")) {
		lex_error(l, w.at,
		    "there is no direction '<-': swap both sides and write "
		    "'->'");
		return true;
	}
	lex_error(l, w.at, "expected the direction '->' or '<>'");
	return false;
}

static bool
read_side(struct lex *l, struct range_set *addr, struct range_set *port)
{
	lex_skip_space(l);
	if (rule_addr_parse(l, RULE_ADDRESS, addr) == -1)
		return false;
	lex_skip_space(l);
	return rule_addr_parse(l, RULE_PORT, port) == 0;
}

/* The words of action and protocol, if it is an action of ours or theirs. */
static bool
peek_words(struct lex *l, struct lex_word *action, struct lex_word *proto)
{
	*action = lex_word(l, "(");
	lex_skip_space(l);
	*proto = lex_word(l, "(");
	return is_one_of(*action, actions, COUNT(actions)) ||
	       is_one_of(*action, actions_outside, COUNT(actions_outside));
}

bool
rule_is_outside(struct lex *l)
{
	struct lex probe = *l;
	struct lex_word action, w;
	const char *open, *why;
	char shown[64];

	if (!peek_words(&probe, &action, &w))
		return false;
	open = memchr(l->rule + probe.at, '(', l->len - probe.at);
	if (protocol_outside(w)) {
		lex_skipped(l, w.at,
		    "skipped: protocol '%s' is not one of mail",
		    lex_show(shown, sizeof(shown), w));
		return true;
	}
	if (open != NULL &&
	    is_one_of(action, actions_outside, COUNT(actions_outside))) {
		lex_skipped(l, action.at,
		    "skipped: Stripwire only listens, and has no action '%s': "
		    "write 'alert' to hear of it",
		    lex_show(shown, sizeof(shown), action));
		return true;
	}
	if (open == NULL)
		return false;
	probe.at = (size_t)(open - l->rule) + 1;
	why = rule_option_outside(&probe, &w);
	if (why == NULL)
		return false;
	lex_skipped(l, w.at, "skipped: keyword '%s' is not one of mail%s%s",
	    lex_show(shown, sizeof(shown), w), why[0] != '\0' ? ": " : "", why);
	return true;
}

bool
rule_header(struct lex *l, struct rule *r)
{
	const char *open;

	if (!read_action(l, r))
		return false;
	if (read_protocol(l, r) && read_side(l, &r->src, &r->sport) &&
	    read_direction(l, r) && read_side(l, &r->dst, &r->dport)) {
		lex_skip_space(l);
		if (lex_accept(l, '('))
			return true;
		lex_error(l, l->at, "expected '(' and the rule's options");
	}
	open = memchr(l->rule + l->at, '(', l->len - l->at);
	if (open == NULL)
		return false;
	l->at = (size_t)(open - l->rule) + 1;
	return true;
}
