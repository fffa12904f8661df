/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections on one four-tuple at the same time, told apart by place and
 * numbers; and what is one connection, wherever it is seen.
 */
#include "tests/unit/scene.h"

static struct scene one, other;

static void
place(struct scene *s, uint32_t interface, uint16_t vlan)
{
	for (size_t i = 0; i < s->n; i++) {
		s->pkt[i].interface = interface;
		s->pkt[i].nvlan = vlan != 0;
		s->pkt[i].vlan[0] = vlan;
	}
}

static struct scene
dialogue(uint32_t isn)
{
	scene_begin(40000, 25);
	sc.seq[DIR_C2S] = isn;
	sc.seq[DIR_S2C] = isn * 7;
	handshake();
	say_dialogue();
	close_both();
	return sc;
}

/* Packet by packet in turns. */
static void
interleave(const struct scene *a, const struct scene *b)
{
	sc.n = 0;
	for (size_t i = 0; i < a->n; i++) {
		sc.pkt[sc.n++] = a->pkt[i];
		sc.pkt[sc.n++] = b->pkt[i];
	}
}

static unsigned
times(const char *what)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

TEST(two_legs_are_two_dialogues)
{
	static const struct {
		uint32_t interface;
		uint16_t vlan;
	} far[] = {{1, 0}, {0, 20}, {1, 20}};

	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		one = dialogue(1000);
		other = dialogue(0x60000000);
		place(&one, 0, 0);
		place(&other, far[i].interface, far[i].vlan);
		interleave(&one, &other);
		play();
		CHECK_INT(seen.flows, 2);
		CHECK_INT(seen.legs, 1);
		CHECK_INT(times("how=fin by=client quit"), 2);
		CHECK_INT(times("bytes=47/97 packets=7/7"), 2);
		CHECK(!has("vis="));
	}
}

TEST(on_one_place_they_are_none)
{
	one = dialogue(1000);
	other = dialogue(0x60000000);
	interleave(&one, &other);
	play();
	CHECK_INT(seen.legs, 0);
}

TEST(a_firewall_that_changes_one_sides_numbers)
{
	one = other = dialogue(1000);
	for (size_t i = 0; i < other.n; i++) {
		struct packet *p = &other.pkt[i];

		if (p->sport == 40000)
			p->seq += 0x33333333;
		else
			p->ack += 0x33333333;
	}
	place(&other, 1, 0);
	interleave(&one, &other);
	play();
	CHECK_INT(seen.flows, 2);
	CHECK_INT(times("bytes=47/97 packets=7/7"), 2);
	CHECK(!has("vis="));
}

TEST(each_direction_in_its_own_vlan_is_one)
{
	one = dialogue(1000);
	for (size_t i = 0; i < one.n; i++) {
		one.pkt[i].nvlan = 1;
		one.pkt[i].vlan[0] = one.pkt[i].sport == 25 ? 10 : 20;
	}
	sc = one;
	play();
	CHECK_INT(seen.flows, 1);
	CHECK(has("bytes=47/97 packets=7/7"));
}

TEST(a_dialogue_that_moves_is_one)
{
	one = dialogue(1000);
	for (size_t i = 0; i < one.n; i++)
		one.pkt[i].interface = (uint32_t)i;
	sc = one;
	play();
	CHECK_INT(seen.flows, 1);
	CHECK(has("bytes=47/97 packets=7/7"));
}

TEST(a_packet_in_both_places_is_one)
{
	one = other = dialogue(1000);
	place(&other, 1, 7);
	interleave(&one, &other);
	play();
	CHECK_INT(seen.flows, 1);
	CHECK(has("bytes=47/97"));
	CHECK(seen.dup_frames > 10);
}

TEST(legs_met_in_their_middle)
{
	one = dialogue(1000);
	other = dialogue(0x60000000);
	place(&other, 1, 0);
	interleave(&one, &other);
	memmove(sc.pkt, sc.pkt + 6, (sc.n - 6) * sizeof(sc.pkt[0]));
	sc.n -= 6;
	play();
	CHECK_INT(seen.flows, 2);
	CHECK_INT(times("how=fin by=client quit"), 2);
}

/* A tuple takes no more of the table than that. */
TEST(nine_legs_are_eight)
{
	scene_begin(40000, 25);
	for (uint32_t i = 0; i < 9; i++) {
		raw(DIR_C2S, TCP_SYN, 1000 + i * 0x10000000, "");
		sc.pkt[sc.n - 1].interface = i;
	}
	play();
	CHECK_INT(seen.flows, 8);
}

TEST(a_reset_from_elsewhere_opens_nothing)
{
	scene_begin(40000, 25);
	handshake();
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	raw(DIR_S2C, TCP_RST, 0x70000000, "");
	sc.pkt[sc.n - 1].interface = 3;
	say(DIR_C2S, "EHLO a.example\r\n");
	play();
	CHECK_INT(seen.flows, 1);
	CHECK_INT(seen.rst_after_data + seen.legs, 0);
}

TEST_MAIN
