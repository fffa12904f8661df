/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sensor answers with one JSON object (status.c); the other forms are made
 * from it here.
 */
#include "sensor/cmd_status.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "sensor/feeds_status.h"
#include "sensor/options.h"
#include "sensor/status_memory.h"
#include "sensor/text.h"

#define ANSWER_MAX (1u << 20)
#define WEEK (7 * 86400) /* s: history learns */

struct status_options {
	struct config config;
	bool json, prometheus;
};

static const char help[] =
    "usage: stripwire status [options]\n\n"
    "Asks the running sensor what it does: packets, losses, connections,\n"
    "observations of each worker, alerts, memory by table, how well servers\n"
    "are known, feeds, and what the last SIGHUP could not load.\n\n"
    "  -c, --config FILE     configuration (default: " CONFIG_PATH "\n"
    "                        if it is there), for run.socket\n"
    "      --socket PATH     the sensor's socket\n"
    "      --json            as JSON\n"
    "      --prometheus      in Prometheus' text format\n"
    "  -h, --help            this text\n\n"
    "exit status: 0 it answered; 1 it answered, and packets or observations\n"
    "were lost, processes died, or what was changed did not load; 2 no sensor\n"
    "answers\n";

enum { OPT_SOCKET = 256, OPT_JSON, OPT_PROMETHEUS };

static const char short_options[] = "c:h";
static const struct option options[] = {
    OPTION_CONFIG,
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"json", no_argument, NULL, OPT_JSON},
    {"prometheus", no_argument, NULL, OPT_PROMETHEUS},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* One option; -1 to go on, or an exit status. */
static int
one_option(struct status_options *o, int c)
{
	switch (c) {
	case 'c':
		return -1; /* read already */
	case OPT_SOCKET:
		options_text(&o->config.socket, optarg);
		return -1;
	case OPT_JSON:
		o->json = true;
		return -1;
	case OPT_PROMETHEUS:
		o->prometheus = true;
		return -1;
	case 'h':
		fputs(help, stdout);
		return 0;
	default:
		fputs("stripwire status --help lists the options\n", stderr);
		return 2;
	}
}

