/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Incidents and operators' notes out of the database, for the commands. Only
 * reads.
 */
#ifndef STRIPWIRE_QUERY_INCIDENT_H
#define STRIPWIRE_QUERY_INCIDENT_H

#include "db/query.h"
#include "db/triage.h"
#include "rules/incident.h"

struct query_incident_filter { /* query_incident_filter_init(): all */
	int64_t id; /* 0: any */
	int64_t since; /* its latest alert, packet time, ns; or QUERY_NO_TIME */
	int min_severity; /* enum severity */
	const char *host; /* a client or server address, or a server's name */
	bool open_only; /* not ended, not closed */
	uint64_t limit; /* the newest so many; 0: all */
};

struct query_incident {
	int64_t id;
	int ended; /* enum incident_end */
	enum triage_status status;
	const char *closed_as; /* "" not closed */
	const char *title, *cause, *advice; /* as they were stored */
	int64_t first_alert; /* its row with the lowest id, 0 none */
	int64_t nalerts; /* rows of it */
	struct incident incident;
};

struct query_note {
	int64_t time; /* wall clock, ns */
	const char *what, *closed_as, *author, *text;
};

/* The row lives until fn returns; not 0 ends the query. */
typedef int (*query_incident_fn)(void *ctx, const struct query_incident *row);
typedef int (*query_note_fn)(void *ctx, const struct query_note *row);

void query_incident_filter_init(struct query_incident_filter *f);

/* Oldest first. Returns how many rows fn was given, or -1 with a sentence. */
int64_t query_incidents(struct query *q, const struct query_incident_filter *f,
    query_incident_fn fn, void *ctx, char *err, size_t errlen)
    __attribute__((warn_unused_result));

/* Of an alert or an incident, in order. Likewise. */
int64_t query_notes(struct query *q, enum triage_kind kind, int64_t id,
    query_note_fn fn, void *ctx, char *err, size_t errlen)
    __attribute__((warn_unused_result));

#endif
