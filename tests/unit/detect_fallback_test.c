/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A7-A10, A15-A18, C9, C10: refusal, abort, fallback, and their twins. */
#include "rules/ladder.h"
#include "tests/unit/play.h"

#include "tests/test.h"

static void
offered(struct play *p, enum proto proto, uint16_t port)
{
	char words[64];

	play_open(p, proto, port);
	play_greeting(p, GREETING_OK, "220 mx.test ESMTP");
	(void)snprintf(words, sizeof(words), "IMAP4rev1\n%s", play_verb(p));
	play_list(p, play_source(p), words);
}

static void
refused(struct play *p, enum answer_kind kind, uint16_t code)
{
	offered(p, PROTO_SMTP, 25);
	play_ask_tls(p);
	play_answer(p, kind, code);
}

static void
broken(struct play *p)
{
	offered(p, PROTO_SMTP, 25);
	play_ask_tls(p);
	play_answer(p, ANSWER_POSITIVE, 220);
	play_hello(p);
}

TEST(refused_and_then_mail)
{
	struct play p;

	play_init(&p);
	refused(&p, ANSWER_TEMPFAIL, 454);
	CHECK_INT(p.n, 0);
	play_mail(&p);
	CHECK(play_conf(&p, FIND_STARTTLS_REFUSED) >= 50);
	CHECK(play_conf(&p, FIND_STARTTLS_REFUSED) < 85);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) >= 50);
	play_fini(&p);
	play_init(&p);
	for (int i = 0; i < 12; i++)
		play_lesson(&p, PROTO_SMTP, 25);
	refused(&p, ANSWER_PERMFAIL, 502);
	play_mail(&p);
	CHECK(play_conf(&p, FIND_STARTTLS_REFUSED) >= 85);
	play_fini(&p);
}

TEST(refused_and_then_tls_later)
{
	struct play p;

	play_init(&p);
	refused(&p, ANSWER_TEMPFAIL, 454);
	play_quit(&p);
	play_end(&p, END_FIN, DIR_C2S);
	p.now += 5 * SECOND;
	play_lesson(&p, PROTO_SMTP, 25);
	p.now += SECOND;
	offered(&p, PROTO_SMTP, 25);
	play_mail(&p);
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

TEST(refused_and_the_next_connection_in_clear)
{
	struct play p;

	play_init(&p);
	refused(&p, ANSWER_TEMPFAIL, 454);
	play_quit(&p);
	play_end(&p, END_FIN, DIR_C2S);
	p.now += 5 * SECOND;
	offered(&p, PROTO_SMTP, 25);
	play_mail(&p);
	CHECK(play_conf(&p, FIND_STARTTLS_REFUSED) >= 50);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) >= 50);
	p.n = 0;
	offered(&p, PROTO_SMTP, 25);
	play_mail(&p);
	CHECK_INT(play_times(&p, FIND_PLAINTEXT_FALLBACK), 0);
	play_fini(&p);
}

