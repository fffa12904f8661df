/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long the tracker keeps what says nothing, by the state it is in, and who
 * goes first when there are too many.
 */
#include "tests/unit/scene.h"

/* ---- how long ---- */

static void
only_a_syn(void)
{
	raw(DIR_C2S, TCP_SYN, sc.seq[0]++, "");
}

static void
half_open(void)
{
	only_a_syn();
	raw(DIR_S2C, TCP_SYN | TCP_ACK, sc.seq[1]++, "");
}

static void
greeted(void)
{
	handshake();
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
}

static void
one_has_closed(void)
{
	greeted();
	bye(DIR_C2S);
	raw(DIR_S2C, TCP_ACK, sc.seq[1], "");
}

static void
both_have_closed(void)
{
	one_has_closed();
	bye(DIR_S2C);
}

static void
all_is_acknowledged(void)
{
	both_have_closed();
	raw(DIR_C2S, TCP_ACK, sc.seq[0], "");
}

/* Has it timed out when another connection is seen so much later? */
static bool
is_gone(void (*state)(void), int64_t ms)
{
	scene_begin(40000, 25);
	state();
	sc.time += ms * MS - MS;
	raw(DIR_C2S, TCP_SYN, 1, "")->sport = 40001;
	play();
	return seen.timed_out == 1;
}

TEST(each_state_has_its_time)
{
	static const struct {
		void (*state)(void);
		int64_t seconds;
	} times[] = {
	    {only_a_syn, 30},
	    {half_open, 30},
	    {handshake, 600},
	    {greeted, 3900},
	    {one_has_closed, 60},
	    {both_have_closed, 10},
	    {all_is_acknowledged, 2},
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		CHECK(!is_gone(times[i].state, times[i].seconds * 1000 - 1));
		CHECK(is_gone(times[i].state, times[i].seconds * 1000 + 1));
	}
}

TEST(what_is_not_mail_is_forgotten_after_five_minutes)
{
	for (int64_t s = 299; s <= 301; s += 2) {
		scene_begin(40000, 80);
		handshake();
		say(DIR_C2S, "GET / HTTP/1.1\r\n\r\n");
		sc.time += s * 1000 * MS;
		say(DIR_C2S, "GET / HTTP/1.1\r\n\r\n");
		play();
		CHECK_INT(seen.flows, s < 300 ? 1 : 2);
		CHECK_STR(text, "");
	}
}

/* ---- who goes ---- */

/* Connection i of many, from its greeting on. */
static void
open_nth(struct runner *r, uint16_t i)
{
	sc.n = 0;
	sc.port[DIR_C2S] = (uint16_t)(40000 + i);
	greeted();
	for (size_t k = 0; k < sc.n; k++)
		feed(r, &sc.pkt[k]);
}

TEST(of_the_living_the_idlest_goes)
{
	struct runner r = small();

	r.cfg.max_flows = 8;
	runner_begin(&r, REASSEMBLY_ON_DEMAND);
	scene_begin(40000, 25);
	for (uint16_t i = 0; i < 8; i++) {
		sc.time += 1000 * MS;
		open_nth(&r, i);
	}
	for (uint16_t i = 0; i < 8; i++) { /* all but the fourth go on */
		sc.n = 0;
		sc.port[DIR_C2S] = (uint16_t)(40000 + i);
		sc.time += 1000 * MS;
		if (i != 3)
			feed(&r, raw(DIR_C2S, TCP_ACK, 0xfffffff1u, ""));
	}
	CHECK_INT(count("flow-end"), 0);
	sc.time += 1000 * MS;
	open_nth(&r, 100);
	CHECK_INT(count("how=evicted"), 1);
	CHECK_INT(tracker_counters(r.t)->evicted, 1);
	sc.n = 0;
	sc.port[DIR_C2S] = 40003; /* it was the one */
	feed(&r, raw(DIR_C2S, TCP_ACK, 0xfffffff1u, ""));
	CHECK_INT(tracker_counters(r.t)->midstream, 1);
	runner_end(&r);
}

