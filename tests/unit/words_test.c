/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Capability words: distance, masks, damage, lists. */
#include "rules/words.h"

#include "tests/test.h"

static struct slice
w(const char *s)
{
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

TEST(distance_counts_slips)
{
	static const struct {
		const char *a, *b;
		unsigned want;
	} t[] = {
	    {"STARTTLS", "STARTTLS", 0},
	    {"starttls", "STARTTLS", 0},
	    {"STARTTLX", "STARTTLS", 1},
	    {"SSTARTTL", "STARTTLS", 2},
	    {"STARTLS", "STARTTLS", 1},
	    {"STRATTLS", "STARTTLS", 1},
	    {"STARTTLSS", "STARTTLS", 1},
	    {"", "STLS", 4},
	    {"STLS", "", 4},
	    {"SASL", "STLS", 2},
	    {"SIZE", "STLS", 3},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CHECK_INT(words_distance(w(t[i].a), w(t[i].b)), t[i].want);
}

TEST(distance_of_long_words_is_far)
{
	char a[WORD_MAX + 2];

	memset(a, 'A', sizeof(a) - 1);
	a[sizeof(a) - 1] = '\0';
	CHECK_INT(words_distance(w(a), w("STARTTLS")), WORD_MAX);
	a[WORD_MAX] = '\0';
	CHECK_INT(words_distance(w(a), w(a)), 0);
}

TEST(masks)
{
	static const char *const yes[] = {"XXXXXXXX", "XXXXXXXA", "XXXX",
	    "xxxxxxxx", "********", "XXXXXXXXXXXXXXXC", "########", "00000000",
	    "@@@@", "AAAA", "        ", "========"};
	static const char *const no[] = {"STARTTLS", "X-EXPS", "XFORWARD",
	    "XCLIENT", "XVERP", "XX", "XXAB", "XEXCH50", "", "8BITMIME",
	    "XXXXaXXX"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!words_is_mask(w(yes[i])))
			TEST_FAIL("%s is a mask", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (words_is_mask(w(no[i])))
			TEST_FAIL("%s is no mask", no[i]);
}

TEST(damage)
{
	static const struct {
		const char *word, *want;
		enum word_damage d;
	} t[] = {
	    {"STARTTLS", "STARTTLS", WORD_FINE},
	    {"StartTls", "STARTTLS", WORD_FINE},
	    {"STARTTLX", "STARTTLS", WORD_GARBLED},
	    {"SSTARTTL", "STARTTLS", WORD_GARBLED},
	    {"STARTFOO", "STARTTLS", WORD_GARBLED},
	    {"STARTXXX", "STARTTLS", WORD_MASKED},
	    {"XTARTTLS", "STARTTLS", WORD_GARBLED},
	    {"XXXXXXXB", "STARTTLS", WORD_MASKED},
	    {"SIZE", "STARTTLS", WORD_FINE},
	    {"AUTH", "STARTTLS", WORD_FINE},
	    {"SMTPUTF8", "STARTTLS", WORD_FINE},
	    {"XSTARTTLS", "STARTTLS", WORD_FINE},
	    {"STARTTL\\xd3", "STARTTLS", WORD_GARBLED},
	    {"STARTTLS\\x00", "STARTTLS", WORD_GARBLED},
	    {"\\xff\\xff\\xff\\xff", "STARTTLS", WORD_MASKED},
	    {"ST00TTLS", "STARTTLS", WORD_MASKED},
	    {"STLX", "STLS", WORD_GARBLED},
	    {"STL", "STLS", WORD_GARBLED},
	    {"XXXX", "STLS", WORD_MASKED},
	    {"SASL", "STLS", WORD_FINE},
	    {"STAT", "STLS", WORD_FINE},
	    {"TOP", "STLS", WORD_FINE},
	    {"UIDL", "STLS", WORD_FINE},
	    {"", "STLS", WORD_FINE},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (words_damage(w(t[i].word), t[i].want) != t[i].d)
			TEST_FAIL("%s for %s", t[i].word, t[i].want);
}

TEST(lists)
{
	const char *list = "PIPELINING\nSIZE 100\n\nAUTH=PLAIN x";
	struct slice line, token;

	CHECK(words_next(&list, &line, &token));
	CHECK(words_equal(token, "PIPELINING"));
	CHECK(words_next(&list, &line, &token));
	CHECK(words_equal(token, "size") && words_equal(line, "SIZE 100"));
	CHECK(words_next(&list, &line, &token));
	CHECK(words_equal(token, "AUTH"));
	CHECK(!words_next(&list, &line, &token));
	CHECK(words_has("A\nIMAP4rev1", "IMAP4REV1"));
	CHECK(!words_has("A\nIMAP4rev1", "IMAP4"));
}

TEST(word_of_the_right_length_is_found_first)
{
	struct slice found = {NULL, 0};

	CHECK_INT(
	    words_find_damaged("XXXXA\nXXXXXXXB\nSIZE", "STARTTLS", &found),
	    WORD_MASKED);
	CHECK(words_equal(found, "XXXXXXXB"));
	CHECK_INT(words_find_damaged("SIZE\nXFORWARD NAME", "STARTTLS", &found),
	    WORD_FINE);
}

TEST(word_in_two_and_word_of_blanks)
{
	struct slice found = {NULL, 0};

	CHECK_INT(words_find_damaged("SIZE 1\nSTART TLS", "STARTTLS", &found),
	    WORD_GARBLED);
	CHECK(words_equal(found, "START TLS"));
	CHECK_INT(words_find_damaged("SIZE 1\n        ", "STARTTLS", &found),
	    WORD_MASKED);
	CHECK_INT(found.len, 8);
	CHECK_INT(words_find_damaged("SIZE\n========\nX", "STARTTLS", &found),
	    WORD_MASKED);
	CHECK_INT(
	    words_find_damaged("SASL TLS\nTOP", "STLS", &found), WORD_FINE);
}

TEST(words_missing_of_a_list)
{
	CHECK_INT(words_missing("A\nSTARTTLS\nAUTH=PLAIN", "a\nAUTH=PLAIN"), 0);
	CHECK_INT(words_missing("A\nLOGINDISABLED\nID", "A\nID"), 0);
	CHECK_INT(words_missing("A\nSTARTTLS\nAUTH=PLAIN\nIDLE", "A"), 2);
	CHECK_INT(words_missing("", "A"), 0);
}

TEST(words_lost_of_a_list)
{
	char many[600] = "";
	struct words_lost lost;

	words_lost(
	    &lost, "SIZE 100\nSTARTTLS\nCHUNKING", "SIZE 200\nXXXXXXXA", 8);
	CHECK_INT(lost.n, 2);
	CHECK(lost.as_long);
	CHECK_STR(lost.names, "STARTTLS, CHUNKING");
	words_lost(&lost, "SIZE\nCHUNKING", "size\nXXXXA", 5);
	CHECK_INT(lost.n, 1);
	CHECK(!lost.as_long);
	words_lost(&lost, "", "SIZE", 4);
	CHECK_INT(lost.n, 0);
	CHECK_STR(lost.names, "");
	for (int i = 0; i < 40; i++)
		(void)strcat(many, "CAPABILITY\n");
	words_lost(&lost, many, "SIZE", 4);
	CHECK_INT(lost.n, 40);
	CHECK(strlen(lost.names) < sizeof(lost.names));
}

TEST_MAIN
