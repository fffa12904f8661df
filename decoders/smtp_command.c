/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an SMTP client sends: commands, responses of AUTH, bodies. The body is
 * taken to begin with DATA, not with the 354: a client that does not wait, or
 * a capture without the server's side, is read the same way, and a refusal
 * leads back (smtp.c).
 */
#include "decoders/smtp.h"

#include <stdio.h>
#include <string.h>

static const struct {
	char name[16]; /* in capitals; none has less than four letters; what is
			  sent most often comes first */
	uint8_t verb; /* enum smtp_verb */
	uint8_t open; /* its arguments never hold a secret */
} verbs[] = {
    {"EHLO", SMTP_EHLO, 1},
    {"QUIT", SMTP_QUIT, 1},
    {"MAIL", SMTP_MAIL, 1},
    {"RCPT", SMTP_RCPT, 1},
    {"DATA", SMTP_DATA, 1},
    {"STARTTLS", SMTP_STARTTLS, 1},
    {"AUTH", SMTP_AUTH, 0},
    {"HELO", SMTP_HELO, 1},
    {"LHLO", SMTP_EHLO, 1},
    {"BDAT", SMTP_BDAT, 1},
    {"RSET", SMTP_RSET, 1},
    {"NOOP", SMTP_NOOP, 1},
    {"VRFY", SMTP_KNOWN, 1},
    {"EXPN", SMTP_KNOWN, 1},
    {"HELP", SMTP_KNOWN, 1},
    {"ETRN", SMTP_KNOWN, 1},
    {"ATRN", SMTP_TURN, 1},
    {"TURN", SMTP_TURN, 1},
    {"SEND", SMTP_KNOWN, 1},
    {"SOML", SMTP_KNOWN, 1},
    {"SAML", SMTP_KNOWN, 1},
    {"XFORWARD", SMTP_KNOWN, 1},
    {"XCLIENT", SMTP_KNOWN, 0},
    {"XEXCH50", SMTP_KNOWN, 0},
    {"X-EXPS", SMTP_AUTH, 0},
    {"X-LINK2STATE", SMTP_KNOWN, 0},
    {"X-ANONYMOUSTLS", SMTP_STARTTLS, 1},
    {"XANONYMOUSTLS", SMTP_STARTTLS, 1},
    {"BURL", SMTP_KNOWN, 0},
    {"ONEX", SMTP_KNOWN, 1},
    {"VERB", SMTP_KNOWN, 1},
};

#define NVERBS (sizeof(verbs) / sizeof(verbs[0]))

const char *
smtp_verb_name(uint8_t verb)
{
	if (verb == SMTP_DOT)
		return "DATA";
	if (verb == SMTP_BDAT_LAST)
		return "BDAT";
	for (size_t i = 0; i < NVERBS; i++)
		if (verbs[i].verb == verb && verb != SMTP_KNOWN)
			return verbs[i].name;
	return "";
}

const char *
smtp_tls_verb(const struct mail *m)
{
	return m->u.smtp.anonymous_tls ? "X-ANONYMOUSTLS" : "STARTTLS";
}

/* Without the bit that letters of either case differ in. */
#define NO_CASE 0xdfdfdfdfu
#define FOUR sizeof(uint32_t) /* bytes at once: most verbs are no longer */

/* Of those that begin with the four bytes at p, the next from i on. */
static inline size_t
verb_from(size_t i, const uint8_t *p)
{
	uint32_t have, want;

	for (memcpy(&have, p, FOUR); i < NVERBS; i++) {
		memcpy(&want, verbs[i].name, FOUR);
		if (((have ^ want) & NO_CASE) == 0)
			break;
	}
	return i;
}

static size_t
verb_index(struct slice word)
{
	size_t i = word.len < FOUR ? NVERBS : verb_from(0, word.p);

	for (; i < NVERBS; i = verb_from(i + 1, word.p))
		if (word.len == FOUR ? verbs[i].name[FOUR] == '\0'
				     : slice_is(word, verbs[i].name))
			break;
	return i;
}

