/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The list of intercepting products: the one that is shipped, every mistake
 * that a list can hold, and what a name makes of it.
 */
#include "rules/interceptors.h"

#include <stdlib.h>

#include "tests/unit/rule_help.h"

static struct report r;

static struct interceptors *
read_list(const char *text)
{
	struct slice s = {(const uint8_t *)text, strlen(text)};

	r.n = 0;
	return interceptors_parse("t", s, on_error, &r);
}

#define GOOD "Good Proxy\tGood\tgateway\n"

static const struct mistake {
	const char *text;
	unsigned line, column;
	const char *message;
} mistakes[] = {
    {GOOD "Some Proxy", 2, 11, "product expected"},
    {"Some Proxy\tSome\n", 1, 16, "the kind must be tool, gateway or"},
    {"Some Proxy\t\ttool\n", 1, 12, "product expected"},
    {"\n# x\nSome Proxy\tSome\tfirewall\n", 3, 17, "the kind must be"},
    {"Some Proxy\tSome\tTool\n", 1, 17, "the kind must be"},
    {"Some Proxy\tSome\ttool\tmore\n", 1, 17, "the kind must be"},
    {"Some Proxy   Some   tool\n", 1, 25, "product expected"},
    {"abc\tSome\ttool\n", 1, 1, "at least 4 characters"},
    {"01234567890123456789012345678901234567890123456789012345678901234"
     "\tSome\ttool\n",
	1, 1, "words: at most 64 characters"},
    {"Some\t012345678901234567890123456789012345678901234567\ttool\n", 1, 6,
	"product: at most 47 characters"},
    {"Some\tA\033[31m\ttool\n", 1, 6, "product: a character that cannot"},
    {"Some\xff\tA\ttool\n", 1, 1, "words: a character that cannot"},
    {GOOD "a good proxy\tOther\ttool\n", 2, 1, "never reached: \"Good Proxy\""},
    {"Some Proxy\tSome\ttool \\\n", 1, 22, "the file ends after a backslash"},
};

TEST(mistakes_are_placed)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		const struct mistake *m = &mistakes[i];

		CHECK(read_list(m->text) == NULL);
		if (r.n == 0 || r.e[0].line != m->line ||
		    r.e[0].column != m->column ||
		    strstr(r.e[0].message, m->message) == NULL)
			TEST_FAIL("row %zu: %u mistakes, %u:%u: %s", i, r.n,
			    r.e[0].line, r.e[0].column, r.e[0].message);
	}
}

TEST(all_mistakes_in_one_run)
{
	CHECK(read_list("x\tA\ttool\nabcd\tB\n" GOOD "abcde\tC\tthing\n") ==
	      NULL);
	CHECK_INT(r.n, 3);
}

TEST(a_list_without_end)
{
	size_t line = sizeof("name 00000 \tA\ttool\n") - 1, used = 0;
	char *text = malloc((INTERCEPTORS_MAX + 1) * line + 1);
	struct interceptors *l;

	for (unsigned i = 0; i <= INTERCEPTORS_MAX; i++)
		used +=
		    (size_t)sprintf(text + used, "name %05u \tA\ttool\n", i);
	CHECK(read_list(text) == NULL);
	CHECK_INT(r.n, 1);
	text[INTERCEPTORS_MAX * line] = '\0';
	l = read_list(text);
	CHECK(l != NULL && interceptors_count(l) == INTERCEPTORS_MAX);
	interceptors_free(l);
	free(text);
}

static unsigned
kind_of(const struct interceptors *l, const char *issuer, const char *subject)
{
	static struct x509_facts leaf;
	const struct interceptor *i;

	snprintf(leaf.issuer, sizeof(leaf.issuer), "%s", issuer);
	snprintf(leaf.subject, sizeof(leaf.subject), "%s", subject);
	i = interceptors_find(l, &leaf);
	return i == NULL ? ICPT_NONE : i->kind;
}

TEST(names)
{
	struct interceptors *l =
	    read_list("\xef\xbb\xbf# a comment\r\n\r\n"
		      "Long Good Proxy \t Long \t tool\r\n"
		      "  " GOOD "Shield\tShield\tendpoint");

	CHECK(l != NULL);
	CHECK_INT(interceptors_count(l), 3);
	CHECK_INT(kind_of(l, "CN=x,O=Good Proxy", "CN=a"), ICPT_GATEWAY);
	CHECK_INT(kind_of(l, "CN=x,O=GOOD PROXY Inc.", "CN=a"), ICPT_GATEWAY);
	CHECK_INT(kind_of(l, "CN=mail shield", "CN=a"), ICPT_ENDPOINT);
	/* the first one that fits */
	CHECK_INT(kind_of(l, "CN=Long Good Proxy", "CN=a"), ICPT_TOOL);
	/* a device of its own: silent; a tool never is */
	CHECK_INT(kind_of(l, "O=Good Proxy", "CN=x,O=good proxy"), ICPT_NONE);
	CHECK_INT(
	    kind_of(l, "O=Long Good Proxy", "O=Long Good Proxy"), ICPT_TOOL);
	CHECK_INT(kind_of(l, "CN=Good,O=Proxy", "CN=a"), ICPT_NONE);
	CHECK_INT(kind_of(l, "", ""), ICPT_NONE);
	CHECK_INT(kind_of(NULL, "CN=x,O=Good Proxy", "CN=a"), ICPT_NONE);
	interceptors_free(l);
}

TEST(the_shipped_list)
{
	const struct rule_sources src = {
	    .path = "interceptors.list", .on_error = on_error, .ctx = &r};
	char err[300] = "";
	int sys = 0;
	struct interceptors *l;

	r.n = 0;
	l = interceptors_load(&src, &sys, err, sizeof(err));
	if (l == NULL)
		TEST_FAIL("%s%s", err, r.n > 0 ? r.e[0].message : "");
	CHECK_INT(kind_of(l, "CN=mitmproxy,O=mitmproxy", "CN=a"), ICPT_TOOL);
	CHECK_INT(
	    kind_of(l, "CN=FG100D,O=Fortinet,C=US", "CN=a"), ICPT_GATEWAY);
	CHECK_INT(kind_of(l, "CN=avast! Web/Mail Shield Root", "CN=a"),
	    ICPT_ENDPOINT);
	CHECK_INT(kind_of(l, "CN=R11,O=Let's Encrypt,C=US", "CN=a"), ICPT_NONE);
	CHECK_INT(kind_of(l, "CN=DigiCert TLS RSA SHA256 2020 CA1", "CN=a"),
	    ICPT_NONE);
	interceptors_free(l);
}

TEST(a_list_that_cannot_be_read)
{
	const struct rule_sources src = {
	    .path = "/nonexistent/x", .on_error = on_error, .ctx = &r};
	char err[300] = "";
	int sys = 0;

	CHECK(interceptors_load(&src, &sys, err, sizeof(err)) == NULL);
	CHECK_INT(sys, -1);
	CHECK(strstr(err, "/nonexistent/x: No such file") != NULL);
}

TEST_MAIN
