/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stripwire status: what a running sensor does, asked over its socket; for
 * people, as JSON, or in Prometheus' text format.
 */
#ifndef STRIPWIRE_CMD_STATUS_H
#define STRIPWIRE_CMD_STATUS_H

#include <jansson.h>
#include <stdbool.h>

int cmd_status(int argc, char **argv);

/* The answer of the sensor at that socket, a new reference; NULL: there is
 * none, which is said, unless quiet. */
json_t *status_ask(const char *path, bool quiet);

#endif
