/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Capability lists: EHLO keywords (RFC 5321 4.1.1.1), IMAP CAPABILITY (RFC
 * 3501 7.2.1), POP3 CAPA (RFC 2449). A list is complete only if it was seen
 * whole; nothing that rests on absence may be said of any other. Of a list too
 * long to be kept every line was looked at all the same: who strips one might
 * pad it. Only of IMAP's, where all stands in one line, the tail goes unseen.
 */
#include <string.h>

#include "decoders/mail_core.h"

#define SHOWN 300 /* of a line: parameters are long, others want room too */

struct caps_acc *
caps_acc(struct mail *m)
{
	return mail_part(m, PART_CAPS);
}

enum caps_source
caps_source(const struct mail *m)
{
	const struct caps_acc *c;

	if (!mail_has_part(m, PART_CAPS))
		return 0;
	c = m->part[PART_CAPS];
	return (enum caps_source)c->source;
}

void
caps_begin(struct mail *m, enum caps_source source)
{
	mail_part_end(m, PART_CAPS);
	caps_acc(m)->source = (uint8_t)source;
	m->list_loss = 0;
}

static uint32_t
mech_bit(struct slice name)
{
	return name.len > 0 ? 1u << sasl_mech_parse(name) : 0;
}

static uint32_t
mech_list(struct slice names)
{
	uint32_t bits = 0;

	while (names.len > 0)
		bits |= mech_bit(slice_word(&names));
	return bits;
}

/* AUTH a b, AUTH=a b (before RFC 2554), SASL a b, IMAP's AUTH=a. */
static void
caps_look(struct caps_acc *c, struct slice line)
{
	struct slice rest = line, word = slice_word(&rest);

	if (slice_is(word, "STARTTLS") || slice_is(word, "STLS"))
		c->starttls = 1;
	else if (slice_is(word, "LOGINDISABLED"))
		c->logindisabled = 1;
	else if (slice_is(word, "AUTH") || slice_is(word, "SASL"))
		c->mechs |= mech_list(rest);
	else if (slice_starts(word, "AUTH="))
		c->mechs |= mech_bit(slice_from(word, 5)) | mech_list(rest);
	else if (slice_is(word, "USER") && c->source == CAPS_CAPA)
		c->mechs |= 1u << MECH_USERPASS;
}

/* Blanks where a word would stand: that is kept as it is. */
static bool
is_blanked(struct slice line)
{
	return line.len > 3 && slice_trim(line).len == 0;
}

void
caps_line(struct mail *m, struct slice line, bool overlong)
{
	struct caps_acc *c = caps_acc(m);
	size_t used = c->used;
	bool fits;

	if (!is_blanked(line))
		line = slice_trim(line);
	caps_look(c, line);
	if (c->nwords < UINT16_MAX)
		c->nwords++;
	if (used > 0 && used + 1 < sizeof(c->words))
		c->words[used++] = '\n';
	overlong |= line.len > SHOWN;
	if (line.len > SHOWN)
		line.len = SHOWN;
	fits = obs_copy_string(c->words + used, sizeof(c->words) - used, line);
	c->used = (uint16_t)(used + strlen(c->words + used));
	if (overlong || !fits)
		m->vis |= VIS_OVERLONG;
}

void
caps_spoilt(struct mail *m, const struct line *l)
{
	struct caps_acc *c = caps_acc(m);
	uint8_t starttls = c->starttls;

	caps_line(m, l->text, l->overlong);
	c->starttls = starttls;
}

void
caps_words(struct mail *m, struct slice words)
{
	while (words.len > 0) {
		struct slice w = slice_word(&words);

		if (w.len > 0)
			caps_line(m, w, false);
	}
}

void
caps_set_name(struct mail *m, struct slice name)
{
	mail_part_end(m, PART_LONG_NAME);
	if (obs_copy_string(mail_part(m, PART_NAME), MAIL_NAME_SHORT, name))
		return;
	mail_part_end(m, PART_NAME);
	(void)obs_copy_string(mail_part(m, PART_LONG_NAME), OBS_NAME_MAX, name);
}

static const char *
name_of(const struct mail *m)
{
	const char *name = m->part[PART_LONG_NAME];

	if (name == NULL)
		name = m->part[PART_NAME];
	return name != NULL ? name : "";
}

void
caps_emit(struct mail *m, struct slice text)
{
	const struct caps_acc *a = caps_acc(m);
	const char *name = name_of(m);
	struct obs o;

	obs_init_caps(&o, a->words, a->used);
	o.u.caps.source = a->source;
	o.u.caps.refused = a->refused;
	o.u.caps.starttls = a->starttls;
	o.u.caps.logindisabled = a->logindisabled;
	o.u.caps.code = a->code;
	o.u.caps.mechs = a->mechs;
	o.u.caps.nwords = a->nwords;
	o.u.caps.nlines = a->nlines;
	o.u.caps.complete = !m->list_loss && !m->skewed;
	o.u.caps.after_auth = m->authed;
	memcpy(o.u.caps.name, name, strnlen(name, OBS_NAME_MAX - 1));
	obs_set_text(&o, text);
	mail_emit(m, &o, DIR_S2C);
	mail_part_end(m, PART_CAPS);
	m->list_loss = 0;
}

void
caps_flush(struct mail *m)
{
	if (caps_source(m) != 0 && caps_acc(m)->nwords > 0) {
		m->list_loss = 1;
		caps_emit(m, (struct slice){NULL, 0});
	}
	mail_part_end(m, PART_CAPS);
}

void
caps_refused(
    struct mail *m, enum caps_source source, uint16_t code, struct slice text)
{
	caps_begin(m, source);
	caps_acc(m)->refused = 1;
	caps_acc(m)->code = code;
	caps_emit(m, text);
}
