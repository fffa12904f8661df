/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stages joined in one process (DESIGN section 1). Order of ends matters:
 * a file of the input counts as read only when the flows it left open have had
 * their say, so the end of a file is noted when it comes and booked when the
 * next packet is there, or after the tracker and the judge were flushed.
 */
#include "sensor/pipeline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "db/feed_eve.h"
#include "db/store.h"
#include "decoders/link.h"
#include "decoders/tls_record.h"
#include "sensor/policy.h"
#include "sensor/verifier.h"

#define TICK_PACKETS 4096 /* between looks at the clock */
#define TLS_POOL_BYTES (64u << 20) /* handshakes in progress */

struct shown { /* the chain of the certificate message at hand, a copy */
	uint8_t id[32];
	struct slice der[X509_CHAIN_MAX];
	unsigned n;
	uint8_t bytes[TLS_MESSAGE_MAX];
};

struct pipeline {
	struct pipeline_config cfg;
	struct policy *policy;
	int reloads; /* asked for so far */
	struct interceptors *interceptors;
	struct names names;
	struct history *history;
	struct incidents *incidents;
	struct verifier *verifier;
	struct judge *judge;
	struct store *store;
	struct eve *eve;
	struct ip_ctx *ip;
	struct mail_env env;
	struct tracker *tracker;
	struct capture *capture; /* while reading */
	struct capture_file ended; /* noted, not yet booked */
	bool has_ended;
	bool broken;
	struct shown shown;
	uint64_t said_links; /* bit per link type already complained of */
	struct pipeline_totals n;
};

static void say(const struct pipeline *, enum say, const char *, ...)
    __attribute__((format(printf, 3, 4)));
static void on_rule_error(void *, const struct rule_error *);
static void on_policy(void *, enum policy_say, const char *);
static void on_obs(void *, const struct obs *);
static void on_chain(void *, const uint8_t[32], const struct slice *, unsigned);
static const struct chain_verdict *on_verdict(void *, const uint8_t[32]);
static void on_alert(void *, const struct alert *);
static void on_incident(void *, const struct incident *, enum incident_event);
static int64_t next_incident(void *);
static int open_incidents(struct pipeline *, char *, size_t);
static void on_store_problem(void *, const char *);
static void on_capture_problem(void *, int, const char *);
static void on_file_end(void *, const struct capture_file *);
static void on_wait(void *);
static int load_policy(struct pipeline *, char *, size_t);
static int open_outputs(struct pipeline *, char *, size_t);
static int open_names(struct pipeline *, char *, size_t);
static int open_stages(struct pipeline *, char *, size_t);
static void one_packet(struct pipeline *, struct packet *);
static void book_file(struct pipeline *);
static void on_staple(void *, const uint8_t[32], struct slice, int64_t);
static void on_known(void *, struct slice);
static void keep_chain(struct pipeline *, const struct obs *);
static int close_eve(struct pipeline *);
static void poll_outputs(struct pipeline *);

struct pipeline *
pipeline_new(const struct pipeline_config *cfg, char *err, size_t errlen)
{
	struct pipeline *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	p->cfg = *cfg;
	err[0] = '\0';
	if (load_policy(p, err, errlen) == -1 ||
	    open_outputs(p, err, errlen) == -1 ||
	    open_incidents(p, err, errlen) == -1 ||
	    open_names(p, err, errlen) == -1 ||
	    open_stages(p, err, errlen) == -1)
		goto fail;
	return p;
fail:
	pipeline_free(p);
	return NULL;
}

static int
load_rules(struct pipeline *p, char *err, size_t errlen)
{
	struct policy_config pc = {.rules = p->cfg.rules_path,
	    .thresholds = p->cfg.thresholds_path,
	    .classification = p->cfg.classification_path,
	    .vars = p->cfg.vars,
	    .say = on_policy,
	    .ctx = p};

	if (p->cfg.rules_path == NULL)
		return 0;
	p->policy = policy_open(&pc, err, errlen);
	if (p->policy == NULL)
		return -1;
	p->cfg.rules = policy_rules(p->policy);
	return 0;
}

