/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where user names stand in observations: in OBS_AUTH as a field, in texts of
 * the wire before an '@'. Server replies that repeat the name of a login are
 * masked by the decoder, which alone knows it at that time.
 */
#include "rules/names.h"

#include <stdio.h>
#include <string.h>

#define HASH_TEXT_MAX 24 /* "user-" and 12 digits */

static const char *
pseudonym(const struct names *n, struct slice name, char buf[HASH_TEXT_MAX])
{
	uint64_t h;

	if (n->mode == NAMES_NONE)
		return "";
	h = siphash(n->key, name);
	(void)snprintf(
	    buf, HASH_TEXT_MAX, "user-%012llx", (unsigned long long)(h >> 16));
	return buf;
}

/* Appends as much as fits. */
static size_t
put(char *dst, size_t cap, size_t used, const char *s, size_t len)
{
	if (len > cap - 1 - used)
		len = cap - 1 - used;
	memcpy(dst + used, s, len);
	dst[used + len] = '\0';
	return used + len;
}

/* Within a text an empty name would mislead. */
static size_t
put_pseudonym(const struct names *n, char *dst, size_t cap, size_t used,
    struct slice name)
{
	char hash[HASH_TEXT_MAX];
	const char *s = n->mode == NAMES_NONE ? "…" : pseudonym(n, name, hash);

	return put(dst, cap, used, s, strlen(s));
}

/* What may stand in front of '@' (RFC 5322 3.2.3, and UTF-8 as \xNN); quoted
 * forms, which may hold anything, are taken up to their first blank. */
static bool
is_atom(char c)
{
	return c != '\0' &&
	       strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		      "0123456789.!#$%&'*+-/=?^_`{|}~\\\"",
		   c) != NULL;
}

static void
hide_addresses(const struct names *n, char *text, size_t cap)
{
	char out[OBS_LINE_MAX] = "";
	size_t used = 0, from = 0;

	if (cap > sizeof(out))
		cap = sizeof(out);
	for (const char *at = strchr(text, '@'); at != NULL;
	     at = strchr(at + 1, '@')) {
		size_t end = (size_t)(at - text), start = end;
		struct slice name;

		while (start > from && is_atom(text[start - 1]))
			start--;
		name.p = (const uint8_t *)text + start;
		name.len = end - start;
		if (name.len == 0)
			continue;
		used = put(out, cap, used, text + from, start - from);
		used = put_pseudonym(n, out, cap, used, name);
		from = end;
	}
	if (from == 0)
		return;
	(void)put(out, cap, used, text + from, strlen(text + from));
	memcpy(text, out, cap);
}

/* The name between a mark and one of ends: "USER smith" of POP3, "* PREAUTH
 * server logged in as smith" (RFC 3501 7.1.4). text is an obs.text. */
static void
hide_after(
    const struct names *n, char *text, const char *mark, const char *ends)
{
	const size_t cap = OBS_TEXT_MAX;
	char *at = strcasestr(text, mark), out[OBS_TEXT_MAX] = "";
	struct slice name;
	size_t used;

	if (at == NULL)
		return;
	at += strlen(mark);
	at += strspn(at, " \"<'=");
	name.p = (const uint8_t *)at;
	name.len = strcspn(at, ends);
	if (name.len == 0 || at[name.len] == '@')
		return; /* an address: hidden already */
	used = put(out, cap, 0, text, (size_t)(at - text));
	used = put_pseudonym(n, out, cap, used, name);
	(void)put(out, cap, used, at + name.len, strlen(at + name.len));
	memcpy(text, out, cap);
}

static void
hide_user(const struct names *n, char user[OBS_NAME_MAX])
{
	struct slice name = {(const uint8_t *)user, strcspn(user, "@")};
	char out[OBS_NAME_MAX], hash[HASH_TEXT_MAX];

	if (user[0] == '\0')
		return;
	(void)snprintf(out, sizeof(out), "%s%.200s", pseudonym(n, name, hash),
	    n->mode == NAMES_NONE ? "" : user + name.len);
	memcpy(user, out, sizeof(out));
}

/* A line of the dialogue, which may be longer than a text. */
static void
hide_line(const struct names *n, struct obs *o)
{
	struct obs_line *l = &o->u.line;
	char word[32];

	if (l->names) { /* which of its words is the name is not known here */
		(void)snprintf(word, sizeof(word), "%.*s",
		    (int)strcspn(l->bytes, " "), l->bytes);
		(void)snprintf(
		    l->bytes, sizeof(l->bytes), "%s " OBS_MASK, word);
	} else {
		hide_addresses(n, l->bytes, sizeof(l->bytes));
	}
	l->len = (uint16_t)strlen(l->bytes);
	o->size = obs_size(OBS_LINE);
}

void
names_hide(const struct names *n, struct obs *o)
{
	if (n->mode == NAMES_CLEAR)
		return;
	hide_addresses(n, o->text, sizeof(o->text));
	if (o->dir == DIR_S2C) {
		hide_after(n, o->text, " as ", " \">'@,;:)]");
		hide_after(n, o->text, "user ", " \">'@,;:)]");
	} else {
		hide_after(n, o->text, "USER ", "@"); /* with its blanks */
	}
	if (o->kind == OBS_LINE)
		hide_line(n, o);
	if (o->kind == OBS_AUTH)
		hide_user(n, o->u.auth.user);
	if (o->kind == OBS_CONFLICT) {
		hide_addresses(
		    n, o->u.conflict.first, sizeof(o->u.conflict.first));
		hide_addresses(
		    n, o->u.conflict.second, sizeof(o->u.conflict.second));
	}
}
