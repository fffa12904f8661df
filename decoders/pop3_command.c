/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a POP3 client sends. A password is all that follows "PASS " (RFC 1939
 * 7), blanks included; USER and PASS are one exchange.
 */
#include <stdio.h>
#include <string.h>

#include "decoders/pop3.h"

static const struct {
	const char *name;
	uint8_t verb; /* enum pop3_verb */
	uint8_t open; /* its arguments never hold a secret */
	uint8_t in_step; /* clients wait before they send it */
} verbs[] = {
    {"CAPA", POP3_CAPA, 1, 1},
    {"STLS", POP3_STLS, 1, 1},
    {"USER", POP3_USER, 1, 1},
    {"PASS", POP3_PASS, 0, 0},
    {"APOP", POP3_APOP, 0, 1},
    {"AUTH", POP3_AUTH, 0, 1},
    {"RETR", POP3_RETR, 1, 0},
    {"TOP", POP3_MULTI, 1, 0},
    {"LIST", POP3_MULTI, 1, 0},
    {"UIDL", POP3_MULTI, 1, 0},
    {"QUIT", POP3_QUIT, 1, 1},
    {"STAT", POP3_KNOWN, 1, 1},
    {"DELE", POP3_KNOWN, 1, 0},
    {"NOOP", POP3_KNOWN, 1, 1},
    {"RSET", POP3_KNOWN, 1, 1},
    {"LAST", POP3_KNOWN, 1, 0},
    {"UTF8", POP3_KNOWN, 1, 1},
    {"LANG", POP3_MULTI, 1, 1},
    {"XTND", POP3_KNOWN, 1, 0},
    {"XSENDER", POP3_KNOWN, 1, 0},
    {"XOIP", POP3_KNOWN, 1, 1},
    {"XCLIENT", POP3_KNOWN, 0, 1},
};

#define NVERBS (sizeof(verbs) / sizeof(verbs[0]))

static size_t
verb_index(struct slice word)
{
	size_t i;

	for (i = 0; i < NVERBS && !slice_is(word, verbs[i].name); i++)
		;
	return i;
}

const char *
pop3_verb_name(uint8_t verb)
{
	for (size_t i = 0; i < NVERBS; i++)
		if (verbs[i].verb == verb && verb != POP3_KNOWN &&
		    verb != POP3_MULTI)
			return verbs[i].name;
	return "";
}

bool
pop3_command_is_known(struct slice line)
{
	struct slice rest = slice_trim(line);

	return verb_index(slice_word(&rest)) < NVERBS;
}

bool
pop3_command_is_public(struct slice partial)
{
	struct slice rest = partial, word = slice_word(&rest);
	size_t i = verb_index(word);

	return i < NVERBS && verbs[i].open && partial.len > word.len &&
	       slice_before_cr(partial) == partial.len;
}

void
pop3_show(char *buf, size_t cap, struct slice line)
{
	struct slice rest = line, word = slice_word(&rest);
	size_t i = verb_index(word);

	if (i == NVERBS) {
		use_mask_class(buf, cap, line);
	} else if (verbs[i].open) {
		use_show_open(buf, cap, line);
	} else if (verbs[i].verb == POP3_AUTH) {
		use_auth_show(buf, cap, "AUTH", rest);
	} else {
		(void)snprintf(buf, cap, "%s " OBS_MASK, verbs[i].name);
	}
}

/* ---- logging in ---- */

static void
on_user(struct mail *m, struct slice rest)
{
	struct sasl *s;

	use_auth_lost(m, NULL); /* one that never had its reply */
	s = mail_part(m, PART_SASL);
	sasl_start_as(s, MECH_USERPASS, "USER/PASS");
	sasl_user(s, rest);
}

