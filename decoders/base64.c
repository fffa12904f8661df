/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Six bits a letter into a register, a byte out whenever eight are there.
 */
#include "decoders/base64.h"

static int
value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

bool
base64_decode(struct slice in, uint8_t *out, size_t cap, size_t *len)
{
	uint32_t bits = 0;
	unsigned have = 0;

	*len = 0;
	for (unsigned pad = 0; pad < 2 && in.len > 0; pad++)
		if (in.p[in.len - 1] == '=')
			in.len--;
	for (size_t i = 0; i < in.len; i++) {
		int v = value(in.p[i]);

		if (v < 0)
			return false;
		bits = (bits << 6 | (uint32_t)v) & 0xffffff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (*len < cap)
			out[(*len)++] = (uint8_t)(bits >> have);
	}
	return in.len % 4 != 1;
}
