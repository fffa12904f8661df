/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values out of an event, and into another form of it. */
#include "db/feed_map.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS INT64_C(1000000000)
#define DAY_LEN 19 /* 2026-11-22T10:03:14 */

/* The next name of a path; false: there is none, or it is too long. */
static bool
next_name(const char **path, char name[MAP_PATH_MAX])
{
	size_t n = strcspn(*path, ".");

	if (n == 0 || n >= MAP_PATH_MAX)
		return false;
	memcpy(name, *path, n);
	name[n] = '\0';
	*path += n + ((*path)[n] == '.');
	return true;
}

json_t *
map_get(const json_t *o, const char *path)
{
	json_t *at = (json_t *)(uintptr_t)o;
	char name[MAP_PATH_MAX];

	while (at != NULL && next_name(&path, name)) {
		if (json_is_array(at))
			at = json_array_get(at, strtoul(name, NULL, 10));
		else
			at = json_object_get(at, name);
	}
	return at;
}

const char *
map_text(const json_t *o, const char *path)
{
	const char *s = json_string_value(map_get(o, path));

	return s == NULL ? "" : s;
}

json_int_t
map_number(const json_t *o, const char *path, json_int_t otherwise)
{
	const json_t *n = map_get(o, path);

	return json_is_integer(n) ? json_integer_value(n) : otherwise;
}

/* The object that the last name of path belongs in. */
static json_t *
make_way(json_t *o, const char *path, char last[MAP_PATH_MAX])
{
	while (next_name(&path, last) && *path != '\0') {
		json_t *in = json_object_get(o, last);

		if (!json_is_object(in)) {
			in = json_object();
			if (json_object_set_new(o, last, in) == -1)
				return NULL;
		}
		o = in;
	}
	return o;
}

void
map_put(json_t *o, const char *path, json_t *value)
{
	char last[MAP_PATH_MAX] = "";

	if (value == NULL)
		return;
	o = make_way(o, path, last);
	if (o == NULL)
		json_decref(value);
	else
		(void)json_object_set_new(o, last, value);
}

void
map_put_text(json_t *o, const char *path, const char *s)
{
	if (s[0] != '\0')
		map_put(o, path, json_string(s));
}

void
map_add_text(json_t *o, const char *path, const char *s)
{
	json_t *list = map_get(o, path), *item;
	size_t i;

	if (s[0] == '\0')
		return;
	if (!json_is_array(list)) {
		map_put(o, path, json_pack("[s]", s));
		return;
	}
	json_array_foreach(
	    list, i, item) if (json_is_string(item) &&
			       strcmp(json_string_value(item), s) == 0) return;
	(void)json_array_append_new(list, json_string(s));
}

static bool
is_day(const char *s)
{
	static const char form[] = "0000-00-00T00:00:00";

	for (size_t i = 0; i < DAY_LEN; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)s[i])
				   : s[i] != form[i])
			return false;
	return true;
}

/* Digits at *s, at least one; NULL: there are none. */
static const char *
past_digits(const char *s)
{
	const char *from = s;

	while (isdigit((unsigned char)*s))
		s++;
	return s == from ? NULL : s;
}

/* Splits into fraction (six digits) and zone ("" or +hhmm). */
static bool
split_time(const char *eve, char fraction[7], const char **zone)
{
	const char *rest, *end;

	if (strlen(eve) < DAY_LEN || !is_day(eve))
		return false;
	rest = eve + DAY_LEN;
	memcpy(fraction, "000000", 7);
	if (*rest == '.') {
		end = past_digits(rest + 1);
		if (end == NULL)
			return false;
		for (int i = 0; i < 6 && rest + 1 + i < end; i++)
			fraction[i] = rest[1 + i];
		rest = end;
	}
	*zone = rest;
	return *rest == '\0' ||
	       ((*rest == '+' || *rest == '-') &&
		   past_digits(rest + 1) == rest + 5 && rest[5] == '\0');
}

const char *
map_rfc3339(char buf[RFC3339_MAX], const char *eve)
{
	const char *zone;
	char fraction[7];

	if (!split_time(eve, fraction, &zone))
		return NULL;
	if (*zone == '\0' || strcmp(zone + 1, "0000") == 0)
		(void)snprintf(buf, RFC3339_MAX, "%.19s.%sZ", eve, fraction);
	else
		(void)snprintf(buf, RFC3339_MAX, "%.19s.%s%.3s:%s", eve,
		    fraction, zone, zone + 3);
	return buf;
}

int64_t
map_ns(const char *eve)
{
	const char *zone;
	char fraction[7];
	struct tm tm = {0};
	int64_t s, off = 0;

	if (!split_time(eve, fraction, &zone) ||
	    strptime(eve, "%Y-%m-%dT%H:%M:%S", &tm) != eve + DAY_LEN)
		return -1;
	if (*zone != '\0')
		off = atoi((char[]){zone[1], zone[2], '\0'}) * 3600 +
		      atoi(zone + 3) * 60;
	s = (int64_t)timegm(&tm) - (*zone == '-' ? -off : off);
	if (s < 0 || s > INT64_MAX / NS - 1)
		return -1;
	return s * NS + atoi(fraction) * INT64_C(1000);
}

/* A value in the form that the row wants; NULL: it is not such a thing. */
static json_t *
converted(json_t *v, enum map_as as)
{
	char buf[RFC3339_MAX];
	const char *s = json_string_value(v);

	switch (as) {
	case MAP_TEXT:
		return s == NULL || s[0] == '\0' ? NULL : json_incref(v);
	case MAP_NUMBER:
		return json_is_integer(v) ? json_incref(v) : NULL;
	case MAP_BOOL:
		return json_is_boolean(v) ? json_incref(v) : NULL;
	case MAP_WORD:
		return json_is_integer(v)
			   ? json_sprintf(
				 "%" JSON_INTEGER_FORMAT, json_integer_value(v))
			   : NULL;
	case MAP_LIST:
		if (json_is_array(v))
			return json_incref(v);
		return s == NULL ? NULL : json_pack("[s]", s);
	case MAP_TIME:
		s = s == NULL ? NULL : map_rfc3339(buf, s);
		return s == NULL ? NULL : json_string(s);
	case MAP_MS:
		if (s == NULL || map_ns(s) == -1)
			return NULL;
		return json_integer(map_ns(s) / 1000000);
	}
	return NULL;
}

void
map_rows(json_t *to, const json_t *from, const struct map_row *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_t *v = map_get(from, row[i].from);

		if (v != NULL)
			map_put(to, row[i].to, converted(v, row[i].as));
	}
}

static bool
holds_time(const char *key)
{
	static const char *const keys[] = {"timestamp", "first", "last",
	    "start", "end", "notbefore", "notafter"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

void
map_times(json_t *o)
{
	char buf[RFC3339_MAX];
	const char *key;
	json_t *v;
	size_t i;

	json_array_foreach(o, i, v) map_times(v);
	json_object_foreach(o, key, v)
	{
		const char *s = json_string_value(v);

		if (s == NULL)
			map_times(v);
		else if (holds_time(key) && map_rfc3339(buf, s) != NULL)
			(void)json_string_set(v, buf);
	}
}
