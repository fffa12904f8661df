/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A table for people, JSON lines for programs. The database is asked twice for
 * the table, in one snapshot: once for the widths, once for the rows, so that
 * a million alerts need no memory.
 */
#include "sensor/cmd_alerts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db/addr_text.h"
#include "sensor/alert_json.h"
#include "sensor/options.h"
#include "sensor/text.h"
#include "sensor/triage_cmd.h"

#define ERR_MAX 512
#define EVIDENCE_MIN 24 /* columns; below that the table is cut anyway */

struct table {
	FILE *out;
	struct text_style style;
	unsigned id, finding, severity, client, server; /* columns */
	unsigned evidence; /* 0: as long as it is */
};

struct alerts_options {
	struct config config;
	const char *db;
	struct query_filter filter;
	bool json;
};

static const char usage_text[] =
    "usage: stripwire alerts [options]\n" TRIAGE_USAGE_ALERTS "\n"
    "Lists the alerts of a database, oldest first.\n"
    "\n"
    "  -c, --config FILE     configuration, which may name the database\n"
    "  -d, --db FILE         the database (default: " DB_DEFAULT ")\n"
    "      --since TIME      only what happened since: 2026-11-22,\n"
    "                        '2026-11-22 10:03' (UTC, or with +01:00), or so\n"
    "                        long ago: 45s, 30m, 2h, 3d, 1w\n"
    "      --finding NAME    only this finding, e.g. starttls-stripped\n"
    "      --severity LEVEL  at least info, low, medium, high or critical\n"
    "      --host HOST       only this client or server (address, or the\n"
    "                        server's name)\n"
    "      --incident ID     only those of this incident\n"
    "      --open            only what nobody has closed\n"
    "      --limit N         only the newest N\n"
    "      --json            one JSON object a line, with everything\n"
    "      --as REASON       what a closed one was: attack, not-an-attack\n"
    "                        (which says how to hear no more of it), resolved\n"
    "  -m, --message TEXT    a note for those who come after\n"
    "  -h, --help            this text\n"
    "\n"
    "TIME is the time of the packets, not of the reading.\n"
    "`stripwire show ID` explains one alert.\n"
    "Exit status: 0, 1 if the database cannot be read, 2 for usage.\n";

/* ---- the table ---- */

static void
widen(unsigned *column, size_t n)
{
	if (n > *column)
		*column = (unsigned)n;
}

static const char *
what_was_seen(const struct alert *a)
{
	const char *best = finding_best_evidence(&a->finding);

	return best[0] != '\0' ? best : a->msg;
}

static int
measure_row(void *ctx, const struct query_row *row)
{
	const struct alert *a = &row->alert;
	char text[ENDPOINT_TEXT_MAX];
	struct table *t = ctx;

	widen(&t->id,
	    (size_t)snprintf(text, sizeof(text), "%lld", (long long)row->id));
	widen(&t->finding, strlen(row->finding));
	widen(&t->severity, strlen(severity_name((enum severity)a->severity)));
	widen(&t->client, strlen(endpoint_to_text(
			      text, &a->flow.client, a->flow.client_port)));
	widen(&t->server, strlen(endpoint_to_text(
			      text, &a->flow.server, a->flow.server_port)));
	return 0;
}

static void
print_fit(struct table *t, const char *s, unsigned columns, const char *after)
{
	char buf[512];

	fputs(text_fit(buf, sizeof(buf), s, columns, &t->style), t->out);
	fputs(after, t->out);
}

static int
print_row(void *ctx, const struct query_row *row)
{
	const struct alert *a = &row->alert;
	const char *severity = severity_name((enum severity)a->severity);
	char text[TEXT_TIME_MAX + ENDPOINT_TEXT_MAX], clean[512];
	struct table *t = ctx;

	fprintf(t->out, "%*lld  ", (int)t->id, (long long)row->id);
	print_fit(t, text_time_seconds(text, a->finding.time), 19, "  ");
	print_fit(t, row->finding, t->finding, "  ");
	fprintf(t->out, "%4u  ", a->finding.confidence);
	fputs(text_on(&t->style, text_severity_colour(a->severity)), t->out);
	print_fit(t, severity, t->severity, "");
	fprintf(t->out, "%s  ", text_off(&t->style));
	print_fit(t,
	    endpoint_to_text(text, &a->flow.client, a->flow.client_port),
	    t->client, " ");
	fprintf(t->out, "%s ", text_sign(&t->style, SIGN_RIGHT));
	print_fit(t,
	    endpoint_to_text(text, &a->flow.server, a->flow.server_port),
	    t->server, "  ");
	if (t->evidence != 0)
		text_fit(clean, sizeof(clean), what_was_seen(a), t->evidence,
		    &t->style);
	else
		text_clean(clean, sizeof(clean), what_was_seen(a), &t->style);
	fprintf(t->out, "%s\n", clean);
	return ferror(t->out);
}

static void
print_head(struct table *t)
{
	fputs(text_on(&t->style, COLOUR_BOLD), t->out);
	fprintf(t->out, "%*s  %-19s  %-*s  conf  %-*s  ", (int)t->id, "id",
	    "when (UTC)", (int)t->finding, "finding", (int)t->severity,
	    "severity");
	fprintf(t->out, "%-*s    %*s%-*s  evidence", (int)t->client, "client",
	    t->style.utf8 ? 0 : 1, "", (int)t->server, "server");
	fprintf(t->out, "%s\n", text_off(&t->style));
}

static void
table_init(struct table *t, FILE *out)
{
	memset(t, 0, sizeof(*t));
	t->out = out;
	text_style_init(&t->style, out);
	t->id = 2;
	t->finding = sizeof("finding") - 1;
	t->severity = sizeof("severity") - 1;
	t->client = sizeof("client") - 1;
	t->server = sizeof("server") - 1;
}

