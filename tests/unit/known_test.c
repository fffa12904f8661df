/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said and what is known of a server: pins, policies, names, and
 * changes that become the way things are.
 */
#include "tests/unit/play.h"

#include "rules/learn.h"
#include "tests/test.h"

static struct server_key
address(uint8_t last, uint16_t port)
{
	struct server_key k;

	memset(&k, 0, sizeof(k));
	play_addr(&k.addr, 2, last);
	k.port = port;
	k.proto = PROTO_SMTP;
	return k;
}

static struct pin
pin_of(struct play *p, const char *name, uint8_t starttls)
{
	struct server_key k = address(p->server, 25);
	struct pin pin;

	memset(&pin, 0, sizeof(pin));
	pin.key = k;
	pin.starttls = starttls;
	if (name != NULL) {
		CHECK(server_key_of_name(&pin.key, &k, name));
		CHECK(server_name_fold(pin.name, name));
	}
	return pin;
}

/* A session in clear whose list lacks STARTTLS; what is thought of it. */
static int
stripped(struct play *p, const char *host)
{
	struct obs o;

	p->n = 0;
	play_open(p, PROTO_SMTP, 25);
	o = play_obs(p, OBS_GREETING, DIR_S2C, "220 ready ESMTP");
	o.u.greeting.kind = GREETING_OK;
	snprintf(o.u.greeting.host, sizeof(o.u.greeting.host), "%s", host);
	judge_obs(p->j, &o);
	play_list(p, CAPS_EHLO, "SIZE\nPIPELINING");
	play_mail(p);
	play_end(p, END_FIN, DIR_C2S);
	return play_conf(p, FIND_STARTTLS_STRIPPED);
}

TEST(a_pin_needs_no_history)
{
	struct play p;
	struct pin pin;

	play_init(&p);
	pin = pin_of(&p, NULL, PIN_REQUIRED);
	CHECK(pins_put(history_pins(p.h), &pin));
	CHECK(stripped(&p, "mx.test") >= 85);
	CHECK(play_said(play_last(&p, FIND_STARTTLS_STRIPPED),
	    "the operator requires TLS here"));
	p.server++;
	CHECK_INT(stripped(&p, "mx.test"), 0);
	play_fini(&p);
}

TEST(a_pin_by_name_holds_for_every_address)
{
	struct play p;
	struct pin pin;

	play_init(&p);
	pin = pin_of(&p, "MX.example.net.", PIN_REQUIRED);
	CHECK(pins_put(history_pins(p.h), &pin));
	CHECK(stripped(&p, "mx.example.net") >= 85);
	p.server++;
	CHECK(stripped(&p, "MX.Example.NET") >= 85);
	p.server++;
	CHECK_INT(stripped(&p, "mx2.example.net"), 0);
	play_fini(&p);
}

TEST(a_pin_of_none_silences)
{
	struct play p;
	struct pin pin;

	play_init(&p);
	for (int i = 0; i < 12; i++)
		play_lesson(&p, PROTO_SMTP, 25);
	pin = pin_of(&p, NULL, PIN_NONE);
	CHECK(pins_put(history_pins(p.h), &pin));
	CHECK_INT(stripped(&p, "mx.test"), 0);
	CHECK_INT(pins_drop(history_pins(p.h), &pin.key), 1);
	CHECK(stripped(&p, "mx.test") >= 85);
	play_fini(&p);
}

static struct pin
policy_of(struct play *p, const char *pattern, int64_t expires)
{
	struct pin pin = pin_of(p, pattern, PIN_REQUIRED);

	pin.source = PIN_POLICY;
	snprintf(pin.domain, sizeof(pin.domain), "example.net");
	pin.expires = expires;
	return pin;
}

TEST(a_policy_counts_until_it_expires)
{
	struct play p;
	struct pin pin;

	play_init(&p);
	pin = policy_of(&p, "*.example.net", p.now + DAY);
	CHECK(pins_put(history_pins(p.h), &pin));
	CHECK(stripped(&p, "mx1.example.net") >= 85);
	CHECK(play_said(play_last(&p, FIND_STARTTLS_STRIPPED),
	    "the policy of example.net, valid until "));
	/* the wildcard is one label, RFC 8461 4.1 */
	CHECK_INT(stripped(&p, "a.mx1.example.net"), 0);
	CHECK_INT(stripped(&p, "example.net"), 0);
	p.now += 2 * DAY;
	p.server++;
	CHECK_INT(stripped(&p, "mx1.example.net"), 0);
	play_fini(&p);
}

