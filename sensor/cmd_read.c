/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `stripwire read`: options in, exit status out. The work is pipeline.c's,
 * the closing words are summary.c's.
 */
#include "sensor/cmd_read.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/options.h"
#include "sensor/pipeline.h"
#include "sensor/progress.h"
#include "sensor/setup.h"
#include "sensor/summary.h"

struct read_options {
	struct config config; /* file and options */
	struct setup setup;
	const char *stats; /* as given, or NULL */
	bool no_db, json, quiet, verbose;
	unsigned workers;
	int fail_on; /* enum severity, -1: not asked */
};

struct reading {
	const struct read_options *o;
	struct summary *summary;
};

static const char help[] =
    "usage: stripwire read [options] FILE|FOLDER|-...\n\n"
    "Reads captures (pcap, pcapng, also gzipped; - is standard input; a\n"
    "folder is read in order of time, with connections carried across its\n"
    "files), finds attacks on the encryption of mail, and stores alerts.\n\n"
    "  -c, --config FILE     configuration (default:\n"
    "                        " CONFIG_PATH " if it is there);\n"
    "                        the options here win over what it says;\n"
    "                        stripwire config keys explains it\n"
    "  -d, --db FILE         database (default stripwire.db)\n"
    "      --no-db           store nothing, remember nothing\n"
    "  -w, --workers N       processes that follow connections (default 1);\n"
    "                        captures of other places or days are read at\n"
    "                        the same time; the alerts are the same, in the\n"
    "                        same order\n"
    "  -r, --rules FILE      rules, or a folder of *.rules (default:\n"
    "                        sensor.rules beside the program, in\n"
    "                        " STRIPWIRE_DATADIR ",\n"
    "                        or in the working folder); kill -HUP reads\n"
    "                        them again, without losing a packet (with\n"
    "                        one worker)\n"
    "      --thresholds FILE\n"
    "                        a threshold.config: suppress, threshold,\n"
    "                        rate_filter, severity\n"
    "      --classification FILE\n"
    "                        a classification.config\n"
    "      --interceptors FILE\n"
    "                        names of intercepting products (default:\n"
    "                        interceptors.list, found like the rules)\n"
    "      --trust FILE      trust these CA certificates (PEM) as well as\n"
    "                        the system's; may be given several times\n"
    "      --no-system-trust trust only what --trust names\n"
    "      --eve FILE|-      write alerts as JSON lines as they are raised;\n"
    "                        - is standard output, all else then goes to\n"
    "                        standard error\n"
    "      --eve-types LIST  beside alerts and incidents also: flow, tls,\n"
    "                        smtp, imap, pop3, stats (commas between)\n"
    "      --host NAME       name of this sensor in the JSON (default: this\n"
    "                        machine's)\n"
    "      --json            summary as JSON\n"
    "      --stats FILE      write the same, with all counters, to FILE too\n"
    "      --again           store and learn even what was read before\n"
    "      --fail-on SEV     exit 3 if an alert is at least info, low,\n"
    "                        medium, high or critical\n"
    "      --reassembly HOW  on-demand (default), or always: every segment\n"
    "                        through libnids; the findings are the same\n"
    "      --authorized-resetter WHO\n"
    "                        resets of this device of your own are no\n"
    "                        finding: the MAC address its frames come from,\n"
    "                        or tcpkill, libnids, ips-reject, syn-copy or\n"
    "                        train-1460; may be given several times\n"
    "  -q, --quiet           only problems\n"
    "  -v, --verbose         more: files as they end, counters\n"
    "  -h, --help            this text\n\n"
    "exit status: 0 the input was read, whatever was found; 1 some of it\n"
    "could not be read whole or stored; 2 wrong usage, rules or trust file;\n"
    "3 --fail-on found something\n";

enum {
	OPT_TRUST = 256,
	OPT_INTERCEPTORS,
	OPT_THRESHOLDS,
	OPT_CLASSIFICATION,
	OPT_NO_SYSTEM,
	OPT_EVE,
	OPT_EVE_TYPES,
	OPT_HOST,
	OPT_JSON,
	OPT_STATS,
	OPT_AGAIN,
	OPT_FAIL_ON,
	OPT_REASSEMBLY,
	OPT_RESETTER,
	OPT_NO_DB
};

