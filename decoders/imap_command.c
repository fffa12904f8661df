/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an IMAP client sends: tag, command, arguments; literals in between. Of
 * arguments only those of LOGIN and AUTHENTICATE are looked at, and of a
 * literal only one that is an argument of LOGIN is kept, until it is complete.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "decoders/imap.h"
#include "decoders/siphash.h"

static const struct {
	const char *name;
	uint8_t verb; /* enum imap_verb */
} verbs[] = {
    {"LOGIN", IMAP_LOGIN},
    {"AUTHENTICATE", IMAP_AUTHENTICATE},
    {"STARTTLS", IMAP_STARTTLS},
    {"CAPABILITY", IMAP_CAPABILITY},
    {"LOGOUT", IMAP_LOGOUT},
    {"COMPRESS", IMAP_COMPRESS},
    {"APPEND", IMAP_APPEND},
    {"UNAUTHENTICATE", IMAP_UNAUTHENTICATE},
};

static const char *const known[] = {"NOOP", "ID", "IDLE", "ENABLE", "SELECT",
    "EXAMINE", "CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE", "LIST",
    "LSUB", "XLIST", "RLIST", "RLSUB", "STATUS", "CHECK", "CLOSE", "UNSELECT",
    "EXPUNGE", "SEARCH", "SORT", "THREAD", "FETCH", "STORE", "COPY", "MOVE",
    "REPLACE", "UID", "NAMESPACE", "NOTIFY", "GETQUOTA", "GETQUOTAROOT",
    "SETQUOTA", "GETACL", "SETACL", "DELETEACL", "LISTRIGHTS", "MYRIGHTS",
    "GETMETADATA", "SETMETADATA", "GETANNOTATION", "SETANNOTATION", "LANGUAGE",
    "COMPARATOR", "CANCELUPDATE", "PROXYAUTH", "XAPPLEPUSHSERVICE",
    "X-GM-EXT-1", "RESETKEY", "GENURLAUTH", "URLFETCH", "CONVERT", "ESEARCH",
    "SCAN"};

static enum imap_verb
verb_parse(struct slice word)
{
	if (word.len == 0)
		return IMAP_NONE;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (slice_is(word, verbs[i].name))
			return (enum imap_verb)verbs[i].verb;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (slice_is(word, known[i]))
			return IMAP_KNOWN;
	return IMAP_UNKNOWN;
}

uint32_t
imap_tag_id(const struct mail *m, struct slice tag)
{
	uint32_t id = (uint32_t)siphash(m->env->secret_key, tag);

	return id != 0 ? id : 1;
}

/* ---- what may be shown ---- */

static bool
tag_is_plausible(struct slice tag)
{
	for (size_t i = 0; i < tag.len; i++)
		if (!isalnum(tag.p[i]) && strchr(".-_#$", tag.p[i]) == NULL)
			return false;
	return tag.len > 0 && tag.len <= 24;
}

bool
imap_command_is_known(struct slice line)
{
	struct slice rest = line, tag = slice_word(&rest);
	enum imap_verb v = verb_parse(slice_word(&rest));

	return tag_is_plausible(tag) && v != IMAP_NONE && v != IMAP_UNKNOWN;
}

bool
imap_is_tagged_reply(struct slice line)
{
	struct slice rest = line, tag = slice_word(&rest);
	struct slice word = slice_word(&rest);

	return tag_is_plausible(tag) &&
	       (slice_is(word, "OK") || slice_is(word, "NO") ||
		   slice_is(word, "BAD"));
}

bool
imap_command_is_public(struct slice s)
{
	struct slice rest = s, tag = slice_word(&rest);
	size_t before = rest.len;
	struct slice verb = slice_word(&rest);
	enum imap_verb v = verb_parse(verb);

	return tag_is_plausible(tag) && v != IMAP_NONE && v != IMAP_UNKNOWN &&
	       v != IMAP_LOGIN && v != IMAP_AUTHENTICATE && before > verb.len &&
	       slice_before_cr(s) == s.len;
}

void
imap_show(char *buf, size_t cap, struct slice line)
{
	struct slice rest = line, tag = slice_word(&rest);
	struct slice verb = slice_word(&rest);
	enum imap_verb v = verb_parse(verb);
	char head[48], t[32] = "?";

	if (tag_is_plausible(tag))
		(void)obs_copy_string(t, sizeof(t), tag);
	if (v == IMAP_LOGIN)
		(void)snprintf(buf, cap, "%s LOGIN " OBS_MASK, t);
	else if (v == IMAP_AUTHENTICATE) {
		(void)snprintf(head, sizeof(head), "%s AUTHENTICATE", t);
		use_auth_show(buf, cap, head, rest);
	} else if (v == IMAP_NONE || v == IMAP_UNKNOWN ||
		   !tag_is_plausible(tag))
		use_mask_class(buf, cap, line);
	else
		use_show_open(buf, cap, line);
}