/* What the operator writes. Mistakes in both files are told in one run. */
static int
load_policy(struct pipeline *p, char *err, size_t errlen)
{
	const char *list = p->cfg.interceptors_path;
	char why[512] = "";
	int sys = 0, rc = load_rules(p, err, errlen);

	if (list == NULL)
		return rc;
	p->interceptors =
	    interceptors_load(list, on_rule_error, p, &sys, why, sizeof(why));
	if (p->interceptors != NULL || rc == -1)
		return rc;
	if (why[0] != '\0')
		snprintf(err, errlen, "%s", why);
	else
		snprintf(err, errlen, "%s: not loaded, nothing was read", list);
	return -1;
}

/* Between two packets: nothing is lost, and what was seen of connections and
 * counted stays. */
static void
reload_rules(struct pipeline *p)
{
	if (p->policy == NULL || !policy_reload(p->policy))
		return;
	p->cfg.rules = policy_rules(p->policy);
	judge_use_rules(p->judge, p->cfg.rules);
	policy_want_lines(p->cfg.rules, &p->env);
	policy_settle(p->policy);
}

static int
open_outputs(struct pipeline *p, char *err, size_t errlen)
{
	struct store_config sc = {.path = p->cfg.db_path,
	    .again = p->cfg.again,
	    .on_problem = on_store_problem,
	    .ctx = p};

	p->history = history_new();
	if (p->history == NULL) {
		snprintf(err, errlen, "out of memory for the history");
		return -1;
	}
	if (p->cfg.db_path != NULL) {
		if (store_open(&p->store, &sc, err, errlen) != STORE_OK)
			return -1;
		if (store_load_history(p->store, p->history) == -1) {
			snprintf(err, errlen, "%s: cannot read the history",
			    p->cfg.db_path);
			return -1;
		}
	}
	if (p->cfg.eve_path != NULL) {
		p->eve = eve_open(p->cfg.eve_path, p->cfg.host, err, errlen);
		if (p->eve == NULL)
			return -1;
	}
	return 0;
}

/* Those that were open when the last run ended go on. */
static int
open_incidents(struct pipeline *p, char *err, size_t errlen)
{
	struct incidents_config ic = {.event = on_incident,
	    .ctx = p,
	    .window = p->cfg.incident_window,
	    .repeat = p->cfg.incident_repeat,
	    .fold_after = p->cfg.incident_fold};

	if (p->store != NULL)
		ic.new_id = next_incident;
	p->incidents = incidents_new(&ic);
	if (p->incidents == NULL) {
		snprintf(err, errlen, "out of memory for incidents");
		return -1;
	}
	if (p->store != NULL &&
	    store_load_incidents(p->store, p->incidents) == -1) {
		snprintf(err, errlen, "%s: cannot read the incidents",
		    p->cfg.db_path);
		return -1;
	}
	return 0;
}

/* Pseudonyms are the same in every run over one database. */
static int
open_names(struct pipeline *p, char *err, size_t errlen)
{
	p->names.mode = (uint8_t)p->cfg.user_names;
	if (p->names.mode != NAMES_HASHED)
		return 0;
	if (getrandom(p->names.key, sizeof(p->names.key), 0) !=
	    (ssize_t)sizeof(p->names.key)) {
		snprintf(err, errlen, "no random numbers from the system");
		return -1;
	}
	if (p->store == NULL)
		return 0;
	return store_key(p->store, "names-key", p->names.key, err, errlen);
}

