/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stripwire: finds the command and hands it its arguments.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "sensor/cmd_alerts.h"
#include "sensor/cmd_backup.h"
#include "sensor/cmd_certs.h"
#include "sensor/cmd_config.h"
#include "sensor/cmd_doctor.h"
#include "sensor/cmd_feed.h"
#include "sensor/cmd_history.h"
#include "sensor/cmd_incidents.h"
#include "sensor/cmd_read.h"
#include "sensor/cmd_rules.h"
#include "sensor/cmd_run.h"
#include "sensor/cmd_servers.h"
#include "sensor/cmd_show.h"
#include "sensor/cmd_status.h"
#include "sensor/command.h"
#include "sensor/harden.h"
#include "decoders/version.h"

static const struct command commands[] = {
    {"read", cmd_read, "read captures, name the attacks, store alerts"},
    {"run", cmd_run, "capture live, as a service"},
    {"doctor", cmd_doctor, "say what is wrong with a span port or capture"},
    {"status", cmd_status, "ask the running sensor what it does"},
    {"incidents", cmd_incidents, "alerts that tell one story: list, explain"},
    {"alerts", cmd_alerts, "list the alerts of a database, close them"},
    {"show", cmd_show, "one alert with its evidence, step by step"},
    {"certs", cmd_certs, "certificates seen: list, explain, export"},
    {"servers", cmd_servers, "what each server offers, and since when"},
    {"history", cmd_history, "pin, acknowledge, forget, export what is known"},
    {"rules", cmd_rules, "check, list, explain, try and measure rules"},
    {"feed", cmd_feed, "where events are sent: list, test, send again"},
    {"backup", cmd_backup, "copy the database while the sensor runs"},
    {"config", cmd_config, "check and explain the configuration file"},
    {NULL, NULL, NULL},
};

static const struct command_group stripwire = {
    .name = "stripwire",
    .about = "stripwire notices when somebody on the path breaks the "
	     "encryption of mail",
    .commands = commands,
    .more = "  stripwire --version\n\n"
	    "to start: stripwire read capture.pcap\n",
};

int
main(int argc, char **argv)
{
	char err[160];

	if (harden_process(err, sizeof(err)) != 0) {
		fprintf(stderr, "stripwire: %s\n", err);
		return 2;
	}
	setlocale(LC_CTYPE, "");
	if (argc > 1 &&
	    (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
		printf("stripwire %s\n", STRIPWIRE_VERSION);
		return 0;
	}
	return command_run(&stripwire, argc, argv);
}
