/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The evidence stage on conversations built by hand: each forged reset of the
 * catalogue and, beside it, the lawful one that looks most like it.
 */
#include "tests/unit/evidence_kit.h"

static uint32_t
rst_tests(unsigned i)
{
	if (i >= nseen || seen[i].kind != OBS_RST)
		return UINT32_MAX;
	return seen[i].u.rst.tests;
}

#define GROUNDS                                                               \
	(RST_DATA_AFTER | RST_BEHIND_DATA | RST_SEQ_CHANGE | RST_ACK_CHANGE | \
	    RST_SYN_RACE | RST_BLIND | RST_ALIVE | RST_TRAIN)
#define SIGNS (RST_TTL | RST_UNASKED | RST_IP_ID | RST_OLD_TTL | RST_SAME_AFTER)

/* ---- C1 ---- */

TEST(forged_rst_then_data_of_the_same_sender)
{
	start();
	dialogue();
	send(DIR_S2C, TCP_RST | TCP_ACK, 60, 60, NULL);
	CHECK_INT(hints, EVID_RST);
	s(60, 60, LINE);
	CHECK_INT(hints, EVID_LIVES);
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & GROUNDS, RST_DATA_AFTER);
	CHECK_INT(seen[0].u.rst.data_after, 20);
	CHECK_INT(seen[0].u.rst.next.ordinal, ordinal);
	CHECK_INT(seen[0].pkt.ordinal, ordinal - 1);
	CHECK_INT(seen[0].time, now);
	finish();
	CHECK_INT(nseen, 1); /* told once */
}

TEST(forged_answer_then_data_of_the_same_sender)
{
	start();
	dialogue();
	forged_rst(DIR_S2C, 60, S_TTL);
	s(60, 60, LINE);
	CHECK_INT(hints, EVID_LIVES);
	CHECK_INT(nseen, 0); /* an explanation may follow */
	s(80, 60, LINE);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & GROUNDS, RST_DATA_AFTER);
	CHECK_INT(seen[0].u.rst.data_after, 40);
}

TEST(late_data_and_abort_behind_the_answer_of_a_closed_socket)
{
	start();
	dialogue();
	bare_rst(DIR_S2C, 60);
	s(60, 60, LINE);
	send(DIR_S2C, TCP_RST | TCP_ACK, 80, 60, NULL);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & GROUNDS, 0);
}

TEST(late_data_where_segments_overtake_each_other)
{
	start();
	dialogue();
	s(80, 60, LINE);
	s(60, 60, LINE);
	bare_rst(DIR_S2C, 60);
	s(100, 60, LINE);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & GROUNDS, 0);
}

TEST(late_data_of_a_socket_that_its_peer_reset)
{
	start();
	dialogue();
	send(DIR_C2S, TCP_RST | TCP_ACK, 60, 60, NULL);
	bare_rst(DIR_S2C, 60);
	s(60, 60, LINE);
	finish();
	CHECK_INT(nseen, 2);
	CHECK_INT(rst_tests(0) & GROUNDS, 0);
	CHECK_INT(rst_tests(1) & GROUNDS, 0);
}

TEST(data_sent_before_the_rst_of_a_closed_socket_comes_late)
{
	start();
	dialogue();
	/* the server sent 60..80 and closed; the client's line crossed it and
	 * is answered by the closed socket; the 20 bytes were overtaken */
	bare_rst(DIR_S2C, 60);
	s(60, 40, LINE);
	CHECK_INT(hints & EVID_LIVES, 0);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & (GROUNDS | SIGNS), 0);
	CHECK_INT(verdicts, EVID_DEAD);
}

TEST(abort_with_unread_data_stands)
{
	start();
	dialogue();
	send(DIR_S2C, TCP_RST | TCP_ACK, 60, 40, NULL);
	c(60, 60, LINE); /* was under way */
	bare_rst(DIR_S2C, 60);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & (GROUNDS | SIGNS), 0);
	CHECK_INT(rst_tests(0) & RST_CROSSED, RST_CROSSED);
	CHECK_INT(verdicts, EVID_DEAD);
}

