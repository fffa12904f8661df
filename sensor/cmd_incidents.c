/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options, the table, and one incident with its notes. */
#include "sensor/cmd_incidents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sensor/options.h"
#include "sensor/show_incident.h"
#include "sensor/triage_cmd.h"

#define ERR_MAX 512
#define TITLE_MIN 24 /* columns */

struct incidents_options {
	struct config config;
	const char *db;
	struct query_incident_filter filter;
	bool json, one;
};

struct table {
	struct text_style style;
	unsigned id, who, title; /* columns */
};

static const char usage_text[] =
    "usage: stripwire incidents [options]\n"
    "       stripwire incidents show ID [options]\n" TRIAGE_USAGE(
	"incidents") "\n"
		     "Alerts that tell one story are one incident: what "
		     "happened in order,\n"
		     "where the interference may sit, what to do. Without a "
		     "word, a list,\n"
		     "oldest first. An incident is open until it was quiet for "
		     "a day or is\n"
		     "closed; closing it closes its alerts.\n"
		     "\n"
		     "  -c, --config FILE     configuration, which may name "
		     "the database\n"
		     "  -d, --db FILE         the database "
		     "(default: " DB_DEFAULT ")\n"
		     "      --open            only what is open\n"
		     "      --since TIME      only what went on since: "
		     "2026-11-22,\n"
		     "                        '2026-11-22 10:03', or so long "
		     "ago: 30m, 2h, 3d\n"
		     "      --severity LEVEL  at least info, low, medium, high "
		     "or critical\n"
		     "      --host HOST       only of this client or server "
		     "(address, or the\n"
		     "                        server's name)\n"
		     "      --limit N         only the newest N\n"
		     "      --json            one JSON object a line, with "
		     "everything\n"
		     "      --as REASON       what a closed one was: attack, "
		     "not-an-attack\n"
		     "                        (which says how to hear no more "
		     "of it), resolved\n"
		     "  -m, --message TEXT    a note for those who come after\n"
		     "  -h, --help            this text\n"
		     "\n"
		     "Exit status: 0, 1 if there is none of that ID or the "
		     "database cannot be\n"
		     "read or written, 2 for usage.\n";

