/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stripwire status: what a running sensor does, asked over its socket; for
 * people, as JSON, or in Prometheus' text format.
 */
#ifndef STRIPWIRE_CMD_STATUS_H
#define STRIPWIRE_CMD_STATUS_H

int cmd_status(int argc, char **argv);

#endif
