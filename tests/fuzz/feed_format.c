/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any JSON as an event, in every format: refused, or one line of valid UTF-8
 * without a control character that reads back: as JSON, as CEF, as structured
 * data. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "db/feed_format.h"
#include "decoders/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_line(const char *s, size_t len)
{
	must(strlen(s) == len);
	while (len > 0) {
		unsigned n = utf8_char(s, len);

		must(n > 0 && (unsigned char)*s >= 0x20);
		s += n;
		len -= n;
	}
}

static void
check_json(const char *s, const char *key)
{
	json_t *o = json_loads(s, JSON_REJECT_DUPLICATES, NULL);

	must(json_is_object(o));
	must(key == NULL || json_object_get(o, key) != NULL);
	json_decref(o);
}

/* Up to the next unescaped character of stop; specials have a backslash. */
static const char *
value(const char *s, const char *stop, const char *escapes)
{
	while (*s != '\0' && strchr(stop, *s) == NULL) {
		if (*s == '\\') {
			s++;
			must(*s != '\0' && strchr(escapes, *s) != NULL);
		}
		s++;
	}
	return s;
}

static void
check_cef(const char *s)
{
	unsigned fields = 0, keys = 0;

	must(strncmp(s, "CEF:0|", 6) == 0);
	for (s += 6; fields < 6; fields++, s++) {
		s = value(s, "|", "\\|");
		must(*s == '|');
	}
	while (*s != '\0') {
		s = value(s, "=", "\\=nr");
		if (*s == '=') {
			keys++;
			s++;
		}
	}
	must(keys > 0);
}

static const char *
words(const char *s, unsigned n)
{
	while (n-- > 0) {
		s = strchr(s, ' ');
		must(s != NULL);
		s++;
	}
	return s;
}

static void
check_syslog(const char *s)
{
	must(*s == '<');
	for (s = words(s, 6); *s == '['; s++) {
		while (*s != ']') {
			s = strpbrk(s, "\"]");
			must(s != NULL);
			if (*s != '"')
				continue;
			s = value(s + 1, "\"]", "\"\\]");
			must(*s == '"');
			s++;
		}
	}
	must(*s == ' ');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[FEED_MESSAGE_MAX];
	const struct event e = {.eve = (const char *)data, .len = size};
	const struct feed_identity me = {"h", 1, 23, false};
	char key[128];

	for (int f = 0; f < FORMAT_COUNT; f++) {
		size_t n =
		    feed_format(out, sizeof(out), (enum feed_format)f, &e, &me);

		if (n == 0)
			continue;
		check_line(out, n);
		if (f == FORMAT_CEF)
			check_cef(out);
		else if (f == FORMAT_SYSLOG)
			check_syslog(out);
		else
			check_json(out, f == FORMAT_ECS	   ? "ecs"
					: f == FORMAT_OCSF ? "class_uid"
							   : NULL);
		must(feed_format(out, n, (enum feed_format)f, &e, &me) ==
		     0); /* one byte too few */
	}
	must(strlen(feed_key(key, sizeof(key), &e)) < sizeof(key));
	return 0;
}