/* What the width leaves for the sentence. */
static void
table_settle(struct table *t)
{
	unsigned used = t->id + 2 + 19 + 2 + t->finding + 2 + 4 + 2 +
			t->severity + 2 + t->client + 3 + t->server + 2 +
			(t->style.utf8 ? 0 : 1);

	if (t->style.width == 0)
		return;
	t->evidence = EVIDENCE_MIN;
	if (t->style.width > used + EVIDENCE_MIN)
		t->evidence = t->style.width - used;
}

int64_t
alerts_table(FILE *out, const char *db, const struct query_filter *f, char *err,
    size_t errlen)
{
	struct query *q = query_open(db, err, errlen);
	struct table t;
	int64_t n;

	if (q == NULL)
		return -1;
	table_init(&t, out);
	n = query_each(q, f, measure_row, &t, err, errlen);
	if (n > 0) {
		table_settle(&t);
		print_head(&t);
		n = query_each(q, f, print_row, &t, err, errlen);
	}
	query_close(q);
	return n;
}

/* ---- the command ---- */

static const char short_options[] = "c:d:h";
static const struct option options[] = {OPTION_CONFIG,
    {"db", required_argument, NULL, 'd'},
    {"since", required_argument, NULL, 's'},
    {"finding", required_argument, NULL, 'f'},
    {"severity", required_argument, NULL, 'S'},
    {"host", required_argument, NULL, 'H'},
    {"incident", required_argument, NULL, 'i'},
    {"open", no_argument, NULL, 'o'}, {"limit", required_argument, NULL, 'l'},
    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

static int
json_row(void *ctx, const struct query_row *row)
{
	return alert_json_print(ctx, row);
}

static int
bad(const char *option, const char *value, const char *what)
{
	fprintf(stderr, "stripwire alerts: %s %s: %s\n", option, value, what);
	return -1;
}

static int
parse_incident(struct query_filter *f, const char *value)
{
	uint64_t id;

	if (options_number("alerts", "--incident", value, &id) == -1)
		return -1;
	f->incident = (int64_t)id;
	return id <= INT64_MAX ? 0 : bad("--incident", value, "is too large");
}

static int
parse_finding(struct query_filter *f, const char *value)
{
	f->finding = value;
	if (finding_by_name(value) != FIND_NONE ||
	    strcmp(value, finding_info(FIND_NONE)->name) == 0)
		return 0;
	return bad("--finding", value,
	    "is no finding; `stripwire alerts` shows the names in use");
}

static int
parse_severity(struct query_filter *f, const char *value)
{
	f->min_severity = severity_by_name(value);
	if (f->min_severity != -1)
		return 0;
	return bad("--severity", value,
	    "is none of info, low, medium, high, critical");
}

static int
parse_option(struct alerts_options *o, int c)
{
	switch (c) {
	case 'c':
		return 0; /* read already */
	case 'd':
		o->db = optarg;
		return 0;
	case 's':
		return options_since("alerts", optarg, &o->filter.since);
	case 'f':
		return parse_finding(&o->filter, optarg);
	case 'S':
		return parse_severity(&o->filter, optarg);
	case 'H':
		o->filter.host = optarg;
		return 0;
	case 'i':
		return parse_incident(&o->filter, optarg);
	case 'o':
		o->filter.open_only = true;
		return 0;
	case 'l':
		return options_number(
		    "alerts", "--limit", optarg, &o->filter.limit);
	case 'j':
		o->json = true;
		return 0;
	default:
		return -1;
	}
}

/* 0: go on; else the exit status plus 1. */
static int
parse(struct alerts_options *o, int argc, char **argv)
{
	int c;

	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage_text, stdout);
			return 1;
		}
		if (parse_option(o, c) == -1)
			break;
	}
	if (c == -1 && optind == argc)
		return 0;
	if (c == -1)
		fprintf(stderr, "stripwire alerts: takes no argument '%s'\n",
		    argv[optind]);
	fputs("stripwire alerts --help shows the options\n", stderr);
	return 3;
}

static int64_t
list(const struct alerts_options *o, char *err, size_t errlen)
{
	int64_t n;

	if (o->json)
		return query_alerts(
		    o->db, &o->filter, json_row, stdout, err, errlen);
	n = alerts_table(stdout, o->db, &o->filter, err, errlen);
	if (n == 0)
		printf("no alerts%s in %s\n",
		    o->filter.since != QUERY_NO_TIME ||
			    o->filter.finding != NULL ||
			    o->filter.min_severity != 0 ||
			    o->filter.host != NULL || o->filter.incident != 0 ||
			    o->filter.open_only
			? " of that kind"
			: "",
		    o->db);
	return n;
}

static int
run(struct alerts_options *o, int argc, char **argv)
{
	char err[ERR_MAX] = "";
	int status;

	o->db = o->config.database;
	query_filter_init(&o->filter);
	if ((status = parse(o, argc, argv)) != 0)
		return status - 1;
	if (list(o, err, sizeof(err)) == -1) {
		fprintf(stderr, "stripwire alerts: %s\n", err);
		return 1;
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "stripwire alerts: cannot write: %s\n",
		    strerror(errno));
		return 1;
	}
	return 0;
}

int
cmd_alerts(int argc, char **argv)
{
	struct alerts_options o = {0};
	int status;

	if (triage_is_verb(argc, argv))
		return triage_cmd(TRIAGE_ALERT, argc, argv);
	status = options_config(&o.config, argc, argv, short_options, options);
	if (status == 0)
		status = run(&o, argc, argv);
	config_fini(&o.config);
	return status;
}
