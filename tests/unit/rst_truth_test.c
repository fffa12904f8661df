/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What receivers do with a reset: the table as the sources have it, the
 * sentences, and where the evidence stage sees a number lie.
 */
#include "rules/rst_truth.h"

#include "rules/finding.h"
#include "tests/unit/evidence_kit.h"

#define UNSURE FATE_UNDOCUMENTED

static const struct {
	enum rst_place place;
	enum rst_fate fate[STACK_COUNT]; /* 793, 5961, Linux, Windows */
} rows[] = {
    {RST_AT_NEXT, {FATE_DEAD, FATE_DEAD, FATE_DEAD, FATE_DEAD}},
    {RST_AT_WINDOW, {FATE_DEAD, FATE_CHALLENGE, FATE_CHALLENGE, UNSURE}},
    {RST_AT_SYN_RECEIVED, {FATE_DEAD, FATE_CHALLENGE, FATE_DEAD, UNSURE}},
    {RST_AT_SENT, {FATE_DEAD_IF_LATE, FATE_DEAD_IF_LATE, FATE_DEAD_IF_LATE,
		      FATE_DEAD_IF_LATE}},
    {RST_AT_FIN, {FATE_IGNORED, FATE_IGNORED, FATE_DEAD, UNSURE}},
    {RST_AT_OUTSIDE, {FATE_IGNORED, FATE_IGNORED, FATE_IGNORED, FATE_IGNORED}},
    {RST_AT_OVER, {FATE_OVER, FATE_OVER, FATE_OVER, FATE_OVER}},
    {RST_AT_SYN, {FATE_DEAD, FATE_DEAD, FATE_DEAD, FATE_ASKS_AGAIN}},
    {RST_AT_SYN_OTHER,
	{FATE_IGNORED, FATE_IGNORED, FATE_IGNORED, FATE_IGNORED}},
    {RST_AT_UNKNOWN, {FATE_UNKNOWN, FATE_UNKNOWN, FATE_UNKNOWN, FATE_UNKNOWN}},
};

TEST(each_place_and_stack)
{
	CHECK_INT(sizeof(rows) / sizeof(rows[0]), RST_AT_COUNT);
	for (unsigned i = 0; i < RST_AT_COUNT; i++)
		for (unsigned k = 0; k < STACK_COUNT; k++)
			if (rst_truth(rows[i].place, k) != rows[i].fate[k])
				TEST_FAIL(
				    "place %u, stack %u", rows[i].place, k);
}

static const char *
say(enum rst_place place, int32_t off)
{
	static char buf[FINDING_SENTENCE_MAX];
	struct obs_rst r = {.place = (uint8_t)place, .place_off = off};

	return rst_truth_say(buf, sizeof(buf), &r, "client");
}

TEST(sentences)
{
	CHECK_STR(say(RST_AT_NEXT, 0),
	    "what the client does: RFC 793, RFC 5961, Linux and "
	    "Windows stacks obey (exactly the next number)");
	CHECK_STR(say(RST_AT_WINDOW, 1000),
	    "what the client does: RFC 793 stacks obey; RFC 5961 and "
	    "Linux (since 3.6) stacks answer with a challenge ACK and live "
	    "on; Windows stacks are not documented (in its window, 1000 too "
	    "high)");
	CHECK_STR(say(RST_AT_SENT, -9),
	    "what the client does: RFC 793, RFC 5961, Linux and "
	    "Windows stacks obey only if what was sent beyond it had not "
	    "arrived (number not acknowledged yet, 9 too low)");
	CHECK_STR(say(RST_AT_SYN, 0),
	    "what the client does: RFC 793, RFC 5961 and Linux "
	    "stacks obey; Windows stacks ask again first (acknowledges the "
	    "SYN)");
	CHECK_STR(say(RST_AT_UNKNOWN, 77),
	    "what the client does: RFC 793, RFC 5961, Linux and "
	    "Windows stacks cannot be told, too little was seen");
}

TEST(of_several_resets_one_is_meant)
{
	char buf[FINDING_SENTENCE_MAX];
	struct obs_rst r = {.place = RST_AT_NEXT, .count = 3};

	CHECK_STR(rst_truth_say(buf, sizeof(buf), &r, "server"),
	    "what the server does: RFC 793, RFC 5961, Linux and Windows "
	    "stacks obey (one: exactly the next number)");
	r.place = 200;
	r.count = 1;
	CHECK_STR(rst_truth_say(buf, sizeof(buf), &r, "client"),
	    say(RST_AT_UNKNOWN, 0));
}

TEST(sentences_fit_whole)
{
	char buf[1024];

	for (unsigned i = 0; i < RST_AT_COUNT; i++) {
		struct obs_rst r = {
		    .place = (uint8_t)i, .place_off = INT32_MIN, .count = 2};
		size_t n =
		    strlen(rst_truth_say(buf, sizeof(buf), &r, "server"));

		if (n >= FINDING_SENTENCE_MAX)
			TEST_FAIL("place %u: %zu bytes", i, n);
	}
}

/* ---- where a number lies, as the evidence stage sees it ---- */

