/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "db/json_text.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/utf8.h"

#define FIRST_ROOM 2048
#define NUMBER_MAX 24
#define ONES UINT64_C(0x0101010101010101)
#define HIGH UINT64_C(0x8080808080808080)

/* Room for n bytes and a NUL more is made; false: no memory. */
static bool
grow(struct json_text *t, size_t n)
{
	size_t want = t->room == 0 ? FIRST_ROOM : t->room;
	char *p;

	if (t->failed || t->fixed) {
		t->failed = true;
		return false;
	}
	while (want - t->used < n + 1)
		want *= 2;
	p = realloc(t->p, want);
	if (p == NULL) {
		t->failed = true;
		return false;
	}
	t->p = p;
	t->room = want;
	return true;
}

/* n bytes and a NUL more; NULL: no memory. */
static inline char *
room_for(struct json_text *t, size_t n)
{
	if ((t->failed || t->room - t->used <= n) && !grow(t, n))
		return NULL;
	return t->p + t->used;
}

static inline void
put(struct json_text *t, const char *s, size_t n)
{
	char *p = room_for(t, n);

	if (p == NULL)
		return;
	memcpy(p, s, n);
	t->used += n;
}

static void
put_char(struct json_text *t, char c)
{
	char *p = room_for(t, 1);

	if (p == NULL)
		return;
	*p = c;
	t->used++;
}

static inline void
comma(struct json_text *t)
{
	if (t->follows)
		put_char(t, ',');
	t->follows = true;
}

void
jt_open(struct json_text *t, char bracket)
{
	comma(t);
	put_char(t, bracket);
	t->follows = false;
}

void
jt_close(struct json_text *t, char bracket)
{
	put_char(t, bracket);
	t->follows = true;
}

void
jt_key(struct json_text *t, const char *name)
{
	comma(t);
	put_char(t, '"');
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

/* The bytes of a word that are c: in each of them the highest bit, and in none
 * below the first of them. */
static inline uint64_t
bytes_that_are(uint64_t word, char c)
{
	uint64_t x = word ^ ONES * (unsigned char)c;

	return (x - ONES) & ~x & HIGH;
}

/* How many bytes stand as they are: eight at a time, then one by one. */
static size_t
plain_bytes(const char *s, size_t left)
{
	size_t n = 0;
	uint64_t x;

	for (; left - n >= sizeof(x); n += sizeof(x)) {
		memcpy(&x, s + n, sizeof(x));
		if (((x | (x - ONES * 0x20)) & HIGH) != 0 ||
		    (bytes_that_are(x, '"') | bytes_that_are(x, '\\') |
			bytes_that_are(x, 0x7f)) != 0)
			break;
	}
	while (n < left && is_plain(s[n]))
		n++;
	return n;
}

void
jt_string(struct json_text *t, const char *s)
{
	size_t left = strlen(s);
	char buf[8];

	comma(t);
	put_char(t, '"');
	while (left > 0) {
		const char *other;
		size_t n = plain_bytes(s, left);

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
	put_char(t, '"');
}

void
jt_name(struct json_text *t, const char *s)
{
	jt_string(t, s);
	put_char(t, ':');
	t->follows = false;
}

const char *
jt_text(struct json_text *t)
{
	char *end = room_for(t, 0);

	if (end == NULL)
		return NULL;
	*end = '\0';
	return t->p;
}

void
jt_clear(struct json_text *t)
{
	t->used = 0;
	t->follows = t->failed = false;
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
