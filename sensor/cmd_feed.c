/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Options first, whatever their order; then a word says what is to be done.
 */
#include "sensor/cmd_feed.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sensor/cmd_status.h"
#include "sensor/feeds_status.h"
#include "sensor/options.h"
#include "sensor/text.h"

static const char help[] =
    "usage: stripwire feed [options]\n"
    "       stripwire feed [options] test NAME\n"
    "       stripwire feed [options] send\n"
    "       stripwire feed [options] --replay NAME --since TIME [--until "
    "TIME]\n\n"
    "Lists the feeds of the configuration: how far each is, and its last\n"
    "error. test sends one event, marked as a test, and says step by step "
    "what\n"
    "happened. send sends what waits, where no sensor runs. --replay sends "
    "the\n"
    "alerts and incidents of that time once more, also alerts from before "
    "there\n"
    "was a feed; what the receiver has already has the same event_id.\n\n"
    "  -c, --config FILE     configuration (default: " CONFIG_PATH "\n"
    "                        if it is there)\n"
    "  -d, --db FILE         database\n"
    "      --socket PATH     the sensor's socket\n"
    "      --replay NAME     send history again through this feed\n"
    "      --since TIME      such as 2026-11-22, '2026-11-22 10:03', 2h, 3d\n"
    "      --until TIME      likewise (default: now)\n"
    "      --json            the list as JSON\n"
    "  -h, --help            this text\n\n"
    "exit status: 0 done; 1 not all was sent, or it did not arrive; 2 usage\n";

enum { OPT_REPLAY = 256, OPT_SINCE, OPT_UNTIL, OPT_JSON, OPT_SOCKET };

static const char short_options[] = "c:d:h";
static const struct option options[] = {
    OPTION_CONFIG,
    {"db", required_argument, NULL, 'd'},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"replay", required_argument, NULL, OPT_REPLAY},
    {"since", required_argument, NULL, OPT_SINCE},
    {"until", required_argument, NULL, OPT_UNTIL},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

const struct config_feed *
feed_find(const struct feed_options *o)
{
	const struct config *c = &o->config;

	for (unsigned i = 0; i < c->nfeeds; i++)
		if (strcmp(c->feed[i]->name, o->name) == 0)
			return c->feed[i];
	fprintf(stderr, "stripwire feed: there is no feed '%s'%s", o->name,
	    c->nfeeds > 0 ? "; there are" : ": the configuration has none");
	for (unsigned i = 0; i < c->nfeeds; i++)
		fprintf(stderr, "%s %s", i > 0 ? "," : "", c->feed[i]->name);
	fputs("\n", stderr);
	return NULL;
}

struct transport *
feed_prepare(const struct feed_options *o, const struct config_feed *f,
    struct feed_config *c, char *err)
{
	struct sandbox who = {.change_user = false};
	struct transport *t = NULL;

	(void)signal(SIGPIPE, SIG_IGN);
	if (sandbox_choose_user(
		&who, o->config.user, err, TRANSPORT_ERROR_MAX) == -1)
		return NULL;
	if (feeds_config(c, f, o->host, err) == 0)
		t = feeds_open(c, err);
	if (t == NULL || sandbox_user(&who, err, TRANSPORT_ERROR_MAX) == 0)
		return t;
	transport_ops(&c->transport)->close(t);
	return NULL;
}

/* ---- the list ---- */

/* From the sensor, or, if none answers, from the database. NULL: said. */
static json_t *
get_list(const struct feed_options *o)
{
	json_t *answer = status_ask(o->config.socket, true), *list;
	struct outbox *box;
	char err[600];

	if (answer != NULL) {
		list = json_incref(json_object_get(answer, "feeds"));
		json_decref(answer);
		return list;
	}
	box = outbox_open(o->config.database, err, sizeof(err));
	if (box == NULL) {
		fprintf(stderr,
		    "stripwire feed: no sensor answers at %s, and %s\n",
		    o->config.socket, err);
		return NULL;
	}
	list = feeds_rows_json(&o->config, box);
	outbox_close(box);
	return list;
}

