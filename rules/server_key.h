/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whom knowledge is about: a service (address or name, port, protocol), and a
 * client of it (address or network).
 *
 * A name that a server gives itself is a claim that anybody in the path may
 * write. What is known of a name therefore only ever raises suspicion, where
 * nothing is known of the address; it excuses nothing.
 */
#ifndef STRIPWIRE_SERVER_KEY_H
#define STRIPWIRE_SERVER_KEY_H

#include "decoders/obs.h"

#define SERVER_NAME_MAX 128 /* longer names are not remembered */

struct server_key {
	struct addr addr; /* of_name: hash of the name */
	uint16_t port;
	uint8_t proto; /* enum proto */
	uint8_t implicit_tls;
	uint8_t of_name;
	uint8_t pad[3];
};

struct pair_key {
	struct addr client; /* of_network: the rest is zero */
	struct server_key server;
	uint8_t of_network;
	uint8_t pad[3];
};

enum name_source {
	NAME_GREETING = 1 << 0, /* what the server said in clear */
	NAME_SNI = 1 << 1, /* what the client asked for */
	NAME_CERT = 1 << 2 /* and a trusted certificate is for it */
};

/* The key of all servers by that name, with port and protocol of key. false:
 * no name to go by (no dot in it, an address, localhost, too long). Letters
 * count without case, a dot at the end does not. */
bool server_key_of_name(
    struct server_key *to, const struct server_key *key, const char *name);
/* Is that what server_name_fold() makes of a name to go by? */
bool server_name_is(const char *folded, const char *name);
/* The name as it is kept: lower case, no dot at the end. false as above. */
bool server_name_fold(char to[SERVER_NAME_MAX], const char *name);

/* The network of key's client. */
void pair_key_network(struct pair_key *to, const struct pair_key *key);
/* The network that an address counts as of: /24, of IPv6 /48. */
void addr_network(struct addr *a);

/* Neither routed on the internet nor given away there: RFC 1918, 4193, 3927,
 * 6598, loopback, link-local. */
bool addr_is_private(const struct addr *a);

/* Of a server_key or a pair_key, of that size; for tables in memory. */
uint32_t key_hash(const void *key, size_t len);

/* Never 0. */
uint32_t hash32(const void *p, size_t len);
uint32_t hash32_addr(const struct addr *a); /* the same of its bytes */
uint32_t hash32_text(const char *s);

#endif
