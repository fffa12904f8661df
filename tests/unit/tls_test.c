/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS seen from outside: what lawful dialogues of every version tell. */
#include "decoders/tls_record.h"

#include "tls_kit.h"

/* ---- whole handshakes ---- */

TEST(tls12_full_handshake)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_certs(&s, DIR_S2C, 2, 100);
	add_finished(&s, DIR_C2S);
	add_finished(&s, DIR_S2C);
	add_fill(&s, DIR_S2C, 23, 100);
	add_fill(&s, DIR_C2S, 23, 30);
	add_fill(&s, DIR_C2S, 23, 30);
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "< tls-cert 2\n"
	    "< tls-done 0303\n"
	    "> tls-appdata 0303\n");
}

TEST(tls12_resumed)
{
	struct script s = {.n = 0};
	struct hello_mould echo = server12;

	echo.sid_len = 4;
	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &echo);
	add_finished(&s, DIR_S2C);
	add_finished(&s, DIR_C2S);
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f resumed\n"
	    "> tls-done 0303 resumed\n");
}

TEST(tls12_client_certificate_and_none)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_certs(&s, DIR_S2C, 1, 100);
	add_certs(&s, DIR_C2S, 0, 0);
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "< tls-cert 1\n"
	    "> tls-cert 0\n");
}

TEST(tls13_handshake)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &server13);
	add_fill(&s, DIR_S2C, 20, 1);
	add_fill(&s, DIR_S2C, 23, 900);
	add_fill(&s, DIR_C2S, 20, 1);
	add_fill(&s, DIR_C2S, 23, 53); /* Finished */
	add_fill(&s, DIR_C2S, 23, 19); /* an alert's size */
	add_fill(&s, DIR_C2S, 23, 40);
	check_and_finish(&s, "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301\n"
			     "> tls-done 0304\n"
			     "> tls-appdata 0304\n");
}

/* The session id is echoed in 1.3 always: it says nothing there. */
TEST(tls13_resumed_by_psk_only)
{
	struct script s = {.n = 0};
	struct hello_mould psk = server13;

	psk.psk = true;
	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &psk);
	check_and_finish(&s, "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301 resumed\n");
}

TEST(tls13_client_refuses_in_secret)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &server13);
	add_fill(&s, DIR_S2C, 23, 900);
	add_fill(&s, DIR_C2S, 23, 19); /* no Finished: an encrypted alert */
	check_and_finish(&s, "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301\n");
}

TEST(hello_retry_request)
{
	struct script s = {.n = 0};
	struct hello_mould retry = server13;

	retry.retry = true;
	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &retry);
	add_fill(&s, DIR_C2S, 20, 1); /* before the second hello (D.4) */
	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &server13);
	add_fill(&s, DIR_S2C, 23, 900);
	add_fill(&s, DIR_C2S, 23, 69);
	check_and_finish(&s, "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301 retry\n"
			     "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301\n"
			     "> tls-done 0304\n");
}

TEST(sentinels)
{
	struct script s = {.n = 0};
	struct hello_mould one = server12, two = server12, none = server12;

	one.tail = "DOWNGRD\x01";
	two.tail = "DOWNGRD\x00";
	two.version = 0x0302;
	none.tail = "DOWNGRD\x02";
	add_hello(&s, DIR_S2C, &one);
	add_hello(&s, DIR_S2C, &two);
	add_hello(&s, DIR_S2C, &none);
	check_and_finish(&s, "< tls-server-hello 0303 suite=c02f sentinel1\n"
			     "< tls-server-hello 0302 suite=c02f sentinel2\n"
			     "< tls-server-hello 0303 suite=c02f\n");
}

TEST(ssl3_without_extensions)
{
	struct script s = {.n = 0};
	struct hello_mould c = {.version = 0x0300, .suites = {0x0005}};
	struct hello_mould h = {.version = 0x0300, .suites = {0x0005}};

	add_hello(&s, DIR_C2S, &c);
	add_hello(&s, DIR_S2C, &h);
	check_and_finish(&s, "> tls-client-hello 0300 suites=1\n"
			     "< tls-server-hello 0300 suite=0005\n");
}

