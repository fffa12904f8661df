/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bodies and TLS, of which only hashes are kept: other content is seen, and
 * everything that looks like it and is not stays silent. And what tells which
 * of two versions the receiver used.
 */
#include "decoders/tcp_hdr.h"
#include "tests/unit/evidence_kit.h"

#define SEG 1000

static char text[40 * SEG + 1], part[sizeof(text)];

static void
begin(bool tls)
{
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char)('!' + (i * 2654435761u >> 9) % 90);
	start();
	handshake();
	if (tls)
		view.phase = PHASE_TLS_DONE;
	view.opaque = tls;
	view.body = !tls;
}

/* Bytes [from, from + len) of the text, sent by the server. */
static void
cut(uint32_t from, uint32_t len)
{
	memcpy(part, text + from, len);
	part[len] = '\0';
	s(from, 0, part);
}

static const struct obs_conflict *
conflict(void)
{
	static const struct obs_conflict none;

	if (nseen != 1 || seen[0].kind != OBS_CONFLICT) {
		TEST_FAIL("%u observations, not one conflict", nseen);
		return &none;
	}
	return &seen[0].u.conflict;
}

TEST(other_content_sent_again)
{
	for (int tls = 0; tls < 2; tls++) {
		begin(tls);
		cut(0, SEG);
		cut(SEG, SEG);
		c(0, 2 * SEG, NULL);
		memset(text + SEG, 'X', SEG);
		cut(SEG, SEG);
		CHECK_INT(hints, EVID_CONFLICT);
		CHECK_INT(conflict()->hashed, 1);
		CHECK_INT(conflict()->diff, 0);
		CHECK_STR(conflict()->first, "");
		CHECK_INT(conflict()->used_by, USED_FIRST_ACKED);
		CHECK_INT(seen[0].pkt.ordinal, ordinal - 2);
		CHECK_INT(conflict()->other.ordinal, ordinal);
		finish();
	}
}

TEST(one_byte_of_a_body)
{
	begin(false);
	cut(0, SEG);
	text[777]++;
	cut(0, SEG);
	finish();
	CHECK_INT(conflict()->len, SEG);
}

TEST(retransmissions_agree_however_joined)
{
	for (int tls = 0; tls < 2; tls++) {
		begin(tls);
		for (uint32_t i = 0; i < 6; i++)
			cut(i * SEG, SEG);
		cut(SEG, SEG);
		cut(0, 3 * SEG); /* joined */
		cut(500, 2 * SEG); /* across: only the middle can be held */
		cut(0, 7 * SEG);
		cut(6 * SEG, SEG);
		finish();
		CHECK_INT(nseen, 0);
	}
}

TEST(joined_frames_come_again_in_pieces)
{
	begin(false);
	cut(0, 20 * SEG);
	for (uint32_t i = 0; i < 20; i++)
		cut(i * SEG, SEG);
	CHECK_INT(nseen, 0);
	CHECK_INT(evidence_counters(ctx)->uncompared, 0);
	finish();
}

TEST(conflict_in_the_last_of_the_pieces)
{
	begin(false);
	cut(0, 3 * SEG);
	cut(0, SEG);
	cut(SEG, SEG);
	text[2500]++;
	cut(2 * SEG, SEG);
	CHECK_INT(hints, EVID_CONFLICT);
	finish();
	CHECK_INT(conflict()->len, 3 * SEG);
}

TEST(pieces_that_cannot_be_compared_are_counted)
{
	begin(false);
	cut(0, 3 * SEG);
	cut(SEG, 500);
	CHECK_INT(evidence_counters(ctx)->uncompared, 500);
	finish();
	CHECK_INT(nseen, 0);
}

TEST(joined_segments_with_another_content)
{
	begin(true);
	for (uint32_t i = 0; i < 4; i++)
		cut(i * SEG, SEG);
	memset(text + 2 * SEG, 'X', SEG);
	cut(0, 4 * SEG);
	CHECK_INT(hints, EVID_CONFLICT);
	finish();
	CHECK_INT(conflict()->used_by, USED_UNKNOWN);
}

