/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a rule is once it has been read; private to the parser and the engine.
 * Unset criteria match everything. A set is never changed after it was built:
 * all that moves is the engine's.
 */
#ifndef STRIPWIRE_RULESET_H
#define STRIPWIRE_RULESET_H

#include <stdbool.h>

#include "rules/content.h"
#include "rules/multi.h"
#include "rules/rule.h"
#include "rules/rule_buffer.h"
#include "rules/rule_range.h"

#define FINDING_WORDS ((FIND_COUNT + 63) / 64)
#define RULE_LOOKS_MAX 8 /* buffers of one rule; two are usual */
#define RULE_BITS_MAX 8 /* flowbits and xbits of one rule */
#define RULE_HISTORY_MAX 4 /* history: of one rule */

enum rule_action { RULE_ALERT = 0, RULE_PASS, RULE_LOG };

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

/* Whose bytes; 0: both. A bit a direction, 1 << enum dir. */
#define RULE_TO_SERVER (1u << DIR_C2S)
#define RULE_TO_CLIENT (1u << DIR_S2C)

/* Who of the two, or both. */
enum rule_track {
	TRACK_BY_SRC = 1,
	TRACK_BY_DST,
	TRACK_BY_BOTH,
	TRACK_BY_RULE,
	TRACK_BY_EITHER /* suppress only */
};

enum limit_type {
	LIMIT_NONE = 0,
	LIMIT_LIMIT, /* the first `count` in `seconds` */
	LIMIT_THRESHOLD, /* each `count`-th in `seconds` */
	LIMIT_BOTH, /* once in `seconds`, at the `count`-th */
	LIMIT_DETECTION, /* all after the first `count` in `seconds` */
	LIMIT_RATE /* rate_filter: from the `count`-th on, another action */
};

struct rule_limit {
	uint8_t type; /* enum limit_type */
	uint8_t track; /* enum rule_track */
	uint8_t new_action; /* LIMIT_RATE: enum rule_action */
	uint32_t count, seconds;
	uint32_t timeout; /* LIMIT_RATE: seconds the new action lasts */
};

enum bit_op { BIT_SET = 1, BIT_UNSET, BIT_TOGGLE, BIT_ISSET, BIT_ISNOTSET };

struct rule_bit {
	uint8_t op; /* enum bit_op */
	uint8_t host; /* xbits: enum rule_track; 0: a flowbit */
	uint16_t name; /* number in set->bits */
	uint16_t or ; /* ISSET a|b: how many more belong to this one */
	uint32_t expire; /* xbits: seconds */
};

enum history_fact {
	HIST_SERVER = 1, /* sessions that taught */
	HIST_STARTTLS, /* lists that offered it */
	HIST_PLAINTEXT, /* lists that did not */
	HIST_TLS, /* handshakes completed */
	HIST_TLS_FAILED,
	HIST_LOGINDISABLED,
	HIST_DAYS, /* on which sessions taught */
	HIST_CERTIFICATES, /* keys seen */
	HIST_PAIR, /* sessions of these two hosts */
	HIST_PAIR_TLS,
	HIST_PAIR_PLAINTEXT
};

struct rule_history {
	uint8_t fact; /* enum history_fact */
	bool negated; /* never */
	uint32_t min, max; /* how often, inclusive */
};

struct rule_incident {
	bool asked;
	bool want_new, want_open, want_none;
	uint8_t min; /* enum severity of the incident; with has_min */
	bool has_min;
};

/* What a rule wants of one buffer: checks of it, all of which must hold. */
struct rule_look {
	uint8_t buffer; /* enum rule_buffer */
	uint8_t transform; /* enum transform */
	uint16_t first, n; /* of rule.checks */
	int16_t fast; /* the check searched for beforehand, -1: none */
};

struct rule {
	uint32_t sid, gid, rev;
	unsigned line;
	uint16_t file; /* number in set->files */
	uint8_t action; /* enum rule_action */
	uint8_t proto; /* enum rule_proto */
	bool both_ways; /* <> */
	bool noalert;
	uint8_t turn; /* when it is asked, 0 first */
	uint8_t flow; /* RULE_TO_..., as written */
	uint8_t dirs; /* RULE_TO_..., of the buffers looked at */
	uint8_t severity; /* enum severity */
	uint8_t conf_min, conf_max;
	uint8_t vis_state; /* enum rule_vis */
	uint8_t target; /* 0, TRACK_BY_SRC or TRACK_BY_DST */
	bool any_finding;
	bool by_finding; /* something only findings have was asked for */
	uint64_t findings[FINDING_WORDS];
	uint32_t tags_need, tags_not; /* enum evidence_tag */
	uint32_t vis_need, vis_not; /* enum vis */
	struct range_set src, sport, dst, dport;
	struct rule_limit threshold, detection;
	struct rule_incident incident;
	struct rule_history history[RULE_HISTORY_MAX];
	uint8_t nhistory;
	uint8_t nlooks;
	uint8_t nbits;
	struct rule_bit bits[RULE_BITS_MAX];
	struct rule_look looks[RULE_LOOKS_MAX];
	struct check *checks;
	unsigned nchecks;
	uint64_t key; /* the same for the same rule in another set */
	char *text; /* the strings below, in one block */
	const char *msg, *classtype, *category, *reference, *metadata;
	const char *source; /* the rule as written */
};

/* A line of a threshold.config. */
enum filter_kind { FILTER_SUPPRESS = 1, FILTER_LIMIT, FILTER_SEVERITY };

struct rule_filter {
	uint8_t kind; /* enum filter_kind */
	uint8_t track; /* suppress, severity: 0 is everybody */
	uint8_t severity; /* FILTER_SEVERITY */
	uint32_t gid, sid; /* 0: every */
	struct range_set ip;
	struct rule_limit limit;
	unsigned line;
};

/*
 * The rules that may match one buffer of one protocol: those with a pattern
 * are found by one search, the others are asked each time.
 */
struct rule_group {
	unsigned *rule; /* with a pattern: rule << 3 | look, by pattern */
	unsigned *first; /* of rule, by pattern; npatterns + 1 */
	unsigned npatterns;
	struct multi *multi;
	unsigned *always; /* rule << 3 | look */
	unsigned nalways;
	struct rule_group *same; /* its contents are another's: not owned */
};

struct ruleset {
	struct rule *rules;
	unsigned n, cap;
	unsigned skipped;
	char **files; /* names of what was read */
	unsigned nfiles;
	char **bits; /* names of flowbits and xbits */
	unsigned nbits;
	struct rule_filter *filters;
	unsigned nfilters, filters_cap;
	/* rules that may select a finding, passing ones first: of[first[id]
	 * .. first[id + 1]] */
	unsigned first[FIND_COUNT + 1];
	unsigned *of;
	/* by buffer and protocol; all zero: no rule wants it */
	struct rule_group groups[PROTO_COUNT][BUF_COUNT];
	uint8_t lines[PROTO_COUNT]; /* 1 << enum obs_line_what */
	bool looks; /* some rule looks at a buffer */
	bool looks_back; /* and asks for history too */
};

/* Fills what is found by. -1: no memory, or a sentence in err. */
int ruleset_index(struct ruleset *r, char *err, size_t errlen)
    __attribute__((warn_unused_result));
void ruleset_index_free(struct ruleset *r);

#endif