/* ---- the tags ---- */

/* n of them may be in use; there are none where there is no memory. */
static struct imap_tag *
tags_of(const struct mail *m, unsigned *n)
{
	struct imap_tag *t = m->part[PART_TAGS];

	*n = t != NULL ? IMAP_TAGS : 0;
	return t;
}

bool
imap_is_pending(const struct mail *m, uint32_t of)
{
	unsigned n;
	const struct imap_tag *t = tags_of(m, &n);

	for (unsigned i = 0; i < n; i++)
		if (t[i].id != 0 && (of & 1u << t[i].verb) != 0)
			return true;
	return false;
}

bool
imap_login_pending(const struct mail *m)
{
	return imap_is_pending(m, 1u << IMAP_LOGIN | 1u << IMAP_AUTHENTICATE);
}

enum imap_verb
imap_verb_of(const struct mail *m, uint32_t id)
{
	unsigned n;
	const struct imap_tag *t = tags_of(m, &n);

	for (unsigned i = 0; i < n; i++)
		if (t[i].id == id)
			return (enum imap_verb)t[i].verb;
	return IMAP_NONE;
}

bool
imap_tag_take(struct mail *m, uint32_t id, struct imap_tag *out)
{
	unsigned i, n;
	struct imap_tag *t = tags_of(m, &n);

	for (i = 0; i < n && t[i].id != id; i++)
		;
	if (i == n)
		return false;
	*out = t[i];
	t[i].id = 0;
	if (--m->u.imap.ntags == 0)
		mail_part_end(m, PART_TAGS);
	return true;
}

static void
tag_add(struct mail *m, uint32_t id, enum imap_verb verb, bool mark)
{
	struct imap_tag *t = mail_part(m, PART_TAGS);
	unsigned i;

	for (i = 0; i < IMAP_TAGS && t[i].id != 0 && t[i].id != id; i++)
		;
	if (i < IMAP_TAGS) {
		m->u.imap.ntags += t[i].id == 0;
		t[i] = (struct imap_tag){id, (uint8_t)verb, mark};
	} else if (m->u.imap.overflow < UINT16_MAX) {
		m->u.imap.overflow++;
	}
	imap_settle_stray(m, id);
}

/* ---- LOGIN ---- */

static void
login_arg(struct mail *m, struct slice value, uint64_t total)
{
	struct imap_state *s = &m->u.imap;
	struct sasl *sasl = mail_part(m, PART_SASL);

	if (s->arg == 0) {
		sasl_user(sasl, value);
	} else if (s->arg == 1) {
		sasl_secret(sasl, value, total, m->env->secret_key);
		sasl->auth.secret_pkt = *mail_now(m);
	}
	if (s->arg < 2)
		s->arg++;
}

/* A quoted string, escapes undone (RFC 3501 4.3). Returns bytes taken. */
static size_t
login_quoted(struct mail *m, struct slice s)
{
	uint8_t value[LINE_KEEP];
	size_t i, n = 0;

	for (i = 1; i < s.len && s.p[i] != '"'; i++) {
		if (s.p[i] == '\\' && i + 1 < s.len)
			i++;
		if (n < sizeof(value))
			value[n++] = s.p[i];
	}
	login_arg(m, (struct slice){value, n}, n);
	explicit_bzero(value, sizeof(value));
	return i + 1;
}

/* cut: bytes of the line beyond what is kept; they belong to its last word. */
static void
login_args(struct mail *m, struct slice s, bool literal, uint64_t cut)
{
	while (m->u.imap.arg < 2) {
		s = slice_trim(s);
		if (s.len == 0 || (literal && s.p[0] == '{'))
			return;
		if (s.p[0] == '"') {
			s = slice_from(s, login_quoted(m, s));
		} else {
			struct slice atom = slice_word(&s);
			uint64_t total = atom.len + (s.len == 0 ? cut : 0);

			/* a literal that begins in the same line: no name */
			if (atom.p[0] == '{' && m->u.imap.arg == 0)
				atom.len = 0;
			login_arg(m, atom, total);
		}
	}
}

/* ---- commands ---- */

