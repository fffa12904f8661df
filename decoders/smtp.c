/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an SMTP server says: greeting, replies in one or several lines, each
 * matched to its command. Some codes can only answer one command (334 AUTH,
 * 354 DATA); they bring a queue that lost step back into it. A reply that
 * comes before its command (the tap merges directions with a skew) is kept
 * and waits for it.
 */
#include "decoders/smtp.h"

#include <string.h>

static void
smtp_start(struct mail *m)
{
	memset(&m->u.smtp, 0, sizeof(m->u.smtp));
	m->greeted = (m->vis & (VIS_MIDSTREAM | VIS_GAP_S2C)) != 0;
	if ((m->vis & (VIS_MIDSTREAM | VIS_GAP_C2S | VIS_GAP_S2C)) != 0)
		queue_unsure(&m->queue);
	m->queue.turned = 1; /* most flows met late are met at a command */
}

void
smtp_not_mail(struct mail *m)
{
	m->proto = PROTO_OTHER;
	mail_stop(m, PHASE_OPAQUE);
}

/* ---- greeting ---- */

/* Kept: it goes on, or waits to be confirmed. */
static void
greeting_keep(struct mail *m, struct slice line)
{
	struct greet *g = m->part[PART_GREET];
	size_t n;

	if (g == NULL) {
		g = mail_part(m, PART_GREET);
		(void)obs_copy_string(g->host, sizeof(g->host),
		    use_host_word(slice_from(line, 4)));
		g->pkt = *mail_now(m);
		g->text[0] = '\0';
	}
	n = strlen(g->text);

	if (n > 0 && n + 5 < sizeof(g->text)) {
		memcpy(g->text + n, "\\r\\n", 5);
		n += 4;
	}
	(void)obs_copy_string(g->text + n, sizeof(g->text) - n, line);
}

static void
greeting_emit(struct mail *m, const struct greeting *seen)
{
	struct greeting g = *seen;

	g.code = m->u.smtp.greet_code;
	g.kind = g.code >= 400 ? GREETING_REFUSED : GREETING_OK;
	use_greeting(m, &g);
}

