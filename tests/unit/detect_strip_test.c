/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A1, A3-A5, A12-A14, A16, A22: each with its silent twin. */
#include "tests/unit/play.h"

#include "tests/test.h"

static void
clear_session(
    struct play *p, enum proto proto, uint16_t port, const char *words)
{
	play_open(p, proto, port);
	play_greeting(p, GREETING_OK, "220 mx.test ESMTP");
	play_list(p, play_source(p), words);
	if (proto == PROTO_SMTP)
		play_mail(p);
	else
		play_use(p, proto == PROTO_IMAP ? "LOGIN" : "PASS", true);
}

TEST(stripped_after_one_lesson_is_medium)
{
	struct play p;

	play_init(&p);
	play_lesson(&p, PROTO_SMTP, 25);
	CHECK_INT(p.n, 0);
	clear_session(&p, PROTO_SMTP, 25, "SIZE\nPIPELINING");
	CHECK(play_conf(&p, FIND_STARTTLS_STRIPPED) >= 50);
	CHECK(play_conf(&p, FIND_STARTTLS_STRIPPED) < 85);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) >= 50);
	CHECK(play_said(play_last(&p, FIND_STARTTLS_STRIPPED),
	    "STARTTLS was offered in 1 earlier session since 2026-11-22"));
	play_end(&p, END_FIN, DIR_C2S);
	CHECK_INT(play_times(&p, FIND_STARTTLS_STRIPPED), 1);
	play_fini(&p);
}

TEST(stripped_after_many_lessons_is_high)
{
	struct play p;

	play_init(&p);
	for (int i = 0; i < 12; i++)
		play_lesson(&p, PROTO_SMTP, 25);
	clear_session(&p, PROTO_SMTP, 25, "SIZE");
	CHECK(play_conf(&p, FIND_STARTTLS_STRIPPED) >= 85);
	CHECK(play_said(
	    play_last(&p, FIND_STARTTLS_STRIPPED), "12 earlier sessions"));
	play_fini(&p);
}

TEST(stripped_on_all_protocols)
{
	struct play p;

	play_init(&p);
	play_lesson(&p, PROTO_POP3, 110);
	clear_session(&p, PROTO_POP3, 110, "USER\nTOP");
	CHECK(play_conf(&p, FIND_STARTTLS_STRIPPED) >= 50);
	p.n = 0;
	p.server++;
	play_lesson(&p, PROTO_IMAP, 143);
	clear_session(&p, PROTO_IMAP, 143, "IMAP4rev1\nIDLE");
	CHECK(play_conf(&p, FIND_STARTTLS_STRIPPED) >= 50);
	play_fini(&p);
}

TEST(a_server_that_never_offered_is_silent)
{
	struct play p;

	play_init(&p);
	for (int i = 0; i < 3; i++) {
		clear_session(&p, PROTO_SMTP, 25, "SIZE");
		play_quit(&p);
		play_end(&p, END_FIN, DIR_C2S);
	}
	CHECK_INT(p.n, 0);
	CHECK_INT(judge_counters(p.j)->taught, 3);
	play_fini(&p);
}

TEST(history_is_per_port)
{
	struct play p;

	play_init(&p);
	play_lesson(&p, PROTO_SMTP, 587);
	clear_session(&p, PROTO_SMTP, 25, "SIZE");
	CHECK_INT(play_conf(&p, FIND_STARTTLS_STRIPPED), 0);
	play_fini(&p);
}

