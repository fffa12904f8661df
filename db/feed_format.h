/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The forms in which events leave. Each is made from the EVE object alone, so
 * that what one feed says no other can contradict.
 *
 *	eve	as it is: timestamps as Suricata writes them
 *	ecs	Elastic Common Schema 8, one JSON object
 *	ocsf	Open Cybersecurity Schema Framework: detection finding (2004)
 *		for alerts and incidents, network activity (4001) for the rest
 *	cef	ArcSight Common Event Format 0.1 (revision 25 or later)
 *	syslog	RFC 5424 structured data, and a sentence
 *
 * All but eve have RFC 3339 times with microseconds and zone. Nothing in the
 * text of an event can end a line, a field or a string early.
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
};

const char *feed_format_name(enum feed_format f); /* as above */

/* The event in that format; with header, a RFC 5424 header stands before it
 * (always so for FORMAT_SYSLOG). No newline, a NUL at the end that is not
 * counted. Returns its length; 0: it does not fit or its EVE is not an
 * object, nothing was written. */
size_t feed_format(char *buf, size_t cap, enum feed_format f, bool header,
    const struct event *e, const struct feed_identity *me);

/* Events of one key go to one partition: the address of the server and its
 * port, as text; "" where there is none. */
const char *feed_key(char *buf, size_t cap, const struct event *e);

#endif
