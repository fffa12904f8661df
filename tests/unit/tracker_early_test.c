/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Evidence of a flow that does not show yet that it is mail: kept until it
 * does, in order and with its time; not told of flows that are something else;
 * of fixed size.
 */
#include "sensor/early.h"

#include "tests/unit/scene.h"

#define ODD_PORT 10025

static void
two_answers(uint16_t server_port)
{
	scene_begin(40000, server_port);
	raw(DIR_C2S, TCP_SYN, sc.seq[0]++, "");
	raw(DIR_S2C, TCP_SYN | TCP_ACK, sc.seq[1] + 70000, "");
	raw(DIR_S2C, TCP_SYN | TCP_ACK, sc.seq[1]++, "");
	raw(DIR_C2S, TCP_ACK, sc.seq[0], "");
}

static void
syn_race(uint16_t server_port)
{
	struct packet *p;

	scene_begin(40000, server_port);
	raw(DIR_C2S, TCP_SYN, sc.seq[0]++, "");
	p = raw(DIR_S2C, TCP_RST | TCP_ACK, 0, "");
	p->ttl = 64;
	raw(DIR_S2C, TCP_SYN | TCP_ACK, sc.seq[1]++, "");
	raw(DIR_C2S, TCP_ACK, sc.seq[0], "");
	sc.time += 3000 * MS; /* a slow greeting: the reset is settled first */
}

static bool
in_order(const char *a, const char *b)
{
	const char *p = strstr(text, a);

	return p != NULL && strstr(p, b) != NULL;
}

TEST(what_came_early_is_told_once_it_is_mail)
{
	static const struct {
		void (*begin)(uint16_t port);
		const char *time, *what;
	} cases[] = {
	    {two_answers, "1700000000.003000000", "two-answers s2c smtp syn"},
	    {syn_race, "1700000002.002000000", "rst s2c smtp syn"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cases[i].begin(ODD_PORT);
		say_dialogue();
		close_both();
		with_time = true;
		play();
		with_time = false;
		CHECK(strncmp(text, cases[i].time, 20) == 0);
		CHECK(in_order(cases[i].time, "flow-open"));
		CHECK(in_order(cases[i].time, cases[i].what));
		CHECK(in_order("flow-open", cases[i].what));
		CHECK(in_order(cases[i].what, "greeting"));
		CHECK_INT(seen.early_told, 1);
		CHECK_INT(seen.early_dropped, 0);
	}
}

TEST(on_a_mail_port_nothing_waits)
{
	two_answers(25);
	play();
	CHECK_INT(count("two-answers"), 1);
	CHECK_INT(seen.early_told, 0);
}

TEST(what_is_not_mail_takes_its_evidence_along)
{
	static const char *const first[] = {
	    "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01", ""};

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		two_answers(ODD_PORT);
		say(DIR_C2S, first[i]);
		play();
		CHECK_STR(text, "");
		CHECK_INT(seen.early_told, 0);
		CHECK_INT(seen.early_dropped, 1);
	}
}

TEST(a_220_of_ftp_is_not_mail)
{
	two_answers(ODD_PORT);
	say(DIR_S2C, "220 ftp.example\r\n");
	say(DIR_C2S, "USER anonymous\r\n");
	say(DIR_S2C, "331 Password required\r\n");
	close_both();
	play();
	CHECK_STR(text, "");
	CHECK_INT(seen.early_dropped, 1);
}

/* One flow after the other gets two answers, and none says anything. */
static void
so_many(unsigned flows, unsigned workers)
{
	struct runner r = small();

	r.cfg.max_flows = 4 * EARLY_FLOWS;
	r.cfg.workers = workers;
	runner_begin(&r, REASSEMBLY_ON_DEMAND);
	for (uint16_t i = 0; i < flows + 2; i++) {
		two_answers(ODD_PORT);
		for (size_t k = 0; k < sc.n; k++) {
			struct packet *p = &sc.pkt[k];

			*(p->sport == ODD_PORT ? &p->dport : &p->sport) += i;
			feed(&r, p);
		}
	}
	runner_end(&r);
	CHECK_STR(text, "");
	CHECK_INT(seen.early_full, 2);
	CHECK_INT(seen.early_dropped, flows);
}

TEST(so_many_flows_and_no_more)
{
	so_many(EARLY_FLOWS, 0);
	so_many(EARLY_FLOWS / 4, 4); /* a worker's share */
	so_many(EARLY_LEAST, 64);
}

TEST(so_many_of_a_flow_in_their_order)
{
	struct pool *p = early_pool(1);
	struct early *e = NULL;
	struct obs o, got;

	obs_init(&o, OBS_CONFLICT);
	for (int i = 0; i < EARLY_OBS; i++) {
		o.time = i;
		CHECK(early_keep(p, &e, &o));
	}
	CHECK(!early_keep(p, &e, &o));
	CHECK_INT(early_count(e), EARLY_OBS);
	for (unsigned i = 0; i < EARLY_OBS; i++) {
		early_get(e, i, &got);
		CHECK_INT(got.time, i);
		CHECK_INT(got.kind, OBS_CONFLICT);
	}
	pool_put(p, e);
	e = NULL;
	obs_init(&o, OBS_CAPS); /* larger than TCP evidence is */
	CHECK(!early_keep(p, &e, &o));
	CHECK(e == NULL);
	pool_free(p);
}

TEST_MAIN
