/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Handshake messages behind the hellos: key exchange, what else was said, and
 * the size of the server's flight. */
#include "decoders/tls_kex.h"

#include "tls_kit.h"

/* ---- key exchange ---- */

/* A number of that many bits, `zeros` bytes before it, and its length. */
static void
put_number(struct bytes *b, unsigned bits, unsigned zeros)
{
	static struct bytes n;

	n.n = 0;
	for (unsigned i = 0; i < zeros; i++)
		put_be(&n, 0, 1);
	put_be(&n, 1u << (bits - 1) % 8, 1);
	for (unsigned i = 1; i < (bits + 7) / 8; i++)
		put_be(&n, 0xff, 1);
	put_vec(b, 2, &n);
}

static void
put_dh(struct bytes *b, unsigned bits, unsigned zeros)
{
	put_number(b, bits, zeros);
	put_number(b, 2, 0);
	put_number(b, bits, 0);
	put_number(b, 2048, 0); /* signature */
}

static void
put_ecdh(struct bytes *b, uint16_t group)
{
	put_be(b, 3, 1);
	put_be(b, group, 2);
	put_be(b, 65, 1);
	for (int i = 0; i < 65; i++)
		put_be(b, 4, 1);
	put_number(b, 2048, 0);
}

static void
check_kex(uint16_t suite, const struct bytes *body, const char *want)
{
	struct script s = {.n = 0};
	struct hello_mould server = {.version = 0x0303, .suites = {suite}};
	char all[200];

	add_hello(&s, DIR_S2C, &server);
	add_message(&s, DIR_S2C, 12, body);
	snprintf(all, sizeof(all), "< tls-server-hello 0303 suite=%04x\n%s",
	    suite, want);
	check_and_finish(&s, all);
}

