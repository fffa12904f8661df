/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks at an interface for a while, or at captures, with the half of the
 * sensor that sees packets and nobody to judge. Live it is confined like a
 * worker.
 */
#include "sensor/cmd_doctor.h"

#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sensor/capture.h"
#include "sensor/options.h"
#include "sensor/sandbox.h"
#include "sensor/setup.h"
#include "sensor/span.h"

#define SECONDS_MAX 86400
#define BATCH 256
#define TURN_MS 50
#define ERR_MAX 400

struct doctor {
	struct config config;
	struct setup setup;
	const char *interface;
	unsigned seconds;
	bool json;
	struct span *span;
	struct frontend *front;
	uint64_t ordinal;
	struct live_counters live;
	double took;
};

static volatile sig_atomic_t stopped;

static const char help[] =
    "usage: stripwire doctor [options] -i INTERFACE\n"
    "       stripwire doctor [options] FILE...\n\n"
    "Looks at a span port for a minute, or at captures, and says what is\n"
    "wrong: one direction only, every packet twice, frames that are cut, "
    "loss,\n"
    "packets put together by a network card, no mail at all.\n\n"
    "  -i, --interface IF    look at what comes in there; needs root or the\n"
    "                        capability CAP_NET_RAW\n"
    "      --seconds N       for so long (default 60); SIGINT ends it earlier\n"
    "  -c, --config FILE     configuration (default: " CONFIG_PATH "\n"
    "                        if it is there), for run.buffer and the like\n"
    "      --json            for programs\n"
    "  -h, --help            this text\n\n"
    "exit status: 0 nothing is wrong; 1 something is, for which attacks may "
    "be\n"
    "missed; 2 it could not look\n";

enum { OPT_SECONDS = 256, OPT_JSON };

static const char short_options[] = "c:i:h";
static const struct option options[] = {OPTION_CONFIG,
    {"interface", required_argument, NULL, 'i'},
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"json", no_argument, NULL, OPT_JSON}, {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

static int
mistake(const char *what)
{
	fprintf(stderr, "stripwire doctor: %s\n", what);
	return 2;
}

/* ---- packets ---- */

static void
on_obs(void *ctx, struct obs *o)
{
	(void)ctx;
	(void)o; /* the frontend counts them */
}

static void
on_packet(void *ctx, struct packet *pkt)
{
	struct doctor *d = ctx;

	pkt->ordinal = ++d->ordinal;
	frontend_packet(d->front, pkt);
	span_packet(d->span, pkt);
}

static int
prepare(struct doctor *d)
{
	static const uint8_t no_key[16]; /* nothing leaves */
	struct frontend_config fc = {.tracker = d->setup.cfg.tracker,
	    .tls_bytes = d->setup.cfg.tls_bytes,
	    .secret_key = no_key,
	    .sink = {.emit = on_obs}};
	char err[ERR_MAX] = "out of memory";

	d->span = span_new();
	if (d->span != NULL)
		d->front = frontend_new(&fc, err, sizeof(err));
	return d->front != NULL ? -1 : mistake(err);
}

static void
on_problem(void *ctx, int severity, const char *sentence)
{
	(void)ctx;
	if (severity > 0)
		fprintf(stderr, "%s\n", sentence);
}

static void
on_file_end(void *ctx, const struct capture_file *f)
{
	(void)ctx;
	(void)f;
}

static int
look_at_files(struct doctor *d, char **paths, unsigned n)
{
	struct capture_config cc = {
	    .on_problem = on_problem, .on_file_end = on_file_end};
	char err[ERR_MAX];
	struct capture *c =
	    capture_open((const char *const *)paths, n, &cc, err, sizeof(err));
	struct packet pkt;
	int64_t first = 0;

	if (c == NULL)
		return mistake(err);
	while (capture_next(c, &pkt) == 1) {
		if (d->ordinal == 0)
			first = pkt.time;
		d->took = (double)(pkt.time - first) / 1e9;
		on_packet(d, &pkt);
	}
	capture_close(c);
	return -1;
}

static void
on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static double
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
confine(char *err, size_t errlen)
{
	struct sandbox box = {
	    .role = SANDBOX_WORKER, .change_user = geteuid() == 0};
	static char room[BUFSIZ];

	/* what stdio would ask of the kernel later */
	(void)setvbuf(stdout, room, _IOFBF, sizeof(room));
	if (box.change_user &&
	    sandbox_find_user("stripwire", &box.uid, &box.gid) == -1 &&
	    sandbox_find_user("nobody", &box.uid, &box.gid) == -1) {
		(void)snprintf(err, errlen,
		    "there is neither a user stripwire nor nobody to become");
		return -1;
	}
	if (sandbox_user(&box, err, errlen) == -1)
		return -1;
	return sandbox_enter(&box, err, errlen);
}

static int
watch_interface(struct doctor *d, struct live *l)
{
	double start = clock_now();
	char err[ERR_MAX];

	while (!stopped && (d->took = clock_now() - start) < d->seconds) {
		struct pollfd p = {live_fd(l), POLLIN, 0};
		int n = live_read(l, BATCH, on_packet, d, err, sizeof(err));

		if (n == -1)
			return mistake(err);
		if (n == 0)
			(void)poll(&p, 1, TURN_MS);
	}
	(void)live_counters(l, &d->live);
	return -1;
}

static int
look_at_interface(struct doctor *d)
{
	const struct config *f = &d->config;
	const struct live_config lc = {.interface = d->interface,
	    .buffer = f->buffer,
	    .snaplen = (uint32_t)f->snaplen,
	    .promiscuous = f->promiscuous,
	    .timestamps = f->timestamps,
	    .filter = f->filter,
	    .workers = 1};
	struct sigaction sa = {.sa_handler = on_signal};
	char err[ERR_MAX];
	struct live *l = live_open(&lc, err, sizeof(err));
	int status;

	if (l == NULL)
		return mistake(err);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "looking at %s for %u s\n", d->interface,
		    d->seconds);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	status = confine(err, sizeof(err)) == -1 ? mistake(err)
						 : watch_interface(d, l);
	live_close(l);
	return status;
}