TEST(after_five_minutes_it_is_another_story)
{
	struct play p;

	play_init(&p);
	refused(&p, ANSWER_TEMPFAIL, 454);
	play_end(&p, END_FIN, DIR_C2S);
	p.now += 301 * SECOND;
	offered(&p, PROTO_SMTP, 25);
	play_mail(&p);
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

TEST(an_answer_no_standard_knows)
{
	struct play p;

	play_init(&p);
	refused(&p, ANSWER_INVALID, 250);
	CHECK(play_conf(&p, FIND_STARTTLS_REFUSED) >= 85);
	CHECK((play_last(&p, FIND_STARTTLS_REFUSED)->finding.tags &
		  EVT_INVALID_REPLY) != 0);
	play_fini(&p);
}

TEST(refused_on_imap_and_pop3)
{
	struct play p;

	play_init(&p);
	offered(&p, PROTO_IMAP, 143);
	play_ask_tls(&p);
	play_answer(&p, ANSWER_PERMFAIL, 0);
	play_auth(&p, MECH_IMAP_LOGIN, "user", true);
	CHECK(play_conf(&p, FIND_STARTTLS_REFUSED) >= 50);
	CHECK(play_conf(&p, FIND_PLAINTEXT_CREDENTIALS) >= 85);
	CHECK((play_last(&p, FIND_PLAINTEXT_CREDENTIALS)->finding.tags &
		  EVT_AFTER_ATTACK) != 0);
	p.n = 0;
	offered(&p, PROTO_POP3, 110);
	play_ask_tls(&p);
	play_answer(&p, ANSWER_PERMFAIL, 0);
	play_quit(&p);
	play_end(&p, END_FIN, DIR_C2S);
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

TEST(aborted_by_alert_then_plaintext)
{
	struct play p;

	play_init(&p);
	broken(&p);
	play_alert(&p, DIR_S2C, 80);
	CHECK(play_conf(&p, FIND_TLS_ABORTED_AFTER_STARTTLS) >= 50);
	play_end(&p, END_FIN, DIR_S2C);
	CHECK_INT(play_times(&p, FIND_TLS_ABORTED_AFTER_STARTTLS), 1);
	offered(&p, PROTO_SMTP, 25);
	play_mail(&p);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) >= 50);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) < 85);
	play_fini(&p);
}

/* Old clients and new servers, scanners: common, and no attack. */
TEST(sides_that_do_not_fit_and_scanners_make_it_low)
{
	struct play p;

	play_init(&p);
	broken(&p);
	play_alert(&p, DIR_S2C, 70);
	CHECK(play_conf(&p, FIND_TLS_ABORTED_AFTER_STARTTLS) < 50);
	p.server++;
	broken(&p);
	play_end(&p, END_FIN, DIR_C2S);
	CHECK(play_conf(&p, FIND_TLS_ABORTED_AFTER_STARTTLS) < 50);
	p.server++;
	play_lesson(&p, PROTO_SMTP, 25);
	broken(&p);
	play_alert(&p, DIR_S2C, 70);
	CHECK(play_conf(&p, FIND_TLS_ABORTED_AFTER_STARTTLS) >= 50);
	play_fini(&p);
}

TEST(aborted_by_a_forged_reset_is_high)
{
	struct play p;

	play_init(&p);
	broken(&p);
	play_rst(&p, DIR_S2C, RST_DATA_AFTER);
	CHECK(play_conf(&p, FIND_RST_INJECTED) >= 85);
	play_end(&p, END_RST, DIR_S2C);
	CHECK(play_conf(&p, FIND_TLS_ABORTED_AFTER_STARTTLS) >= 85);
	offered(&p, PROTO_SMTP, 25);
	play_mail(&p);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) >= 85);
	play_fini(&p);
}

/* The reset is settled after the plaintext connection is over. */
TEST(found_out_later)
{
	struct play p;
	uint64_t old;

	play_init(&p);
	broken(&p);
	old = p.flow;
	offered(&p, PROTO_SMTP, 25);
	play_mail(&p);
	play_end(&p, END_FIN, DIR_C2S);
	CHECK_INT(p.n, 0);
	p.flow = old;
	p.phase = PHASE_TLS_HELLO;
	{
		struct obs o = play_obs(&p, OBS_FLOW_END, DIR_C2S, "");

		o.u.end.how = END_RST;
		o.u.end.closed_by = DIR_S2C;
		o.u.end.last = PLAY_START + 6 * PLAY_TICK;
		judge_obs(p.j, &o);
	}
	CHECK(play_conf(&p, FIND_TLS_ABORTED_AFTER_STARTTLS) >= 50);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) >= 50);
	play_fini(&p);
}

TEST(two_programs_of_one_host_at_a_time)
{
	struct play p;
	uint64_t clear_flow;

	play_init(&p);
	offered(&p, PROTO_SMTP, 25);
	clear_flow = p.flow;
	broken(&p);
	play_alert(&p, DIR_S2C, 40);
	play_end(&p, END_FIN, DIR_S2C);
	p.flow = clear_flow;
	p.phase = PHASE_TEXT;
	play_mail(&p);
	CHECK_INT(play_conf(&p, FIND_PLAINTEXT_FALLBACK), 0);
	play_fini(&p);
}

