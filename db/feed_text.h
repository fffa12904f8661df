/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of text with values in them that may hold anything. Characters that
 * end a line or steer a terminal are written as they are called: \x1b, \u2028,
 * as the decoders do with bytes of the wire. Values are valid UTF-8.
 */
#ifndef STRIPWIRE_FEED_TEXT_H
#define STRIPWIRE_FEED_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text_out {
	char *p;
	size_t cap, len; /* len < cap: there is always room for a NUL */
	bool full; /* it did not all fit */
};

struct text_form {
	const char *specials; /* get a backslash before them */
	bool newlines; /* \n and \r by these two characters each (CEF) */
};

void text_start(struct text_out *o, char *buf, size_t cap);
void text_raw(struct text_out *o, const char *s);
void text_printf(struct text_out *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* At most max bytes of the value, counted before backslashes are added, and
 * whole characters only. */
void text_value(struct text_out *o, const char *s, size_t max,
    const struct text_form *form);
/* With the NUL. Its length; 0: it did not fit. */
size_t text_end(struct text_out *o);

#endif
