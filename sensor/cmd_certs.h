/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `stripwire certs`: the certificates of a database, as a table, one by one,
 * as JSON, as PEM.
 */
#ifndef STRIPWIRE_CMD_CERTS_H
#define STRIPWIRE_CMD_CERTS_H

/* Returns the exit status: 0, 1 (cannot be read, none of that kind), 2
 * usage. */
int cmd_certs(int argc, char **argv);

#endif
