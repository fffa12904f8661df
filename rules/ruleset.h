/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a rule is once it has been read; private to the rule parser and the
 * matcher. Unset criteria match everything.
 */
#ifndef STRIPWIRE_RULESET_H
#define STRIPWIRE_RULESET_H

#include <stdbool.h>

#include "rules/rule.h"
#include "rules/rule_range.h"

#define FINDING_WORDS ((FIND_COUNT + 63) / 64)

enum rule_proto {
	RULE_PROTO_TCP = 1, /* every finding */
	RULE_PROTO_TLS, /* findings about TLS and certificates */
	RULE_PROTO_MAIL,
	RULE_PROTO_SMTP,
	RULE_PROTO_IMAP,
	RULE_PROTO_POP3,
	RULE_PROTO_SIEVE
};

enum rule_vis { RULE_VIS_ANY = 0, RULE_VIS_COMPLETE, RULE_VIS_PARTIAL };

struct rule {
	uint32_t sid, gid, rev;
	unsigned line;
	uint8_t proto; /* enum rule_proto */
	bool both_ways; /* <> */
	uint8_t severity; /* enum severity */
	uint8_t conf_min, conf_max;
	uint8_t vis_state; /* enum rule_vis */
	bool any_finding;
	uint64_t findings[FINDING_WORDS];
	uint32_t tags_need, tags_not; /* enum evidence_tag */
	uint32_t vis_need, vis_not; /* enum vis */
	struct range_set src, sport, dst, dport;
	char *text; /* the strings below, in one block */
	const char *msg, *classtype, *reference, *metadata;
};

struct ruleset {
	struct rule *rules;
	unsigned n, cap;
	/* rules that may select a finding: of[first[id] .. first[id + 1]] */
	unsigned first[FIND_COUNT + 1];
	unsigned *of;
};

/* Fills first and of. -1: no memory. */
int ruleset_index(struct ruleset *r) __attribute__((warn_unused_result));

#endif
