/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `stripwire run`: options and configuration in, then the supervisor's.
 */
#include "sensor/cmd_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/log.h"
#include "sensor/harden.h"
#include "sensor/options.h"
#include "sensor/setup.h"
#include "sensor/supervise.h"

struct run_options {
	struct config config;
	struct setup setup;
	struct supervise_config sup;
	struct reconfigure again;
	struct run_options *fresh; /* prepared at SIGHUP, or NULL */
	char *names; /* of the interfaces, taken apart */
	int argc;
	char **argv;
};

static const char help[] =
    "usage: stripwire run [options] -i INTERFACE[,INTERFACE...]\n\n"
    "Captures, finds attacks on the encryption of mail as they happen, and\n"
    "stores alerts, until it gets SIGTERM or SIGINT. Needs root, or the\n"
    "capability CAP_NET_RAW; what looks at packets has neither. SIGHUP reads\n"
    "configuration, rules, lists and trust store again.\n\n"
    "  -i, --interface LIST  where to capture; commas between several\n"
    "  -w, --workers N       processes that look at packets (default 1)\n"
    "  -f, --filter EXPR     look only at packets that match (pcap-filter(7))\n"
    "  -c, --config FILE     configuration (default: " CONFIG_PATH "\n"
    "                        if it is there); all that can be set here, and\n"
    "                        more, can be set there\n"
    "  -d, --db FILE         database (default stripwire.db)\n"
    "  -r, --rules FILE      rules\n"
    "      --interceptors FILE\n"
    "                        names of intercepting products\n"
    "      --trust FILE      trust these CA certificates (PEM) as well as\n"
    "                        the system's; may be given several times\n"
    "      --no-system-trust trust only what --trust names\n"
    "      --eve FILE        write alerts as JSON lines too\n"
    "      --host NAME       name of this sensor in the JSON\n"
    "      --user NAME       whom the processes become if started as root\n"
    "                        (default stripwire, or nobody)\n"
    "      --socket PATH     where stripwire status asks; \"\": nowhere\n"
    "  -v, --verbose         log more\n"
    "  -h, --help            this text\n\n"
    "exit status: 0 ended by a signal, all is stored; 1 something was lost;\n"
    "2 it could not start\n";

enum {
	OPT_TRUST = 256,
	OPT_INTERCEPTORS,
	OPT_NO_SYSTEM,
	OPT_EVE,
	OPT_HOST,
	OPT_USER,
	OPT_SOCKET
};

static const char short_options[] = "c:d:f:i:r:w:vh";
static const struct option options[] = {
    OPTION_CONFIG,
    {"interface", required_argument, NULL, 'i'},
    {"workers", required_argument, NULL, 'w'},
    {"filter", required_argument, NULL, 'f'},
    {"db", required_argument, NULL, 'd'},
    {"rules", required_argument, NULL, 'r'},
    {"interceptors", required_argument, NULL, OPT_INTERCEPTORS},
    {"trust", required_argument, NULL, OPT_TRUST},
    {"no-system-trust", no_argument, NULL, OPT_NO_SYSTEM},
    {"eve", required_argument, NULL, OPT_EVE},
    {"host", required_argument, NULL, OPT_HOST},
    {"user", required_argument, NULL, OPT_USER},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int
mistake(const char *what)
{
	fprintf(stderr, "stripwire run: %s (stripwire run --help)\n", what);
	return 2;
}

static int
set_workers(struct config *f, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end != '\0' || n < 1 || n > WORKERS_MAX)
		return mistake("-w: must be 1 to 64");
	f->workers = n;
	return -1;
}

/* Those that are a text of the configuration; NULL: another one. */
static char **
text_of(struct config *f, int c)
{
	switch (c) {
	case 'i':
		return &f->interfaces;
	case 'f':
		return &f->filter;
	case 'd':
		return &f->database;
	case 'r':
		return &f->rules;
	case OPT_INTERCEPTORS:
		return &f->interceptors;
	case OPT_EVE:
		return &f->eve;
	case OPT_HOST:
		return &f->sensor_name;
	case OPT_USER:
		return &f->user;
	case OPT_SOCKET:
		return &f->socket;
	default:
		return NULL;
	}
}

/* One option; -1 to go on, or an exit status. */
static int
one_option(struct run_options *o, int c)
{
	struct config *f = &o->config;
	char **text = text_of(f, c);

	if (text != NULL) {
		options_text(text, optarg);
		return -1;
	}
	switch (c) {
	case 'c':
		return -1; /* read already */
	case 'w':
		return set_workers(f, optarg);
	case OPT_TRUST:
		if (f->ntrust == CONFIG_TRUST_MAX)
			return mistake("--trust: at most 32 files");
		options_text(&f->trust[f->ntrust++], optarg);
		return -1;
	case OPT_NO_SYSTEM:
		f->system_trust = false;
		return -1;
	case 'v':
		o->sup.verbose = true;
		return -1;
	case 'h':
		fputs(help, stdout);
		return 0;
	default:
		fputs("stripwire run --help lists the options\n", stderr);
		return 2;
	}
}

