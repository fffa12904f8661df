/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stripwire: finds the command and hands it its arguments.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "sensor/cmd_alerts.h"
#include "sensor/cmd_read.h"
#include "sensor/cmd_show.h"
#include "sensor/version.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
    {"read", cmd_read, "read captures, name the attacks, store alerts"},
    {"alerts", cmd_alerts, "list the alerts of a database"},
    {"show", cmd_show, "one alert with its evidence, step by step"},
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
usage(FILE *out)
{
	fputs("stripwire notices when somebody on the path breaks the "
	      "encryption of mail\n\n"
	      "usage: stripwire COMMAND [options]\n\n",
	    out);
	for (size_t i = 0; i < NCOMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].what);
	fputs("\n  stripwire COMMAND --help   options of a command\n"
	      "  stripwire --version\n\n"
	      "to start: stripwire read capture.pcap\n",
	    out);
}

int
main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("stripwire %s\n", STRIPWIRE_VERSION);
		return 0;
	}
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr,
	    "stripwire: there is no command '%s'; stripwire --help lists "
	    "them\n",
	    argv[1]);
	return 2;
}
