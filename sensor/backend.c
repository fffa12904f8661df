/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Judge, history, verdicts, store and feed joined.
 */
#include "sensor/backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "db/feed_eve.h"
#include "db/store.h"
#include "rules/talk.h"
#include "sensor/policy.h"
#include "sensor/shown.h"
#include "sensor/teller.h"

#define NS INT64_C(1000000000)
#define RETAIN_GRACE (60 * NS)
#define KEEP_EVERY (60 * NS)
#define KEEP_AT_ONCE 2000 /* servers, and pairs: 20 ms or so */

struct backend {
	struct pipeline_config cfg;
	struct policy *policy; /* NULL: no files were named */
	struct interceptors *interceptors;
	struct names names;
	struct history *history;
	struct incidents *incidents;
	struct verifier *verifier; /* NULL: in a process of its own */
	struct verify *verify;
	struct judge *judge;
	struct store *store;
	struct eve *eve;
	const char *(*path)(void *ctx, uint32_t file);
	void *path_ctx;
	bool broken;
	int64_t begun, begun_wall; /* ns, monotonic and wall clock */
	uint64_t unstored; /* alerts that nobody was told of yet, see */
	char unstored_text[600]; /* backend_take_loss() */
	int64_t kept; /* ns: when a round of saving what was learned began */
	uint64_t to_keep; /* of it */
	struct shown shown;
	struct backend_totals n;
	struct teller teller;
};

static void on_rule_error(void *, const struct rule_error *);
static void on_policy(void *, enum policy_say, const char *);
static const struct chain_verdict *on_verdict(void *, const uint8_t[32]);
static void on_alert(void *, const struct alert *);
static void on_incident(void *, const struct incident *, enum incident_event);
static int64_t next_incident(void *);
static int open_incidents(struct backend *, char *, size_t);
static void on_store_problem(void *, const char *);
static void on_store_resumed(void *, uint64_t, const char *);
static void on_store_busy(void *);
static int load_policy(struct backend *, char *, size_t);
static int open_outputs(struct backend *, char *, size_t);
static int open_names(struct backend *, char *, size_t);
static int open_verify(struct backend *, int, char *, size_t);
static int open_judge(struct backend *, char *, size_t);
static void on_known(void *, struct slice);
static void keep_chain(struct backend *, const struct obs *);
static int close_eve(struct backend *);

struct backend *
backend_new(
    const struct pipeline_config *cfg, int verifier, char *err, size_t errlen)
{
	struct backend *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	b->cfg = *cfg;
	teller_start(&b->teller);
	b->teller.cfg = &b->cfg;
	b->teller.eve = &b->eve;
	b->teller.verify = &b->verify;
	err[0] = '\0';
	if (load_policy(b, err, errlen) == -1 ||
	    open_outputs(b, err, errlen) == -1 ||
	    open_incidents(b, err, errlen) == -1 ||
	    open_names(b, err, errlen) == -1 ||
	    open_verify(b, verifier, err, errlen) == -1 ||
	    open_judge(b, err, errlen) == -1) {
		backend_free(b);
		return NULL;
	}
	return b;
}

/* Which lines the decoders are to tell. */
static void
want_lines(struct backend *b)
{
	unsigned types = b->cfg.eve_types | b->cfg.stream;

	if (b->cfg.lines == NULL)
		return;
	policy_want_lines(b->cfg.rules, b->cfg.lines);
	if ((types & EVENT_BIT(EVENT_SMTP)) != 0)
		b->cfg.lines[PROTO_SMTP] |= TALK_LINES;
}

void
backend_want_events(struct backend *b, unsigned stream)
{
	unsigned types = b->cfg.eve_types | stream;

	b->cfg.stream = stream;
	judge_show(b->judge, types != 0, (types & EVENT_BIT(EVENT_SMTP)) != 0);
	want_lines(b);
}