TEST(the_operator_goes_before_a_policy)
{
	struct play p;
	struct pin pin;

	play_init(&p);
	pin = policy_of(&p, "mx.example.net", 0);
	CHECK(pins_put(history_pins(p.h), &pin));
	pin = pin_of(&p, "mx.example.net", PIN_NONE);
	CHECK(pins_put(history_pins(p.h), &pin));
	CHECK_INT(stripped(&p, "mx.example.net"), 0);
	CHECK_INT(pins_drop(history_pins(p.h), &pin.key), 1);
	CHECK(stripped(&p, "mx.example.net") >= 85);
	CHECK_INT(pins_drop_domain(history_pins(p.h), "example.net"), 1);
	p.server++;
	CHECK_INT(stripped(&p, "mx.example.net"), 0);
	CHECK_INT(pins_count(history_pins(p.h)), 0);
	play_fini(&p);
}

/* Names that say nothing, and names made to harm. */
TEST(what_is_no_name)
{
	static const char *const names[] = {"", "mail", "localhost",
	    "localhost.localdomain", "10.2.0.20", "[10.2.0.20]", "a b.c", ".",
	    "..", "x.", "mx..", ".mx.net", "a..net", "\\xff.net"};
	char folded[SERVER_NAME_MAX], longest[400];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK(!server_name_fold(folded, names[i]));
	memset(longest, 'a', sizeof(longest));
	longest[300] = '.';
	longest[399] = '\0';
	CHECK(!server_name_fold(folded, longest));
	CHECK(server_name_fold(folded, "MX-1.Example.Net."));
	CHECK(strcmp(folded, "mx-1.example.net") == 0);
}

TEST(networks)
{
	static const struct {
		uint8_t a[16];
		bool private_;
	} rows[] = {
	    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 2, 3}, true},
	    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 172, 31, 2, 3}, true},
	    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 172, 32, 2, 3}, false},
	    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 3}, false},
	    {{0xfd, 1}, true},
	    {{0xfe, 0x80}, true},
	    {{0x20, 1, 0x0d, 0xb8}, false},
	};
	struct pair_key k, n;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&k, 0, sizeof(k));
		memcpy(k.client.b, rows[i].a, 16);
		CHECK_INT(addr_is_private(&k.client), rows[i].private_);
	}
	memcpy(k.client.b, rows[0].a, 16);
	pair_key_network(&n, &k);
	CHECK_INT(n.client.b[15], 0);
	CHECK_INT(n.client.b[14], 2);
	CHECK_INT(n.of_network, 1);
}

/* A20: what has lasted for weeks, for several clients, is how it is. */
TEST(a_change_is_accepted_after_weeks)
{
	struct server_key k = address(20, 25);
	const struct server_facts *s;
	struct play p;

	play_init(&p);
	for (int i = 0; i < 12; i++)
		play_lesson(&p, PROTO_SMTP, 25);
	for (int i = 0; i < 4; i++) {
		p.client = (uint8_t)(30 + i);
		CHECK(stripped(&p, "mx.test") > 0 || i == 3);
		p.now += 5 * DAY;
	}
	s = history_server(p.h, &k, p.now);
	CHECK(s != NULL && s->offered == 0 && s->changed != 0);
	CHECK(s != NULL && s->not_offered >= 4);
	CHECK_INT(stripped(&p, "mx.test"), 0);
	play_fini(&p);
}

TEST(one_alert_speaks_for_all_clients)
{
	struct server_key k = address(20, 25);
	struct play p;
	int alerts = 0;

	play_init(&p);
	for (int i = 0; i < 12; i++)
		play_lesson(&p, PROTO_SMTP, 25);
	for (int i = 0; i < 200; i++) {
		p.client = (uint8_t)(30 + i);
		(void)stripped(&p, "mx.test");
		alerts += (int)p.n;
		p.now += 60 * SECOND;
	}
	/* two clients one by one, with what follows, and all of them */
	CHECK(alerts <= 6);
	CHECK(judge_counters(p.j)->quiet >= 190);
	CHECK_INT(history_server(p.h, &k, p.now)->absence.sessions, 200);
	/* acknowledged: the list without is the server's own from now on */
	history_accept(history_touch_server(p.h, &k), p.now);
	CHECK_INT(stripped(&p, "mx.test"), 0);
	CHECK_INT(history_server(p.h, &k, p.now)->absence.sessions, 0);
	play_fini(&p);
}

TEST(forgotten_is_forgotten)
{
	struct server_key k = address(20, 25);
	struct play p;

	play_init(&p);
	for (int i = 0; i < 12; i++)
		play_lesson(&p, PROTO_SMTP, 25);
	/* the server, the client and its network */
	CHECK_INT(history_forget(p.h, &k), 3);
	CHECK(history_server(p.h, &k, p.now) == NULL);
	CHECK_INT(stripped(&p, "mx.test"), 0);
	play_fini(&p);
}

TEST_MAIN
