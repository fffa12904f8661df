/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What dialogues cannot show of the mail decoder: what it wants, what may be
 * shown of its bytes, floods, counters.
 */
#include "decoders/mail.h"

#include "decoders/tls_record.h"
#include "tests/test.h"

struct seen {
	unsigned n[OBS_KIND_COUNT];
	struct obs last[OBS_KIND_COUNT];
};

static struct seen seen;
static struct mail_env env;
static struct mail *m;
static struct pkt_ref pkt;

static void
on_obs(void *ctx, struct obs *o)
{
	struct seen *s = ctx;

	s->n[o->kind]++;
	memcpy(&s->last[o->kind], o, o->size);
}

static void
begin(uint16_t port, uint32_t vis)
{
	struct mail_flow f = {1, 40000, port, vis};

	memset(&seen, 0, sizeof(seen));
	memset(&env, 0, sizeof(env));
	env.sink.emit = on_obs;
	env.sink.ctx = &seen;
	env.pool = tls_pool_new(1 << 20);
	m = malloc(mail_size());
	mail_init(m, &env, &f);
	pkt.time = 1;
	pkt.ordinal = 1;
}

static void
end(void)
{
	mail_end(m, pkt.time);
	free(m);
	tls_pool_free(env.pool);
}

static struct mail_state
state(void)
{
	struct mail_state s;

	mail_state(m, &s);
	return s;
}

static void
say(enum dir dir, const char *s)
{
	pkt.time++;
	pkt.ordinal++;
	mail_data(m, dir, (struct slice){(const uint8_t *)s, strlen(s)}, &pkt);
}

TEST(state_of_a_flow_is_small)
{
	CHECK(mail_size() <= 512);
}

/* ---- what is borrowed ---- */

static unsigned nlent, lent_in_all, nlent_max;

static void *
lend(void *ctx, enum mail_part part)
{
	(void)ctx;
	if (lent_in_all == nlent_max)
		return NULL;
	lent_in_all++;
	nlent++;
	return malloc(mail_part_size(part));
}

static void
give_back(void *ctx, enum mail_part part, void *p)
{
	(void)ctx;
	memset(p, 0xff, mail_part_size(part));
	free(p);
	nlent--;
}

static void
begin_lending(uint16_t port, unsigned max)
{
	begin(port, 0);
	nlent = lent_in_all = 0;
	nlent_max = max;
	env.lender = (struct mail_lender){lend, give_back, NULL};
}

TEST(at_rest_only_the_name_is_borrowed)
{
	begin_lending(25, 1000);
	say(DIR_S2C, "220 mx.exam");
	CHECK_INT(nlent, 1);
	say(DIR_S2C, "ple ESMTP\r\n");
	CHECK_INT(nlent, 0);
	say(DIR_C2S, "EHLO a\r\n");
	CHECK_INT(nlent, 1); /* the command waits by itself */
	say(DIR_S2C, "250-mx\r\n250-AUTH PLAIN\r\n");
	CHECK_INT(nlent, 2);
	say(DIR_S2C, "250 STARTTLS\r\n");
	CHECK_INT(nlent, 1);
	say(DIR_C2S, "AUTH PLAIN AGEAYg==\r\n");
	CHECK_INT(nlent, 3); /* the exchange, and its use in clear */
	say(DIR_C2S, "MAIL FROM:<a@b>\r\n");
	CHECK_INT(nlent, 4); /* two commands */
	say(DIR_S2C, "235 ok\r\n250 ok\r\n");
	CHECK_INT(nlent, 1);
	end();
	CHECK_INT(nlent, 0);
}

