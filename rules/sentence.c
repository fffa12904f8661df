/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words for sentences about findings: dates, spans, counts, and what history
 * knows of a server. Needs nothing but what it is given.
 */
#include <stdio.h>
#include <time.h>

#include "decoders/format.h"

#include "rules/detect.h"

char *
detect_date(char *buf, size_t cap, int64_t ns)
{
	time_t t = (time_t)(ns / 1000000000);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(buf, cap, "%Y-%m-%d", &tm) == 0)
		(void)snprintf(buf, cap, "?");
	return buf;
}

char *
detect_span(char *buf, size_t cap, int64_t ns)
{
	double s = (double)ns / 1e9;

	if (s < 0)
		s = 0;
	if (s < 1)
		(void)snprintf(buf, cap, "%.0f ms", s * 1000);
	else if (s < 120)
		(void)snprintf(buf, cap, "%.1f s", s);
	else
		(void)snprintf(buf, cap, "%.0f min", s / 60);
	return buf;
}

/* 1214 as "1 214". */
char *
detect_count(char *buf, size_t cap, uint64_t n)
{
	char digits[24];
	int len =
	    format_text(digits, sizeof(digits), "%llu", (unsigned long long)n);
	size_t used = 0;

	for (int i = 0; i < len && used + 2 < cap; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf[used++] = ' ';
		buf[used++] = digits[i];
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

char *
known_text(char *buf, size_t cap, const struct server_facts *s)
{
	bool offers = s->offered >= s->tls_done && s->offered > 0;
	uint32_t n = known_count(s);
	char date[16], count[32], whose[SERVER_NAME_MAX + 32] = "";

	(void)detect_date(
	    date, sizeof(date), offers ? s->first_offer : s->first_tls);
	(void)detect_count(count, sizeof(count), n);
	if (s->key.of_name)
		(void)format_text(whose, sizeof(whose),
		    ", at other addresses of %.80s", s->host);
	if (offers)
		(void)format_text(buf, cap,
		    "%s was offered in %s earlier session%s since %s%s",
		    verb_of(s), count, n == 1 ? "" : "s", date, whose);
	else
		(void)format_text(buf, cap,
		    "%s earlier session%s with this server used TLS since %s%s",
		    count, n == 1 ? "" : "s", date, whose);
	return buf;
}