TEST(an_incomplete_list_proves_no_absence)
{
	struct play p;
	struct obs o;

	play_init(&p);
	play_lesson(&p, PROTO_SMTP, 25);
	play_open(&p, PROTO_SMTP, 25);
	p.vis = VIS_GAP_S2C;
	o = play_caps(&p, CAPS_EHLO, "SIZE\nXXXXXXXX");
	o.u.caps.complete = 0;
	judge_obs(p.j, &o);
	play_mail(&p);
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

TEST(lists_after_login_lack_it_lawfully)
{
	struct play p;
	struct obs o;

	play_init(&p);
	play_lesson(&p, PROTO_IMAP, 143);
	play_open(&p, PROTO_IMAP, 143);
	play_list(&p, CAPS_UNTAGGED, "IMAP4rev1\nSTARTTLS");
	o = play_caps(&p, CAPS_CODE, "IMAP4rev1\nIDLE");
	o.u.caps.after_auth = 1;
	judge_obs(p.j, &o);
	play_use(&p, "LOGIN", true);
	CHECK_INT(play_conf(&p, FIND_STARTTLS_STRIPPED), 0);
	play_fini(&p);
}

TEST(a_client_that_leaves_makes_it_low)
{
	struct play p;

	play_init(&p);
	play_lesson(&p, PROTO_SMTP, 25);
	play_open(&p, PROTO_SMTP, 25);
	play_list(&p, CAPS_EHLO, "SIZE");
	play_quit(&p);
	play_end(&p, END_FIN, DIR_C2S);
	CHECK(play_conf(&p, FIND_STARTTLS_STRIPPED) > 0);
	CHECK(play_conf(&p, FIND_STARTTLS_STRIPPED) < 50);
	CHECK_INT(play_conf(&p, FIND_PLAINTEXT_FALLBACK), 0);
	play_fini(&p);
}

TEST(suspicion_does_not_teach)
{
	struct play p;
	struct server_key k;
	const struct server_facts *s;

	play_init(&p);
	play_lesson(&p, PROTO_SMTP, 25);
	for (int i = 0; i < 4; i++) {
		clear_session(&p, PROTO_SMTP, 25, "SIZE");
		play_quit(&p);
		play_end(&p, END_FIN, DIR_C2S);
	}
	CHECK_INT(play_times(&p, FIND_STARTTLS_STRIPPED), 4);
	memset(&k, 0, sizeof(k));
	play_addr(&k.addr, 2, p.server);
	k.port = 25;
	k.proto = PROTO_SMTP;
	s = history_server(p.h, &k, p.now);
	CHECK(s != NULL && s->not_offered == 0 && s->offered == 1);
	CHECK_INT(judge_counters(p.j)->not_taught_suspect, 4);
	play_fini(&p);
}

TEST(loses_logindisabled)
{
	struct play p;

	play_init(&p);
	for (int i = 0; i < 2; i++) {
		play_open(&p, PROTO_IMAP, 143);
		play_greeting(&p, GREETING_OK, "* OK");
		play_list(
		    &p, CAPS_UNTAGGED, "IMAP4rev1\nSTARTTLS\nLOGINDISABLED");
		play_ask_tls(&p);
		play_answer(&p, ANSWER_POSITIVE, 0);
		play_established(&p);
	}
	clear_session(&p, PROTO_IMAP, 143, "IMAP4rev1\nSTARTTLS");
	CHECK(play_conf(&p, FIND_STARTTLS_STRIPPED) >= 50);
	play_fini(&p);
}

TEST(login_although_disabled)
{
	struct play p;

	play_init(&p);
	clear_session(
	    &p, PROTO_IMAP, 143, "IMAP4rev1\nSTARTTLS\nLOGINDISABLED");
	CHECK(play_conf(&p, FIND_STARTTLS_IGNORED) >= 85);
	p.n = 0;
	clear_session(&p, PROTO_IMAP, 143, "IMAP4rev1\nSTARTTLS");
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

TEST(masked_words)
{
	static const struct {
		enum proto proto;
		const char *words;
		int min, max;
	} t[] = {
	    {PROTO_SMTP, "SIZE\nXXXXXXXA", 85, 100},
	    {PROTO_SMTP, "SIZE\nXXXXXXXX", 85, 100},
	    {PROTO_SMTP, "SIZE\nXXXXXXXXXXXXXX", 50, 84},
	    {PROTO_SMTP, "SIZE\nSTARTTLX", 85, 100},
	    {PROTO_SMTP, "SIZE\nSSTARTTL", 85, 100},
	    {PROTO_POP3, "TOP\nXXXX", 85, 100},
	    {PROTO_POP3, "TOP\nSTLX", 85, 100},
	    {PROTO_IMAP, "IMAP4rev1\nXXXXXXXX", 85, 100},
	    /* twins */
	    {PROTO_SMTP, "STARTTLS\nXXXXXXXB", 0, 0},
	    {PROTO_SMTP, "starttls\nSIZE", 0, 0},
	    {PROTO_SMTP, "SIZE\nX-EXPS GSSAPI\nXFORWARD NAME\nXCLIENT", 0, 0},
	    {PROTO_SMTP, "SIZE\nXVERP\nXEXCH50\nX-ANONYMOUSTLS", 0, 0},
	    {PROTO_POP3, "SASL PLAIN\nSTAT\nTOP", 0, 0},
	    {PROTO_SMTP, "", 0, 0},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct play p;
		int got;

		play_init(&p);
		play_open(&p, t[i].proto, 25);
		play_list(&p, play_source(&p), t[i].words);
		got = play_conf(&p, FIND_STARTTLS_MANGLED);
		if (got < t[i].min || got > t[i].max)
			TEST_FAIL("%s: %d", t[i].words, got);
		play_fini(&p);
	}
}

TEST(masked_hides_stripped_and_leads_to_fallback)
{
	struct play p;

	play_init(&p);
	play_lesson(&p, PROTO_SMTP, 25);
	clear_session(&p, PROTO_SMTP, 25, "SIZE\nXXXXXXXX");
	CHECK(play_conf(&p, FIND_STARTTLS_MANGLED) >= 85);
	CHECK_INT(play_conf(&p, FIND_STARTTLS_STRIPPED), 0);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) >= 50);
	play_fini(&p);
}

