/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `stripwire config check|show|keys`: what a file says, what holds, and what
 * there is to say. argv[0] is the command's name. Returns the exit status: 0,
 * 1 if nothing could be written, 2 for usage or a file with mistakes.
 */
#ifndef STRIPWIRE_CMD_CONFIG_H
#define STRIPWIRE_CMD_CONFIG_H

int cmd_config(int argc, char **argv);

#endif
