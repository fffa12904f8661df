/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an event is about, as a number that is the same wherever the event is
 * met again: in another run over the same packets, in EVE, in each feed.
 */
#ifndef STRIPWIRE_EVENT_ID_H
#define STRIPWIRE_EVENT_ID_H

#include "db/event.h"
#include "rules/alert.h"
#include "rules/incident.h"

/* alerts.key. It hashes the nanosecond of the finding, so nobody on the wire
 * can choose what it collides with. salt: 0, or a run whose alerts are to be
 * unlike those of others. */
int64_t event_alert_key(const struct alert *a, uint64_t salt);

/* The first 128 bits of SHA-256 over sensor (NULL: ""), kind and key. Returns
 * out; "": there is no memory. */
const char *event_alert_id(
    char out[EVENT_ID_MAX], const char *sensor, const struct alert *a);
/* Of an incident over its number, its first moment (numbers begin anew with
 * each database), what happened and its severity then. */
const char *event_incident_id(char out[EVENT_ID_MAX], const char *sensor,
    const struct incident *i, enum incident_event what);
/* Of any other event: kind is its type, and text what makes it the only one of
 * its kind at that sensor. */
const char *event_text_id(char out[EVENT_ID_MAX], const char *sensor,
    const char *kind, const char *text);

#endif