TEST(masked_greeting)
{
	static const struct {
		const char *text, *words;
		bool fires;
	} t[] = {
	    {"220 *****************************2******0*********", "SIZE",
		true},
	    {"220 ************ 2002 **************************", "SIZE", true},
	    {"220 ********************", "STARTTLS\nSIZE", false},
	    {"220 mx.test", "SIZE", false},
	    {"220 ****** no unauthorised use ******", "SIZE", false},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct play p;

		play_init(&p);
		play_open(&p, PROTO_SMTP, 25);
		play_greeting(&p, GREETING_OK, t[i].text);
		play_list(&p, CAPS_EHLO, t[i].words);
		if ((play_conf(&p, FIND_STARTTLS_MANGLED) > 0) != t[i].fires)
			TEST_FAIL("%s", t[i].text);
		play_fini(&p);
	}
}

static void
odd_verb(struct play *p, const char *verb)
{
	struct obs o = play_obs(p, OBS_VERB_UNKNOWN, DIR_S2C, "502 what");

	o.u.answer.kind = ANSWER_PERMFAIL;
	o.u.answer.code = 502;
	(void)snprintf(o.u.answer.verb, sizeof(o.u.answer.verb), "%s", verb);
	judge_obs(p->j, &o);
}

TEST(masked_command)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 25);
	play_list(&p, CAPS_EHLO, "STARTTLS\nSIZE");
	odd_verb(&p, "XXXXXXXX");
	CHECK(play_conf(&p, FIND_STARTTLS_MANGLED) >= 85);
	play_mail(&p);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) >= 50);
	play_fini(&p);
}

TEST(a_slip_of_the_fingers_is_silent)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 25);
	play_list(&p, CAPS_EHLO, "STARTTLS\nSIZE");
	odd_verb(&p, "STARTLS");
	odd_verb(&p, "HALP");
	play_ask_tls(&p);
	play_answer(&p, ANSWER_POSITIVE, 220);
	play_established(&p);
	play_end(&p, END_FIN, DIR_C2S);
	CHECK_INT(p.n, 0);
	/* and its twin, where plaintext follows instead */
	play_open(&p, PROTO_SMTP, 25);
	play_list(&p, CAPS_EHLO, "STARTTLS\nSIZE");
	odd_verb(&p, "STARTTLX");
	play_mail(&p);
	CHECK(play_conf(&p, FIND_STARTTLS_MANGLED) >= 50);
	play_fini(&p);
}

TEST(an_unknown_verb_without_an_offer_is_silent)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 25);
	play_list(&p, CAPS_EHLO, "SIZE");
	odd_verb(&p, "XXX");
	odd_verb(&p, "STARTLS");
	play_mail(&p);
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

static void
demanded(struct play *p)
{
	struct obs o = play_obs(
	    p, OBS_TLS_DEMANDED, DIR_S2C, "530 Must issue STARTTLS first");

	o.u.answer.code = 530;
	judge_obs(p->j, &o);
}

TEST(a_server_contradicts_its_own_list)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 25);
	play_list(&p, CAPS_EHLO, "SIZE");
	demanded(&p);
	CHECK(play_conf(&p, FIND_STARTTLS_STRIPPED) >= 85);
	p.n = 0;
	play_open(&p, PROTO_SMTP, 25);
	play_list(&p, CAPS_HELO, "");
	demanded(&p);
	play_open(&p, PROTO_SMTP, 25);
	play_list(&p, CAPS_EHLO, "STARTTLS");
	demanded(&p);
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

TEST(unlike_machines_behind_one_address_lower_it)
{
	struct play p;

	play_init(&p);
	for (int i = 0; i < 3; i++) {
		clear_session(&p, PROTO_SMTP, 25, "SIZE");
		play_quit(&p);
		play_end(&p, END_FIN, DIR_C2S);
		p.client++;
	}
	play_lesson(&p, PROTO_SMTP, 25);
	clear_session(&p, PROTO_SMTP, 25, "SIZE");
	CHECK(play_conf(&p, FIND_STARTTLS_STRIPPED) < 50);
	play_fini(&p);
}

TEST_MAIN
