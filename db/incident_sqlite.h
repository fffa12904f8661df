/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Incidents to rows and back. Part of the store; called by it alone.
 */
#ifndef STRIPWIRE_INCIDENT_SQLITE_H
#define STRIPWIRE_INCIDENT_SQLITE_H

struct store;

/* Writes those that changed, inside the open batch. An SQLite result code. */
int incidents_sqlite_save(struct store *s) __attribute__((warn_unused_result));

#endif