static enum rst_place
told(void)
{
	finish();
	if (nseen == 0 || seen[nseen - 1].kind != OBS_RST) {
		TEST_FAIL("no reset was told of");
		return RST_AT_COUNT;
	}
	return seen[nseen - 1].u.rst.place;
}

/* The server has sent 60 bytes, all acknowledged; its window is 502 << 7. */
static const struct {
	uint32_t seq;
	enum rst_place place;
} numbers[] = {
    {60, RST_AT_NEXT},
    {61, RST_AT_WINDOW},
    {60 + 502 * 128 - 1, RST_AT_WINDOW},
    {60 + 502 * 128, RST_AT_OUTSIDE},
    {59, RST_AT_OUTSIDE},
    {0, RST_AT_OUTSIDE},
};

TEST(numbers_in_an_open_connection)
{
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		start();
		dialogue();
		bare_rst(DIR_S2C, numbers[i].seq);
		CHECK_INT(told(), numbers[i].place);
		CHECK_INT(
		    seen[0].u.rst.place_off, (int32_t)numbers[i].seq - 60);
	}
}

TEST(not_acknowledged_yet)
{
	start();
	dialogue();
	s(60, 60, LINE); /* on its way */
	bare_rst(DIR_S2C, 60);
	CHECK_INT(told(), RST_AT_SENT);
	start();
	dialogue();
	s(60, 60, LINE);
	bare_rst(DIR_S2C, 80);
	CHECK_INT(told(), RST_AT_NEXT);
	start();
	dialogue();
	s(60, 60, LINE);
	bare_rst(DIR_S2C, 59);
	CHECK_INT(told(), RST_AT_OUTSIDE);
}

TEST(the_furthest_of_several_counts)
{
	start();
	dialogue();
	bare_rst(DIR_S2C, 20);
	bare_rst(DIR_S2C, 60);
	bare_rst(DIR_S2C, 1060);
	CHECK_INT(told(), RST_AT_NEXT);
	CHECK_INT(seen[0].u.rst.place_off, 0);
	CHECK_INT(seen[0].u.rst.seq_off, -40); /* of the first */
}

static void
client_syn(void)
{
	start();
	view.phase = PHASE_SYN;
	make(DIR_C2S, TCP_SYN, UINT32_MAX, 0, NULL);
	put();
}

TEST(answers_to_a_syn)
{
	client_syn();
	send(DIR_S2C, TCP_RST | TCP_ACK, UINT32_MAX, 0, NULL);
	CHECK_INT(told(), RST_AT_SYN);
	client_syn();
	send(DIR_S2C, TCP_RST | TCP_ACK, UINT32_MAX, UINT32_MAX, NULL);
	CHECK_INT(told(), RST_AT_SYN_OTHER); /* its own number, not the next */
	client_syn();
	send(DIR_S2C, TCP_RST, UINT32_MAX, 0, NULL);
	CHECK_INT(told(), RST_AT_SYN_OTHER);
}

static void
syn_and_answer(void)
{
	client_syn();
	send(DIR_S2C, TCP_SYN | TCP_ACK, UINT32_MAX, 0, NULL);
}

TEST(server_that_waits_for_the_last_ack)
{
	syn_and_answer();
	bare_rst(DIR_C2S, 0);
	CHECK_INT(told(), RST_AT_NEXT);
	syn_and_answer();
	bare_rst(DIR_C2S, 100);
	CHECK_INT(told(), RST_AT_SYN_RECEIVED);
}

TEST(after_fins)
{
	start();
	dialogue();
	send(DIR_S2C, TCP_FIN | TCP_ACK, 60, 60, NULL);
	c(60, 61, NULL);
	bare_rst(DIR_S2C, 60);
	CHECK_INT(told(), RST_AT_FIN);
	start();
	dialogue();
	send(DIR_S2C, TCP_FIN | TCP_ACK, 60, 60, NULL);
	send(DIR_C2S, TCP_FIN | TCP_ACK, 60, 61, NULL);
	bare_rst(DIR_S2C, 61);
	CHECK_INT(told(), RST_AT_NEXT); /* the client's FIN is not acked */
	start();
	dialogue();
	send(DIR_S2C, TCP_FIN | TCP_ACK, 60, 60, NULL);
	send(DIR_C2S, TCP_FIN | TCP_ACK, 60, 61, NULL);
	s(61, 61, NULL);
	bare_rst(DIR_S2C, 61);
	CHECK_INT(told(), RST_AT_OVER);
}

TEST(half_of_it_seen)
{
	start();
	c(0, 20, NULL); /* the server's own packets go another way */
	bare_rst(DIR_S2C, 20);
	CHECK_INT(told(), RST_AT_NEXT);
	start();
	s(0, 20, LINE); /* and now the client's do */
	bare_rst(DIR_S2C, 20);
	CHECK_INT(told(), RST_AT_NEXT);
	start();
	s(0, 20, LINE);
	bare_rst(DIR_S2C, 10);
	CHECK_INT(told(), RST_AT_SENT);
	start();
	s(0, 20, LINE);
	bare_rst(DIR_S2C, 30);
	CHECK_INT(told(), RST_AT_UNKNOWN);
}

TEST_MAIN
