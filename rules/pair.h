/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happened lately between one client and one server address, whatever
 * the ports: attempts to get TLS that failed, signs of interference, and use
 * of the mail service in clear. A reset and the plaintext that follows it are
 * in different connections; this is where they meet.
 *
 * Bounded: PAIR_EVENTS and PAIR_USES of a pair (the oldest goes), PAIRS_MAX
 * pairs (the one idle for longest goes). Older than PAIR_WINDOW is forgotten.
 */
#ifndef STRIPWIRE_PAIR_H
#define STRIPWIRE_PAIR_H

#include "decoders/table_use.h"
#include "rules/alert.h"
#include "rules/facts.h"
#include "rules/ladder.h"

#define PAIR_WINDOW (300 * INT64_C(1000000000)) /* 5 minutes (C9) */
#define PAIR_EVENTS 6
#define PAIR_USES 6
#define PAIRS_MAX 16384

struct pair_event {
	uint64_t flow;
	int64_t time;
	uint16_t finding; /* enum finding_id behind it, or FIND_NONE */
	uint8_t how; /* enum tls_fail, TLS_NO_FAIL: not a failed attempt */
	uint8_t proto, implicit_tls;
	uint8_t during_tls; /* in the middle of a handshake */
	uint8_t left; /* the client itself broke off */
	uint8_t told; /* a plaintext-fallback was raised on it */
	uint16_t client_port, server_port;
	uint8_t confidence; /* of the finding */
};

struct pair_use {
	uint64_t flow;
	struct moment at;
	int64_t start; /* of its connection */
	uint16_t client_port, server_port;
	uint8_t proto;
	uint8_t auth; /* with credentials */
	uint8_t offered; /* its list offered STARTTLS */
	uint8_t told; /* a plaintext-fallback was raised on it */
	char verb[OBS_VERB_MAX];
};

/* How the connection of the last event looked: its last steps, for the ladder
 * of what followed in another one. */
#define PAIR_STEPS 6

struct pair_story {
	uint64_t flow;
	uint16_t client_port, server_port;
	struct ladder tail;
};

struct pair_recent { /* oldest first; room for what happened */
	uint8_t nevents, nuses, room_events, room_uses;
	struct pair_event *events;
	struct pair_use *uses;
};

struct pairs;

struct pairs *pairs_new(uint32_t max); /* 0: PAIRS_MAX */
void pairs_free(struct pairs *p);

/* Time of what comes next: what is stale then is forgotten when its pair is
 * asked for or noted. */
void pairs_begin(struct pairs *p, int64_t now);
/* NULL: nothing lately. Lives until the next call that notes. */
const struct pair_recent *pairs_recent(
    struct pairs *p, const struct obs_flow *who, int64_t now);

/* One event per (flow, finding, how); a later one replaces it. */
void pairs_note_event(
    struct pairs *p, const struct obs_flow *who, const struct pair_event *e);
void pairs_note_use(
    struct pairs *p, const struct obs_flow *who, const struct pair_use *u);
/* TLS came about on this flow, which began at start: what failed on it or
 * before it led to no plaintext. */
void pairs_note_tls(struct pairs *p, const struct facts *f);
/* A fallback was raised on what happened until `now`: once is enough. */
void pairs_told(struct pairs *p, const struct obs_flow *who, int64_t now);

/* Keeps the story of an event on that flow. NULL in return: there is none. */
void pairs_note_story(struct pairs *p, const struct obs_flow *who,
    uint64_t flow, const struct ladder *l);
const struct pair_story *pairs_story(
    struct pairs *p, const struct obs_flow *who);

uint64_t pairs_evicted(const struct pairs *p);
/* Slow: looks at all. */
struct table_use pairs_use(const struct pairs *p);

#endif
