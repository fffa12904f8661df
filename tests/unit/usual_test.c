/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The short way: that usual frames take it, and that no frame near to them
 * comes out otherwise than by the long one.
 */
#include "tests/ways.h"

#include "ip_kit.h"

#define IP_AT(tagged) (14u + (tagged)*4u)

static const uint8_t timestamps[12] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t syn[20] = {
    2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7};

static struct ways ways;

static void
frame(bool v6, bool tagged, const void *options, unsigned olen)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

	w.n = 0;
	w_put(&w, macs, sizeof(macs));
	if (tagged) {
		w16(&w, 0x8100);
		w16(&w, 0x6042);
	}
	w16(&w, v6 ? 0x86dd : 0x0800);
	put_segment(&w, v6, options, olen);
}

/* The first `held` bytes of w. */
static bool
agree(uint32_t held, uint32_t sent)
{
	bool same;

	free(exact);
	exact = w_exact(&w, held);
	memset(&pkt, 0, sizeof(pkt));
	pkt.time = 1;
	pkt.linktype = LINK_EN10MB;
	pkt.frame = exact;
	pkt.caplen = held;
	pkt.wirelen = sent;
	same = ways_agree(&ways, &pkt);
	if (!same)
		TEST_FAIL("%u of %u bytes: usual %d, at length %d %d",
		    (unsigned)held, (unsigned)sent, ways.usual, ways.link,
		    ways.ip);
	return same;
}

static void
start(void)
{
	ways.quick = ip_new();
	ways.at_length = ip_new();
	if (ways.quick == NULL || ways.at_length == NULL)
		abort();
}

static void
stop(void)
{
	ip_free(ways.quick);
	ip_free(ways.at_length);
	finish();
}

/* Each way in which frames here are built. */
static void
each(void (*fn)(bool v6, bool tagged))
{
	start();
	for (unsigned i = 0; i < 4; i++) {
		bool v6 = i & 1, tagged = i & 2;

		frame(v6, tagged, NULL, 0);
		fn(v6, tagged);
		frame(v6, tagged, timestamps, sizeof(timestamps));
		fn(v6, tagged);
		frame(v6, tagged, syn, sizeof(syn));
		fn(v6, tagged);
	}
	stop();
}

static void
is_taken(bool v6, bool tagged)
{
	CHECK(agree(w.n, w.n));
	CHECK(ways.usual);
	CHECK_INT((pkt.flags & PKT_V6) != 0, v6);
	CHECK_INT(pkt.nvlan, tagged);
	CHECK_INT(pkt.vlan[0], tagged ? 0x42 : 0);
	CHECK_INT(pkt.len, TEXT_LEN);
	CHECK_INT(pkt.sport, 40000);
	CHECK_INT(pkt.dport, 25);
	w_put(&w, "\0\0\0\0", 4); /* padding of a short frame */
	CHECK(agree(w.n, w.n));
	CHECK(ways.usual);
	CHECK_INT(pkt.len, TEXT_LEN);
}

TEST(usual_frames_take_the_short_way)
{
	each(is_taken);
}

/* The header's checksum is put right, so that a change of one byte is not
 * turned away by that alone. */
static void
mend(bool v6, bool tagged)
{
	uint32_t at = IP_AT(tagged);

	if (v6)
		return;
	w_set16(&w, at + 10, 0);
	w_set16(&w, at + 10, ~w_sum(0, w.d + at, 20) & 0xffff);
}

static bool
all_values(uint32_t at, bool v6, bool tagged)
{
	uint8_t was = w.d[at];
	bool same = true;

	for (unsigned v = 0; v < 256 && same; v++) {
		w.d[at] = (uint8_t)v;
		same = agree(w.n, w.n);
		if (at >= IP_AT(tagged) && at < IP_AT(tagged) + 20) {
			mend(v6, tagged);
			same = same && agree(w.n, w.n);
		}
	}
	w.d[at] = was;
	mend(v6, tagged);
	return same;
}

static void
each_byte(bool v6, bool tagged)
{
	uint32_t n = w.n - (uint32_t)TEXT_LEN;

	for (uint32_t at = 12; at < n; at++)
		if (!all_values(at, v6, tagged))
			TEST_FAIL(
			    "byte %u, v6 %d, tag %d", (unsigned)at, v6, tagged);
}

TEST(each_value_of_each_byte_of_the_headers)
{
	each(each_byte);
}

static void
each_length(bool v6, bool tagged)
{
	uint32_t at = IP_AT(tagged) + (v6 ? 4 : 2), all = w.n;

	for (uint32_t held = 0; held <= all; held++) {
		CHECK(agree(held, all)); /* cut by the capture */
		CHECK(agree(held, held)); /* by the sender */
	}
	for (unsigned said = 0; said < 140; said++) {
		w_set16(&w, at, said);
		mend(v6, tagged);
		CHECK(agree(w.n, w.n));
	}
}

TEST(each_length_held_and_said)
{
	each(each_length);
}

static uint32_t state = 1;

static uint32_t
chance(uint32_t n)
{
	state = state * 1664525 + 1013904223;
	return (state >> 8) % n;
}

static void
changed(bool v6, bool tagged)
{
	static uint8_t copy[200];
	uint32_t n = w.n;

	memcpy(copy, w.d, n);
	for (unsigned i = 0; i < 4000; i++) {
		for (unsigned k = 1 + chance(3); k > 0; k--)
			w.d[12 + chance(n - 12)] ^= (uint8_t)(1u << chance(8));
		if (chance(2) == 0)
			mend(v6, tagged);
		if (!agree(chance(4) == 0 ? chance(n + 1) : n, n))
			return;
		memcpy(w.d, copy, n);
	}
}

TEST(several_bits_at_once)
{
	each(changed);
}

TEST_MAIN