TEST(keepalive_and_probe)
{
	begin(true);
	cut(0, SEG);
	c(0, SEG, NULL);
	s(SEG - 1, 0, "\x01"); /* sooner than any keep-alive, and harmless */
	now += 7200000 * MS;
	s(SEG - 1, 0, "\x02");
	c(0, SEG, NULL);
	now += 75000 * MS;
	s(SEG - 1, 0, "\x03");
	cut(SEG - 1, 1);
	cut(0, SEG);
	now += 5000 * MS;
	cut(SEG, 1); /* zero-window probe: the next byte */
	now += 5000 * MS;
	cut(SEG, 1);
	cut(SEG, SEG);
	finish();
	CHECK_INT(nseen, 0);
}

TEST(mirrored_frames)
{
	begin(true);
	for (uint32_t i = 0; i < 10; i++) {
		cut(i * SEG, SEG);
		put();
	}
	finish();
	CHECK_INT(nseen, 0);
}

TEST(segment_spoilt_on_the_wire)
{
	begin(false);
	for (uint32_t i = 0; i < 4; i++)
		cut(i * SEG, SEG);
	text[3500]++;
	memcpy(part, text + 3 * SEG, SEG);
	make(DIR_S2C, TCP_ACK, 3 * SEG, 0, part);
	pk.len = pk.wire_len = SEG;
	pk.flags |= PKT_BAD_TCP_CSUM;
	put();
	CHECK_INT(hints, EVID_DOUBT);
	text[3500]--;
	cut(3 * SEG, SEG);
	finish();
	CHECK_INT(nseen, 0);
}

/* A whole segment, with the checksum of what `sum_of` holds. */
static void
whole(uint32_t from, const char *sum_of)
{
	static uint8_t segment[20 + SEG];

	make(DIR_S2C, TCP_ACK, from, 0, NULL);
	pk.flags &= ~(uint32_t)PKT_CSUM_CHECKED;
	pk.tcp = segment;
	pk.payload = segment + 20;
	pk.len = pk.wire_len = SEG;
	memcpy(segment + 20, sum_of, SEG);
	for (unsigned sum = 0; sum <= UINT16_MAX; sum++) {
		segment[16] = (uint8_t)(sum >> 8);
		segment[17] = (uint8_t)sum;
		if (tcp_checksum_ok(&pk))
			break;
	}
	memcpy(segment + 20, text + from, SEG);
	put();
}

TEST(spoilt_on_the_wire_within_tls)
{
	char right[SEG], wrong[SEG];

	/* first or second: the sum says what the sender had sent */
	for (int first = 0; first < 2; first++) {
		begin(true);
		memcpy(right, text, SEG);
		memset(wrong, 'X', SEG);
		memcpy(text, first ? wrong : right, SEG);
		whole(0, right);
		memcpy(text, first ? right : wrong, SEG);
		whole(0, right);
		CHECK_INT(nseen, 0);
		CHECK_INT(evidence_counters(ctx)->corrupted, 1);
		finish();
	}
}

TEST(other_content_within_tls_and_each_sum_right)
{
	begin(true);
	whole(0, text);
	memset(text, 'X', SEG);
	whole(0, text);
	CHECK_INT(hints, EVID_CONFLICT);
	finish();
}

TEST(late_segments_fill_holes)
{
	begin(false);
	cut(SEG, SEG);
	cut(0, SEG);
	cut(0, 2 * SEG);
	text[5]++;
	cut(0, SEG);
	finish();
	CHECK_INT(conflict()->len, SEG);
}

TEST(text_behind_a_body_and_the_text_before_it)
{
	begin(false);
	view.body = false;
	s(0, 0, LINE);
	view.body = true;
	for (unsigned i = 0; i < 20; i++)
		text[i] = LINE[i];
	cut(20, SEG);
	view.body = false;
	cut(20 + SEG, 30);
	cut(20 + SEG, 30);
	cut(20, SEG);
	s(0, 0, LINE);
	CHECK_INT(nseen, 0);
	text[10]++;
	cut(0, 20);
	finish();
	CHECK_INT(conflict()->hashed, 0);
	CHECK_INT(conflict()->diff, 1);
}

TEST(known_until_then)
{
	for (uint32_t n = 1; n <= EVIDENCE_SEGMENTS; n++) {
		begin(false);
		for (uint32_t i = 0; i < n; i++)
			cut(i * SEG, SEG);
		for (uint32_t i = 0; i < n; i++)
			cut(i * SEG, SEG);
		CHECK_INT(nseen, 0);
		text[0]++;
		cut(0, SEG);
		finish();
		CHECK_INT(conflict()->len, SEG);
	}
}

