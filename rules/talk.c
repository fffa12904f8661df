/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rules/talk.h"

#include <string.h>

static void
talk_clear(struct talk *t)
{
	t->mail_from[0] = t->rcpt_to[0] = '\0';
	t->rcpts = t->used = 0;
}

/* UTF-8 stays (RFC 6531), and what is none is seen to where it is written;
 * what would end a line here is no part of an address. */
static size_t
copy_path(char *dst, size_t cap, struct slice path)
{
	size_t n = path.len < cap - 1 ? path.len : cap - 1;

	for (size_t i = 0; i < n; i++)
		dst[i] = path.p[i] >= ' ' ? (char)path.p[i] : '?';
	dst[n] = '\0';
	return n;
}

static void
set_from(struct talk *t, struct slice path)
{
	talk_clear(t);
	(void)copy_path(t->mail_from, sizeof(t->mail_from), path);
}

static void
add_rcpt(struct talk *t, struct slice path)
{
	char text[OBS_NAME_MAX];
	size_t n = copy_path(text, sizeof(text), path);

	if (t->rcpts < UINT16_MAX)
		t->rcpts++;
	if (n == 0 || t->used + n + 2 > sizeof(t->rcpt_to))
		return;
	memcpy(t->rcpt_to + t->used, text, n);
	memcpy(t->rcpt_to + t->used + n, "\n", 2);
	t->used += (uint16_t)(n + 1);
}

/* A message tells of itself once (OBS_MAIL_CONTENT); of the next ones the end
 * is known by what comes after. */
bool
talk_is_over(const struct talk *t, const struct obs *o)
{
	if (t == NULL || t->mail_from[0] == '\0')
		return false;
	switch (o->kind) {
	case OBS_LINE:
		return o->u.line.what == LINE_MAIL_FROM;
	case OBS_MAIL_CONTENT:
	case OBS_QUIT:
	case OBS_FLOW_END:
		return true;
	default:
		return false;
	}
}

void
talk_line(struct talk *t, const struct obs *o)
{
	const struct obs_line *l = &o->u.line;
	struct slice path = {(const uint8_t *)l->bytes, l->len};

	if (l->what == LINE_MAIL_FROM) {
		set_from(t, path);
		t->time = o->time;
	} else if (l->what == LINE_RCPT_TO && t->mail_from[0] != '\0') {
		add_rcpt(t, path);
	}
}
