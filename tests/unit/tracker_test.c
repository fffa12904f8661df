/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections as the tracker sees them, packet by packet, through the real
 * decoder: what disorder, loss, lies and floods do to the observations. Each
 * scene runs straight and through libnids, with the same result.
 */
#include "tests/unit/scene.h"

static const char *
usual_dialogue(void)
{
	static char usual[sizeof(text)];

	scene_begin(40000, 25);
	handshake();
	say_dialogue();
	close_both();
	play();
	snprintf(usual, sizeof(usual), "%s", dialogue_of(text));
	return usual;
}

/* ---- scenes ---- */

TEST(a_dialogue_from_syn_to_fin)
{
	const char *usual = usual_dialogue();

	CHECK(strncmp(text, "flow-open", 9) == 0);
	CHECK(strstr(usual, "greeting") != NULL);
	CHECK(strstr(usual, "caps") != NULL);
	CHECK(strstr(usual, "clear-use") != NULL);
	CHECK(has("how=fin by=client quit"));
	CHECK(has("bytes=47/97 packets=7/7"));
	CHECK(!has("vis="));
	CHECK_INT(seen.flows, 1);
	CHECK_INT(seen.mail_flows[PROTO_SMTP], 1);
}

TEST(every_frame_twice_changes_nothing)
{
	const char *usual = usual_dialogue();
	struct scene copy = sc;

	sc.n = 0;
	for (size_t i = 0; i < copy.n; i++) {
		sc.pkt[sc.n++] = copy.pkt[i];
		sc.pkt[sc.n++] = copy.pkt[i];
	}
	play();
	CHECK_STR(dialogue_of(text), usual);
	CHECK(has("bytes=47/97"));
	CHECK(seen.dup_frames > 10);
}

/* Each side's own order kept, the server's port k frames late (or early). */
static void
skew(enum dir late, size_t k)
{
	static struct scene copy;
	size_t q[2] = {0, 0};

	copy = sc;
	sc.n = 0;
	for (size_t i = 0; i < copy.n + k; i++) {
		while (q[0] < copy.n && q[0] <= i) {
			struct packet *p = &copy.pkt[q[0]++];

			if ((p->sport == copy.port[DIR_C2S]) !=
			    (late == DIR_C2S))
				sc.pkt[sc.n++] = *p;
		}
		while (i >= k && q[1] < copy.n && q[1] <= i - k) {
			struct packet *p = &copy.pkt[q[1]++];

			if ((p->sport == copy.port[DIR_C2S]) ==
			    (late == DIR_C2S))
				sc.pkt[sc.n++] = *p;
		}
	}
	for (size_t i = 0; i < sc.n; i++)
		sc.pkt[i].time = START + (int64_t)i * MS;
}

/* While nothing of the client was seen yet, the greeting says so. */
static void
forget_one_way(void)
{
	char *at;

	while ((at = strstr(text, " vis=one-way")) != NULL &&
	       at < strstr(text, "\ncaps"))
		memmove(at, at + 12, strlen(at + 12) + 1);
}

TEST(acks_before_their_data_are_put_right)
{
	const char *usual = usual_dialogue();

	for (int late = 0; late < 2; late++)
		for (size_t k = 1; k < 12; k++) {
			(void)usual_dialogue();
			skew((enum dir)late, k);
			play();
			forget_one_way();
			CHECK_STR(dialogue_of(text), usual);
			CHECK(has("bytes=47/97"));
		}
}

TEST(neighbours_exchanged_within_a_direction)
{
	const char *usual = usual_dialogue();
	size_t first = 3; /* behind the handshake */

	for (size_t i = first; i + 2 < sc.n - 3; i++) {
		struct packet p;

		(void)usual_dialogue();
		p = sc.pkt[i];
		sc.pkt[i] = sc.pkt[i + 2];
		sc.pkt[i + 2] = p;
		for (size_t k = 0; k < sc.n; k++)
			sc.pkt[k].time = START + (int64_t)k * MS;
		play();
		CHECK_STR(dialogue_of(text), usual);
	}
	CHECK(seen.reordered > 0);
}

TEST(a_byte_a_segment)
{
	static char bytes[400][2];
	const char *usual = usual_dialogue();
	static struct scene copy;
	size_t n = 0;

	copy = sc;
	sc.n = 0;
	for (size_t i = 0; i < copy.n; i++) {
		if (copy.pkt[i].len == 0)
			sc.pkt[sc.n++] = copy.pkt[i];
		for (uint32_t b = 0; b < copy.pkt[i].len; b++) {
			struct packet *p = &sc.pkt[sc.n++];

			*p = copy.pkt[i];
			bytes[n][0] = (char)p->payload[b];
			p->payload = (const uint8_t *)bytes[n++];
			p->seq += b;
			p->len = p->wire_len = 1;
		}
	}
	play();
	CHECK_STR(dialogue_of(text), usual);
}

