/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A copy of a database as it was when it was opened, while a sensor writes to it.
 */
#ifndef STRIPWIRE_BACKUP_H
#define STRIPWIRE_BACKUP_H

#include <stddef.h>
#include <stdint.h>

struct query;

/* Copies into the new file `to`, mode 0600, which appears under its name when
 * it is whole and on the disk; replace: one that is there goes then. Other
 * writers and readers do not wait; the write-ahead log grows meanwhile.
 * Returns its bytes, -1 with a sentence in err. */
int64_t backup_make(struct query *from, const char *to, int replace, char *err,
    size_t errlen) __attribute__((warn_unused_result));

#endif
