/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a POP3 server says: +OK and -ERR in the order of the commands, lists
 * and messages up to a dot. As in smtp.c, a reply that comes before its
 * command is kept and waits for it.
 */
#include "decoders/pop3.h"

#include <string.h>

static void
pop3_start(struct mail *m)
{
	uint32_t partial = VIS_MIDSTREAM | VIS_GAP_C2S | VIS_GAP_S2C;

	memset(&m->u.pop3, 0, sizeof(m->u.pop3));
	m->greeted = (m->vis & (VIS_MIDSTREAM | VIS_GAP_S2C)) != 0;
	if ((m->vis & partial) != 0)
		queue_unsure(&m->queue);
	m->queue.turned = 1; /* most flows met late are met at a command */
}

/* The name is in the APOP stamp <pid.clock@name> or stands free. */
static struct slice
greeting_host(struct slice text)
{
	struct slice rest = text, host;

	while (rest.len > 0) {
		struct slice w = slice_word(&rest);
		const uint8_t *at = memchr(w.p, '@', w.len);

		if (w.len == 0 || w.p[0] != '<' || at == NULL)
			continue;
		host = slice_from(w, (size_t)(at - w.p) + 1);
		if (host.len > 0 && host.p[host.len - 1] == '>')
			host.len--;
		return host;
	}
	return use_host_word(text);
}

static void
on_greeting(struct mail *m, bool ok, struct slice line)
{
	struct greeting g = {.kind = ok ? GREETING_OK : GREETING_REFUSED,
	    .host = greeting_host(slice_from(line, 4)),
	    .text = line};

	m->greeted = 1;
	use_greeting(m, &g);
}

/* ---- replies ---- */

static void
reply_capa(struct mail *m, bool ok, struct slice line)
{
	if (!ok) {
		caps_refused(m, CAPS_CAPA, 0, line);
		return;
	}
	caps_begin(m, CAPS_CAPA);
	caps_acc(m)->nlines = 1;
	m->u.pop3.in_list = 1;
}

static void
reply_dispatch(struct mail *m, struct queue_entry e, bool ok, struct slice line)
{
	switch (e.verb) {
	case POP3_CAPA:
		reply_capa(m, ok, line);
		break;
	case POP3_STLS:
		starttls_answered(
		    m, ok ? ANSWER_POSITIVE : ANSWER_PERMFAIL, 0, "STLS", line);
		break;
	case POP3_USER: /* PASS may be on its way already */
		if (!ok && !mail_sasl(m)->auth.secret_sent)
			use_auth_answered(m, false, 0);
		break;
	case POP3_PASS:
	case POP3_APOP:
	case POP3_AUTH:
		use_auth_answered(m, ok, 0);
		break;
	case POP3_RETR:
	case POP3_MULTI:
		if (ok)
			mail_body_begin(m, DIR_S2C, m->u.pop3.bare_lf);
		m->half[DIR_S2C].is_body = e.verb == POP3_RETR;
		break;
	case POP3_QUIT:
		if (m->phase == PHASE_TEXT)
			m->phase = PHASE_CLOSING;
		break;
	case POP3_UNKNOWN:
		if (e.mark)
			use_unknown_answered(m, ok, line);
		break;
	default:
		break;
	}
}

static bool
is_login(uint8_t verb)
{
	return verb == POP3_USER || verb == POP3_PASS || verb == POP3_APOP ||
	       verb == POP3_AUTH;
}

static void
reply_unmatched(struct mail *m, bool ok, struct slice line)
{
	if (m->queue.unsure) {
		use_clear_answered(m, 0, false);
		return;
	}
	if (m->phase == PHASE_TLS_READY) {
		starttls_unasked(m);
		return;
	}
	use_owed(m, ok, line);
}

static void
on_reply(struct mail *m, bool ok, struct slice line)
{
	struct queue_entry e = queue_pop(&m->queue);

	queue_reply(&m->queue);
	if (e.verb == POP3_NONE) {
		reply_unmatched(m, ok, line);
		return;
	}
	if (m->phase == PHASE_TLS_READY)
		m->tls_plain = 1;
	if (e.mark && is_login(e.verb))
		use_clear_answered(m, 0, ok);
	if (!ok && is_login(e.verb) && use_text_demands_tls(line))
		use_demanded(m, pop3_verb_name(e.verb), 0, line);
	reply_dispatch(m, e, ok, line);
}

/* The lines behind a +OK that came early were not taken for a list or a
 * message: nothing is said of them. */
