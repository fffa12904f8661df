/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * History as JSON: exported, and imported into the history of another sensor.
 *
 *	{"stripwire_history": 1, "servers": [...], "pairs": [...],
 *	 "pins": [...]}
 *
 * A server has "server" (address or name), "port", "proto", "implicit_tls",
 * the fields of the table servers, and "keys"; a pair "client" (address or
 * network) besides. Times are ns since 1970, hashes hex.
 */
#ifndef STRIPWIRE_HISTORY_JSON_H
#define STRIPWIRE_HISTORY_JSON_H

#include <jansson.h>

#include "rules/history.h"

#define HISTORY_JSON_MAX (512u << 20) /* bytes of a file */

/* A new reference; NULL: no memory. */
json_t *history_to_json(const struct history *h);
json_t *server_to_json(const struct server_facts *s);
json_t *pin_to_json(const struct pin *p);

struct history_imported {
	unsigned servers, pairs, pins;
	unsigned refused; /* no room */
};

/* Puts in what root holds, in the place of what is known of the same server.
 * All or nothing: -1 with a sentence that names the place, and h is as it was.
 * Nothing in it is trusted: types, ranges, names and addresses are checked. */
int history_from_json(struct history *h, const json_t *root,
    struct history_imported *n, char *err, size_t errlen)
    __attribute__((warn_unused_result));

#endif
