/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a host is known by: frames from elsewhere, timestamps that are missing
 * or not its own, times of answers, the options of its SYN. And when nothing
 * may be said: several addresses, no agreement, numbers sent twice.
 */
#include "tests/unit/evidence_kit.h"

#define NO_TS 0u /* tsval of a segment without timestamps */

static const uint8_t frames[3][12] = {
    {0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0x11}, /* destination, source */
    {0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0x22},
    {0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0x99}, /* somebody else */
};

/* pk as made, from the MAC address `from` (-1: none), with a timestamp. */
static void
put_as(int from, uint32_t tsval)
{
	if (from >= 0)
		pk.mac = frames[from];
	else
		pk.flags &= ~(uint32_t)PKT_HAS_MAC;
	if (tsval != NO_TS) {
		pk.flags |= PKT_TS;
		pk.tsval = tsval;
	}
	put();
}

static void
shake(uint32_t ts_client, uint32_t ts_server)
{
	start();
	make(DIR_C2S, TCP_SYN, UINT32_MAX, 0, NULL);
	put_as(0, ts_client);
	make(DIR_S2C, TCP_SYN | TCP_ACK, UINT32_MAX, 0, NULL);
	put_as(1, ts_server);
	make(DIR_C2S, TCP_ACK, 0, 0, NULL);
	put_as(0, ts_client);
}

static void
server_says(const char *text, int from, uint32_t tsval)
{
	make(DIR_S2C, TCP_ACK, 0, 0, text);
	put_as(from, tsval);
}

/* ---- MAC addresses ---- */

static const struct obs_rst *
reset_from(int from)
{
	make(DIR_S2C, TCP_RST, 7, 0, NULL);
	put_as(from, NO_TS);
	evidence_tick(ctx, INT64_MAX);
	CHECK_INT(nseen, 1);
	CHECK_INT(seen[0].kind, OBS_RST);
	return &seen[0].u.rst;
}

TEST(a_reset_from_elsewhere)
{
	const struct obs_rst *r;

	shake(NO_TS, NO_TS);
	server_says("220 mx\r\n", 1, NO_TS);
	r = reset_from(2);
	CHECK_INT(r->odd_mac, 1);
	CHECK(memcmp(r->mac, frames[2] + 6, 6) == 0);
	CHECK(memcmp(r->mac_base, frames[1] + 6, 6) == 0);
	finish();
}

TEST(resets_whose_address_says_nothing)
{
	static const struct {
		int data, rst; /* who the frames come from */
		bool early; /* before the server has said anything */
	} cases[] = {
	    {1, 1, false}, /* its own */
	    {1, -1, false}, /* none was captured */
	    {0, 2, false}, /* both sides of a router: there are several */
	    {2, 2, false}, /* likewise, and this is one of them */
	    {1, 2, true}, /* a single frame is no habit */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		shake(NO_TS, NO_TS);
		if (!cases[i].early)
			server_says("220 mx\r\n", cases[i].data, NO_TS);
		CHECK_INT(reset_from(cases[i].rst)->odd_mac, 0);
		finish();
	}
}

/* ---- conflicts ---- */

struct version {
	int from;
	uint32_t tsval;
};

#define TS 5000u /* of the server's SYN/ACK */

static const struct obs_conflict *
conflict(uint32_t client, uint32_t server, struct version a, struct version b)
{
	shake(client, server);
	make(DIR_S2C, TCP_ACK, 0, 0, NULL);
	put_as(1, server);
	server_says("250-STARTTLS\r\n", a.from, a.tsval);
	server_says("250-SIZE 999\r\n", b.from, b.tsval);
	finish(); /* nobody says which was used */
	CHECK_INT(nseen, 1);
	CHECK_INT(seen[0].kind, OBS_CONFLICT);
	return &seen[0].u.conflict;
}