/* ---- what is said ---- */

static void
print_json(const struct doctor *d, const struct span_check *c, unsigned n)
{
	static const char *const grade[] = {
	    [SPAN_OK] = "ok", [SPAN_NOTE] = "note", [SPAN_WRONG] = "wrong"};
	json_t *o = json_object(), *list = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list,
		    json_pack("{ss ss sf ss ss*}", "check", c[i].name, "grade",
			grade[c[i].grade], "percent", c[i].percent, "text",
			c[i].text, "advice", c[i].advice));
	if (d->interface != NULL)
		json_object_set_new(o, "interface", json_string(d->interface));
	json_object_set_new(o, "seconds", json_real(d->took));
	json_object_set_new(o, "packets", json_integer((json_int_t)d->ordinal));
	json_object_set_new(
	    o, "connections", json_integer((json_int_t)span_talks(d->span)));
	json_object_set_new(o, "checks", list);
	json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(o);
}

/* Worst first. */
static void
print_text(const struct doctor *d, const struct span_check *c, unsigned n)
{
	static const char *const word[] = {
	    [SPAN_OK] = "ok", [SPAN_NOTE] = "note", [SPAN_WRONG] = "WRONG"};

	printf("%s: %.0f s, %llu packets, %llu TCP connections of three "
	       "packets or more\n",
	    d->interface != NULL ? d->interface : "captures", d->took,
	    (unsigned long long)d->ordinal,
	    (unsigned long long)span_talks(d->span));
	for (int grade = SPAN_WRONG; grade >= SPAN_OK; grade--)
		for (unsigned i = 0; i < n; i++) {
			if ((int)c[i].grade != grade)
				continue;
			printf("%-6s %s\n", word[grade], c[i].text);
			if (c[i].advice != NULL)
				printf("       %s\n", c[i].advice);
		}
}

static int
tell(struct doctor *d)
{
	struct span_check check[SPAN_CHECKS];
	struct frontend_totals t;
	unsigned n, wrong = 0;

	frontend_flush(d->front);
	frontend_totals(d->front, &t);
	n = span_judge(
	    d->span, &t, d->interface != NULL ? &d->live : NULL, check);
	for (unsigned i = 0; i < n; i++)
		wrong += check[i].grade == SPAN_WRONG;
	if (d->json)
		print_json(d, check, n);
	else
		print_text(d, check, n);
	return wrong > 0 ? 1 : 0;
}

/* ---- options ---- */

static int
one_option(struct doctor *d, int c)
{
	unsigned long n;
	char *end;

	switch (c) {
	case 'c':
		return -1; /* read already */
	case 'i':
		d->interface = optarg;
		return -1;
	case OPT_SECONDS:
		n = strtoul(optarg, &end, 10);
		if (*end != '\0' || n < 1 || n > SECONDS_MAX)
			return mistake("--seconds: 1 to 86400");
		d->seconds = (unsigned)n;
		return -1;
	case OPT_JSON:
		d->json = true;
		return -1;
	case 'h':
		fputs(help, stdout);
		return 0;
	default:
		return mistake("--help lists the options");
	}
}

static int
run(struct doctor *d, int argc, char **argv)
{
	int c, status;

	optind = 1;
	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		status = one_option(d, c);
		if (status != -1)
			return status;
	}
	if ((d->interface != NULL) == (optind < argc))
		return mistake("name an interface with -i, or captures "
			       "(stripwire doctor --help)");
	setup_from_config(&d->setup, &d->config);
	status = prepare(d);
	if (status == -1)
		status = d->interface != NULL ? look_at_interface(d)
					      : look_at_files(d, argv + optind,
						    (unsigned)(argc - optind));
	return status == -1 ? tell(d) : status;
}

int
cmd_doctor(int argc, char **argv)
{
	static struct doctor d;
	int status;

	d.seconds = 60;
	status = options_config(&d.config, argc, argv, short_options, options);
	if (status == 0)
		status = run(&d, argc, argv);
	frontend_free(d.front);
	span_free(d.span);
	config_fini(&d.config);
	return status;
}
