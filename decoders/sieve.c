/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a ManageSieve server says: lines of strings, then OK, NO or BYE in the
 * order of the commands. A status whose text is a literal counts when the line
 * behind the literal has ended: until then the go-ahead for TLS is not over.
 */
#include "decoders/sieve.h"

#include <string.h>

#define CODES_MAX 4 /* observations a flow */

enum status { ST_NONE = 0, ST_OK, ST_NO, ST_BYE };

static void
sieve_start(struct mail *m)
{
	uint32_t partial = VIS_MIDSTREAM | VIS_GAP_C2S | VIS_GAP_S2C;

	memset(&m->u.sieve, 0, sizeof(m->u.sieve));
	m->greeted = (m->vis & (VIS_MIDSTREAM | VIS_GAP_S2C)) != 0;
	if ((m->vis & partial) != 0)
		queue_unsure(&m->queue);
	m->queue.turned = 1; /* most flows met late are met at a command */
}

bool
sieve_greets(struct slice line)
{
	return slice_starts(line, "\"IMPLEMENTATION\" ") ||
	       slice_starts(line, "\"SIEVE\" ");
}

/* OK, NO or BYE; *rest is what follows it. */
static enum status
parse_status(struct slice line, struct slice *rest)
{
	static const char *const words[] = {
	    [ST_OK] = "OK", [ST_NO] = "NO", [ST_BYE] = "BYE"};
	struct slice word = slice_word(&line);

	*rest = line;
	for (unsigned i = ST_OK; i <= ST_BYE; i++)
		if (slice_is(word, words[i]))
			return (enum status)i;
	return ST_NONE;
}

/* ---- lists ---- */

static void
list_line(struct mail *m, const struct line *l)
{
	uint8_t buf[LINE_KEEP];

	if (!m->u.sieve.in_list)
		caps_begin(m, m->greeted ? CAPS_UNTAGGED : CAPS_GREETING);
	m->u.sieve.in_list = 1;
	caps_acc(m)->nlines++;
	if (l->text.len > 0 && l->text.p[0] == '{') /* its name is not kept */
		m->list_loss = 1;
	else
		caps_line(
		    m, sieve_unquote(l->text, buf, sizeof(buf)), l->overlong);
}

static void
list_end(struct mail *m)
{
	if (m->u.sieve.in_list)
		caps_flush(m);
	m->u.sieve.in_list = 0;
}

static void
list_done(struct mail *m, struct slice line)
{
	if (!m->u.sieve.in_list)
		caps_begin(m, CAPS_UNTAGGED);
	m->u.sieve.in_list = 0;
	caps_acc(m)->nlines++;
	caps_emit(m, line);
}

/* ---- replies ---- */

static void
on_code(struct mail *m, struct slice rest, struct slice line)
{
	struct sieve_state *s = &m->u.sieve;

	if (!slice_starts(rest, "(REFERRAL") || s->codes_said >= CODES_MAX)
		return;
	s->codes_said++;
	use_verb_obs(m, OBS_IMAP_CODE, DIR_S2C, "REFERRAL", line);
}

static void
on_greeting(struct mail *m, enum status st, struct slice line)
{
	uint8_t buf[LINE_KEEP];
	struct greeting g = {
	    .kind = st == ST_OK ? GREETING_OK : GREETING_REFUSED,
	    .has_caps = m->u.sieve.in_list,
	    .host = use_host_word(sieve_unquote(line, buf, sizeof(buf))),
	    .text = line};

	if (g.has_caps)
		list_done(m, line);
	m->greeted = 1;
	use_greeting(m, &g);
}

static void
reply_starttls(struct mail *m, bool ok, struct slice rest, struct slice line)
{
	enum answer_kind kind = ANSWER_PERMFAIL;

	if (ok)
		kind = ANSWER_POSITIVE;
	else if (slice_starts(rest, "(TRYLATER"))
		kind = ANSWER_TEMPFAIL;
	starttls_answered(m, kind, 0, "STARTTLS", line);
}

static void
reply_dispatch(struct mail *m, struct queue_entry e, bool ok, struct slice line)
{
	switch (e.verb) {
	case SIEVE_AUTHENTICATE:
		if (e.mark)
			use_clear_answered(m, 0, ok);
		if (!ok && use_text_demands_tls(line))
			use_demanded(m, "AUTHENTICATE", 0, line);
		use_auth_answered(m, ok, 0);
		break;
	case SIEVE_CAPABILITY:
		if (ok)
			list_done(m, line);
		else
			caps_refused(m, CAPS_UNTAGGED, 0, line);
		break;
	case SIEVE_LOGOUT:
		if (m->phase == PHASE_TEXT)
			m->phase = PHASE_CLOSING;
		break;
	case SIEVE_UNAUTHENTICATE:
		m->authed = m->authed && !ok;
		break;
	case SIEVE_UNKNOWN:
		if (e.mark)
			use_unknown_answered(m, ok, line);
		break;
	default:
		break;
	}
}

static void
reply_unmatched(struct mail *m, enum status st, struct slice line)
{
	if (m->queue.unsure)
		use_clear_answered(m, 0, false);
	if (m->queue.unsure || st == ST_BYE)
		return;
	use_owed(m, st == ST_OK, line);
}

static void
on_status(struct mail *m, enum status st, struct slice line)
{
	struct queue_entry e;
	struct slice rest = line;

	(void)slice_word(&rest);
	if (!m->greeted) {
		on_greeting(m, st, line);
		on_code(m, rest, line);
		return;
	}
	e = queue_pop(&m->queue);
	queue_reply(&m->queue);
	if (e.verb == SIEVE_NONE) {
		reply_unmatched(m, st, line);
	} else {
		if (m->phase == PHASE_TLS_READY)
			m->tls_plain = 1;
		if (e.verb == SIEVE_STARTTLS)
			reply_starttls(m, st == ST_OK, rest, line);
		else
			reply_dispatch(m, e, st == ST_OK, line);
	}
	on_code(m, rest, line);
}