TEST(sender_acknowledges_what_came_after_its_rst)
{
	start();
	dialogue();
	forged_rst(DIR_S2C, 60, S_TTL);
	c(60, 60, LINE);
	s(60, 80, NULL);
	CHECK_INT(hints, EVID_LIVES);
	CHECK_INT(rst_tests(0) & GROUNDS, RST_ALIVE);
	finish();
}

TEST(old_acknowledgement_overtaken_by_the_rst)
{
	start();
	dialogue();
	bare_rst(DIR_S2C, 60);
	s(60, 40, NULL);
	finish();
	CHECK_INT(rst_tests(0) & (GROUNDS | SIGNS), 0);
}

TEST(sender_repeats_a_line_after_its_rst)
{
	start();
	dialogue();
	send(DIR_C2S, TCP_RST | TCP_ACK, 60, 60, NULL);
	c(40, 60, LINE); /* at once: may only have been overtaken */
	now += 210 * MS;
	CHECK_INT(nseen, 0);
	c(40, 60, LINE);
	finish();
	CHECK_INT(rst_tests(0) & (GROUNDS | SIGNS), RST_SAME_AFTER);
	start();
	dialogue();
	send(DIR_C2S, TCP_RST | TCP_ACK, 60, 60, NULL);
	c(40, 60, LINE);
	finish();
	CHECK_INT(rst_tests(0) & (GROUNDS | SIGNS), 0);
}

/* ---- C2 ---- */

TEST(rst_behind_data)
{
	start();
	dialogue();
	forged_rst(DIR_S2C, 33, S_TTL);
	CHECK_INT(nseen, 0);
	finish();
	CHECK_INT(rst_tests(0) & GROUNDS, RST_BEHIND_DATA);
	CHECK_INT(seen[0].u.rst.seq_off, -27);
	CHECK_INT(verdicts, EVID_LIVES); /* no host obeys it */
}

TEST(closed_socket_answers_old_segments)
{
	start();
	dialogue();
	s(60, 60, LINE);
	bare_rst(DIR_S2C, 60);
	bare_rst(DIR_S2C, 40);
	bare_rst(DIR_S2C, 60);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & (GROUNDS | SIGNS), 0);
	CHECK_INT(rst_tests(0) & RST_ANSWERS_ACK, RST_ANSWERS_ACK);
}

/* ---- C3, C4, C7 ---- */

TEST(resets_jump_upwards)
{
	start();
	dialogue();
	forged_rst(DIR_S2C, 60, S_TTL);
	forged_rst(DIR_S2C, 60 + 502, S_TTL);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & GROUNDS, RST_SEQ_CHANGE);
	CHECK_INT(seen[0].u.rst.count, 2);
}

/* The tap missed the FINs and what acknowledged them. */
TEST(a_fin_that_was_missed_is_no_jump)
{
	start();
	dialogue();
	bare_rst(DIR_S2C, 60);
	bare_rst(DIR_S2C, 61);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & GROUNDS, 0);
}

TEST(resets_of_one_close_do_not_jump)
{
	start();
	dialogue();
	send(DIR_S2C, TCP_RST | TCP_ACK, 60, 40, NULL);
	bare_rst(DIR_S2C, 60);
	bare_rst(DIR_S2C, 60);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & (GROUNDS | SIGNS), 0);
	CHECK_INT(seen[0].u.rst.count, 2); /* the copy is none */
}

TEST(resets_acknowledge_what_was_never_sent)
{
	start();
	dialogue();
	send(DIR_S2C, TCP_RST | TCP_ACK, 60, 60, NULL);
	send(DIR_S2C, TCP_RST | TCP_ACK, 60, 5000, NULL);
	finish();
	CHECK_INT(rst_tests(0) & GROUNDS, RST_ACK_CHANGE);
}