static int
show_list(const struct feed_options *o)
{
	json_t *list;

	if (o->config.nfeeds == 0 && !o->json)
		puts("the configuration has no feeds: see feeds in "
		     "stripwire.conf(5)");
	if (o->config.nfeeds == 0 && !o->json)
		return 0;
	list = get_list(o);
	if (list == NULL)
		return 2;
	if (o->json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		feeds_status_print(list);
	}
	json_decref(list);
	return 0;
}

/* ---- send ---- */

static volatile int stop, reopen;

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void
on_say(void *ctx, bool bad, const char *text)
{
	(void)ctx;
	(void)bad;
	fprintf(stderr, "%s\n", text);
}

static int
enter(void *ctx, char *err, size_t errlen)
{
	return sandbox_user(ctx, err, errlen);
}

int
feed_send(struct feed_options *o)
{
	static struct feeds_board board;
	struct sigaction sa = {.sa_handler = on_signal};
	struct sandbox who = {.change_user = false};
	struct feeds_process p = {.config = &o->config,
	    .db_path = o->config.database,
	    .host = o->host,
	    .board = &board,
	    .enter = enter,
	    .ctx = &who,
	    .stop = &stop,
	    .reopen = &reopen,
	    .until_sent = true,
	    .say = on_say};
	json_t *answer = status_ask(o->config.socket, true);
	char err[200];

	if (answer != NULL) {
		json_decref(answer);
		fprintf(stderr,
		    "stripwire feed send: a sensor runs (%s), and sends "
		    "itself\n",
		    o->config.socket);
		return 2;
	}
	if (sandbox_choose_user(&who, o->config.user, err, sizeof(err)) == -1) {
		fprintf(stderr, "stripwire feed send: %s\n", err);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	return feeds_process_run(&p);
}

/* ---- options ---- */

static int
mistake(const char *what)
{
	fprintf(stderr, "stripwire feed: %s (stripwire feed --help)\n", what);
	return 2;
}

/* One option; -1 to go on, or an exit status. */
static int
one_option(struct feed_options *o, int c)
{
	switch (c) {
	case 'c':
		return -1; /* read already */
	case 'd':
		options_text(&o->config.database, optarg);
		return -1;
	case OPT_SOCKET:
		options_text(&o->config.socket, optarg);
		return -1;
	case OPT_REPLAY:
		o->name = optarg;
		return -1;
	case OPT_SINCE:
		return options_since("feed", optarg, &o->since) == 0 ? -1 : 2;
	case OPT_UNTIL:
		return options_since("feed", optarg, &o->until) == 0 ? -1 : 2;
	case OPT_JSON:
		o->json = true;
		return -1;
	case 'h':
		fputs(help, stdout);
		return 0;
	default:
		fputs("stripwire feed --help lists the options\n", stderr);
		return 2;
	}
}

static int
act(struct feed_options *o, int argc, char **argv)
{
	const char *word = optind < argc ? argv[optind] : "";
	int words = argc - optind;

	if (o->name != NULL) {
		if (words > 0)
			return mistake("--replay takes no further word");
		if (o->since == INT64_MIN)
			return mistake("--replay: since when? --since TIME");
		return feed_replay(o);
	}
	if (o->since != INT64_MIN || o->until != INT64_MAX)
		return mistake("--since and --until go with --replay NAME");
	if (words == 0)
		return show_list(o);
	if (strcmp(word, "send") == 0 && words == 1)
		return feed_send(o);
	if (strcmp(word, "test") == 0 && words == 2) {
		o->name = argv[optind + 1];
		return feed_test(o);
	}
	if (strcmp(word, "test") == 0)
		return mistake("test: which feed? Name one");
	return mistake("test NAME, send, or nothing is expected");
}

static int
run(struct feed_options *o, int argc, char **argv)
{
	int c, status;

	o->since = INT64_MIN;
	o->until = INT64_MAX;
	optind = 1;
	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		status = one_option(o, c);
		if (status != -1)
			return status;
	}
	if (o->config.sensor_name[0] != '\0')
		(void)snprintf(
		    o->host, sizeof(o->host), "%s", o->config.sensor_name);
	else
		(void)gethostname(o->host, sizeof(o->host) - 1);
	return act(o, argc, argv);
}

int
cmd_feed(int argc, char **argv)
{
	static struct feed_options o;
	int status;

	status = options_config(&o.config, argc, argv, short_options, options);
	if (status == 0)
		status = run(&o, argc, argv);
	config_fini(&o.config);
	return status;
}
