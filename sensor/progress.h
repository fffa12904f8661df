/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bar on a terminal: how far, how fast, how long yet. Draws nothing where
 * standard error is not a terminal. One bar at a time; static state.
 */
#ifndef STRIPWIRE_PROGRESS_H
#define STRIPWIRE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

void progress_start(bool wanted);
/* total 0: not known, then only amount and rate are shown. Redraws at most
 * ten times a second, so it can be called often. */
void progress_update(uint64_t done, uint64_t total, uint64_t packets);
void progress_clear(void); /* before other output on the terminal */

#endif