static const char short_options[] = "c:d:r:w:qvh";
static const struct option options[] = {
    OPTION_CONFIG,
    {"db", required_argument, NULL, 'd'},
    {"workers", required_argument, NULL, 'w'},
    {"no-db", no_argument, NULL, OPT_NO_DB},
    {"rules", required_argument, NULL, 'r'},
    {"interceptors", required_argument, NULL, OPT_INTERCEPTORS},
    {"thresholds", required_argument, NULL, OPT_THRESHOLDS},
    {"classification", required_argument, NULL, OPT_CLASSIFICATION},
    {"trust", required_argument, NULL, OPT_TRUST},
    {"no-system-trust", no_argument, NULL, OPT_NO_SYSTEM},
    {"eve", required_argument, NULL, OPT_EVE},
    {"eve-types", required_argument, NULL, OPT_EVE_TYPES},
    {"host", required_argument, NULL, OPT_HOST},
    {"json", no_argument, NULL, OPT_JSON},
    {"stats", required_argument, NULL, OPT_STATS},
    {"again", no_argument, NULL, OPT_AGAIN},
    {"fail-on", required_argument, NULL, OPT_FAIL_ON},
    {"reassembly", required_argument, NULL, OPT_REASSEMBLY},
    {"authorized-resetter", required_argument, NULL, OPT_RESETTER},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static volatile int stopped, hangups;

static int run(struct read_options *, int, char **);
static int parse_options(struct read_options *, int, char **);
static void on_say(void *, enum say, const char *);
static void on_alert(void *, const struct alert *, int64_t);
static void on_tick(void *, uint64_t, uint64_t, uint64_t);
static void on_signal(int);
static void on_hangup(int);
static int read_all(struct read_options *, char **, unsigned);
static char *join_words(int, char **);

int
cmd_read(int argc, char **argv)
{
	struct read_options o = {.fail_on = -1};
	int status;

	status = options_config(&o.config, argc, argv, short_options, options);
	if (status == 0)
		status = run(&o, argc, argv);
	config_fini(&o.config);
	return status;
}

static int
run(struct read_options *o, int argc, char **argv)
{
	char *line;
	int status = parse_options(o, argc, argv);

	if (status != -1)
		return status;
	if (optind == argc) {
		fputs("stripwire read: which capture? Name a file, a folder "
		      "or - (stripwire read --help)\n",
		    stderr);
		return 2;
	}
	setup_from_config(&o->setup, &o->config);
	if (o->no_db)
		o->setup.cfg.db_path = NULL;
	o->setup.cfg.workers = o->workers;
	if (setup_find_policy(&o->setup, "read") == -1)
		return 2;
	line = join_words(argc, argv);
	o->setup.cfg.command_line = line;
	status = read_all(o, argv + optind, (unsigned)(argc - optind));
	free(line);
	return status;
}

static int
bad_value(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "stripwire read: %s %s: must be %s\n", option, value,
	    wanted);
	return 2;
}

static int
set_workers(struct read_options *o, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n < 1 || n > 64)
		return bad_value("--workers", text, "1 to 64");
	o->workers = (unsigned)n;
	return -1;
}

/* One option; -1 to go on, or an exit status. */
static int
one_option(struct read_options *o, int c)
{
	struct config *f = &o->config;

	switch (c) {
	case 'c':
		return -1; /* read already */
	case 'd':
		options_text(&f->database, optarg);
		o->no_db = false;
		return -1;
	case 'w':
		return set_workers(o, optarg);
	case OPT_NO_DB:
		o->no_db = true;
		return -1;
	case 'r':
		options_text(&f->rules, optarg);
		return -1;
	case OPT_THRESHOLDS:
		options_text(&f->thresholds, optarg);
		return -1;
	case OPT_CLASSIFICATION:
		options_text(&f->classification, optarg);
		return -1;
	case OPT_INTERCEPTORS:
		options_text(&f->interceptors, optarg);
		return -1;
	case OPT_TRUST:
		if (f->ntrust == CONFIG_TRUST_MAX)
			return bad_value("--trust", optarg,
			    "one of at most 32; put more into one file");
		options_text(&f->trust[f->ntrust++], optarg);
		return -1;
	case OPT_NO_SYSTEM:
		f->system_trust = false;
		return -1;
	case OPT_EVE:
		options_text(&f->eve, optarg);
		return -1;
	case OPT_EVE_TYPES:
		return options_words("read", "--eve-types", optarg, "eve_types",
			   &f->eve_types) == 0
			   ? -1
			   : 2;
	case OPT_HOST:
		options_text(&f->sensor_name, optarg);
		return -1;
	case OPT_JSON:
		o->json = true;
		return -1;
	case OPT_STATS:
		o->stats = optarg;
		return -1;
	case OPT_AGAIN:
		o->setup.cfg.again = true;
		return -1;
	case OPT_FAIL_ON:
		o->fail_on = severity_by_name(optarg);
		return o->fail_on != -1 ? -1
					: bad_value("--fail-on", optarg,
					      "info, low, medium, high or "
					      "critical");
	case OPT_REASSEMBLY:
		f->reassembly = strcmp(optarg, "always") == 0
				    ? REASSEMBLY_ALWAYS
				    : REASSEMBLY_ON_DEMAND;
		if (strcmp(optarg, "always") == 0 ||
		    strcmp(optarg, "on-demand") == 0)
			return -1;
		return bad_value("--reassembly", optarg, "on-demand or always");
	case OPT_RESETTER:
		if (resetters_add(&f->resetters, optarg) == 0)
			return -1;
		return bad_value("--authorized-resetter", optarg,
		    "a MAC address (at most 32 of them) or tcpkill, libnids, "
		    "ips-reject, syn-copy or train-1460");
	case 'q':
		o->quiet = true;
		return -1;
	case 'v':
		o->verbose = true;
		return -1;
	case 'h':
		fputs(help, stdout);
		return 0;
	default:
		fputs("stripwire read --help lists the options\n", stderr);
		return 2;
	}
}