enum smtp_verb
smtp_verb_parse(struct slice word)
{
	size_t i = verb_index(word);

	if (word.len == 0)
		return SMTP_NONE;
	return i < NVERBS ? (enum smtp_verb)verbs[i].verb : SMTP_UNKNOWN;
}

/* No letter of a verb is a blank, even without the bit. */
bool
smtp_command_usual(struct smtp_command *c, struct slice s)
{
	size_t i;

	if (s.len < FOUR || s.p[s.len - 1] <= ' ')
		return false;
	if (s.len > FOUR && (s.p[FOUR] != ' ' || s.p[FOUR + 1] <= ' '))
		return false;
	i = verb_from(0, s.p);
	if (i == NVERBS || verbs[i].name[FOUR] != '\0')
		return false;
	c->line = s;
	c->word = (struct slice){s.p, FOUR};
	c->rest = slice_from(s, FOUR + 1);
	c->verb = (enum smtp_verb)verbs[i].verb;
	return true;
}

void
smtp_command_read(struct smtp_command *c, struct slice s)
{
	c->line = c->rest = slice_trim(s);
	c->word = slice_word(&c->rest);
	c->verb = smtp_verb_parse(c->word);
}

bool
smtp_command_is_public(struct slice partial)
{
	struct slice rest = partial, word = slice_word(&rest);
	size_t i = verb_index(word);

	return i < NVERBS && verbs[i].open && partial.len > word.len &&
	       slice_before_cr(partial) == partial.len;
}

void
smtp_show(char *buf, size_t cap, struct slice line)
{
	struct slice rest = line, word = slice_word(&rest);
	size_t i = verb_index(word);

	if (i < NVERBS && verbs[i].verb == SMTP_AUTH)
		use_auth_show(buf, cap, verbs[i].name, rest);
	else if (i < NVERBS && verbs[i].open)
		use_show_open(buf, cap, line);
	else if (i < NVERBS)
		(void)snprintf(buf, cap, "%s %s", verbs[i].name, OBS_MASK);
	else
		use_mask_class(buf, cap, line);
}

/* ---- single commands ---- */

static void
on_hello(struct mail *m, struct slice rest, bool lmtp)
{
	smtp_confirm(m);
	m->u.smtp.ehlo_seen = 1;
	m->u.smtp.lmtp = lmtp;
	caps_set_name(m, slice_word(&rest));
}

static void
on_auth(struct mail *m, struct slice rest, const struct line *l)
{
	if (mail_sasl(m)->active)
		use_auth_lost(m, "AUTH");
	use_auth_begin(m, rest, l);
}

static void
bdat_done(struct mail *m)
{
	struct half *h = &m->half[DIR_C2S];

	m->u.smtp.in_bdat = 0;
	if (!m->u.smtp.bdat_last)
		return;
	use_content(m, DIR_C2S, &h->body);
	body_start(&h->body, false);
	m->env->n.bodies++;
}

static bool
bdat_is_last(struct slice rest)
{
	uint64_t n;
	size_t digits = slice_number(rest, &n);

	return digits > 0 &&
	       slice_is(slice_trim(slice_from(rest, digits)), "LAST");
}

/* RFC 3030: BDAT size [LAST], then that many bytes, whatever the reply. */
static void
on_bdat(struct mail *m, struct slice rest)
{
	uint64_t n;

	if (slice_number(rest, &n) == 0)
		return;
	m->u.smtp.bdat_last = bdat_is_last(rest);
	m->u.smtp.in_bdat = 1;
	mail_count_begin(m, DIR_C2S, n, true);
	if (n == 0)
		bdat_done(m);
}

/* Commands whose use in clear is reported wait for their reply. */
static __attribute__((noinline)) bool
on_clear_use(struct mail *m, enum smtp_verb verb, struct slice line)
{
	char text[128];

	smtp_show(text, sizeof(text), line);
	use_clear(m, verb == SMTP_AUTH, smtp_verb_name(verb), text);
	return m->clear.pending;
}

