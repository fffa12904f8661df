/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole path in one process: capture, tracker, judge, store and EVE feed
 * joined end to end. This is what `stripwire read` runs, and tests and fuzzers
 * with it. What is worth telling a person goes through on_say; nothing here
 * prints.
 */
#ifndef STRIPWIRE_PIPELINE_H
#define STRIPWIRE_PIPELINE_H

#include "decoders/ip.h"
#include "rules/judge.h"
#include "sensor/capture.h"
#include "sensor/tracker.h"

struct pipeline;
struct tls_policy;

enum say {
	SAY_DETAIL, /* shown with -v */
	SAY_NOTE, /* shown unless -q */
	SAY_PROBLEM, /* always shown; the input could not be read whole */
	SAY_LOSS /* always shown; something could not be stored */
};

struct pipeline_config {
	const char *rules_path; /* NULL: rules must be set */
	/* a threshold.config, a classification.config; NULL: none */
	const char *thresholds_path, *classification_path;
	const struct rule_vars *vars; /* for rules_path; NULL: none set */
	/* each time another value stands there, the rules are read again;
	 * NULL: never */
	const volatile int *reload;
	bool measure_rules; /* what each costs */
	const struct ruleset *rules; /* used if rules_path is NULL */
	const char *interceptors_path; /* NULL: no such product is known */
	const char *db_path; /* NULL: store nothing */
	const char *eve_path; /* "-" standard output; NULL: none */
	const char *host; /* EVE's `host`; NULL: left out */
	const char *const *trust; /* PEM files */
	unsigned ntrust;
	bool no_system_trust;
	bool again; /* store what is known already */
	const char *command_line; /* kept with the run */
	struct tracker_config tracker;
	struct resetters resetters; /* whose resets are no finding */
	const struct tls_policy *tls; /* outlives it; NULL: the default */
	enum names_mode user_names;
	uint32_t judged_flows; /* 0: the judge's default */
	int64_t incident_window, incident_repeat; /* ns; 0: incident.h's */
	uint32_t incident_fold; /* likewise */
	uint64_t tls_bytes; /* of handshakes in progress; 0: 64 MiB */
	/* one sentence; mistakes in rules or list come as several lines */
	void (*on_say)(void *ctx, enum say what, const char *text);
	/* an alert was raised; id is its number in the store or 0 */
	void (*on_alert)(void *ctx, const struct alert *a, int64_t id);
	/* an incident opened, grew in severity or ended; may be NULL */
	void (*on_incident)(
	    void *ctx, const struct incident *i, enum incident_event e);
	/* each observation, before it is judged (tests, -v); may be NULL */
	void (*on_obs)(void *ctx, const struct obs *o);
	/* about every 4096 packets; may be NULL */
	void (*on_tick)(void *ctx, const struct capture *c, uint64_t packets);
	void *ctx;
};

struct pipeline_totals {
	uint64_t captures, known_captures, broken_captures;
	uint64_t packets, bytes; /* frame bytes held */
	uint64_t link_other, link_unknown, link_truncated;
	int64_t first, last; /* packet times */
	uint64_t alerts[SEV_CRITICAL + 1];
	uint64_t lost; /* alerts that could not be stored */
	struct ip_counters ip;
	struct tracker_counters tracker;
	struct norm_counters norm;
	struct evidence_counters evidence;
	struct judge_counters judge;
	struct incidents_counters incidents;
	struct mail_counters mail;
	uint64_t observed[OBS_KIND_COUNT];
	uint64_t ends[END_REUSED + 1]; /* connections, by enum end_how */
};

/* Opens rules, trust, store, feed. NULL: a sentence is in err (exit 2). */
struct pipeline *pipeline_new(
    const struct pipeline_config *cfg, char *err, size_t errlen);
void pipeline_free(struct pipeline *p);

/* Reads the input to its end. Returns 0; 1 if some of it could not be read
 * whole or nothing was there (told through on_say). *stop set to non-zero by
 * a signal handler ends the reading early and cleanly. */
int pipeline_read(struct pipeline *p, const char *const *paths, unsigned n,
    const volatile int *stop);

struct engine;
struct engine *pipeline_engine(const struct pipeline *p);
const struct ruleset *pipeline_rules(const struct pipeline *p); /* in force */

void pipeline_totals(const struct pipeline *p, struct pipeline_totals *out);

#endif