TEST(tcpkill_after_the_fact)
{
	start();
	dialogue();
	send(DIR_C2S, TCP_ACK | TCP_FIN, 60, 60, NULL);
	for (uint32_t i = 0; i < 3; i++) {
		static const uint32_t step[] = {0, 502, 1506};

		make(DIR_S2C, TCP_RST, 20 + step[i], 0, NULL);
		pk.ip_id = (uint16_t)(0x5555 * i + 77);
		pk.flags &= ~(uint32_t)PKT_IP_DF;
		pk.window = 0;
		put();
	}
	for (uint32_t i = 0; i < 3; i++) {
		make(DIR_S2C, TCP_RST, 41 + i, 0, NULL);
		pk.window = 0;
		put();
	}
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & RST_TRAIN, RST_TRAIN);
	CHECK_INT(rst_tests(0) & RST_SEQ_CHANGE, 0); /* after a FIN: no */
	CHECK_INT(seen[0].u.rst.tool, TOOL_TCPKILL);
}

TEST(libnids_is_known_by_its_constants)
{
	start();
	dialogue();
	make(DIR_S2C, TCP_RST, 60, 0, NULL);
	pk.ip_id = 12345;
	pk.window = 32000;
	put();
	finish();
	CHECK_INT(seen[0].u.rst.tool, TOOL_LIBNIDS_KILL);
}

/* ---- C5 ---- */

static void
syn_answered_by_rst(void)
{
	view.phase = PHASE_SYN;
	send(DIR_C2S, TCP_SYN, UINT32_MAX, 0, NULL);
	send(DIR_S2C, TCP_RST | TCP_ACK, 3, 0, NULL);
}

TEST(syn_ack_after_a_rst_to_the_same_syn)
{
	start();
	syn_answered_by_rst();
	send(DIR_S2C, TCP_SYN | TCP_ACK, UINT32_MAX, 0, NULL);
	CHECK_INT(hints, EVID_LIVES);
	finish();
	CHECK_INT(rst_tests(0) & GROUNDS, RST_SYN_RACE);
	CHECK_INT(nseen, 1);
}

TEST(service_started_and_the_syn_sent_again)
{
	start();
	syn_answered_by_rst();
	send(DIR_C2S, TCP_SYN, UINT32_MAX, 0, NULL);
	send(DIR_S2C, TCP_SYN | TCP_ACK, UINT32_MAX, 0, NULL);
	c(0, 0, NULL);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & GROUNDS, 0);
	CHECK_INT(verdicts, EVID_LIVES);
}

TEST(closed_port)
{
	start();
	syn_answered_by_rst();
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & (GROUNDS | SIGNS), 0);
	CHECK_INT(verdicts, EVID_DEAD);
}

TEST(client_rst_after_syn_and_goes_on)
{
	start();
	view.phase = PHASE_SYN;
	send(DIR_C2S, TCP_SYN, UINT32_MAX, 0, NULL);
	forged_rst(DIR_C2S, 0, C_TTL);
	send(DIR_S2C, TCP_SYN | TCP_ACK, UINT32_MAX, 0, NULL);
	c(0, 0, NULL);
	CHECK_INT(hints, EVID_LIVES);
	finish();
	CHECK_INT(rst_tests(0) & GROUNDS, RST_ALIVE);
}

TEST(client_rst_to_a_syn_ack_and_goes_on)
{
	start();
	view.phase = PHASE_SYN;
	send(DIR_C2S, TCP_SYN, UINT32_MAX, 0, NULL);
	send(DIR_S2C, TCP_SYN | TCP_ACK, UINT32_MAX, 0, NULL);
	forged_rst(DIR_C2S, 0, C_TTL);
	c(0, 0, NULL);
	CHECK_INT(hints, EVID_LIVES);
	finish();
	CHECK_INT(rst_tests(0) & GROUNDS, RST_ALIVE);
}

TEST(half_open_scan)
{
	start();
	view.phase = PHASE_SYN;
	send(DIR_C2S, TCP_SYN, UINT32_MAX, 0, NULL);
	send(DIR_S2C, TCP_SYN | TCP_ACK, UINT32_MAX, 0, NULL);
	bare_rst(DIR_C2S, 0);
	bare_rst(DIR_C2S, 0);
	finish();
	CHECK_INT(rst_tests(0) & (GROUNDS | SIGNS), 0);
}

/* ---- C6 ---- */