TEST(forgotten_after_so_many_segments)
{
	begin(false);
	for (uint32_t i = 0; i < EVIDENCE_SEGMENTS + 1; i++)
		cut(i * SEG, SEG);
	text[0]++;
	cut(0, SEG);
	finish();
	CHECK_INT(nseen, 0);
}

TEST(closed_flows_keep_nothing)
{
	begin(true);
	cut(0, SEG);
	CHECK(flow.d[DIR_S2C].ring != NULL);
	send(DIR_S2C, TCP_ACK | TCP_FIN, SEG, 0, NULL);
	send(DIR_C2S, TCP_ACK | TCP_FIN, 0, SEG + 1, NULL);
	CHECK(flow.d[DIR_S2C].ring == NULL);
	finish();
}

/* ---- an empty pool ---- */

TEST(idle_flows_lend_to_new_ones)
{
	static struct evidence_flow flows[32000];
	struct evidence_view v = {DIR_S2C, PHASE_TLS_DONE, 0, 1, 0};
	const struct evidence_counters *n;

	start();
	n = evidence_counters(ctx);
	for (unsigned i = 0; i < 32000; i++) {
		memset(&flows[i], 0, sizeof(flows[i]));
		evidence_init(&flows[i], 5);
		make(DIR_S2C, TCP_ACK, 0, 0, LINE);
		pk.time = 1700000000LL * 1000 * MS;
		(void)evidence_packet(ctx, &flows[i], &pk, &v);
	}
	CHECK(n->windows_short > 0);
	CHECK_INT(n->windows_taken, 0);
	make(DIR_S2C, TCP_ACK, 0, 0, LINE);
	pk.time = 1700000000LL * 1000 * MS + EVIDENCE_STEAL;
	(void)evidence_packet(ctx, &flows[31999], &pk, &v);
	CHECK_INT(n->windows_taken, 1);
	CHECK(flows[31999].d[DIR_S2C].ring != NULL);
	for (unsigned i = 0; i < 32000; i++)
		evidence_end(ctx, &flows[i], now);
	finish();
}

/* ---- which version was used ---- */

#define ONE "RCPT TO:<a@one.test>\r\n"
#define TWO "RCPT TO:<b@two.test>\r\nDATA\r\n"

static void
two_versions(const char *first, const char *second, uint32_t t1, uint32_t t2)
{
	start();
	handshake();
	make(DIR_C2S, TCP_ACK, 0, 0, first);
	pk.tsval = t1;
	pk.flags |= PKT_TS;
	put();
	make(DIR_C2S, TCP_ACK, 0, 0, second);
	pk.tsval = t2;
	pk.flags |= PKT_TS;
	put();
	CHECK_INT(nseen, 0);
}

static void
acknowledged(uint32_t number, uint32_t echo)
{
	make(DIR_S2C, TCP_ACK, 0, number, NULL);
	pk.tsecr = echo;
	pk.flags |= PKT_TS;
	put();
}