static int
connect_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		(void)close(fd);
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path));
	if (fd == -1 || connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

json_t *
status_ask(const char *path, bool quiet)
{
	int fd = connect_to(path);
	json_error_t why;
	size_t used = 0;
	ssize_t got;
	json_t *o;
	char *buf;

	if (fd == -1 && quiet)
		return NULL;
	if (fd == -1) {
		fprintf(stderr,
		    "stripwire status: no sensor answers at %s: %s (is "
		    "stripwire run running, and may you ask it?)\n",
		    path, strerror(errno));
		return NULL;
	}
	buf = malloc(ANSWER_MAX);
	while (buf != NULL && used < ANSWER_MAX &&
	       (got = read(fd, buf + used, ANSWER_MAX - used)) > 0)
		used += (size_t)got;
	(void)close(fd);
	o = buf != NULL ? json_loadb(buf, used, 0, &why) : NULL;
	free(buf);
	if (o == NULL)
		fputs("stripwire status: the answer makes no sense\n", stderr);
	return o;
}

static json_int_t
get(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static json_int_t
sum(const json_t *o, const char *name)
{
	json_int_t n = 0;
	json_t *w;
	size_t i;

	json_array_foreach(json_object_get(o, "workers"), i, w) n +=
	    get(w, name);
	return n;
}

/* ---- for people ---- */

static void
print_head(const json_t *o)
{
	const char *filter = json_string_value(json_object_get(o, "filter"));
	json_int_t s = get(o, "seconds");
	json_t *name;
	size_t i;

	printf("stripwire %s, for %lld d %02lld:%02lld:%02lld, on",
	    json_string_value(json_object_get(o, "version")), s / 86400,
	    s / 3600 % 24, s / 60 % 60, s % 60);
	json_array_foreach(json_object_get(o, "interfaces"), i, name)
	    printf(" %s", json_string_value(name));
	putchar('\n');
	if (filter != NULL && filter[0] != '\0')
		printf("filter: %s\n        packets that do not match are not "
		       "seen, such as mail on odd ports or in tunnels\n",
		    filter);
	if (!json_is_true(json_object_get(o, "sandbox")))
		puts("WITHOUT a sandbox");
}

static void
print_workers(const json_t *o)
{
	static const char *const column[] = {"worker", "packets",
	    "kernel_dropped", "flows_now", "mail_now", "observations",
	    "observations_shed", "restarts"};
	static const char *const title[] = {"worker", "packets", "dropped",
	    "flows", "mail", "observed", "shed", "restarts"};
	json_t *w;
	size_t i;

	for (unsigned c = 0; c < sizeof(title) / sizeof(title[0]); c++)
		printf("%*s", c == 0 ? 6 : 13, title[c]);
	putchar('\n');
	json_array_foreach(json_object_get(o, "workers"), i, w)
	{
		for (unsigned c = 0; c < sizeof(column) / sizeof(column[0]);
		     c++)
			printf("%*lld", c == 0 ? 6 : 13, get(w, column[c]));
		putchar('\n');
	}
}

static void
print_judge(const json_t *o)
{
	const json_t *j = json_object_get(o, "judge");
	const json_t *a = json_object_get(j, "alerts");

	printf("alerts: %lld critical, %lld high, %lld medium, %lld low, %lld "
	       "info; not stored: %lld\n",
	    get(a, "critical"), get(a, "high"), get(a, "medium"), get(a, "low"),
	    get(a, "info"), get(j, "alerts_lost"));
	printf("judged %lld observations, the last %lld ms after it was on the "
	       "wire; %lld certificate chains\n",
	    get(j, "observations"), get(j, "lag_ms"), get(j, "chains"));
}

/* In its first week the sensor has seen little: what is said then of servers
 * that it does not know well is not as sure. */
static void
print_history(const json_t *o)
{
	const json_t *h =
	    json_object_get(json_object_get(o, "judge"), "history");
	json_int_t once = get(h, "servers_known_once");
	json_int_t some = get(h, "servers_known_some");
	json_int_t well = get(h, "servers_known_well");
	time_t since = (time_t)get(h, "since");

	if (since == 0) {
		puts("history: no server is known yet: what is unusual cannot "
		     "be told from what is new");
		return;
	}
	printf("history: %lld servers known well, %lld by some sessions, %lld "
	       "by one\n",
	    well, some, once);
	if (time(NULL) - since < WEEK)
		printf("         learning since %.1f days: of servers that are "
		       "not known well, a change is not noticed for sure\n",
		    (double)(time(NULL) - since) / 86400);
}

/* Which rules are in force, since when, and what did not load. */
static void
print_reload(const json_t *o)
{
	const json_t *r = json_object_get(o, "reload");
	const json_t *lines = json_object_get(r, "mistakes");
	char since[TEXT_TIME_MAX];
	json_t *t;
	size_t i;

	(void)text_time_seconds(since, get(r, "loaded_at") * 1000000000);
	printf("rules in force: %lld, since %s\n", get(r, "rules"), since);
	json_array_foreach(json_object_get(r, "restart_needed"), i, t)
	    printf("%s: changed, which counts after a restart\n",
		json_string_value(t));
	if (json_is_true(json_object_get(r, "pending")))
		puts("reload: under way");
	if (!json_is_true(json_object_get(r, "last_failed")))
		return;
	(void)text_time_seconds(since, get(r, "tried_at") * 1000000000);
	printf("NOT RELOADED at %s, what was before stays in force:\n", since);
	json_array_foreach(lines, i, t)
	    printf("    %s\n", json_string_value(t));
	if (get(r, "mistakes_count") > (json_int_t)json_array_size(lines))
		printf("    and %lld more, see the log\n",
		    get(r, "mistakes_count") -
			(json_int_t)json_array_size(lines));
}

static json_int_t
feeds_lost(const json_t *o, const char *field)
{
	json_int_t n = 0;
	json_t *f;
	size_t i;

	json_array_foreach(json_object_get(o, "feeds"), i, f) n +=
	    get(f, field);
	return n;
}

/* What makes the sensor blind comes last and alone. Returns how much. */
static json_int_t
print_losses(const json_t *o, bool quiet)
{
	const json_t *j = json_object_get(o, "judge");
	const struct {
		json_int_t n;
		const char *what;
	} loss[] = {{sum(o, "kernel_dropped"), "packets dropped by the kernel"},
	    {sum(o, "interface_dropped"), "packets dropped by the interface"},
	    {sum(o, "observations_shed"), "observations shed"},
	    {sum(o, "flows_evicted"), "connections given up for others"},
	    {sum(o, "packets_skipped"), "packets skipped as deadly"},
	    {get(j, "observations_refused"), "observations that made no sense"},
	    {get(j, "chains_unanswered"), "chains not verified"},
	    {get(j, "alerts_lost"), "alerts not stored"},
	    {feeds_lost(o, "expired"), "events retired before a feed sent "
				       "them"},
	    {feeds_lost(o, "failed"), "events that a feed could not send"},
	    {feeds_lost(o, "dropped") + get(o, "feeds_queue_dropped"),
		"events dropped on the way to a feed"},
	    {get(o, "restarts"), "processes replaced"}};
	json_int_t all = 0;

	for (unsigned i = 0; i < sizeof(loss) / sizeof(loss[0]); i++) {
		all += loss[i].n;
		if (loss[i].n > 0 && !quiet)
			printf("LOST: %lld %s\n", loss[i].n, loss[i].what);
	}
	return all;
}

/* ---- Prometheus ---- */

static void
metric(const char *name, const char *type, const char *about)
{
	printf("# HELP stripwire_%s %s\n# TYPE stripwire_%s %s\n", name, about,
	    name, type);
}

static void
worker_metric(
    const json_t *o, const char *field, const char *type, const char *about)
{
	char name[80];
	json_t *w;
	size_t i;

	(void)snprintf(name, sizeof(name), "worker_%s%s", field,
	    strcmp(type, "counter") == 0 ? "_total" : "");
	metric(name, type, about);
	json_array_foreach(json_object_get(o, "workers"), i, w)
	    printf("stripwire_%s{worker=\"%lld\"} %lld\n", name,
		get(w, "worker"), get(w, field));
}

static void
print_known(const json_t *o)
{
	const json_t *j = json_object_get(o, "judge");
	json_t *n;
	const char *key;

	metric("servers_known", "gauge", "Servers by how well they are known.");
	json_object_foreach(json_object_get(j, "history"), key,
	    n) if (strncmp(key, "servers_known_", 14) == 0)
	    printf("stripwire_servers_known{how=\"%s\"} %lld\n", key + 14,
		json_integer_value(n));
}

static void
print_reloads(const json_t *r)
{
	metric("rules", "gauge", "Rules in force.");
	printf("stripwire_rules %lld\n", get(r, "rules"));
	metric("reload_successful", "gauge",
	    "Whether the last reload was taken (1) or refused (0).");
	printf("stripwire_reload_successful %d\n",
	    !json_is_true(json_object_get(r, "last_failed")));
	metric("reload_success_timestamp_seconds", "gauge",
	    "When what is in force was loaded.");
	printf("stripwire_reload_success_timestamp_seconds %lld\n",
	    get(r, "loaded_at"));
	metric("reloads_failed_total", "counter", "Reloads refused.");
	printf("stripwire_reloads_failed_total %lld\n", get(r, "failed"));
}

static void
print_prometheus(const json_t *o)
{
	static const char *const field[][3] = {
	    {"packets", "counter", "Packets looked at."},
	    {"bytes", "counter", "Bytes of them."},
	    {"kernel_received", "counter", "Packets the kernel captured."},
	    {"kernel_dropped", "counter", "Packets the kernel dropped."},
	    {"interface_dropped", "counter", "Packets the interface dropped."},
	    {"flows", "counter", "TCP connections seen."},
	    {"flows_now", "gauge", "TCP connections followed."},
	    {"mail_now", "gauge", "Mail connections decoded."},
	    {"flows_evicted", "counter", "Connections given up for others."},
	    {"observations", "counter", "Observations made."},
	    {"observations_shed", "counter", "Observations shed."},
	    {"queue_bytes", "gauge", "Bytes waiting for the judge."},
	    {"restarts", "counter", "Times the worker was replaced."}};
	const json_t *j = json_object_get(o, "judge"), *n;
	const char *severity;

	for (unsigned i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		worker_metric(o, field[i][0], field[i][1], field[i][2]);
	print_known(o);
	status_memory_metrics(o);
	metric("alerts_total", "counter", "Alerts by severity.");
	json_object_foreach(json_object_get(j, "alerts"), severity, n)
	    printf("stripwire_alerts_total{severity=\"%s\"} %lld\n", severity,
		json_integer_value(n));
	metric("alerts_lost_total", "counter", "Alerts not stored.");
	printf("stripwire_alerts_lost_total %lld\n", get(j, "alerts_lost"));
	metric("judge_observations_total", "counter", "Observations judged.");
	printf("stripwire_judge_observations_total %lld\n",
	    get(j, "observations"));
	print_reloads(json_object_get(o, "reload"));
	metric("uptime_seconds", "gauge", "Since the start.");
	printf("stripwire_uptime_seconds %lld\n", get(o, "seconds"));
	feeds_status_prometheus(json_object_get(o, "feeds"));
}

static int
show(const struct status_options *o)
{
	json_t *answer = status_ask(o->config.socket, false);
	int status;

	if (answer == NULL)
		return 2;
	if (o->json) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (o->prometheus) {
		print_prometheus(answer);
	} else {
		print_head(answer);
		print_workers(answer);
		print_judge(answer);
		print_history(answer);
		feeds_status_print(json_object_get(answer, "feeds"));
		status_print_memory(answer);
		print_reload(answer);
	}
	status = print_losses(answer, o->json || o->prometheus) > 0 ||
			 json_is_true(json_object_get(
			     json_object_get(answer, "reload"), "last_failed"))
		     ? 1
		     : 0;
	json_decref(answer);
	return status;
}

static int
run(struct status_options *o, int argc, char **argv)
{
	int c, status;

	optind = 1;
	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		status = one_option(o, c);
		if (status != -1)
			return status;
	}
	return show(o);
}

int
cmd_status(int argc, char **argv)
{
	struct status_options o = {.json = false};
	int status;

	status = options_config(&o.config, argc, argv, short_options, options);
	if (status == 0)
		status = run(&o, argc, argv);
	config_fini(&o.config);
	return status;
}
