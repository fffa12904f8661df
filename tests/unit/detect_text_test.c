/* SPDX-License-Identifier: GPL-3.0-or-later */
/* B1-B6 and E1-E6 with their silent twins. */
#include "tests/unit/play.h"

#include "tests/test.h"

static void
go_ahead(struct play *p, enum proto proto)
{
	play_open(p, proto, 25);
	play_list(p, play_source(p), "IMAP4rev1\nSTARTTLS");
	play_ask_tls(p);
	play_answer(p, ANSWER_POSITIVE, 220);
}

static void
inject(struct play *p, enum dir dir, const char *text, unsigned bits)
{
	struct obs o = play_obs(p, OBS_TEXT_BEFORE_TLS, dir, text);

	o.u.inject.bytes = (uint32_t)strlen(text);
	o.u.inject.before_answer = (bits & 1) != 0;
	o.u.inject.tls_followed = (bits & 2) != 0;
	o.u.inject.is_tls = (bits & 4) != 0;
	judge_obs(p->j, &o);
}

TEST(commands_behind_starttls)
{
	static const struct {
		unsigned bits;
		bool fires;
	} t[] = {
	    {1, true}, {2, true}, {3, true},
	    {0, false}, /* plaintext answered in plaintext: A9 */
	    {4, false}, {5, false}, /* an eager ClientHello */
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct play p;

		play_init(&p);
		go_ahead(&p, PROTO_SMTP);
		inject(&p, DIR_C2S, "NOOP", t[i].bits);
		if ((play_conf(&p, FIND_STARTTLS_COMMAND_INJECTION) >= 85) !=
		    t[i].fires)
			TEST_FAIL("bits %u", t[i].bits);
		play_fini(&p);
	}
}

TEST(nothing_if_starttls_was_refused)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 25);
	play_list(&p, CAPS_EHLO, "STARTTLS");
	play_ask_tls(&p);
	play_answer(&p, ANSWER_TEMPFAIL, 454);
	inject(&p, DIR_C2S, "QUIT", 1);
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

TEST(replies_behind_the_go_ahead)
{
	struct play p;

	play_init(&p);
	go_ahead(&p, PROTO_IMAP);
	inject(&p, DIR_S2C, "* CAPABILITY IMAP4rev1", 2);
	CHECK(play_conf(&p, FIND_STARTTLS_RESPONSE_INJECTION) >= 85);
	p.n = 0;
	go_ahead(&p, PROTO_SMTP);
	inject(&p, DIR_S2C, "421 4.4.2 timeout", 0);
	go_ahead(&p, PROTO_SMTP);
	inject(&p, DIR_C2S, "NOOP", 0);
	inject(&p, DIR_S2C, "250 ok", 0);
	CHECK_INT(play_times(&p, FIND_STARTTLS_RESPONSE_INJECTION), 0);
	play_fini(&p);
}

TEST(preauth)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_IMAP, 143);
	play_greeting(&p, GREETING_PREAUTH, "* PREAUTH hi");
	CHECK(play_conf(&p, FIND_IMAP_PREAUTH) >= 50);
	CHECK(play_conf(&p, FIND_IMAP_PREAUTH) < 85);
	p.server++;
	p.n = 0;
	play_lesson(&p, PROTO_IMAP, 143);
	play_open(&p, PROTO_IMAP, 143);
	play_greeting(&p, GREETING_PREAUTH, "* PREAUTH hi");
	CHECK(play_conf(&p, FIND_IMAP_PREAUTH) >= 85);
	play_fini(&p);
}

TEST(preauth_on_the_loopback)
{
	struct play p;
	struct obs o;

	play_init(&p);
	p.flow++;
	p.proto = PROTO_IMAP;
	o = play_obs(&p, OBS_FLOW_OPEN, DIR_C2S, "");
	play_addr(&o.u.flow_open.server, 0, 1);
	o.u.flow_open.server.b[12] = 127;
	o.u.flow_open.server_port = 143;
	judge_obs(p.j, &o);
	play_greeting(&p, GREETING_PREAUTH, "* PREAUTH hi");
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

static void
verb_obs(struct play *p, enum obs_kind kind, const char *verb)
{
	struct obs o = play_obs(p, kind, DIR_S2C, verb);

	(void)snprintf(o.u.verb.verb, sizeof(o.u.verb.verb), "%s", verb);
	judge_obs(p->j, &o);
}

TEST(imap_data_before_login)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_IMAP, 143);
	play_greeting(&p, GREETING_OK, "* OK");
	verb_obs(&p, OBS_IMAP_EARLY, "EXISTS");
	CHECK(play_conf(&p, FIND_IMAP_DATA_BEFORE_AUTH) >= 85);
	p.n = 0;
	play_open(&p, PROTO_IMAP, 143);
	p.vis = VIS_GAP_C2S;
	verb_obs(&p, OBS_IMAP_EARLY, "EXISTS");
	verb_obs(&p, OBS_IMAP_UNSOLICITED, "OK");
	CHECK_INT(p.n, 0);
	play_open(&p, PROTO_IMAP, 143);
	verb_obs(&p, OBS_IMAP_UNSOLICITED, "OK");
	CHECK(play_conf(&p, FIND_IMAP_UNSOLICITED_REPLY) >= 85);
	play_fini(&p);
}