/* The lines before an OK that came early were not taken for a list: nothing is
 * said of them. */
void
sieve_settle_owed(struct mail *m)
{
	struct owed w;
	uint8_t verb = queue_head(&m->queue).verb;

	if (m->part[PART_OWED] == NULL || verb == SIEVE_NONE)
		return;
	memcpy(&w, m->part[PART_OWED], sizeof(w));
	mail_part_end(m, PART_OWED);
	if (w.positive && verb == SIEVE_CAPABILITY)
		(void)queue_pop(&m->queue);
	else
		on_status(m, w.positive ? ST_OK : ST_NO,
		    (struct slice){(const uint8_t *)w.text, strlen(w.text)});
}

/* ---- lines ---- */

/* Neither a status nor a string, of which lists are made: "+ go on". */
static bool
is_no_answer(const struct mail *m, struct slice text)
{
	return m->phase == PHASE_TLS_ASKED &&
	       queue_head(&m->queue).verb == SIEVE_STARTTLS && text.len > 0 &&
	       text.p[0] != '"' && text.p[0] != '{';
}

static void
on_data(struct mail *m, const struct line *l)
{
	uint8_t head = queue_head(&m->queue).verb;

	if (!m->greeted || head == SIEVE_CAPABILITY) {
		list_line(m, l);
		return;
	}
	mail_set_secret(m, DIR_S2C);
	if (is_no_answer(m, l->text)) {
		(void)queue_pop(&m->queue);
		starttls_answered(m, ANSWER_INVALID, 0, "STARTTLS", l->text);
		return;
	}
	if (head != SIEVE_AUTHENTICATE || !mail_sasl(m)->active)
		return;
	use_auth_asked(m);
	use_clear_answered(m, 0, true);
}

/* The line behind the last literal of a status has ended. */
static void
on_held(struct mail *m)
{
	struct sieve_state *s = &m->u.sieve;
	enum status st = (enum status)s->status;
	char text[SIEVE_STATUS_TEXT];

	s->status = ST_NONE;
	if (st == ST_NONE)
		return;
	memcpy(text, mail_part(m, PART_STATUS), sizeof(text));
	mail_part_end(m, PART_STATUS);
	on_status(m, st, (struct slice){(const uint8_t *)text, strlen(text)});
}

static void
on_line(struct mail *m, const struct line *l, bool literal)
{
	struct sieve_state *s = &m->u.sieve;
	struct slice rest;
	enum status st = parse_status(l->text, &rest);

	if (st == ST_NONE) {
		on_data(m, l);
	} else if (literal) {
		s->status = (uint8_t)st;
		(void)obs_copy_string(
		    mail_part(m, PART_STATUS), SIEVE_STATUS_TEXT, l->text);
	} else {
		on_status(m, st, l->text);
	}
}

static void
server_line(struct mail *m, const struct line *l)
{
	struct sieve_state *s = &m->u.sieve;
	struct literal lit = line_literal(l);
	bool cont = s->cont[DIR_S2C];

	s->cont[DIR_S2C] = lit.have;
	if (cont)
		mail_set_secret(m, DIR_S2C);
	if (cont && !lit.have)
		on_held(m);
	else if (!cont && m->phase == PHASE_TLS_READY &&
		 queue_head(&m->queue).verb == SIEVE_NONE)
		starttls_unasked(m);
	else if (!cont)
		on_line(m, l, lit.have);
	if (lit.have && m->half[DIR_S2C].mode == HALF_LINE) {
		m->env->n.literals++;
		mail_count_begin(m, DIR_S2C, lit.len, false);
	}
}

static void
sieve_line(struct mail *m, enum dir dir, const struct line *l)
{
	char text[MAIL_INJECT_TEXT];

	if (dir == DIR_C2S) {
		sieve_client_line(m, l);
		return;
	}
	if (starttls_has_text(m, DIR_S2C)) {
		(void)obs_copy_string(text, sizeof(text), l->text);
		starttls_line(m, DIR_S2C, text);
	}
	if (m->phase != PHASE_TLS_HELLO)
		server_line(m, l);
}

static void
sieve_run_end(struct mail *m, enum dir dir)
{
	if (dir == DIR_C2S)
		sieve_client_run_end(m);
}

static void
sieve_gap(struct mail *m, enum dir dir)
{
	struct sieve_state *s = &m->u.sieve;

	if (m->half[dir].mode == HALF_COUNT)
		return; /* within a literal */
	list_end(m);
	s->cont[dir] = 0;
	s->status = ST_NONE;
	use_gap(m, dir);
}

static bool
sieve_is_whole(enum dir dir, struct slice line)
{
	struct slice rest;

	return dir == DIR_S2C ? parse_status(line, &rest) != ST_NONE
			      : sieve_command_is_known(line);
}

static void
sieve_flush(struct mail *m)
{
	list_end(m);
	use_clear_answered(m, 0, false);
	use_auth_lost(m, NULL);
	queue_clear(&m->queue);
}

static bool
sieve_partial_is_public(enum dir dir, struct slice s)
{
	return dir == DIR_C2S ? sieve_command_is_public(s)
			      : slice_starts(s, "OK ") ||
				    slice_starts(s, "NO ") || sieve_greets(s);
}

const struct mail_ops sieve_ops = {
    .start = sieve_start,
    .line = sieve_line,
    .run_end = sieve_run_end,
    .gap = sieve_gap,
    .is_whole = sieve_is_whole,
    .flush = sieve_flush,
    .show = sieve_show,
    .partial_is_public = sieve_partial_is_public,
};