static const char short_options[] = "c:d:h";
static const struct option options[] = {OPTION_CONFIG,
    {"db", required_argument, NULL, 'd'}, {"open", no_argument, NULL, 'o'},
    {"since", required_argument, NULL, 's'},
    {"severity", required_argument, NULL, 'S'},
    {"host", required_argument, NULL, 'H'},
    {"limit", required_argument, NULL, 'l'}, {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

/* ---- the table ---- */

static void
who(char *buf, size_t cap, const struct incident *i,
    const struct text_style *st)
{
	char clients[INCIDENT_WHO_MAX], servers[INCIDENT_WHO_MAX];

	snprintf(buf, cap, "%s %s %s", incident_clients(clients, i),
	    text_sign(st, SIGN_RIGHT), incident_servers(servers, i));
}

static int
measure_row(void *ctx, const struct query_incident *row)
{
	char text[2 * INCIDENT_WHO_MAX + 8];
	struct table *t = ctx;
	unsigned n = (unsigned)snprintf(NULL, 0, "%lld", (long long)row->id);

	if (n > t->id)
		t->id = n;
	who(text, sizeof(text), &row->incident, &t->style);
	n = text_columns(text);
	if (n > t->who)
		t->who = n;
	return 0;
}

static int
print_row(void *ctx, const struct query_incident *row)
{
	const struct incident *i = &row->incident;
	const struct table *t = ctx;
	const struct text_style *st = &t->style;
	char state[INCIDENT_STATE_MAX], text[2 * INCIDENT_WHO_MAX + 8];
	char fit[STORY_TEXT_MAX * 2], when[TEXT_TIME_MAX];

	printf("%*lld  %s%-8s%s  ", (int)t->id, (long long)row->id,
	    text_on(st, text_severity_colour(i->severity)),
	    severity_name((enum severity)i->severity), text_off(st));
	fputs(text_fit(fit, sizeof(fit), incident_state(state, row), 21, st),
	    stdout);
	text_fit(fit, sizeof(fit), text_time_seconds(when, i->first), 19, st);
	printf("  %s", fit);
	text_fit(fit, sizeof(fit), text_time_seconds(when, i->last), 19, st);
	printf("  %s  %8u  %6u  ", fit, i->sessions, i->alerts);
	who(text, sizeof(text), i, st);
	printf("%s  ", text_fit(fit, sizeof(fit), text, t->who, st));
	if (t->title != 0)
		text_fit(fit, sizeof(fit), row->title, t->title, st);
	else
		text_clean(fit, sizeof(fit), row->title, st);
	printf("%s\n", fit);
	return ferror(stdout);
}

static int64_t
print_table(struct query *q, const struct query_incident_filter *f, char *err)
{
	struct table t = {.id = 2, .who = sizeof("who") - 1};
	unsigned used;
	int64_t n;

	text_style_init(&t.style, stdout);
	n = query_incidents(q, f, measure_row, &t, err, ERR_MAX);
	if (n <= 0)
		return n;
	used = t.id + 2 + 8 + 2 + 21 + 2 + 19 + 2 + 19 + 2 + 8 + 2 + 6 + 2 +
	       t.who + 2;
	if (t.style.width != 0)
		t.title = t.style.width > used + TITLE_MIN
			      ? t.style.width - used
			      : TITLE_MIN;
	printf("%s%*s  %-8s  %-21s  %-19s  %-19s  sessions  alerts  %-*s  "
	       "what%s\n",
	    text_on(&t.style, COLOUR_BOLD), (int)t.id, "id", "severity",
	    "state", "first (UTC)", "last", (int)t.who, "who",
	    text_off(&t.style));
	return query_incidents(q, f, print_row, &t, err, ERR_MAX);
}

/* ---- one of them, JSON ---- */

static int
print_note(void *ctx, const struct query_note *n)
{
	show_note(stdout, ctx, n);
	return 0;
}

static int
print_one(void *ctx, const struct query_incident *row)
{
	struct text_style st;

	(void)ctx;
	text_style_init(&st, stdout);
	show_incident(stdout, &st, row);
	return 0;
}

static int
json_row(void *ctx, const struct query_incident *row)
{
	(void)ctx;
	return incident_json_print(stdout, row);
}

static int64_t
print_chosen(struct query *q, const struct incidents_options *o, char *err)
{
	struct text_style st;
	int64_t n;

	if (o->json)
		return query_incidents(
		    q, &o->filter, json_row, NULL, err, ERR_MAX);
	if (!o->one)
		return print_table(q, &o->filter, err);
	n = query_incidents(q, &o->filter, print_one, NULL, err, ERR_MAX);
	text_style_init(&st, stdout);
	if (n > 0 && query_notes(q, TRIAGE_INCIDENT, o->filter.id, print_note,
			 &st, err, ERR_MAX) == -1)
		return -1;
	return n;
}

/* ---- the command ---- */

static int
bad(const char *option, const char *value, const char *what)
{
	fprintf(stderr, "stripwire incidents: %s%s: %s\n", option, value, what);
	return -1;
}

static int
parse_option(struct incidents_options *o, int c)
{
	switch (c) {
	case 'c':
		return 0; /* read already */
	case 'd':
		o->db = optarg;
		return 0;
	case 'o':
		o->filter.open_only = true;
		return 0;
	case 's':
		return options_since("incidents", optarg, &o->filter.since);
	case 'S':
		o->filter.min_severity = severity_by_name(optarg);
		return o->filter.min_severity != -1
			   ? 0
			   : bad("--severity ", optarg,
				 "is none of info, low, medium, high, "
				 "critical");
	case 'H':
		o->filter.host = optarg;
		return 0;
	case 'l':
		return options_number(
		    "incidents", "--limit", optarg, &o->filter.limit);
	case 'j':
		o->json = true;
		return 0;
	default:
		return -1;
	}
}

/* What is left behind the options: nothing, or "show ID". */
static int
parse_words(struct incidents_options *o, int argc, char **argv)
{
	const char *word;
	uint64_t id;

	if (optind == argc)
		return 0;
	if (strcmp(argv[optind], "show") != 0)
		return bad(
		    "", argv[optind], "is no command; show, ack, close are");
	if (optind + 2 != argc)
		return bad("", "show", "which one? give one ID");
	word = argv[optind + 1];
	if (options_number("incidents", "show", word + (*word == '#'), &id) ==
	    -1)
		return -1;
	if (id > INT64_MAX)
		return bad("show ", word, "is too large");
	o->filter.id = (int64_t)id;
	o->one = true;
	return 0;
}

/* 0: go on; else the exit status plus 1. */
static int
parse(struct incidents_options *o, int argc, char **argv)
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
	if (c == -1 && parse_words(o, argc, argv) == 0)
		return 0;
	fputs("stripwire incidents --help shows the options\n", stderr);
	return 3;
}

static int
answer(const struct incidents_options *o)
{
	char err[ERR_MAX] = "";
	struct query *q = query_open(o->db, err, sizeof(err));
	int64_t n = q != NULL ? print_chosen(q, o, err) : -1;

	query_close(q);
	if (n == -1)
		fprintf(stderr, "stripwire incidents: %s\n", err);
	else if (n == 0 && o->one)
		fprintf(stderr,
		    "stripwire incidents: there is no incident %lld in %s\n",
		    (long long)o->filter.id, o->db);
	else if (n == 0 && !o->json)
		printf("no such incidents in %s\n", o->db);
	if (n == -1 || (n == 0 && o->one))
		return 1;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fprintf(
	    stderr, "stripwire incidents: cannot write: %s\n", strerror(errno));
	return 1;
}

static int
run(struct incidents_options *o, int argc, char **argv)
{
	int status;

	o->db = o->config.database;
	query_incident_filter_init(&o->filter);
	status = parse(o, argc, argv);
	return status != 0 ? status - 1 : answer(o);
}

int
cmd_incidents(int argc, char **argv)
{
	struct incidents_options o = {0};
	int status;

	if (triage_is_verb(argc, argv))
		return triage_cmd(TRIAGE_INCIDENT, argc, argv);
	status = options_config(&o.config, argc, argv, short_options, options);
	if (status == 0)
		status = run(&o, argc, argv);
	config_fini(&o.config);
	return status;
}
