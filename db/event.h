/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An event: what a feed sends. Its EVE line is its canonical form, and the
 * only one that is stored; every other format is made from that one.
 *
 * Alerts and incidents are written to the table `events`, in the transaction
 * of their rows, if the configuration names feeds: a total order, which each
 * feed follows with a cursor of its own. The other types go past the database.
 */
#ifndef STRIPWIRE_EVENT_H
#define STRIPWIRE_EVENT_H

#include <stddef.h>
#include <stdint.h>

enum event_type {
	EVENT_ALERT = 0,
	EVENT_INCIDENT,
	EVENT_STORED, /* the types before this one are in the database */
	EVENT_FLOW = EVENT_STORED,
	EVENT_TLS,
	EVENT_SMTP,
	EVENT_IMAP,
	EVENT_POP3,
	EVENT_STATS,
	EVENT_TYPES
};

/* 32 hex digits: of the sensor's name and of what the event is about, so that
 * a receiver that has met it knows it again, and no two sensors use the same.
 * In EVE it is stripwire.event_id. */
#define EVENT_ID_MAX 33

struct event {
	int64_t
	    seq; /* of the table events, from 1; 0: went past the database */
	enum event_type type;
	int64_t time; /* ns since the epoch: when it happened */
	const char *eve; /* one JSON object, valid UTF-8, without a newline */
	size_t len;
};

/* The word of EVE's event_type and of the configuration: "alert", "flow". */
extern const char
    *const event_type_words[EVENT_TYPES + 1]; /* NULL at the end */
const char *event_type_name(enum event_type t); /* "?": there is none */

#endif