static struct policy_files
files_of(const struct pipeline_config *cfg)
{
	return (struct policy_files){.rules = cfg->rules_path,
	    .thresholds = cfg->thresholds_path,
	    .classification = cfg->classification_path,
	    .vars = cfg->vars,
	    .reader = cfg->reader};
}

static int
load_rules(struct backend *b, char *err, size_t errlen)
{
	struct policy_config pc = {
	    .files = files_of(&b->cfg), .say = on_policy, .ctx = b};

	if (b->cfg.rules_path != NULL) {
		b->policy = policy_open(&pc, err, errlen);
		if (b->policy == NULL)
			return -1;
		b->cfg.rules = policy_rules(b->policy);
	}
	want_lines(b);
	return 0;
}

/* What the operator writes. Mistakes in both files are told in one run. */
static int
load_policy(struct backend *b, char *err, size_t errlen)
{
	const char *list = b->cfg.interceptors_path;
	const struct rule_sources src = {.path = list,
	    .reader = b->cfg.reader,
	    .on_error = on_rule_error,
	    .ctx = b};
	char why[512] = "";
	int sys = 0, rc = load_rules(b, err, errlen);

	if (list == NULL)
		return rc;
	b->interceptors = interceptors_load(&src, &sys, why, sizeof(why));
	if (b->interceptors != NULL || rc == -1)
		return rc;
	if (why[0] != '\0')
		snprintf(err, errlen, "%s", why);
	else
		snprintf(err, errlen, "%s: not loaded, nothing was read", list);
	return -1;
}

static int
open_outputs(struct backend *b, char *err, size_t errlen)
{
	struct store_config sc = {.path = b->cfg.db_path,
	    .sensor = b->cfg.host,
	    .feeds = b->cfg.feeds,
	    .nfeeds = b->cfg.nfeeds,
	    .again = b->cfg.again,
	    .on_problem = on_store_problem,
	    .on_resumed = on_store_resumed,
	    .on_busy = on_store_busy,
	    .ctx = b};

	b->history = history_new();
	if (b->history == NULL) {
		snprintf(err, errlen, "out of memory for the history");
		return -1;
	}
	history_limit(b->history, b->cfg.servers, b->cfg.pairs);
	if (b->cfg.db_path != NULL) {
		if (store_open(&b->store, &sc, err, errlen) != STORE_OK)
			return -1;
		if (store_load_history(b->store, b->history) == -1) {
			snprintf(err, errlen, "%s: cannot read the history",
			    b->cfg.db_path);
			return -1;
		}
	}
	if (b->cfg.eve_path != NULL) {
		b->eve = (b->cfg.eve_append ? eve_open_append : eve_open)(
		    b->cfg.eve_path, b->cfg.host, err, errlen);
		if (b->eve == NULL)
			return -1;
	}
	return 0;
}

/* Those that were open when the last run ended go on. */
static int
open_incidents(struct backend *b, char *err, size_t errlen)
{
	struct incidents_config ic = {.event = on_incident,
	    .ctx = b,
	    .window = b->cfg.incident_window,
	    .repeat = b->cfg.incident_repeat,
	    .fold_after = b->cfg.incident_fold};

	if (b->store != NULL)
		ic.new_id = next_incident;
	b->incidents = incidents_new(&ic);
	if (b->incidents == NULL) {
		snprintf(err, errlen, "out of memory for incidents");
		return -1;
	}
	if (b->store != NULL &&
	    store_load_incidents(b->store, b->incidents) == -1) {
		snprintf(err, errlen, "%s: cannot read the incidents",
		    b->cfg.db_path);
		return -1;
	}
	return 0;
}

/* Pseudonyms are the same in every run over one database. */
static int
open_names(struct backend *b, char *err, size_t errlen)
{
	b->names.mode = (uint8_t)b->cfg.user_names;
	if (b->names.mode != NAMES_HASHED)
		return 0;
	if (getrandom(b->names.key, sizeof(b->names.key), 0) !=
	    (ssize_t)sizeof(b->names.key)) {
		snprintf(err, errlen, "no random numbers from the system");
		return -1;
	}
	if (b->store == NULL)
		return 0;
	return store_key(b->store, "names-key", b->names.key, err, errlen);
}

