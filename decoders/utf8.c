/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The well-formed byte sequences are those of RFC 3629 section 4: the second
 * byte has a narrower range after E0, ED, F0 and F4, which keeps out overlong
 * forms, surrogates and what lies beyond U+10FFFF.
 */
#include "decoders/utf8.h"

#include <string.h>

static unsigned
lead_length(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

static int
second_ok(unsigned char lead, unsigned char c)
{
	unsigned char lo = 0x80, hi = 0xbf;

	if (lead == 0xe0)
		lo = 0xa0;
	else if (lead == 0xed)
		hi = 0x9f;
	else if (lead == 0xf0)
		lo = 0x90;
	else if (lead == 0xf4)
		hi = 0x8f;
	return c >= lo && c <= hi;
}

unsigned
utf8_char(const char *p, size_t left)
{
	const unsigned char *u = (const unsigned char *)p;
	unsigned n;

	if (left == 0 || (n = lead_length(u[0])) == 0 || n > left)
		return 0;
	if (n > 1 && !second_ok(u[0], u[1]))
		return 0;
	for (unsigned i = 2; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

size_t
utf8_copy(char *dst, size_t cap, const char *src)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t left = strlen(src), used = 0;

	while (left > 0) {
		unsigned n = utf8_char(src, left);
		const char *from = n == 0 ? replacement : src;
		unsigned len = n == 0 ? 3 : n;

		if (used + len + 1 > cap)
			break;
		memcpy(dst + used, from, len);
		used += len;
		src += n == 0 ? 1 : n;
		left -= n == 0 ? 1 : n;
	}
	if (cap > 0)
		dst[used] = '\0';
	return used;
}