static const struct {
	uint16_t port;
	enum dir dir;
	const char *s;
} turns[] = {
    {25, DIR_C2S, "PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n"},
    {25, DIR_S2C, "220-mx.example"},
    {25, DIR_S2C, " ESMTP\r\n220 hello\r\n250-early\r\n250 STARTTLS\r\n"},
    {25, DIR_C2S, "EHLO a-name-that-is-longer-than-most.of.them.example\r\n"},
    {25, DIR_C2S, "AUTH LOGIN YQ==\r\nYg==\r\nMAIL FROM:<a@b>\r\nDATA\r\n"},
    {25, DIR_C2S, "Subject: x\r\n\r\n-----BEGIN"},
    {25, DIR_C2S, " PGP MESSAGE-----\r\n.\r\nSTARTTLS\r\nRSET\r\n"},
    {25, DIR_S2C, "235 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n220 go\r\n"},
    {25, DIR_C2S, "\x16\x03\x01\x01"},
    {25, DIR_S2C, "\x16\x03\x03\x7f"},
    {143, DIR_S2C, "* OK [CAPABILITY IMAP4rev1] rea"},
    {143, DIR_S2C, "dy\r\na2 OK early\r\n"},
    {143, DIR_C2S, "a1 LOGIN {1}\r\nu {2}\r\npw\r\na2 NOOP\r\nXXXX\r\n"},
    {143, DIR_S2C, "a1 OK\r\n* 1 FETCH (BODY[] {20}\r\nSubject: x"},
    {143, DIR_C2S, "a3 STARTTLS\r\na4 NOOP\r\n"},
    {143, DIR_S2C, "\r\n\r\n12345678)\r\na3 OK\r\n"},
    {110, DIR_S2C, "+OK <1@mx.example>\r\n"},
    {110, DIR_C2S, "CAPA\r\nUSER u\r\nPASS p\r\nRETR 1\r\n"},
    {110, DIR_S2C, "+OK\r\nSTLS\r\n.\r\n+OK\r\n+OK\r\n+OK\r\nFrom"},
    {4190, DIR_S2C, "\"IMPLEMENTATION\" \"x\"\r\n\"STARTTLS\"\r\nOK\r\n"},
    {4190, DIR_C2S, "AUTHENTICATE \"PLAIN\" {8+}\r\nAGEAYg==\r\n"},
    {4190, DIR_S2C, "OK {3}\r\nabc\r\n"},
};

/* Wherever memory ends: the flow is left alone, and nothing is lost of what
 * was borrowed. Returns whether it ended. */
static bool
starve(uint16_t port, unsigned max)
{
	bool starved;

	begin_lending(port, max);
	for (size_t i = 0; i < sizeof(turns) / sizeof(*turns); i++)
		if (turns[i].port == port)
			say(turns[i].dir, turns[i].s);
	starved = state().starved;
	if (starved) {
		CHECK_INT(mail_wants(m, DIR_C2S), MAIL_NOTHING);
		CHECK_INT(mail_wants(m, DIR_S2C), MAIL_NOTHING);
		CHECK_INT(state().phase, PHASE_OPAQUE);
		CHECK_INT(nlent, 0);
	}
	end();
	CHECK_INT(nlent, 0);
	return starved;
}

TEST(without_memory_a_flow_is_left_alone)
{
	static const uint16_t ports[] = {25, 143, 110, 4190};

	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		unsigned max = 0;

		while (starve(ports[i], max))
			max++;
		CHECK(max > 4);
	}
}

/* ---- the rest ---- */

