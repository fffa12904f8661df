/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS seen from outside: what is no TLS, lies about its lengths, has no end, or
 * was not seen whole. */
#include "decoders/tls_record.h"

#include "tls_kit.h"

/* ---- hostile ---- */

TEST(text_instead_of_records_breaks_it)
{
	struct script s = {.n = 0};
	struct bytes *b = calloc(1, sizeof(*b));

	put(b, "250 mail.example\r\n", 18);
	add(&s, DIR_S2C, b);
	add_hello(&s, DIR_C2S, &client12); /* not looked at any more */
	check_and_finish(&s, "< tls-broken BAD-RECORD\n");
	free(b);
}

TEST(a_record_longer_than_allowed_breaks_it)
{
	struct script s = {.n = 0};
	struct bytes *b = calloc(1, sizeof(*b));

	put(b, "\x16\x03\x03\x48\x01", 5);
	add(&s, DIR_S2C, b);
	check_and_finish(&s, "< tls-broken BAD-RECORD\n");
	free(b);
}

TEST(a_message_too_long_is_skipped_and_said)
{
	struct script s = {.n = 0};
	struct bytes *b = calloc(1, sizeof(*b));

	put_be(b, 11, 1);
	put_be(b, TLS_MESSAGE_MAX + 1, 3);
	add_record(&s, DIR_S2C, 22, b);
	for (int i = 0; i < 4; i++)
		add_fill(&s, DIR_S2C, 22, 16384);
	add_fill(&s, DIR_S2C, 22, 1);
	add_hello(&s, DIR_S2C, &server12);
	check_and_finish(
	    &s, "< tls-broken TOO-LONG\n< tls-server-hello 0303 suite=c02f\n");
	free(b);
}

TEST(lengths_that_contradict_each_other)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *want;
	} t[] = {
	    /* ClientHello of 2 bytes */
	    {"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03", 11,
		"< tls-broken BAD-HELLO\n"},
	    /* Certificate: a list longer than the message */
	    {"\x16\x03\x01\x00\x09\x0b\x00\x00\x05\x00\x00\x09\x00\x00", 14,
		"< tls-broken BAD-CERTIFICATE\n"},
	    /* Certificate: an empty certificate in the list */
	    {"\x16\x03\x01\x00\x0a\x0b\x00\x00\x06\x00\x00\x03\x00\x00\x00", 15,
		"< tls-broken BAD-CERTIFICATE\n"},
	    /* Certificate without a body */
	    {"\x16\x03\x01\x00\x04\x0b\x00\x00\x00", 9,
		"< tls-broken BAD-CERTIFICATE\n"},
	    /* a message type that does not exist */
	    {"\x16\x03\x01\x00\x05\x63\x00\x00\x01\x00", 10,
		"< tls-broken BAD-MESSAGE\n"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct script s = {.n = 0};
		struct bytes *b = calloc(1, sizeof(*b));
		char want[64];

		put(b, t[i].bytes, t[i].n);
		snprintf(want, sizeof(want), "%s", t[i].want);
		if (t[i].bytes[5] == 1) /* the client's */
			want[0] = '>';
		add(&s, want[0] == '>' ? DIR_C2S : DIR_S2C, b);
		check_and_finish(&s, want);
		free(b);
	}
}

TEST(extensions_that_do_not_parse_cost_only_themselves)
{
	static struct bytes body;
	struct script s = {.n = 0};

	body.n = 0;
	client_hello(&body, &client12);
	put_be(&body, 0, 1); /* trailing byte */
	add_message(&s, DIR_C2S, 1, &body);
	check_and_finish(&s,
	    "> tls-broken BAD-HELLO\n"
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n");
}

TEST(without_buffers_pieces_are_skipped_and_said)
{
	struct script s = {.n = 0};
	struct tls_pool *pool = env.pool;

	add_hello(&s, DIR_C2S, &client12);
	add_fill(&s, DIR_C2S, 20, 1);
	env.pool = tls_pool_new(100);
	env.n.tls_pool_empty = 0;
	play(&s, 40, STEPS, 0);
	CHECK_STR(told, "> tls-broken NO-BUFFER\n");
	CHECK_INT(env.n.tls_pool_empty, 1);
	play(&s, SIZE_MAX / 2, STEPS, 0); /* whole: none is needed */
	CHECK_STR(told, "> tls-client-hello 0303 suites=2 sni=mail.example\n");
	tls_pool_free(env.pool);
	env.pool = pool;
	finish(&s);
}

TEST(a_handshake_without_end_is_left)
{
	struct script s = {.n = 0};

	for (int i = 0; i < 20; i++)
		add_fill(&s, DIR_S2C, 24, 16384);
	for (int i = 0; i < 4; i++)
		add_fill(&s, DIR_S2C, 24, 16384);
	if (env.pool == NULL)
		env.pool = tls_pool_new(1 << 20);
	/* 24 records are 393 kB: fine; played three times they are not. */
	struct tls t;
	struct tls_head head = {.flow = 1};
	struct pkt_ref pkt = {.time = 1};

	told[0] = '\0';
	tls_init(&t, &env, &head);
	for (unsigned i = 0; i < 3 * s.n; i++)
		tls_data(&t, DIR_S2C,
		    (struct slice){
			s.step[i % s.n].bytes->b, s.step[i % s.n].bytes->n},
		    &pkt);
	CHECK_STR(told, "< tls-broken TOO-LONG\n");
	CHECK(tls_broken(&t));
	CHECK_INT(tls_phase(&t), PHASE_OPAQUE);
	CHECK(!tls_wants(&t, DIR_C2S));
	tls_fini(&t);
	finish(&s);
}

/* ---- holes ---- */

TEST(a_hole_inside_a_certificate)
{
	static struct bytes body, msg, rec, part;
	struct script s = {.n = 0};

	body.n = msg.n = rec.n = 0;
	cert_list(&body, 2, 500);
	put_message(&msg, 11, &body);
	put_record(&rec, 22, &msg);
	part.n = 200;
	memcpy(part.b, rec.b, part.n);
	add(&s, DIR_S2C, &part);
	add_gap(&s, DIR_S2C, 100);
	part.n = rec.n - 300;
	memcpy(part.b, rec.b + 300, part.n);
	add(&s, DIR_S2C, &part);
	add_alert(&s, DIR_S2C, 2, 40);
	check_and_finish(&s, "< tls-alert 2/40\n");
}

TEST(a_hole_over_a_record_boundary)
{
	static struct bytes part;
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_gap(&s, DIR_S2C, 1000);
	part.n = 70; /* the rest of something */
	memset(part.b, 0xaa, part.n);
	add(&s, DIR_S2C, &part);
	add_finished(&s, DIR_S2C);
	add_finished(&s, DIR_C2S);
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "> tls-done 0303\n");
}

TEST(application_data_after_a_hole_means_done)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_gap(&s, DIR_S2C, 3000);
	add_gap(&s, DIR_C2S, 300);
	add_fill(&s, DIR_C2S, 23, 50);
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "> tls-done 0303\n"
	    "> tls-appdata 0303\n");
}

TEST_MAIN
