/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was found, for a person or for a program. Rows are kept gravest first
 * and then by time; what does not fit is counted and can be listed with
 * `stripwire alerts`.
 */
#include "sensor/summary.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "db/query.h"
#include "sensor/counters.h"
#include "sensor/text.h"

/* Alerts that say the same of the same two hosts share a row. */
struct row {
	int64_t id, time; /* of the first */
	uint64_t times;
	struct addr client, server;
	uint16_t port;
	uint16_t finding;
	uint32_t sid; /* of a rule on content, else 0 */
	uint8_t severity, confidence;
	char who[136];
	char why[FINDING_SENTENCE_MAX + 164]; /* with a message before it */
};

struct summary {
	FILE *out;
	struct text_style style;
	struct timespec start;
	unsigned nrows;
	uint64_t seen, counts[SEV_CRITICAL + 1];
	uint32_t said[SUMMARY_ROWS]; /* row_hash() of each */
	struct row rows[SUMMARY_ROWS];
};

static void drop_dead_ids(struct summary *, const char *);
static void print_rows(struct summary *);
static void print_counts(struct summary *, const struct summary_end *,
    const struct pipeline_totals *);
static void print_next(struct summary *, const struct summary_end *, uint64_t);
static int print_json(struct summary *, const struct summary_end *,
    const struct pipeline_totals *, int);

struct summary *
summary_new(FILE *out)
{
	struct summary *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->out = out;
	text_style_init(&s->style, out);
	clock_gettime(CLOCK_MONOTONIC, &s->start);
	return s;
}

void
summary_free(struct summary *s)
{
	free(s);
}

/* port 0: the address alone */
static void
format_end(char *buf, size_t cap, const struct addr *a, bool v6, uint16_t port)
{
	char ip[INET6_ADDRSTRLEN];

	if (v6)
		inet_ntop(AF_INET6, a->b, ip, sizeof(ip));
	else
		inet_ntop(AF_INET, a->b + 12, ip, sizeof(ip));
	if (port == 0)
		snprintf(buf, cap, "%s", ip);
	else
		snprintf(buf, cap, v6 ? "[%s]:%u" : "%s:%u", ip, port);
}

static bool
row_same(const struct row *a, const struct row *b)
{
	return a->finding == b->finding && a->sid == b->sid &&
	       a->severity == b->severity && a->port == b->port &&
	       memcmp(&a->client, &b->client, sizeof(a->client)) == 0 &&
	       memcmp(&a->server, &b->server, sizeof(a->server)) == 0;
}

/* The same of rows that are the same. */
static uint32_t
row_hash(const struct row *r)
{
	uint64_t client, server; /* of IPv6 that of the host */

	memcpy(&client, r->client.b + 8, sizeof(client));
	memcpy(&server, r->server.b + 8, sizeof(server));
	client = (client * 31 + server) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(client >> 32) + r->finding * 7u + r->sid;
}

static bool
row_before(const struct row *a, const struct row *b)
{
	if (a->severity != b->severity)
		return a->severity > b->severity;
	return a->time < b->time;
}

static void
row_fill(struct row *r, const struct alert *a, int64_t id)
{
	r->id = id;
	r->times = 1;
	r->time = a->finding.time;
	r->severity = a->severity;
	r->confidence = a->finding.confidence;
	r->finding = a->finding.id;
	r->client = a->flow.client;
	r->server = a->flow.server;
	r->port = a->flow.server_port;
	r->sid = a->finding.id == FIND_NONE ? a->sid : 0;
}

/* Of those alone that are shown. */
static void
row_text(struct row *r, const struct alert *a)
{
	char client[64], server[64];

	format_end(client, sizeof(client), &r->client, a->flow.v6, 0);
	format_end(server, sizeof(server), &r->server, a->flow.v6, r->port);
	snprintf(r->who, sizeof(r->who), "%s > %s", client, server);
	snprintf(r->why, sizeof(r->why), "%s%s%s", r->sid != 0 ? a->msg : "",
	    r->sid != 0 ? ": " : "", finding_best_evidence(&a->finding));
}