TEST(blind_rst_in_the_window)
{
	start();
	dialogue();
	forged_rst(DIR_S2C, 1060, S_TTL);
	c(60, 60, NULL); /* challenge */
	s(60, 60, LINE);
	CHECK_INT(hints & EVID_LIVES, 0); /* could fill a hole */
	c(60, 80, LINE);
	s(80, 80, LINE);
	CHECK_INT(hints, EVID_LIVES);
	CHECK_INT(rst_tests(0) & GROUNDS, RST_BLIND | RST_ALIVE);
	CHECK_INT(seen[0].u.rst.seq_off, 1000);
	finish();
}

TEST(rst_beyond_a_hole_that_is_filled_late)
{
	start();
	dialogue();
	/* 60..80 and 80..100 were sent before the abort, and overtaken */
	send(DIR_S2C, TCP_RST | TCP_ACK, 100, 60, NULL);
	s(60, 60, LINE);
	s(80, 60, LINE);
	finish();
	CHECK_INT(rst_tests(0) & GROUNDS, 0);
	CHECK_INT(verdicts, EVID_DEAD);
}

/* ---- C14, C15, circumstances ---- */

TEST(signs_of_a_reset_made_elsewhere)
{
	start();
	dialogue();
	view.phase = PHASE_TLS_READY;
	s(60, 60, LINE);
	forged_rst(DIR_S2C, 80, 255);
	bare_rst(DIR_S2C, 80);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & GROUNDS, 0);
	CHECK_INT(rst_tests(0) & SIGNS,
	    RST_TTL | RST_UNASKED | RST_IP_ID | RST_OLD_TTL);
	CHECK_INT(seen[0].phase, PHASE_TLS_READY);
	CHECK_INT(seen[0].u.rst.ttl_rst, 255);
	CHECK_INT(seen[0].u.rst.ttl_base, S_TTL);
}

TEST(random_ip_ids_are_no_sign)
{
	start();
	handshake();
	for (uint32_t i = 0; i < 6; i++) {
		make(DIR_S2C, TCP_ACK, 20 * i, 0, LINE);
		pk.ip_id = (uint16_t)(i * 0x4321 + 99);
		put();
		c(0, 20 * i + 20, NULL);
	}
	make(DIR_S2C, TCP_RST | TCP_ACK, 120, 0, NULL);
	pk.ip_id = 0x7777;
	put();
	finish();
	CHECK_INT(rst_tests(0) & (GROUNDS | SIGNS), 0);
}

TEST(both_sides_of_a_router_mirrored)
{
	start();
	handshake();
	for (uint32_t i = 0; i < 4; i++) {
		s(20 * i, 0, LINE);
		pk.ttl--;
		put();
		c(0, 20 * i + 20, NULL);
	}
	send(DIR_S2C, TCP_RST | TCP_ACK, 80, 0, NULL);
	pk.ttl--;
	put();
	finish();
	CHECK_INT(rst_tests(0) & (GROUNDS | SIGNS), 0);
}

TEST(one_ip_id_for_all_packets_makes_no_copies)
{
	start();
	handshake();
	make(DIR_C2S, TCP_ACK, 0, 0, NULL);
	pk.ip_id = 1;
	put();
	make(DIR_C2S, TCP_ACK | TCP_PSH, 0, 0, LINE);
	pk.ip_id = 1;
	put();
	CHECK_INT(hints & EVID_DUP, 0);
	put();
	CHECK_INT(hints & EVID_DUP, EVID_DUP);
	finish();
}

TEST(rst_after_fin_is_marked)
{
	start();
	dialogue();
	send(DIR_S2C, TCP_ACK | TCP_FIN, 60, 60, NULL);
	make(DIR_S2C, TCP_RST, 61, 0, NULL);
	pk.ttl = 255;
	put();
	finish();
	CHECK_INT(rst_tests(0) & RST_AFTER_FIN, RST_AFTER_FIN);
	CHECK_INT(rst_tests(0) & GROUNDS, 0);
}

TEST(rst_on_an_idle_connection_is_marked)
{
	start();
	dialogue();
	s(60, 60, NULL);
	now += 400000 * MS;
	send(DIR_S2C, TCP_RST | TCP_ACK, 60, 60, NULL);
	finish();
	CHECK_INT(rst_tests(0) & RST_IDLE, RST_IDLE);
}

