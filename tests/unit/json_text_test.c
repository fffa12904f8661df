/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written is what jansson reads. */
#include "db/json_text.h"

#include <jansson.h>
#include <stdlib.h>

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

TEST_MAIN
