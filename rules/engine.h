/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules at work: which of them select a finding or match what was said, and
 * which of those become alerts. A set of rules is never changed; what moves
 * (bits, counts, what a rule has seen of a connection) is here, and outlives
 * the set: another one can take its place between two observations.
 *
 * The order for a rule that matches: its detection_filter; then its bits are
 * set; then noalert, suppress, rate_filter and threshold may keep it quiet.
 */
#ifndef STRIPWIRE_ENGINE_H
#define STRIPWIRE_ENGINE_H

#include "decoders/table_use.h"
#include "rules/history.h"
#include "rules/rule.h"

#define ENGINE_PARTS_MAX 32 /* rules of several buffers, begun on a flow */

struct engine;

/* A rule that looks at several buffers: those that held last. */
struct engine_part {
	uint64_t key; /* of the rule */
	uint8_t held; /* 1 << number of the buffer */
};

/* Of each flow; all zero at its start. */
struct engine_flow {
	uint64_t *bits; /* [RULE_FLOWBITS_MAX / 64]; NULL: none is set */
	struct engine_part *parts;
	uint8_t nparts, cap;
	uint8_t passed; /* a rule let it pass: no more is said of it */
};

void engine_flow_fini(struct engine_flow *f);

/* What surrounds a finding or an observation. */
struct engine_about {
	struct engine_flow *flow;
	const struct server_facts *server; /* NULL: not known */
	const struct pair_facts *pair;
	int64_t now;
	struct alert *alert; /* of an observation: room for one */
	/* Of an observation: fills in the alert, whose finding is there, all
	 * but what is the rule's. */
	void (*prepare)(void *ctx, struct alert *a);
	void (*emit)(void *ctx, const struct alert *a);
	void *ctx;
};

struct engine_counters {
	uint64_t matched; /* rules, findings and observations together */
	uint64_t alerts, passed;
	uint64_t suppressed, limited, filtered; /* suppress; threshold;
						   detection_filter */
	uint64_t rated; /* another action by rate_filter */
	uint64_t regraded; /* another severity in that network */
	uint64_t searches; /* of buffers */
	uint64_t states, states_evicted; /* of limits and xbits */
	uint64_t parts_full; /* a rule of several buffers was left out */
	uint64_t content_steps, pcre_limits; /* a search was given up */
	uint64_t reloads;
};

/* What a rule cost; only where the engine was asked to measure. */
struct engine_cost {
	uint64_t checks, matches, alerts;
	uint64_t ns, max_ns, match_ns; /* match_ns: of those that matched */
};

struct engine *engine_new(const struct ruleset *rules, bool measure);
void engine_free(struct engine *e);

/* Other rules from now on. each_flow calls back with every flow there is, for
 * what must be forgotten. */
void engine_use(struct engine *e, const struct ruleset *rules,
    void (*each_flow)(void *ctx,
	void (*fn)(struct engine *, struct engine_flow *), struct engine *e),
    void *ctx);

/* A finding, which the caller has put into the alert with flow, proto and all
 * that is known. Returns how many rules selected it, alerts or not. */
unsigned engine_finding(
    struct engine *e, const struct engine_about *about, struct alert *a);

/* Does some rule look at observations of this kind? Cheap. */
bool engine_wants(const struct engine *e, const struct obs *o);
/* And must the history be known for that? */
bool engine_wants_history(const struct engine *e);
/* An observation. shown: the same without what must not be told. who: its
 * hosts. v: as buffers_of() has it. */
struct chain_verdict;
struct engine_seen {
	const struct obs *o, *shown;
	const struct obs_flow *who;
	const struct chain_verdict *verdict;
};
void engine_obs(struct engine *e, const struct engine_about *about,
    const struct engine_seen *seen);

const struct engine_counters *engine_counters(struct engine *e);
/* Of limits and xbits. */
struct table_use engine_states_use(const struct engine *e);
/* By the number of the rule; NULL if nothing was measured. */
const struct engine_cost *engine_costs(const struct engine *e);
/* ns of all searches in a buffer, by enum rule_buffer; likewise. */
const uint64_t *engine_search_ns(const struct engine *e);

#endif
