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

static struct slice
slice_of(const char *start, const char *end)
{
	return (struct slice){(const uint8_t *)start, (size_t)(end - start)};
}

struct out { /* a text that is written anew */
	char text[OBS_LINE_MAX];
	size_t cap, used;
};

/* Appends as much as fits. */
static void
put(struct out *o, struct slice s)
{
	if (s.len > o->cap - 1 - o->used)
		s.len = o->cap - 1 - o->used;
	memcpy(o->text + o->used, s.p, s.len);
	o->used += s.len;
	o->text[o->used] = '\0';
}

struct place { /* a text of the wire */
	char *text;
	size_t cap;
	const char *none; /* within a text an empty name would mislead */
};

static void
put_pseudonym(const struct names *n, const struct place *p, struct out *o,
    struct slice name)
{
	char hash[HASH_TEXT_MAX];
	const char *s =
	    n->mode == NAMES_NONE ? p->none : pseudonym(n, name, hash);

	put(o, slice_of(s, s + strlen(s)));
}

static struct out
out_for(const struct place *p)
{
	return (struct out){
	    .cap = p->cap < OBS_LINE_MAX ? p->cap : OBS_LINE_MAX};
}

/* Adds what is left from `from` on, and puts it all in the text's place. */
static void
replace(struct place *p, struct out *o, const char *from)
{
	put(o, slice_of(from, from + strlen(from)));
	memcpy(p->text, o->text, o->cap);
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

/* Where the name before the '@' at `at` begins; of "imap://smith@host" behind
 * the slashes. */
static const char *
name_start(const char *from, const char *at)
{
	const char *start = at;

	while (start > from && is_atom(start[-1]))
		start--;
	for (const char *c = at; c > start + 1; c--)
		if (c[-1] == '/' && c[-2] == '/')
			return c;
	return start;
}

static void
hide_addresses(const struct names *n, struct place p)
{
	struct out out = out_for(&p);
	const char *from = p.text;

	for (const char *at = strchr(p.text, '@'); at != NULL;
	     at = strchr(at + 1, '@')) {
		const char *start = name_start(from, at);

		if (start == at)
			continue;
		put(&out, slice_of(from, start));
		put_pseudonym(n, &p, &out, slice_of(start, at));
		from = at;
	}
	if (from != p.text)
		replace(&p, &out, from);
}

/* The name between a mark and one of ends: "USER smith" of POP3, "* PREAUTH
 * server logged in as smith" (RFC 3501 7.1.4), "RCPT TO:<smith>". */
static void
hide_after(
    const struct names *n, struct place p, const char *mark, const char *ends)
{
	const char *at = strcasestr(p.text, mark), *end;
	struct out out = out_for(&p);

	if (at == NULL)
		return;
	at += strlen(mark);
	at += strspn(at, " \"<'=");
	end = at + strcspn(at, ends);
	if (end == at || *end == '@')
		return; /* an address: hidden already */
	put(&out, slice_of(p.text, at));
	put_pseudonym(n, &p, &out, slice_of(at, end));
	replace(&p, &out, end);
}

static void
hide_text(const struct names *n, uint8_t dir, struct place p)
{
	hide_addresses(n, p);
	hide_after(n, p, ":<", ">@"); /* the user of this very host */
	if (dir == DIR_S2C) {
		hide_after(n, p, " <", " >@");
		hide_after(n, p, " as ", " \">'@,;:)]");
		hide_after(n, p, "user ", " \">'@,;:)]");
	} else {
		hide_after(n, p, "USER ", "@"); /* with its blanks */
	}
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

/* Commands whose arguments are users, or mailboxes that bear their names. */
static bool
is_about_users(const struct obs *o)
{
	static const char *const verbs[] = {"VRFY", "EXPN", "XTND", "PROXYAUTH",
	    "SETACL", "DELETEACL", "LISTRIGHTS", "GETQUOTAROOT", "SETQUOTA",
	    "GETQUOTA"};
	const char *verb = o->u.line.bytes;
	size_t len;

	if (o->dir != DIR_C2S)
		return false;
	if (o->proto == PROTO_IMAP) { /* behind the tag */
		verb += strcspn(verb, " ");
		verb += strspn(verb, " ");
	}
	len = strcspn(verb, " ");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strlen(verbs[i]) == len &&
		    strncasecmp(verb, verbs[i], len) == 0)
			return true;
	return strcasestr(verb, " user.") != NULL ||
	       strcasestr(verb, "\"user.") != NULL ||
	       strcasestr(verb, "user/") != NULL ||
	       strcasestr(verb, "users/") != NULL;
}

/* A line of the dialogue, which may be longer than a text. */
static void
hide_line(const struct names *n, struct obs *o)
{
	struct obs_line *l = &o->u.line;
	char word[32];

	/* which of its words is the name is not known here */
	if (l->names || is_about_users(o)) {
		(void)snprintf(word, sizeof(word), "%.*s",
		    (int)strcspn(l->bytes, " "), l->bytes);
		(void)snprintf(
		    l->bytes, sizeof(l->bytes), "%s " OBS_MASK, word);
	} else {
		struct place p = {l->bytes, sizeof(l->bytes), OBS_MASK};

		hide_text(n, o->dir, p);
		if (l->what == LINE_MAIL_FROM || l->what == LINE_RCPT_TO)
			hide_after(n, p, "<", ">@");
	}
	l->len = (uint16_t)strlen(l->bytes);
	o->size = obs_size(OBS_LINE);
}

void
names_hide(const struct names *n, struct obs *o)
{
	if (n->mode == NAMES_CLEAR)
		return;
	hide_text(n, o->dir, (struct place){o->text, sizeof(o->text), "…"});
	if (o->kind == OBS_LINE)
		hide_line(n, o);
	if (o->kind == OBS_AUTH)
		hide_user(n, o->u.auth.user);
	if (o->kind == OBS_CONFLICT) {
		struct obs_conflict *c = &o->u.conflict;

		hide_addresses(
		    n, (struct place){c->first, sizeof(c->first), "…"});
		hide_addresses(
		    n, (struct place){c->second, sizeof(c->second), "…"});
	}
}