void
summary_alert(struct summary *s, const struct alert *a, int64_t id)
{
	struct row r;
	uint32_t hash;
	unsigned at;

	row_fill(&r, a, id);
	hash = row_hash(&r);
	s->seen++;
	s->counts[a->severity]++;
	for (at = 0; at < s->nrows; at++)
		if (s->said[at] == hash && row_same(&r, &s->rows[at])) {
			s->rows[at].times++;
			return;
		}
	for (; at > 0 && row_before(&r, &s->rows[at - 1]); at--)
		if (at < SUMMARY_ROWS) {
			s->rows[at] = s->rows[at - 1];
			s->said[at] = s->said[at - 1];
		}
	if (at == SUMMARY_ROWS)
		return;
	row_text(&r, a);
	s->rows[at] = r;
	s->said[at] = hash;
	if (s->nrows < SUMMARY_ROWS)
		s->nrows++;
}

int
summary_end(struct summary *s, const struct summary_end *e)
{
	struct pipeline_totals t;
	int status = e->status;

	pipeline_totals(e->pipeline, &t);
	if (t.lost > 0)
		status = 1;
	for (int sev = e->fail_on; sev >= 0 && sev <= SEV_CRITICAL; sev++)
		if (s->counts[sev] > 0)
			status = 3;
	if (e->json || e->stats_path != NULL)
		status = print_json(s, e, &t, status);
	if (!e->json && !e->quiet && t.packets + t.captures > 0) {
		if (t.known_captures > 0 && e->db_path != NULL)
			drop_dead_ids(s, e->db_path);
		print_rows(s);
		print_counts(s, e, &t);
		print_next(s, e, t.incidents.opened);
	}
	if (e->stopped)
		fputs("stopped before the end of the input; what was read is "
		      "stored\n",
		    stderr);
	fflush(s->out);
	return status;
}

/* Widths of the columns that depend on what is in them. */
struct widths {
	int name, who, rest;
};

static struct widths
measure(const struct summary *s)
{
	struct widths w = {7, 15, 0};

	for (unsigned i = 0; i < s->nrows; i++) {
		int who = (int)strlen(s->rows[i].who);
		int name = (int)strlen(finding_info(s->rows[i].finding)->name);

		w.who = who > w.who ? who : w.who;
		w.name = name > w.name ? name : w.name;
	}
	if (s->style.width > 0)
		w.rest = (int)s->style.width - (53 + w.who + w.name);
	return w;
}

static void
print_row(struct summary *s, const struct row *r, const struct widths *w)
{
	const struct text_style *st = &s->style;
	char id[24] = "-", times[24] = "", when[TEXT_TIME_MAX];
	char why[4 * FINDING_SENTENCE_MAX];

	if (r->id > 0)
		snprintf(id, sizeof(id), "%" PRId64, r->id);
	text_time_seconds(when, r->time);
	when[19] = '\0'; /* the heading says UTC */
	if (w->rest > 10)
		text_fit(why, sizeof(why), r->why, (unsigned)w->rest, st);
	else
		text_clean(why, sizeof(why), r->why, st);
	if (r->times > 1)
		snprintf(times, sizeof(times), "%" PRIu64, r->times);
	fprintf(s->out, "%5s  %s  %s%-*s%s  %5s  %4u  %-8s  %-*s  %s\n", id,
	    when, text_on(st, text_severity_colour(r->severity)), w->name,
	    finding_info(r->finding)->name, text_off(st), times, r->confidence,
	    severity_name(r->severity), w->who, r->who, why);
}

static int
row_there(void *ctx, const struct query_row *row)
{
	(void)row;
	*(bool *)ctx = true;
	return 1;
}

/* An alert of a capture that turned out to be known may have been taken out
 * again: then it has no number to be shown by. */
static void
drop_dead_ids(struct summary *s, const char *db)
{
	struct query_filter f;
	char err[256];

	query_filter_init(&f);
	for (unsigned i = 0; i < s->nrows; i++) {
		bool there = false;

		f.id = s->rows[i].id;
		if (f.id != 0 &&
		    query_alerts(db, &f, row_there, &there, err, sizeof(err)) <=
			0 &&
		    !there)
			s->rows[i].id = 0;
	}
}

