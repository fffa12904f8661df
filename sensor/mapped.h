/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A window on a file, mapped: what the kernel holds is looked at where it lies,
 * and what nobody looks at (bodies of flows that are not mail) is never copied.
 * One window in a process.
 *
 * A file that is cut while it is mapped raises SIGBUS where its bytes were.
 * Here zeros take their place, mapped_lost() says so, and the reader ends with
 * a sentence as it does for a file that was cut before.
 */
#ifndef STRIPWIRE_MAPPED_H
#define STRIPWIRE_MAPPED_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPPED_WINDOW (2u << 20) /* bytes; they count as resident memory */

extern volatile sig_atomic_t mapped_is_lost;

/* Bytes of the file the mapping has lost since it was made. */
static inline bool
mapped_lost(void)
{
	return mapped_is_lost != 0;
}

/* In place of the window there was. offset: a multiple of the page size, and
 * offset + len lies within the file. NULL: the file cannot be mapped. */
const uint8_t *mapped_move(int fd, uint64_t offset, size_t len);
void mapped_drop(void);

#endif