static void
feed_all(struct runner *r)
{
	for (size_t k = 0; k < sc.n; k++)
		feed(r, &sc.pkt[k]);
}

static void
half_open_nth(struct runner *r, uint16_t i)
{
	sc.n = 0;
	sc.port[DIR_C2S] = (uint16_t)(40000 + i);
	half_open();
	feed_all(r);
}

static void
closed_nth(struct runner *r, uint16_t i)
{
	sc.n = 0;
	sc.port[DIR_C2S] = (uint16_t)(40000 + i);
	all_is_acknowledged();
	feed_all(r);
}

static void
not_mail_nth(struct runner *r, uint16_t i)
{
	sc.n = 0;
	sc.port[DIR_C2S] = (uint16_t)(40000 + i);
	sc.port[DIR_S2C] = 80;
	handshake();
	say(DIR_C2S, "GET / HTTP/1.1\r\n\r\n");
	sc.port[DIR_S2C] = 25;
	feed_all(r);
}

/* Its timer had 30 seconds when it began, and a reset ended it before. */
static void
reset_early(struct runner *r)
{
	runner_begin(r, REASSEMBLY_ON_DEMAND);
	scene_begin(40000, 25);
	greeted();
	raw(DIR_S2C, TCP_RST, sc.seq[1], "");
	feed_all(r);
	sc.time += 10000 * MS;
	tracker_tick(r->t, sc.time);
	CHECK_INT(count("flow-end"), 1);
	sc.n = 0;
	sc.port[DIR_C2S] = 40001;
}

TEST(a_timer_left_behind_ends_nobody_else)
{
	struct runner r = small();

	for (int64_t ms = 29999; ms <= 30001; ms += 2) {
		reset_early(&r);
		only_a_syn(); /* takes the place that became free */
		sc.time += ms * MS - MS;
		sc.port[DIR_C2S] = 40002;
		only_a_syn();
		feed_all(&r);
		CHECK_INT(tracker_counters(r.t)->timed_out, ms > 30000);
		runner_end(&r);
	}
	reset_early(&r);
	sc.time += 1000000 * MS; /* nobody is there */
	tracker_tick(r.t, sc.time);
	greeted();
	feed_all(&r);
	CHECK_INT(tracker_counters(r.t)->flows, 2);
	CHECK_INT(tracker_counters(r.t)->timed_out, 0);
	CHECK_INT(count("flow-open"), 2);
	runner_end(&r);
}

/* A table of 8,192 keeps 128 of them for what may come after. Of one that a
 * reset is waited for none goes early. */
TEST(closed_ones_end_early_where_there_are_many)
{
	struct runner r = small();
	uint16_t i = 0;

	r.cfg.max_flows = 8192;
	runner_begin(&r, REASSEMBLY_ON_DEMAND);
	scene_begin(40000, 25);
	closed_nth(&r, i++);
	sc.n = 0;
	raw(DIR_S2C, TCP_RST, sc.seq[1], "");
	feed_all(&r);
	while (i < 129)
		closed_nth(&r, i++);
	CHECK_INT(tracker_counters(r.t)->closed_early, 0);
	CHECK_INT(count("flow-end"), 0);
	while (i < 139)
		closed_nth(&r, i++);
	CHECK_INT(tracker_counters(r.t)->closed_early, 10);
	CHECK_INT(tracker_counters(r.t)->evicted, 0);
	CHECK_INT(count("flow-end"), 10);
	CHECK_INT(count("how=fin"), 10);
	CHECK_INT(count("cut"), 0);
	runner_end(&r);
}

/* Two of each in a table of eight, the mail first and so the idlest; what
 * comes is mail and stays. */
