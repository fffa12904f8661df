/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes, printable forms and the one-line form of observations. */
#include "decoders/obs.h"

#include <stdbool.h>

#include "decoders/sasl.h"
#include "tests/test.h"

static struct slice
bytes(const char *s, size_t n)
{
	return (struct slice){(const uint8_t *)s, n};
}

TEST(strings_are_printable_and_end)
{
	char out[16];

	CHECK(obs_copy_string(out, sizeof(out), bytes("a\tb\r\n", 5)));
	CHECK_STR(out, "a\\x09b");
	CHECK(obs_copy_string(out, sizeof(out), bytes("a\r\nb", 4)));
	CHECK_STR(out, "a\\r\\nb");
	CHECK(obs_copy_string(out, sizeof(out), bytes("\0\xff", 2)));
	CHECK_STR(out, "\\x00\\xff");
	CHECK(!obs_copy_string(out, 4, bytes("abcd", 4)));
	CHECK_STR(out, "abc");
	CHECK(!obs_copy_string(out, 4, bytes("a\xff", 2)));
	CHECK_STR(out, "a");
}

/* Of every length, with each kind of byte in every place. */
TEST(a_byte_is_shown_alike_wherever_it_stands)
{
	static const struct {
		uint8_t c;
		const char *shown;
	} t[] = {{' ', " "}, {'~', "~"}, {0x1f, "\\x1f"}, {0x7f, "\\x7f"},
	    {0x80, "\\x80"}, {0xff, "\\xff"}, {0, "\\x00"}};
	char in[41], out[64], want[128];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		for (size_t n = 1; n < sizeof(in); n++)
			for (size_t at = 0; at < n; at++) {
				memset(in, 'a', sizeof(in));
				in[at] = (char)t[i].c;
				snprintf(want, sizeof(want), "%.*s%s%.*s",
				    (int)at,
				    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				    "aaaaaaaa",
				    t[i].shown, (int)(n - at - 1),
				    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
				memset(out, 'x', sizeof(out));
				CHECK(obs_copy_string(
				    out, sizeof(out), bytes(in, n)));
				CHECK_STR(out, want);
			}
}

TEST(a_list_ends_with_its_observation)
{
	struct obs o;
	size_t head = offsetof(struct obs, u.caps.words);

	obs_init_caps(&o, "STLS\nUSER", 9);
	CHECK_INT(o.size, head + 10);
	CHECK_STR(o.u.caps.words, "STLS\nUSER");
	o.u.caps.words[9] = 'x';
	o.u.caps.words[10] = 'y';
	CHECK(obs_check(&o, o.size));
	CHECK_STR(o.u.caps.words, "STLS\nUSER");
	o.size = (uint16_t)head; /* not even a NUL */
	CHECK(!obs_check(&o, o.size));
	o.size = (uint16_t)(obs_size(OBS_CAPS) + 1);
	CHECK(!obs_check(&o, o.size));
	obs_init_caps(&o, (const char[OBS_WORDS_MAX]){"x"}, OBS_WORDS_MAX);
	CHECK_INT(o.size, obs_size(OBS_CAPS));
	CHECK(obs_check(&o, o.size));
}

TEST(sizes_cover_the_member_of_the_kind)
{
	struct obs o;

	CHECK_INT(obs_size(OBS_CAPS),
	    offsetof(struct obs, u) + sizeof(struct obs_caps));
	for (int k = 1; k < OBS_KIND_COUNT; k++) {
		CHECK(obs_size((enum obs_kind)k) <= sizeof(o));
		CHECK(strcmp(obs_kind_name((enum obs_kind)k), "?") != 0);
	}
	obs_init(&o, OBS_AUTH);
	CHECK_INT(o.kind, OBS_AUTH);
	CHECK_INT(o.size, obs_size(OBS_AUTH));
}

TEST(times_of_another_process_can_be_reckoned_with)
{
	static const struct {
		int64_t given, got;
	} t[] = {{INT64_MIN, 0}, {-1, 0}, {0, 0}, {OBS_TIME_MAX, OBS_TIME_MAX},
	    {OBS_TIME_MAX + 1, OBS_TIME_MAX}, {INT64_MAX, OBS_TIME_MAX}};
	struct obs o;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		obs_init(&o, OBS_FLOW_END);
		o.time = o.pkt.time = o.u.end.last = t[i].given;
		CHECK(obs_check(&o, o.size));
		CHECK_INT(o.time, t[i].got);
		CHECK_INT(o.pkt.time, t[i].got);
		CHECK_INT(o.u.end.last, t[i].got);
	}
}

