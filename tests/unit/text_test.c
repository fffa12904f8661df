/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Times typed and printed, cleaning, fitting, wrapping.
 */
#include "sensor/text.h"

#include "decoders/obs.h"
#include "tests/test.h"

#define S INT64_C(1000000000)
#define NOW (INT64_C(1795341794) * S) /* 2026-11-22 10:03:14 */

static const struct text_style utf8 = {.utf8 = true, .width = 40},
			       ascii = {.width = 40};

TEST(times_are_understood)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
	    {"2026-11-22", NOW - 36194 * S},
	    {"2026-11-22 10:03", NOW - 14 * S},
	    {"2026-11-22T10:03:14", NOW},
	    {"2026-11-22T10:03:14Z", NOW},
	    {"2026-11-22 10:03:14.512 +0000", NOW + 512000000},
	    {"2026-11-22T10:03:14,000000001z", NOW + 1},
	    {"2026-11-22 11:03:14+01:00", NOW},
	    {"2026-11-22 04:33:14-0530", NOW},
	    {"2024-02-29", INT64_C(1709164800) * S},
	    {"1970-01-01", 0},
	    {"0s", NOW},
	    {"45s", NOW - 45 * S},
	    {"2h", NOW - 7200 * S},
	    {"3d", NOW - 3 * 86400 * S},
	    {"1w", NOW - 7 * 86400 * S},
	};
	int64_t ns;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ns = -1;
		if (text_parse_time(cases[i].text, NOW, &ns) == -1)
			TEST_FAIL("%s is refused", cases[i].text);
		if (ns != cases[i].ns)
			TEST_FAIL("%s is %lld", cases[i].text, (long long)ns);
	}
}

TEST(other_words_are_no_times)
{
	static const char *const cases[] = {"", " ", "yesterday", "2026",
	    "2026-11", "2026-13-01", "2026-02-29", "2026-11-31", "2026-11-22x",
	    "2026-11-22 25:00", "2026-11-22 10", "2026-11-22 10:60",
	    "2026-11-22T10:03:14.", "2026-11-22T10:03:14+1", "2h30m", "-2h",
	    "h", "2y", "99999999999999999999d", "40000d", "1969-12-31",
	    "20261-11-22"};
	int64_t ns;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (text_parse_time(cases[i], NOW, &ns) == 0)
			TEST_FAIL("'%s' is taken", cases[i]);
}

TEST(times_are_printed)
{
	char buf[TEXT_TIME_MAX];

	CHECK_STR(
	    text_time(buf, NOW + 512999999), "2026-11-22 10:03:14.512 +0000");
	CHECK_STR(text_time_seconds(buf, -1), "1969-12-31 23:59:59");
	CHECK_STR(text_clock(buf, -1), "23:59:59.999");
	text_time(buf, INT64_MIN);
	text_time(buf, INT64_MAX);
	CHECK_STR(text_date(buf, NOW / S), "2026-11-22");
	CHECK_STR(text_date(buf, INT64_MAX), "?");
	/* RFC 5280 4.1.2.5: a certificate that does not end */
	CHECK_STR(text_date_time(buf, INT64_C(253402300799)),
	    "9999-12-31 23:59:59.000 +0000");
	CHECK_STR(text_date_time(buf, INT64_C(253402300800)), "?");
	CHECK_STR(text_date(buf, INT64_C(99999999999999)), "?");
	CHECK_STR(text_delta(buf, 2000000, 3), "+0.002");
	CHECK_STR(text_delta(buf, 2000999, 6), "+0.002000");
	CHECK_STR(text_delta(buf, -100000000, 3), "-0.100");
	CHECK_STR(text_delta(buf, 3723 * S, 3), "+1:02:03");
	CHECK_STR(text_delta(buf, (3 * 86400 + 5) * S, 3), "+3d 00:00:05");
	text_delta(buf, INT64_MIN, 6);
}

TEST(nothing_steers_the_terminal)
{
	char buf[64];

	CHECK_STR(
	    text_clean(buf, 64, "a\x1b[31m\tb\r\n\x7f", &utf8), "a?[31m?b???");
	CHECK_STR(text_clean(buf, 64,
		      "\xc2\x9b"
		      "31m",
		      &utf8),
	    "?31m");
	CHECK_STR(
	    text_clean(buf, 64, "\u202egpj.exe\u200b", &utf8), "?gpj.exe?");
	CHECK_STR(text_clean(buf, 64, "\xff\xc0\xaf\xe2\x82", &utf8), "?????");
	CHECK_STR(text_clean(buf, 64, "\xed\xa0\x80", &utf8), "???");
	CHECK_STR(text_clean(buf, 64, "München · 1 … 2 →", &utf8),
	    "München · 1 … 2 →");
	CHECK_STR(text_clean(buf, 64, "München · 1 … 2 →", &ascii),
	    "M?nchen - 1 ... 2 ->");
	/* cut between characters */
	CHECK_STR(text_clean(buf, 4, "aaü", &utf8), "aa");
	CHECK_STR(text_clean(buf, 1, "a", &utf8), "");
}

TEST(columns_are_filled_exactly)
{
	char buf[64];

	CHECK_STR(text_fit(buf, 64, "abc", 5, &utf8), "abc  ");
	CHECK_STR(text_fit(buf, 64, "abcdef", 5, &utf8), "abcd…");
	CHECK_STR(text_fit(buf, 64, "abcdef", 5, &ascii), "abcd~");
	CHECK_STR(text_fit(buf, 64, "äöüäöü", 4, &utf8), "äöü…");
	CHECK_STR(text_fit(buf, 64, "abc", 0, &utf8), "");
	CHECK_STR(text_fit(buf, 4, "a", 10, &utf8), "a  ");
	CHECK_INT(text_columns("äö…x"), 4);
}

static unsigned
wrap(char out[256], unsigned indent, const char *text)
{
	FILE *f = fmemopen(out, 256, "w");
	unsigned column;

	out[0] = '\0';
	column = text_wrap(f, &utf8, indent, text);

	fclose(f);
	return column;
}

TEST(lines_break_at_spaces)
{
	char out[256];

	CHECK_INT(wrap(out, 10, "short"), 15);
	CHECK_STR(out, "short");
	CHECK_INT(wrap(out, 10, "one two three four five six seven eight"), 21);
	CHECK_STR(out, "one two three four five six\n          seven eight");
	wrap(out, 10, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	CHECK_STR(
	    out, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n          aaaaaaaaaaaaaaa");
	CHECK_INT(wrap(out, 39, "a narrow place still has some room"), 52);
	CHECK_INT(wrap(out, 10, ""), 10);
	CHECK_STR(out, "");
}

TEST(visibility_in_words)
{
	char buf[256];

	CHECK_STR(text_visibility(buf, sizeof(buf), 0), "seen whole");
	CHECK_STR(text_visibility(buf, sizeof(buf), VIS_MIDSTREAM | VIS_CUT),
	    "its beginning not seen, its end not seen");
	text_visibility(buf, 20, UINT32_MAX);
	CHECK_INT(strlen(buf), 19);
	CHECK_STR(text_visibility(buf, 200, 0x80000000), "seen whole");
}

TEST_MAIN
