/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a host does once and somebody does again: second answers to a SYN, and
 * data at and beyond a FIN.
 */
#include "tests/unit/evidence_kit.h"

/* ---- C12 ---- */

static void
syn(uint32_t seq)
{
	make(DIR_C2S, TCP_SYN, seq, 0, NULL);
	put();
}

/* The answer to syn(seq), with a number of its own. */
static void
syn_ack(uint32_t seq, uint32_t number)
{
	make(DIR_S2C, TCP_SYN | TCP_ACK, number, seq + 1, NULL);
	put();
}

static bool
is_twice(unsigned n)
{
	return nseen == n && seen[n - 1].kind == OBS_TWO_ANSWERS;
}

TEST(two_answers_to_one_syn)
{
	start();
	syn(UINT32_MAX);
	syn_ack(UINT32_MAX, 90000);
	syn_ack(UINT32_MAX, 500);
	CHECK(is_twice(1));
	CHECK_INT(seen[0].u.answers.again, 0);
	CHECK_INT(seen[0].u.answers.taken, 0);
	CHECK_INT(seen[0].u.answers.first.ordinal, 2);
	CHECK_INT(seen[0].pkt.ordinal, 3);
	CHECK_INT(seen[0].dir, DIR_S2C);
	syn_ack(UINT32_MAX, 700);
	finish();
	CHECK_INT(nseen, 1); /* told once */
}

TEST(second_answer_comes_when_the_client_has_gone_on)
{
	start();
	handshake();
	syn_ack(UINT32_MAX, 500);
	CHECK(is_twice(1));
	CHECK_INT(seen[0].u.answers.taken, 1);
	finish();
}

TEST(two_answers_to_a_syn_sent_again)
{
	start();
	syn(UINT32_MAX);
	syn_ack(UINT32_MAX, 90000);
	now += 1000 * MS;
	syn(UINT32_MAX);
	syn_ack(UINT32_MAX, 500);
	CHECK(is_twice(1));
	CHECK_INT(seen[0].u.answers.again, 1);
	finish();
}

TEST(a_mirrored_syn_is_not_sent_again)
{
	start();
	syn(UINT32_MAX);
	pk.flags |= PKT_V6; /* no IP id to know it by */
	pk.ip_id = 0;
	put();
	syn_ack(UINT32_MAX, 90000);
	syn_ack(UINT32_MAX, 500);
	CHECK(is_twice(1));
	CHECK_INT(seen[0].u.answers.again, 0);
	finish();
}

TEST(one_answer_each_to_two_syns)
{
	start();
	syn(UINT32_MAX);
	syn_ack(UINT32_MAX, 90000);
	syn(7000);
	syn_ack(7000, 500);
	finish();
	CHECK_INT(nseen, 0);
}

TEST(an_answer_repeated_or_too_late)
{
	start();
	syn(UINT32_MAX);
	syn_ack(UINT32_MAX, 90000);
	now += 1000 * MS;
	syn_ack(UINT32_MAX, 90000);
	now += 3000 * MS;
	syn_ack(UINT32_MAX, 500);
	finish();
	CHECK_INT(nseen, 0);
}

/* ---- C13 ---- */

TEST(data_at_the_number_of_a_fin)
{
	start();
	dialogue();
	send(DIR_S2C, TCP_FIN | TCP_ACK, 60, 60, NULL);
	c(60, 61, NULL);
	s(60, 60, LINE);
	s(80, 60, LINE);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(seen[0].kind, OBS_FIN_UNDONE);
	CHECK_INT(seen[0].u.fin.beyond, 20);
	CHECK_INT(seen[0].u.fin.acked, 1);
	CHECK_INT(seen[0].u.fin.behind, 0);
	CHECK_INT(seen[0].pkt.tcp_flags, TCP_FIN | TCP_ACK);
	CHECK_INT(seen[0].u.fin.data.ordinal, seen[0].pkt.ordinal + 2);
}

TEST(data_at_the_number_of_a_fin_byte_by_byte)
{
	start();
	dialogue();
	send(DIR_C2S, TCP_FIN | TCP_ACK, 60, 60, NULL);
	c(60, 60, "A");
	CHECK_INT(nseen, 0); /* a keep-alive would look like this */
	c(61, 60, "B");
	CHECK_INT(nseen, 1);
	finish();
}

TEST(fin_behind_data_of_its_sender)
{
	start();
	dialogue();
	send(DIR_S2C, TCP_FIN | TCP_ACK, 40, 60, NULL);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(seen[0].u.fin.behind, 1);
	CHECK_INT(seen[0].u.fin.beyond, 20);
}

TEST(fins_that_contradict_nothing)
{
	start();
	dialogue();
	send(DIR_S2C, TCP_FIN | TCP_ACK, 80, 60, LINE); /* 60..80 is late */
	s(60, 60, LINE);
	send(DIR_S2C, TCP_FIN | TCP_ACK, 80, 60, LINE); /* again */
	send(DIR_S2C, TCP_FIN | TCP_ACK, 100, 60, NULL);
	s(100, 60, "\0"); /* a keep-alive */
	c(60, 101, LINE); /* half-closed */
	s(101, 80, NULL);
	c(80, 101, LINE);
	send(DIR_C2S, TCP_FIN | TCP_ACK, 100, 101, NULL);
	s(101, 101, NULL);
	finish();
	CHECK_INT(nseen, 0);
}

TEST_MAIN
