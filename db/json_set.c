/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of JSON objects, and objects as lines. */
#include "db/json_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db/addr_text.h"
#include "db/json_text.h"
#include "decoders/utf8.h"
#include "rules/finding.h"

#define TEXT_MAX 8192 /* bytes of a string; paths are the longest */
#define NS_PER_S INT64_C(1000000000)

static bool
is_ascii(const char *s, size_t n)
{
	unsigned char all = 0;

	for (size_t i = 0; i < n; i++)
		all |= (unsigned char)s[i];
	return all < 0x80;
}

json_t *
json_text(const char *s)
{
	size_t n = strlen(s);
	char buf[TEXT_MAX];

	if (n < sizeof(buf) && is_ascii(s, n))
		return json_stringn_nocheck(s, n);
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

/* As JSON_COMPACT would have it, in the order in which keys were set: jansson
 * calls functions for each character, 89,000 instructions a line. */
static void write_value(struct json_text *, json_t *);

static void
write_object(struct json_text *t, json_t *o)
{
	const char *key;
	json_t *v;

	jt_open(t, '{');
	json_object_foreach(o, key, v)
	{
		jt_name(t, key);
		write_value(t, v);
	}
	jt_close(t, '}');
}

static void
write_array(struct json_text *t, json_t *list)
{
	jt_open(t, '[');
	for (size_t i = 0; i < json_array_size(list); i++)
		write_value(t, json_array_get(list, i));
	jt_close(t, ']');
}

static void
write_real(struct json_text *t, json_t *v)
{
	char *text = json_dumps(v, JSON_ENCODE_ANY);

	if (text != NULL)
		jt_word(t, text);
	else
		t->failed = true;
	free(text);
}

static void
write_value(struct json_text *t, json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		write_object(t, v);
		break;
	case JSON_ARRAY:
		write_array(t, v);
		break;
	case JSON_STRING:
		jt_string(t, json_string_value(v));
		break;
	case JSON_INTEGER:
		jt_int(t, json_integer_value(v));
		break;
	case JSON_REAL:
		write_real(t, v);
		break;
	case JSON_TRUE:
		jt_word(t, "true");
		break;
	case JSON_FALSE:
		jt_word(t, "false");
		break;
	default:
		jt_word(t, "null");
	}
}

size_t
json_write(char *buf, size_t cap, json_t *o)
{
	struct json_text t = {.p = buf, .room = cap, .fixed = true};

	if (o != NULL)
		write_value(&t, o);
	json_decref(o);
	if (t.failed || t.used == 0)
		return 0;
	buf[t.used] = '\0';
	return t.used;
}

size_t
json_line(char *buf, size_t cap, json_t *o)
{
	/* the newline, besides the NUL */
	size_t n = json_write(buf, cap == 0 ? 0 : cap - 1, o);

	if (n == 0)
		return 0;
	memcpy(buf + n, "\n", 2);
	return n + 1;
}
