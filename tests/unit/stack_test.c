/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * D14: how a server answers in TLS 1.3, learned from flows as a judge would
 * see them end, and what is said of the one that is unlike the others.
 */
#include "rules/detect.h"
#include "rules/learn.h"
#include "rules/stacks.h"

#include "tests/test.h"

#define T0 (INT64_C(1795320000) * 1000000000)
#define MINUTE (60 * INT64_C(1000000000))

struct look { /* of a session; zero: the usual one */
	const char *ja4, *ja3s;
	uint32_t flight, syn;
	uint8_t ttl, client;
};

static struct history *h;
static struct facts f;
static struct facts_rare rare;
static struct facts_tls tls;
static struct detect_ctx c;
static struct detect_past past;
static int64_t now;

static void
begin(void)
{
	history_free(h);
	h = history_new();
	now = T0;
}

static void
session(const struct look *l)
{
	facts_init(&f);
	rare = *f.rare;
	f.rare = &rare;
	tls = (struct facts_tls){.known = 1, .sni = ""};
	f.tls = &tls;
	now += MINUTE;
	f.proto = PROTO_IMAP;
	f.implicit_tls = 1;
	f.who.server_port = 993;
	f.who.server.b[15] = 1;
	f.who.client.b[15] = l->client != 0 ? l->client : 10;
	tls.client_hello.time = tls.server_hello.time = now;
	tls.done.time = now;
	tls.version = 0x0304;
	tls.flight = l->flight != 0 ? l->flight : 2800;
	snprintf(tls.ja4, sizeof(tls.ja4), "%s",
	    l->ja4 != NULL ? l->ja4 : "t13d1516h2_8daaf6152771_b186095e22b6");
	snprintf(tls.ja3s, sizeof(tls.ja3s), "%s",
	    l->ja3s != NULL ? l->ja3s : "15af977ce25de452b96affa2addb1036");
	f.syn_signature[DIR_S2C] = l->syn != 0 ? l->syn : 777;
	f.server_ttl = l->ttl != 0 ? l->ttl : 57;
}

/* Judges the session at its end, then learns it. Returns the confidence. */
static int
judge(void)
{
	struct server_key k;
	struct obs o;
	const struct finding *n;

	memset(&c, 0, sizeof(c));
	obs_init(&o, OBS_FLOW_END);
	o.time = now;
	c.o = &o;
	c.f = &f;
	learn_server_key(&k, &f);
	past.server = history_server(h, &k, now);
	c.past = &past;
	detect_stack(&o, &f, &c);
	n = detect_got(&c, FIND_TLS_FINGERPRINT_CHANGED);
	if (n != NULL) {
		f.raised |= UINT64_C(1) << FIND_TLS_FINGERPRINT_CHANGED;
		rare.confidence[FIND_TLS_FINGERPRINT_CHANGED] = n->confidence;
	}
	(void)learn_flow(h, &f, now);
	stack_learn(h, &f, now);
	return n != NULL ? n->confidence : 0;
}

static int
play(const struct look *l)
{
	session(l);
	return judge();
}

static void
usual(unsigned n)
{
	while (n-- > 0)
		CHECK_INT(play(&(struct look){0}), 0);
}

static bool
is_quiet(void)
{
	const struct finding *n = detect_got(&c, FIND_TLS_FINGERPRINT_CHANGED);

	return n != NULL && n->quiet;
}

static const struct look other = {.ja3s = "907bf3ecef1c987c889946b737b43de8",
    .flight = 1400,
    .syn = 888,
    .ttl = 60};

TEST(grows_with_what_is_known)
{
	static const struct {
		unsigned sessions;
		int confidence;
	} t[] = {
	    {0, 0}, {1, 45}, {2, 45}, {3, 55}, {9, 55}, {10, 60}, {50, 60}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		begin();
		usual(t[i].sessions);
		CHECK_INT(play(&other), t[i].confidence);
	}
}

/* Each alone and each two of the three: silence. */
TEST(all_three_or_nothing)
{
	for (unsigned which = 0; which < 8; which++) {
		struct look l = {
		    .ja3s = which & 1 ? other.ja3s : NULL,
		    .flight = which & 2 ? other.flight : 0,
		    .syn = which & 4 ? other.syn : 0,
		};

		begin();
		usual(12);
		CHECK_INT(play(&l), which == 7 ? 60 : 0);
	}
}

