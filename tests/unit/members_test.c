/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unlike machines behind one address: who explains a list without STARTTLS. */
#include "rules/members.h"

#include <string.h>

#include "rules/facts.h"
#include "rules/history.h"
#include "tests/test.h"

#define SECOND INT64_C(1000000000)
#define T0 (INT64_C(1795341600) * SECOND)

static int64_t now = T0;

static struct facts_greeting greeting = {.host = ""};
static struct facts_caps caps = {.name = "", .words = ""};

/* A list of the machine that greets so, to a client of that network. */
static struct facts
list_of(uint32_t machine, uint8_t network)
{
	struct facts f;

	facts_init(&f);
	memset(f.who.client.b + 10, 0xff, 2);
	f.who.client.b[12] = 10;
	f.who.client.b[14] = network;
	f.who.client.b[15] = 7;
	f.greeting = &greeting;
	f.caps = &caps;
	greeting.machine = machine;
	caps.at.time = now += SECOND;
	return f;
}

static void
note(struct server_facts *s, uint32_t machine, uint8_t network, bool offers)
{
	struct facts f = list_of(machine, network);

	members_note(s, &f, offers);
}

static bool
explains(const struct server_facts *s, uint32_t machine, uint8_t network)
{
	struct facts f = list_of(machine, network);

	return members_explain(s, &f, NULL);
}

static void
in_turn(struct server_facts *s, unsigned times, uint8_t networks)
{
	for (unsigned i = 0; i < times; i++) {
		note(s, 2, (uint8_t)(i % networks), false);
		note(s, 1, 0, true);
	}
}

TEST(one_that_never_offers_takes_turns)
{
	struct server_facts s;

	memset(&s, 0, sizeof(s));
	in_turn(&s, 2, 2);
	CHECK(!explains(&s, 2, 0));
	in_turn(&s, 1, 1);
	CHECK(explains(&s, 2, 0));
	CHECK(!explains(&s, 1, 0)); /* it offers */
	CHECK(!explains(&s, 3, 0)); /* never met */
	CHECK(!explains(&s, 0, 0)); /* no greeting */
}

TEST(often_is_not_in_turn)
{
	struct server_facts s;

	memset(&s, 0, sizeof(s));
	for (uint8_t i = 0; i < 50; i++)
		note(&s, 2, i, false);
	note(&s, 1, 0, true);
	CHECK(!explains(&s, 2, 0));
}

TEST(one_offer_and_it_explains_nothing_more)
{
	struct server_facts s;

	memset(&s, 0, sizeof(s));
	in_turn(&s, 5, 2);
	CHECK(explains(&s, 2, 0));
	note(&s, 2, 0, true);
	in_turn(&s, 5, 2);
	CHECK(!explains(&s, 2, 0));
}

TEST(one_network_must_have_had_tls_in_between)
{
	struct server_facts s;
	struct pair_facts p;
	struct facts f;

	memset(&s, 0, sizeof(s));
	memset(&p, 0, sizeof(p));
	p.tls = 9;
	p.last = T0;
	in_turn(&s, 5, 1);
	f = list_of(2, 0);
	CHECK(!members_explain(&s, &f, NULL));
	CHECK(!members_explain(&s, &f, &p)); /* that was before */
	p.last = now;
	CHECK(members_explain(&s, &f, &p));
	p.tls = 0;
	CHECK(!members_explain(&s, &f, &p));
}

TEST(what_is_learned_later_explains_nothing_before)
{
	struct server_facts s;
	struct facts f;

	memset(&s, 0, sizeof(s));
	in_turn(&s, 5, 2);
	f = list_of(2, 0);
	caps.at.time = T0 - 3600 * SECOND;
	CHECK(!members_explain(&s, &f, NULL));
}

TEST(the_one_not_seen_for_longest_goes)
{
	struct server_facts s;

	memset(&s, 0, sizeof(s));
	in_turn(&s, 5, 2);
	for (uint32_t m = 10; m < 10 + MEMBERS_MAX - 2; m++)
		note(&s, m, 0, true);
	CHECK(explains(&s, 2, 0));
	note(&s, 99, 0, true);
	CHECK(!explains(&s, 2, 0));
}

TEST(an_address_hashes_as_its_bytes)
{
	struct addr a = {.b = {[10] = 0xff, [11] = 0xff}};

	for (unsigned i = 0; i < 4096; i++) {
		a.b[i % 16] ^= (uint8_t)(i * 37 >> 3);
		if (i % 3 != 0)
			memcpy(
			    a.b, (uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12);
		CHECK_INT(hash32_addr(&a), hash32(&a, sizeof(a)));
	}
}

TEST_MAIN
