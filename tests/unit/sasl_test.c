/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SASL exchanges, base64 and the keyed hash behind them. */
#include "decoders/sasl.h"

#include <stdbool.h>

#include "decoders/base64.h"
#include "decoders/siphash.h"
#include "tests/test.h"

static const uint8_t key[16] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static struct slice
str(const char *s)
{
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

/* The vectors of the paper's appendix: messages 00, 01, ... of n bytes. */
TEST(siphash_gives_the_published_values)
{
	uint8_t in[16];

	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	CHECK(siphash(key, (struct slice){in, 0}) == 0x726fdb47dd0e0e31);
	CHECK(siphash(key, (struct slice){in, 8}) == 0x93f5f5799a932462);
	CHECK(siphash(key, (struct slice){in, 15}) == 0xa129ca6149be45e5);
}

TEST(base64_decodes_what_clients_send)
{
	static const struct {
		const char *in, *out;
		bool ok;
	} t[] = {
	    {"", "", true},
	    {"YQ==", "a", true},
	    {"YQ", "a", true},
	    {"YWI=", "ab", true},
	    {"YWJj", "abc", true},
	    {"YWJjZA==", "abcd", true},
	    {"YWJ*", "", false},
	    {"A", "", false},
	    {"pass word", "", false},
	};
	uint8_t out[16];
	size_t len;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		bool ok = base64_decode(str(t[i].in), out, sizeof(out), &len);

		CHECK_INT(ok, t[i].ok);
		if (!t[i].ok)
			continue;
		CHECK_INT(len, strlen(t[i].out));
		CHECK(memcmp(out, t[i].out, len) == 0);
	}
}

TEST(base64_stops_at_the_end_of_its_buffer)
{
	uint8_t out[2] = {0, 0xee};
	size_t len;

	CHECK(base64_decode(str("YWJjZGVm"), out, 1, &len));
	CHECK_INT(len, 1);
	CHECK_INT(out[1], 0xee);
}

TEST(mechanisms_by_name)
{
	CHECK_INT(sasl_mech_parse(str("plain")), MECH_PLAIN);
	CHECK_INT(sasl_mech_parse(str("Cram-MD5")), MECH_CRAM_MD5);
	CHECK_INT(sasl_mech_parse(str("SCRAM-SHA-256-PLUS")), MECH_SCRAM);
	CHECK_INT(sasl_mech_parse(str("GSS-SPNEGO")), MECH_GSSAPI);
	CHECK_INT(sasl_mech_parse(str("XYZZY")), MECH_OTHER);
	CHECK_INT(sasl_mech_parse(str("")), MECH_NONE);
	for (int i = 0; i < MECH_COUNT; i++)
		CHECK(strcmp(sasl_mech_name((enum sasl_mech)i), "?") != 0);
}

struct exchange {
	const char *mech, *responses[4];
	const char *user;
	int secret_len; /* 0: none */
	bool proof;
	enum auth_outcome if_refused;
};

static const struct exchange exchanges[] = {
    {"PLAIN", {"AGFsaWNlAHMzY3JldHB3"}, "alice", 8, false, AUTH_FAILED},
    {"PLAIN", {"AGFsaWNlAA=="}, "alice", 0, false, AUTH_ABORTED},
    {"PLAIN", {"="}, "", 0, false, AUTH_ABORTED},
    {"PLAIN", {"*"}, "", 0, false, AUTH_ABORTED},
    {"PLAIN", {"my raw pw"}, "", 9, false, AUTH_FAILED},
    {"LOGIN", {"YWxpY2U=", "czNjcmV0cHc="}, "alice", 8, false, AUTH_FAILED},
    {"LOGIN", {"YWxpY2U="}, "alice", 0, false, AUTH_ABORTED},
    {"LOGIN", {"YWxpY2U=", "*"}, "alice", 0, false, AUTH_ABORTED},
    {"CRAM-MD5", {"YWxpY2UgYWJj"}, "alice", 0, true, AUTH_FAILED},
    {"EXTERNAL", {"YWxpY2U="}, "alice", 0, false, AUTH_ABORTED},
    {"ANONYMOUS", {"YWxpY2U="}, "alice", 0, false, AUTH_ABORTED},
    {"SCRAM-SHA-1", {"bixuPWFsaWNlLHI9eA==", "Yz1iaXdz"}, "", 0, true,
	AUTH_FAILED},
    {"GSSAPI", {"YIIB"}, "", 0, true, AUTH_FAILED},
    {"NTLM", {"TlRMTVNTUAABAAAA"}, "", 0, false, AUTH_ABORTED},
};

