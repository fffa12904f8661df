/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inventory: a line a server, addresses before names, as the history has
 * them. How sure a line is goes by sessions and days: what one session taught
 * is "once", ten sessions or two days make it "well known".
 */
#include "sensor/cmd_servers.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "db/history_json.h"
#include "db/query.h"
#include "sensor/options.h"
#include "sensor/server_arg.h"
#include "sensor/text.h"

static const char usage_text[] =
    "usage: stripwire servers [options]\n"
    "\n"
    "The servers that were seen: whether they offer STARTTLS and since when,\n"
    "TLS versions, keys, and how sure that is.\n"
    "\n"
    "  -c, --config FILE     the configuration\n"
    "  -d, --db FILE         the database\n"
    "      --json            one JSON object a line, with everything\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit status: 0, 1 if the database cannot be read, 2 for usage.\n";

static const char short_options[] = "c:d:h";
static const struct option options[] = {OPTION_CONFIG,
    {"db", required_argument, NULL, 'd'}, {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

struct table {
	FILE *out;
	const struct history *h;
	const struct server_key *one;
	struct text_style style;
	unsigned width, lines;
	bool names; /* which of the two kinds is printed */
};

static const char *
offers(const struct server_facts *s, const struct pin *pin)
{
	if (s->key.implicit_tls)
		return "TLS throughout";
	if (pin != NULL && pin->starttls == PIN_REQUIRED)
		return "required (pinned)";
	if (s->absence.since != 0)
		return s->absence.told ? "gone for all" : "lately missing";
	if (s->offered == 0)
		return s->not_offered != 0 ? "never" : "not seen";
	if (s->demanded != 0)
		return "required";
	if (members_lack(s))
		return "by some machines";
	return s->not_offered == 0 ? "always" : "mostly";
}

static const char *
how_sure(const struct server_facts *s)
{
	if (s->sessions >= 10 || s->days >= 2)
		return "well known";
	return s->sessions > 1 ? "some" : "once";
}

static void
versions(char *buf, size_t cap, uint32_t bits)
{
	static const char *const names[] = {
	    "SSL2", "SSL3", "1.0", "1.1", "1.2", "1.3"};
	size_t used = 0;

	(void)snprintf(buf, cap, "-");
	for (unsigned i = 0; i < 6 && used < cap; i++)
		if (bits >> i & 1)
			used += (size_t)snprintf(buf + used, cap - used, "%s%s",
			    used != 0 ? " " : "", names[i]);
}

static void
keys(char *buf, size_t cap, const struct server_facts *s)
{
	unsigned trusted = 0;

	for (unsigned i = 0; i < s->ncerts && i < HISTORY_KEYS; i++)
		trusted += s->certs[i].trusted;
	if (s->ncerts == 0)
		(void)snprintf(buf, cap, "-");
	else
		(void)snprintf(buf, cap, "%u, %u trusted", s->ncerts, trusted);
}

static bool
is_wanted(const struct table *t, const struct server_facts *s)
{
	if (s->sessions == 0 || s->key.of_name != t->names)
		return false;
	return t->one == NULL ||
	       (memcmp(&s->key.addr, &t->one->addr, sizeof(struct addr)) == 0 &&
		   s->key.of_name == t->one->of_name &&
		   s->key.port == t->one->port);
}

static void
measure(void *ctx, const struct server_facts *s)
{
	char text[SERVER_ARG_MAX];
	struct table *t = ctx;
	size_t n = strlen(server_arg_print(text, &s->key, s->host));

	if (is_wanted(t, s) && n > t->width)
		t->width = (unsigned)n;
}

static void
print(void *ctx, const struct server_facts *s)
{
	const char *const names[2] = {s->host, ""};
	char server[SERVER_ARG_MAX], tls[40], chain[32], day[TEXT_TIME_MAX];
	char host[2 * SERVER_NAME_MAX];
	struct table *t = ctx;
	const struct pin *pin;

	if (!is_wanted(t, s))
		return;
	pin = pins_find(history_pins(t->h), &s->key, names, s->last);
	versions(tls, sizeof(tls), s->tls_versions);
	keys(chain, sizeof(chain), s);
	text_clean(
	    host, sizeof(host), s->key.of_name ? "" : s->host, &t->style);
	fprintf(t->out, "%-*s  %-4s  %-17s  %-11s  %-12s  %-10s  %8u  %s  %s\n",
	    (int)t->width, server_arg_print(server, &s->key, s->host),
	    proto_name((enum proto)s->key.proto), offers(s, pin), tls, chain,
	    how_sure(s), s->sessions, text_date(day, s->first / 1000000000),
	    host);
	t->lines++;
}

unsigned
servers_print(FILE *out, const struct history *h, const struct server_key *one)
{
	struct table t = {.out = out, .h = h, .one = one, .width = 6};

	text_style_init(&t.style, out);
	history_each(h, measure, NULL, &t);
	t.names = true;
	history_each(h, measure, NULL, &t);
	fprintf(out, "%-*s  %-4s  %-17s  %-11s  %-12s  %-10s  %8s  %-10s  %s\n",
	    (int)t.width, "SERVER", "", "STARTTLS", "TLS", "KEYS", "KNOWN",
	    "SESSIONS", "SINCE", "NAME");
	t.names = false;
	history_each(h, print, NULL, &t);
	t.names = true;
	history_each(h, print, NULL, &t);
	return t.lines;
}

static void
print_json(void *ctx, const struct server_facts *s)
{
	json_t *o = s->sessions != 0 ? server_to_json(s) : NULL;

	if (o == NULL)
		return;
	json_object_set_new(o, "known", json_string(how_sure(s)));
	(void)json_dumpf(o, ctx, JSON_COMPACT);
	(void)fputc('\n', ctx);
	json_decref(o);
}

static int
list(const char *db, bool json)
{
	struct history *h = history_new();
	char err[512] = "out of memory";
	struct query *q = h != NULL ? query_open(db, err, sizeof(err)) : NULL;
	int status = 1;

	if (h != NULL)
		history_limit(h, UINT32_MAX, UINT32_MAX);
	if (q != NULL && query_history(q, h, err, sizeof(err)) == 0) {
		status = 0;
		if (json)
			history_each(h, print_json, NULL, stdout);
		else if (servers_print(stdout, h, NULL) == 0)
			printf("nothing is known of any server yet\n");
	}
	if (status != 0)
		fprintf(stderr, "stripwire servers: %s\n", err);
	query_close(q);
	history_free(h);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(
	    stderr, "stripwire servers: cannot write: %s\n", strerror(errno));
	return 1;
}

static int
run(struct config *config, int argc, char **argv)
{
	const char *db = config->database;
	bool json = false;
	int c;

	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage_text, stdout);
			return 0;
		}
		if (c == 'd')
			db = optarg;
		else if (c == 'j')
			json = true;
		else if (c != 'c')
			break;
	}
	if (c == -1 && optind == argc)
		return list(db, json);
	if (c == -1)
		fprintf(stderr, "stripwire servers: takes no argument '%s'\n",
		    argv[optind]);
	fputs("stripwire servers --help shows the options\n", stderr);
	return 2;
}

int
cmd_servers(int argc, char **argv)
{
	struct config config = {0};
	int status =
	    options_config(&config, argc, argv, short_options, options);

	if (status == 0)
		status = run(&config, argc, argv);
	config_fini(&config);
	return status;
}