TEST(half_open_then_closed_then_not_mail_then_idle_mail)
{
	static const struct {
		unsigned ends, evicted;
	} then[] = {
	    {0, 0}, {0, 0}, /* half open: nothing was said of them */
	    {1, 0}, {2, 0}, /* closed: their end is told */
	    {2, 0}, {2, 0}, /* not mail */
	    {3, 1}, {4, 2} /* mail */
	};
	struct runner r = small();
	uint16_t i = 0;

	r.cfg.max_flows = 8;
	runner_begin(&r, REASSEMBLY_ON_DEMAND);
	scene_begin(40000, 25);
	while (i < 2)
		open_nth(&r, i++);
	while (i < 4)
		not_mail_nth(&r, i++);
	while (i < 6)
		closed_nth(&r, i++);
	while (i < 8)
		half_open_nth(&r, i++);
	for (size_t k = 0; k < sizeof(then) / sizeof(then[0]); k++) {
		CHECK_INT(tracker_counters(r.t)->evicted, k);
		open_nth(&r, i++);
		CHECK_INT(count("flow-end"), then[k].ends);
		CHECK_INT(count("how=evicted"), then[k].evicted);
	}
	CHECK_INT(tracker_counters(r.t)->timed_out, 0);
	runner_end(&r);
}

/* The long session stays, whatever a flood of SYNs does to the table. */
TEST(a_flood_of_syns_leaves_the_living_alone)
{
	struct runner r = small();

	scene_begin(40000, 25);
	handshake();
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	runner_begin(&r, REASSEMBLY_ON_DEMAND);
	for (size_t i = 0; i < sc.n; i++)
		feed(&r, &sc.pkt[i]);
	sc.n = 0;
	for (uint32_t i = 0; i < 100000; i++) {
		struct packet *p = raw(DIR_C2S, TCP_SYN, i * 7, "");

		p->time = START + 100 * MS;
		p->src.b[12] = 11;
		memcpy(p->src.b + 13, &i, 3);
		feed(&r, p);
		sc.n = 0;
	}
	sc.time = START + 200 * MS;
	say(DIR_C2S, "EHLO a.example\r\n");
	say(DIR_S2C, "250-mx.example\r\n250 STARTTLS\r\n");
	for (size_t i = 0; i < sc.n; i++)
		feed(&r, &sc.pkt[i]);
	runner_end(&r);
	CHECK(has("greeting"));
	CHECK(has("caps"));
	CHECK_INT(count("flow-open"), 1);
	CHECK_INT(seen.midstream, 0);
	CHECK(seen.evicted > 98000);
}

TEST(idle_flows_end_at_their_deadline)
{
	scene_begin(40000, 25);
	handshake();
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	sc.time += 2 * 3600 * 1000 * MS;
	raw(DIR_C2S, TCP_SYN, 1, "")->sport = 40001;
	with_time = true;
	play();
	with_time = false;
	CHECK(has("1700003900.004000000 flow-end"));
	CHECK(has("how=timeout"));
	CHECK_INT(seen.timed_out, 1);
}

TEST(a_port_used_again_has_its_deadline_too)
{
	scene_begin(40000, 25);
	handshake();
	say_dialogue();
	close_both();
	sc.seq[0] = 77000;
	sc.seq[1] = 88000;
	handshake();
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	sc.time += 2 * 3600 * 1000 * MS;
	raw(DIR_C2S, TCP_SYN, 1, "")->sport = 40001;
	play();
	CHECK_INT(count("how=fin"), 1);
	CHECK_INT(count("how=timeout"), 1);
}

TEST(imap_idle_for_half_an_hour_stays)
{
	scene_begin(40000, 25);
	handshake();
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	sc.time += 1800 * 1000 * MS;
	say(DIR_C2S, "EHLO a.example\r\n");
	say(DIR_S2C, "250-mx.example\r\n250 STARTTLS\r\n");
	play();
	CHECK(has("caps"));
	CHECK(!has("timeout"));
}

TEST_MAIN