TEST(form_of_a_greeting)
{
	struct obs o;
	char line[512];

	obs_init(&o, OBS_GREETING);
	o.dir = DIR_S2C;
	o.proto = PROTO_SMTP;
	o.phase = PHASE_TEXT;
	o.vis = VIS_MIDSTREAM | VIS_GAP_S2C;
	o.time = 5000000007;
	o.u.greeting.kind = GREETING_OK;
	o.u.greeting.code = 220;
	strcpy(o.u.greeting.host, "mx.example");
	strcpy(o.text, "220 mx.example");
	CHECK_STR(obs_format(line, sizeof(line), &o, true),
	    "5.000000007 greeting s2c smtp text vis=midstream,gap-s2c ok "
	    "code=220 host=\"mx.example\" text=\"220 mx.example\"");
}

TEST(form_of_capabilities_and_login)
{
	struct obs o;
	char line[512];

	obs_init(&o, OBS_CAPS);
	o.dir = DIR_S2C;
	o.proto = PROTO_POP3;
	o.u.caps.source = CAPS_CAPA;
	o.u.caps.complete = 1;
	o.u.caps.starttls = 1;
	o.u.caps.mechs = 1u << MECH_PLAIN | 1u << MECH_USERPASS;
	o.u.caps.nwords = 2;
	o.u.caps.nlines = 3;
	strcpy(o.u.caps.words, "STLS\nUSER");
	CHECK_STR(obs_format(line, sizeof(line), &o, false),
	    "caps s2c pop3 syn capa complete starttls mechs=PLAIN,USER/PASS "
	    "n=2/3 words=\"STLS|USER\"");
	obs_init(&o, OBS_AUTH);
	o.u.auth.mech = MECH_PLAIN;
	o.u.auth.outcome = AUTH_FAILED;
	o.u.auth.secret_sent = 1;
	o.u.auth.secret_id = 0x1234;
	CHECK_STR(obs_format(line, sizeof(line), &o, false),
	    "auth c2s unknown syn PLAIN failed secret_sent secret_id");
}

TEST(form_of_addresses)
{
	struct obs o;
	char line[512];

	obs_init(&o, OBS_FLOW_OPEN);
	memset(o.u.flow_open.client.b + 10, 0xff, 2);
	o.u.flow_open.client.b[12] = 192;
	o.u.flow_open.client.b[15] = 1;
	o.u.flow_open.client_port = 4000;
	o.u.flow_open.server.b[0] = 0x20;
	o.u.flow_open.server.b[1] = 0x01;
	o.u.flow_open.server_port = 25;
	CHECK_STR(obs_format(line, sizeof(line), &o, false),
	    "flow-open c2s unknown syn 192.0.0.1:4000 -> "
	    "[2001:0:0:0:0:0:0:0]:25");
}

TEST(short_buffers_are_ended_and_any_kind_is_formatted)
{
	struct obs o;
	char line[40];

	for (int k = 0; k < OBS_KIND_COUNT; k++) {
		for (size_t cap = 0; cap < sizeof(line); cap++) {
			memset(&o, 0xff, sizeof(o)); /* nothing in range */
			obs_init(&o, (enum obs_kind)k);
			memset(line, 'x', sizeof(line));
			obs_format(line, cap, &o, false);
			CHECK(cap == 0 || memchr(line, 0, cap) != NULL);
			CHECK_INT(line[cap], 'x');
		}
	}
}

TEST_MAIN
