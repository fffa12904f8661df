/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The half that judges: observations in, alerts into the store and the feed.
 * It sees no packet. With one worker it runs in the process that reads, else in
 * the judge's own. What is worth telling a person goes through on_say.
 */
#ifndef STRIPWIRE_BACKEND_H
#define STRIPWIRE_BACKEND_H

#include "rules/judge.h"
#include "sensor/capture.h"
#include "sensor/memory.h"
#include "sensor/tracker.h"
#include "sensor/verify.h"

struct backend;
struct event;
struct frontend_totals;
struct live_counters;
struct store_feed;
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
	const struct rule_reader *reader; /* of these; NULL: the disk */
	/* each time another value stands there, the rules are read again
	 * (with one worker); NULL: never */
	const volatile int *reload;
	bool measure_rules; /* what each costs */
	/* PROTO_COUNT bytes, see mail_env.lines: written by the half that has
	 * the rules, read by the other; NULL: no lines are looked at */
	uint8_t *lines;
	const struct rule_vars *vars; /* for rules_path; NULL: none set */
	const struct ruleset *rules; /* used if rules_path is NULL */
	const char *interceptors_path; /* NULL: no such product is known */
	const char *db_path; /* NULL: store nothing */
	const char *eve_path; /* "-" standard output; NULL: none */
	bool eve_append; /* to what is there; else it is written anew */
	unsigned eve_types; /* further events in it, EVENT_BIT() of event.h */
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
	int64_t judged_rest; /* judge_config.rest_after */
	uint32_t servers, pairs; /* of history; 0: its defaults */
	int64_t incident_window, incident_repeat; /* ns; 0: incident.h's */
	uint32_t incident_fold; /* likewise */
	unsigned keep_days; /* retention, see store_retain(); live only */
	uint64_t keep_bytes;
	/* what feeds send is stored for them; see store_use_feeds() */
	const struct store_feed *feeds;
	unsigned nfeeds;
	unsigned keep_event_days; /* see store_retire_events() */
	uint64_t max_events;
	/* events that go past the database, of these types (1 << enum
	 * event_type), as they happen; never waits. on_event may be NULL */
	unsigned stream;
	void (*on_event)(void *ctx, const struct event *e, const char *id);
	uint64_t tls_bytes; /* of handshakes in progress; 0: 64 MiB */
	unsigned workers; /* processes that look at packets; 0, 1: this one */
	/* with more of them: what pipeline_read() will be given, as they are
	 * started before */
	const char *const *inputs;
	unsigned ninputs;
	/* one sentence; mistakes in rules or list come as several lines */
	void (*on_say)(void *ctx, enum say what, const char *text);
	/* now and then while the database is at work for long; may be NULL */
	void (*on_busy)(void *ctx);
	/* an alert was raised; id is its number in the store or 0 */
	void (*on_alert)(void *ctx, const struct alert *a, int64_t id);
	const char *const *interfaces; /* live: names of vantage points */
	unsigned ninterfaces;
	/* each observation, before it is judged (tests, -v); may be NULL */
	void (*on_obs)(void *ctx, const struct obs *o);
	/* about every 4096 packets; may be NULL */
	void (*on_tick)(
	    void *ctx, uint64_t done, uint64_t total, uint64_t packets);
	void *ctx;
};

struct backend_totals {
	uint64_t captures, known_captures, broken_captures;
	uint64_t alerts[SEV_CRITICAL + 1];
	uint64_t lost; /* alerts that could not be stored */
	uint64_t known; /* that stood in the database already */
	uint64_t retired; /* alerts that were kept long enough */
	struct judge_counters judge;
	struct incidents_counters incidents;
};

/* Opens rules, store, feed; trust too, unless a verifier is given (fd of its
 * socket, owned; -1: none). cfg is copied; what it points to outlives it.
 * NULL: a sentence is in err (exit 2). */
struct backend *backend_new(
    const struct pipeline_config *cfg, int verifier, char *err, size_t errlen);
void backend_free(struct backend *b);

/* The run begins and ends; totals as the store keeps them. */
void backend_begin(struct backend *b);
/* 1: something was broken or is not stored. */
int backend_end(
    struct backend *b, uint64_t packets, uint64_t bytes, uint64_t flows);

void backend_obs(struct backend *b, const struct obs *o);
void backend_chain(struct backend *b, const uint8_t chain_id[32],
    const struct slice *der, unsigned n);
void backend_staple(struct backend *b, const uint8_t chain_id[32],
    struct slice response, int64_t time);
/* Which events on_event() is to have from now on. */
void backend_want_events(struct backend *b, unsigned stream);
/* The sensor's counters as an event, for whoever asked for it. live: of all
 * captures together; NULL: there are none. */
void backend_stats(struct backend *b, const struct frontend_totals *t,
    const struct live_counters *live);
/* No more observations: what waits is settled. */
void backend_flush(struct backend *b);
/* Flows of this number range will say no more: their worker is gone. */
void backend_cut(struct backend *b, uint64_t first, uint64_t last);
/* A file of the input has ended, and what was seen of it was judged. */
void backend_file_end(struct backend *b, const struct capture_file *f);
/* Keeps the input readable (severity > 0: it was not) in the exit status. */
void backend_problem(struct backend *b, int severity, const char *sentence);
/* By the clock, at least once a second: batches are written. */
void backend_poll(struct backend *b);
/* Nothing comes for now: what was found is written. */
void backend_wait(struct backend *b);
/* Live: incidents as they stand are written; every second or so. */
void backend_keep_incidents(struct backend *b);
/* Live: what was kept long enough goes, in small steps; every second or so,
 * and soon again if it returns true. */
bool backend_retain(struct backend *b);
/* What live operation learned becomes permanent, and is not to be taken back
 * any more. some: the part that is due, so that all that waited a minute is
 * saved within the next, but no second is filled with it; every second. */
void backend_keep(struct backend *b);
void backend_keep_some(struct backend *b);
/* The store works again and had lost alerts: says so in text, once. */
bool backend_take_loss(struct backend *b, char *text, size_t len);
/* Path of a file of the input, for alerts; NULL: none. */
void backend_set_paths(struct backend *b,
    const char *(*path)(void *ctx, uint32_t file), void *ctx);

/* Rules and what goes with them read anew, from where cfg (NULL: the one of the
 * start) has them. With any mistake in them, which is said, the old ones stay
 * in force: -1. */
int backend_reload(struct backend *b, const struct pipeline_config *cfg);
const struct ruleset *backend_rules(const struct backend *b); /* in force */

/* What else may change while it works, see config_is_live(), as in cfg from
 * now on. */
void backend_reconfigure(struct backend *b, const struct pipeline_config *cfg);
/* The feed is opened anew under its name: it may have been moved away. */
void backend_reopen(struct backend *b);

struct verify *backend_verify(struct backend *b);
struct judge *backend_judge(struct backend *b);
void backend_totals(const struct backend *b, struct backend_totals *out);
/* Slow: look at all servers, and at all flows. */
void backend_knowledge(const struct backend *b, struct history_knowledge *out);
/* Of history, incidents and the store. */
void backend_memory(
    const struct backend *b, struct table_use memory[MEM_COUNT]);
void backend_say(const struct backend *b, enum say what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