TEST(ports_and_first_looks)
{
	static const struct {
		enum dir dir;
		const char *s;
		bool mail;
	} t[] = {
	    {DIR_S2C, "220 x", true},
	    {DIR_S2C, "22", true},
	    {DIR_S2C, "* OK", true},
	    {DIR_S2C, "+OK", true},
	    {DIR_S2C, "HTTP/1.1 200", false},
	    {DIR_S2C, "SSH-2.0", false},
	    {DIR_C2S, "EHLO x", true},
	    {DIR_C2S, "ehlo x", true},
	    {DIR_C2S, "PROXY TCP4", true},
	    {DIR_C2S, "GET / HTTP/1.1", false},
	    {DIR_C2S, "\x16\x03\x01", false},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		CHECK_INT(mail_looks_like(
			      t[i].dir, (struct slice){(const uint8_t *)t[i].s,
					    strlen(t[i].s)}),
		    t[i].mail);
	CHECK(mail_port(25) && mail_port(993) && mail_port(110));
	CHECK(!mail_port(80) && !mail_port(21));
}

TEST(other_protocols_are_wanted_no_more)
{
	begin(25, 0);
	CHECK_INT(mail_wants(m, DIR_C2S), MAIL_BYTES);
	say(DIR_C2S, "GET / HTTP/1.1\r\n");
	CHECK_INT(state().proto, PROTO_OTHER);
	CHECK_INT(mail_wants(m, DIR_C2S), MAIL_NOTHING);
	CHECK_INT(mail_wants(m, DIR_S2C), MAIL_NOTHING);
	CHECK_INT(env.n.flows[PROTO_OTHER], 1);
	end();
}

TEST(secrets_are_not_public)
{
	begin(110, 0);
	CHECK(!mail_text_is_public(m, DIR_S2C));
	say(DIR_S2C, "+OK ready\r\n");
	CHECK(mail_text_is_public(m, DIR_S2C));
	say(DIR_C2S, "CAPA\r\n");
	CHECK(mail_text_is_public(m, DIR_C2S));
	say(DIR_S2C, "+OK\r\n.\r\n");
	say(DIR_C2S, "USER alice\r\n");
	say(DIR_S2C, "+OK\r\n");
	say(DIR_C2S, "PA");
	CHECK(!mail_text_is_public(m, DIR_C2S));
	say(DIR_C2S, "SS hunter2\r\n");
	CHECK(!mail_text_is_public(m, DIR_C2S));
	say(DIR_S2C, "+OK\r\n");
	say(DIR_C2S, "RETR 1\r\n");
	say(DIR_S2C, "+OK\r\nprivate\r\n");
	CHECK(!mail_text_is_public(m, DIR_S2C));
	end();
}

TEST(responses_and_typed_words_are_not_public)
{
	begin(25, 0);
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	say(DIR_C2S, "EHLO a\r\n");
	CHECK(mail_text_is_public(m, DIR_C2S));
	say(DIR_S2C, "250 AUTH\r\n");
	say(DIR_C2S, "AUTH LOGIN\r\n");
	say(DIR_S2C, "334 VXNlcm5hbWU6\r\n");
	say(DIR_C2S, "NOOP x"); /* a response, whatever it looks like */
	CHECK(!mail_text_is_public(m, DIR_C2S));
	say(DIR_C2S, "\r\n");
	CHECK(!mail_text_is_public(m, DIR_C2S));
	say(DIR_S2C, "535 no\r\n");
	say(DIR_C2S, "hunter2\r\n");
	CHECK(!mail_text_is_public(m, DIR_C2S));
	say(DIR_C2S, "MAIL FROM:<a@b>\r\nDATA\r\nprivate");
	CHECK(!mail_text_is_public(m, DIR_C2S));
	end();
}

TEST(floods_fold_into_few_observations)
{
	begin(25, 0);
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	for (int i = 0; i < 1000; i++) {
		say(DIR_C2S, "XXXXXXXX\r\n");
		say(DIR_S2C, "500 unrecognized command\r\n");
		say(DIR_C2S, "MAIL FROM:<a@b>\r\n");
		say(DIR_S2C, "530 Must issue a STARTTLS command first\r\n");
		say(DIR_C2S, "DATA\r\nx\r\n.\r\nQUIT\r\n");
		say(DIR_S2C, "354 go\r\n250 ok\r\n221 bye\r\n");
	}
	CHECK(seen.n[OBS_VERB_UNKNOWN] <= 8);
	CHECK(seen.n[OBS_TLS_DEMANDED] <= 8);
	CHECK(seen.n[OBS_CLEAR_USE] <= 8);
	CHECK_INT(seen.n[OBS_MAIL_CONTENT], 1);
	CHECK_INT(seen.n[OBS_QUIT], 1);
	CHECK_INT(env.n.bodies, 1000);
	end();
}

TEST(many_pipelined_commands_lose_step_and_find_it_again)
{
	begin(25, 0);
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	for (int i = 0; i < 100; i++)
		say(DIR_C2S, "NOOP\r\nRSET\r\n");
	for (int i = 0; i < 200; i++)
		say(DIR_S2C, "250 ok\r\n");
	say(DIR_C2S, "EHLO a\r\n");
	say(DIR_S2C, "250-mx\r\n250 STARTTLS\r\n");
	CHECK_INT(seen.n[OBS_CAPS], 1);
	CHECK_INT(seen.last[OBS_CAPS].u.caps.starttls, 1);
	end();
}

TEST(many_imap_tags_make_no_unsolicited_replies)
{
	char line[32];

	begin(143, 0);
	say(DIR_S2C, "* OK ready\r\n");
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "t%d NOOP\r\n", i);
		say(DIR_C2S, line);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "t%d OK\r\n", i);
		say(DIR_S2C, line);
	}
	CHECK_INT(seen.n[OBS_IMAP_UNSOLICITED], 0);
	end();
	CHECK_INT(seen.n[OBS_IMAP_UNSOLICITED], 0);
}

