/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Observations in, alerts out: folds them into facts of the flow, asks each
 * detector, lets rules grade the findings, and lets ended flows teach. Sees no
 * packet, no file, no socket.
 */
#ifndef STRIPWIRE_JUDGE_H
#define STRIPWIRE_JUDGE_H

#include "decoders/x509.h"
#include "rules/alert.h"
#include "rules/history.h"
#include "rules/incident.h"
#include "rules/names.h"
#include "rules/resetters.h"
#include "rules/rule.h"

struct judge;
struct facts;
struct talk;
struct tls_policy;

/* An observation that was judged, and what is known of its flow after it. */
struct judge_view {
	const struct obs *o; /* names of users as `names` has them */
	const struct facts *f;
	const struct talk *over; /* a mail transaction that ended; or NULL */
	int64_t incident; /* that its alerts belong to, 0 none */
	uint32_t alerts; /* about it so far */
};

struct judge_config {
	const struct ruleset *rules;
	struct history *history;
	struct alert_sink sink;
	/* what the trust store says of a chain; NULL: not known */
	const struct chain_verdict *(*verdict)(
	    void *ctx, const uint8_t chain_id[32]);
	void *verdict_ctx;
	const struct resetters *resetters; /* outlives the judge, or NULL */
	const struct tls_policy *tls; /* likewise; NULL: the default */
	const struct names *names; /* outlives the judge; NULL: clear */
	struct incidents *incidents; /* outlives the judge; NULL: none */
	/* each observation of a flow, when its alerts have been raised; lives
	 * until it returns. NULL: nobody asks */
	void (*seen)(void *ctx, const struct judge_view *v);
	void *seen_ctx;
	uint32_t max_flows; /* facts kept at a time; 0: default 65536 */
	int64_t
	    rest_after; /* ns until one is packed; 0: default, < 0: at once */
	bool measure; /* what each rule costs */
};

struct judge_counters {
	int64_t first, last; /* times of observations; 0: none */
	uint64_t observations, findings, alerts, unmatched, taught,
	    not_taught_suspect, not_taught_partial, evicted;
	uint64_t folded; /* alerts that are only counted in their incident */
	uint64_t quiet; /* findings for which another alert speaks (A20) */
	uint64_t rst_authorised; /* the operator's own: no finding */
	uint64_t by_finding[FIND_COUNT];
};

struct judge *judge_new(const struct judge_config *cfg);
void judge_free(struct judge *j);
void judge_obs(struct judge *j, const struct obs *o);
/* Other rules from the next observation on; they outlive the judge, or the
 * next ones. What was seen of flows and counted so far stays. */
void judge_use_rules(struct judge *j, const struct ruleset *rules);
/* Is seen() to be called, as it is from the start? And are mail transactions
 * in clear kept for it, as they are not? */
void judge_show(struct judge *j, bool seen, bool talk);
/* For its counters and costs. */
struct engine *judge_engine(const struct judge *j);
/* End of input: what waits for something that will not come is settled. */
void judge_flush(struct judge *j);
/* A finding about the sensor itself (FIND_SENSOR_*), with what happened. */
void judge_sensor(
    struct judge *j, enum finding_id id, int64_t time, const char *sentence);
/* Flows with numbers from first to last will say no more, because what saw
 * them is gone: they end here and now, as cut. */
void judge_cut(struct judge *j, uint64_t first, uint64_t last);
/* Whose flow that is; NULL if it is not (or no more) known. Lives until the
 * next observation. */
const struct obs_flow *judge_who(struct judge *j, uint64_t flow);
const struct judge_counters *judge_counters(const struct judge *j);

struct judge_memory {
	struct table_use flows, pairs, limits;
};
/* Slow: looks at all flows. */
void judge_memory(const struct judge *j, struct judge_memory *out);

#endif
