/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said of a server, rather than learned: by the operator, or by a
 * policy that was imported (MTA-STS, RFC 8461). Needs no session to hold and
 * is never evicted; when the table is full a further pin is refused.
 *
 * A pin is for an address, a name, or the names below a domain ("*.d" stands
 * for d with one more label, as RFC 8461 4.1 has it). The operator's word on a
 * server goes before that of a policy.
 */
#ifndef STRIPWIRE_PINS_H
#define STRIPWIRE_PINS_H

#include "decoders/table_use.h"
#include "rules/server_key.h"

#define PINS_MAX 16384 /* ~ 650 bytes each */

enum pin_starttls {
	PIN_NOTHING = 0, /* not said */
	PIN_REQUIRED, /* TLS, or it is an alarm */
	PIN_OFFERED, /* it offers STARTTLS: as if that had been learned well */
	PIN_NONE /* it has none, and that is known */
};

enum pin_source { PIN_OPERATOR = 0, PIN_POLICY };

struct pin {
	struct server_key key;
	char name[SERVER_NAME_MAX]; /* of_name: the name or pattern */
	uint8_t starttls; /* enum pin_starttls */
	uint8_t source; /* enum pin_source */
	uint8_t interceptor; /* one is allowed: the operator's own (D8) */
	uint8_t has_key;
	uint16_t tls_min; /* 0x0303 for TLS 1.2; 0: any */
	uint8_t sha256[32]; /* of the public key, or of the certificate */
	char issuer[128]; /* part of the issuer's name, "" any */
	char cert_name[SERVER_NAME_MAX]; /* that it must be for, "" any */
	char domain[SERVER_NAME_MAX]; /* of the policy, "" */
	int64_t expires; /* ns; 0: never */
};

struct pins;

struct pins *pins_new(void);
void pins_free(struct pins *p);
unsigned pins_count(const struct pins *p);
struct table_use pins_use(const struct pins *p);

/* Puts it in, or in the place of the one with the same key, source and domain.
 * false: no room. */
bool pins_put(struct pins *p, const struct pin *pin);
/* Takes out what source said of key (operator), or of domain (policy).
 * Returns how many went. */
unsigned pins_drop(struct pins *p, const struct server_key *key);
unsigned pins_drop_domain(struct pins *p, const char *domain);

/* What holds at that time for the server at key, known by up to two names ("":
 * none); the address goes before names, names before patterns. NULL: nothing.
 * Lives until the next change. */
const struct pin *pins_find(const struct pins *p, const struct server_key *key,
    const char *const names[2], int64_t now);

void pins_each(const struct pins *p,
    void (*fn)(void *ctx, const struct pin *pin), void *ctx);

const char *pin_starttls_name(uint8_t starttls); /* "required" ... */

#endif
