/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `stripwire alerts ack|close|reopen|comment` and the same of incidents.
 */
#ifndef STRIPWIRE_TRIAGE_CMD_H
#define STRIPWIRE_TRIAGE_CMD_H

#include "db/triage.h"

#define TRIAGE_USAGE(noun)                                                 \
	"       stripwire " noun " ack ID... [-m TEXT]\n"                  \
	"       stripwire " noun " close ID... --as attack|not-an-attack|" \
	"resolved\n"                                                       \
	"                 [-m TEXT]\n"                                     \
	"       stripwire " noun " reopen ID... [-m TEXT]\n"               \
	"       stripwire " noun " comment ID... -m TEXT\n"

#define TRIAGE_USAGE_ALERTS TRIAGE_USAGE("alerts")
#define TRIAGE_USAGE_INCIDENTS TRIAGE_USAGE("incidents")

/* Is argv[1] one of the verbs? */
bool triage_is_verb(int argc, char **argv);
/* Runs it; returns the exit status. */
int triage_cmd(enum triage_kind kind, int argc, char **argv);

#endif
