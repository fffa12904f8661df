/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * UTF-8 (RFC 3629): is it, and what to show where it is not. File names, rule
 * texts and host names may hold any byte; terminals and JSON may not.
 */
#ifndef STRIPWIRE_UTF8_H
#define STRIPWIRE_UTF8_H

#include <stddef.h>

/* Bytes of the character at p (1 to 4), of which left are there; 0 if they
 * are not one: overlong, surrogate, beyond U+10FFFF, or cut. */
unsigned utf8_char(const char *p, size_t left);

/* Copies src (NUL-terminated), each byte that is no part of a character as
 * U+FFFD, at most cap - 1 bytes and whole characters only. Returns the length
 * of dst, which is NUL-terminated. */
size_t utf8_copy(char *dst, size_t cap, const char *src);

#endif