static int
open_stages(struct pipeline *p, char *err, size_t errlen)
{
	struct judge_config jc = {.rules = p->cfg.rules,
	    .history = p->history,
	    .sink = {on_alert, p},
	    .verdict = on_verdict,
	    .verdict_ctx = p,
	    .resetters = &p->cfg.resetters,
	    .tls = p->cfg.tls,
	    .names = &p->names,
	    .incidents = p->incidents,
	    .max_flows = p->cfg.judged_flows,
	    .measure = p->cfg.measure_rules};

	p->verifier = verifier_new(
	    p->cfg.trust, p->cfg.ntrust, p->cfg.no_system_trust, err, errlen);
	if (p->verifier == NULL)
		return -1;
	verifier_use_interceptors(p->verifier, p->interceptors);
	if (p->store != NULL && store_each_known(p->store, on_known, p) == -1) {
		snprintf(err, errlen, "%s: cannot read the certificates",
		    p->cfg.db_path);
		return -1;
	}
	p->env.sink.emit = on_obs;
	p->env.sink.chain = on_chain;
	p->env.sink.staple = on_staple;
	p->env.sink.ctx = p;
	if (getrandom(p->env.secret_key, sizeof(p->env.secret_key), 0) !=
	    (ssize_t)sizeof(p->env.secret_key)) {
		snprintf(err, errlen, "no random numbers from the system");
		return -1;
	}
	policy_want_lines(p->cfg.rules, &p->env);
	p->env.pool = tls_pool_new(
	    p->cfg.tls_bytes != 0 ? p->cfg.tls_bytes : TLS_POOL_BYTES);
	p->ip = ip_new();
	p->judge = judge_new(&jc);
	if (p->env.pool == NULL || p->ip == NULL || p->judge == NULL) {
		snprintf(err, errlen, "out of memory");
		return -1;
	}
	p->tracker = tracker_new(&p->cfg.tracker, &p->env, p->ip, err, errlen);
	return p->tracker == NULL ? -1 : 0;
}

void
pipeline_free(struct pipeline *p)
{
	if (p == NULL)
		return;
	if (p->tracker != NULL)
		tracker_free(p->tracker);
	if (p->judge != NULL)
		judge_free(p->judge);
	if (p->ip != NULL)
		ip_free(p->ip);
	if (p->env.pool != NULL)
		tls_pool_free(p->env.pool);
	if (p->verifier != NULL)
		verifier_free(p->verifier);
	close_eve(p);
	if (p->store != NULL)
		store_close(p->store);
	incidents_free(p->incidents);
	if (p->history != NULL)
		history_free(p->history);
	interceptors_free(p->interceptors);
	policy_close(p->policy);
	explicit_bzero(p->env.secret_key, sizeof(p->env.secret_key));
	free(p);
}

/* Writes what the feed still holds; -1 if lines were lost, which is said. */
static int
close_eve(struct pipeline *p)
{
	char err[512];
	int status = 0;

	if (p->eve == NULL)
		return 0;
	if (eve_close(p->eve, err, sizeof(err)) == -1) {
		say(p, SAY_LOSS, "%s", err);
		status = -1;
	}
	p->eve = NULL;
	return status;
}

static void
poll_outputs(struct pipeline *p)
{
	const char *problem;

	if (p->store != NULL)
		store_poll(p->store);
	if (p->eve != NULL) {
		eve_poll(p->eve);
		problem = eve_problem(p->eve);
		if (problem != NULL)
			say(p, SAY_LOSS, "%s", problem);
	}
}

int
pipeline_read(struct pipeline *p, const char *const *paths, unsigned n,
    const volatile int *stop)
{
	struct capture_config cc = {.on_problem = on_capture_problem,
	    .on_file_end = on_file_end,
	    .on_wait = on_wait,
	    .ctx = p};
	struct packet pkt;
	char err[512];

	p->capture = capture_open(paths, n, &cc, err, sizeof(err));
	if (p->capture == NULL) {
		say(p, SAY_PROBLEM, "%s", err);
		return 1;
	}
	if (p->store != NULL)
		store_run_begin(p->store,
		    p->cfg.command_line != NULL ? p->cfg.command_line : "",
		    p->cfg.rules_path != NULL ? p->cfg.rules_path : "");
	history_mark(p->history);
	incidents_mark(p->incidents);
	while (
	    (stop == NULL || !*stop) && capture_next(p->capture, &pkt) == 1) {
		if (p->cfg.reload != NULL && *p->cfg.reload != p->reloads) {
			p->reloads = *p->cfg.reload;
			reload_rules(p);
		}
		one_packet(p, &pkt);
	}
	tracker_flush(p->tracker);
	judge_flush(p->judge);
	book_file(p);
	if (p->store != NULL) {
		store_run_end(p->store, p->n.packets, p->n.bytes,
		    tracker_counters(p->tracker)->flows);
		store_flush(p->store);
	}
	if (close_eve(p) == -1)
		p->broken = true;
	capture_close(p->capture);
	p->capture = NULL;
	return p->broken ? 1 : 0;
}