TEST(a_probe_is_silent)
{
	struct play p;

	play_init(&p);
	offered(&p, PROTO_SMTP, 25);
	play_ask_tls(&p);
	play_answer(&p, ANSWER_POSITIVE, 220);
	play_end(&p, END_FIN, DIR_C2S);
	play_lesson(&p, PROTO_SMTP, 25);
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

/* Behind the attacker: the proxy asks, closes, and delivers in clear. */
TEST(a_probe_and_then_plaintext)
{
	struct play p;

	play_init(&p);
	offered(&p, PROTO_SMTP, 25);
	play_ask_tls(&p);
	play_answer(&p, ANSWER_POSITIVE, 220);
	play_end(&p, END_FIN, DIR_C2S);
	offered(&p, PROTO_SMTP, 25);
	play_mail(&p);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) >= 50);
	CHECK_INT(play_conf(&p, FIND_TLS_ABORTED_AFTER_STARTTLS), 0);
	play_fini(&p);
}

TEST(a_client_that_dislikes_the_certificate_is_another_finding)
{
	struct play p;

	play_init(&p);
	broken(&p);
	play_alert(&p, DIR_C2S, 48);
	play_end(&p, END_FIN, DIR_C2S);
	CHECK_INT(play_conf(&p, FIND_TLS_ABORTED_AFTER_STARTTLS), 0);
	play_fini(&p);
}

TEST(the_end_of_the_capture_is_no_abort)
{
	struct play p;

	play_init(&p);
	broken(&p);
	play_end(&p, END_INPUT, DIR_C2S);
	CHECK_INT(p.n, 0);
	broken(&p);
	judge_flush(p.j);
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

TEST(holes_may_hide_the_rest_of_the_handshake)
{
	struct play p;

	play_init(&p);
	broken(&p);
	p.vis = VIS_GAP_S2C;
	play_end(&p, END_FIN, DIR_C2S);
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

TEST(plaintext_after_the_go_ahead)
{
	struct play p;

	play_init(&p);
	offered(&p, PROTO_SMTP, 25);
	play_ask_tls(&p);
	play_answer(&p, ANSWER_POSITIVE, 220);
	play_mail(&p);
	CHECK(play_conf(&p, FIND_TLS_ABORTED_AFTER_STARTTLS) >= 85);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) >= 85);
	play_fini(&p);
}

TEST(implicit_tls_broken_then_another_port)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_IMAP, 993);
	play_hello(&p);
	play_alert(&p, DIR_S2C, 40);
	play_end(&p, END_RST, DIR_S2C);
	CHECK_INT(p.n, 0);
	play_open(&p, PROTO_IMAP, 143);
	play_list(&p, CAPS_UNTAGGED, "IMAP4rev1");
	play_end(&p, END_FIN, DIR_C2S);
	CHECK_INT(p.n, 0); /* account set-up tries ports */
	play_open(&p, PROTO_IMAP, 143);
	play_list(&p, CAPS_UNTAGGED, "IMAP4rev1");
	play_auth(&p, MECH_IMAP_LOGIN, "user", true);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) >= 50);
	play_fini(&p);
}

static void
helo_session(struct play *p, uint16_t code, const char *greeting)
{
	play_open(p, PROTO_SMTP, 25);
	play_greeting(p, GREETING_OK, greeting);
	play_list_refused(p, CAPS_EHLO, code);
	play_list(p, CAPS_HELO, "");
}