/* ---- cutting and joining ---- */

TEST(a_message_over_many_records)
{
	static struct bytes body, msg, part;
	struct script s = {.n = 0};

	body.n = msg.n = 0;
	client_hello(&body, &client12);
	put_message(&msg, 1, &body);
	for (size_t at = 0; at < msg.n; at += part.n) {
		part.n = msg.n - at < 9 ? msg.n - at : 9;
		memcpy(part.b, msg.b + at, part.n);
		add_record(&s, DIR_C2S, 22, &part);
	}
	check_and_finish(
	    &s, "> tls-client-hello 0303 suites=2 sni=mail.example\n");
}

TEST(several_messages_in_one_record)
{
	static struct bytes body, all;
	struct script s = {.n = 0};

	all.n = body.n = 0;
	server_hello(&body, &server12);
	put_message(&all, 2, &body);
	body.n = 0;
	cert_list(&body, 3, 50);
	put_message(&all, 11, &body);
	body.n = 0;
	put_message(&all, 14, &body); /* ServerHelloDone: empty */
	add_record(&s, DIR_S2C, 22, &all);
	add_alert(&s, DIR_S2C, 1, 0);
	check_and_finish(&s, "< tls-server-hello 0303 suite=c02f\n"
			     "< tls-cert 3\n"
			     "< tls-alert 1/0\n");
}

TEST(empty_records_are_passed_over)
{
	struct script s = {.n = 0};

	add_fill(&s, DIR_C2S, 22, 0);
	add_hello(&s, DIR_C2S, &client12);
	check_and_finish(
	    &s, "> tls-client-hello 0303 suites=2 sni=mail.example\n");
}

/* ---- alerts ---- */

TEST(alerts_in_clear_only)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_alert(&s, DIR_C2S, 2, 48);
	add_fill(&s, DIR_C2S, 20, 1);
	add_alert(&s, DIR_C2S, 2, 42); /* encrypted, whatever it looks like */
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "> tls-alert 2/48\n");
}

TEST(tls13_alert_in_clear)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &server13);
	add_alert(&s, DIR_C2S, 2, 47);
	check_and_finish(&s, "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301\n"
			     "> tls-alert 2/47\n");
}

TEST(alerts_are_capped)
{
	struct script s = {.n = 0};

	for (int i = 0; i < 20; i++)
		add_alert(&s, DIR_S2C, 1, 90);
	check_and_finish(&s,
	    "< tls-alert 1/90\n< tls-alert 1/90\n< tls-alert 1/90\n"
	    "< tls-alert 1/90\n< tls-alert 1/90\n< tls-alert 1/90\n"
	    "< tls-alert 1/90\n< tls-alert 1/90\n"
	    "< tls-broken FLOOD\n< tls-broken FLOOD\n"
	    "< tls-broken FLOOD\n< tls-broken FLOOD\n");
}

/* ---- SSLv2 ---- */

static void
put_v2_client_hello(struct bytes *d, uint16_t version)
{
	static struct bytes body;

	body.n = 0;
	put_be(&body, 1, 1);
	put_be(&body, version, 2);
	put_be(&body, 9, 2); /* specs */
	put_be(&body, 0, 2);
	put_be(&body, 16, 2); /* challenge */
	put_be(&body, 0x00002f, 3);
	put_be(&body, 0x010080, 3);
	put_be(&body, 0x0700c0, 3);
	for (int i = 0; i < 16; i++)
		put_be(&body, 0xc4, 1);
	put_be(d, 0x8000 | (uint32_t)body.n, 2);
	put(d, body.b, body.n);
}

TEST(sslv2_hello_to_a_newer_server)
{
	static struct bytes b;
	struct script s = {.n = 0};

	b.n = 0;
	put_v2_client_hello(&b, 0x0301);
	add(&s, DIR_C2S, &b);
	add_hello(&s, DIR_S2C, &server12);
	add_finished(&s, DIR_C2S);
	add_finished(&s, DIR_S2C);
	check_and_finish(&s, "> tls-client-hello 0301 suites=3 v2\n"
			     "< tls-server-hello 0303 suite=c02f\n"
			     "< tls-done 0303\n");
}