/* rest begins behind the one blank after PASS. */
static void
on_pass(struct mail *m, struct slice rest, const struct line *l)
{
	struct sasl *s = mail_part(m, PART_SASL);

	mail_set_secret(m, DIR_C2S);
	if (!s->active || s->auth.mech != MECH_USERPASS) {
		use_auth_lost(m, NULL);
		s = mail_part(m, PART_SASL);
		sasl_start_as(s, MECH_USERPASS, "USER/PASS");
	}
	sasl_secret(s, rest, l->total - (uint64_t)(rest.p - l->text.p),
	    m->env->secret_key);
	s->auth.secret_pkt = *mail_now(m);
}

static void
on_apop(struct mail *m, struct slice rest)
{
	struct sasl *s;

	mail_set_secret(m, DIR_C2S);
	use_auth_lost(m, NULL); /* one that never had its reply */
	s = mail_part(m, PART_SASL);
	sasl_start_as(s, MECH_APOP, "APOP");
	sasl_user(s, slice_word(&rest));
	s->auth.response_sent = rest.len > 0;
}

static void
on_auth(struct mail *m, struct slice rest, const struct line *l)
{
	use_auth_lost(m, NULL); /* one that never had its reply */
	use_auth_begin(m, rest, l);
}

/* ---- commands ---- */

static bool
on_clear_use(struct mail *m, enum pop3_verb verb, struct slice line)
{
	char text[128];

	if (verb != POP3_USER && verb != POP3_APOP && verb != POP3_AUTH &&
	    verb != POP3_PASS)
		return false;
	if (m->clear.pending)
		return false;
	pop3_show(text, sizeof(text), line);
	use_clear(m, true, pop3_verb_name(verb), text);
	return m->clear.pending;
}

static void
on_command(struct mail *m, enum pop3_verb verb, struct slice rest,
    const struct line *l)
{
	char text[OBS_TEXT_MAX];

	switch (verb) {
	case POP3_USER:
		on_user(m, rest);
		break;
	case POP3_PASS:
		on_pass(m, slice_from(l->text, strlen("PASS ")), l);
		break;
	case POP3_APOP:
		on_apop(m, rest);
		break;
	case POP3_AUTH:
		on_auth(m, rest, l);
		break;
	case POP3_STLS:
		pop3_show(text, sizeof(text), l->text);
		starttls_asked(m, "STLS", text);
		break;
	case POP3_QUIT:
		use_quit(m, "QUIT", l->text);
		break;
	default:
		break;
	}
}

/* LIST and UIDL of one message, LANG with a tag (RFC 6856), and AUTH to ask for
 * mechanisms, differ. */
static enum pop3_verb
verb_of(size_t i, struct slice rest)
{
	enum pop3_verb verb;

	if (i == NVERBS)
		return POP3_UNKNOWN;
	verb = (enum pop3_verb)verbs[i].verb;
	if (verb == POP3_MULTI && rest.len > 0 &&
	    strcmp(verbs[i].name, "TOP") != 0)
		return POP3_KNOWN;
	return verb == POP3_AUTH && rest.len == 0 ? POP3_MULTI : verb;
}

static void
command(struct mail *m, const struct line *l)
{
	struct slice rest = l->text, word = slice_word(&rest);
	size_t i = verb_index(word);
	enum pop3_verb verb = verb_of(i, rest);
	bool mark = false;

	if (word.len == 0)
		return;
	if (verb == POP3_UNKNOWN)
		mark = use_unknown(m, word);
	else
		on_command(m, verb, rest, l);
	mark = on_clear_use(m, verb, l->text) || mark;
	(void)mail_queue_push(
	    m, (uint8_t)verb, mark, i < NVERBS && verbs[i].in_step);
	pop3_settle_owed(m);
}

void
pop3_client_line(struct mail *m, const struct line *l)
{
	char text[MAIL_INJECT_TEXT];

	if (sasl_takes_line(mail_sasl(m))) {
		use_auth_response(m, l);
		return;
	}
	if (starttls_has_text(m, DIR_C2S)) {
		pop3_show(text, sizeof(text), l->text);
		starttls_line(m, DIR_C2S, text);
	}
	command(m, l);
}
