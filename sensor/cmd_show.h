/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `stripwire show ID`: one alert with its evidence.
 */
#ifndef STRIPWIRE_CMD_SHOW_H
#define STRIPWIRE_CMD_SHOW_H

/* argv[0] is the command's name. Returns the exit status: 0, 1 if there is no
 * such alert or something cannot be read or written, 2 for usage. */
int cmd_show(int argc, char **argv);

#endif
