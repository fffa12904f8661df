/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of servers and of pairs from earlier sessions. In memory while
 * the judge runs; db/history_sqlite.c loads and saves it. Bounded: the entry
 * not used for longest goes, old ones last; what is pinned (pins.h) stays.
 *
 * History is packet time: a question is asked "as of" a time, and what was
 * only learned from later packets (an older capture read after a newer one)
 * does not answer it. Only a flow seen whole and free of suspicion teaches, at
 * its end.
 */
#ifndef STRIPWIRE_HISTORY_H
#define STRIPWIRE_HISTORY_H

#include "decoders/table_use.h"
#include "rules/members.h"
#include "rules/pins.h"
#include "rules/server_key.h"

/* Defaults: about 90 and 16 MB. Each server counts twice, by its address and by
 * its name. */
#define HISTORY_SERVERS_MAX 32768 /* 2.8 KB each */
#define HISTORY_PAIRS_MAX 131072 /* 120 bytes each, 350 at most */
#define HISTORY_KEYS 8 /* leaf keys remembered per server */
#define HISTORY_CLIENTS 8 /* told apart in an absence; more are not counted */
#define HISTORY_TEXTS 4 /* ALERT texts remembered per server */
#define HISTORY_EHLO 4 /* EHLO names told apart per pair */
#define HISTORY_HELLOS 4 /* ClientHellos told apart per pair */

#define HISTORY_STACKS 12 /* ways of answering remembered per server */
#define HISTORY_SEVERAL 3 /* clients told apart in one */

struct known_cert {
	uint8_t spki[32], issuer[32];
	int64_t first, last; /* ns */
	uint8_t trusted; /* verified to an anchor when seen */
	uint8_t self_signed;
	uint8_t key_type; /* enum key_type */
	uint8_t pad[5];
	int64_t not_before, not_after; /* s since the epoch; both 0: unknown */
	uint32_t domains[2]; /* it is for, see renewal_domains(); 0: unknown */
};

/* How a server's TLS 1.3 and TCP look to clients of one JA4 (stacks.h). */
struct known_stack {
	int64_t first, last; /* ns */
	uint32_t client; /* hash of the JA4 */
	uint32_t ja3s; /* hash of it */
	uint32_t flight; /* bytes, in the last session */
	uint32_t syn; /* signature of its SYN/ACK */
	uint32_t sessions;
	uint32_t clients[HISTORY_SEVERAL]; /* hashes of their addresses; while
					      it is pending */
	uint8_t ttl; /* in the last session */
	uint8_t nclients;
	uint8_t pending; /* unlike all before it, and not learned yet */
	uint8_t contradicted; /* and what was before was seen since */
	uint8_t told; /* confidence of the alert that it was worth */
	uint8_t pad[3];
};

/*
 * An offer that is not made any more (A20): memory of a change, not learning.
 * It begins with the first list that lacks what was offered, is forgotten with
 * the next offer, and becomes knowledge when the operator acknowledges it, or
 * after 14 days and several clients.
 */
struct absence {
	int64_t since, last; /* ns; since 0: there is none */
	uint32_t sessions;
	uint32_t clients[HISTORY_CLIENTS]; /* hashes of their addresses */
	uint8_t nclients;
	uint8_t told; /* the one alert about all of them was raised */
	uint8_t pad[2];
};

/* What one server did, or all that go by one name. Lists are those before TLS
 * and before login: inside TLS nothing can be seen, and after a login an offer
 * of STARTTLS would be against the standard. */
struct server_facts {
	struct server_key key;
	int64_t first, last; /* ns, of teaching sessions */
	uint32_t sessions; /* that taught */
	uint32_t days; /* distinct UTC days among them */
	/* before TLS, list seen whole */
	uint32_t offered; /* lists with STARTTLS/STLS */
	uint32_t not_offered; /* lists without */
	uint32_t offered_days;
	int64_t first_offer, last_offer, last_absence;
	uint32_t tls_done; /* handshakes completed */
	int64_t first_tls;
	uint32_t demanded; /* "issue STARTTLS first" seen */
	uint32_t logindisabled; /* lists with LOGINDISABLED */
	uint32_t capa_ok, capa_refused; /* capability command answered or not */
	uint32_t ehlo_ok, helo_only;
	uint32_t greeting_ok, greeting_preauth;
	uint32_t tls_failed; /* asked for TLS, did not complete */
	uint32_t mechs; /* before TLS: union of 1 << sasl_mech */
	uint32_t tls_versions; /* bit 0 SSL2, 1 SSL3, 2 1.0 ... 5 1.3 */
	/* lists with a mechanism that does not show the password, and lists
	 * that offer authentication in clear only */
	uint32_t mechs_safe, mechs_clear_only;
	uint32_t rtt; /* us from the sensor to the server and back, 0 unknown */
	uint32_t
	    greeting_shape; /* hash, without names and numbers; 0 unknown */
	uint32_t greeting_same; /* greetings of that shape in a row */
	uint32_t syn_signature; /* of its SYN/ACK, 0 unknown */
	uint32_t offered_to; /* hash of the client that last got the offer */
	uint32_t alert_texts[HISTORY_TEXTS]; /* IMAP [ALERT], hashes */
	uint32_t
	    before_offer; /* lists without STARTTLS before the first with */
	int64_t changed; /* a change was accepted at that time, 0: never */
	struct absence absence;
	struct member members[MEMBERS_MAX]; /* the last one in front */
	uint8_t ttl; /* usual TTL of the server */
	uint8_t offered_sides; /* 1: offered to private addresses, 2: public */
	uint8_t name_from; /* enum name_source: where a name was read */
	char host[128]; /* name in the greeting; of_name: the name */
	char words[512]; /* last list before TLS, '\n' between */
	uint8_t ncerts;
	struct known_cert certs[HISTORY_KEYS];
	/* tickets and keys of earlier sessions that clients brought */
	uint32_t tickets_taken, tickets_refused;
	uint8_t nstacks;
	struct known_stack stacks[HISTORY_STACKS];
};