static int
open_verify(struct backend *b, int fd, char *err, size_t errlen)
{
	if (fd == -1) {
		b->verifier = verifier_new(b->cfg.trust, b->cfg.ntrust,
		    b->cfg.no_system_trust, err, errlen);
		if (b->verifier == NULL)
			return -1;
		verifier_use_interceptors(b->verifier, b->interceptors);
	}
	b->verify = fd == -1 ? verify_inline(b->verifier) : verify_remote(fd);
	if (b->verify == NULL) {
		snprintf(err, errlen, "out of memory");
		return -1;
	}
	if (b->store != NULL && store_each_known(b->store, on_known, b) == -1) {
		snprintf(err, errlen, "%s: cannot read the certificates",
		    b->cfg.db_path);
		return -1;
	}
	return 0;
}

static int
open_judge(struct backend *b, char *err, size_t errlen)
{
	struct judge_config jc = {.rules = b->cfg.rules,
	    .history = b->history,
	    .sink = {on_alert, b},
	    .verdict = on_verdict,
	    .verdict_ctx = b,
	    .resetters = &b->cfg.resetters,
	    .tls = b->cfg.tls,
	    .names = &b->names,
	    .incidents = b->incidents,
	    .seen = teller_seen,
	    .seen_ctx = &b->teller,
	    .max_flows = b->cfg.judged_flows,
	    .rest_after = b->cfg.judged_rest,
	    .measure = b->cfg.measure_rules};

	b->judge = judge_new(&jc);
	if (b->judge == NULL) {
		snprintf(err, errlen, "out of memory");
		return -1;
	}
	backend_want_events(b, b->cfg.stream);
	return 0;
}

void
backend_free(struct backend *b)
{
	if (b == NULL)
		return;
	if (b->judge != NULL)
		judge_free(b->judge);
	verify_free(b->verify);
	if (b->verifier != NULL)
		verifier_free(b->verifier);
	(void)close_eve(b);
	if (b->store != NULL)
		store_close(b->store);
	incidents_free(b->incidents);
	if (b->history != NULL)
		history_free(b->history);
	interceptors_free(b->interceptors);
	policy_close(b->policy);
	free(b);
}

/* Writes what the feed still holds; -1 if lines were lost, which is said. */
static int
close_eve(struct backend *b)
{
	char err[512];
	int status = 0;

	if (b->eve == NULL)
		return 0;
	if (eve_close(b->eve, err, sizeof(err)) == -1) {
		backend_say(b, SAY_LOSS, "%s", err);
		status = -1;
	}
	b->eve = NULL;
	return status;
}

void
backend_poll(struct backend *b)
{
	const char *problem;

	if (b->store != NULL)
		store_poll(b->store);
	if (b->eve != NULL) {
		eve_poll(b->eve);
		problem = eve_problem(b->eve);
		if (problem != NULL)
			backend_say(b, SAY_LOSS, "%s", problem);
	}
}

