/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a ManageSieve client sends. Commands are atoms and responses of an
 * authentication are strings, so that the two are never taken for each other.
 * A client's literals do not wait ({12+}); one without the plus is no literal
 * (RFC 5804 4). Only a literal that is a response is kept, until it is
 * complete; scripts are passed by.
 */
#include "decoders/sieve.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	uint8_t verb; /* enum sieve_verb */
	uint8_t open; /* its arguments never hold a secret */
	uint8_t in_step; /* clients wait before they send it */
} verbs[] = {
    {"AUTHENTICATE", SIEVE_AUTHENTICATE, 0, 1},
    {"STARTTLS", SIEVE_STARTTLS, 1, 1},
    {"CAPABILITY", SIEVE_CAPABILITY, 1, 1},
    {"LOGOUT", SIEVE_LOGOUT, 1, 1},
    {"UNAUTHENTICATE", SIEVE_UNAUTHENTICATE, 1, 1},
    {"NOOP", SIEVE_KNOWN, 1, 1},
    {"HAVESPACE", SIEVE_KNOWN, 1, 0},
    {"PUTSCRIPT", SIEVE_KNOWN, 1, 0},
    {"LISTSCRIPTS", SIEVE_KNOWN, 1, 0},
    {"SETACTIVE", SIEVE_KNOWN, 1, 0},
    {"GETSCRIPT", SIEVE_KNOWN, 1, 0},
    {"DELETESCRIPT", SIEVE_KNOWN, 1, 0},
    {"RENAMESCRIPT", SIEVE_KNOWN, 1, 0},
    {"CHECKSCRIPT", SIEVE_KNOWN, 1, 0},
    {"XCLIENT", SIEVE_KNOWN, 0, 1},
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

bool
sieve_command_is_known(struct slice line)
{
	struct slice rest = slice_trim(line);

	return verb_index(slice_word(&rest)) < NVERBS;
}

bool
sieve_command_is_public(struct slice partial)
{
	struct slice rest = partial, word = slice_word(&rest);
	size_t i = verb_index(word);

	return i < NVERBS && verbs[i].open && partial.len > word.len &&
	       slice_before_cr(partial) == partial.len;
}

struct slice
sieve_unquote(struct slice s, uint8_t *out, size_t cap)
{
	bool quoted = false;
	size_t n = 0;

	for (size_t i = 0; i < s.len && n < cap; i++) {
		if (s.p[i] == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && s.p[i] == '\\' && i + 1 < s.len)
			i++;
		out[n++] = s.p[i];
	}
	return (struct slice){out, n};
}

static void
show_auth(char *buf, size_t cap, struct slice rest)
{
	uint8_t plain[MAIL_LINE_C2S];

	use_auth_show(buf, cap, "AUTHENTICATE",
	    sieve_unquote(rest, plain, sizeof(plain)));
	explicit_bzero(plain, sizeof(plain));
}

void
sieve_show(char *buf, size_t cap, struct slice line)
{
	struct slice rest = line, word = slice_word(&rest);
	size_t i = verb_index(word);

	if (i == NVERBS)
		use_mask_class(buf, cap, line);
	else if (verbs[i].verb == SIEVE_AUTHENTICATE)
		show_auth(buf, cap, rest);
	else if (verbs[i].open)
		use_show_open(buf, cap, line);
	else
		(void)snprintf(buf, cap, "%s " OBS_MASK, verbs[i].name);
}

/* ---- logging in ---- */

/* What the line has beyond what is kept belongs to its last string. */
static void
take_response(struct mail *m, struct slice s, const struct line *l)
{
	use_auth_take(m, s, l->overlong ? s.len + l->total - l->text.len : 0);
}

static void
on_auth(struct mail *m, struct slice rest, const struct line *l)
{
	uint8_t buf[MAIL_LINE_C2S];
	struct slice s = sieve_unquote(rest, buf, sizeof(buf));

	use_auth_lost(m, NULL); /* one that never had its reply */
	mail_set_secret(m, DIR_C2S);
	sasl_start(mail_part(m, PART_SASL), slice_word(&s));
	if (line_literal(l).have)
		m->u.sieve.keep = 1;
	else if (s.len > 0)
		take_response(m, s, l);
	explicit_bzero(buf, sizeof(buf));
}

/* A string; or what a client that knows no better sends when asked. */
bool
sieve_is_response(const struct mail *m, struct slice line)
{
	const struct sasl *s = mail_sasl(m);

	if (!s->active || s->cancelled)
		return false;
	if (line.len > 0 && (line.p[0] == '"' || line.p[0] == '{'))
		return true;
	return s->challenged && !sieve_command_is_known(line);
}

static void
on_response(struct mail *m, const struct line *l)
{
	uint8_t buf[MAIL_LINE_C2S];

	mail_set_secret(m, DIR_C2S);
	starttls_line(m, DIR_C2S, OBS_MASK);
	if (line_literal(l).have)
		m->u.sieve.keep = 1;
	else
		take_response(m, sieve_unquote(l->text, buf, sizeof(buf)), l);
	explicit_bzero(buf, sizeof(buf));
}

/* ---- commands ---- */

static bool
on_clear_use(struct mail *m, struct slice line)
{
	char text[128];

	if (m->clear.pending)
		return false;
	sieve_show(text, sizeof(text), line);
	use_clear(m, true, "AUTHENTICATE", text);
	return m->clear.pending;
}

static void
command(struct mail *m, const struct line *l)
{
	struct slice rest = l->text, word = slice_word(&rest);
	size_t i = verb_index(word);
	uint8_t verb = i < NVERBS ? verbs[i].verb : SIEVE_UNKNOWN;
	char text[OBS_TEXT_MAX];
	bool mark = false;

	if (word.len == 0)
		return;
	if (verb == SIEVE_UNKNOWN)
		mark = use_unknown(m, word);
	if (verb == SIEVE_AUTHENTICATE) {
		on_auth(m, rest, l);
		mark = on_clear_use(m, l->text);
	}
	if (verb == SIEVE_STARTTLS) {
		sieve_show(text, sizeof(text), l->text);
		starttls_asked(m, "STARTTLS", text);
	}
	if (verb == SIEVE_LOGOUT)
		use_quit(m, "LOGOUT", l->text);
	(void)mail_queue_push(m, verb, mark, i < NVERBS && verbs[i].in_step);
	sieve_settle_owed(m);
}

/* ---- lines and literals ---- */

static void
literal_begin(struct mail *m, struct literal lit)
{
	struct sieve_state *s = &m->u.sieve;
	bool keep = s->keep && lit.len > 0;

	s->cont[DIR_C2S] = 1;
	m->env->n.literals++;
	if (keep)
		mail_keep_begin(m, DIR_C2S, lit.len);
	else
		mail_count_begin(m, DIR_C2S, lit.len, false);
	s->keep = keep;
}

void
sieve_client_run_end(struct mail *m)
{
	const struct line_buf *b = &m->half[DIR_C2S].line;

	if (m->u.sieve.keep)
		use_auth_take(
		    m, line_partial(b), b->seen > b->len ? b->seen : 0);
	m->u.sieve.keep = 0;
}

void
sieve_client_line(struct mail *m, const struct line *l)
{
	struct sieve_state *s = &m->u.sieve;
	struct literal lit = line_literal(l);
	char text[MAIL_INJECT_TEXT];

	s->keep = 0;
	if (s->cont[DIR_C2S]) {
		s->cont[DIR_C2S] = 0;
		mail_set_secret(m, DIR_C2S);
		starttls_line(m, DIR_C2S, OBS_MASK);
	} else if (sieve_is_response(m, l->text)) {
		on_response(m, l);
	} else {
		if (starttls_has_text(m, DIR_C2S)) {
			sieve_show(text, sizeof(text), l->text);
			starttls_line(m, DIR_C2S, text);
		}
		command(m, l);
	}
	if (lit.have && !lit.sync && m->half[DIR_C2S].mode == HALF_LINE)
		literal_begin(m, lit);
}
