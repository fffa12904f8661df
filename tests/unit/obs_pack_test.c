/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Observations go through a queue unchanged; what is none is refused. */
#include "sensor/obs_pack.h"

#include "tests/packed.h"
#include "tests/test.h"

#define FIRST ((enum obs_kind)(OBS_NONE + 1))

static struct obs
an_obs(enum obs_kind kind)
{
	struct obs o;

	memset(&o, 0, sizeof(o));
	if (kind == OBS_CAPS)
		obs_init_caps(&o, "STLS\nUSER", 9);
	else
		obs_init(&o, kind);
	o.flow = 0x0123456789abcdef;
	o.time = o.pkt.time = 1234567890123456789;
	return o;
}

static size_t
packed_size(struct obs o)
{
	size_t len;

	free(packed_bytes(&o, &len));
	return len;
}

/* Every byte of it, and none is zero. */
static struct obs
a_full_one(enum obs_kind kind)
{
	uint16_t size =
	    kind == OBS_CAPS ? (uint16_t)sizeof(struct obs) : an_obs(kind).size;
	struct obs o;

	memset(&o, 'x', sizeof(o));
	o.kind = (uint16_t)kind;
	o.size = kind == OBS_CAPS ? obs_size(kind) : size;
	if (kind == OBS_LINE)
		o.u.line.len = OBS_LINE_MAX - 1;
	CHECK(obs_check(&o, o.size));
	return o;
}

TEST(every_kind_comes_out_as_it_went_in)
{
	for (enum obs_kind k = FIRST; k < OBS_KIND_COUNT; k++) {
		struct obs o = an_obs(k);

		CHECK(packed_survives(&o));
		strcpy(o.text, "250 Ok");
		CHECK(packed_survives(&o));
		o.gap[DIR_S2C].at = 1;
		CHECK(packed_survives(&o));
		o = a_full_one(k);
		CHECK(packed_survives(&o));
	}
}

TEST(a_text_of_each_length)
{
	for (size_t n = 0; n < OBS_TEXT_MAX; n++) {
		struct obs o = an_obs(OBS_QUIT);

		memset(o.text, 't', n);
		CHECK(packed_survives(&o));
		CHECK_INT(packed_size(o), packed_size(an_obs(OBS_QUIT)) + n);
	}
}

TEST(a_name_of_each_length)
{
	for (size_t n = 0; n < OBS_NAME_MAX; n++) {
		struct obs g = an_obs(OBS_GREETING), c = an_obs(OBS_CAPS),
			   a = an_obs(OBS_AUTH),
			   h = an_obs(OBS_TLS_CLIENT_HELLO);

		memset(g.u.greeting.host, 'g', n);
		memset(c.u.caps.name, 'c', n);
		memset(a.u.auth.user, 'a', n);
		memset(h.u.hello.sni, 'h', n);
		CHECK(packed_survives(&g) && packed_survives(&c));
		CHECK(packed_survives(&a) && packed_survives(&h));
		CHECK_INT(
		    packed_size(g), packed_size(an_obs(OBS_GREETING)) + n);
	}
}

TEST(lists_of_each_length_and_of_more_than_are_kept)
{
	for (unsigned n = 0; n < OBS_TLS_LIST_MAX + 8; n++) {
		struct obs o = an_obs(OBS_TLS_CLIENT_HELLO);

		o.u.hello.nsuites = (uint16_t)n;
		o.u.hello.nexts = (uint16_t)(2 * n);
		for (unsigned i = 0; i < n && i < OBS_TLS_LIST_MAX; i++)
			o.u.hello.suites[i] = o.u.hello.exts[i] = 0x1301;
		CHECK(packed_survives(&o));
		o.u.hello.nexts = UINT16_MAX;
		CHECK(packed_survives(&o));
	}
}

/* Words end where the observation does, a line where its length says. */
TEST(what_ends_with_the_observation)
{
	static const char words[OBS_WORDS_MAX] = "SIZE\nSTARTTLS\nPIPELINING";

	for (size_t n = 0; n < sizeof(words); n++) {
		struct obs c, l = an_obs(OBS_LINE);

		obs_init_caps(&c, words, n);
		CHECK(packed_survives(&c));
		l.u.line.len = (uint16_t)(n < OBS_LINE_MAX ? n : 0);
		memset(l.u.line.bytes, 'l', l.u.line.len);
		l.size = (uint16_t)(offsetof(struct obs, u.line.bytes) +
				    l.u.line.len + 1u);
		CHECK(packed_survives(&l));
	}
}