TEST(what_the_tap_lost_is_a_gap)
{
	(void)usual_dialogue();
	sc.pkt[7].tcp_flags = 0; /* the client's MAIL, never captured */
	memmove(&sc.pkt[7], &sc.pkt[8], (sc.n - 8) * sizeof(sc.pkt[0]));
	sc.n--;
	play();
	CHECK(has("greeting"));
	CHECK(has("vis=gap-c2s gap-c2s=25@16 "));
	CHECK(!has("verb=\"MAIL\""));
	CHECK(has("how=fin"));
	CHECK(seen.hole_bytes == 25);
}

/* Its acknowledgement tells that it was sent. */
static void
lose_a_fin(enum dir dir)
{
	(void)usual_dialogue();
	for (size_t i = 0; i < sc.n; i++) {
		if (!(sc.pkt[i].tcp_flags & TCP_FIN) ||
		    sc.pkt[i].sport != sc.port[dir])
			continue;
		sc.n--;
		memmove(
		    &sc.pkt[i], &sc.pkt[i + 1], (sc.n - i) * sizeof(sc.pkt[0]));
	}
	play();
	CHECK(has("how=fin"));
	CHECK_INT(seen.hole_bytes, 0);
}

TEST(a_fin_that_the_tap_lost)
{
	lose_a_fin(DIR_C2S);
	lose_a_fin(DIR_S2C);
}

TEST(a_lost_segment_that_is_repeated_is_no_gap)
{
	const char *usual = usual_dialogue();
	struct packet late = sc.pkt[5]; /* first part of the list */

	memmove(&sc.pkt[5], &sc.pkt[6], sizeof(sc.pkt[0]));
	sc.pkt[6] = late;
	play();
	CHECK_STR(dialogue_of(text), usual);
	CHECK_INT(seen.holes, 0);
}

/* Wrong where the sender's others are right, and nothing else came: the host
 * took it, or the capture was edited. Or what it took was never seen. */
TEST(a_wrong_checksum_that_was_acknowledged_is_used)
{
	(void)usual_dialogue();

	sc.pkt[6].flags |= PKT_BAD_TCP_CSUM;
	play();
	CHECK(has("caps s2c smtp text vis=ambiguous ehlo complete"));
	CHECK(has("words=\"PIPELINING|STARTTLS\""));
	CHECK_INT(seen.bad_csum_ignored, 1);
}

/* A host drops the one with the wrong checksum; so does the sensor. */
TEST(the_copy_with_the_right_checksum_wins)
{
	const char *usual = usual_dialogue();
	struct packet forged = sc.pkt[6];

	forged.flags |= PKT_BAD_TCP_CSUM;
	forged.payload = (const uint8_t *)"250 SIZE 1000\r\n";
	forged.len = forged.wire_len = 15;
	forged.ip_id = 7777;
	memmove(&sc.pkt[7], &sc.pkt[6], (sc.n - 6) * sizeof(sc.pkt[0]));
	sc.pkt[6] = forged;
	sc.n++;
	play();
	CHECK(strstr(usual, "words=\"PIPELINING|STARTTLS\"") != NULL);
	CHECK(has("words=\"PIPELINING|STARTTLS\""));
	CHECK(!has("SIZE 1000\" text"));
}

TEST(data_on_the_syn)
{
	struct packet *p;

	scene_begin(40000, 25);
	p = raw(DIR_C2S, TCP_SYN, sc.seq[0], "EHLO a.example\r\n");
	sc.seq[0] += 1 + p->len; /* RFC 7413 */
	raw(DIR_S2C, TCP_SYN | TCP_ACK, sc.seq[1], "");
	sc.seq[1]++;
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	say(DIR_S2C, "250-mx.example\r\n250 STARTTLS\r\n");
	close_both();
	play();
	CHECK(has("greeting"));
	CHECK(has("bytes=16/52"));
}

TEST(one_direction_only)
{
	static struct scene copy;

	(void)usual_dialogue();
	copy = sc;
	sc.n = 0;
	for (size_t i = 0; i < copy.n; i++)
		if (copy.pkt[i].sport == 25)
			sc.pkt[sc.n++] = copy.pkt[i];
	play();
	CHECK(has("greeting"));
	CHECK(has("one-way"));
	CHECK_INT(seen.one_way, 1);
}