static bool
in_step(enum smtp_verb verb)
{
	return verb != SMTP_RCPT && verb != SMTP_DATA && verb != SMTP_BDAT &&
	       verb != SMTP_BDAT_LAST && verb != SMTP_DOT;
}

static void
push(struct mail *m, enum smtp_verb verb, bool mark)
{
	(void)mail_queue_push(m, (uint8_t)verb, mark, in_step(verb));
	smtp_settle_owed(m);
}

/* Returns whether its reply will be looked at. */
static bool
on_unknown(struct mail *m, struct slice word)
{
	mail_set_secret(m, DIR_C2S);
	if (!m->u.smtp.ehlo_seen && slice_is(word, "USER") &&
	    mail_is_whole(m)) {
		smtp_not_mail(m); /* FTP */
		return false;
	}
	if (m->u.smtp.provisional) {
		smtp_not_mail(m);
		return false;
	}
	return use_unknown(m, word);
}

static __attribute__((noinline)) void
on_starttls(struct mail *m, struct slice line)
{
	char text[OBS_TEXT_MAX];

	m->u.smtp.anonymous_tls = slice_starts(line, "X");
	smtp_show(text, sizeof(text), line);
	starttls_asked(m, smtp_tls_verb(m), text);
}

static void
on_command(struct mail *m, enum smtp_verb verb, struct slice rest,
    const struct line *l)
{
	switch (verb) {
	case SMTP_EHLO:
	case SMTP_HELO:
		on_hello(m, rest, slice_starts(l->text, "L"));
		break;
	case SMTP_AUTH:
		on_auth(m, rest, l);
		break;
	case SMTP_QUIT:
		use_quit(m, "QUIT", l->text);
		break;
	case SMTP_STARTTLS:
		on_starttls(m, l->text);
		break;
	default:
		break;
	}
}

static void
command(struct mail *m, const struct line *l)
{
	struct smtp_command c;
	bool mark = false;

	if (!smtp_command_usual(&c, l->text))
		smtp_command_read(&c, l->text);
	if (c.verb == SMTP_NONE)
		return;
	if (c.verb == SMTP_UNKNOWN)
		mark = on_unknown(m, c.word);
	else
		on_command(m, c.verb, c.rest, l);
	if (m->half[DIR_C2S].mode == HALF_OFF)
		return;
	if (c.verb == SMTP_MAIL || c.verb == SMTP_AUTH)
		mark = on_clear_use(m, c.verb, c.line);
	if (c.verb == SMTP_BDAT && bdat_is_last(c.rest))
		push(m, SMTP_BDAT_LAST, mark);
	else
		push(m, c.verb, mark);
	if (c.verb == SMTP_DATA)
		mail_body_begin(m, DIR_C2S, l->bare_lf);
	if (c.verb == SMTP_BDAT)
		on_bdat(m, c.rest);
}

static __attribute__((noinline)) void
tell_text(struct mail *m, const struct line *l)
{
	char text[MAIL_INJECT_TEXT];

	smtp_show(text, sizeof(text), l->text);
	starttls_line(m, DIR_C2S, text);
}

void
smtp_client_line(struct mail *m, const struct line *l)
{
	if (sasl_takes_line(mail_sasl(m))) {
		use_auth_response(m, l);
		return;
	}
	if (starttls_has_text(m, DIR_C2S))
		tell_text(m, l);
	command(m, l);
}

void
smtp_client_run_end(struct mail *m)
{
	struct smtp_state *s = &m->u.smtp;

	if (s->in_bdat) {
		bdat_done(m);
		return;
	}
	use_content(m, DIR_C2S, &m->half[DIR_C2S].body);
	body_start(&m->half[DIR_C2S].body, false);
	(void)mail_queue_push(m, SMTP_DOT, 0, false);
	smtp_settle_owed(m);
}
