/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inventory of servers: what each offers and requires, since when, and how
 * sure that is.
 */
#ifndef STRIPWIRE_CMD_SERVERS_H
#define STRIPWIRE_CMD_SERVERS_H

#include <stdio.h>

#include "rules/history.h"

/* `stripwire servers`. Returns the exit status. */
int cmd_servers(int argc, char **argv);

/* The table; only those of one key's server and port if one is not NULL.
 * Returns how many lines. */
unsigned servers_print(
    FILE *out, const struct history *h, const struct server_key *one);

#endif
