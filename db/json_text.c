/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "db/json_text.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/utf8.h"

#define FIRST_ROOM 2048
#define NUMBER_MAX 24
#define WIDE 16 /* bytes looked at together */

typedef uint8_t wide __attribute__((vector_size(WIDE)));

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

static inline void
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

	comma(t);
	if (u == (uint64_t)v && u < 10) {
		put_char(t, (char)('0' + u));
		return;
	}
	do
		*--p = (char)('0' + u % 10);
	while ((u /= 10) != 0);
	if (v < 0)
		*--p = '-';
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

/* All of WIDE bytes? */
static inline bool
are_plain(const char *s)
{
	uint64_t half[2];
	wide v, other;

	memcpy(&v, s, sizeof(v));
	other = (wide)((v < 0x20) | (v > 0x7e) | (v == '"') | (v == '\\'));
	memcpy(half, &other, sizeof(half));
	return (half[0] | half[1]) == 0;
}

/* How many bytes stand as they are: many at a time, the last ones once more,
 * and one by one where one does not. */
static size_t
plain_bytes(const char *s, size_t left)
{
	size_t n = 0;

	if (left >= WIDE) {
		while (left - n >= WIDE && are_plain(s + n))
			n += WIDE;
		if (left - n < WIDE && are_plain(s + left - WIDE))
			return left;
	}
	while (n < left && is_plain(s[n]))
		n++;
	return n;
}

/* The rest of a string, of which the next byte is none that stands as it is. */
static void
put_other(struct json_text *t, const char *s, size_t left)
{
	char buf[8];

	while (left > 0) {
		size_t n = utf8_char(s, left);
		const char *other = escape(*s, buf);

		if (n == 0)
			put(t, "\xef\xbf\xbd", 3);
		else if (other != NULL)
			put(t, other, strlen(other));
		else
			put(t, s, n);
		s += n == 0 ? 1 : n;
		left -= n == 0 ? 1 : n;
		n = plain_bytes(s, left);
		put(t, s, n);
		s += n;
		left -= n;
	}
}

void
jt_string(struct json_text *t, const char *s)
{
	size_t left = strlen(s), n = plain_bytes(s, left);
	char *p;

	comma(t);
	if ((p = room_for(t, n + 2)) == NULL)
		return;
	*p = '"';
	memcpy(p + 1, s, n);
	t->used += n + 1;
	if (n < left)
		put_other(t, s + n, left - n);
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