static void
print_rows(struct summary *s)
{
	struct widths w = measure(s);
	uint64_t shown = 0;

	if (s->nrows == 0) {
		fputs("Nothing was found.\n\n", s->out);
		return;
	}
	fprintf(s->out, "%5s  %-19s  %-*s  %5s  %4s  %-8s  %-*s  %s\n", "id",
	    "when (UTC)", w.name, "finding", "times", "conf", "severity", w.who,
	    "client > server", "evidence");
	for (unsigned i = 0; i < s->nrows; i++)
		print_row(s, &s->rows[i], &w);
	for (unsigned i = 0; i < s->nrows; i++)
		shown += s->rows[i].times;
	if (s->seen > shown)
		fprintf(s->out, "       ... and %" PRIu64 " more alerts\n",
		    s->seen - shown);
	fputc('\n', s->out);
}

static double
seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void
print_flows(FILE *f, const struct tracker_counters *k)
{
	uint64_t other = k->flows;

	for (unsigned p = PROTO_SMTP; p < PROTO_OTHER; p++) {
		other -= k->mail_flows[p];
		if (p < PROTO_SIEVE || k->mail_flows[p] != 0)
			fprintf(f, "%" PRIu64 " %s, ", k->mail_flows[p],
			    proto_name((enum proto)p));
	}
	fprintf(f, "%" PRIu64 " other\n", other);
}

static void
print_counts(struct summary *s, const struct summary_end *e,
    const struct pipeline_totals *t)
{
	const struct tracker_counters *k = &t->tracker;
	FILE *f = s->out;

	fprintf(f,
	    "%" PRIu64 " capture%s, %" PRIu64 " packets, %.1f MB in %.2f s; "
	    "flows: ",
	    t->captures, t->captures == 1 ? "" : "s", t->packets,
	    (double)t->bytes / 1e6, seconds_since(&s->start));
	print_flows(f, k);
	fprintf(f,
	    "alerts: %" PRIu64 " critical, %" PRIu64 " high, %" PRIu64
	    " medium, %" PRIu64 " low, %" PRIu64 " info\n",
	    s->counts[SEV_CRITICAL], s->counts[SEV_HIGH], s->counts[SEV_MEDIUM],
	    s->counts[SEV_LOW], s->counts[SEV_INFO]);
	if (t->incidents.opened > 0)
		fprintf(f, "incidents: %" PRIu64 "\n", t->incidents.opened);
	if (t->incidents.folded > 0)
		fprintf(f,
		    "alerts like others, only counted in their incident: "
		    "%" PRIu64 "\n",
		    t->incidents.folded);
	if (t->known_captures > 0)
		fprintf(f,
		    "%" PRIu64 " of the captures had been read before: their "
		    "alerts are in the database already\n",
		    t->known_captures);
	counters_print(f, t, e->verbose);
	if (t->judge.rst_authorised > 0)
		fprintf(f, "forged resets of authorized devices: %" PRIu64 "\n",
		    t->judge.rst_authorised);
	if (e->verbose)
		fprintf(f,
		    "observations %" PRIu64 ", findings %" PRIu64
		    ", without a rule %" PRIu64 "\n",
		    t->judge.observations, t->judge.findings,
		    t->judge.unmatched);
}

static void
print_next(struct summary *s, const struct summary_end *e, uint64_t incidents)
{
	const char *db = e->db_path;
	char opt[300] = "";

	if (db == NULL || s->nrows == 0)
		return;
	if (strcmp(db, "stripwire.db") != 0)
		snprintf(opt, sizeof(opt), " -d %s", db);
	fputs("\nnext:\n", s->out);
	if (incidents > 0)
		fprintf(s->out,
		    "  %s incidents%s    which alerts tell one story\n",
		    program_invocation_name, opt);
	for (unsigned i = 0; i < s->nrows; i++)
		if (s->rows[i].id > 0) {
			fprintf(s->out,
			    "  %s show %" PRId64
			    "%s    how it happened, step by step\n",
			    program_invocation_name, s->rows[i].id, opt);
			break;
		}
	fprintf(s->out, "  %s alerts%s --severity high    list and filter\n",
	    program_invocation_name, opt);
}

static json_t *
json_alert_counts(const struct summary *s)
{
	json_t *o = json_object();

	for (int sev = SEV_CRITICAL; sev >= SEV_INFO; sev--)
		json_object_set_new(o, severity_name(sev),
		    json_integer((json_int_t)s->counts[sev]));
	return o;
}

