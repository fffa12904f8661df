/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written is what jansson reads. */
#include "db/json_text.h"

#include <jansson.h>
#include <stdlib.h>

#include "db/json_set.h"
#include "tests/test.h"

static const char *
text_of(const char *s)
{
	static char buf[256];
	struct json_text t = {0};
	char *p;

	jt_string(&t, s);
	p = jt_take(&t);
	CHECK(p != NULL);
	snprintf(buf, sizeof(buf), "%s", p);
	free(p);
	return buf;
}

TEST(commas_come_by_themselves)
{
	struct json_text t = {0};
	char *p;

	jt_open(&t, '{');
	jt_key(&t, "a");
	jt_open(&t, '[');
	jt_int(&t, INT64_MIN);
	jt_int(&t, 0);
	jt_open(&t, '[');
	jt_close(&t, ']');
	jt_int(&t, INT64_MAX);
	jt_close(&t, ']');
	jt_key(&t, "b");
	jt_string(&t, "");
	jt_close(&t, '}');
	p = jt_take(&t);
	CHECK_STR(p, "{\"a\":[-9223372036854775808,0,[],9223372036854775807],"
		     "\"b\":\"\"}");
	free(p);
}

TEST(strings_are_escaped_and_made_utf8)
{
	CHECK_STR(text_of("plain"), "\"plain\"");
	CHECK_STR(
	    text_of("\"\\\n\t\x01\x1f"), "\"\\\"\\\\\\n\\t\\u0001\\u001F\"");
	CHECK_STR(text_of("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
	CHECK_STR(text_of("x\xffy"), "\"x\xef\xbf\xbdy\"");
	CHECK_STR(text_of("\x7f"), "\"\x7f\"");
}

TEST(jansson_reads_every_byte)
{
	char s[2] = {0};

	for (int c = 1; c < 128; c++) {
		json_t *v;

		s[0] = (char)c;
		v = json_loads(text_of(s), JSON_DECODE_ANY, NULL);
		CHECK(v != NULL);
		CHECK_STR(json_string_value(v), s);
		json_decref(v);
	}
}

/* Bytes are looked at in eights, and the last ones one by one. */
TEST(it_does_not_matter_where_a_byte_stands)
{
	char s[24];

	for (unsigned c = 1; c < 256; c++)
		for (unsigned at = 0; at < sizeof(s) - 1; at++) {
			char want[64], one[2] = {(char)c, '\0'};
			const char *alone = text_of(one);

			memset(s, at % 2 == 0 ? 'a' : 0x7e, sizeof(s) - 1);
			s[sizeof(s) - 1] = '\0';
			s[at] = (char)c;
			(void)snprintf(want, sizeof(want), "\"%.*s%.*s%s\"",
			    (int)at, s, (int)strlen(alone) - 2, alone + 1,
			    s + at + 1);
			CHECK_STR(text_of(s), want);
		}
}

TEST(what_is_cleared_is_written_anew)
{
	struct json_text t = {0};

	CHECK_STR(jt_text(&t), "");
	jt_open(&t, '[');
	jt_int(&t, 1);
	jt_clear(&t);
	jt_int(&t, 22);
	CHECK_STR(jt_text(&t), "22");
	jt_int(&t, 3);
	CHECK_STR(jt_text(&t), "22,3");
	free(t.p);
}

TEST(long_text_grows)
{
	struct json_text t = {0};
	char *p;

	jt_open(&t, '[');
	for (int i = 0; i < 10000; i++)
		jt_int(&t, i);
	jt_close(&t, ']');
	p = jt_take(&t);
	CHECK_INT(strlen(p), 48891);
	free(p);
}

static json_t *
tree(void)
{
	return json_pack("{s:s, s:[i,I,f,b,b,n,[],{}], s:{s:s,s:[s,s]}, s:s}",
	    "plain", "text", "all of them", 7, (json_int_t)INT64_MIN, 0.25, 1,
	    0, "a \"key\"\n", "\x01\x7f/\\", "list", "caf\xc3\xa9",
	    "\xf0\x9f\x98\x80\t", "", "", "end");
}

TEST(trees_are_written_as_jansson_would)
{
	json_t *o = tree();
	char *want = json_dumps(o, JSON_COMPACT), buf[512];
	size_t n = strlen(want);

	CHECK_INT(json_write(buf, sizeof(buf), o), n);
	CHECK_STR(buf, want);
	for (size_t cap = 0; cap <= n; cap++) {
		char *part = malloc(cap + 1); /* so that ASan sees */

		CHECK_INT(json_write(part, cap, tree()), 0);
		CHECK_INT(json_line(part, cap, tree()), 0);
		free(part);
	}
	CHECK_INT(json_write(buf, n + 1, tree()), n);
	CHECK_INT(json_line(buf, n + 1, tree()), 0);
	CHECK_INT(json_line(buf, n + 2, tree()), n + 1);
	CHECK_INT(buf[n], '\n');
	CHECK_INT(json_line(buf, sizeof(buf), NULL), 0);
	free(want);
}

TEST_MAIN
