/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the alert and prints it as a ladder, as JSON, or as packets.
 */
#include "sensor/cmd_show.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "db/evidence_pcap.h"
#include "sensor/alert_json.h"
#include "sensor/cmd_alerts.h"
#include "sensor/options.h"
#include "sensor/show_ladder.h"

#define ERR_MAX 512

struct show_options {
	struct config config;
	const char *db, *pcap;
	int64_t id;
	bool json;
	int status; /* of the printing */
};

static const char usage_text[] =
    "usage: stripwire show ID [options]\n"
    "\n"
    "Explains one alert: who sent what and when, which packet was the wrong\n"
    "one, why, where the cause may sit, and what to do. `stripwire alerts`\n"
    "lists the IDs.\n"
    "\n"
    "  -c, --config FILE configuration, which may name the database\n"
    "  -d, --db FILE     the database (default: " DB_DEFAULT ")\n"
    "      --json        one JSON object instead\n"
    "      --pcap FILE   write the evidence packets to FILE (- for standard\n"
    "                    output) for Wireshark: headers as they were seen,\n"
    "                    secrets masked\n"
    "  -h, --help        this text\n"
    "\n"
    "Exit status: 0, 1 if there is no such alert or a file cannot be read or\n"
    "written, 2 for usage.\n";

static const char short_options[] = "c:d:h";
static const struct option options[] = {OPTION_CONFIG,
    {"db", required_argument, NULL, 'd'}, {"json", no_argument, NULL, 'j'},
    {"pcap", required_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

static int
write_failed(const char *path, int error)
{
	fprintf(stderr, "stripwire show: %s: cannot be written: %s\n", path,
	    strerror(error));
	return 1;
}

static int
write_pcap(const char *path, const struct query_row *row)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *out = standard ? stdout : fopen(path, "wbe");
	int n, error;

	if (out == NULL)
		return write_failed(path, errno);
	n = evidence_pcap_write(out, &row->alert);
	error = errno;
	if (!standard && fclose(out) != 0 && n >= 0) {
		n = -1;
		error = errno;
	}
	if (n == -1)
		return write_failed(path, error);
	fprintf(stderr, "%d packet%s of alert %lld written to %s\n", n,
	    n == 1 ? "" : "s", (long long)row->id, path);
	return 0;
}

static int
show_row(void *ctx, const struct query_row *row)
{
	struct show_options *o = ctx;
	struct text_style st;

	if (o->json && alert_json_print(stdout, row) == -1)
		o->status = write_failed("standard output", errno);
	if (o->pcap != NULL)
		o->status = write_pcap(o->pcap, row);
	if (o->json || o->pcap != NULL)
		return 1;
	text_style_init(&st, stdout);
	show_ladder(stdout, &st, row);
	return 1;
}

/* "17" or "#17" */
static int
parse_id(const char *s, int64_t *id)
{
	char *end;

	if (*s == '#')
		s++;
	errno = 0;
	*id = strtoll(s, &end, 10);
	return *s >= '0' && *s <= '9' && *end == '\0' && errno == 0 && *id > 0
		   ? 0
		   : -1;
}

static int
parse_options(struct show_options *o, int argc, char **argv)
{
	int c;

	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		if (c == 'd')
			o->db = optarg;
		else if (c == 'j')
			o->json = true;
		else if (c == 'p')
			o->pcap = optarg;
		else if (c == 'h')
			return fputs(usage_text, stdout), 1;
		else if (c != 'c') /* read already */
			return -1;
	}
	return 0;
}

/* 0: go on; else the exit status plus 1. */
static int
parse(struct show_options *o, int argc, char **argv)
{
	int rc = parse_options(o, argc, argv);

	if (rc == 1)
		return 1;
	if (rc == 0 && optind + 1 == argc &&
	    parse_id(argv[optind], &o->id) == 0)
		return 0;
	if (rc == 0 && optind == argc)
		fputs("stripwire show: which alert? give its ID\n", stderr);
	else if (rc == 0 && optind + 1 == argc)
		fprintf(
		    stderr, "stripwire show: '%s' is no ID\n", argv[optind]);
	else if (rc == 0)
		fputs("stripwire show: one ID at a time\n", stderr);
	fputs("stripwire show --help shows the options\n", stderr);
	return 3;
}

static int
run(struct show_options *o, int argc, char **argv)
{
	struct query_filter f;
	char err[ERR_MAX] = "";
	int64_t n;
	int status;

	o->db = o->config.database;
	if ((status = parse(o, argc, argv)) != 0)
		return status - 1;
	query_filter_init(&f);
	f.id = o->id;
	n = query_alerts(o->db, &f, show_row, o, err, sizeof(err));
	if (n == -1)
		fprintf(stderr, "stripwire show: %s\n", err);
	else if (n == 0)
		fprintf(stderr,
		    "stripwire show: there is no alert %lld in %s; `stripwire "
		    "alerts` lists them\n",
		    (long long)o->id, o->db);
	if (n != 1)
		return 1;
	if (fflush(stdout) != 0 || ferror(stdout))
		return write_failed("standard output", errno);
	return o->status;
}

int
cmd_show(int argc, char **argv)
{
	struct show_options o = {0};
	int status =
	    options_config(&o.config, argc, argv, short_options, options);

	if (status == 0)
		status = run(&o, argc, argv);
	config_fini(&o.config);
	return status;
}