TEST(which_version_is_odd)
{
	static const struct {
		struct version a, b;
		int mac, ts;
	} cases[] = {
	    {{1, TS + 4}, {1, TS + 5}, 0, 0},
	    {{2, TS + 4}, {1, TS + 5}, 1, 0},
	    {{1, TS + 4}, {2, TS + 5}, 2, 0},
	    {{1, NO_TS}, {1, TS + 5}, 0, 1},
	    {{1, TS + 4}, {1, NO_TS}, 0, 2},
	    {{1, NO_TS}, {1, NO_TS}, 0, 0}, /* taken away on the path */
	    {{1, TS + 0x50000000}, {1, TS + 5}, 0, 1}, /* another's clock */
	    {{1, TS + 5}, {1, TS - 0x50000000}, 0, 2},
	    {{1, TS + 5}, {1, TS - 100}, 0, 0}, /* sent earlier */
	    {{2, NO_TS}, {1, TS + 5}, 1, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct obs_conflict *r =
		    conflict(77, TS, cases[i].a, cases[i].b);

		CHECK_INT(r->odd_mac, cases[i].mac);
		CHECK_INT(r->odd_ts, cases[i].ts);
	}
}

TEST(timestamps_that_nobody_agreed_on)
{
	struct version with = {1, TS + 5}, without = {1, NO_TS};

	CHECK_INT(conflict(NO_TS, TS, without, with)->odd_ts, 0);
	CHECK_INT(conflict(77, NO_TS, with, without)->odd_ts, 0);
	CHECK_INT(conflict(NO_TS, NO_TS, without, with)->odd_ts, 0);
}

/* ---- times and options ---- */

static void
shake_in(int64_t server_us, int64_t client_us, bool again)
{
	start();
	make(DIR_C2S, TCP_SYN, UINT32_MAX, 0, NULL);
	put();
	if (again) {
		now += 1000 * MS;
		make(DIR_C2S, TCP_SYN, UINT32_MAX, 0, NULL);
		put();
	}
	now += server_us * 1000 - MS;
	make(DIR_S2C, TCP_SYN | TCP_ACK, UINT32_MAX, 0, NULL);
	put();
	now += client_us * 1000 - MS;
	make(DIR_C2S, TCP_ACK, 0, 0, NULL);
	put();
	now += 500 * MS;
	c(0, 0, "EHLO a\r\n");
	s(0, 8, "250 mx\r\n");
}

TEST(times_of_the_handshake)
{
	shake_in(23456, 120, false);
	CHECK_INT(flow.rtt[DIR_S2C], 23456);
	CHECK_INT(flow.rtt[DIR_C2S], 120);
	finish();
	shake_in(23456, 120, true); /* which SYN was answered? */
	CHECK_INT(flow.rtt[DIR_S2C], 0);
	CHECK_INT(flow.rtt[DIR_C2S], 0);
	finish();
	start(); /* its beginning was not seen */
	c(0, 0, "EHLO a\r\n");
	s(0, 8, "250 mx\r\n");
	CHECK_INT(flow.rtt[DIR_S2C], 0);
	CHECK_INT(flow.rtt[DIR_C2S], 0);
	finish();
}

static uint32_t
signature_of(uint32_t order, uint16_t mss, uint8_t wscale)
{
	uint32_t got;

	start();
	make(DIR_C2S, TCP_SYN, UINT32_MAX, 0, NULL);
	pk.option_order = order;
	pk.mss = mss;
	pk.wscale = wscale;
	put();
	c(0, 0, "EHLO a\r\n");
	got = flow.rest[DIR_C2S].syn_signature;
	CHECK_INT(flow.rest[DIR_S2C].syn_signature, 0);
	finish();
	return got;
}

TEST(the_options_of_a_syn)
{
	uint32_t usual = signature_of(11, 1460, 7);

	CHECK(usual != 0);
	CHECK(usual == signature_of(11, 1460, 7));
	CHECK(usual != signature_of(12, 1460, 7));
	CHECK(usual != signature_of(11, 1400, 7));
	CHECK(usual != signature_of(11, 1460, 8));
	CHECK(signature_of(0, 0, 0) != 0);
}

TEST_MAIN
