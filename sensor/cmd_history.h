/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STRIPWIRE_CMD_HISTORY_H
#define STRIPWIRE_CMD_HISTORY_H

/* `stripwire history`: what was learned, pinned and imported. Returns the exit
 * status. */
int cmd_history(int argc, char **argv);

#endif
