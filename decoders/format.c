/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "decoders/format.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_MAX 24

struct out {
	char *p;
	size_t cap, n; /* n: what there would be */
	va_list ap; /* what is to come */
};

static void
put(struct out *o, const char *s, size_t len)
{
	if (o->n < o->cap)
		memcpy(
		    o->p + o->n, s, len < o->cap - o->n ? len : o->cap - o->n);
	o->n += len;
}

static void
put_number(struct out *o, uint64_t v, int negative)
{
	char text[NUMBER_MAX], *p = text + sizeof(text);

	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	if (negative)
		*--p = '-';
	put(o, p, (size_t)(text + sizeof(text) - p));
}

/* "%02d" of what has two digits: times. */
static const char *
put_two(struct out *o, const char *f)
{
	va_list ahead;
	char text[2];
	int v;

	if (f[0] != '2' || (f[1] != 'd' && f[1] != 'u'))
		return NULL;
	va_copy(ahead, o->ap);
	v = va_arg(ahead, int);
	va_end(ahead);
	if (v < 0 || v > 99)
		return NULL;
	(void)va_arg(o->ap, int);
	text[0] = (char)('0' + v / 10);
	text[1] = (char)('0' + v % 10);
	put(o, text, sizeof(text));
	return f + 2;
}

static void
put_string(struct out *o, const char *s, size_t max)
{
	if (s == NULL)
		s = "(null)";
	put(o, s, max == SIZE_MAX ? strlen(s) : strnlen(s, max));
}

/* "%.N" has been read up to N: the digits, of which there must be some. */
static const char *
read_precision(const char *f, size_t *max)
{
	const char *from = f;

	for (*max = 0; *f >= '0' && *f <= '9' && f - from < 6; f++)
		*max = *max * 10 + (size_t)(*f - '0');
	return f != from && *f == 's' ? f : NULL;
}

/* What stands behind a %. NULL: it is none of ours. */
static const char *
put_part(struct out *o, const char *f)
{
	size_t max = SIZE_MAX;
	int v;

	if (*f == '.' && (f = read_precision(f + 1, &max)) == NULL)
		return NULL;
	switch (*f) {
	case 's':
		put_string(o, va_arg(o->ap, const char *), max);
		return f + 1;
	case 'u':
		put_number(o, va_arg(o->ap, unsigned), 0);
		return f + 1;
	case 'd':
		v = va_arg(o->ap, int);
		put_number(o, v < 0 ? -(uint64_t)v : (uint64_t)v, v < 0);
		return f + 1;
	case '%':
		put(o, "%", 1);
		return f + 1;
	case '0':
		return put_two(o, f + 1);
	default:
		break;
	}
	if (strncmp(f, "zu", 2) == 0) {
		put_number(o, va_arg(o->ap, size_t), 0);
		return f + 2;
	}
	if (strncmp(f, "lu", 2) == 0) {
		put_number(o, va_arg(o->ap, unsigned long), 0);
		return f + 2;
	}
	if (strncmp(f, "llu", 3) == 0) {
		put_number(o, va_arg(o->ap, unsigned long long), 0);
		return f + 3;
	}
	return NULL;
}

/* -1: a part that is none of ours. */
static int
format_all(struct out *o, const char *fmt)
{
	const char *next;

	for (const char *f = fmt; f != NULL; f = next) {
		next = strchr(f, '%');
		put(o, f, next != NULL ? (size_t)(next - f) : strlen(f));
		if (next == NULL)
			break;
		if ((next = put_part(o, next + 1)) == NULL)
			return -1;
	}
	if (o->cap != 0)
		o->p[o->n < o->cap ? o->n : o->cap - 1] = '\0';
	return (int)o->n;
}

int
format_text_list(char *buf, size_t cap, const char *fmt, va_list ap)
{
	struct out o = {.p = buf, .cap = cap};
	int n;

	va_copy(o.ap, ap);
	n = format_all(&o, fmt);
	va_end(o.ap);
	return n >= 0 ? n : vsnprintf(buf, cap, fmt, ap);
}

int
format_text(char *buf, size_t cap, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = format_text_list(buf, cap, fmt, ap);
	va_end(ap);
	return n;
}
