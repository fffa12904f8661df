/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * History to tables and back. Part of the store; called by it alone.
 */
#ifndef STRIPWIRE_HISTORY_SQLITE_H
#define STRIPWIRE_HISTORY_SQLITE_H

#include <sqlite3.h>

#include "rules/history.h"

struct store;

/* Writes what changed, inside the open batch; history_saved() is due when that
 * is committed. Returns an SQLite result code. */
int history_sqlite_save(struct store *s, struct history *h, uint64_t max)
    __attribute__((warn_unused_result));

/* Reads all of it. An SQLite result code. */
int history_sqlite_load(sqlite3 *db, struct history *h)
    __attribute__((warn_unused_result));
int pins_sqlite_load(sqlite3 *db, struct history *h)
    __attribute__((warn_unused_result));

#endif