TEST(dh_sizes)
{
	static const struct {
		unsigned bits, zeros;
		const char *want;
	} t[] = {
	    {512, 0, "< tls-key-exchange 1 0000 512\n"},
	    {1024, 0, "< tls-key-exchange 1 0000 1024\n"},
	    {1024, 3, "< tls-key-exchange 1 0000 1024\n"},
	    {2047, 0, "< tls-key-exchange 1 0000 2047\n"},
	    {2048, 1, "< tls-key-exchange 1 0000 2048\n"},
	    {6144, 0, "< tls-key-exchange 1 0000 6144\n"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		static struct bytes b;

		b.n = 0;
		put_dh(&b, t[i].bits, t[i].zeros);
		check_kex(0x009f, &b, t[i].want);
	}
}

TEST(curves_hints_and_short_keys)
{
	static struct bytes b;

	b.n = 0;
	put_ecdh(&b, 0x001d);
	check_kex(0xc02f, &b, "< tls-key-exchange 2 001d 255\n");
	b.n = 0;
	put_ecdh(&b, 0x0013);
	check_kex(0xc014, &b, "< tls-key-exchange 2 0013 192\n");
	b.n = 0;
	put_be(&b, 4, 2); /* a hint */
	put(&b, "hint", 4);
	put_ecdh(&b, 0x0017);
	check_kex(0xc035, &b, "< tls-key-exchange 2 0017 256\n");
	b.n = 0;
	put_be(&b, 0, 2);
	put_dh(&b, 1024, 0);
	check_kex(0x00aa, &b, "< tls-key-exchange 1 0000 1024\n");
	b.n = 0;
	put_number(&b, 512, 0);
	put_number(&b, 17, 0);
	check_kex(0x0003, &b, "< tls-key-exchange 3 0000 512\n");
	b.n = 0;
	put_be(&b, 1, 1); /* an explicit curve */
	check_kex(0xc02f, &b, "< tls-key-exchange 2 0000 0\n");
}

TEST(key_exchange_that_lies)
{
	static const struct {
		uint16_t suite;
		const char *bytes;
		size_t n;
		const char *want;
	} t[] = {
	    {0x009f, "\x01\x00\xff", 3, "< tls-broken BAD-KEY-EXCHANGE\n"},
	    {0x009f, "\x00\x00\x00\x00\x00\x00", 6,
		"< tls-key-exchange 1 0000 0\n"},
	    {0xc02f, "\x03\x00\x1d\x20\x01", 5,
		"< tls-broken BAD-KEY-EXCHANGE\n"},
	    {0xc02f, "", 0, "< tls-broken BAD-KEY-EXCHANGE\n"},
	    /* static RSA, SRP: not read */
	    {0x009c, "\x01\x00\xff", 3, ""},
	    {0xc020, "\x01\x00\xff", 3, ""},
	    {0x1301, "\x01\x00\xff", 3, ""},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		static struct bytes b;

		b.n = 0;
		put(&b, t[i].bytes, t[i].n);
		check_kex(t[i].suite, &b, t[i].want);
	}
}

TEST(key_exchanges_are_capped)
{
	static struct bytes b;
	struct script s = {.n = 0};

	b.n = 0;
	put_ecdh(&b, 0x001d);
	add_hello(&s, DIR_S2C, &server12);
	for (int i = 0; i < 3; i++)
		add_message(&s, DIR_S2C, 12, &b);
	check_and_finish(&s, "< tls-server-hello 0303 suite=c02f\n"
			     "< tls-key-exchange 2 001d 255\n"
			     "< tls-key-exchange 2 001d 255\n"
			     "< tls-broken FLOOD\n");
}

/* A sample of each kind and of the gaps between runs, by IANA's names. */
TEST(suites)
{
	static const struct {
		uint16_t suite;
		enum tls_kex want;
	} t[] = {
	    {0x0000, TLS_KEX_OTHER}, /* NULL */
	    {0x0003, TLS_KEX_RSA_EXPORT}, /* RSA_EXPORT_WITH_RC4_40_MD5 */
	    {0x000a, TLS_KEX_OTHER}, /* RSA_WITH_3DES_EDE_CBC_SHA */
	    {0x000d, TLS_KEX_OTHER}, /* DH_DSS_WITH_3DES_EDE_CBC_SHA */
	    {0x0014, TLS_KEX_DHE}, /* DHE_RSA_EXPORT_WITH_DES40_CBC_SHA */
	    {0x001b, TLS_KEX_DHE}, /* DH_anon_WITH_3DES_EDE_CBC_SHA */
	    {0x002f, TLS_KEX_OTHER}, /* RSA_WITH_AES_128_CBC_SHA */
	    {0x0039, TLS_KEX_DHE}, /* DHE_RSA_WITH_AES_256_CBC_SHA */
	    {0x0062, TLS_KEX_RSA_EXPORT}, /* RSA_EXPORT1024_... */
	    {0x0068, TLS_KEX_OTHER}, /* DH_DSS_WITH_AES_256_CBC_SHA256 */
	    {0x009d, TLS_KEX_OTHER}, /* RSA_WITH_AES_256_GCM_SHA384 */
	    {0x009e, TLS_KEX_DHE}, /* DHE_RSA_WITH_AES_128_GCM_SHA256 */
	    {0x00b4, TLS_KEX_DHE_PSK}, /* DHE_PSK_WITH_NULL_SHA256 */
	    {0x00ff, TLS_KEX_OTHER}, /* signals */
	    {0x1302, TLS_KEX_OTHER},
	    {0xc005, TLS_KEX_OTHER}, /* ECDH_ECDSA_WITH_AES_256_CBC_SHA */
	    {0xc009, TLS_KEX_ECDHE}, /* ECDHE_ECDSA_WITH_AES_128_CBC_SHA */
	    {0xc00f, TLS_KEX_OTHER}, /* ECDH_RSA_WITH_AES_256_CBC_SHA */
	    {0xc018, TLS_KEX_ECDHE}, /* ECDH_anon_WITH_AES_128_CBC_SHA */
	    {0xc021, TLS_KEX_OTHER}, /* SRP_SHA_RSA_... */
	    {0xc031, TLS_KEX_OTHER}, /* ECDH_RSA_WITH_AES_128_GCM_SHA256 */
	    {0xc036, TLS_KEX_ECDHE_PSK},
	    {0xc0ad, TLS_KEX_ECDHE}, /* ECDHE_ECDSA_WITH_AES_256_CCM */
	    {0xcca8, TLS_KEX_ECDHE}, /* ECDHE_RSA_WITH_CHACHA20_... */
	    {0xccaa, TLS_KEX_DHE}, /* DHE_RSA_WITH_CHACHA20_... */
	    {0xccab, TLS_KEX_OTHER}, /* PSK_WITH_CHACHA20_... */
	    {0xffff, TLS_KEX_OTHER},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (tls_suite_kex(t[i].suite) != t[i].want)
			TEST_FAIL(
			    "%04x: %d", t[i].suite, tls_suite_kex(t[i].suite));
}

TEST(group_sizes)
{
	CHECK_INT(tls_group_bits(0), 0);
	CHECK_INT(tls_group_bits(1), 163);
	CHECK_INT(tls_group_bits(19), 192); /* secp192r1 */
	CHECK_INT(tls_group_bits(21), 224); /* secp224r1 */
	CHECK_INT(tls_group_bits(23), 256); /* secp256r1 */
	CHECK_INT(tls_group_bits(25), 521);
	CHECK_INT(tls_group_bits(29), 255); /* x25519 */
	CHECK_INT(tls_group_bits(30), 448);
	CHECK_INT(tls_group_bits(31), 0);
	CHECK_INT(tls_group_bits(0x100), 2048);
	CHECK_INT(tls_group_bits(0x104), 8192);
	CHECK_INT(tls_group_bits(0x105), 0);
	CHECK_INT(tls_group_bits(0x11ec), 0); /* X25519MLKEM768 */
}

/* ---- what else was said, and the flight ---- */

static void
add_empty(struct script *s, enum dir dir, uint8_t type)
{
	struct bytes *body = calloc(1, sizeof(*body));

	add_message(s, dir, type, body);
	free(body);
}

TEST(other_messages_are_noted)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_certs(&s, DIR_S2C, 1, 100);
	add_empty(&s, DIR_S2C, 22); /* CertificateStatus */
	add_empty(&s, DIR_S2C, 13); /* CertificateRequest */
	add_empty(&s, DIR_S2C, 14);
	add_certs(&s, DIR_C2S, 1, 50);
	add_empty(&s, DIR_C2S, 16);
	add_empty(&s, DIR_S2C, 4); /* NewSessionTicket */
	add_finished(&s, DIR_C2S);
	add_finished(&s, DIR_S2C);
	tell_more = true;
	/* records of 42 (ServerHello), 110 and three of 4 bytes */
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "< tls-cert 1\n"
	    "> tls-cert 1\n"
	    "< tls-done 0303 said=0f flight=164/5\n");
	tell_more = false;
}

