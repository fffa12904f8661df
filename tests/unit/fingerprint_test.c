/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JA3, JA3S and JA4 of hellos made from lists, against published values: the
 * two of JA3's description, and those of JA4's description and of two sites
 * that show a fingerprint beside the lists it was made of.
 */
#include "decoders/tls_fingerprint.h"

#include <stdlib.h>

#include "decoders/tls_hello.h"
#include "tls_kit.h"

/* Lists as JA4 writes them: "002f,1301". */
static void
put_list16(struct bytes *to, const char *text)
{
	for (; *text != '\0'; text += strcspn(text, ","), text += *text == ',')
		put_be(to, (uint32_t)strtoul(text, NULL, 16), 2);
}

struct lists {
	uint16_t version;
	const char *suites, *exts, *signatures, *groups, *versions;
	const char *points; /* bytes, NULL: no list */
	const char *alpn; /* the first */
	size_t nalpn;
};

static void
put_ext(struct bytes *exts, uint16_t type, const struct lists *l)
{
	static struct bytes list, body;

	list.n = body.n = 0;
	if (type == 0) {
		put_sni(exts, "mail.example");
		return;
	}
	if (type == 10 && l->groups != NULL) {
		put_list16(&list, l->groups);
		put_vec(&body, 2, &list);
	} else if (type == 13 && l->signatures != NULL) {
		put_list16(&list, l->signatures);
		put_vec(&body, 2, &list);
	} else if (type == 11 && l->points != NULL) {
		put(&list, l->points, 1);
		put_vec(&body, 1, &list);
	} else if (type == 43) {
		put_list16(&list, l->versions);
		put_vec(&body, 1, &list);
	} else if (type == 16) {
		put_be(&list, (uint32_t)l->nalpn, 1);
		put(&list, l->alpn, l->nalpn);
		put(&list, "\x03xyz", 4);
		put_vec(&body, 2, &list);
	} else if (type == 10 || type == 13 || type == 51) {
		put_be(&body, 0, 2);
	} else if (type == 11) {
		put_be(&body, 0, 1);
	}
	put_be(exts, type, 2);
	put_vec(exts, 2, &body);
}

static void
make_hello(struct bytes *b, const struct lists *l)
{
	static struct bytes list, exts;
	struct hello_mould m = {.sid_len = 8};

	b->n = list.n = exts.n = 0;
	put_be(b, l->version, 2);
	put_random(b, &m);
	put_sid(b, &m);
	put_list16(&list, l->suites);
	put_vec(b, 2, &list);
	put_be(b, 0x0100, 2);
	list.n = 0;
	put_list16(&list, l->exts);
	for (size_t i = 0; i < list.n; i += 2)
		put_ext(&exts, (uint16_t)(list.b[i] << 8 | list.b[i + 1]), l);
	if (exts.n > 0)
		put_vec(b, 2, &exts);
}

static const struct obs_hello *
fingerprint(const struct lists *l)
{
	static struct bytes b;
	static struct obs_hello h;
	struct tls_session_id sid;

	make_hello(&b, l);
	CHECK_INT(tls_read_client_hello((struct slice){b.b, b.n}, &h, &sid),
	    TLS_READ_OK);
	tls_fingerprint_client((struct slice){b.b, b.n}, &h);
	return &h;
}

#define CHROME_SUITES                                                       \
	"1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d," \
	"002f,0035"
#define CHROME_SIGNATURES "0403,0804,0401,0503,0805,0501,0806,0601"

