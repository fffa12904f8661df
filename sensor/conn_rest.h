/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections that rest. One of which no packet came for half a minute (IMAP
 * IDLE, connections that servers keep for the next message, what was left
 * open) is kept as the bytes in which it differs from another of its kind, and
 * made whole by its next packet; so is a half-open one while many younger ones are there: of a flood
 * of SYNs only the youngest are kept whole.
 *
 * Nothing that a finding rests on is lost. Payload that is kept to be held
 * against what comes again goes back to its pool once it is acknowledged, as
 * it does where that pool is short; until then the connection does not rest,
 * nor while anything waits: segments, resets, conflicts. Within TLS half a
 * minute is enough (EVIDENCE_FORGET): the last segments of a session are often
 * never seen acknowledged, and would be kept for hours.
 *
 * While few connections are open none rests. Who is awake is found by walking
 * slowly over the flow table, which says when each last had a packet.
 */
#ifndef STRIPWIRE_CONN_REST_H
#define STRIPWIRE_CONN_REST_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/blocks.h"

struct conn;
struct conn_asleep;
struct tracker;

#define REST_AFTER 30000000000LL /* ns; waking takes less than a packet */
#define REST_PACKETS 64 /* between two steps of the walk */
#define REST_FEW 256 /* connections: so many are always whole, 1.3 MB */
#define REST_YOUNG 4096 /* half-open ones, of a flood: likewise, 3.4 MB */
#define REST_ALWAYS (-1) /* tracker_config.rest_after: after each packet */

struct conn_rest { /* part of struct tracker */
	int64_t walked; /* time of the last step of the walk */
	int64_t after; /* ns */
	uint32_t hand; /* slot where it goes on */
	uint32_t few, few_young; /* REST_FEW and REST_YOUNG, or 0 */
	bool always; /* REST_ALWAYS */
	uint32_t young[REST_YOUNG]; /* slots of the last ones, in turns */
	uint32_t nyoung;
	uint32_t asleep; /* now */
	struct blocks blocks; /* they are made of */
	struct likeness *like; /* what they have in common */
};

/* after: as tracker_config.rest_after has it. -1: no memory. */
int rest_init(struct conn_rest *r, int64_t after)
    __attribute__((warn_unused_result));
void rest_fini(struct conn_rest *r);

/* Goes on with the walk; now and then, while nothing else is being done. */
void rest_walk(struct tracker *t);
/* Another half-open flow is there. */
void rest_add_young(struct tracker *t, uint32_t slot);
/* Puts it to sleep if it may. */
void rest_sleep(struct tracker *t, uint32_t slot);

/* Makes the connection of a slot whole. Without memory the flow is passed over
 * from now on, and NULL is returned. */
struct conn *rest_wake(struct tracker *t, uint32_t slot);

/* Of one asleep: its number, and is a decoder kept with it? */
uint64_t rest_number(const struct conn_asleep *a);
bool rest_is_decoded(const struct conn_asleep *a);

#endif
