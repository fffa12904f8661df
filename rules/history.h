/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of servers and of pairs from earlier sessions. In memory while
 * the judge runs; db/history_sqlite.c loads and saves it. Bounded: the entry
 * not used for longest goes, pinned and old ones last.
 *
 * History is packet time: a question is asked "as of" a time, and what was
 * only learned from later packets (an older capture read after a newer one)
 * does not answer it. Only a flow seen whole and free of suspicion teaches, at
 * its end.
 */
#ifndef STRIPWIRE_HISTORY_H
#define STRIPWIRE_HISTORY_H

#include "decoders/obs.h"

#define HISTORY_SERVERS_MAX 65536 /* ~ 700 bytes each */
#define HISTORY_PAIRS_MAX 262144 /* ~ 100 bytes each */
#define HISTORY_KEYS 8 /* leaf keys remembered per server */

struct server_key {
	struct addr addr;
	uint16_t port;
	uint8_t proto; /* enum proto */
	uint8_t implicit_tls;
};

struct known_cert {
	uint8_t spki[32], issuer[32];
	int64_t first, last; /* ns */
	uint8_t trusted; /* verified to an anchor when seen */
	uint8_t self_signed;
	uint8_t pad[6];
};

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
	uint8_t ttl; /* usual TTL of the server */
	uint8_t pinned_starttls; /* operator: required */
	char host[128]; /* name in the greeting */
	char words[512]; /* last list before TLS, '\n' between */
	uint8_t ncerts;
	struct known_cert certs[HISTORY_KEYS];
};

struct pair_key {
	struct addr client;
	struct server_key server;
};

struct pair_facts {
	struct pair_key key;
	int64_t first, last;
	uint32_t tls, clear, tls_days;
	uint32_t tls_failed_then_clear;
};

struct history;

struct history *history_new(void);
void history_free(struct history *h);

/* As of `now`: NULL if nothing was learned before that time. The pointer lives
 * until the next call that learns. */
const struct server_facts *history_server(
    const struct history *h, const struct server_key *key, int64_t now);
const struct pair_facts *history_pair(
    const struct history *h, const struct pair_key *key, int64_t now);

/* For learning: finds or makes room; marks dirty. NULL: no room (all entries
 * that could go are older knowledge that must stay, or no memory). */
struct server_facts *history_touch_server(
    struct history *h, const struct server_key *key);
struct pair_facts *history_touch_pair(
    struct history *h, const struct pair_key *key);

/* For db/: loading, and saving what changed since the last call. */
void history_load_server(struct history *h, const struct server_facts *s);
void history_load_pair(struct history *h, const struct pair_facts *p);
void history_each_dirty(struct history *h,
    void (*server)(void *, const struct server_facts *),
    void (*pair)(void *, const struct pair_facts *), void *ctx);

/*
 * Learning can be taken back as a whole: a capture that turns out to have been
 * read before teaches nothing, nor does one whose teachings could not be saved.
 * mark() starts, keep() makes it last, once what is dirty has been saved;
 * drop() restores the state at mark().
 */
void history_mark(struct history *h);
void history_keep(struct history *h);
void history_drop(struct history *h);

struct history_counters {
	uint64_t servers, pairs, evicted_servers, evicted_pairs;
};
const struct history_counters *history_counters(const struct history *h);

#endif