static void
literal_begin(struct mail *m, struct literal lit)
{
	struct imap_state *s = &m->u.imap;

	s->cont[DIR_C2S] = 1;
	s->wait_id = lit.sync ? s->id : 0;
	m->env->n.literals++;
	if (s->verb == IMAP_LOGIN && s->arg < 2) {
		if (lit.len == 0)
			login_arg(m, (struct slice){NULL, 0}, 0);
		else
			mail_keep_begin(m, DIR_C2S, lit.len);
		return;
	}
	if (s->verb == IMAP_APPEND)
		body_start(&m->half[DIR_C2S].body, false);
	mail_count_begin(m, DIR_C2S, lit.len, s->verb == IMAP_APPEND);
}

void
imap_client_run_end(struct mail *m)
{
	struct half *h = &m->half[DIR_C2S];
	struct imap_state *s = &m->u.imap;

	s->wait_id = 0;
	if (s->verb == IMAP_LOGIN && s->arg < 2)
		login_arg(m, line_partial(&h->line), h->line.seen);
	else if (h->is_body)
		use_content(m, DIR_C2S, &h->body);
	h->is_body = 0;
}

static void
on_login(struct mail *m, struct slice rest, const struct line *l)
{
	mail_set_secret(m, DIR_C2S);
	sasl_start_as(mail_part(m, PART_SASL), MECH_IMAP_LOGIN, "LOGIN");
	m->u.imap.arg = 0;
	login_args(m, rest, line_literal(l).have, l->total - l->text.len);
}

static void
auth_begin(struct mail *m, enum imap_verb v, struct slice line)
{
	char text[128];

	use_auth_lost(m, NULL); /* one that never had its reply */
	imap_show(text, sizeof(text), line);
	use_clear(m, true, v == IMAP_LOGIN ? "LOGIN" : "AUTHENTICATE", text);
}

static void
on_command(
    struct mail *m, enum imap_verb v, struct slice rest, const struct line *l)
{
	char text[OBS_TEXT_MAX];

	switch (v) {
	case IMAP_LOGIN:
		auth_begin(m, v, l->text);
		on_login(m, rest, l);
		break;
	case IMAP_AUTHENTICATE:
		auth_begin(m, v, l->text);
		use_auth_begin(m, rest, l);
		break;
	case IMAP_STARTTLS:
		imap_show(text, sizeof(text), l->text);
		starttls_asked(m, "STARTTLS", text);
		break;
	case IMAP_CAPABILITY:
		m->u.imap.listed = 0;
		break;
	case IMAP_LOGOUT:
		use_quit(m, "LOGOUT", l->text);
		break;
	default:
		break;
	}
}

static void
command(struct mail *m, const struct line *l)
{
	struct imap_state *s = &m->u.imap;
	struct slice rest = l->text, tag = slice_word(&rest);
	struct slice verb = slice_word(&rest);
	enum imap_verb v = verb_parse(verb);
	bool mark = false;

	if (v == IMAP_NONE) { /* DONE, or nonsense */
		if (slice_is(tag, "DONE"))
			return;
		mail_set_secret(m, DIR_C2S);
		if (tag.len > 0) /* servers answer a lone tag with BAD */
			tag_add(m, imap_tag_id(m, tag), v, false);
		return;
	}
	s->verb = (uint8_t)v;
	s->id = imap_tag_id(m, tag);
	if (v == IMAP_UNKNOWN)
		mark = use_unknown(m, verb);
	else
		on_command(m, v, rest, l);
	if (v == IMAP_LOGIN || v == IMAP_AUTHENTICATE)
		mark = m->clear.pending;
	tag_add(m, s->id, v, mark);
}

/* The rest of a command behind a literal. */
static void
continued(struct mail *m, const struct line *l)
{
	mail_set_secret(m, DIR_C2S);
	starttls_line(m, DIR_C2S, OBS_MASK);
	if (m->u.imap.verb == IMAP_LOGIN)
		login_args(
		    m, l->text, line_literal(l).have, l->total - l->text.len);
}

void
imap_client_line(struct mail *m, const struct line *l)
{
	struct imap_state *s = &m->u.imap;
	struct literal lit = line_literal(l);
	char text[MAIL_INJECT_TEXT];

	if (s->cont[DIR_C2S]) {
		s->cont[DIR_C2S] = 0;
		continued(m, l);
	} else if (mail_sasl(m)->auth.mech != MECH_IMAP_LOGIN &&
		   sasl_takes_line(mail_sasl(m))) {
		use_auth_response(m, l);
		return;
	} else {
		if (starttls_has_text(m, DIR_C2S)) {
			imap_show(text, sizeof(text), l->text);
			starttls_line(m, DIR_C2S, text);
		}
		command(m, l);
	}
	if (lit.have && m->half[DIR_C2S].mode == HALF_LINE)
		literal_begin(m, lit);
}