static struct slice
slice_of(const char *s)
{
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

/* What was kept. */
static void
greeting_emit_kept(struct mail *m)
{
	const struct greet *kept = m->part[PART_GREET];

	if (kept != NULL)
		greeting_emit(
		    m, &(struct greeting){.host = slice_of(kept->host),
			   .text = slice_of(kept->text),
			   .pkt = &kept->pkt});
	mail_part_end(m, PART_GREET);
}

void
smtp_confirm(struct mail *m)
{
	if (!m->u.smtp.provisional)
		return;
	m->u.smtp.provisional = 0;
	greeting_emit_kept(m);
}

static bool
needs_confirming(const struct mail *m, struct slice line)
{
	return mail_port_proto(m->server_port) != PROTO_SMTP &&
	       !m->u.smtp.ehlo_seen && !slice_has(line, "SMTP") &&
	       !slice_has(line, "LMTP");
}

static __attribute__((noinline)) void
greeting_line(struct mail *m, uint16_t code, bool more, struct slice line)
{
	struct smtp_state *s = &m->u.smtp;
	bool first = !s->in_reply;

	if (first)
		mail_part_end(m, PART_GREET);
	s->in_reply = more;
	if (!more) {
		m->greeted = 1;
		s->greet_code = code;
		s->provisional = needs_confirming(m, line);
	}
	if (more || !first || s->provisional)
		greeting_keep(m, line);
	if (!more && !s->provisional && first)
		greeting_emit(m, &(struct greeting){
				     .host = use_host_word(slice_from(line, 4)),
				     .text = line});
	else if (!more && !s->provisional)
		greeting_emit_kept(m);
}

/* ---- replies to single commands ---- */

/* 250, and what clients that look at the first digits take for it. */
static bool
is_list_code(uint16_t code)
{
	return code / 10 == 25;
}

static void
reply_hello(struct mail *m, uint16_t code, struct slice text)
{
	if (!is_list_code(code)) {
		caps_refused(m, CAPS_EHLO, code, text);
		return;
	}
	if (caps_source(m) != CAPS_EHLO) {
		caps_begin(m, CAPS_EHLO);
		m->list_loss = m->u.smtp.in_list == 0;
	}
	caps_acc(m)->code = code;
	caps_emit(m, text);
}

static void
reply_helo(struct mail *m, uint16_t code, struct slice text)
{
	caps_begin(m, CAPS_HELO);
	caps_acc(m)->code = code;
	caps_acc(m)->refused = code >= 400;
	caps_emit(m, text);
}

static void
reply_starttls(struct mail *m, uint16_t code, struct slice text)
{
	enum answer_kind kind = ANSWER_INVALID;

	if (code == 220)
		kind = ANSWER_POSITIVE;
	else if (code >= 500)
		kind = ANSWER_PERMFAIL;
	else if (code >= 400)
		kind = ANSWER_TEMPFAIL;
	starttls_answered(m, kind, code, smtp_tls_verb(m), text);
}

static void
reply_unknown(struct mail *m, uint16_t code, struct slice text)
{
	if (code >= 500 && (code < 510 || slice_has(text, "command")))
		use_verb_unknown(m, code, text);
	m->unknown_verb[0] = '\0';
}

static void
reply_quit(struct mail *m)
{
	if (m->phase == PHASE_TEXT)
		m->phase = PHASE_CLOSING;
}

static void
reply_dispatch(struct mail *m, uint8_t verb, uint16_t code, struct slice text)
{
	switch (verb) {
	case SMTP_EHLO:
		reply_hello(m, code, text);
		break;
	case SMTP_HELO:
		reply_helo(m, code, text);
		break;
	case SMTP_RCPT:
		m->u.smtp.rcpt_ok += code < 300 && m->u.smtp.rcpt_ok < 255;
		break;
	case SMTP_DATA:
		mail_run_abort(m, DIR_C2S);
		break;
	case SMTP_STARTTLS:
		reply_starttls(m, code, text);
		break;
	case SMTP_AUTH:
		use_auth_answered(m, code < 300, code);
		break;
	case SMTP_UNKNOWN:
		reply_unknown(m, code, text);
		break;
	case SMTP_RSET:
		m->u.smtp.rcpt_ok = 0;
		break;
	case SMTP_TURN:
		if (code == 250)
			mail_stop(m, PHASE_OPAQUE);
		break;
	case SMTP_QUIT:
		reply_quit(m);
		break;
	default:
		break;
	}
}

/* ---- matching ---- */

/* The server took for the end what we did not, or what went by in a hole. Of
 * what stood behind an odd dot some may have been commands. */
static void
message_cut(struct mail *m)
{
	bool odd = m->half[DIR_C2S].body.odd_dot != 0;

	mail_run_abort(m, DIR_C2S);
	if (!odd)
		return;
	queue_unsure(&m->queue);
	queue_reply(&m->queue);
}

/* Nobody asked, as far as was seen. */
static void
reply_unmatched(struct mail *m, uint16_t code, struct slice text)
{
	const struct half *h = &m->half[DIR_C2S];
	struct owed *w = m->part[PART_OWED];

	if (m->queue.unsure && h->mode == HALF_DOT && h->body.bytes == 0)
		mail_run_abort(m, DIR_C2S); /* it went by before */
	if (m->queue.unsure)
		use_clear_answered(m, 0, false);
	if (m->queue.unsure || m->u.smtp.lmtp || code == 421)
		return;
	if (h->mode == HALF_DOT && (h->body.gapped || h->body.odd_dot)) {
		use_content(m, DIR_C2S, &h->body);
		message_cut(m);
		return;
	}
	if (m->phase == PHASE_TLS_READY) {
		starttls_unasked(m);
		return;
	}
	if (w != NULL) { /* two: who knows what they answer */
		mail_part_end(m, PART_OWED);
		m->skewed = 1;
		queue_unsure(&m->queue);
		return;
	}
	w = mail_part(m, PART_OWED);
	w->code = code;
	w->has_list = m->u.smtp.in_list;
	(void)obs_copy_string(w->text, sizeof(w->text), text);
}

/* Replies in the middle of a command. Returns true if it was one. */
static bool
reply_between(struct mail *m, uint16_t code, uint8_t head)
{
	if (head == SMTP_STARTTLS)
		return false;
	if (code == 334 && queue_seek(&m->queue, SMTP_AUTH)) {
		use_auth_asked(m);
		use_clear_answered(m, code, true);
		return true;
	}
	if (code == 354 && queue_seek(&m->queue, SMTP_DATA)) {
		(void)queue_pop(&m->queue);
		return true;
	}
	if (code == 354 && m->queue.unsure &&
	    m->half[DIR_C2S].mode == HALF_LINE)
		mail_body_begin(m, DIR_C2S, false);
	return code == 354 && m->queue.unsure;
}

static void
reply_demands(struct mail *m, uint8_t verb, uint16_t code, struct slice text)
{
	bool by_code = code == 530 || code == 538;
	/* what is said of a recipient may be about the next hop */
	bool of_session = verb != SMTP_RCPT && verb != SMTP_DATA &&
			  verb != SMTP_DOT && verb != SMTP_BDAT &&
			  verb != SMTP_BDAT_LAST;
	bool by_word;

	if (verb == SMTP_STARTTLS || code < 400)
		return;
	by_word = slice_has(text, "STARTTLS") ||
		  slice_has(text, "TLS required") ||
		  slice_has(text, "TLS is req");
	if ((by_word && of_session) || (by_code && use_text_demands_tls(text)))
		use_demanded(m, smtp_verb_name(verb), code, text);
}

/* LMTP: at the first reply to a message it is known how many recipients were
 * taken, and so how many more replies there will be. */
static void
lmtp_replies(struct mail *m, uint8_t verb)
{
	struct smtp_state *s = &m->u.smtp;

	if (verb != SMTP_DOT && verb != SMTP_BDAT_LAST)
		return;
	if (s->lmtp && s->rcpt_ok > 1)
		queue_set_head_count(&m->queue, s->rcpt_ok);
	s->rcpt_ok = 0;
}

void
smtp_reply(struct mail *m, uint16_t code, struct slice text)
{
	struct queue_entry e = queue_head(&m->queue);

	queue_reply(&m->queue);
	if (reply_between(m, code, e.verb))
		return;
	if (e.verb == SMTP_NONE) {
		reply_unmatched(m, code, text);
		return;
	}
	lmtp_replies(m, e.verb);
	(void)queue_pop(&m->queue);
	if (m->phase == PHASE_TLS_READY)
		m->tls_plain = 1;
	if (e.mark && (e.verb == SMTP_MAIL || e.verb == SMTP_AUTH))
		use_clear_answered(m, code, code < 400);
	reply_demands(m, e.verb, code, text);
	reply_dispatch(m, e.verb, code, text);
}

void
smtp_answer_owed(struct mail *m)
{
	struct owed w;

	memcpy(&w, m->part[PART_OWED], sizeof(w));
	mail_part_end(m, PART_OWED);
	m->u.smtp.in_list = w.has_list;
	smtp_reply(m, w.code, slice_of(w.text));
	m->u.smtp.in_list = 0;
}

/* ---- lines ---- */

static void
reply_line(struct mail *m, uint16_t code, bool more, const struct line *l)
{
	struct smtp_state *s = &m->u.smtp;
	uint8_t head = queue_head(&m->queue).verb;

	if (!s->in_reply) {
		s->in_list = !s->provisional &&
			     ((head == SMTP_EHLO && is_list_code(code)) ||
				 (head == SMTP_NONE && code == 250 && more &&
				     !m->queue.unsure));
		if (s->in_list)
			caps_begin(m, CAPS_EHLO);
	} else if (s->in_list && caps_source(m) == CAPS_EHLO) {
		caps_line(m, slice_from(l->text, 4), l->overlong);
	}
	if (s->in_list && caps_acc(m)->nlines < UINT16_MAX)
		caps_acc(m)->nlines++;
	s->in_reply = more;
	if (!more)
		smtp_reply(m, code, l->text);
	if (!more)
		s->in_list = 0;
}

/* "250-text", "250 text", "250": returns the code, or 0. */
static inline uint16_t
parse_reply(struct slice s, bool *more)
{
	uint8_t hundreds, tens, ones;

	*more = s.len > 3 && s.p[3] == '-';
	if (s.len < 3 || (s.len > 3 && s.p[3] != ' ' && s.p[3] != '-'))
		return 0;
	hundreds = (uint8_t)(s.p[0] - '0');
	tens = (uint8_t)(s.p[1] - '0');
	ones = (uint8_t)(s.p[2] - '0');
	if (hundreds < 1 || hundreds > 5 || tens > 9 || ones > 9)
		return 0;
	return (uint16_t)(hundreds * 100 + tens * 10 + ones);
}

static __attribute__((noinline)) void
tell_text(struct mail *m, const struct line *l)
{
	char text[MAIL_INJECT_TEXT];

	(void)obs_copy_string(text, sizeof(text), l->text);
	starttls_line(m, DIR_S2C, text);
}

static void
smtp_server_line(struct mail *m, const struct line *l)
{
	bool more;
	uint16_t code = parse_reply(l->text, &more);

	if (starttls_has_text(m, DIR_S2C))
		tell_text(m, l);
	if (m->phase == PHASE_TLS_HELLO)
		return;
	if (code == 0 && m->phase == PHASE_TLS_READY &&
	    queue_head(&m->queue).verb == SMTP_NONE)
		starttls_unasked(m);
	if (code == 0 && m->u.smtp.in_list)
		caps_spoilt(m, l);
	else if (code == 0)
		m->list_loss = 1;
	else if (!m->greeted)
		greeting_line(m, code, more, l->text);
	else
		reply_line(m, code, more, l);
}

static void
smtp_line(struct mail *m, enum dir dir, const struct line *l)
{
	if (dir == DIR_C2S)
		smtp_client_line(m, l);
	else
		smtp_server_line(m, l);
}

static void
smtp_run_end(struct mail *m, enum dir dir)
{
	if (dir == DIR_C2S)
		smtp_client_run_end(m);
}

static void
list_end(struct mail *m)
{
	if (m->u.smtp.in_list && m->part[PART_OWED] == NULL)
		caps_flush(m);
	m->u.smtp.in_list = 0;
	m->u.smtp.in_reply = 0;
}

static void
smtp_gap(struct mail *m, enum dir dir)
{
	uint8_t mode = m->half[DIR_C2S].mode;

	if (dir == DIR_C2S && (mode == HALF_DOT || mode == HALF_COUNT))
		return; /* within a message: commands are in step */
	list_end(m);
	use_gap(m, dir);
}

static bool
smtp_is_whole(enum dir dir, struct slice line)
{
	struct slice rest = slice_trim(line);
	enum smtp_verb verb = smtp_verb_parse(slice_word(&rest));
	bool more;

	if (dir == DIR_S2C)
		return parse_reply(line, &more) != 0;
	return verb != SMTP_NONE && verb != SMTP_UNKNOWN;
}

static void
smtp_flush(struct mail *m)
{
	struct half *h = &m->half[DIR_C2S];

	list_end(m);
	use_clear_answered(m, 0, false);
	use_auth_lost(m, NULL);
	if (h->mode == HALF_DOT || m->u.smtp.in_bdat)
		use_content(m, DIR_C2S, &h->body);
	queue_clear(&m->queue);
}

static bool
smtp_partial_is_public(enum dir dir, struct slice partial)
{
	return dir == DIR_S2C || smtp_command_is_public(partial);
}

const struct mail_ops smtp_ops = {
    .start = smtp_start,
    .line = smtp_line,
    .run_end = smtp_run_end,
    .gap = smtp_gap,
    .is_whole = smtp_is_whole,
    .flush = smtp_flush,
    .show = smtp_show,
    .partial_is_public = smtp_partial_is_public,
};