TEST(imap_codes)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_IMAP, 143);
	verb_obs(&p, OBS_IMAP_CODE, "REFERRAL");
	CHECK(play_conf(&p, FIND_IMAP_REFERRAL) >= 85);
	p.n = 0;
	play_open(&p, PROTO_IMAP, 143);
	verb_obs(&p, OBS_IMAP_CODE, "ALERT"); /* TLS is not due here */
	CHECK_INT(p.n, 0);
	play_list(&p, CAPS_UNTAGGED, "IMAP4rev1\nSTARTTLS");
	verb_obs(&p, OBS_IMAP_CODE, "ALERT");
	CHECK(play_conf(&p, FIND_IMAP_ALERT_IN_CLEAR) >= 50);
	play_fini(&p);
}

TEST(credentials_in_clear)
{
	static const enum sasl_mech clear[] = {MECH_PLAIN, MECH_LOGIN,
	    MECH_XOAUTH2, MECH_OAUTHBEARER, MECH_USERPASS, MECH_IMAP_LOGIN};
	struct play p;

	for (size_t i = 0; i < sizeof(clear) / sizeof(clear[0]); i++) {
		play_init(&p);
		play_open(&p, PROTO_SMTP, 587);
		play_auth(&p, clear[i], "alice", true);
		CHECK(play_conf(&p, FIND_PLAINTEXT_CREDENTIALS) >= 85);
		CHECK_STR(
		    play_last(&p, FIND_PLAINTEXT_CREDENTIALS)->finding.user,
		    "alice");
		play_fini(&p);
	}
}

TEST(credentials_that_are_none)
{
	static const enum sasl_mech quiet[] = {
	    MECH_SCRAM, MECH_GSSAPI, MECH_EXTERNAL, MECH_ANONYMOUS};
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 587);
	play_auth(&p, MECH_PLAIN, "alice", false); /* aborted */
	for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
		play_auth(&p, quiet[i], "alice", true);
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

TEST(one_finding_for_each_user)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 587);
	for (int i = 0; i < 5; i++)
		play_auth(&p, MECH_PLAIN, "alice", true);
	play_auth(&p, MECH_PLAIN, "bob", true);
	play_auth(&p, MECH_LOGIN, "bob", true);
	CHECK_INT(play_times(&p, FIND_PLAINTEXT_CREDENTIALS), 3);
	CHECK(play_said(play_last(&p, FIND_PLAINTEXT_CREDENTIALS),
	    "the same secret was seen on 2026-11-22"));
	for (int i = 0; i < 40; i++) {
		char user[16];

		(void)snprintf(user, sizeof(user), "u%d", i);
		play_auth(&p, MECH_PLAIN, user, true);
	}
	CHECK_INT(play_times(&p, FIND_PLAINTEXT_CREDENTIALS), FACTS_AUTHS);
	play_fini(&p);
}

TEST(challenges_weigh_more_where_tls_is_usual)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 25);
	play_auth(&p, MECH_CRAM_MD5, "alice", true);
	CHECK(play_conf(&p, FIND_CHALLENGE_RESPONSE_IN_CLEAR) > 0);
	CHECK(play_conf(&p, FIND_CHALLENGE_RESPONSE_IN_CLEAR) < 50);
	p.n = 0;
	play_lesson(&p, PROTO_SMTP, 25);
	play_open(&p, PROTO_SMTP, 25);
	play_auth(&p, MECH_CRAM_MD5, "alice", true);
	CHECK(play_conf(&p, FIND_CHALLENGE_RESPONSE_IN_CLEAR) >= 50);
	play_fini(&p);
}

TEST(mail_in_clear_between_hosts_that_use_tls)
{
	struct play p;
	struct obs o;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 25);
	o = play_obs(&p, OBS_MAIL_CONTENT, DIR_C2S, "");
	judge_obs(p.j, &o);
	CHECK_INT(p.n, 0);
	play_lesson(&p, PROTO_SMTP, 25);
	play_open(&p, PROTO_SMTP, 25);
	o = play_obs(&p, OBS_MAIL_CONTENT, DIR_C2S, "");
	o.u.content.protected_ = 1;
	judge_obs(p.j, &o);
	CHECK(play_conf(&p, FIND_PLAINTEXT_MAIL) >= 50);
	CHECK(play_said(play_last(&p, FIND_PLAINTEXT_MAIL), "PGP"));
	play_fini(&p);
}

TEST_MAIN
