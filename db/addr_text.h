/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses as text, the one form that stands in the database and in what
 * people read: inet_ntop(3), IPv4-mapped addresses as IPv4.
 */
#ifndef STRIPWIRE_ADDR_TEXT_H
#define STRIPWIRE_ADDR_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/server_key.h"

#define ADDR_TEXT_MAX 46 /* INET6_ADDRSTRLEN */
#define ENDPOINT_TEXT_MAX 56 /* [address]:port */

bool addr_is_v4(const struct addr *a);
char *addr_to_text(char buf[ADDR_TEXT_MAX], const struct addr *a);
/* 44 bits in the order of the texts: that of IPv4 addresses, nearly that of
 * others. */
uint64_t addr_text_place(const struct addr *a);
/* "192.0.2.1:25", "[2001:db8::1]:25" */
char *endpoint_to_text(
    char buf[ENDPOINT_TEXT_MAX], const struct addr *a, uint16_t port);
/* The client of a pair: "10.1.0.10", or its network "10.1.0.0/24",
 * "2001:db8:1::/48". */
#define CLIENT_TEXT_MAX (ADDR_TEXT_MAX + 4)
char *client_to_text(char buf[CLIENT_TEXT_MAX], const struct pair_key *k);
/* Sets k->client and k->of_network; -1 if text is neither. */
int client_from_text(struct pair_key *k, const char *text)
    __attribute__((warn_unused_result));
/* Returns -1 if text is no address. */
int addr_from_text(struct addr *a, const char *text)
    __attribute__((warn_unused_result));

#endif
