/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checked big-endian reads with an error that sticks.
 */
#include "decoders/cursor.h"

#include <string.h>

void
cursor_init(struct cursor *c, struct slice s)
{
	c->p = s.p;
	c->left = s.len;
	c->bad = false;
}

void
cursor_fail(struct cursor *c)
{
	c->bad = true;
	c->left = 0;
}

struct slice
cursor_take(struct cursor *c, size_t n)
{
	struct slice s = {c->p, n};

	if (c->bad || n > c->left) {
		cursor_fail(c);
		return (struct slice){NULL, 0};
	}
	if (n > 0)
		c->p += n;
	c->left -= n;
	return s;
}

void
cursor_skip(struct cursor *c, size_t n)
{
	(void)cursor_take(c, n);
}

static uint32_t
read_be(struct cursor *c, size_t n)
{
	struct slice s = cursor_take(c, n);
	uint32_t v = 0;

	for (size_t i = 0; i < s.len; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint8_t
cursor_u8(struct cursor *c)
{
	return (uint8_t)read_be(c, 1);
}

uint16_t
cursor_u16(struct cursor *c)
{
	return (uint16_t)read_be(c, 2);
}

uint32_t
cursor_u24(struct cursor *c)
{
	return read_be(c, 3);
}

uint32_t
cursor_u32(struct cursor *c)
{
	return read_be(c, 4);
}

struct slice
cursor_vec8(struct cursor *c)
{
	return cursor_take(c, read_be(c, 1));
}

struct slice
cursor_vec16(struct cursor *c)
{
	return cursor_take(c, read_be(c, 2));
}

struct slice
cursor_vec24(struct cursor *c)
{
	return cursor_take(c, read_be(c, 3));
}

void
cursor_copy(struct cursor *c, void *dst, size_t n)
{
	struct slice s = cursor_take(c, n);

	memset(dst, 0, n);
	if (s.len > 0)
		memcpy(dst, s.p, s.len);
}

bool
cursor_ok(const struct cursor *c)
{
	return !c->bad;
}

bool
cursor_done(const struct cursor *c)
{
	return !c->bad && c->left == 0;
}