TEST(acknowledged_to_the_end_of_one)
{
	static const struct {
		const char *first, *second;
		uint32_t ack;
		enum used_by used;
	} cases[] = {
	    {ONE, TWO, sizeof(ONE) - 1, USED_FIRST_END},
	    {ONE, TWO, sizeof(TWO) - 1, USED_UNKNOWN},
	    {TWO, ONE, sizeof(ONE) - 1, USED_SECOND_END},
	    {TWO, ONE, sizeof(TWO) - 1, USED_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		two_versions(cases[i].first, cases[i].second, 0, 0);
		acknowledged(cases[i].ack, 0);
		finish();
		CHECK_INT(conflict()->used_by, cases[i].used);
	}
}

TEST(timestamp_echoed)
{
	static const struct {
		uint32_t t1, t2, echo;
		enum used_by used;
	} cases[] = {
	    {100, 200, 100, USED_FIRST_ECHO},
	    {100, 200, 200, USED_UNKNOWN}, /* duplicates are echoed too */
	    {100, 100, 100, USED_UNKNOWN},
	    {100, 200, 90, USED_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		two_versions(
		    ONE, "RCPT TO:<b@two.test>\r\n", cases[i].t1, cases[i].t2);
		acknowledged(sizeof(ONE) - 1, cases[i].echo);
		finish();
		CHECK_INT(conflict()->used_by, cases[i].used);
	}
}

TEST(reported_as_a_duplicate)
{
	/* no options, NOP, NOP, SACK of C_ISN + 1 and of what ONE ends at */
	static const uint8_t head[32] = {[20] = 1,
	    1,
	    5,
	    10,
	    0xff,
	    0xff,
	    0xff,
	    0xf1,
	    0,
	    0,
	    0,
	    0xf1 + sizeof(ONE) - 1 - 0x100};

	two_versions(ONE, "RCPT TO:<b@two.test>\r\n", 0, 0);
	acknowledged(sizeof(ONE) - 1, 0);
	CHECK_INT(nseen, 0);
	make(DIR_S2C, TCP_ACK, 0, sizeof(ONE) - 1, NULL);
	pk.tcp = head;
	pk.payload = head + sizeof(head);
	put();
	CHECK_INT(conflict()->used_by, USED_FIRST_DUP);
	finish();
}

TEST(nobody_says_which)
{
	two_versions(ONE, "RCPT TO:<b@two.test>\r\n", 0, 0);
	CHECK_INT(evidence_deadline(ctx), now + EVIDENCE_USED_WAIT);
	evidence_tick(ctx, now + EVIDENCE_USED_WAIT);
	CHECK_INT(conflict()->used_by, USED_UNKNOWN);
	CHECK_INT(seen[0].time, now + EVIDENCE_USED_WAIT);
	finish();
}

/* ---- a flow that rests ---- */

/* Sent and never acknowledged: the hashes wait on, but not for ever; text and
 * what is still to be judged do. */
TEST(hashes_are_not_waited_for_for_ever)
{
	for (int tls = 0; tls < 2; tls++) {
		begin(tls);
		if (!tls)
			view.body = 0;
		cut(0, 100);
		CHECK(!evidence_may_sleep(&flow, false, now));
		CHECK(!evidence_may_sleep(
		    &flow, false, now + EVIDENCE_FORGET - 1));
		CHECK_INT(
		    evidence_may_sleep(&flow, false, now + EVIDENCE_FORGET),
		    tls);
		c(0, 100, NULL);
		CHECK(evidence_may_sleep(&flow, false, now));
		finish();
	}
}

/* Whether what was borrowed was given back or never is: */
static void
after_a_rest(bool rests, bool acked)
{
	begin(true);
	cut(0, SEG);
	cut(SEG, SEG);
	if (acked)
		c(0, 2 * SEG, NULL);
	now += 2 * EVIDENCE_FORGET;
	if (rests) {
		CHECK(evidence_may_sleep(&flow, false, now));
		evidence_sleep(ctx, &flow, false, now);
		evidence_wake(&flow);
		CHECK(flow.d[DIR_S2C].ring == NULL);
	} else
		CHECK(flow.d[DIR_S2C].ring != NULL);
}

/* what is lawful stays silent: sent again, asked whether it lives, going on; */
TEST(after_a_rest_what_is_lawful_is_silent)
{
	for (int how = 0; how < 4; how++) {
		after_a_rest(how & 1, how & 2);
		cut(SEG, SEG);
		s(2 * SEG - 1, 0, "x"); /* RFC 9293 3.8.4 */
		cut(2 * SEG, SEG);
		c(0, 3 * SEG, NULL);
		cut(SEG, 2 * SEG);
		finish();
		CHECK_INT(nseen, 0);
	}
}

/* what is said from then on is held against what comes again; */
TEST(after_a_rest_other_content_is_seen)
{
	for (int how = 0; how < 4; how++) {
		after_a_rest(how & 1, how & 2);
		cut(2 * SEG, SEG);
		cut(3 * SEG, SEG);
		memset(text + 2 * SEG, 'X', SEG);
		cut(2 * SEG, SEG);
		CHECK_INT(hints & EVID_CONFLICT, EVID_CONFLICT);
		finish();
		CHECK_INT(nseen, 1);
	}
}

/* and this is what is given up: other content for what was said before. */
TEST(after_a_rest_the_old_is_not_known)
{
	for (int how = 0; how < 4; how++) {
		after_a_rest(how & 1, how & 2);
		memset(text + SEG, 'X', SEG);
		cut(SEG, SEG);
		CHECK_INT(hints, how & 1 ? 0 : EVID_CONFLICT);
		finish();
		CHECK_INT(nseen, how & 1 ? 0 : 1);
	}
}

TEST_MAIN
