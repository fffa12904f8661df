/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words for sentences about findings: dates, spans, counts, and what history
 * knows of a server. Needs nothing but what it is given.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "decoders/format.h"

#include "rules/detect.h"

/* Days since 1970 as a date. A year is thought to begin in March, so that the
 * day that some years have more is its last; 400 years are 146,097 days. */
static struct tm
date_of(int64_t days)
{
	int64_t since = days + 719468; /* 0000-03-01 */
	int64_t era = (since >= 0 ? since : since - 146096) / 146097;
	int day = (int)(since - era * 146097); /* of 400 years */
	int year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int of_year = day - (365 * year + year / 4 - year / 100);
	int month = (5 * of_year + 2) / 153; /* 0: March */

	return (struct tm){.tm_mday = of_year - (153 * month + 2) / 5 + 1,
	    .tm_mon = month < 10 ? month + 3 : month - 9,
	    .tm_year = (int)(era * 400) + year + (month >= 10)};
}

/* A sentence that many alerts have is put together part by part: what is too
 * much is cut. */
struct line {
	char *p, *end; /* of the room, where a NUL is to stand */
};

static void
put_some(struct line *l, const char *s, size_t len)
{
	if (len > (size_t)(l->end - l->p))
		len = (size_t)(l->end - l->p);
	memcpy(l->p, s, len);
	l->p += len;
}

static void
put(struct line *l, const char *s)
{
	put_some(l, s, strlen(s));
}

static void
put_digits(char *to, int n, int digits)
{
	for (int i = digits; i-- > 0; n /= 10)
		to[i] = (char)('0' + n % 10);
}

/* Nanoseconds reach from 1677 to 2262. */
char *
detect_date(char *buf, size_t cap, int64_t ns)
{
	int64_t s = ns / 1000000000;
	struct tm d = date_of(s / 86400 - (s % 86400 < 0));
	char text[11] = "yyyy-mm-dd";

	put_digits(text, d.tm_year, 4);
	put_digits(text + 5, d.tm_mon, 2);
	put_digits(text + 8, d.tm_mday, 2);
	if (cap >= sizeof(text))
		memcpy(buf, text, sizeof(text));
	else
		(void)format_text(buf, cap, "%s", text);
	return buf;
}

/* As "%.0f" has it: the nearest, of two the even one. */
static unsigned long
nearest(double x)
{
	unsigned long n = (unsigned long)x;
	double rest = x - (double)n;

	return n + (rest > 0.5 || (rest == 0.5 && n % 2 != 0));
}

char *
detect_span(char *buf, size_t cap, int64_t ns)
{
	double s = (double)ns / 1e9;

	if (s < 0)
		s = 0;
	if (s < 1)
		(void)format_text(buf, cap, "%lu ms", nearest(s * 1000));
	else if (s < 120)
		(void)snprintf(buf, cap, "%.1f s", s);
	else
		(void)format_text(buf, cap, "%lu min", nearest(s / 60));
	return buf;
}

/* 1214 as "1 214". */
char *
detect_count(char *buf, size_t cap, uint64_t n)
{
	char digits[24], *end = digits + sizeof(digits), *from = end;
	size_t used = 0;

	do
		*--from = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	for (char *at = from; at < end && used + 2 < cap; at++) {
		if (at > from && (end - at) % 3 == 0)
			buf[used++] = ' ';
		buf[used++] = *at;
	}
	buf[used] = '\0';
	return buf;
}

uint32_t
known_count(const struct server_facts *s)
{
	return s->offered > s->tls_done ? s->offered : s->tls_done;
}

static const char *
verb_of(const struct server_facts *s)
{
	return s->key.proto == PROTO_POP3 ? "STLS" : "STARTTLS";
}

static void
put_name(struct line *l, const struct server_facts *s)
{
	if (!s->key.of_name)
		return;
	put(l, ", at other addresses of ");
	put_some(l, s->host, strnlen(s->host, 80));
}

char *
known_text(char *buf, size_t cap, const struct server_facts *s)
{
	bool offers = s->offered >= s->tls_done && s->offered > 0;
	struct line l = {buf, buf + cap - 1};
	uint32_t n = known_count(s);
	char date[16], count[32];

	if (offers) {
		put(&l, verb_of(s));
		put(&l, " was offered in ");
	}
	put(&l, detect_count(count, sizeof(count), n));
	put(&l, n == 1 ? " earlier session" : " earlier sessions");
	put(&l, offers ? " since " : " with this server used TLS since ");
	put(&l, detect_date(date, sizeof(date),
		    offers ? s->first_offer : s->first_tls));
	put_name(&l, s);
	*l.p = '\0';
	return buf;
}