static int64_t
clock_ns(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

/* A clock that steps forward must not make all alerts old: what passed since
 * the start is measured. Nor one that is wrong at the start, until the system
 * has set it: for a minute nothing is old. */
bool
backend_retain(struct backend *b)
{
	struct store_retention r = {b->cfg.keep_days, b->cfg.keep_bytes,
	    b->cfg.keep_event_days, b->cfg.max_events};
	int64_t passed = clock_ns(CLOCK_MONOTONIC) - b->begun;
	int64_t now = clock_ns(CLOCK_REALTIME);

	if (b->store == NULL)
		return false;
	bool more;

	if (passed < RETAIN_GRACE)
		now = 0;
	else if (now > b->begun_wall + passed)
		now = b->begun_wall + passed;
	more = store_retain(b->store, &r, now) == 1;
	return store_retire_events(b->store, &r, now) == 1 || more;
}

void
backend_begin(struct backend *b)
{
	b->begun = clock_ns(CLOCK_MONOTONIC);
	b->begun_wall = clock_ns(CLOCK_REALTIME);
	if (b->store != NULL)
		store_run_begin(b->store,
		    b->cfg.command_line != NULL ? b->cfg.command_line : "",
		    b->cfg.rules_path != NULL ? b->cfg.rules_path : "");
	history_mark(b->history);
	incidents_mark(b->incidents);
}

int
backend_end(struct backend *b, uint64_t packets, uint64_t bytes, uint64_t flows)
{
	if (b->store != NULL) {
		store_run_end(b->store, packets, bytes, flows);
		store_flush(b->store);
	}
	if (close_eve(b) == -1)
		b->broken = true;
	return b->broken ? 1 : 0;
}

void
backend_flush(struct backend *b)
{
	judge_flush(b->judge);
}

void
backend_cut(struct backend *b, uint64_t first, uint64_t last)
{
	judge_cut(b->judge, first, last);
}

/* What ended is booked: its alerts and what it taught become permanent. */
void
backend_file_end(struct backend *b, const struct capture_file *f)
{
	struct store_capture c = {
	    f->path, f->fingerprint, f->packets, f->first, f->last};
	char earlier[160] = "";

	b->n.captures++;
	if (f->broken)
		b->n.broken_captures++;
	if (b->store == NULL) {
		history_keep(b->history);
		incidents_keep(b->incidents);
	} else if (store_file_end(b->store, &c, b->history, earlier,
		       sizeof(earlier)) == STORE_KNOWN) {
		/* the first is news, of the others the summary has a count */
		backend_say(b,
		    b->n.known_captures++ == 0 ? SAY_NOTE : SAY_DETAIL,
		    "%s was read before (%s): nothing is stored or learned "
		    "twice (--again would)",
		    f->path, earlier);
	}
	history_mark(b->history);
	incidents_mark(b->incidents);
}

void
backend_wait(struct backend *b)
{
	if (b->store != NULL)
		store_flush(b->store);
	if (b->eve != NULL)
		eve_flush(b->eve);
}

void
backend_keep_incidents(struct backend *b)
{
	if (b->store == NULL || store_save_incidents(b->store) == -1)
		incidents_keep(b->incidents); /* said; still in memory */
}

void
backend_keep(struct backend *b)
{
	if (b->store != NULL) /* what failed is said, and is still in memory */
		(void)!store_keep_history(b->store, b->history, UINT64_MAX);
	history_keep(b->history);
}

void
backend_keep_some(struct backend *b)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);
	uint64_t n;

	if (now - b->kept > KEEP_EVERY) {
		b->to_keep = history_dirty(b->history);
		b->kept = now;
	}
	n = b->to_keep < KEEP_AT_ONCE ? b->to_keep : KEEP_AT_ONCE;
	b->to_keep -= n;
	if (n > 0 && b->store != NULL)
		(void)!store_keep_history(b->store, b->history, n);
}

void
backend_problem(struct backend *b, int severity, const char *sentence)
{
	if (severity > 0)
		b->broken = true;
	backend_say(b, severity > 0 ? SAY_PROBLEM : SAY_NOTE, "%s", sentence);
}

static void
on_store_problem(void *ctx, const char *sentence)
{
	backend_say(ctx, SAY_LOSS, "%s", sentence);
}

/* Called in the midst of a judgement: an alert of it has to wait. */
static void
on_store_resumed(void *ctx, uint64_t lost, const char *sentence)
{
	struct backend *b = ctx;

	backend_say(b, lost > 0 ? SAY_LOSS : SAY_NOTE, "%s", sentence);
	b->unstored += lost;
	(void)snprintf(
	    b->unstored_text, sizeof(b->unstored_text), "%s", sentence);
}

static void
on_store_busy(void *ctx)
{
	const struct backend *b = ctx;

	if (b->cfg.on_busy != NULL)
		b->cfg.on_busy(b->cfg.ctx);
}