/* How a client uses a server, or (of_network) how the clients of a network
 * are treated by it: /24 of IPv4, /48 of IPv6. */
struct pair_facts {
	struct pair_key key;
	int64_t first, last;
	uint32_t tls, clear, tls_days;
	uint32_t tls_failed_then_clear;
	uint32_t offered, not_offered; /* lists with and without STARTTLS */
	uint32_t ehlo[HISTORY_EHLO]; /* hashes of EHLO names, 0: none */
	uint32_t syn_signature; /* of the client, 0 unknown */
	uint8_t client_ttl; /* usual one, 0 unknown */
	uint8_t pad[3];
	char ehlo_name[64]; /* the last */
	uint32_t hellos[HISTORY_HELLOS]; /* hashes of the JA4 of sessions that
					    got TLS, the latest last; 0: none */
	struct absence absence; /* of_network only */
};

struct history;

struct history *history_new(void);
void history_free(struct history *h);
/* Other limits than the defaults, 0: those. Before anything is learned. Whoever
 * only reads what a sensor keeps sets none: UINT32_MAX. */
void history_limit(struct history *h, uint32_t servers, uint32_t pairs);

/* As of `now`: NULL if nothing was learned before that time. The pointer lives
 * until the next call that learns. */
const struct server_facts *history_server(
    const struct history *h, const struct server_key *key, int64_t now);
/* Likewise of the name; NULL also if name is none to go by. */
const struct server_facts *history_named(const struct history *h,
    const struct server_key *key, const char *name, int64_t now);
const struct pair_facts *history_pair(
    const struct history *h, const struct pair_key *key, int64_t now);

/* All of them, those not used for longest first. For lists and export. */
void history_each(const struct history *h,
    void (*server)(void *, const struct server_facts *),
    void (*pair)(void *, const struct pair_facts *), void *ctx);

/* Forgets a server and its pairs, or all that goes by a name. Returns how many
 * entries went. The caller sees to the tables on disk. */
unsigned history_forget(struct history *h, const struct server_key *key);

/* The operator's word and that of policies. Never NULL. */
struct pins *history_pins(const struct history *h);

/* The change is real: what the server does since counts from now on, what it
 * did before does not. */
void history_accept(struct server_facts *s, int64_t now);
void history_accept_network(struct pair_facts *p);
/* The server really answers like that now. Returns how many ways of answering
 * were pending. */
unsigned history_accept_stacks(struct server_facts *s);

/* For learning: finds or makes room; marks dirty. NULL: no room (all entries
 * that could go are older knowledge that must stay, or no memory). */
struct server_facts *history_touch_server(
    struct history *h, const struct server_key *key);
struct pair_facts *history_touch_pair(
    struct history *h, const struct pair_key *key);

/* For db/: loading, and saving what changed: max of each kind, those that have
 * waited for longest first. They wait on until they are known to be saved, by
 * the same max and with nothing changed meanwhile. */
void history_load_server(struct history *h, const struct server_facts *s);
void history_load_pair(struct history *h, const struct pair_facts *p);
struct history_entry;
void history_each_dirty(struct history *h, uint64_t max,
    void (*server)(void *, const struct server_facts *),
    void (*pair)(void *, const struct history_entry *), void *ctx);
/* What is known of that pair, until the next call. The entry is there until
 * something is learned. */
const struct pair_facts *history_entry_pair(
    const struct history *h, const struct history_entry *e);
void history_saved(struct history *h, uint64_t max);

/* How many of the kind of which more wait. */
uint64_t history_dirty(const struct history *h);

/*
 * Learning can be taken back as a whole: a capture that turns out to have been
 * read before teaches nothing, nor does one whose teachings could not be saved.
 * mark() starts, keep() makes it last, once what is dirty has been saved;
 * drop() restores the state at mark(). Between them a copy is kept of each
 * entry that changed or went, as many as there are: live, where nothing is ever
 * taken back, nothing is marked.
 */
void history_mark(struct history *h);
void history_keep(struct history *h);
void history_drop(struct history *h);

struct history_counters {
	uint64_t servers, pairs, evicted_servers, evicted_pairs;
	uint64_t max_servers, max_pairs;
};
const struct history_counters *history_counters(const struct history *h);

struct history_memory {
	struct table_use servers, pairs, pins;
	struct table_use undo; /* what could be taken back; no cap */
};
void history_memory(const struct history *h, struct history_memory *out);

/* How well servers are known: by one session, by some, or well (two days or
 * ten sessions, as entries that a flood does not wash out). Looks at all. */
struct history_knowledge {
	uint64_t once, some, well;
	int64_t first; /* when the first of them was seen; 0: none */
};
void history_knowledge(const struct history *h, struct history_knowledge *out);

#endif