static int
split_names(struct run_options *o)
{
	char *save = NULL;

	o->names = strdup(o->config.interfaces);
	if (o->names == NULL)
		return mistake("out of memory");
	for (char *n = strtok_r(o->names, ", ", &save); n != NULL;
	     n = strtok_r(NULL, ", ", &save)) {
		if (o->sup.ninterfaces == INTERFACES_MAX)
			return mistake("-i: at most 8 interfaces");
		o->sup.interface[o->sup.ninterfaces++] = n;
	}
	if (o->sup.ninterfaces == 0)
		return mistake("which interface? Name it with -i");
	return -1;
}

/* ---- SIGHUP ---- */

static void
drop(void *ctx)
{
	struct run_options *o = ctx;

	if (o->fresh != NULL)
		config_fini(&o->fresh->config);
	free(o->fresh);
	o->fresh = NULL;
}

/* The text, and over it the options as at the start. */
static int
read_anew(struct run_options *o, struct slice text, config_error_fn *say,
    void *say_ctx)
{
	const char *path = o->sup.config_path;
	struct config *f = &o->fresh->config;
	int c;

	if (config_init(f) == -1 || config_parse(f, path != NULL ? path : "",
					text, false, say, say_ctx) != 0)
		return -1;
	optind = 0;
	while ((c = getopt_long(
		    o->argc, o->argv, short_options, options, NULL)) != -1)
		if (one_option(o->fresh, c) != -1)
			return -1;
	return 0;
}

static const struct pipeline_config *
prepare(void *ctx, struct slice text, bool find, config_error_fn *say,
    void *say_ctx)
{
	struct run_options *o = ctx;
	int status = -1;

	o->fresh = calloc(1, sizeof(*o->fresh));
	if (o->fresh == NULL) {
		say(say_ctx, "out of memory for the configuration");
		return NULL;
	}
	status = read_anew(o, text, say, say_ctx);
	if (status == 0)
		setup_from_config(&o->fresh->setup, &o->fresh->config);
	if (status == 0 && find)
		status = setup_find_policy(&o->fresh->setup, "run");
	if (status == 0)
		return &o->fresh->setup.cfg;
	drop(o);
	return NULL;
}

static void
take(void *ctx, config_frozen_fn *frozen, void *frozen_ctx)
{
	struct run_options *o = ctx;

	o->sup.feeds_changed |=
	    !config_feeds_are_same(&o->config, &o->fresh->config);
	config_take_live(&o->config, &o->fresh->config, frozen, frozen_ctx);
	setup_from_config(&o->setup, &o->config);
	o->sup.log = o->config.log;
	drop(o);
}

static int
settle(struct run_options *o)
{
	const struct config *f = &o->config;
	struct supervise_config *s = &o->sup;

	setup_from_config(&o->setup, f);
	if (setup_find_policy(&o->setup, "run") == -1)
		return 2;
	o->setup.cfg.command_line = "stripwire run";
	o->setup.cfg.lines = harden_shared(PROTO_COUNT);
	if (o->setup.cfg.lines == NULL)
		return mistake("out of memory");
	if (f->eve[0] == '-' && f->eve[1] == '\0')
		return mistake("--eve: a service has no standard output; name "
			       "a file");
	s->cfg = &o->setup.cfg;
	s->workers = (unsigned)f->workers;
	s->live = (struct live_config){.buffer = f->buffer,
	    .snaplen = (uint32_t)f->snaplen,
	    .promiscuous = f->promiscuous,
	    .timestamps = f->timestamps,
	    .filter = f->filter};
	s->user = f->user;
	s->socket = f->socket;
	s->log = f->log;
	s->crash_folder = f->crash_folder;
	s->whole_packets = f->whole_packets;
	s->config = f;
	s->config_path =
	    options_config_path(o->argc, o->argv, short_options, options);
	o->again = (struct reconfigure){.prepare = prepare,
	    .take = take,
	    .drop = drop,
	    .ctx = o,
	    .cfg = &o->setup.cfg};
	s->again = &o->again;
	return split_names(o);
}

static int
run(struct run_options *o, int argc, char **argv)
{
	int c, status;

	optind = 1;
	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		status = one_option(o, c);
		if (status != -1)
			return status;
	}
	if (optind < argc)
		return mistake("it takes no files; interfaces go behind -i");
	status = settle(o);
	if (status != -1)
		return status;
	log_init(
	    "supervisor", o->sup.verbose ? LOG_LEVEL_DETAIL : LOG_LEVEL_NOTE);
	if (o->sup.log[0] != '\0' && log_to_file(o->sup.log) == -1) {
		fprintf(
		    stderr, "%s: %s (run.log)\n", o->sup.log, strerror(errno));
		return 2;
	}
	return supervise(&o->sup);
}

int
cmd_run(int argc, char **argv)
{
	static struct run_options o;
	int status;

	o.argc = argc;
	o.argv = argv;
	status = options_config(&o.config, argc, argv, short_options, options);
	if (status == 0)
		status = run(&o, argc, argv);
	free(o.names);
	config_fini(&o.config);
	return status;
}
