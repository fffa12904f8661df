/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rules/greeting.h"

#include <string.h>
#include <strings.h>

#include "decoders/memo.h"
#include "rules/server_key.h"
#include "rules/words.h"

/* A4: a firewall leaves asterisks, and of the rest the digits 2 and 0. */
static bool
is_masked(const char *text)
{
	unsigned stars = 0;

	if (strchr(text, '*') == NULL)
		return false;
	for (; *text != '\0'; text++) {
		if (*text == '*')
			stars++;
		else if (strchr(" 0123456789.,-_", *text) == NULL)
			return false;
	}
	return stars >= 5;
}

/* Words with a dot, a digit or an at sign are names, times and numbers, and
 * differ from session to session; the others are the server's own. */
static uint32_t
shape_of(const char *text)
{
	uint32_t shape = 0;

	for (const char *w = text; *w != '\0';) {
		uint32_t part[2] = {shape, 1};
		bool name = false;
		size_t n = 0;

		for (; w[n] != '\0' && w[n] != ' '; n++)
			name |= w[n] == '.' || w[n] == '@' ||
				(w[n] >= '0' && w[n] <= '9');
		if (!name)
			part[1] = hash32(w, n);
		shape = hash32(part, sizeof(part));
		w += n;
		while (*w == ' ')
			w++;
	}
	return shape;
}

static uint32_t
shape_without_list(const char *with, uint32_t shape)
{
	const char *begin = strcasestr(with, "[CAPABILITY"), *end;
	char text[OBS_TEXT_MAX], *list;

	if (begin == NULL)
		return shape;
	words_copy(text, sizeof(text), with);
	list = text + (begin - with);
	end = strchr(list, ']');
	if (end == NULL)
		*list = '\0';
	else
		memmove(list, end, strlen(end) + 1);
	return shape_of(text);
}

static bool
says_esmtp(const char *text)
{
	for (; *text != '\0'; text++)
		if ((*text == 'E' || *text == 'e') &&
		    strncasecmp(text, "ESMTP", 5) == 0)
			return true;
	return false;
}

void
greeting_read(struct greeting_text *to, const char *text)
{
	static struct memo seen;
	struct slice key = {
	    (const uint8_t *)text, strnlen(text, OBS_TEXT_MAX - 1)};

	if (memo_get(&seen, key, to, sizeof(*to)))
		return;
	memset(to, 0, sizeof(*to));
	to->shape = shape_of(text);
	to->unlisted = shape_without_list(text, to->shape);
	to->masked = is_masked(text);
	to->esmtp = says_esmtp(text);
	to->old_imap = strcasestr(text, "IMAP2") != NULL &&
		       strcasestr(text, "IMAP4") == NULL;
	memo_put(&seen, key, to, sizeof(*to));
}

/* ManageSieve greets with the list itself. */
uint32_t
greeting_machine(
    const struct greeting_text *t, const struct obs *o, enum proto proto)
{
	uint32_t part[2] = {proto == PROTO_IMAP ? t->unlisted : t->shape,
	    hash32_text(o->u.greeting.host)};

	if (proto == PROTO_SIEVE || o->u.greeting.kind == GREETING_REFUSED)
		return 0;
	return hash32(part, sizeof(part));
}
