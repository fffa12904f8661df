/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * content, pcre and their modifiers, as Suricata documents them: for each what
 * matches and what does not. The whole way through the engine, so that what is
 * searched for beforehand is tested too.
 */
#include "tests/unit/engine_kit.h"

static const struct row {
	const char *options; /* behind smtp.command; */
	const char *yes[4], *no[4]; /* lines of the client */
} rows[] = {
    {"content:\"EHLO\";", {"EHLO a", "x EHLO"}, {"ehlo a", "HELO", ""}},
    {"content:\"EHLO\"; nocase;", {"EHLO a", "eHlO"}, {"HELO", "EHL"}},
    {"content:\"eHlo\"; nocase;", {"EHLO a", "ehlo"}, {"HELO"}},
    {"content:\"|41 20|b\";", {"A b", "xA bx"}, {"a b", "Ab"}},
    {"content:\"|4142|\";", {"AB"}, {"A B"}},
    {"content:\"a\\;b\\\"c\\\\d\\:e|3b|\";", {"a;b\"c\\d:e;"}, {"a;b"}},
    {"content:!\"EHLO\";", {"HELO", ""}, {"EHLO"}},
    {"content:\"a\"; content:!\"b\";", {"a", "ca"}, {"ab", "b", "ba"}},
    /* places counted from the start */
    {"content:\"b\"; offset:1;", {"ab", "aab", "bb"}, {"ba", "b"}},
    {"content:\"b\"; depth:2;", {"b", "ab"}, {"aab"}},
    {"content:\"b\"; offset:2; depth:2;", {"aab", "aaab", "bbbb"},
	{"ab", "aaaab", "bb"}},
    {"content:\"ab\"; startswith;", {"ab", "abc"}, {"cab", "a"}},
    {"content:\"ab\"; endswith;", {"ab", "cab", "abab"}, {"abc", "a"}},
    {"content:\"ab\"; startswith; endswith;", {"ab"}, {"abab", "abc"}},
    {"content:\"a\"; endswith; nocase;", {"bA"}, {"Ab"}},
    {"content:!\"ab\"; startswith;", {"cab", ""}, {"ab", "abc"}},
    {"content:!\"ab\"; endswith;", {"abc"}, {"ab", "cab"}},
    /* places counted from the content before */
    {"content:\"a\"; content:\"b\"; distance:0;", {"ab", "acb", "bab"},
	{"ba", "a"}},
    {"content:\"a\"; content:\"b\"; distance:2;", {"accb", "abccb"},
	{"ab", "acb"}},
    {"content:\"a\"; content:\"b\"; distance:-1;", {"ab"}, {"b", "a"}},
    {"content:\"ab\"; content:\"bc\"; distance:-1;", {"abc"}, {"ab", "bc"}},
    {"content:\"a\"; content:\"b\"; within:1;", {"ab", "cab"}, {"acb", "ba"}},
    {"content:\"a\"; content:\"bb\"; within:3;", {"abb", "acbb"}, {"accbb"}},
    {"content:\"a\"; content:\"b\"; distance:1; within:2;", {"acb", "accb"},
	{"ab", "acccb"}},
    {"content:\"a\"; content:!\"b\"; within:2;", {"a", "accb"}, {"ab", "acb"}},
    /* the first match leads nowhere, the second does */
    {"content:\"a\"; content:\"b\"; within:1; content:\"c\"; within:1;",
	{"abc", "abxabc", "aabc"}, {"abxac", "abac"}},
    {"content:\"x\"; content:\"x\"; distance:0; content:\"x\"; distance:0;",
	{"xxx", "axbxcx"}, {"xx", "x"}},
    {"content:\"a\"; pcre:\"/b[0-9]/R\"; content:\"c\"; within:1;",
	{"ab1c", "ab1ab2c"}, {"b1ca", "ab1"}},
    /* several that are free of each other */
    {"content:\"a\"; content:\"b\";", {"ab", "ba"}, {"a", "b"}},
    {"content:\"aa\"; content:\"a\";", {"aa"}, {"a"}},
    {"content:\"longer one\"; fast_pattern; content:\"s\";", {"s longer one"},
	{"longer one", "s"}},
    {"content:\"longer one\"; content:\"s\"; fast_pattern:only;",
	{"s longer one"}, {"longer one"}},
    {"content:\"a\"; rawbytes;", {"a"}, {"b"}},
    /* size and presence */
    {"content:\"a\"; bsize:3;", {"abc"}, {"ab", "abcd"}},
    {"content:\"a\"; bsize:>3;", {"abcd"}, {"abc"}},
    {"content:\"a\"; bsize:<3;", {"ab"}, {"abc"}},
    {"content:\"a\"; bsize:2<>5;", {"abc", "abcd"}, {"ab", "abcde"}},
    {"content:\"a\"; bsize:!3;", {"ab"}, {"abc"}},
    {"bsize:>8;", {"123456789"}, {"12345678"}},
    {"content:\"a\"; isdataat:3;", {"a123"}, {"a12"}},
    {"content:\"a\"; isdataat:!3;", {"a12"}, {"a123"}},
    {"content:\"a\"; isdataat:1,relative;", {"ab"}, {"a", "ba"}},
    {"content:\"a\"; isdataat:!1,relative;", {"a", "ba"}, {"ab"}},
    {"content:\"a\"; isdataat:3,relative;", {"a123"}, {"a12"}},
    /* pcre */
    {"pcre:\"/^EHLO\\s+[0-9]/\";", {"EHLO 1"}, {"EHLO a", "ehlo 1"}},
    {"pcre:\"/^ehlo/i\";", {"EHLO 1"}, {"HELO"}},
    {"pcre:!\"/^ehlo/i\";", {"HELO"}, {"EHLO 1"}},
    {"content:\"RCPT\"; pcre:\"/<[^>]{5,}>/\";", {"RCPT <abcde>"},
	{"RCPT <abcd>", "<abcde>"}},
    {"content:\"a\"; pcre:\"/b/R\";", {"ab", "ba b"}, {"ba"}},
    {"pcre:\"/a.c/s\";", {"abc"}, {"ac"}},
    {"pcre:\"/a b c/x\";", {"abc"}, {"a b c"}},
    {"pcre:\"/a\\/b\\;c\\\"d/\";", {"a/b;c\"d"}, {"ab"}},
    {"pcre:\"/b/A\";", {"ba"}, {"ab"}},
    /* transforms */
    {"to_lowercase; content:\"abc\";", {"ABC", "aBcd"}, {"AB C"}},
    {"to_uppercase; content:\"ABC\";", {"abc"}, {"ab"}},
    {"strip_whitespace; content:\"abc\";", {"a b c", "abc"}, {"ab"}},
    {"dotprefix; content:\".example.org\"; endswith;",
	{"example.org", "mx.example.org"}, {"badexample.org"}},
};

