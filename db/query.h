/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Alerts out of the database, for the commands and the summary of a run.
 * Only reads; a writer may be at work on the same file. All rows of one
 * struct query are of one moment, however often it is asked.
 */
#ifndef STRIPWIRE_QUERY_H
#define STRIPWIRE_QUERY_H

#include "rules/alert.h"
#include "rules/history.h"

#define QUERY_NO_TIME INT64_MIN

enum query_order {
	QUERY_BY_TIME = 0, /* oldest first */
	QUERY_BY_SEVERITY /* gravest first, then oldest */
};

struct query_filter { /* query_filter_init(): everything */
	int64_t id; /* 0: any */
	int64_t run; /* 0: any */
	int64_t incident; /* 0: any */
	bool open_only; /* not closed by the operator */
	int64_t since, until; /* packet time, ns; QUERY_NO_TIME: open */
	const char *finding; /* NULL: any */
	int min_severity; /* enum severity */
	const char *host; /* client or server address, or server name */
	uint64_t limit; /* the newest so many; 0: all */
	enum query_order order;
};

struct query_row {
	int64_t id, run;
	int64_t stored; /* when the run began, wall clock, ns */
	const char *finding; /* name, also one this program does not know */
	int status; /* the operator's: 0 new, 1 acknowledged, 2 closed */
	const char *closed_as; /* "" not closed */
	const char *capture; /* path of the file, "" if live */
	/* of alert.finding.cert_sha256, "" if it is not stored */
	const char *cert_subject, *cert_issuer;
	int64_t cert_from, cert_to; /* seconds since 1970 */
	struct alert alert; /* finding.id FIND_NONE if it is unknown */
};

struct query;

/* The row lives until fn returns; not 0 ends the query. */
typedef int (*query_row_fn)(void *ctx, const struct query_row *row);

void query_filter_init(struct query_filter *f);

/* NULL with a sentence in err: missing, not a database, of another program,
 * of a newer version, locked, damaged. Never makes a file. */
struct query *query_open(const char *path, char *err, size_t errlen);
void query_close(struct query *q);

/* Returns how many rows fn was given, or -1 with a sentence in err. */
int64_t query_each(struct query *q, const struct query_filter *f,
    query_row_fn fn, void *ctx, char *err, size_t errlen)
    __attribute__((warn_unused_result));

/* What was learned and pinned, into an empty history. -1 with a sentence. */
int query_history(struct query *q, struct history *h, char *err, size_t errlen)
    __attribute__((warn_unused_result));

/* query_open(), query_each() and query_close() in one. */
int64_t query_alerts(const char *path, const struct query_filter *f,
    query_row_fn fn, void *ctx, char *err, size_t errlen)
    __attribute__((warn_unused_result));

#endif
