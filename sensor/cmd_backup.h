/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `stripwire backup`: a copy of the database, while the sensor writes to it.
 */
#ifndef STRIPWIRE_CMD_BACKUP_H
#define STRIPWIRE_CMD_BACKUP_H

/* Returns the exit status: 0, 1 (it could not be made), 2 usage. */
int cmd_backup(int argc, char **argv);

#endif
