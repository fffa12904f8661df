/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "db/json_text.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/utf8.h"

#define FIRST_ROOM 2048
#define NUMBER_MAX 24

/* n bytes and a NUL more; NULL: no memory. */
static char *
room_for(struct json_text *t, size_t n)
{
	size_t want = t->room == 0 ? FIRST_ROOM : t->room;
	char *p;

	if (t->failed)
		return NULL;
	if (t->fixed && t->room - t->used < n + 1) {
		t->failed = true;
		return NULL;
	}
	while (want - t->used < n + 1)
		want *= 2;
	if (want != t->room) {
		p = realloc(t->p, want);
		if (p == NULL) {
			t->failed = true;
			return NULL;
		}
		t->p = p;
		t->room = want;
	}
	return t->p + t->used;
}

static void
put(struct json_text *t, const char *s, size_t n)
{
	char *p = room_for(t, n);

	if (p == NULL)
		return;
	memcpy(p, s, n);
	t->used += n;
}

static void
comma(struct json_text *t)
{
	if (t->follows)
		put(t, ",", 1);
	t->follows = true;
}

void
jt_open(struct json_text *t, char bracket)
{
	comma(t);
	put(t, &bracket, 1);
	t->follows = false;
}

void
jt_close(struct json_text *t, char bracket)
{
	put(t, &bracket, 1);
	t->follows = true;
}

void
jt_key(struct json_text *t, const char *name)
{
	comma(t);
	put(t, "\"", 1);
	put(t, name, strlen(name));
	put(t, "\":", 2);
	t->follows = false;
}

void
jt_int(struct json_text *t, int64_t v)
{
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	char text[NUMBER_MAX], *p = text + sizeof(text);

	do
		*--p = (char)('0' + u % 10);
	while ((u /= 10) != 0);
	if (v < 0)
		*--p = '-';
	comma(t);
	put(t, p, (size_t)(text + sizeof(text) - p));
}

/* RFC 8259 7: what must be written in another way, or NULL. */
static const char *
escape(char c, char buf[8])
{
	static const char hex[] = "0123456789ABCDEF";
	static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	const char *at = c != '\0' ? strchr(letters, c) : NULL;

	if ((unsigned char)c >= 0x20 && c != '"' && c != '\\')
		return NULL;
	memcpy(buf, "\\u00", 4);
	buf[4] = hex[(unsigned char)c >> 4];
	buf[5] = hex[c & 15];
	buf[6] = '\0';
	if (at != NULL) {
		buf[1] = at[1];
		buf[2] = '\0';
	}
	return buf;
}

void
jt_word(struct json_text *t, const char *word)
{
	comma(t);
	put(t, word, strlen(word));
}

static bool
is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void
jt_string(struct json_text *t, const char *s)
{
	size_t left = strlen(s);
	char buf[8];

	comma(t);
	put(t, "\"", 1);
	while (left > 0) {
		const char *other;
		size_t n = 0;

		while (n < left && is_plain(s[n]))
			n++;
		put(t, s, n);
		s += n;
		left -= n;
		if (left == 0)
			break;
		n = utf8_char(s, left);
		other = escape(*s, buf);
		if (n == 0)
			put(t, "\xef\xbf\xbd", 3);
		else if (other != NULL)
			put(t, other, strlen(other));
		else
			put(t, s, n);
		s += n == 0 ? 1 : n;
		left -= n == 0 ? 1 : n;
	}
	put(t, "\"", 1);
}

void
jt_name(struct json_text *t, const char *s)
{
	jt_string(t, s);
	put(t, ":", 1);
	t->follows = false;
}

char *
jt_take(struct json_text *t)
{
	char *text = t->failed ? NULL : room_for(t, 0);

	if (text != NULL) {
		*text = '\0';
		text = t->p;
	} else
		free(t->p);
	memset(t, 0, sizeof(*t));
	return text;
}
