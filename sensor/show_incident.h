/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One incident for people: what happened in order, where the interference may
 * sit, what to do, what was noted. And the same as JSON.
 */
#ifndef STRIPWIRE_SHOW_INCIDENT_H
#define STRIPWIRE_SHOW_INCIDENT_H

#include "db/query_incident.h"
#include "sensor/text.h"

/* "open", "acknowledged", "closed: resolved", "ended" */
#define INCIDENT_STATE_MAX 40
const char *incident_state(
    char buf[INCIDENT_STATE_MAX], const struct query_incident *row);
/* "10.1.0.10", "3 clients", "64 or more clients" */
#define INCIDENT_WHO_MAX 80
const char *incident_clients(
    char buf[INCIDENT_WHO_MAX], const struct incident *i);
/* The name, else the address, else how many. */
const char *incident_servers(
    char buf[INCIDENT_WHO_MAX], const struct incident *i);

void show_incident(
    FILE *out, const struct text_style *st, const struct query_incident *row);
void show_note(
    FILE *out, const struct text_style *st, const struct query_note *n);
/* One line. -1: not written. */
int incident_json_print(FILE *out, const struct query_incident *row);

#endif