static void
one_packet(struct pipeline *p, struct packet *pkt)
{
	struct pipeline_totals *n = &p->n;

	if (p->has_ended)
		book_file(p);
	n->packets++;
	n->bytes += pkt->caplen;
	if (n->first == 0)
		n->first = pkt->time;
	n->last = pkt->time;
	switch (link_decode(pkt)) {
	case LINK_IP:
		if (ip_decode(p->ip, pkt) == IP_TCP)
			tracker_packet(p->tracker, pkt);
		break;
	case LINK_OTHER:
		n->link_other++;
		break;
	case LINK_TRUNCATED:
		n->link_truncated++;
		break;
	case LINK_UNKNOWN:
		n->link_unknown++;
		if ((p->said_links >> (pkt->linktype & 63) & 1) == 0) {
			p->said_links |= 1ull << (pkt->linktype & 63);
			say(p, SAY_NOTE,
			    "%s: link type %s is not supported, its packets "
			    "are skipped",
			    capture_file_path(p->capture, pkt->file),
			    link_name(pkt->linktype));
		}
		break;
	}
	if (n->packets % TICK_PACKETS == 0) {
		poll_outputs(p);
		if (p->cfg.on_tick != NULL)
			p->cfg.on_tick(p->cfg.ctx, p->capture, n->packets);
	}
}

/* What ended is booked: its alerts and what it taught become permanent. */
static void
book_file(struct pipeline *p)
{
	const struct capture_file *f = &p->ended;
	struct store_capture c = {
	    f->path, f->fingerprint, f->packets, f->first, f->last};
	char earlier[160] = "";

	if (!p->has_ended)
		return;
	p->has_ended = false;
	p->n.captures++;
	if (f->broken)
		p->n.broken_captures++;
	if (p->store == NULL) {
		history_keep(p->history);
		incidents_keep(p->incidents);
	} else if (store_file_end(p->store, &c, p->history, earlier,
		       sizeof(earlier)) == STORE_KNOWN) {
		/* the first is news, of the others the summary has a count */
		say(p, p->n.known_captures++ == 0 ? SAY_NOTE : SAY_DETAIL,
		    "%s was read before (%s): nothing is stored or learned "
		    "twice (--again would)",
		    f->path, earlier);
	}
	history_mark(p->history);
	incidents_mark(p->incidents);
}

static void
on_file_end(void *ctx, const struct capture_file *f)
{
	struct pipeline *p = ctx;

	book_file(p);
	p->ended = *f;
	p->has_ended = true;
	say(p, SAY_DETAIL, "%s: %llu packets", f->path,
	    (unsigned long long)f->packets);
}

static void
on_capture_problem(void *ctx, int severity, const char *sentence)
{
	struct pipeline *p = ctx;

	if (severity > 0)
		p->broken = true;
	say(p, severity > 0 ? SAY_PROBLEM : SAY_NOTE, "%s", sentence);
}

/* Nothing comes for now: nobody should wait for what was found. */
static void
on_wait(void *ctx)
{
	struct pipeline *p = ctx;

	if (p->store != NULL)
		store_flush(p->store);
	if (p->eve != NULL)
		eve_flush(p->eve);
}

static void
on_store_problem(void *ctx, const char *sentence)
{
	say(ctx, SAY_LOSS, "%s", sentence);
}

static void
on_rule_error(void *ctx, const struct rule_error *e)
{
	char buf[700];

	say(ctx, SAY_PROBLEM, "%s", rule_error_format(buf, sizeof(buf), e));
}

static void
on_policy(void *ctx, enum policy_say how, const char *text)
{
	static const enum say as[] = {[POLICY_DETAIL] = SAY_DETAIL,
	    [POLICY_NOTE] = SAY_NOTE,
	    [POLICY_PROBLEM] = SAY_PROBLEM};

	say(ctx, as[how], "%s", text);
}

static void
on_obs(void *ctx, const struct obs *o)
{
	struct pipeline *p = ctx;

	p->n.observed[o->kind]++;
	if (o->kind == OBS_FLOW_END)
		p->n.ends[o->u.end.how]++;
	if (p->cfg.on_obs != NULL)
		p->cfg.on_obs(p->cfg.ctx, o);
	judge_obs(p->judge, o);
	if (o->kind == OBS_TLS_CERT && p->store != NULL)
		keep_chain(p, o);
}