/* CertificateStatus of a type, with a response of n bytes. */
static void
add_status(struct script *s, enum dir dir, uint8_t type, unsigned n)
{
	static struct bytes body, response;

	body.n = 0;
	response.n = n;
	memset(response.b, 0x30, n);
	put_be(&body, type, 1);
	put_vec(&body, 3, &response);
	add_message(s, dir, 22, &body);
}

TEST(a_stapled_response_follows_its_chain)
{
	struct script s = {.n = 0};
	struct hello_mould server = {.version = 0x0303, .suites = {0x009c}};
	struct bytes *lie = calloc(1, sizeof(*lie));

	add_hello(&s, DIR_S2C, &server);
	add_status(&s, DIR_S2C, 1, 9); /* of no chain */
	add_certs(&s, DIR_S2C, 1, 30);
	add_status(&s, DIR_S2C, 1, 300);
	add_status(&s, DIR_C2S, 1, 10); /* the client has none to give */
	add_status(&s, DIR_S2C, 2, 11); /* ocsp_multi, RFC 6961 */
	put_be(lie, 0x010000ff, 4); /* longer than the message */
	add_message(&s, DIR_S2C, 22, lie);
	check_and_finish(&s, "< tls-server-hello 0303 suite=009c\n"
			     "< tls-cert 1\n"
			     "< staple 300\n");
	free(lie);
}

