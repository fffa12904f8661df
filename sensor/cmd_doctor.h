/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `stripwire doctor`: what is wrong with a span port, or with a capture.
 */
#ifndef STRIPWIRE_CMD_DOCTOR_H
#define STRIPWIRE_CMD_DOCTOR_H

/* Returns the exit status: 0 nothing is wrong, 1 something is, 2 it could not
 * look. */
int cmd_doctor(int argc, char **argv);

#endif