static void
keep_only(enum dir dir)
{
	size_t n = 0;

	for (size_t i = 0; i < sc.n; i++)
		if (sc.pkt[i].sport == sc.port[dir])
			sc.pkt[n++] = sc.pkt[i];
	sc.n = n;
}

/* Whatever is said before the flow ends, the first of it too. */
TEST(one_direction_only_is_said_from_the_first)
{
	unsigned said = 0;

	for (int dir = 0; dir < 2; dir++)
		for (int middle = 0; middle < 2; middle++) {
			scene_begin(40000, 25);
			handshake();
			sc.n = middle ? 0 : sc.n;
			say_dialogue();
			keep_only((enum dir)dir);
			play();
			said += count("\n");
			CHECK_INT(count("one-way"), count("\n"));
		}
	CHECK(said > 8);
}

/* The other side comes late: from then on it is there. */
TEST(a_direction_that_comes_late_is_there_from_then_on)
{
	scene_begin(40000, 25);
	handshake();
	sc.n = 0;
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	say(DIR_C2S, "EHLO a.example\r\n");
	say(DIR_S2C, "250 mx.example\r\n");
	play();
	CHECK(strstr(text, "one-way") < strstr(text, "caps"));
	CHECK(strstr(strstr(text, "caps"), "one-way") == NULL);
}

TEST(in_the_middle_of_a_connection)
{
	scene_begin(40000, 143);
	say(DIR_S2C, "* OK IMAP4rev1 ready\r\n");
	say(DIR_C2S, "a1 NOOP\r\n");
	say(DIR_S2C, "a1 OK\r\n");
	play();
	CHECK_INT(seen.midstream, 1);
	CHECK(!has("flow-open") || has("midstream"));
}

/* One garbage byte before the next one, after a silence. */
TEST(keep_alives_are_nothing)
{
	scene_begin(40000, 25);
	handshake();
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	raw(DIR_C2S, TCP_ACK, sc.seq[DIR_C2S], "");
	for (unsigned i = 0; i < 5; i++) {
		sc.time += 75 * 1000 * MS;
		raw(DIR_S2C, TCP_ACK, sc.seq[DIR_S2C] - 1, "x");
		raw(DIR_C2S, TCP_ACK, sc.seq[DIR_C2S], "");
	}
	say(DIR_C2S, "EHLO a.example\r\n");
	say(DIR_S2C, "250-mx.example\r\n250 STARTTLS\r\n");
	close_both();
	play();
	CHECK(has("caps"));
	CHECK(!has("conflict"));
	CHECK(!has("vis="));
	CHECK(has("bytes=16/52"));
}

/* A forged RST: the flow goes on, and so does the decoder. */
TEST(a_forged_reset_ends_nothing)
{
	const char *mail = "verb=\"MAIL\"";

	scene_begin(40000, 25);
	handshake();
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	say(DIR_C2S, "EHLO a.example\r\n");
	say(DIR_S2C, "250-mx.example\r\n250 PIPELINING\r\n");
	sc.ttl[DIR_S2C] = 64;
	raw(DIR_S2C, TCP_RST, sc.seq[DIR_S2C], "");
	sc.ttl[DIR_S2C] = 57;
	say(DIR_C2S, "MAIL FROM:<a@a.example>\r\n");
	say(DIR_S2C, "250 2.1.0 Ok\r\n");
	say(DIR_C2S, "QUIT\r\n");
	say(DIR_S2C, "221 2.0.0 Bye\r\n");
	close_both();
	play();
	CHECK(has(mail));
	CHECK(has("\nrst s2c"));
	CHECK(has("data-after"));
	CHECK(has("how=fin"));
	CHECK_INT(seen.rst, 1);
	CHECK_INT(seen.rst_after_data, 1);
}

TEST(a_reset_that_stands_ends_the_flow_after_two_seconds)
{
	scene_begin(40000, 25);
	handshake();
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	raw(DIR_C2S, TCP_RST | TCP_ACK, sc.seq[DIR_C2S], "");
	sc.time += 10000 * MS;
	raw(DIR_C2S, TCP_ACK, sc.seq[DIR_C2S], "")->sport = 40001;
	play();
	CHECK(has("how=rst by=client"));
	with_time = true;
	play();
	with_time = false;
	CHECK(has("1700000002.005000000 flow-end"));
}

/* A client obeys a reset forged in the server's name, and answers what the
 * server says next by one of its own: that one stands. */