TEST(rst_of_an_older_connection_is_left_alone)
{
	start();
	dialogue();
	forged_rst(DIR_S2C, 0x40000000, S_TTL);
	CHECK_INT(hints, EVID_RST | EVID_LIVES);
	forged_rst(DIR_S2C, UINT32_MAX - 5000, S_TTL);
	finish();
	CHECK_INT(nseen, 0);
}

TEST(guess_below_the_first_number)
{
	start();
	handshake();
	forged_rst(DIR_S2C, UINT32_MAX - 6, S_TTL);
	c(0, 0, LINE);
	s(0, 20, LINE);
	CHECK_INT(hints, EVID_LIVES);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(
	    rst_tests(0) & GROUNDS, RST_DATA_AFTER | RST_BLIND | RST_ALIVE);
}

TEST(rst_with_a_wrong_checksum_where_others_are_right)
{
	start();
	dialogue();
	make(DIR_S2C, TCP_RST, 60, 0, NULL);
	pk.flags |= PKT_BAD_TCP_CSUM;
	put();
	CHECK_INT(hints, EVID_RST | EVID_DOUBT);
	finish();
	CHECK_INT(nseen, 0);
}

TEST(mid_stream_says_little)
{
	start();
	view.phase = PHASE_TEXT;
	s(0, 0, LINE);
	c(0, 20, LINE);
	s(20, 20, LINE);
	forged_rst(DIR_S2C, 40, S_TTL);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & (GROUNDS | RST_UNASKED), 0);
}

TEST(timer_and_end_say_when)
{
	int64_t when;

	start();
	dialogue();
	forged_rst(DIR_S2C, 60, S_TTL);
	when = now + EVIDENCE_RST_WAIT;
	CHECK_INT(evidence_deadline(ctx), when);
	evidence_tick(ctx, when - 1);
	CHECK_INT(nseen, 0);
	evidence_tick(ctx, when + 50 * MS);
	CHECK_INT(nseen, 1);
	CHECK_INT(seen[0].time, when);
	now = when + 60 * MS;
	forged_rst(DIR_S2C, 60, S_TTL);
	now += 5 * MS;
	evidence_end(ctx, &flow, now);
	CHECK_INT(nseen, 2);
	CHECK_INT(seen[1].time, now);
	finish();
}

TEST(full_table_settles_the_oldest)
{
	static struct evidence_flow flows[EVIDENCE_GROUPS + 1];
	struct evidence_view v = {DIR_S2C, PHASE_TEXT, 0, 0, 0};

	start();
	for (unsigned i = 0; i <= EVIDENCE_GROUPS; i++) {
		memset(&flows[i], 0, sizeof(flows[i]));
		evidence_init(&flows[i], 5);
		make(DIR_S2C, TCP_ACK, 0, 0, NULL);
		(void)evidence_packet(ctx, &flows[i], &pk, &v);
		make(DIR_S2C, TCP_RST | TCP_ACK, 0, 0, NULL);
		pk.time = 1;
		(void)evidence_packet(ctx, &flows[i], &pk, &v);
	}
	CHECK_INT(nseen, 1);
	CHECK_INT(evidence_counters(ctx)->rst_forced, 1);
	evidence_tick(ctx, INT64_MAX);
	CHECK_INT(nseen, EVIDENCE_GROUPS + 1);
	for (unsigned i = 0; i <= EVIDENCE_GROUPS; i++)
		evidence_end(ctx, &flows[i], now);
	finish();
}

/* ---- checksums ---- */

TEST(rst_with_a_wrong_checksum_early_on)
{
	start();
	handshake();
	s(0, 0, LINE);
	make(DIR_S2C, TCP_RST | TCP_ACK, 20, 0, NULL);
	pk.flags |= PKT_BAD_TCP_CSUM;
	put();
	CHECK_INT(hints, EVID_RST | EVID_DOUBT);
	finish();
	CHECK_INT(nseen, 0);
}

