/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The copy is a database like any other: `-d` of all commands takes it.
 */
#include "sensor/cmd_backup.h"

#include <stdbool.h>
#include <string.h>

#include "db/backup.h"
#include "db/query.h"
#include "sensor/options.h"

static const char help[] =
    "usage: stripwire backup [options] FILE\n\n"
    "Copies the database into FILE as it is at this moment. A sensor that\n"
    "writes to it goes on undisturbed.\n\n"
    "  -c, --config FILE     configuration (default: " CONFIG_PATH "\n"
    "                        if it is there), for database\n"
    "  -d, --db FILE         the database\n"
    "      --force           replace FILE if it is there\n"
    "  -h, --help            this text\n\n"
    "exit status: 0 FILE is whole and on the disk; 1 it could not be made, "
    "and\n"
    "what was there is as it was; 2 usage\n";

static const char short_options[] = "c:d:h";
static const struct option options[] = {OPTION_CONFIG,
    {"db", required_argument, NULL, 'd'}, {"force", no_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

static int
copy(const char *db, const char *to, bool force)
{
	char err[600];
	struct query *q = query_open(db, err, sizeof(err));
	int64_t size = -1;

	if (q != NULL)
		size = backup_make(q, to, force, err, sizeof(err));
	query_close(q);
	if (size == -1) {
		fprintf(stderr, "stripwire backup: %s\n", err);
		return 1;
	}
	printf("%s: %.1f MB\n", to, (double)size / 1e6);
	return 0;
}

static int
run(struct config *f, int argc, char **argv)
{
	bool force = false;
	int c;

	optind = 1;
	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		if (c == 'd') {
			options_text(&f->database, optarg);
		} else if (c == 'f') {
			force = true;
		} else if (c == 'h') {
			fputs(help, stdout);
			return 0;
		} else if (c != 'c') {
			fputs("stripwire backup --help lists the options\n",
			    stderr);
			return 2;
		}
	}
	if (argc - optind != 1) {
		fputs("stripwire backup: into which file? (stripwire backup "
		      "--help)\n",
		    stderr);
		return 2;
	}
	return copy(f->database, argv[optind], force);
}

int
cmd_backup(int argc, char **argv)
{
	struct config f;
	int status;

	status = options_config(&f, argc, argv, short_options, options);
	if (status == 0)
		status = run(&f, argc, argv);
	config_fini(&f);
	return status;
}