TEST(ehlo_refused)
{
	struct play p;

	play_init(&p);
	helo_session(&p, 502, "220 mx ESMTP");
	CHECK(play_conf(&p, FIND_EHLO_REFUSED) >= 50);
	p.n = 0;
	p.server++;
	play_mail(&p); /* TLS was never seen here */
	CHECK_INT(play_conf(&p, FIND_PLAINTEXT_FALLBACK), 0);
	helo_session(&p, 502, "220 mx");
	CHECK(play_conf(&p, FIND_EHLO_REFUSED) < 50);
	p.n = 0;
	p.server++;
	helo_session(&p, 421, "220 mx ESMTP");
	helo_session(&p, 450, "220 mx ESMTP");
	CHECK_INT(p.n, 0);
	for (int i = 0; i < 12; i++)
		play_lesson(&p, PROTO_SMTP, 25);
	helo_session(&p, 502, "220 mx ESMTP");
	CHECK(play_conf(&p, FIND_EHLO_REFUSED) >= 85);
	play_mail(&p);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) >= 50);
	play_fini(&p);
}

TEST(a_server_that_knows_no_ehlo_is_told_of_once)
{
	struct play p;

	play_init(&p);
	for (int i = 0; i < 3; i++) {
		helo_session(&p, 502, "220 mx");
		play_mail(&p);
		play_quit(&p);
		play_end(&p, END_FIN, DIR_C2S);
	}
	CHECK_INT(play_times(&p, FIND_EHLO_REFUSED), 1);
	CHECK_INT(judge_counters(p.j)->taught, 3);
	play_fini(&p);
}

TEST(capability_refused_where_it_was_answered)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_POP3, 110);
	play_list_refused(&p, CAPS_CAPA, 0);
	play_use(&p, "PASS", true);
	CHECK_INT(p.n, 0);
	p.server++;
	play_lesson(&p, PROTO_POP3, 110);
	play_open(&p, PROTO_POP3, 110);
	play_list_refused(&p, CAPS_CAPA, 0);
	play_use(&p, "PASS", true);
	CHECK(play_conf(&p, FIND_CAPABILITY_REFUSED) >= 50);
	play_fini(&p);
}

TEST(old_imap)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_IMAP, 143);
	play_greeting(&p, GREETING_OK, "* OK mx IMAP2 Service");
	CHECK(play_conf(&p, FIND_PROTOCOL_DOWNGRADE) >= 50);
	p.n = 0;
	play_open(&p, PROTO_IMAP, 143);
	play_greeting(&p, GREETING_OK, "* OK mx IMAP4rev1 server");
	play_list(&p, CAPS_UNTAGGED, "IMAP4rev2\nSTARTTLS");
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

/* What the same flow did too long ago does not hide what it does again. */
TEST(refused_again_when_the_first_time_is_stale)
{
	struct play p;

	play_init(&p);
	refused(&p, ANSWER_TEMPFAIL, 454);
	p.now += 400 * SECOND;
	play_ask_tls(&p);
	play_answer(&p, ANSWER_TEMPFAIL, 454);
	p.now += 5 * SECOND;
	offered(&p, PROTO_SMTP, 25);
	play_mail(&p);
	CHECK(play_conf(&p, FIND_STARTTLS_REFUSED) > 0);
	CHECK(play_conf(&p, FIND_PLAINTEXT_FALLBACK) > 0);
	play_fini(&p);
}

/* Nor are its steps told as those of another connection lately. */
TEST(steps_of_long_ago_are_not_told)
{
	struct play p;
	unsigned found = 0;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 25);
	play_greeting(&p, GREETING_OK, "220 mx");
	play_list(&p, CAPS_EHLO, "SIZE");
	play_auth(&p, MECH_PLAIN, "alice", true);
	play_quit(&p);
	play_end(&p, END_FIN, DIR_C2S);
	p.now += 3600 * SECOND;
	refused(&p, ANSWER_INVALID, 250);
	for (unsigned k = 0; k < p.n; k++) {
		const struct alert *a = &p.alerts[k];

		if (a->finding.id != FIND_STARTTLS_REFUSED)
			continue;
		found++;
		for (unsigned i = 0; i < a->nsteps; i++)
			CHECK(p.now - a->steps[i].time < 60 * SECOND);
	}
	CHECK(found > 0);
	play_fini(&p);
}

TEST_MAIN