TEST(commands_in_clear_carry_their_own_packet)
{
	begin(25, 0);
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	say(DIR_C2S, "MAIL FROM:<a@b>\r\n");
	uint64_t asked = pkt.ordinal;
	say(DIR_S2C, "250 ok\r\n");
	CHECK_INT(seen.last[OBS_CLEAR_USE].pkt.ordinal, asked);
	CHECK_INT(seen.last[OBS_CLEAR_USE].time, pkt.time);
	end();
}

TEST(secrets_carry_the_packet_that_completed_them)
{
	begin(110, 0);
	say(DIR_S2C, "+OK ready\r\n");
	say(DIR_C2S, "USER alice\r\n");
	say(DIR_S2C, "+OK\r\n");
	say(DIR_C2S, "PASS hun");
	say(DIR_C2S, "ter2\r\n");
	uint64_t sent = pkt.ordinal;
	say(DIR_S2C, "-ERR no\r\n");
	CHECK_INT(seen.last[OBS_AUTH].u.auth.secret_pkt.ordinal, sent);
	CHECK_INT(seen.last[OBS_AUTH].u.auth.outcome, AUTH_FAILED);
	end();
}

TEST(quit_is_known_before_it_is_answered)
{
	begin(143, 0);
	say(DIR_S2C, "* OK ready\r\n");
	CHECK(!state().quit);
	say(DIR_C2S, "a LOGOUT\r\n");
	CHECK(state().quit);
	CHECK_INT(state().phase, PHASE_TEXT);
	say(DIR_S2C, "* BYE\r\na OK\r\n");
	CHECK_INT(state().phase, PHASE_CLOSING);
	end();
}

TEST(counters_note_what_is_odd)
{
	static const char nul[] = "EHLO a\0b\n";

	begin(25, 0);
	say(DIR_S2C, "220 mx.example ESMTP\n");
	mail_data(m, DIR_C2S,
	    (struct slice){(const uint8_t *)nul, sizeof(nul) - 1}, &pkt);
	mail_gap(m, DIR_S2C, 10, &pkt);
	CHECK_INT(env.n.lines, 2);
	CHECK_INT(env.n.bare_lf, 2);
	CHECK_INT(env.n.nul_bytes, 1);
	CHECK_INT(env.n.gaps, 1);
	CHECK_INT(env.n.resyncs, 1);
	end();
}

TEST_MAIN
