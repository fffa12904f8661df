/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The line reader. The same line comes out whether it lay in one piece or was
 * put together: both ways cut at the same number of bytes, and the CR is
 * looked for in the last byte before LF, kept or not (that is in the tail).
 */
#include "decoders/line.h"

#include <string.h>
#include <strings.h>

#define NUMBER_MAX ((uint64_t)1 << 58)

void
line_init(struct line_buf *b, uint8_t *buf, size_t cap)
{
	memset(b, 0, sizeof(*b));
	b->buf = buf;
	b->cap = (uint16_t)cap;
}

static void
keep_tail(struct line_buf *b, struct slice s)
{
	uint8_t *tail = b->buf + b->cap;
	size_t old;

	if (s.len >= LINE_TAIL) {
		memcpy(tail, s.p + s.len - LINE_TAIL, LINE_TAIL);
		b->ntail = LINE_TAIL;
		return;
	}
	old = b->ntail + s.len > LINE_TAIL ? LINE_TAIL - s.len : b->ntail;
	memmove(tail, tail + b->ntail - old, old);
	memcpy(tail + old, s.p, s.len);
	b->ntail = (uint8_t)(old + s.len);
}

void
line_store(struct line_buf *b, struct slice s)
{
	size_t room = (size_t)b->cap - b->len;
	size_t n = s.len < room ? s.len : room;

	if (s.len == 0)
		return;
	memcpy(b->buf + b->len, s.p, n);
	b->len += (uint16_t)n;
	b->seen += s.len;
	keep_tail(b, s);
}

/* The last bytes of the content, the same however it came: one less than is
 * kept, because a CR may take its place. */
static struct slice
tail_of(struct slice all, bool cr)
{
	if (cr)
		all.len--;
	if (all.len > LINE_TAIL - 1) {
		all.p += all.len - (LINE_TAIL - 1);
		all.len = LINE_TAIL - 1;
	}
	return all;
}

/* In out->text is what is kept of total bytes before LF, in end the last. */
static inline void
line_set(struct line *out, size_t cap, struct slice end, uint64_t total)
{
	bool cr = total > 0 && end.p[end.len - 1] == '\r';

	out->total = total - cr;
	out->overlong = out->total > cap;
	if (out->text.len > out->total)
		out->text.len = (size_t)out->total;
	if (out->text.len > cap)
		out->text.len = cap;
	out->tail = tail_of(end, cr);
	out->bare_lf = !cr;
	out->has_nul = out->text.len > 0 &&
		       memchr(out->text.p, '\0', out->text.len) != NULL;
}

/* It was cut, or something is missing. */
static bool
take_part(struct line_buf *b, struct slice in, struct line *out)
{
	bool lf = in.p[in.len - 1] == '\n';
	struct slice part = {in.p, in.len - lf};

	if (b->lost) {
		b->lost = !lf;
		return false;
	}
	line_store(b, part);
	if (!lf)
		return false;
	out->text = line_partial(b);
	line_set(
	    out, b->cap, (struct slice){b->buf + b->cap, b->ntail}, b->seen);
	b->seen = 0;
	b->len = 0;
	b->ntail = 0;
	return true;
}

void
line_whole(const struct line_buf *b, struct slice in, struct line *out)
{
	in.len--;
	out->text = in;
	line_set(out, b->cap, in, in.len);
}

bool
line_take(struct line_buf *b, struct slice in, struct line *out)
{
	if (in.p[in.len - 1] != '\n' || !line_is_fresh(b))
		return take_part(b, in, out);
	line_whole(b, in, out);
	return true;
}

size_t
line_read(struct line_buf *b, struct slice in, struct line *out, bool *done)
{
	const uint8_t *lf = in.len ? memchr(in.p, '\n', in.len) : NULL;

	if (lf != NULL)
		in.len = (size_t)(lf - in.p) + 1;
	*done = in.len > 0 && line_take(b, in, out);
	return in.len;
}

void
line_wipe(struct line_buf *b)
{
	if (b->buf != NULL)
		explicit_bzero(b->buf, LINE_ROOM((size_t)b->cap));
	b->ntail = 0;
	b->len = 0;
	b->seen = 0;
}

void
line_lose(struct line_buf *b)
{
	line_wipe(b);
	b->lost = 1;
}

struct slice
line_partial(const struct line_buf *b)
{
	return (struct slice){b->buf, b->len};
}

/* Without the locale of tolower(). */
static inline uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static inline bool
starts(struct slice s, const char *word, size_t n)
{
	return n == 0 ||
	       (s.len >= n && strncasecmp((const char *)s.p, word, n) == 0);
}

bool
slice_starts_word(struct slice s, const char *word)
{
	return starts(s, word, strlen(word));
}

bool
slice_is_word(struct slice s, const char *word)
{
	return s.len == strlen(word) && starts(s, word, s.len);
}

/* Where the letter c, in either case, comes next; s.len where it does not. */
static size_t
find_letter(struct slice s, uint8_t c)
{
	const uint8_t *small = memchr(s.p, lower(c), s.len);
	size_t n = small != NULL ? (size_t)(small - s.p) : s.len;
	const uint8_t *large;

	if (lower(c) < 'a' || lower(c) > 'z' || n == 0)
		return n; /* has no other case */
	large = memchr(s.p, lower(c) - 'a' + 'A', n);
	return large != NULL ? (size_t)(large - s.p) : n;
}

bool
slice_has(struct slice s, const char *word)
{
	size_t n = strlen(word);

	if (n == 0)
		return true;
	while (s.len >= n) {
		s = slice_from(s, find_letter(s, (uint8_t)word[0]));
		if (starts(s, word, n))
			return true;
		s = slice_from(s, 1);
	}
	return false;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct slice
slice_trim(struct slice s)
{
	while (s.len > 0 && is_blank(s.p[0]))
		s = slice_from(s, 1);
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

struct slice
slice_word(struct slice *s)
{
	const uint8_t *p = s->p, *end = p != NULL ? p + s->len : p;
	struct slice w;

	while (p < end && is_blank(*p))
		p++;
	w.p = p;
	while (p < end && (*p > ' ' || !is_blank(*p)))
		p++;
	w.len = (size_t)(p - w.p);
	while (p < end && is_blank(*p))
		p++;
	*s = (struct slice){p, (size_t)(end - p)};
	return w;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

size_t
slice_number(struct slice s, uint64_t *value)
{
	size_t n = 0;

	*value = 0;
	for (; n < s.len && is_digit(s.p[n]); n++) {
		*value = *value * 10 + (uint64_t)(s.p[n] - '0');
		if (*value > NUMBER_MAX)
			*value = NUMBER_MAX;
	}
	return n;
}

struct literal
line_literal(const struct line *l)
{
	struct literal lit = {false, true, 0};
	struct slice s = l->tail;
	size_t at, digits;

	if (s.len < 3 || s.p[s.len - 1] != '}')
		return lit;
	s.len--;
	if (s.p[s.len - 1] == '+' || s.p[s.len - 1] == '-') {
		lit.sync = false;
		s.len--;
	}
	for (at = s.len; at > 0 && is_digit(s.p[at - 1]); at--)
		;
	if (at == 0 || s.p[at - 1] != '{')
		return lit;
	digits = slice_number(slice_from(s, at), &lit.len);
	lit.have = digits > 0;
	return lit;
}
