/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of text with values in them that may hold anything. */
#include "db/feed_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "decoders/utf8.h"

void
text_start(struct text_out *o, char *buf, size_t cap)
{
	*o = (struct text_out){.p = buf, .cap = cap, .full = cap == 0};
}

static void
put(struct text_out *o, const char *s, size_t n)
{
	if (o->full || n >= o->cap - o->len) {
		o->full = true;
		return;
	}
	memcpy(o->p + o->len, s, n);
	o->len += n;
}

void
text_raw(struct text_out *o, const char *s)
{
	put(o, s, strlen(s));
}

void
text_printf(struct text_out *o, const char *fmt, ...)
{
	char buf[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(buf))
		o->full = true;
	else
		put(o, buf, (size_t)n);
}

/* The character of n bytes at s, if it controls something: C0, DEL, C1, and
 * the separators of lines and paragraphs; else 0. NUL cannot be there. */
static unsigned
control(const char *s, unsigned n)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned c = 0;

	if (n == 1)
		c = u[0];
	else if (n == 2)
		c = (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
	else if (n == 3)
		c = (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
	return (n > 0 && c < 0x20) || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
		       c == 0x2029
		   ? c
		   : 0;
}

/* What is to be shown for the character of n bytes at s. */
static size_t
shown(char out[8], const char *s, unsigned n, const struct text_form *form)
{
	unsigned c = control(s, n);

	if (c == 0 || (form->newlines && (c == '\n' || c == '\r'))) {
		memcpy(out, s, n);
		return n;
	}
	return (size_t)snprintf(out, 8, c < 0x80 ? "\\x%02x" : "\\u%04x", c);
}

static void
put_escaped(struct text_out *o, char c, const struct text_form *form)
{
	if (form->newlines && (c == '\n' || c == '\r')) {
		text_raw(o, c == '\n' ? "\\n" : "\\r");
		return;
	}
	if (c != '\0' && strchr(form->specials, c) != NULL)
		put(o, "\\", 1);
	put(o, &c, 1);
}

void
text_value(
    struct text_out *o, const char *s, size_t max, const struct text_form *form)
{
	size_t left = strlen(s), used = 0;
	char out[8];

	while (left > 0 && !o->full) {
		unsigned n = utf8_char(s, left);
		size_t len = n == 0 ? 0 : shown(out, s, n, form);

		if (n == 0 || len > max - used)
			break;
		for (size_t i = 0; i < len; i++)
			put_escaped(o, out[i], form);
		used += len;
		s += n;
		left -= n;
	}
}

size_t
text_end(struct text_out *o)
{
	if (o->full)
		return 0;
	o->p[o->len] = '\0';
	return o->len;
}
