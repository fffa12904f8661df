/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MTA-STS policies: what is one, what is none, and which of them oblige. */
#include "rules/sts_policy.h"

#include "tests/test.h"

#define NOW INT64_C(1795341794000000000)
#define HEAD "version: STSv1\r\nmode: enforce\r\n"

static int
parse(struct sts_policy *p, const char *text, char *err, size_t errlen)
{
	return sts_policy_parse(p,
	    (struct slice){(const uint8_t *)text, strlen(text)}, err, errlen);
}

TEST(policies)
{
	static const struct {
		const char *text;
		unsigned nmx; /* 0: refused */
		const char *err; /* then part of the sentence */
	} rows[] = {
	    {HEAD "mx: mx.example.net\r\nmax_age: 1\r\n", 1, ""},
	    {HEAD "mx: mx.example.net\nmx:*.Example.NET\nmax_age:  1 ", 2, ""},
	    {"max_age: 1\nmx: a.b.net\nfuture: x: y\n\n" HEAD, 1, ""},
	    {"", 0, "'version: STSv1' is missing"},
	    {"version: STSv2\n", 0, "line 1: a version"},
	    {HEAD "mx: a.net\n", 0, "'max_age' is missing"},
	    {HEAD "max_age: 1\n", 0, "'mx' is missing"},
	    {"version: STSv1\nmax_age: 1\nmx: a.net", 0, "'mode' is missing"},
	    {HEAD "mx: a.*.net\n", 0, "line 3: no name or pattern"},
	    {HEAD "mx: **.net\n", 0, "line 3: no name or pattern"},
	    {HEAD "mx: mx\n", 0, "line 3: no name or pattern"},
	    {HEAD "max_age: -1\n", 0, "line 3: no number"},
	    {HEAD "max_age: 99999999999999999999\n", 0, "line 3: no number"},
	    {"version: STSv1\nmode: Enforce\n", 0, "line 2: no mode"},
	    {"no policy", 0, "line 1: no colon"},
	    {"<html>: not found</html>\n", 0, "'version: STSv1' is missing"},
	};
	struct sts_policy p;
	char err[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err[0] = '\0';
		CHECK_INT(parse(&p, rows[i].text, err, sizeof(err)),
		    rows[i].nmx != 0 ? 0 : -1);
		CHECK(strstr(err, rows[i].err) != NULL);
		if (rows[i].nmx != 0)
			CHECK_INT(p.nmx, rows[i].nmx);
	}
}

TEST(what_is_too_much)
{
	static char text[STS_TEXT_MAX + 64];
	struct sts_policy p;
	char err[256];
	size_t used = 0;

	memset(text, '\n', STS_TEXT_MAX + 1);
	CHECK_INT(parse(&p, text, err, sizeof(err)), -1);
	memset(text, 'x', 2000);
	text[2000] = '\0';
	CHECK_INT(parse(&p, text, err, sizeof(err)), -1);
	for (unsigned i = 0; i <= STS_MX_MAX; i++)
		used += (size_t)snprintf(
		    text + used, sizeof(text) - used, "mx: m%u.a.net\n", i);
	CHECK_INT(parse(&p, text, err, sizeof(err)), -1);
	CHECK(strstr(err, "more servers") != NULL);
}

/* Only enforce obliges, and a policy takes the place of the one before. */
TEST(modes)
{
	struct pins *pins = pins_new();
	struct sts_policy p;
	char err[256];

	CHECK_INT(parse(&p, HEAD "mx: a.x.net\nmx: *.b.net\nmax_age: 60\n", err,
		      sizeof(err)),
	    0);
	CHECK_INT(sts_set_domain(&p, "*.x.net", err, sizeof(err)), -1);
	CHECK_INT(sts_set_domain(&p, "X.net", err, sizeof(err)), 0);
	CHECK_INT(sts_policy_apply(&p, pins, NOW), 2);
	CHECK_INT(sts_policy_apply(&p, pins, NOW), 2);
	CHECK_INT(pins_count(pins), 2);
	p.mode = STS_TESTING;
	CHECK_INT(sts_policy_apply(&p, pins, NOW), 0);
	CHECK_INT(pins_count(pins), 0);
	p.mode = STS_ENFORCE;
	p.max_age = 0;
	CHECK_INT(sts_policy_apply(&p, pins, NOW), 0);
	pins_free(pins);
}

TEST_MAIN
