/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The round: flows, ladder, learning, bounds, order. */
#include "tests/unit/play.h"

#include "rules/ladder.h"
#include "rules/pair.h"
#include "tests/test.h"

static const struct server_facts *
known(struct play *p, enum proto proto, uint16_t port, bool implicit)
{
	struct server_key k;

	memset(&k, 0, sizeof(k));
	play_addr(&k.addr, 2, p->server);
	k.port = port;
	k.proto = (uint8_t)proto;
	k.implicit_tls = implicit;
	return history_server(p->h, &k, p->now);
}

TEST(a_lesson_is_counted)
{
	struct play p;
	const struct server_facts *s;

	play_init(&p);
	play_lesson(&p, PROTO_SMTP, 25);
	p.now += 2 * DAY;
	play_lesson(&p, PROTO_SMTP, 25);
	s = known(&p, PROTO_SMTP, 25, false);
	CHECK(s != NULL);
	if (s != NULL) {
		CHECK_INT(s->sessions, 2);
		CHECK_INT(s->days, 2);
		CHECK_INT(s->offered, 2);
		CHECK_INT(s->offered_days, 2);
		CHECK_INT(s->tls_done, 2);
		CHECK_INT(s->ehlo_ok, 2);
		CHECK_INT(s->tls_versions, 1 << 4);
		CHECK_STR(s->words, "IMAP4rev1\nSTARTTLS\nSIZE");
	}
	CHECK(known(&p, PROTO_SMTP, 26, false) == NULL);
	CHECK_INT(p.n, 0);
	play_fini(&p);
}

/* The next connection may be under attack before this one is closed. */
TEST(a_lesson_is_learned_when_the_rest_is_encrypted)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 25);
	play_greeting(&p, GREETING_OK, "220 mx");
	play_list(&p, CAPS_EHLO, "STARTTLS");
	play_ask_tls(&p);
	play_answer(&p, ANSWER_POSITIVE, 220);
	CHECK(known(&p, PROTO_SMTP, 25, false) == NULL);
	play_established(&p);
	CHECK(known(&p, PROTO_SMTP, 25, false) != NULL);
	CHECK_INT(judge_counters(p.j)->taught, 1);
	play_end(&p, END_FIN, DIR_C2S);
	CHECK_INT(judge_counters(p.j)->taught, 1);
	play_fini(&p);
}

TEST(implicit_tls_teaches_tls_only)
{
	struct play p;
	const struct server_facts *s;

	play_init(&p);
	play_open(&p, PROTO_IMAP, 993);
	play_established(&p);
	s = known(&p, PROTO_IMAP, 993, true);
	CHECK(s != NULL && s->tls_done == 1 && s->offered == 0);
	play_fini(&p);
}

TEST(a_flow_with_holes_does_not_teach)
{
	struct play p;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 25);
	p.vis = VIS_GAP_S2C;
	play_greeting(&p, GREETING_OK, "220 mx");
	play_list(&p, CAPS_EHLO, "SIZE");
	play_quit(&p);
	play_end(&p, END_FIN, DIR_C2S);
	CHECK(known(&p, PROTO_SMTP, 25, false) == NULL);
	CHECK_INT(judge_counters(p.j)->not_taught_partial, 1);
	play_fini(&p);
}

TEST(the_ladder_marks_the_wrong_packet)
{
	struct play p;
	const struct alert *a;
	unsigned wrong = 0;

	play_init(&p);
	play_lesson(&p, PROTO_SMTP, 25);
	play_open(&p, PROTO_SMTP, 25);
	play_greeting(&p, GREETING_OK, "220 mx.test ESMTP");
	play_list(&p, CAPS_EHLO, "SIZE\nXXXXXXXX");
	a = play_last(&p, FIND_STARTTLS_MANGLED);
	CHECK(a != NULL);
	if (a != NULL) {
		CHECK_INT(a->nsteps, 3);
		CHECK_STR(a->steps[0].text, "220 mx.test ESMTP");
		CHECK_STR(a->steps[1].text, "EHLO client.test");
		CHECK_STR(a->steps[2].text, "250 … SIZE XXXXXXXX");
		for (unsigned i = 0; i < a->nsteps; i++)
			wrong += a->steps[i].mark == STEP_WRONG;
		CHECK_INT(wrong, 1);
		CHECK_INT(a->steps[2].mark, STEP_WRONG);
		CHECK_INT(a->flow.server_port, 25);
	}
	play_fini(&p);
}

TEST(a_long_ladder_keeps_both_ends)
{
	struct play p;
	const struct alert *a;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 587);
	play_greeting(&p, GREETING_OK, "220 first");
	for (int i = 0; i < 50; i++)
		play_use(&p, i == 49 ? "LAST" : "MAIL", true);
	play_auth(&p, MECH_PLAIN, "alice", true);
	a = play_last(&p, FIND_PLAINTEXT_CREDENTIALS);
	CHECK(a != NULL);
	if (a != NULL) {
		CHECK_INT(a->nsteps, LADDER_STEPS);
		CHECK_STR(a->steps[0].text, "220 first");
		CHECK_STR(a->steps[LADDER_STEPS - 2].text, "LAST");
		CHECK(strstr(a->steps[LADDER_STEPS - 1].text, "alice") != NULL);
		CHECK((a->steps[LADDER_FIRST].mark & STEP_SKIPPED) != 0);
		for (unsigned i = 1; i < a->nsteps; i++)
			CHECK(a->steps[i - 1].time <= a->steps[i].time);
	}
	play_fini(&p);
}

