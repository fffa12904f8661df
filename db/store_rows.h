/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows that wait in memory until their batch is written, then all of them by
 * one statement: INSERT INTO ... SELECT * FROM the name of the queue, a virtual
 * table of this connection alone (https://www.sqlite.org/vtab.html). A
 * statement a row took twice the time: it opens its table and the indexes of
 * it anew, and with AUTOINCREMENT it reads and writes sqlite_sequence.
 */
#ifndef STRIPWIRE_STORE_ROWS_H
#define STRIPWIRE_STORE_ROWS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROWS_COLUMNS_MAX 64

struct rows;

/* columns: at most ROWS_COLUMNS_MAX. NULL: no memory, or the name is taken. To
 * be freed after the connection is closed. */
struct rows *rows_new(sqlite3 *db, const char *name, unsigned columns);
void rows_free(struct rows *r);

/* The values of a row, in order; texts and blobs are copied. */
void rows_null(struct rows *r);
void rows_int(struct rows *r, int64_t v);
void rows_text(struct rows *r, const char *s);
/* NULL for one that is empty. */
void rows_any_text(struct rows *r, const char *s);
void rows_blob(struct rows *r, const void *p, size_t n);
/* Likewise without a copy: room for max bytes, NULL if there is no memory, and
 * how many of them it took. */
char *rows_place(struct rows *r, size_t max);
void rows_text_placed(struct rows *r, size_t n);
void rows_blob_placed(struct rows *r, size_t n);
/* After the last of them. SQLITE_OK, or SQLITE_NOMEM: it is not kept. */
int rows_end(struct rows *r) __attribute__((warn_unused_result));

unsigned rows_count(const struct rows *r);
int64_t rows_first_int(const struct rows *r); /* in the first of them */
/* What they take, without what is kept for the next ones. */
size_t rows_bytes(const struct rows *r);
/* What is allocated. */
size_t rows_room(const struct rows *r);
void rows_clear(struct rows *r);

#endif