/* One response for each certificate of the chain, the leaf's first. */
static void
add_multi_status(struct script *s, unsigned n, unsigned second)
{
	static struct bytes body, list, response;

	body.n = list.n = 0;
	memset(response.b, 0x30, sizeof(response.b));
	response.n = n;
	put_vec(&list, 3, &response);
	response.n = second;
	put_vec(&list, 3, &response);
	put_be(&body, 2, 1);
	put_vec(&body, 3, &list);
	add_message(s, DIR_S2C, 22, &body);
}

TEST(stapled_responses_for_the_whole_chain)
{
	struct script s = {.n = 0};
	struct hello_mould server = {.version = 0x0303, .suites = {0x009c}};

	add_hello(&s, DIR_S2C, &server);
	add_certs(&s, DIR_S2C, 2, 30);
	add_multi_status(&s, 200, 150);
	add_multi_status(&s, 0, 150); /* none for the leaf */
	check_and_finish(&s, "< tls-server-hello 0303 suite=009c\n"
			     "< tls-cert 2\n"
			     "< staple 200\n");
}

/* RFC 6962 3.3.1 */
TEST(time_stamps_in_the_handshake)
{
	struct script s = {.n = 0};
	struct hello_mould server = {
	    .version = 0x0303, .suites = {0x009c}, .scts = 3};

	add_hello(&s, DIR_S2C, &server);
	add_certs(&s, DIR_S2C, 1, 30);
	check_and_finish(&s, "< tls-server-hello 0303 suite=009c scts=3\n"
			     "< tls-cert 1 scts=3\n");
	/* a list of none is against the standard, and costs only itself */
	s.n = 0;
	server.scts = 0;
	server.no_scts = true;
	add_hello(&s, DIR_S2C, &server);
	check_and_finish(&s, "< tls-broken BAD-HELLO\n"
			     "< tls-server-hello 0303 suite=009c\n");
}

TEST(renegotiation_in_clear_is_noted)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_empty(&s, DIR_S2C, 0); /* HelloRequest */
	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_finished(&s, DIR_C2S);
	add_finished(&s, DIR_S2C);
	tell_more = true;
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "< tls-done 0303 said=30 flight=42/1\n");
	tell_more = false;
}

TEST(flight_of_tls13)
{
	struct script s = {.n = 0};
	struct hello_mould retry = server13;

	retry.retry = true;
	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &retry);
	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &server13);
	add_fill(&s, DIR_S2C, 20, 1);
	add_fill(&s, DIR_S2C, 23, 900);
	add_fill(&s, DIR_S2C, 23, 60);
	add_fill(&s, DIR_C2S, 23, 69);
	add_fill(&s, DIR_S2C, 23, 240); /* tickets: not of the flight */
	add_fill(&s, DIR_C2S, 23, 40);
	tell_more = true;
	check_and_finish(&s, "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301 retry\n"
			     "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301\n"
			     "> tls-done 0304 said=00 flight=1042/3\n"
			     "> tls-appdata 0304 said=00 flight=1042/3\n");
	tell_more = false;
}

TEST(flight_with_a_hole_is_not_known)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &server13);
	add_gap(&s, DIR_S2C, 500);
	add_fill(&s, DIR_S2C, 23, 60);
	add_fill(&s, DIR_C2S, 23, 69);
	tell_more = true;
	check_and_finish(&s, "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301\n"
			     "> tls-done 0304 said=00 flight=0/0\n");
	tell_more = false;
}

TEST_MAIN
