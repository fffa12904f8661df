/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Detectors of TLS versions, suites and key exchange, each with its silent
 * twins: a case is a hello and a few facts, as a capture would give them.
 */
#include "decoders/tls_hello.h"
#include "rules/detect.h"

#include "tests/test.h"

static struct obs o;
static struct facts f;
static struct facts_tls tls;
static struct detect_ctx c;
static struct detect_past past;
static struct server_facts history;

static void
observe(enum obs_kind kind, enum dir dir)
{
	obs_init(&o, kind);
	o.dir = dir;
	o.time = INT64_C(1795320000000000000);
	o.pkt.ordinal = 12;
}

static void
begin(uint16_t port)
{
	facts_init(&f);
	tls = (struct facts_tls){.known = 1, .sni = ""};
	f.tls = &tls;
	memset(&c, 0, sizeof(c));
	memset(&history, 0, sizeof(history));
	f.proto = port == 25 ? PROTO_SMTP : PROTO_IMAP;
	f.who.server_port = port;
}

static const struct finding *
found(enum finding_id id)
{
	for (unsigned i = 0; i < c.nout; i++)
		if (c.out[i].id == id && c.out[i].confidence > 0)
			return &c.out[i];
	return NULL;
}

static int
confidence(enum finding_id id)
{
	const struct finding *fi = found(id);

	return fi == NULL ? 0 : fi->confidence;
}

static bool
has_tag(enum finding_id id, uint32_t tag)
{
	const struct finding *fi = found(id);

	return fi != NULL && (fi->tags & tag) != 0;
}

static void
check_silent(void)
{
	for (unsigned i = 0; i < c.nout; i++)
		if (c.out[i].confidence > 0)
			TEST_FAIL("%s (%u): %s",
			    finding_info(c.out[i].id)->name,
			    c.out[i].confidence, c.out[i].evidence[0].text);
}

static void
ask(detect_fn *fn)
{
	c.o = &o;
	c.f = &f;
	c.nout = 0;
	fn(&o, &f, &c);
}

/* ---- versions ---- */

static void
hello(uint16_t offered, bool offers_13, uint16_t chosen, uint8_t sentinel)
{
	begin(143);
	tls.client_hello.time = 1;
	tls.offered = offered;
	tls.offers_13 = offers_13;
	tls.version = chosen;
	tls.sentinel = sentinel;
	observe(OBS_TLS_SERVER_HELLO, DIR_S2C);
	o.u.hello.version = chosen;
	o.u.hello.suite = 0xc02f;
	o.u.hello.sentinel = sentinel;
}

TEST(d11_old_versions)
{
	for (uint16_t version = 0x0300; version <= 0x0304; version++) {
		hello(0x0303, false, version, 0);
		ask(detect_tls);
		CHECK_INT(
		    confidence(FIND_TLS_OLD_VERSION) >= 50, version < 0x0303);
		CHECK(confidence(FIND_TLS_OLD_VERSION) < 85);
	}
	hello(0x0002, false, 0x0002, 0);
	ask(detect_tls);
	CHECK(confidence(FIND_TLS_OLD_VERSION) >= 50);
}

TEST(d11_weak_suites)
{
	const struct {
		uint16_t suite;
		bool weak;
	} t[] = {{0x0005, true}, {0x000a, true}, {0x0004, true}, {0xc012, true},
	    {0x0001, true}, {0xc0b4, true}, {0x0003, true}, {0xc02f, false},
	    {0x002f, false}, {0x1301, false}, {0xcca8, false}, {0x009f, false},
	    {0, true}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		hello(0x0303, false, 0x0303, 0);
		o.u.hello.suite = t[i].suite;
		ask(detect_tls);
		CHECK_INT(confidence(FIND_TLS_WEAK_CIPHER) >= 50, t[i].weak);
	}
}

TEST(d11_anonymous_between_mail_servers)
{
	hello(0x0303, false, 0x0303, 0);
	o.u.hello.suite = 0xc019;
	ask(detect_tls);
	CHECK(confidence(FIND_TLS_WEAK_CIPHER) >= 50);
	f.proto = PROTO_SMTP;
	f.who.server_port = 25;
	ask(detect_tls);
	CHECK(confidence(FIND_TLS_WEAK_CIPHER) > 0);
	CHECK(confidence(FIND_TLS_WEAK_CIPHER) < 50);
	CHECK(has_tag(FIND_TLS_WEAK_CIPHER, EVT_OPPORTUNISTIC));
}

TEST(weak_suites_are_sorted)
{
	unsigned n = 0;

	for (unsigned i = 0; i <= 0xffff; i++) {
		const struct weak_suite *w = weak_suite((uint16_t)i);

		if (w == NULL)
			continue;
		n++;
		CHECK_INT(w->id, i);
		CHECK(tls_grade_suite(&tls_policy_default, w).weight > 0);
	}
	CHECK(n > 100);
}