static int
parse_options(struct read_options *o, int argc, char **argv)
{
	int c, status;

	optind = 1;
	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		status = one_option(o, c);
		if (status != -1)
			return status;
	}
	return -1;
}

static int
read_all(struct read_options *o, char **paths, unsigned n)
{
	struct reading r = {.o = o};
	struct sigaction sa = {.sa_handler = on_signal};
	struct sigaction hup = {
	    .sa_handler = on_hangup, .sa_flags = SA_RESTART};
	struct pipeline *p;
	char err[700];
	bool eve_out = o->setup.cfg.eve_path != NULL &&
		       strcmp(o->setup.cfg.eve_path, "-") == 0;
	int status;

	r.summary = summary_new(eve_out ? stderr : stdout);
	if (r.summary == NULL) {
		fputs("stripwire read: out of memory\n", stderr);
		return 2;
	}
	o->setup.cfg.inputs = (const char *const *)paths;
	o->setup.cfg.ninputs = n;
	o->setup.cfg.on_say = on_say;
	o->setup.cfg.on_alert = on_alert;
	o->setup.cfg.on_tick = on_tick;
	o->setup.cfg.reload = &hangups;
	o->setup.cfg.ctx = &r;
	sigaction(SIGHUP, &hup, NULL);
	p = pipeline_new(&o->setup.cfg, err, sizeof(err));
	if (p == NULL) {
		fprintf(stderr, "stripwire read: %s\n", err);
		summary_free(r.summary);
		return 2;
	}
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	progress_start(!o->quiet && !o->json);
	status = pipeline_read(p, (const char *const *)paths, n, &stopped);
	progress_clear();
	status = summary_end(r.summary, &(struct summary_end){.pipeline = p,
					    .status = status,
					    .stopped = stopped != 0,
					    .json = o->json,
					    .quiet = o->quiet,
					    .verbose = o->verbose,
					    .db_path = o->setup.cfg.db_path,
					    .stats_path = o->stats,
					    .fail_on = o->fail_on});
	pipeline_free(p);
	summary_free(r.summary);
	return status;
}

static void
on_say(void *ctx, enum say what, const char *text)
{
	const struct reading *r = ctx;

	if ((what == SAY_DETAIL && !r->o->verbose) ||
	    (what == SAY_NOTE && r->o->quiet))
		return;
	progress_clear();
	fprintf(stderr, "%s\n", text);
}

static void
on_alert(void *ctx, const struct alert *a, int64_t id)
{
	const struct reading *r = ctx;

	summary_alert(r->summary, a, id);
}

static void
on_tick(void *ctx, uint64_t done, uint64_t total, uint64_t packets)
{
	(void)ctx;
	progress_update(done, total, packets);
}

static void
on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

/* The rules are read again before the next packet. */
static void
on_hangup(int sig)
{
	(void)sig;
	hangups++;
}

/* The command as typed, for the run's row in the database. */
static char *
join_words(int argc, char **argv)
{
	size_t need = 1, used = 0;
	char *out;

	for (int i = 0; i < argc; i++)
		need += strlen(argv[i]) + 1;
	out = malloc(need);
	if (out == NULL)
		return NULL;
	for (int i = 0; i < argc; i++)
		used +=
		    (size_t)sprintf(out + used, "%s%s", i ? " " : "", argv[i]);
	return out;
}