static json_t *
json_findings(const struct pipeline_totals *t)
{
	json_t *o = json_object();

	for (int i = 1; i < FIND_COUNT; i++)
		if (t->judge.by_finding[i] > 0)
			json_object_set_new(o, finding_info(i)->name,
			    json_integer((json_int_t)t->judge.by_finding[i]));
	return o;
}

static void
set_int(json_t *o, const char *name, uint64_t v)
{
	json_object_set_new(o, name, json_integer((json_int_t)v));
}

/* What went by: connections by how they ended, observations by kind. */
static void
json_traffic(json_t *o, const struct pipeline_totals *t)
{
	static const char *const how[] = {
	    NULL, "fin", "rst", "timeout", "evicted", "input", "reused"};
	json_t *ends = json_object(), *seen = json_object();

	for (int i = END_FIN; i <= END_REUSED; i++)
		set_int(ends, how[i], t->ends[i]);
	for (int i = OBS_NONE + 1; i < OBS_KIND_COUNT; i++)
		if (t->observed[i] > 0)
			set_int(seen, obs_kind_name(i), t->observed[i]);
	json_object_set_new(o, "connections_ended", ends);
	json_object_set_new(o, "observations", seen);
	set_int(o, "messages", t->mail.messages);
	set_int(o, "message_bytes", t->mail.body_bytes);
	set_int(o, "tls_handshakes", t->mail.tls_handshakes);
}

static json_t *
make_json(const struct summary *s, const struct summary_end *e,
    const struct pipeline_totals *t, int status)
{
	const struct tracker_counters *k = &t->tracker;
	json_t *o = json_object(), *flows = json_object();
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	set_int(o, "captures", t->captures);
	set_int(o, "captures_known", t->known_captures);
	set_int(o, "captures_broken", t->broken_captures);
	set_int(o, "packets", t->packets);
	set_int(o, "bytes", t->bytes);
	json_object_set_new(o, "seconds", json_real(seconds_since(&s->start)));
	set_int(o, "peak_kib", (uint64_t)ru.ru_maxrss);
	set_int(flows, "all", k->flows);
	for (int i = PROTO_SMTP; i < PROTO_OTHER; i++)
		set_int(flows, proto_name(i), k->mail_flows[i]);
	json_object_set_new(o, "flows", flows);
	json_object_set_new(o, "alerts", json_alert_counts(s));
	json_object_set_new(o, "findings", json_findings(t));
	set_int(o, "incidents", t->incidents.opened);
	set_int(o, "alerts_folded", t->incidents.folded);
	set_int(o, "alerts_lost", t->lost);
	json_traffic(o, t);
	set_int(o, "holes", k->holes);
	set_int(o, "hole_bytes", k->hole_bytes);
	set_int(o, "bad_ip_checksums", t->ip.bad_ip_csum);
	set_int(o, "bad_tcp_checksums", t->ip.bad_tcp_csum);
	set_int(o, "flows_evicted", k->evicted);
	set_int(o, "resets_authorized", t->judge.rst_authorised);
	json_object_set_new(o, "counters", counters_json(t));
	json_object_set_new(o, "database",
	    e->db_path != NULL ? json_string(e->db_path) : json_null());
	set_int(o, "exit_status", (uint64_t)status);
	return o;
}

/* -1: it could not be written, which is said. */
static int
write_stats(const char *path, const json_t *o)
{
	FILE *f = fopen(path, "w");
	bool bad = f == NULL;

	if (f != NULL) {
		bad = json_dumpf(o, f, JSON_INDENT(2)) == -1 ||
		      fputc('\n', f) == EOF;
		bad |= fclose(f) == EOF;
	}
	if (bad)
		fprintf(stderr, "%s: statistics not written: %s\n", path,
		    strerror(errno));
	return bad ? -1 : 0;
}

/* Returns the exit status. */
static int
print_json(struct summary *s, const struct summary_end *e,
    const struct pipeline_totals *t, int status)
{
	json_t *o = make_json(s, e, t, status);

	if (e->stats_path != NULL && write_stats(e->stats_path, o) == -1) {
		status = status == 0 ? 1 : status;
		set_int(o, "exit_status", (uint64_t)status);
	}
	if (e->json) {
		json_dumpf(o, s->out, JSON_INDENT(2));
		fputc('\n', s->out);
	}
	json_decref(o);
	return status;
}