static unsigned
alerts_on(const char *options, const char *line)
{
	static struct kit k;
	char text[1024];
	unsigned n;

	(void)snprintf(text, sizeof(text),
	    "alert smtp any any -> any any (msg:\"m\"; smtp.command; %s "
	    "sid:1;)\n",
	    options);
	kit_init(&k, text);
	kit_command(&k, line);
	n = kit_new(&k);
	kit_fini(&k);
	return n;
}

static void
check_rows(void)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		for (unsigned j = 0; j < 4 && r->yes[j] != NULL; j++)
			if (alerts_on(r->options, r->yes[j]) != 1)
				TEST_FAIL("%s should match '%s'", r->options,
				    r->yes[j]);
		for (unsigned j = 0; j < 4 && r->no[j] != NULL; j++)
			if (alerts_on(r->options, r->no[j]) != 0)
				TEST_FAIL("%s should not match '%s'",
				    r->options, r->no[j]);
	}
}

TEST(content_matches_as_documented)
{
	check_rows();
}

/* All of them in one set: many patterns, found by one search. */
TEST(content_matches_the_same_among_many)
{
	static struct kit k;
	static char text[32768];
	size_t used = 0;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "alert smtp any any -> any any (msg:\"m\"; smtp.command; "
		    "%s sid:%u;)\n",
		    rows[i].options, i + 1);
	kit_init(&k, text);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned j = 0; j < 8; j++) {
			const char *line =
			    j < 4 ? rows[i].yes[j] : rows[i].no[j - 4];

			if (line == NULL)
				continue;
			kit_command(&k, line);
			if (kit_of(&k, i + 1) != (j < 4))
				TEST_FAIL("%s and '%s'", rows[i].options, line);
			(void)kit_new(&k);
		}
	kit_fini(&k);
}

TEST(content_of_binary_bytes)
{
	static struct kit k;
	static const uint8_t bytes[] = {0xff, 0x00, 'a', 0x80};

	kit_init(&k, "alert smtp any any -> any any (smtp.command; "
		     "content:\"|ff 00|a\"; startswith; sid:1;)\n"
		     "alert smtp any any -> any any (smtp.command; "
		     "pcre:\"/\\x80$/\"; sid:2;)\n"
		     "alert smtp any any -> any any (smtp.command; "
		     "content:\"A|80|\"; nocase; sid:3;)\n");
	kit_bytes(&k, LINE_COMMAND, (struct slice){bytes, sizeof(bytes)});
	CHECK_INT(kit_new(&k), 3);
	kit_fini(&k);
}

/* A pattern made to be slow is given up, and counted. */
TEST(pcre_is_bounded)
{
	static struct kit k;
	char line[800];

	memset(line, 'a', sizeof(line) - 1);
	memcpy(line + sizeof(line) - 2, "!", 2);
	kit_init(&k, "alert smtp any any -> any any (smtp.command; "
		     "pcre:\"/^(a+)+$/\"; sid:1;)\n"
		     "alert smtp any any -> any any (smtp.command; "
		     "pcre:\"/^(a|aa)+$/\"; sid:2;)\n");
	kit_command(&k, line);
	CHECK_INT(kit_new(&k), 0);
	CHECK(engine_counters(k.e)->pcre_limits > 0);
	kit_fini(&k);
}

TEST(content_is_bounded)
{
	static struct kit k;
	char line[900];

	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	kit_init(&k,
	    "alert smtp any any -> any any (smtp.command; content:\"a\"; "
	    "content:\"a\"; distance:0; content:\"a\"; distance:0; "
	    "content:\"a\"; distance:0; content:\"b\"; distance:0; sid:1;)\n"
	    "alert smtp any any -> any any (smtp.command; content:\"a\"; "
	    "content:\"a\"; distance:0; content:\"a\"; distance:0; "
	    "content:!\"a\"; within:5; bsize:1; sid:2;)\n");
	kit_command(&k, line);
	CHECK_INT(kit_new(&k), 0);
	kit_fini(&k);
}

TEST_MAIN
