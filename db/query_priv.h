/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An open database, for the files that ask it questions. Not for others: they
 * include query.h or query_cert.h.
 */
#ifndef STRIPWIRE_QUERY_PRIV_H
#define STRIPWIRE_QUERY_PRIV_H

#include <sqlite3.h>
#include <stddef.h>

struct query {
	sqlite3 *db;
	char *path;
};

/* SQLite's result code as a sentence that says what to do. */
void query_explain(const struct query *q, int rc, char *err, size_t errlen);

#endif