TEST(the_reset_of_one_side_is_not_that_of_the_other)
{
	scene_begin(40000, 25);
	handshake();
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	say(DIR_C2S, "EHLO a.example\r\n");
	say(DIR_S2C, "250-mx.example\r\n250 STARTTLS\r\n");
	say(DIR_C2S, "STARTTLS\r\n");
	raw(DIR_S2C, TCP_RST, sc.seq[DIR_S2C], "");
	say(DIR_S2C, "220 2.0.0 Ready\r\n");
	raw(DIR_C2S, TCP_RST, sc.seq[DIR_C2S], "");
	sc.time += 10000 * MS;
	raw(DIR_C2S, TCP_ACK, sc.seq[DIR_C2S], "")->sport = 40001;
	play();
	CHECK(has("data-after"));
	CHECK(has("how=rst"));
	with_time = true;
	play();
	with_time = false;
	CHECK(has("1700000002.010000000 flow-end"));
}

TEST(a_forged_syn_does_not_disturb)
{
	const char *usual = usual_dialogue();
	struct packet syn;

	raw(DIR_C2S, TCP_SYN, 12345, "");
	syn = sc.pkt[--sc.n];
	memmove(&sc.pkt[6], &sc.pkt[5], (sc.n - 5) * sizeof(sc.pkt[0]));
	sc.pkt[5] = syn;
	sc.pkt[5].time = sc.pkt[4].time;
	sc.n++;
	play();
	CHECK_STR(dialogue_of(text), usual);
	CHECK_INT(seen.flows, 1);
}

TEST(a_port_used_again_is_a_new_flow)
{
	scene_begin(40000, 25);
	handshake();
	say_dialogue();
	close_both();
	sc.seq[0] = 77000;
	sc.seq[1] = 88000;
	handshake();
	say_dialogue();
	close_both();
	play();
	CHECK_INT(count("flow-open"), 2);
	CHECK_INT(count("greeting"), 2);
	CHECK_INT(count("how=fin"), 2);
	CHECK_INT(seen.flows, 2);
}

/* No FIN was seen: the new handshake has to be gone through. */
TEST(a_port_used_again_without_a_close)
{
	scene_begin(40000, 25);
	handshake();
	say_dialogue();
	sc.seq[0] = 77000;
	sc.seq[1] = 88000;
	handshake();
	say_dialogue();
	close_both();
	play();
	CHECK_INT(count("flow-open"), 2);
	CHECK_INT(count("greeting"), 2);
	CHECK_INT(count("how=reused"), 1);
	CHECK_INT(count("midstream"), 0);
}

/* A session that ended by RST, and at once another one on its ports of whose
 * handshake the first `missed` packets were not captured. */
static void
again_after_a_reset(size_t missed)
{
	size_t at;

	scene_begin(40000, 25);
	handshake();
	say_dialogue();
	raw(DIR_C2S, TCP_RST | TCP_ACK, sc.seq[0], "");
	sc.seq[0] = 0x30000000;
	sc.seq[1] = 0x50000000;
	at = sc.n;
	handshake();
	memmove(&sc.pkt[at], &sc.pkt[at + missed],
	    (sc.n - at - missed) * sizeof(sc.pkt[0]));
	sc.n -= missed;
	say_dialogue();
	close_both();
	play();
}

TEST(a_port_used_again_with_half_a_handshake)
{
	for (size_t missed = 1; missed <= 3; missed++) {
		again_after_a_reset(missed);
		CHECK_INT(count("flow-open"), 2);
		CHECK_INT(count("how=rst"), 1);
		CHECK_INT(count("how=fin"), 1);
		CHECK_INT(count("verb=\"MAIL\""), 2);
		CHECK_INT(count("greeting"), missed < 2 ? 2 : 1);
		CHECK(!has("data-after") && !has("alive"));
	}
}

/* Nobody answers it: it was forged, or went astray. */
TEST(numbers_from_elsewhere_disturb_nobody)
{
	const char *usual = usual_dialogue();
	struct scene copy = sc;

	sc.n = 0;
	for (size_t i = 0; i < copy.n; i++) {
		sc.pkt[sc.n++] = copy.pkt[i];
		if (i < 5)
			continue;
		raw(DIR_C2S, TCP_ACK, 0x30000000, "RSET\r\n")->ack = 0x50000000;
		sc.pkt[sc.n - 1].time = copy.pkt[i].time;
	}
	play();
	CHECK_STR(dialogue_of(text), usual);
	CHECK_INT(count("flow-open"), 1);
}