void
pop3_settle_owed(struct mail *m)
{
	struct owed w;
	uint8_t verb = queue_head(&m->queue).verb;
	struct slice line;

	if (m->part[PART_OWED] == NULL || verb == POP3_NONE)
		return;
	memcpy(&w, m->part[PART_OWED], sizeof(w));
	mail_part_end(m, PART_OWED);
	line = (struct slice){(const uint8_t *)w.text, strlen(w.text)};
	if (w.positive &&
	    (verb == POP3_CAPA || verb == POP3_RETR || verb == POP3_MULTI))
		(void)queue_pop(&m->queue);
	else
		on_reply(m, w.positive, line);
}

/* ---- lines ---- */

/* Neither +OK nor -ERR. */
static void
on_nonsense(struct mail *m, struct slice line)
{
	mail_set_secret(m, DIR_S2C);
	if (m->phase != PHASE_TLS_ASKED ||
	    queue_head(&m->queue).verb != POP3_STLS)
		return;
	(void)queue_pop(&m->queue);
	starttls_answered(m, ANSWER_INVALID, 0, "STLS", line);
}

static void
on_continue(struct mail *m, struct slice line)
{
	on_nonsense(m, line);
	if (!queue_seek(&m->queue, POP3_AUTH) || !mail_sasl(m)->active)
		return;
	use_auth_asked(m);
	use_clear_answered(m, 0, true);
}

static void
list_line(struct mail *m, const struct line *l)
{
	struct slice s = l->text;

	if (slice_is(s, ".")) {
		m->u.pop3.in_list = 0;
		caps_emit(m, s);
		return;
	}
	if (s.len > 1 && s.p[0] == '.')
		s = slice_from(s, 1);
	caps_acc(m)->nlines++;
	caps_line(m, s, l->overlong);
}

static void
server_line(struct mail *m, const struct line *l)
{
	bool ok = slice_starts(l->text, "+OK");
	bool status = ok || slice_starts(l->text, "-ERR");

	m->u.pop3.bare_lf = l->bare_lf;
	if (m->u.pop3.in_list)
		list_line(m, l);
	else if (status && !m->greeted)
		on_greeting(m, ok, l->text);
	else if (status)
		on_reply(m, ok, l->text);
	else if (slice_starts(l->text, "+"))
		on_continue(m, l->text);
	else if (l->text.len > 0 && m->phase == PHASE_TLS_ASKED)
		on_nonsense(m, l->text);
	else
		mail_set_secret(m, DIR_S2C);
}

static void
pop3_line(struct mail *m, enum dir dir, const struct line *l)
{
	char text[MAIL_INJECT_TEXT];

	if (dir == DIR_C2S) {
		pop3_client_line(m, l);
		return;
	}
	if (starttls_has_text(m, DIR_S2C)) {
		(void)obs_copy_string(text, sizeof(text), l->text);
		starttls_line(m, DIR_S2C, text);
	}
	if (m->phase == PHASE_TLS_HELLO)
		return;
	if (m->phase == PHASE_TLS_READY &&
	    queue_head(&m->queue).verb == POP3_NONE && !m->u.pop3.in_list)
		starttls_unasked(m);
	else
		server_line(m, l);
}

static void
pop3_run_end(struct mail *m, enum dir dir)
{
	struct half *h = &m->half[dir];

	if (dir == DIR_S2C && h->is_body)
		use_content(m, DIR_S2C, &h->body);
	h->is_body = 0;
}

static void
list_end(struct mail *m)
{
	if (m->u.pop3.in_list)
		caps_flush(m);
	m->u.pop3.in_list = 0;
}

static void
pop3_gap(struct mail *m, enum dir dir)
{
	if (m->half[dir].mode == HALF_DOT)
		return; /* within a message */
	list_end(m);
	use_gap(m, dir);
}

static bool
pop3_is_whole(enum dir dir, struct slice line)
{
	if (dir == DIR_S2C)
		return slice_starts(line, "+OK") || slice_starts(line, "-ERR");
	return pop3_command_is_known(line);
}

static void
pop3_flush(struct mail *m)
{
	struct half *h = &m->half[DIR_S2C];

	list_end(m);
	use_clear_answered(m, 0, false);
	use_auth_lost(m, NULL);
	if (h->mode == HALF_DOT && h->is_body)
		use_content(m, DIR_S2C, &h->body);
	queue_clear(&m->queue);
}

static bool
pop3_partial_is_public(enum dir dir, struct slice s)
{
	return dir == DIR_C2S
		   ? pop3_command_is_public(s)
		   : slice_starts(s, "+OK ") || slice_starts(s, "-ERR ");
}

const struct mail_ops pop3_ops = {
    .start = pop3_start,
    .line = pop3_line,
    .run_end = pop3_run_end,
    .gap = pop3_gap,
    .is_whole = pop3_is_whole,
    .flush = pop3_flush,
    .show = pop3_show,
    .partial_is_public = pop3_partial_is_public,
};