TEST(a_packet_that_is_no_step_is_put_in_its_place)
{
	struct ladder l;
	struct blocks b;
	struct alert a;
	struct obs o;

	blocks_init(&b);
	memset(&l, 0, sizeof(l));
	memset(&a, 0, sizeof(a));
	memset(&o, 0, sizeof(o));
	for (int i = 0; i < 30; i++) {
		obs_init(&o, OBS_QUIT);
		o.time = 10 * i;
		o.pkt.ordinal = (uint64_t)i + 1;
		(void)snprintf(o.text, sizeof(o.text), "step %d", i);
		ladder_add(&l, &b, &o);
	}
	a.finding.id = FIND_RST_INJECTED;
	a.finding.time = 285;
	a.finding.pkt.ordinal = 99;
	ladder_fill(&l, &a);
	CHECK_INT(a.nsteps, LADDER_STEPS);
	CHECK_INT(a.steps[LADDER_STEPS - 2].mark, STEP_WRONG);
	CHECK_STR(a.steps[LADDER_STEPS - 3].text, "step 28");
	CHECK_STR(a.steps[LADDER_STEPS - 1].text, "step 29");
	a.finding.time = 45;
	ladder_fill(&l, &a);
	CHECK_INT(a.steps[5].mark, STEP_WRONG);
	CHECK_STR(a.steps[4].text, "step 4");
	ladder_fini(&l, &b);
	blocks_fini(&b);
}

TEST(the_ladder_goes_on_in_another_connection)
{
	const struct alert *a;
	struct play p;
	unsigned other = 0;

	play_init(&p);
	play_open(&p, PROTO_SMTP, 25);
	play_list(&p, CAPS_EHLO, "STARTTLS");
	play_ask_tls(&p);
	play_answer(&p, ANSWER_POSITIVE, 220);
	play_hello(&p);
	play_alert(&p, DIR_S2C, 80);
	play_end(&p, END_FIN, DIR_S2C);
	play_open(&p, PROTO_SMTP, 25);
	play_list(&p, CAPS_EHLO, "STARTTLS");
	play_mail(&p);
	a = play_last(&p, FIND_PLAINTEXT_FALLBACK);
	CHECK(a != NULL);
	for (unsigned i = 0; a != NULL && i < a->nsteps; i++) {
		if ((a->steps[i].mark & STEP_OTHER_FLOW) == 0)
			continue;
		other++;
		CHECK_INT(a->steps[i].client_port, 40001);
	}
	CHECK_INT(other, PAIR_STEPS);
	play_fini(&p);
}

TEST(flows_are_bounded)
{
	struct judge_config cfg;
	struct play p;
	struct judge *old;

	play_init(&p);
	old = p.j;
	memset(&cfg, 0, sizeof(cfg));
	cfg.rules = p.rules;
	cfg.history = p.h;
	cfg.max_flows = 16;
	p.j = judge_new(&cfg);
	for (int i = 0; i < 100; i++)
		play_open(&p, PROTO_SMTP, 25);
	CHECK_INT(judge_counters(p.j)->evicted, 84);
	p.flow = 1; /* long gone */
	play_mail(&p);
	judge_flush(p.j);
	judge_flush(p.j);
	judge_free(p.j);
	p.j = old;
	play_fini(&p);
}

TEST(without_a_rule_a_finding_is_counted)
{
	struct judge_config cfg;
	struct play p;

	play_init(&p);
	judge_free(p.j);
	memset(&cfg, 0, sizeof(cfg));
	p.j = judge_new(&cfg); /* no rules, no history, no sink */
	play_open(&p, PROTO_SMTP, 587);
	play_auth(&p, MECH_PLAIN, "alice", true);
	CHECK_INT(judge_counters(p.j)->findings, 1);
	CHECK_INT(judge_counters(p.j)->unmatched, 1);
	CHECK_INT(judge_counters(p.j)->alerts, 0);
	play_fini(&p);
}

TEST(the_same_input_gives_the_same_alerts)
{
	struct play p[2];

	for (int k = 0; k < 2; k++) {
		play_init(&p[k]);
		play_lesson(&p[k], PROTO_SMTP, 25);
		play_open(&p[k], PROTO_SMTP, 25);
		play_list(&p[k], CAPS_EHLO, "SIZE");
		play_auth(&p[k], MECH_PLAIN, "alice", true);
		play_mail(&p[k]);
	}
	CHECK(p[0].n > 2);
	CHECK_INT(p[0].n, p[1].n);
	CHECK(memcmp(p[0].alerts, p[1].alerts, sizeof(p[0].alerts)) == 0);
	play_fini(&p[0]);
	play_fini(&p[1]);
}

TEST(pairs_are_bounded_and_forget)
{
	struct pairs *q = pairs_new(4);
	struct pair_event e;
	struct obs_flow who;
	const struct pair_recent *r;

	memset(&who, 0, sizeof(who));
	memset(&e, 0, sizeof(e));
	for (unsigned i = 0; i < 20; i++) {
		who.client.b[0] = (uint8_t)i;
		e.flow = i;
		e.time = (int64_t)i + 1;
		pairs_note_event(q, &who, &e);
	}
	CHECK_INT(pairs_evicted(q), 16);
	for (unsigned i = 0; i < 20; i++) {
		e.flow = 100 + i;
		pairs_note_event(q, &who, &e);
		pairs_note_event(q, &who, &e); /* once is enough */
	}
	r = pairs_recent(q, &who, 100);
	CHECK(r != NULL && r->nevents == PAIR_EVENTS);
	CHECK(r != NULL && r->events[PAIR_EVENTS - 1].flow == 119);
	CHECK(pairs_recent(q, &who, 21 + PAIR_WINDOW) == NULL);
	CHECK(pairs_recent(q, &who, 100) == NULL);
	pairs_free(q);
}

TEST_MAIN