bool
backend_take_loss(struct backend *b, char *text, size_t len)
{
	if (b->unstored == 0)
		return false;
	b->unstored = 0;
	(void)snprintf(text, len, "%s", b->unstored_text);
	return true;
}

static void
on_policy(void *ctx, enum policy_say how, const char *text)
{
	static const enum say as[] = {[POLICY_DETAIL] = SAY_DETAIL,
	    [POLICY_NOTE] = SAY_NOTE,
	    [POLICY_PROBLEM] = SAY_PROBLEM};

	backend_say(ctx, as[how], "%s", text);
}

static void
on_rule_error(void *ctx, const struct rule_error *e)
{
	char buf[700];

	backend_say(
	    ctx, SAY_PROBLEM, "%s", rule_error_format(buf, sizeof(buf), e));
}

void
backend_obs(struct backend *b, const struct obs *o)
{
	if (b->cfg.on_obs != NULL)
		b->cfg.on_obs(b->cfg.ctx, o);
	judge_obs(b->judge, o);
	if (o->kind == OBS_TLS_CERT && b->store != NULL)
		keep_chain(b, o);
}

/* Stores a chain that was shown, with where and when it was seen. */
static __attribute__((noinline)) void
keep_chain(struct backend *b, const struct obs *o)
{
	const struct obs_flow *who = judge_who(b->judge, o->flow);
	struct store_chain c = {verify_lookup(b->verify, o->u.cert.chain_id),
	    b->shown.der, b->shown.n, o->u.cert.scts, !o->u.cert.from_server};

	if (c.verdict != NULL && who != NULL &&
	    memcmp(b->shown.id, o->u.cert.chain_id, 32) == 0)
		store_chain(b->store, &c, who, o->time);
}

void
backend_chain(struct backend *b, const uint8_t chain_id[32],
    const struct slice *der, unsigned n)
{
	verify_chain(b->verify, chain_id, der, n);
	if (b->store != NULL)
		shown_copy(&b->shown, chain_id, der, n);
}

void
backend_staple(struct backend *b, const uint8_t chain_id[32],
    struct slice response, int64_t time)
{
	const struct chain_verdict *v;

	verify_staple(
	    b->verify, chain_id, response, time / INT64_C(1000000000));
	v = verify_lookup(b->verify, chain_id);
	if (v != NULL && b->store != NULL)
		store_staple(b->store, v);
}

static void
on_known(void *ctx, struct slice der)
{
	struct backend *b = ctx;

	verify_know(b->verify, der);
}

static const struct chain_verdict *
on_verdict(void *ctx, const uint8_t chain_id[32])
{
	struct backend *b = ctx;

	return verify_lookup(b->verify, chain_id);
}

static void
on_alert(void *ctx, const struct alert *a)
{
	struct backend *b = ctx;
	const char *file = NULL;
	int64_t id = 0;

	if (b->path != NULL)
		file = b->path(b->path_ctx, a->finding.pkt.file);
	b->n.alerts[a->severity]++;
	if (b->store != NULL)
		id = store_alert(b->store, a, file);
	if (b->eve != NULL)
		eve_alert(b->eve, a, file);
	if (b->cfg.on_alert != NULL)
		b->cfg.on_alert(b->cfg.ctx, a, id);
}

static int64_t
next_incident(void *ctx)
{
	struct backend *b = ctx;

	return store_incident_id(b->store);
}

static void
on_incident(void *ctx, const struct incident *i, enum incident_event e)
{
	struct backend *b = ctx;

	if (b->store != NULL)
		store_incident_event(b->store, i, e);
	if (b->eve != NULL)
		eve_incident(b->eve, i, e);
}

void
backend_stats(struct backend *b, const struct frontend_totals *t,
    const struct live_counters *live)
{
	struct backend_totals n;

	backend_totals(b, &n);
	teller_stats(&b->teller, &n, t, live);
}

