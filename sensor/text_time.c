/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Times for people, and times that people type. UTC throughout, and it says
 * so: two sensors and a mail log are compared more easily that way.
 */
#include "sensor/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)
#define MS INT64_C(1000000)
#define DAY 86400
#define LONGEST (INT64_C(36525) * DAY) /* seconds: a century is enough */

/* Rounds down, also before 1970. */
static int64_t
split(int64_t ns, int *ms)
{
	int64_t s = ns / SECOND, rest = ns % SECOND;

	if (rest < 0) {
		rest += SECOND;
		s--;
	}
	*ms = (int)(rest / MS);
	return s;
}

static int
broken_down(int64_t ns, struct tm *tm)
{
	int ms;
	time_t t = (time_t)split(ns, &ms);

	memset(tm, 0, sizeof(*tm));
	gmtime_r(&t, tm);
	return ms;
}

char *
text_time(char buf[TEXT_TIME_MAX], int64_t ns)
{
	char day[24];
	struct tm tm;
	int ms = broken_down(ns, &tm);

	strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(buf, TEXT_TIME_MAX, "%s.%03d +0000", day, ms);
	return buf;
}

char *
text_time_seconds(char buf[TEXT_TIME_MAX], int64_t ns)
{
	struct tm tm;

	broken_down(ns, &tm);
	strftime(buf, TEXT_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}

/* Certificates hold any number; years beyond 9999 are not shown. */
static bool
can_be_shown(int64_t seconds, struct tm *tm)
{
	time_t t = (time_t)seconds;

	return gmtime_r(&t, tm) != NULL && tm->tm_year <= 9999 - 1900;
}

char *
text_date(char buf[TEXT_TIME_MAX], int64_t seconds)
{
	struct tm tm;

	if (!can_be_shown(seconds, &tm) ||
	    strftime(buf, TEXT_TIME_MAX, "%Y-%m-%d", &tm) == 0)
		snprintf(buf, TEXT_TIME_MAX, "?");
	return buf;
}

char *
text_date_time(char buf[TEXT_TIME_MAX], int64_t seconds)
{
	struct tm tm;

	if (!can_be_shown(seconds, &tm) ||
	    strftime(buf, TEXT_TIME_MAX, "%Y-%m-%d %H:%M:%S.000 +0000", &tm) ==
		0)
		snprintf(buf, TEXT_TIME_MAX, "?");
	return buf;
}

char *
text_clock(char buf[TEXT_TIME_MAX], int64_t ns)
{
	struct tm tm;
	int ms = broken_down(ns, &tm);

	snprintf(buf, TEXT_TIME_MAX, "%02d:%02d:%02d.%03d", tm.tm_hour,
	    tm.tm_min, tm.tm_sec, ms);
	return buf;
}

char *
text_delta(char buf[TEXT_TIME_MAX], int64_t ns, unsigned digits)
{
	char sign = ns < 0 ? '-' : '+';
	uint64_t u = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	uint64_t s = u / (uint64_t)SECOND;
	unsigned h = (unsigned)(s / 3600 % 24), m = (unsigned)(s / 60 % 60);
	unsigned rest = (unsigned)(s % 60);

	uint64_t part = u % (uint64_t)SECOND / (digits > 3 ? 1000 : MS);

	if (s < 1000)
		snprintf(buf, TEXT_TIME_MAX, "%c%u.%0*u", sign, (unsigned)s,
		    digits > 3 ? 6 : 3, (unsigned)part);
	else if (s < DAY)
		snprintf(
		    buf, TEXT_TIME_MAX, "%c%u:%02u:%02u", sign, h, m, rest);
	else
		snprintf(buf, TEXT_TIME_MAX, "%c%llud %02u:%02u:%02u", sign,
		    (unsigned long long)(s / DAY), h, m, rest);
	return buf;
}

/* ---- typed times ---- */

static int
parse_relative(const char *s, int64_t now, int64_t *ns)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {
	    {'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY}, {'w', 7 * DAY}};
	char *end;
	long n;

	if (!isdigit((unsigned char)s[0]))
		return -1;
	n = strtol(s, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end[0] != units[i].unit || end[1] != '\0')
			continue;
		if (n > LONGEST / units[i].seconds)
			return -1;
		*ns = now - n * units[i].seconds * SECOND;
		return 0;
	}
	return -1;
}

/* Exactly `digits` digits within lo..hi; moves *s. */
static int
number(const char **s, unsigned digits, int lo, int hi)
{
	int v = 0;

	for (unsigned i = 0; i < digits; i++, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return -1;
		v = v * 10 + (**s - '0');
	}
	return v >= lo && v <= hi ? v : -1;
}

static int
literal(const char **s, char c)
{
	if (**s != c)
		return -1;
	(*s)++;
	return 0;
}

static int
parse_date(const char **s, struct tm *tm)
{
	int y = number(s, 4, 1970, 2199), m, d;

	if (y == -1 || literal(s, '-') == -1 ||
	    (m = number(s, 2, 1, 12)) == -1 || literal(s, '-') == -1 ||
	    (d = number(s, 2, 1, 31)) == -1)
		return -1;
	tm->tm_year = y - 1900;
	tm->tm_mon = m - 1;
	tm->tm_mday = d;
	return 0;
}

static int
parse_fraction(const char **s, int64_t *ns)
{
	int64_t unit = SECOND / 10;

	*ns = 0;
	if (**s != '.' && **s != ',')
		return 0;
	if (!isdigit((unsigned char)*++*s))
		return -1;
	for (; isdigit((unsigned char)**s); (*s)++, unit /= 10)
		*ns += unit * (**s - '0');
	return 0;
}

static int
parse_clock(const char **s, struct tm *tm, int64_t *ns)
{
	*ns = 0;
	if (**s != 'T' && **s != 't' && **s != ' ')
		return 0;
	(*s)++;
	if ((tm->tm_hour = number(s, 2, 0, 23)) == -1 ||
	    literal(s, ':') == -1 || (tm->tm_min = number(s, 2, 0, 59)) == -1)
		return -1;
	if (**s != ':')
		return 0;
	(*s)++;
	if ((tm->tm_sec = number(s, 2, 0, 60)) == -1)
		return -1;
	return parse_fraction(s, ns);
}

/* Seconds east of UTC. */
static int
parse_zone(const char **s, int *east)
{
	int sign, h, m;

	*east = 0;
	while (**s == ' ')
		(*s)++;
	if (**s == 'Z' || **s == 'z') {
		(*s)++;
		return 0;
	}
	if (**s != '+' && **s != '-')
		return 0;
	sign = *(*s)++ == '-' ? -1 : 1;
	if ((h = number(s, 2, 0, 14)) == -1)
		return -1;
	if (**s == ':')
		(*s)++;
	if ((m = number(s, 2, 0, 59)) == -1)
		return -1;
	*east = sign * (h * 3600 + m * 60);
	return 0;
}

int
text_parse_time(const char *s, int64_t now, int64_t *ns)
{
	struct tm tm;
	int64_t fraction;
	int east, day;

	if (parse_relative(s, now, ns) == 0)
		return 0;
	memset(&tm, 0, sizeof(tm));
	if (parse_date(&s, &tm) == -1 ||
	    parse_clock(&s, &tm, &fraction) == -1 ||
	    parse_zone(&s, &east) == -1 || *s != '\0')
		return -1;
	day = tm.tm_mday;
	*ns = ((int64_t)timegm(&tm) - east) * SECOND + fraction;
	/* timegm() turns 31 February into March */
	return tm.tm_mday == day || tm.tm_sec == 60 ? 0 : -1;
}