TEST(a_fin_that_was_not_the_last_word)
{
	scene_begin(40000, 25);
	handshake();
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	say(DIR_C2S, "EHLO a.example\r\n");
	raw(DIR_C2S, TCP_FIN | TCP_ACK, sc.seq[DIR_C2S], ""); /* forged */
	say(DIR_S2C, "250-mx.example\r\n250 PIPELINING\r\n");
	say(DIR_C2S, "MAIL FROM:<a@a.example>\r\n");
	say(DIR_S2C, "250 2.1.0 Ok\r\n");
	play();
	CHECK(has("verb=\"MAIL\""));
	CHECK(has("how=input"));
}

TEST(frames_cut_by_the_capture)
{
	scene_begin(40000, 25);
	handshake();
	say(DIR_S2C, "220 mx.example ESMTP\r\n")->len = 10;
	say(DIR_C2S, "EHLO a.example\r\n");
	say(DIR_S2C, "250-mx.example\r\n250 PIPELINING\r\n");
	say(DIR_C2S, "MAIL FROM:<a@a.example>\r\n");
	say(DIR_S2C, "250 2.1.0 Ok\r\n");
	close_both();
	play();
	CHECK(has("truncated"));
	CHECK(has("verb=\"MAIL\""));
	CHECK_INT(seen.hole_bytes, 12);
}

TEST(other_traffic_says_nothing)
{
	scene_begin(40000, 8080);
	handshake();
	say(DIR_C2S, "GET / HTTP/1.1\r\n\r\n");
	say(DIR_S2C, "HTTP/1.1 200 OK\r\n\r\n250 STARTTLS\r\n");
	raw(DIR_S2C, TCP_RST, sc.seq[1], "");
	play();
	CHECK_STR(text, "");
	CHECK_INT(seen.not_mail, 1);
}

TEST(mail_on_an_odd_port_is_found)
{
	scene_begin(40000, 2525);
	handshake();
	say_dialogue();
	close_both();
	play();
	CHECK(has("greeting"));
	CHECK(has("clear-use"));
}

TEST(data_far_outside_the_window_is_refused)
{
	const char *usual = usual_dialogue();
	struct packet far = sc.pkt[5];

	memmove(&sc.pkt[6], &sc.pkt[5], (sc.n - 5) * sizeof(sc.pkt[0]));
	sc.n++;
	far.seq += 500000000;
	sc.pkt[5] = far;
	play();
	CHECK_STR(dialogue_of(text), usual);
	CHECK_INT(seen.out_of_window, 1);
}

/* A host drops what acknowledges data that was never sent. */
TEST(an_ack_from_the_future_is_refused)
{
	struct packet forged;

	(void)usual_dialogue();
	forged = sc.pkt[6];

	memmove(&sc.pkt[6], &sc.pkt[5], (sc.n - 5) * sizeof(sc.pkt[0]));
	sc.n++;
	forged.seq = sc.pkt[4].seq + sc.pkt[4].len;
	forged.ack += 100000000;
	forged.sport = 40000;
	forged.dport = 25;
	forged.src = sc.pkt[4].src;
	forged.dst = sc.pkt[4].dst;
	sc.pkt[5] = forged;
	play();
	CHECK(has("verb=\"MAIL\""));
	CHECK(!has("gap"));
	CHECK_INT(seen.hole_bytes, 0);
	CHECK(seen.out_of_window > 0);
}

TEST(a_clock_that_steps_back)
{
	const char *usual = usual_dialogue();

	for (size_t i = 6; i < sc.n; i++)
		sc.pkt[i].time -= 86400 * 1000 * MS;
	play();
	CHECK_STR(dialogue_of(text), usual);
	CHECK(has("how=fin"));
}

/* A new judge takes over before the client says MAIL: what has more to say is
 * opened to it, once, as not seen from its beginning. */
TEST(another_listener_joins_late)
{
	struct runner r = small();
	const char *opened;

	scene_begin(40000, 25);
	handshake();
	say_dialogue();
	close_both();
	runner_begin(&r, REASSEMBLY_ON_DEMAND);
	for (size_t i = 0; i < 7; i++)
		feed(&r, &sc.pkt[i]);
	CHECK_INT(count("flow-open"), 1);
	CHECK(!has("vis="));
	tracker_set_listener(r.t, 1);
	text_len = 0;
	text[0] = '\0';
	for (size_t i = 7; i < sc.n; i++)
		feed(&r, &sc.pkt[i]);
	runner_end(&r);
	CHECK_INT(count("flow-open"), 1);
	opened = strstr(text, "vis=midstream,gap-c2s,gap-s2c");
	CHECK(strncmp(text, "flow-open", 9) == 0 && opened != NULL &&
	      opened < strchr(text, '\n'));
	CHECK(has("clear-use") && has("how=fin by=client quit"));
}

TEST_MAIN