TEST(exchanges_show_user_and_length_but_no_secret)
{
	for (size_t i = 0; i < sizeof(exchanges) / sizeof(*exchanges); i++) {
		const struct exchange *e = &exchanges[i];
		struct sasl s;

		sasl_start(&s, str(e->mech));
		for (int r = 0; e->responses[r] != NULL; r++)
			sasl_response(&s, str(e->responses[r]), 0, key);
		if (e->user[0] != '\0')
			CHECK_STR(s.auth.user, e->user);
		CHECK_INT(s.auth.secret_len, e->secret_len);
		CHECK_INT(s.auth.secret_sent, e->secret_len > 0);
		CHECK_INT(s.auth.secret_id != 0, e->secret_len > 0);
		CHECK_INT(s.auth.response_sent, e->proof);
		CHECK(memmem(&s, sizeof(s), "s3cretpw", 8) == NULL);
		CHECK(memmem(&s, sizeof(s), "my raw pw", 9) == NULL);
		sasl_finish(&s, false, 535);
		CHECK_INT(s.auth.outcome, e->if_refused);
	}
}

TEST(same_secret_same_id_whatever_the_mechanism)
{
	static const uint8_t other[16] = {9};
	struct sasl a, b, c, d;

	sasl_start(&a, str("PLAIN"));
	sasl_response(&a, str("AGFsaWNlAHMzY3JldHB3"), 0, key);
	sasl_start(&b, str("LOGIN"));
	sasl_response(&b, str("Ym9i"), 0, key);
	sasl_response(&b, str("czNjcmV0cHc="), 0, key);
	sasl_start_as(&c, MECH_IMAP_LOGIN, "LOGIN");
	sasl_secret(&c, str("s3cretpw"), 0, key);
	sasl_start_as(&d, MECH_IMAP_LOGIN, "LOGIN");
	sasl_secret(&d, str("s3cretpw"), 0, other);
	CHECK(a.auth.secret_id == b.auth.secret_id);
	CHECK(a.auth.secret_id == c.auth.secret_id);
	CHECK(a.auth.secret_id != d.auth.secret_id);
}

TEST(lines_that_belong_to_the_exchange)
{
	struct sasl s;

	sasl_start(&s, str("LOGIN"));
	CHECK(sasl_takes_line(&s)); /* sent ahead: two */
	sasl_response(&s, str("YWxpY2U="), 0, key);
	CHECK(sasl_takes_line(&s));
	sasl_response(&s, str("czNjcmV0cHc="), 0, key);
	CHECK(!sasl_takes_line(&s));
	s.challenged = 1; /* asked for once more */
	CHECK(sasl_takes_line(&s));
	sasl_response(&s, str("*"), 0, key);
	CHECK(!sasl_takes_line(&s));
	sasl_finish(&s, false, 501);
	CHECK(!sasl_takes_line(&s));
}

TEST(names_that_are_no_mechanism_are_masked)
{
	struct sasl s;

	sasl_start(&s, str("XYZZY-1"));
	CHECK_STR(s.auth.mech_name, "XYZZY-1");
	sasl_start(&s, str("hunter2!"));
	CHECK_STR(s.auth.mech_name, OBS_MASK);
}

TEST_MAIN