TEST(checksums_left_to_the_network_card)
{
	start();
	handshake();
	for (uint32_t i = 0; i < 3; i++) {
		make(DIR_S2C, TCP_ACK, 20 * i, 0, LINE);
		pk.flags |= PKT_BAD_TCP_CSUM;
		put();
	}
	make(DIR_S2C, TCP_RST | TCP_ACK, 60, 0, NULL);
	pk.flags |= PKT_BAD_TCP_CSUM;
	put();
	CHECK_INT(hints, EVID_RST);
	finish();
	CHECK_INT(nseen, 1);
}

/* ---- what was overtaken, and what was seen twice ---- */

TEST(syn_sent_again_is_overtaken_by_its_answer)
{
	start();
	syn_answered_by_rst();
	now += 1000 * MS;
	send(DIR_S2C, TCP_SYN | TCP_ACK, UINT32_MAX, 0, NULL);
	CHECK_INT(hints, EVID_LIVES);
	CHECK_INT(nseen, 0);
	send(DIR_C2S, TCP_SYN, UINT32_MAX, 0, NULL);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & GROUNDS, 0);
}

TEST(fin_is_overtaken_by_the_reset_of_a_nat)
{
	start();
	dialogue();
	forged_rst(DIR_C2S, 61, 255);
	s(60, 60, LINE);
	send(DIR_C2S, TCP_FIN | TCP_ACK, 60, 80, NULL);
	CHECK_INT(hints & EVID_LIVES, 0);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & GROUNDS, 0);
	CHECK_INT(rst_tests(0) & RST_AFTER_FIN, RST_AFTER_FIN);
}

TEST(acknowledgement_that_the_reset_had_carried_already)
{
	start();
	dialogue();
	send(DIR_S2C, TCP_RST | TCP_ACK, 60, 60, NULL);
	s(60, 60, NULL);
	finish();
	CHECK_INT(rst_tests(0) & (GROUNDS | SIGNS), 0);
}

TEST(mirrored_frames_without_an_ip_id_are_no_disorder)
{
	start();
	dialogue();
	make(DIR_S2C, TCP_ACK, 60, 60, LINE);
	pk.flags |= PKT_V6;
	pk.ip_id = 0;
	put();
	CHECK_INT(hints & EVID_DUP, 0);
	put();
	CHECK_INT(hints & EVID_DUP, EVID_DUP);
	now += 300 * MS;
	pk.time = now;
	put(); /* sent again */
	CHECK_INT(hints & EVID_DUP, 0);
	finish();
}

TEST(challenge_is_answered_by_the_exact_number)
{
	start();
	dialogue();
	send(DIR_S2C, TCP_RST, 1060, 0, NULL);
	s(60, 60, LINE); /* overtaken */
	c(60, 80, NULL);
	send(DIR_S2C, TCP_RST, 80, 0, NULL);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & GROUNDS, 0);
}

TEST(data_behind_a_reset_of_a_foreign_ttl_where_segments_overtake)
{
	start();
	dialogue();
	s(80, 60, LINE);
	s(60, 60, LINE);
	forged_rst(DIR_S2C, 60, S_TTL + 7);
	s(100, 60, LINE);
	finish();
	CHECK_INT(nseen, 1);
	CHECK_INT(rst_tests(0) & GROUNDS, 0);
	CHECK_INT(rst_tests(0) & (RST_TTL | RST_SAME_AFTER),
	    RST_TTL | RST_SAME_AFTER);
}

TEST(what_waits_keeps_the_flow_awake)
{
	start();
	dialogue();
	CHECK(evidence_may_sleep(&flow, true, now));
	forged_rst(DIR_S2C, 60, S_TTL);
	CHECK(!evidence_may_sleep(&flow, true, now));
	evidence_tick(ctx, now + EVIDENCE_RST_WAIT);
	CHECK(evidence_may_sleep(&flow, true, now));
	for (int i = 0; i < 2; i++) {
		flow.d[i].asked = 1;
		CHECK(!evidence_may_sleep(&flow, true, now));
		flow.d[i].asked = 0;
	}
	finish();
}

TEST_MAIN