void
backend_set_paths(
    struct backend *b, const char *(*path)(void *ctx, uint32_t file), void *ctx)
{
	b->path = b->teller.path = path;
	b->path_ctx = b->teller.path_ctx = ctx;
}

/* Between two observations: what was seen of connections and counted stays. */
int
backend_reload(struct backend *b, const struct pipeline_config *cfg)
{
	struct policy_files files = files_of(cfg != NULL ? cfg : &b->cfg);

	if (b->policy == NULL || !policy_reload(b->policy, &files))
		return -1;
	b->cfg.rules = policy_rules(b->policy);
	judge_use_rules(b->judge, b->cfg.rules);
	want_lines(b);
	policy_settle(b->policy);
	return 0;
}

const struct ruleset *
backend_rules(const struct backend *b)
{
	return b->cfg.rules;
}

/* The old one goes on if the new one cannot be opened. */
void
backend_reopen(struct backend *b)
{
	char err[512];
	struct eve *fresh;

	if (b->eve == NULL)
		return;
	eve_flush(b->eve);
	fresh = eve_open_append(b->cfg.eve_path, b->cfg.host, err, sizeof(err));
	if (fresh == NULL) {
		backend_say(b, SAY_PROBLEM, "%s", err);
		return;
	}
	(void)close_eve(b);
	b->eve = fresh;
}

void
backend_reconfigure(struct backend *b, const struct pipeline_config *cfg)
{
	const struct incidents_config ic = {.window = cfg->incident_window,
	    .repeat = cfg->incident_repeat,
	    .fold_after = cfg->incident_fold};
	char err[512];

	b->cfg.resetters = cfg->resetters;
	b->cfg.keep_days = cfg->keep_days;
	b->cfg.keep_bytes = cfg->keep_bytes;
	b->cfg.keep_event_days = cfg->keep_event_days;
	b->cfg.max_events = cfg->max_events;
	if (b->store != NULL)
		(void)!store_use_feeds(b->store, cfg->feeds, cfg->nfeeds);
	backend_want_events(b, cfg->stream);
	incidents_configure(b->incidents, &ic);
	if (b->cfg.user_names != cfg->user_names) {
		b->cfg.user_names = cfg->user_names;
		if (open_names(b, err, sizeof(err)) == -1) {
			b->names.mode = NAMES_NONE;
			backend_say(b, SAY_PROBLEM,
			    "%s: no names of users from now on", err);
		}
	}
}

struct verify *
backend_verify(struct backend *b)
{
	return b->verify;
}

struct judge *
backend_judge(struct backend *b)
{
	return b->judge;
}

void
backend_totals(const struct backend *b, struct backend_totals *out)
{
	*out = b->n;
	out->judge = *judge_counters(b->judge);
	out->incidents = *incidents_counters(b->incidents);
	if (b->store == NULL)
		return;
	out->lost = store_counters(b->store)->lost;
	out->known = store_counters(b->store)->duplicates;
	out->retired = store_counters(b->store)->retired;
}

void
backend_memory(const struct backend *b, struct table_use memory[MEM_COUNT])
{
	struct history_memory h;
	struct store_memory s;

	history_memory(b->history, &h);
	memory[MEM_SERVERS] = h.servers;
	memory[MEM_HISTORY_PAIRS] = h.pairs;
	memory[MEM_PINS] = h.pins;
	memory[MEM_UNDO] = h.undo;
	memory[MEM_INCIDENTS] = incidents_use(b->incidents);
	if (b->store == NULL)
		return;
	store_memory(b->store, &s);
	memory[MEM_DATABASE] = s.sqlite;
	memory[MEM_CERTIFICATES] = s.certs;
}

void
backend_knowledge(const struct backend *b, struct history_knowledge *out)
{
	history_knowledge(b->history, out);
}

void
backend_say(const struct backend *b, enum say what, const char *fmt, ...)
{
	char buf[1200];
	va_list ap;

	if (b->cfg.on_say == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	b->cfg.on_say(b->cfg.ctx, what, buf);
}