TEST(what_counts_as_the_same)
{
	struct look l = other;

	begin();
	usual(12);
	l.flight = 2800 + 30; /* another signature, a fresh staple */
	CHECK_INT(play(&l), 0);
	begin();
	usual(12);
	l = other;
	l.syn = 0;
	l.ttl = 54; /* another route */
	CHECK_INT(play(&l), 0);
	l.ttl = 40; /* from elsewhere */
	begin();
	usual(12);
	CHECK_INT(play(&l), 60);
	l.ttl = 121; /* of another family */
	begin();
	usual(12);
	CHECK_INT(play(&l), 60);
}

TEST(what_cannot_be_compared)
{
	begin();
	usual(12);
	session(&other);
	tls.resumed = 1;
	CHECK_INT(judge(), 0);
	session(&other);
	tls.version = 0x0303;
	CHECK_INT(judge(), 0);
	session(&other);
	tls.flight = 0; /* a hole, or early data */
	CHECK_INT(judge(), 0);
	session(&other);
	f.syn_signature[DIR_S2C] = 0; /* met in mid-stream */
	CHECK_INT(judge(), 0);
	session(&other);
	f.vis = VIS_GAP_S2C;
	CHECK_INT(judge(), 0);
	session(&other);
	tls.done.time = 0;
	CHECK_INT(judge(), 0);
	session(&other);
	snprintf(tls.ja4, sizeof(tls.ja4), "t13d_another_client");
	CHECK_INT(judge(), 0);
}

TEST(told_once_and_learned_from_several_clients)
{
	struct look l = other;

	begin();
	usual(12);
	CHECK_INT(play(&l), 60);
	CHECK(!is_quiet());
	CHECK_INT(play(&l), 60); /* the same client */
	CHECK(is_quiet());
	l.client = 11;
	CHECK_INT(play(&l), 60);
	CHECK(is_quiet());
	l.client = 12;
	(void)play(&l); /* the third client */
	CHECK_INT(play(&l), 0);
	CHECK_INT(play(&other), 0);
	usual(1); /* what was before is not forgotten */
}

/* Somebody sees the old one in between: not for everybody, not learned, and
 * worth a second alert. */
TEST(selective)
{
	struct look l = other;

	begin();
	usual(12);
	CHECK_INT(play(&l), 60);
	CHECK_INT(play(&(struct look){.client = 20}), 0);
	CHECK_INT(play(&l), 75);
	CHECK(!is_quiet());
	CHECK((detect_got(&c, FIND_TLS_FINGERPRINT_CHANGED)->tags &
		  EVT_SELECTIVE) != 0);
	for (uint8_t i = 0; i < 5; i++) {
		l.client = (uint8_t)(30 + i);
		CHECK_INT(play(&l), 75);
		CHECK(is_quiet());
	}
}

TEST(a_ticket_that_is_not_taken)
{
	begin();
	usual(12);
	for (unsigned i = 0; i < 3; i++) {
		session(&(struct look){0});
		tls.brought_ticket = tls.resumed = 1;
		CHECK_INT(judge(), 0);
	}
	session(&other);
	tls.brought_ticket = 1;
	CHECK_INT(judge(), 65);
	/* a server that never takes any */
	begin();
	usual(12);
	session(&(struct look){0});
	tls.brought_ticket = 1;
	CHECK_INT(judge(), 0);
	session(&other);
	tls.brought_ticket = 1;
	CHECK_INT(judge(), 60);
}

TEST(the_operator_says_that_it_is_meant)
{
	struct server_key k;

	begin();
	usual(12);
	CHECK_INT(play(&other), 60);
	learn_server_key(&k, &f);
	CHECK_INT(history_accept_stacks(history_touch_server(h, &k)), 1);
	CHECK_INT(play(&other), 0);
}

/* Made-up clients do not wash out what is known well. */
TEST(bounded)
{
	char ja4[37];

	begin();
	usual(12);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(ja4, sizeof(ja4), "t13d%04u", i);
		CHECK_INT(play(&(struct look){.ja4 = ja4, .client = 66}), 0);
	}
	CHECK_INT(past.server->nstacks, HISTORY_STACKS);
	CHECK_INT(play(&other), 60);
}

/* An older capture read after a newer one: what was learned later does not
 * answer. */
TEST(not_from_the_future)
{
	begin();
	usual(12);
	now = T0 - 1000 * MINUTE;
	CHECK_INT(play(&other), 0);
}

/* A flow under another suspicion teaches nothing. */
TEST(under_suspicion)
{
	begin();
	usual(12);
	session(&(struct look){.ja3s = other.ja3s, .flight = other.flight});
	f.suspicious = 80;
	stack_learn(h, &f, now);
	CHECK_INT(play(&(struct look){.ja3s = other.ja3s,
		      .syn = other.syn,
		      .ttl = other.ttl,
		      .flight = 5000}),
	    60);
}

TEST_MAIN
