/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From STARTTLS (RFC 3207, 3501 6.2.1, 2595 4) to the first TLS record. What
 * either side says in between is counted and kept, and reported once it is
 * clear what followed: a record, plaintext, or the end. Commands are processed
 * meanwhile as usual, for if the server refuses, they were lawful pipelining.
 */
#include <string.h>

#include "decoders/mail_core.h"

/* Of dir; zeros where there was nothing yet. */
static struct inject *
inject(struct mail *m, enum dir dir)
{
	struct inject *both = mail_part(m, PART_INJECT);

	return &both[dir];
}

void
starttls_asked(struct mail *m, const char *verb, const char *text)
{
	struct obs o;

	if (m->phase == PHASE_TLS_ASKED) { /* ahead of the answer, as others */
		m->asked_again += m->asked_again < UINT8_MAX;
		return;
	}
	if (m->phase == PHASE_TLS_READY) { /* asked twice: what was, was */
		starttls_end(m, DIR_C2S);
		starttls_end(m, DIR_S2C);
	}
	m->asked_again = 0;
	mail_part_end(m, PART_INJECT);
	obs_init(&o, OBS_TLS_ASKED);
	strncpy(o.u.verb.verb, verb, sizeof(o.u.verb.verb) - 1);
	strncpy(o.text, text, sizeof(o.text) - 1);
	mail_emit(m, &o, DIR_C2S);
	m->phase = PHASE_TLS_ASKED;
	m->tls_plain = 0;
}

/* The dialogue in clear is over: what waits for a reply will not get one, and
 * a command that TLS overtook was not used in clear. */
static void
dialogue_over(struct mail *m)
{
	const struct mail_ops *ops = mail_ops_of((enum proto)m->proto);

	m->clear.pending = 0;
	if (ops != NULL)
		ops->flush(m);
	m->phase = PHASE_TLS_HELLO;
}

/* Emits what is held of one direction. */
static void
inject_emit(struct mail *m, enum dir dir, bool tls_followed)
{
	struct inject *j = inject(m, dir);
	struct obs o;

	obs_init(&o, OBS_TEXT_BEFORE_TLS);
	o.u.inject.bytes = j->bytes > 0 ? j->bytes : j->eager;
	o.u.inject.is_tls = j->bytes == 0;
	o.u.inject.before_answer = j->before_answer;
	o.u.inject.tls_followed = tls_followed;
	o.u.inject.lines = j->lines;
	memcpy(o.text, j->text, sizeof(j->text));
	o.pkt = j->pkt;
	mail_emit(m, &o, dir);
	memset(j, 0, sizeof(*j));
}

/* Adds to the text shown, parted from what is there by \r\n. */
static void
inject_text(struct inject *j, const char *printable)
{
	size_t n = strlen(j->text);

	if (n > 0 && n + 5 < sizeof(j->text)) {
		memcpy(j->text + n, "\\r\\n", 5);
		n += 4;
	}
	strncpy(j->text + n, printable, sizeof(j->text) - n - 1);
}

/* What is held of a line without an end belongs to it as well. */
static void
inject_partial(struct mail *m, enum dir dir)
{
	const struct mail_ops *ops = mail_ops_of((enum proto)m->proto);
	struct half *h = &m->half[dir];
	char text[MAIL_INJECT_TEXT];

	if (h->mode != HALF_LINE || h->line.len == 0)
		return;
	if (dir == DIR_C2S && ops != NULL)
		ops->show(text, sizeof(text), line_partial(&h->line));
	else
		(void)obs_copy_string(
		    text, sizeof(text), line_partial(&h->line));
	inject_text(inject(m, dir), text);
}

void
starttls_count(struct mail *m, enum dir dir, size_t n)
{
	struct inject *j;
	uint32_t *sum;
	bool counts =
	    m->phase == PHASE_TLS_READY ||
	    (m->phase == PHASE_TLS_ASKED && dir == DIR_C2S) ||
	    (m->phase == PHASE_TLS_HELLO && m->half[dir].mode != HALF_TLS);

	if (!counts || m->half[dir].torn) /* half a record, perhaps */
		return;
	j = inject(m, dir);
	sum = m->half[dir].mode == HALF_TLS ? &j->eager : &j->bytes;
	if (j->bytes == 0 && j->eager == 0)
		j->pkt = *mail_now(m);
	if (m->phase == PHASE_TLS_ASKED)
		j->before_answer = 1;
	*sum = n > UINT32_MAX - *sum ? UINT32_MAX : *sum + (uint32_t)n;
}

void
starttls_line(struct mail *m, enum dir dir, const char *printable)
{
	struct inject *j;

	if (!starttls_has_text(m, dir))
		return;
	j = inject(m, dir);
	if (j->lines < UINT8_MAX)
		j->lines++;
	inject_text(j, printable);
}

void
starttls_unasked(struct mail *m)
{
	inject(m, DIR_S2C)->unasked = 1;
}

void
starttls_record(struct mail *m, enum dir dir)
{
	if (m->phase == PHASE_TLS_ASKED && dir == DIR_C2S)
		return; /* sent ahead of the answer; the answer decides */
	if (m->phase == PHASE_TLS_ASKED) /* the answer was not seen */
		mail_part_end(m, PART_INJECT);
	if (starttls_has_text(m, dir)) {
		inject_partial(m, dir);
		inject_emit(m, dir, true);
	}
	if (m->phase == PHASE_TLS_HELLO)
		return;
	dialogue_over(m);
}

void
starttls_end(struct mail *m, enum dir dir)
{
	const struct inject *j;
	bool ready = m->phase == PHASE_TLS_READY || m->phase == PHASE_TLS_HELLO;

	if (!ready || m->half[dir].mode == HALF_TLS ||
	    !starttls_has_text(m, dir))
		return;
	j = inject(m, dir);
	if (dir == DIR_C2S ? !j->before_answer : !j->unasked)
		return;
	inject_partial(m, dir);
	inject_emit(m, dir, false);
}

/* The client's record was already on its way when the server agreed. */
static void
eager_record(struct mail *m)
{
	inject_emit(m, DIR_C2S, true);
	dialogue_over(m);
}

/* No TLS: what the client sent ahead was lawful pipelining. */
static void
refused(struct mail *m)
{
	struct half *h = &m->half[DIR_C2S];

	mail_part_end(m, PART_INJECT);
	m->phase = PHASE_TEXT;
	if (m->asked_again > 0) {
		m->asked_again--;
		m->phase = PHASE_TLS_ASKED;
	}
	use_rearm(m);
	if (h->mode != HALF_TLS)
		return;
	h->mode = HALF_LINE;
	line_lose(&h->line);
	tls_fini(m->part[PART_TLS]);
	mail_part_end(m, PART_TLS);
	m->tls_up = 0;
}

void
starttls_answered(struct mail *m, enum answer_kind kind, uint16_t code,
    const char *verb, struct slice text)
{
	struct obs o;

	if (m->phase != PHASE_TLS_ASKED)
		return;
	obs_init(&o, OBS_TLS_ANSWERED);
	o.u.answer.kind = (uint8_t)kind;
	o.u.answer.code = code;
	strncpy(o.u.answer.verb, verb, sizeof(o.u.answer.verb) - 1);
	obs_set_text(&o, text);
	mail_emit(m, &o, DIR_S2C);
	if (kind != ANSWER_POSITIVE) {
		refused(m);
		return;
	}
	m->phase = PHASE_TLS_READY;
	use_rearm(m);
	if (m->half[DIR_C2S].mode == HALF_TLS)
		eager_record(m);
}
