/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One incident as JSON text and back: the column `detail` of the table
 * incidents, from which a run takes up what is open.
 *
 * {"clients": ["10.1.0.10", ...], "servers": [...], "state": {...numbers},
 *  "fine_clients": [hash, ...], "users": [hash, ...], "networks": [hash, ...],
 *  "timeline": [{"first": ns, "last": ns, "count": n, "finding": "...",
 *    "severity": 0-4, "client": "...", "server": "...", "port": n,
 *    "client_port": n, "text": "..."}, ...],
 *  "findings": {"starttls-stripped": [alerts, folded, severity, first, last]}}
 */
#ifndef STRIPWIRE_INCIDENT_JSON_H
#define STRIPWIRE_INCIDENT_JSON_H

#include "rules/incident.h"

/* To be freed; NULL: no memory. */
char *incident_to_json(const struct incident *i);
/* All but the number. -1: not such a text; nothing in it is trusted. */
int incident_from_json(struct incident *i, const char *text)
    __attribute__((warn_unused_result));

#endif