TEST(sslv2_throughout)
{
	static struct bytes b, body;
	struct script s = {.n = 0};

	b.n = body.n = 0;
	put_v2_client_hello(&b, 0x0002);
	add(&s, DIR_C2S, &b);
	put_be(&body, 4, 1);
	put_be(&body, 0, 1); /* no hit */
	put_be(&body, 1, 1); /* X.509 */
	put_be(&body, 2, 2);
	put_be(&body, 50, 2);
	put_be(&body, 3, 2);
	put_be(&body, 16, 2);
	for (int i = 0; i < 50 + 3 + 16; i++)
		put_be(&body, i < 50 ? 0x30 : 1, 1);
	b.n = 0;
	put_be(&b, 0x8000 | (uint32_t)body.n, 2);
	put(&b, body.b, body.n);
	add(&s, DIR_S2C, &b);
	b.n = 0;
	put(&b, "\x80\x04mast", 6);
	add(&s, DIR_C2S, &b);
	b.n = 0;
	put(&b, "\x00\x04\x02veri", 7); /* three-byte header */
	add(&s, DIR_S2C, &b);
	b.n = 0;
	put(&b,
	    "\x80\x04"
	    "fini",
	    6);
	add(&s, DIR_C2S, &b);
	add(&s, DIR_C2S, &b);
	check_and_finish(&s, "> tls-client-hello 0002 suites=3 v2\n"
			     "< tls-server-hello 0002 suites=1 v2\n"
			     "< tls-cert 1\n"
			     "> tls-done 0002\n"
			     "> tls-appdata 0002\n");
}

/* ---- the first look ---- */

TEST(what_looks_like_a_record)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum tls_looks want;
	} t[] = {
	    {"", 0, TLS_LOOKS_MAYBE},
	    {"\x16", 1, TLS_LOOKS_MAYBE},
	    {"\x16\x03", 2, TLS_LOOKS_MAYBE},
	    {"\x16\x03\x01\x02", 4, TLS_LOOKS_MAYBE},
	    {"\x16\x03\x01\x02\x00", 5, TLS_LOOKS_YES},
	    {"\x15\x03\x03\x00\x02\x02\x28", 7, TLS_LOOKS_YES},
	    {"\x16\x03\x01\x48", 4, TLS_LOOKS_MAYBE},
	    {"\x16\x03\x01\x48\x00", 5, TLS_LOOKS_YES},
	    {"\x16\x03\x01\x48\x01", 5, TLS_LOOKS_NO},
	    {"\x16\x03\x01\x00\x00", 5, TLS_LOOKS_NO},
	    {"\x16\x03\x05\x00\x10", 5, TLS_LOOKS_NO},
	    {"\x16\x02", 2, TLS_LOOKS_NO},
	    {"2", 1, TLS_LOOKS_NO},
	    {"* OK", 4, TLS_LOOKS_NO},
	    {"EHLO", 4, TLS_LOOKS_NO},
	    {"\x80", 1, TLS_LOOKS_MAYBE},
	    {"\x80\x2e\x01\x03", 4, TLS_LOOKS_MAYBE},
	    {"\x80\x2e\x01\x03\x01", 5, TLS_LOOKS_YES},
	    {"\x80\x2e\x01\x00", 4, TLS_LOOKS_MAYBE},
	    {"\x80\x2e\x01\x00\x02", 5, TLS_LOOKS_YES},
	    {"\x80\x2e\x02", 3, TLS_LOOKS_NO},
	    {"\x80\x2e\x01\x03\x09", 5, TLS_LOOKS_NO},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		enum tls_looks got = tls_looks_like_record(
		    (struct slice){(const uint8_t *)t[i].bytes, t[i].n});

		if (got != t[i].want)
			TEST_FAIL("row %zu: %d, not %d", i, got, t[i].want);
	}
}

TEST_MAIN