/* Stores a server's chain, with where and when it was seen. */
static void
keep_chain(struct pipeline *p, const struct obs *o)
{
	const struct obs_flow *who = judge_who(p->judge, o->flow);
	struct store_chain c = {
	    verifier_lookup(p->verifier, o->u.cert.chain_id), p->shown.der,
	    p->shown.n};

	if (c.verdict != NULL && who != NULL && o->u.cert.from_server &&
	    memcmp(p->shown.id, o->u.cert.chain_id, 32) == 0)
		store_chain(p->store, &c, who, o->time);
}

/* The observation that says whose it is comes next, without the bytes. */
static void
copy_chain(struct shown *to, const uint8_t chain_id[32],
    const struct slice *der, unsigned n)
{
	size_t used = 0;

	memcpy(to->id, chain_id, 32);
	for (to->n = 0; to->n < n && to->n < X509_CHAIN_MAX; to->n++) {
		struct slice s = der[to->n];

		if (s.len > sizeof(to->bytes) - used)
			break;
		to->der[to->n] = (struct slice){to->bytes + used, s.len};
		if (s.len > 0)
			memcpy(to->bytes + used, s.p, s.len);
		used += s.len;
	}
}

static void
on_chain(
    void *ctx, const uint8_t chain_id[32], const struct slice *der, unsigned n)
{
	struct pipeline *p = ctx;

	(void)verifier_chain(p->verifier, chain_id, der, n);
	if (p->store != NULL)
		copy_chain(&p->shown, chain_id, der, n);
}

static void
on_staple(
    void *ctx, const uint8_t chain_id[32], struct slice response, int64_t time)
{
	struct pipeline *p = ctx;
	const struct chain_verdict *v;

	(void)verifier_staple(
	    p->verifier, chain_id, response, time / INT64_C(1000000000));
	v = verifier_lookup(p->verifier, chain_id);
	if (v != NULL && p->store != NULL)
		store_staple(p->store, v->leaf.sha256, v->staple);
}

static void
on_known(void *ctx, struct slice der)
{
	struct pipeline *p = ctx;

	verifier_know(p->verifier, der);
}

static const struct chain_verdict *
on_verdict(void *ctx, const uint8_t chain_id[32])
{
	struct pipeline *p = ctx;

	return verifier_lookup(p->verifier, chain_id);
}

static void
on_alert(void *ctx, const struct alert *a)
{
	struct pipeline *p = ctx;
	const char *file = NULL;
	int64_t id = 0;

	if (p->capture != NULL)
		file = capture_file_path(p->capture, a->finding.pkt.file);
	p->n.alerts[a->severity]++;
	if (p->store != NULL)
		id = store_alert(p->store, a, file);
	if (p->eve != NULL)
		eve_alert(p->eve, a, file);
	if (p->cfg.on_alert != NULL)
		p->cfg.on_alert(p->cfg.ctx, a, id);
}

static int64_t
next_incident(void *ctx)
{
	struct pipeline *p = ctx;

	return store_incident_id(p->store);
}

static void
on_incident(void *ctx, const struct incident *i, enum incident_event e)
{
	struct pipeline *p = ctx;

	if (p->eve != NULL)
		eve_incident(p->eve, i, e);
	if (p->cfg.on_incident != NULL)
		p->cfg.on_incident(p->cfg.ctx, i, e);
}

struct engine *
pipeline_engine(const struct pipeline *p)
{
	return judge_engine(p->judge);
}

const struct ruleset *
pipeline_rules(const struct pipeline *p)
{
	return p->cfg.rules;
}

void
pipeline_totals(const struct pipeline *p, struct pipeline_totals *out)
{
	*out = p->n;
	out->ip = *ip_counters(p->ip);
	out->tracker = *tracker_counters(p->tracker);
	out->norm = *tracker_norm_counters(p->tracker);
	out->evidence = *tracker_evidence_counters(p->tracker);
	out->judge = *judge_counters(p->judge);
	out->incidents = *incidents_counters(p->incidents);
	out->mail = p->env.n;
	if (p->store != NULL)
		out->lost = store_counters(p->store)->lost;
}

static void
say(const struct pipeline *p, enum say what, const char *fmt, ...)
{
	char buf[1200];
	va_list ap;

	if (p->cfg.on_say == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	p->cfg.on_say(p->cfg.ctx, what, buf);
}
