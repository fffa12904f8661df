/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unlike machines behind one address: a balancer with members with and without
 * STARTTLS, or postscreen, which greets strangers in two lines and offers them
 * nothing. They are told apart by their greetings, which whoever strips a list
 * leaves as they are; one that was changed as well has to alternate with the
 * true one for a while, and is reported each time until then.
 */
#ifndef STRIPWIRE_MEMBERS_H
#define STRIPWIRE_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

struct facts;
struct pair_facts;
struct server_facts;

#define MEMBERS_MAX 8 /* per server; more push out the one not seen longest */
#define MEMBER_NETS 2 /* client networks told apart */

/* Words of 32 bits alone: it is stored as it is. */
struct member {
	uint32_t id; /* of its greeting, 0: the place is free */
	uint32_t offered, lacked; /* lists with and without STARTTLS */
	uint32_t turns; /* how often another one offered after it had not */
	uint32_t waits; /* 1: nobody has since it did not */
	uint32_t since; /* first list without, s */
	uint32_t net[MEMBER_NETS]; /* hashes of networks it lacked it for */
};

/* A list of one member, whether the flow was under suspicion or not. */
void members_note(struct server_facts *s, const struct facts *f, bool offers);

/* Is the greeting that of a machine which never offers, in turn with others
 * that do? Several networks have met it, or these very two hosts used TLS in
 * between: pair may be NULL. */
bool members_explain(const struct server_facts *s, const struct facts *f,
    const struct pair_facts *pair);

/* Is there such a machine among them? For the inventory. */
bool members_lack(const struct server_facts *s);

#endif