/* A writer's mistake does not reach the reader. */
TEST(strings_without_a_nul_are_cut)
{
	struct obs o = an_obs(OBS_GREETING), out;
	uint8_t *bytes;
	size_t len;

	memset(o.text, 't', sizeof(o.text));
	memset(o.u.greeting.host, 'h', sizeof(o.u.greeting.host));
	bytes = packed_bytes(&o, &len);
	CHECK(obs_unpack(&out, bytes, len));
	CHECK_INT(strlen(out.text), OBS_TEXT_MAX - 1);
	CHECK_INT(strlen(out.u.greeting.host), OBS_NAME_MAX - 1);
	free(bytes);
}

static bool
is_taken(const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len + (len == 0));
	struct obs out;
	bool taken;

	memcpy(exact, bytes, len);
	taken = obs_unpack(&out, exact, len);
	free(exact);
	return taken;
}

TEST(bytes_that_are_too_few_or_too_many)
{
	for (enum obs_kind k = FIRST; k < OBS_KIND_COUNT; k++) {
		struct obs o = a_full_one(k);
		uint8_t *bytes, more[sizeof(struct obs) + 8] = {0};
		size_t len;

		bytes = packed_bytes(&o, &len);
		memcpy(more, bytes, len);
		for (size_t n = 0; n < len; n++)
			CHECK(!is_taken(more, n));
		CHECK(is_taken(more, len));
		for (size_t n = len + 1; n <= sizeof(more); n++)
			CHECK(!is_taken(more, n));
		free(bytes);
	}
}

/* One number in the head, or of the member, is not what the bytes are. */
TEST(lengths_that_lie)
{
	static const struct {
		enum obs_kind kind;
		size_t at; /* in the packed bytes */
		unsigned width; /* of the number */
		uint32_t given;
	} t[] = {
	    {OBS_QUIT, offsetof(struct obs, kind), 2, OBS_NONE},
	    {OBS_QUIT, offsetof(struct obs, kind), 2, OBS_KIND_COUNT},
	    {OBS_QUIT, offsetof(struct obs, kind), 2, UINT16_MAX},
	    {OBS_QUIT, offsetof(struct obs, kind), 2, OBS_AUTH},
	    {OBS_QUIT, offsetof(struct obs, size), 2, 0},
	    {OBS_QUIT, offsetof(struct obs, size), 2, UINT16_MAX},
	    {OBS_CAPS, offsetof(struct obs, size), 2, sizeof(struct obs) + 1},
	    {OBS_CAPS, offsetof(struct obs, size), 2,
		offsetof(struct obs, u.caps.words)},
	    {OBS_LINE, offsetof(struct obs, size), 2, offsetof(struct obs, u)},
	    {OBS_QUIT, offsetof(struct obs, text_len), 1, 1},
	    {OBS_QUIT, offsetof(struct obs, text_len), 1, UINT8_MAX},
	    {OBS_QUIT, offsetof(struct obs, has_gap), 1, 1},
	    {OBS_GREETING, offsetof(struct obs, name_len), 1, 1},
	    {OBS_GREETING, offsetof(struct obs, name_len), 1, UINT8_MAX},
	    {OBS_CAPS, offsetof(struct obs, name_len), 1, 1},
	    {OBS_AUTH, offsetof(struct obs, name_len), 1, UINT8_MAX},
	    {OBS_TLS_CLIENT_HELLO, offsetof(struct obs, name_len), 1, 200},
	    {OBS_TLS_CLIENT_HELLO,
		offsetof(struct obs, text) +
		    offsetof(struct obs_hello, nsuites),
		2, 1},
	    {OBS_TLS_SERVER_HELLO,
		offsetof(struct obs, text) + offsetof(struct obs_hello, nexts),
		2, UINT16_MAX},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct obs o = an_obs(t[i].kind);
		size_t len;
		uint8_t *bytes = packed_bytes(&o, &len);
		uint16_t given = (uint16_t)t[i].given;

		CHECK(is_taken(bytes, len));
		memcpy(bytes + t[i].at, &given, t[i].width);
		CHECK(!is_taken(bytes, len));
		free(bytes);
	}
}

/* As many bytes as the size says, and it is more than there is room for. */
TEST(sizes_beyond_the_struct)
{
	static uint8_t bytes[UINT16_MAX];

	for (enum obs_kind k = FIRST; k < OBS_KIND_COUNT; k++) {
		struct obs o = an_obs(k);

		for (unsigned size = sizeof(o) + 1; size <= UINT16_MAX;
		     size += 4001) {
			size_t len = packed_size(o) + size - o.size;
			struct obs lie = o;

			lie.size = (uint16_t)size;
			memcpy(bytes, &lie, offsetof(struct obs, text));
			CHECK(!is_taken(bytes, len));
		}
	}
}

TEST_MAIN
