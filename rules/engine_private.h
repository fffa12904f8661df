/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private to match.c, engine.c and engine_obs.c.
 */
#ifndef STRIPWIRE_ENGINE_PRIVATE_H
#define STRIPWIRE_ENGINE_PRIVATE_H

#include "rules/engine.h"
#include "rules/rule_state.h"
#include "rules/ruleset.h"

/* The hosts as a rule's header names them. */
struct sides {
	const struct obs_flow *f;
	bool swapped; /* the server is the source */
};

struct engine {
	const struct ruleset *set;
	struct rule_states *states;
	struct engine_counters n;
	char *names[RULE_FLOWBITS_MAX]; /* of the bits of a flow; NULL: free */
	uint16_t slot[RULE_FLOWBITS_MAX]; /* of the set's bits */
	uint64_t name_hash[RULE_FLOWBITS_MAX]; /* likewise, for xbits */
	uint64_t stale[RULE_FLOWBITS_MAX / 64]; /* bits to clear in flows */
	/* of the observation at hand */
	unsigned *found; /* references, room for all looks of the set */
	unsigned nfound;
	const struct rule_group *group;
	bool prepared;
	struct engine_cost *cost; /* NULL: nothing is measured */
	uint64_t search_ns[BUF_COUNT];
};

/* ---- match.c: does the rule ask for this? ---- */

bool match_proto(const struct rule *r, enum proto proto);
bool match_finding(const struct rule *r, const struct alert *a);
/* Sets *swapped to how the hosts fit. */
bool match_hosts(const struct rule *r, const struct obs_flow *f,
    bool from_server, bool *swapped);
bool match_visibility(const struct rule *r, uint32_t vis);
bool match_history(const struct rule *r, const struct engine_about *about);
bool match_incident(const struct rule *r, const struct alert *a);
bool match_bits(const struct engine *e, const struct rule *r,
    const struct engine_about *about, const struct sides *s);

/* ---- engine.c ---- */

/* The rule matched: bits, limits, and perhaps an alert. */
void engine_matched(struct engine *e, const struct rule *r,
    const struct engine_about *about, struct alert *a, const struct sides *s);
struct rule_state_key engine_xbit_key(
    const struct engine *e, const struct rule_bit *b, const struct sides *s);
/* ns, 0 where nothing is measured. */
uint64_t engine_clock(const struct engine *e);
void engine_spent(
    struct engine *e, const struct rule *r, uint64_t since, bool matched);

#endif
