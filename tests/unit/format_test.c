/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever is asked for: the text, its length and what is cut are those of
 * snprintf(3).
 */
#include "decoders/format.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "rules/detect.h"
#include "tests/test.h"

static void check_as(size_t cap, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
check_as(size_t cap, const char *fmt, ...)
{
	/* to the byte, so that ASan sees what goes beyond */
	char *ours = malloc(cap + 1), *theirs = malloc(cap + 1);
	va_list ap, again;
	int n, m;

	va_start(ap, fmt);
	va_copy(again, ap);
	memset(ours, 'x', cap + 1);
	memset(theirs, 'x', cap + 1);
	n = format_text_list(ours, cap, fmt, ap);
	m = vsnprintf(theirs, cap, fmt, again);
	CHECK_INT(n, m);
	CHECK(memcmp(ours, theirs, cap + 1) == 0);
	va_end(again);
	va_end(ap);
	free(ours);
	free(theirs);
}

TEST(it_is_that_of_the_c_library)
{
	/* some are empty, too long for their limit, or of other kinds */
	for (size_t cap = 0; cap < 70; cap++) {
		check_as(cap, "no part");
		check_as(cap, "%s", "");
		check_as(cap, "%s", "whole");
		check_as(cap, "%s of user \"%.80s\" in clear: %s", "PLAIN",
		    "anna@example.com", "accepted");
		check_as(cap, "%.3s|%.9s|%.0s", "abcdef", "abcdef", "abcdef");
		check_as(cap, "%u %d %d%%", UINT_MAX, INT_MIN, INT_MAX);
		check_as(cap, "%zu %lu %llu", SIZE_MAX, ULONG_MAX, ULLONG_MAX);
		check_as(cap, "%d%s%u", 0, "-", 0u);
		check_as(cap, "%5u|%-8s|%02x|%.1f", 7u, "left", 10u, 2.25);
		check_as(cap, "%s then %lld", "two", LLONG_MIN);
		check_as(cap, "%c%s", 'c', "har");
		check_as(cap, "at %02d:%02u:%02d%s", 0, 59u, 7, " UTC");
		check_as(cap, "%02d, %02d, %02u", 99, 100, 123456u);
		check_as(cap, "%s %02d and %02d", "less:", -1, INT_MIN);
		check_as(cap, "%03d %02zu|%02x", 7, (size_t)7, 171u);
		check_as(cap, "%.*s", 2, "star");
	}
}

/* Of all days that nanoseconds can say, each thirteenth. */
TEST(a_date_is_that_of_the_c_library)
{
	const int64_t day = INT64_C(86400000000000);
	char ours[16], theirs[16];

	for (int64_t d = -106751; d <= 106751; d += 13)
		for (int64_t at = d * day - 1; at <= d * day; at++) {
			time_t t = (time_t)(at / 1000000000);
			struct tm tm;

			CHECK(gmtime_r(&t, &tm) != NULL);
			strftime(theirs, sizeof(theirs), "%Y-%m-%d", &tm);
			CHECK_STR(detect_date(ours, sizeof(ours), at), theirs);
		}
}

static void
check_span(int64_t ns)
{
	char ours[32], theirs[32];
	double s = ns < 0 ? 0 : (double)ns / 1e9;

	if (s < 1)
		snprintf(theirs, sizeof(theirs), "%.0f ms", s * 1000);
	else if (s < 120)
		snprintf(theirs, sizeof(theirs), "%.1f s", s);
	else
		snprintf(theirs, sizeof(theirs), "%.0f min", s / 60);
	CHECK_STR(detect_span(ours, sizeof(ours), ns), theirs);
}

/* Halves too, which go to the even one. */
TEST(a_span_is_that_of_the_c_library)
{
	for (int64_t ns = -1000000; ns < 1200000000; ns += 499999)
		check_span(ns);
	for (int64_t ms = 0; ms <= 1100; ms++)
		check_span(ms * 1000000 + 500000);
	for (int64_t s = 100; s < 40000; s += 15)
		check_span(s * 1000000000);
	check_span(INT64_MAX);
	check_span(INT64_MIN);
}

TEST(a_text_is_made)
{
	char buf[16];

	CHECK_INT(format_text(buf, sizeof(buf), "%s %u", "port", 25u), 7);
	CHECK_STR(buf, "port 25");
	CHECK_INT(format_text(buf, 5, "%s %u", "port", 25u), 7);
	CHECK_STR(buf, "port");
}

TEST_MAIN
