/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of JSON objects, and objects as lines. */
#include "db/json_set.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "db/addr_text.h"
#include "decoders/utf8.h"
#include "rules/finding.h"

#define TEXT_MAX 8192 /* bytes of a string; paths are the longest */
#define NS_PER_S INT64_C(1000000000)

json_t *
json_text(const char *s)
{
	char buf[TEXT_MAX];

	(void)utf8_copy(buf, sizeof(buf), s);
	return json_string(buf);
}

void
json_set_text(json_t *o, const char *key, const char *s)
{
	if (s != NULL && s[0] != '\0')
		(void)json_object_set_new(o, key, json_text(s));
}

void
json_set_number(json_t *o, const char *key, uint64_t n)
{
	(void)json_object_set_new(o, key, json_integer((json_int_t)n));
}

void
json_set_time(json_t *o, const char *key, int64_t ns)
{
	int64_t s = ns / NS_PER_S, rest = ns % NS_PER_S;
	char buf[64], day[40];
	struct tm tm;
	time_t t;

	if (rest < 0) {
		rest += NS_PER_S;
		s--;
	}
	t = (time_t)s;
	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	(void)snprintf(
	    buf, sizeof(buf), "%s.%06d+0000", day, (int)(rest / 1000));
	(void)json_object_set_new(o, key, json_string(buf));
}

json_t *
json_lines(const char *text)
{
	char buf[TEXT_MAX], *rest = buf, *line;
	json_t *list = json_array();

	(void)utf8_copy(buf, sizeof(buf), text);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			(void)json_array_append_new(list, json_string(line));
	return list;
}

json_t *
json_addresses(const struct addr *a, uint32_t n)
{
	char text[ADDR_TEXT_MAX];
	json_t *list = json_array();

	for (uint32_t i = 0; i < n; i++)
		(void)json_array_append_new(
		    list, json_string(addr_to_text(text, &a[i])));
	return list;
}

unsigned
eve_severity(unsigned severity)
{
	static const uint8_t grades[] = {
	    [SEV_INFO] = 4,
	    [SEV_LOW] = 3,
	    [SEV_MEDIUM] = 2,
	    [SEV_HIGH] = 1,
	    [SEV_CRITICAL] = 1,
	};

	return severity < sizeof(grades) ? grades[severity] : 4;
}

size_t
json_line(char *buf, size_t cap, json_t *o)
{
	size_t n = 0;

	if (cap >= 2 && o != NULL)
		n = json_dumpb(o, buf, cap - 2, JSON_COMPACT);
	json_decref(o);
	if (n == 0 || n > cap - 2)
		return 0;
	memcpy(buf + n, "\n", 2);
	return n + 1;
}
