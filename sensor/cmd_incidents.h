/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `stripwire incidents`: lists them, explains one, and takes what an operator
 * says of them.
 */
#ifndef STRIPWIRE_CMD_INCIDENTS_H
#define STRIPWIRE_CMD_INCIDENTS_H

int cmd_incidents(int argc, char **argv);

#endif