/* The handshake comes to an end, one way or another. */
static void
end_with(enum obs_kind kind, enum dir dir, uint8_t alert)
{
	observe(kind, dir);
	if (kind == OBS_TLS_ALERT) {
		o.u.alert.level = 2;
		o.u.alert.description = alert;
		tls.alert.time = o.time;
		tls.alert_dir = (uint8_t)dir;
		tls.alert_code = alert;
	} else if (kind == OBS_TLS_DONE)
		tls.done.time = o.time;
	ask(detect_tls);
}

TEST(d12_sentinel_against_an_offer_of_13)
{
	hello(0x0304, true, 0x0303, 1);
	ask(detect_tls);
	check_silent(); /* what the client makes of it is awaited */
	end_with(OBS_TLS_DONE, DIR_S2C, 0);
	CHECK(confidence(FIND_TLS_DOWNGRADE) >= 85);
	CHECK(has_tag(FIND_TLS_DOWNGRADE, EVT_DURING_TLS_HANDSHAKE));
	hello(0x0303, false, 0x0302, 2);
	end_with(OBS_FLOW_END, DIR_C2S, 0);
	CHECK(confidence(FIND_TLS_DOWNGRADE) >= 85);
}

TEST(d12_says_what_the_client_did)
{
	const struct {
		enum obs_kind kind;
		enum dir dir;
		uint8_t alert;
		const char *says;
	} t[] = {
	    {OBS_TLS_DONE, DIR_S2C, 0, "went on all the same"},
	    {OBS_TLS_ALERT, DIR_C2S, 47, "illegal_parameter, as it must"},
	    {OBS_TLS_ALERT, DIR_C2S, 40, "with another alert"},
	    {OBS_TLS_ALERT, DIR_S2C, 40, "the server broke it off"},
	    {OBS_FLOW_END, DIR_C2S, 0, "without a word"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const struct finding *fi;

		hello(0x0304, true, 0x0303, 1);
		end_with(t[i].kind, t[i].dir, t[i].alert);
		fi = found(FIND_TLS_DOWNGRADE);
		CHECK(fi != NULL);
		if (fi == NULL)
			continue;
		CHECK_INT(fi->confidence, 90);
		CHECK(strstr(fi->evidence[fi->nevidence - 1].text, t[i].says) !=
		      NULL);
	}
}

/* No downgrade, at the hello, at the end of the handshake or of the flow. */
static void
ask_to_the_end(void)
{
	struct facts_tls kept = tls;

	ask(detect_tls);
	CHECK(found(FIND_TLS_DOWNGRADE) == NULL);
	end_with(OBS_TLS_DONE, DIR_S2C, 0);
	CHECK(found(FIND_TLS_DOWNGRADE) == NULL);
	tls = kept;
	end_with(OBS_TLS_ALERT, DIR_S2C, 40);
	CHECK(found(FIND_TLS_DOWNGRADE) == NULL);
	tls = kept;
	end_with(OBS_FLOW_END, DIR_C2S, 0);
	CHECK(found(FIND_TLS_DOWNGRADE) == NULL);
}

TEST(d12_silent_twins)
{
	/* the client offered 1.2: every 1.3 server shows it the mark */
	hello(0x0303, false, 0x0303, 1);
	ask_to_the_end();
	/* it offered 1.1 at most */
	hello(0x0302, false, 0x0302, 2);
	ask_to_the_end();
	/* a server that knows no better */
	hello(0x0304, true, 0x0303, 0);
	ask_to_the_end();
	/* 1.3 chosen, whatever the random looks like */
	hello(0x0304, true, 0x0304, 1);
	ask_to_the_end();
	/* it offered drafts of 1.3, which this server does not know */
	hello(0x0304, false, 0x0303, 1);
	ask_to_the_end();
	/* the offer was not seen */
	hello(0, false, 0x0303, 1);
	tls.client_hello.time = 0;
	ask_to_the_end();
}

TEST(d12_seen_behind_the_attacker)
{
	hello(0x0303, false, 0x0303, 1);
	observe(OBS_TLS_ALERT, DIR_C2S);
	o.u.alert.level = 2;
	o.u.alert.description = 47;
	ask(detect_tls);
	CHECK(confidence(FIND_TLS_DOWNGRADE) >= 50);
	CHECK(confidence(FIND_TLS_DOWNGRADE) < 85);
	/* another reason to break off */
	o.u.alert.description = 48;
	ask(detect_tls);
	check_silent();
	/* no mark: illegal_parameter for some other reason */
	o.u.alert.description = 47;
	tls.sentinel = 0;
	ask(detect_tls);
	check_silent();
}

TEST(d13_fallback)
{
	hello(0x0302, false, 0x0302, 0);
	tls.fallback_scsv = 1;
	history.tls_versions = 1 << 3 | 1 << 4; /* 1.1 and 1.2 */
	past.server = &history;
	c.past = &past;
	ask(detect_tls);
	CHECK(confidence(FIND_TLS_DOWNGRADE) >= 50);
	CHECK(confidence(FIND_TLS_DOWNGRADE) < 85);
	/* the server never did better */
	history.tls_versions = 1 << 3;
	ask(detect_tls);
	CHECK(found(FIND_TLS_DOWNGRADE) == NULL);
	/* no signal */
	history.tls_versions = 1 << 4;
	tls.fallback_scsv = 0;
	ask(detect_tls);
	CHECK(found(FIND_TLS_DOWNGRADE) == NULL);
}

TEST(a_hello_retry_request_is_not_a_choice)
{
	hello(0x0304, true, 0x0303, 1);
	o.u.hello.retry = 1;
	ask(detect_tls);
	check_silent();
}

/* ---- key exchange ---- */

static void
key_exchange(enum kex_how how, unsigned bits)
{
	begin(143);
	observe(OBS_TLS_KEY_EXCHANGE, DIR_S2C);
	o.u.kex.how = (uint8_t)how;
	o.u.kex.bits = (uint16_t)bits;
}

TEST(d11_short_key_exchange)
{
	const struct {
		enum kex_how how;
		unsigned bits;
		int least; /* confidence; 0: silent */
	} t[] = {
	    {KEX_DH, 512, 75}, {KEX_DH, 1023, 75}, {KEX_DH, 1024, 45},
	    {KEX_DH, 2047, 45}, {KEX_DH, 2048, 0}, {KEX_DH, 8192, 0},
	    {KEX_DH, 0, 0}, /* not known */
	    {KEX_RSA, 512, 75}, {KEX_ECDH, 163, 60}, {KEX_ECDH, 192, 60},
	    {KEX_ECDH, 224, 0}, {KEX_ECDH, 255, 0},
	    {KEX_ECDH, 0, 0}, /* a group that we do not know */
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		key_exchange(t[i].how, t[i].bits);
		ask(detect_tls);
		if (confidence(FIND_TLS_WEAK_CIPHER) != t[i].least)
			TEST_FAIL(
			    "row %zu: %d", i, confidence(FIND_TLS_WEAK_CIPHER));
	}
}

TEST(d11_short_key_exchange_between_mail_servers)
{
	key_exchange(KEX_DH, 1024);
	f.proto = PROTO_SMTP;
	f.who.server_port = 25;
	ask(detect_tls);
	CHECK(has_tag(FIND_TLS_WEAK_CIPHER, EVT_OPPORTUNISTIC));
}

TEST(a_weak_suite_is_told_once)
{
	key_exchange(KEX_DH, 512);
	f.raised = UINT64_C(1) << FIND_TLS_WEAK_CIPHER;
	ask(detect_tls);
	check_silent();
}

/* ---- ports ---- */

TEST(d16_ports)
{
	static const struct {
		enum obs_kind kind;
		uint16_t port;
		bool implicit_tls, want;
	} t[] = {
	    {OBS_GREETING, 993, false, true},
	    {OBS_GREETING, 465, false, true},
	    {OBS_GREETING, 995, false, true},
	    {OBS_TLS_SERVER_HELLO, 143, true, true},
	    {OBS_TLS_SERVER_HELLO, 25, true, true},
	    {OBS_TLS_SERVER_HELLO, 4190, true, true},
	    {OBS_TLS_SERVER_HELLO, 993, true, false},
	    {OBS_GREETING, 143, false, false},
	    {OBS_TLS_SERVER_HELLO, 143, false, false}, /* STARTTLS */
	    {OBS_GREETING, 2525, false, false},
	    {OBS_TLS_SERVER_HELLO, 2525, true, false},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		begin(t[i].port);
		f.implicit_tls = t[i].implicit_tls;
		observe(t[i].kind, DIR_S2C);
		ask(detect_port);
		CHECK_INT(confidence(FIND_TLS_PORT_MISMATCH), t[i].want * 60);
	}
}

/* ---- the operator's lines ---- */

TEST(the_operator_draws_the_lines)
{
	struct tls_policy p = tls_policy_default;

	hello(0x0301, false, 0x0301, 0);
	c.tls = &p;
	p.min_version = TLS_10;
	ask(detect_tls);
	check_silent();
	hello(0x0303, false, 0x0303, 0);
	c.tls = &p;
	p.min_version = TLS_13;
	ask(detect_tls);
	CHECK(confidence(FIND_TLS_OLD_VERSION) >= 50);
	p.min_version = TLS_12;
	o.u.hello.suite = 0x000a;
	p.accepted = 1u << WEAK_RC4;
	ask(detect_tls);
	CHECK(confidence(FIND_TLS_WEAK_CIPHER) >= 50);
	p.accepted = 1u << WEAK_3DES;
	ask(detect_tls);
	check_silent();
	key_exchange(KEX_DH, 1024);
	c.tls = &p;
	p.min_dh_bits = 1024;
	ask(detect_tls);
	check_silent();
	o.u.kex.bits = 1023;
	ask(detect_tls);
	CHECK(confidence(FIND_TLS_WEAK_CIPHER) >= 50);
	p.min_dh_bits = 3072;
	o.u.kex.bits = 2048;
	ask(detect_tls);
	CHECK(confidence(FIND_TLS_WEAK_CIPHER) >= 50);
}

TEST_MAIN
