/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one incident holds, and how an alert changes it. Private to incident.c
 * and incident_fill.c.
 */
#ifndef STRIPWIRE_INCIDENT_FILL_H
#define STRIPWIRE_INCIDENT_FILL_H

#include "rules/incident.h"

/* Never 0, and kept nowhere: another program may have another. */
uint32_t incident_hash(const struct addr *a);
/* Hash of the name that history knows the server by; 0: none. */
uint32_t incident_name(const struct incident_known *k);
/* Makes the hashes that stand beside clients and steps, of one that was read. */
void incident_hash_all(struct incident *i);
/* Among the first n of a list. */
bool incident_has_addr(
    const struct addr *list, unsigned n, const struct addr *a);
bool incident_has_server(const struct incident *i, const struct addr *a);
/* hash: incident_hash(a). Another address of one of its networks, if history
 * knows that one, is the client, too. */
bool incident_has_client(const struct incident *i, const struct addr *a,
    uint32_t hash, const struct incident_known *k);

/* Of all zero an empty one, with what history knows as the first step. */
void incident_begin(struct incident *i, int64_t id, const struct alert *a,
    const struct incident_known *k);
/* false: it brings nothing new, and there were fold_after of its kind. */
bool incident_fill(struct incident *i, const struct alert *a,
    const struct incident_known *k, uint32_t fold_after);
/* Another client had TLS. */
void incident_fine(struct incident *i, const struct facts *f);

#endif