TEST(ja3_published)
{
	static const struct {
		struct lists l;
		const char *want;
	} t[] = {
	    {{.version = 769,
		 .suites = "002f,0035,0005,000a,c009,c00a,c013,c014,0032,0038,"
			   "0013,0004",
		 .exts = "0000,000a,000b",
		 .groups = "0017,0018,0019",
		 .points = ""},
		"ada70206e40642a3e4461f35503241d5"},
	    {{.version = 769,
		 .suites = "0004,0005,000a,0009,0064,0062,0003,0006,0013,0012,"
			   "0063",
		 .exts = ""},
		"de350869b8c85de67a350c8d186f11e6"},
	    /* the same between GREASE */
	    {{.version = 769,
		 .suites = "0a0a,002f,0035,0005,000a,c009,c00a,c013,c014,0032,"
			   "0038,0013,fafa,0004",
		 .exts = "1a1a,0000,000a,000b,aaaa",
		 .groups = "2a2a,0017,0018,0019",
		 .points = ""},
		"ada70206e40642a3e4461f35503241d5"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CHECK_STR(fingerprint(&t[i].l)->ja3, t[i].want);
}

TEST(ja4_published)
{
	static const struct {
		struct lists l;
		const char *want;
	} t[] = {
	    {{.version = 0x0303,
		 .suites = "7a7a," CHROME_SUITES,
		 .exts = "1a1a,001b,0000,0033,0010,4469,0017,002d,000d,0005,"
			 "0023,0012,002b,ff01,000b,000a,dada,0015",
		 .signatures = CHROME_SIGNATURES,
		 .versions = "5a5a,0304,0303",
		 .alpn = "h2",
		 .nalpn = 2},
		"t13d1516h2_8daaf6152771_e5627efa2ab1"},
	    {{.version = 0x0303,
		 .suites = CHROME_SUITES,
		 .exts = "0005,000a,000b,000d,0012,0017,001b,0023,002b,002d,"
			 "0033,44cd,fe0d,ff01,0000,0010",
		 .signatures = "8a8a," CHROME_SIGNATURES,
		 .versions = "0304,0303",
		 .alpn = "h2",
		 .nalpn = 2},
		"t13d1516h2_8daaf6152771_d8a2da3f94cd"},
	    {{.version = 0x0303,
		 .suites = "cca9,cca8,c030,c02f,c02c,c02b,1303,1302,1301,00ff",
		 .exts = "0033,002d,002b,0023,0017,000d,000b,000a,0005,0010,"
			 "0000",
		 .signatures = "0503,0403,0807,0806,0805,0804,0601,0501,0401",
		 .versions = "0304,0303",
		 .alpn = "h2",
		 .nalpn = 2},
		"t13d1011h2_61a7ad8aa9b6_3fcd1a44f3e3"},
	    /* nothing to hash */
	    {{.version = 0x0301, .suites = "", .exts = ""},
		"t10i000000_000000000000_000000000000"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CHECK_STR(fingerprint(&t[i].l)->ja4, t[i].want);
}

TEST(ja4_version_and_protocol)
{
	static const struct {
		uint16_t version;
		const char *versions, *alpn;
		size_t nalpn;
		const char *want; /* how it begins */
	} t[] = {
	    {0x0303, "0304", "imap", 4, "t13i0102ip_"},
	    {0x0303, "0303,0302", "h", 1, "t12i0102hh_"},
	    {0x0304, "0302,0301", "\xab", 1, "t11i0102ab_"},
	    {0x0303, "0301", "\xab\xcd", 2, "t10i0102ad_"},
	    {0x0303, "0300", "0\xab", 2, "ts3i01023b_"},
	    {0x0303, "7f1c,0304", "01\xab\xcd", 4, "t00i01023d_"},
	    {0x0303, "0a0a", "0\xab\xcd\x31", 4, "t12i010201_"},
	    {0x0303, "0304", "", 0, "t13i010200_"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct lists l = {.version = t[i].version,
		    .suites = "1301",
		    .exts = "002b,0010",
		    .versions = t[i].versions,
		    .alpn = t[i].alpn,
		    .nalpn = t[i].nalpn};
		const char *got = fingerprint(&l)->ja4;

		if (strncmp(got, t[i].want, strlen(t[i].want)) != 0)
			TEST_FAIL("row %zu: %s, not %s", i, got, t[i].want);
	}
}

/* Counted up to 99, hashed whole; nothing for what nobody sends. */
TEST(long_lists)
{
	static char up[(FINGERPRINT_LIST_MAX + 1) * 5 + 1], down[sizeof(up)];
	struct lists l = {.version = 0x0303, .suites = up, .exts = ""};
	char ja4[OBS_JA4_MAX], ja3[OBS_JA3_MAX];
	const unsigned n = FINGERPRINT_LIST_MAX;

	for (unsigned i = 0; i < n; i++) {
		snprintf(up + 5 * i, 6, "%04x,", 0xe000 + i);
		snprintf(down + 5 * i, 6, "%04x,", 0xe000 + n - 1 - i);
	}
	snprintf(ja4, sizeof(ja4), "%s", fingerprint(&l)->ja4);
	snprintf(ja3, sizeof(ja3), "%s", fingerprint(&l)->ja3);
	CHECK(strncmp(ja4, "t12i990000_", 11) == 0);
	CHECK_INT(strlen(ja3), 32);
	l.suites = down;
	CHECK_STR(fingerprint(&l)->ja4, ja4);
	CHECK(strcmp(fingerprint(&l)->ja3, ja3) != 0);
	snprintf(down + 5 * n, 6, "%04x,", 1);
	CHECK_STR(fingerprint(&l)->ja4, "");
	l.suites = "1301";
	l.exts = down;
	CHECK_STR(fingerprint(&l)->ja4, "");
}

TEST(ja3s_keeps_the_order)
{
	static struct bytes b, exts;
	struct hello_mould m = {.sid_len = 32};
	struct obs_hello h;
	struct tls_session_id sid;

	b.n = exts.n = 0;
	put_be(&b, 0x0303, 2);
	put_random(&b, &m);
	put_sid(&b, &m);
	put_be(&b, 0xc02f, 2);
	put_be(&b, 0, 1);
	put_be(&exts, 0xff01, 2);
	put_be(&exts, 0x000100, 3);
	put_be(&exts, 0x00170000, 4);
	put_vec(&b, 2, &exts);
	CHECK_INT(tls_read_server_hello((struct slice){b.b, b.n}, &h, &sid),
	    TLS_READ_OK);
	tls_fingerprint_server((struct slice){b.b, b.n}, &h);
	/* MD5 of 771,49199,65281-23 */
	CHECK_STR(h.ja3, "394441ab65754e2207b1e1b457b3641d");
	CHECK_STR(h.ja4, "");
}

/* Hellos that differ in one thing only, each known from before or not. */
TEST(what_was_seen_before_does_not_stand_for_another)
{
	static const struct lists t[] = {
	    {.version = 769, .suites = "002f,0035", .exts = "0000,000a"},
	    {.version = 770, .suites = "002f,0035", .exts = "0000,000a"},
	    {.version = 769, .suites = "002f", .exts = "0000,000a"},
	    {.version = 769, .suites = "002f,0035", .exts = "000a,0000"},
	    {.version = 769, .suites = "002f,0035", .exts = "000a"},
	    {.version = 769,
		.suites = "002f,0035",
		.exts = "0000,000a",
		.groups = "0017"},
	    {.version = 769,
		.suites = "002f,0035",
		.exts = "0000,000a,0010",
		.alpn = "imap",
		.nalpn = 4},
	    {.version = 769,
		.suites = "002f,0035",
		.exts = "0000,000a,0010",
		.alpn = "pop3",
		.nalpn = 4},
	    {.version = 769,
		.suites = "002f,0035",
		.exts = "0000,000a,000d",
		.signatures = "0401"},
	    {.version = 769,
		.suites = "002f,0035",
		.exts = "0000,000a,002b",
		.versions = "0304"},
	};
	enum { N = sizeof(t) / sizeof(t[0]) };
	struct obs_hello first[N];

	for (int i = 0; i < N; i++)
		first[i] = *fingerprint(&t[i]);
	for (int i = 0; i < N; i++) {
		const struct obs_hello *again = fingerprint(&t[i]);

		CHECK_STR(again->ja3, first[i].ja3);
		CHECK_STR(again->ja4, first[i].ja4);
		for (int j = 0; j < i; j++)
			CHECK(strcmp(first[i].ja3, first[j].ja3) != 0 ||
			      strcmp(first[i].ja4, first[j].ja4) != 0);
	}
}

TEST_MAIN
