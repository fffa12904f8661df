/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stripwire run: the live sensor.
 */
#ifndef STRIPWIRE_CMD_RUN_H
#define STRIPWIRE_CMD_RUN_H

int cmd_run(int argc, char **argv);

#endif
