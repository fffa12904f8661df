/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `stripwire read`: captures in, alerts out. argv[0] is the command's name.
 * Returns the exit status: 0 read, 1 some input not read whole (or something
 * could not be stored), 2 usage, rules or configuration, 3 --fail-on.
 */
#ifndef STRIPWIRE_CMD_READ_H
#define STRIPWIRE_CMD_READ_H

int cmd_read(int argc, char **argv);

#endif
