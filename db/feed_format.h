/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The forms in which events leave. Each is made from the EVE object alone, so
 * that what one feed says no other can contradict.
 *
 *	eve	as it is: timestamps as Suricata writes them
 *	ecs	Elastic Common Schema 8, one JSON object
 *	ocsf	Open Cybersecurity Schema Framework: detection finding (2004)
 *		for alerts and incidents, network activity (4001) for the rest; 1.4.0
 *	cef	ArcSight Common Event Format, version 0
 *	syslog	RFC 5424 structured data, and a sentence
 *
 * All but eve have RFC 3339 times with microseconds and zone; where a schema
 * wants ms since the epoch (ocsf, cef) they stand beside. Nothing in the text
 * of an event can end a line, a field or a string early.
 *
 * Severities, of alerts and incidents; an incident that has ended and all other
 * events are info:
 *
 *	stripwire  eve  ecs event.severity  ocsf severity_id  cef  syslog
 *	info       4    1                   1 Informational   1    6
 *	low        3    21                  2 Low             3    5
 *	medium     2    47                  3 Medium          5    4
 *	high       1    73                  4 High            8    3
 *	critical   1    99                  5 Critical        10   2
 */
#ifndef STRIPWIRE_FEED_FORMAT_H
#define STRIPWIRE_FEED_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "db/event.h"

#define FEED_MESSAGE_MAX 262144 /* bytes; any event fits in any format */

enum feed_format {
	FORMAT_EVE = 0,
	FORMAT_ECS,
	FORMAT_OCSF,
	FORMAT_CEF,
	FORMAT_SYSLOG,
	FORMAT_COUNT
};

struct feed_identity {
	const char *host; /* the sensor's name */
	long pid; /* of the syslog header; 0: none */
	unsigned facility; /* syslog, 0 to 23; RFC 5424 section 6.2.1 */
	bool header; /* of syslog before any format; FORMAT_SYSLOG always */
};

/* As above; NULL at the end, as the configuration reads words. */
extern const char *const feed_format_words[FORMAT_COUNT + 1];
const char *feed_format_name(enum feed_format f); /* "?": there is none */

/* The event in that format. No newline, a NUL at the end that is not counted.
 * Returns its length; 0: it does not fit or its EVE is not an object in UTF-8,
 * what is in buf then is nothing. */
size_t feed_format(char *buf, size_t cap, enum feed_format f,
    const struct event *e, const struct feed_identity *me);

/* Events of one key go to one partition: the address of the server and its
 * port, as text; "" where there is none. */
const char *feed_key(char *buf, size_t cap, const struct event *e);

#endif
