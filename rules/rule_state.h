/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What rules remember between alerts: how often (threshold, detection_filter,
 * rate_filter) and of which hosts (xbits). One bounded table; when it is full
 * the entry not used for longest goes, and is counted: that makes a limit
 * forget, so an alert more may come, never one less.
 */
#ifndef STRIPWIRE_RULE_STATE_H
#define STRIPWIRE_RULE_STATE_H

#include "decoders/packet.h"
#include "decoders/table_use.h"
#include "rules/ruleset.h"

#define RULE_STATES_MAX 65536 /* about 100 bytes each */

struct rule_states;

struct rule_state_key {
	uint64_t what; /* a rule and a kind of limit, or a bit's name */
	struct addr a, b; /* hosts, zero where they do not matter */
};

struct rule_states *rule_states_new(uint32_t max); /* 0: the default */
void rule_states_free(struct rule_states *t);
uint32_t rule_states_count(const struct rule_states *t);
uint64_t rule_states_evicted(const struct rule_states *t);
struct table_use rule_states_use(const struct rule_states *t);

/* The key of a rule's limit for these hosts. */
struct rule_state_key rule_state_key(const struct rule *r,
    const struct rule_limit *lim, const struct addr *src,
    const struct addr *dst);

/* One more match at that time (ns): is it to be told? For LIMIT_RATE: does
 * the new action hold? */
bool rule_limit_hit(struct rule_states *t, const struct rule_limit *lim,
    const struct rule_state_key *k, int64_t now);

/* xbits. */
void rule_xbit_set(struct rule_states *t, const struct rule_state_key *k,
    int64_t now, uint32_t seconds);
void rule_xbit_unset(struct rule_states *t, const struct rule_state_key *k);
bool rule_xbit_is_set(
    struct rule_states *t, const struct rule_state_key *k, int64_t now);

#endif
