/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of the dialogue as observations, for rules that look at them. Nobody
 * asks for them as a rule, and then they cost one comparison a line.
 *
 * A line leaves as it was sent only if its command is known and has no secret
 * among its arguments, or if it answers such a command: servers like to repeat
 * what they reject. A password typed where a command belongs is a command
 * that nobody has, and leaves as x and 0.
 */
#include <stdio.h>
#include <string.h>

#include "decoders/imap.h"
#include "decoders/pop3.h"
#include "decoders/sieve.h"
#include "decoders/smtp.h"

enum reveal {
	REVEAL_ALL,
	REVEAL_SHOWN, /* what the protocol shows of a command */
	REVEAL_WORD, /* the first word */
	REVEAL_CLASS, /* the first word, the rest by its class */
	REVEAL_SHAPE, /* all of it by its class */
	REVEAL_NONE
};

#define BIT(what) (1u << (what))
#define OF_CLIENT                                                   \
	(BIT(LINE_COMMAND) | BIT(LINE_HELO) | BIT(LINE_MAIL_FROM) | \
	    BIT(LINE_RCPT_TO))

struct told {
	enum reveal how;
	bool names; /* a user's name may be in it */
};

/* ---- what of a line may leave ---- */

static struct told
tell(enum reveal how, bool names)
{
	return (struct told){how, names};
}

static struct told
smtp_command_told(const struct mail *m, struct slice line)
{
	if (sasl_takes_line(mail_sasl(m)))
		return tell(REVEAL_NONE, false);
	return tell(
	    smtp_command_is_public(line) ? REVEAL_ALL : REVEAL_SHOWN, false);
}

static struct told
smtp_reply_told(const struct mail *m, struct slice line)
{
	uint8_t verb = queue_head(&m->queue).verb;
	bool bad = line.len > 0 && (line.p[0] == '4' || line.p[0] == '5');

	if (line.len < 3 || line.p[0] < '1' || line.p[0] > '5')
		return tell(REVEAL_SHAPE, false);
	if (slice_starts(line, "334"))
		return tell(REVEAL_WORD, false);
	if (m->greeted && (verb == SMTP_UNKNOWN || (verb == SMTP_NONE && bad)))
		return tell(REVEAL_CLASS, false);
	return tell(REVEAL_ALL, verb == SMTP_AUTH || mail_sasl(m)->active);
}

static struct told
imap_command_told(const struct mail *m, struct slice line)
{
	if (m->u.imap.cont[DIR_C2S] ||
	    (mail_sasl(m)->auth.mech != MECH_IMAP_LOGIN &&
		sasl_takes_line(mail_sasl(m))))
		return tell(REVEAL_NONE, false);
	if (imap_command_is_public(line) || slice_is(line, "DONE"))
		return tell(REVEAL_ALL, false);
	return tell(REVEAL_SHOWN, false);
}

static bool
imap_unknown_waits(const struct mail *m)
{
	return m->u.imap.overflow > 0 ||
	       imap_is_pending(m, BIT(IMAP_UNKNOWN) | BIT(IMAP_NONE));
}

static struct told
imap_response_told(const struct mail *m, struct slice line)
{
	struct slice rest = line, tag = slice_word(&rest);
	bool names = mail_sasl(m)->active || imap_login_pending(m);
	enum imap_verb verb;

	if (m->u.imap.cont[DIR_S2C])
		return tell(REVEAL_SHAPE, false);
	if (slice_is(tag, "+"))
		return tell(REVEAL_WORD, false);
	if (slice_is(tag, "*"))
		return tell(
		    imap_unknown_waits(m) && (slice_starts(rest, "BAD") ||
						 slice_starts(rest, "NO"))
			? REVEAL_CLASS
			: REVEAL_ALL,
		    names);
	if (!m->greeted)
		return tell(
		    imap_old_greeting(line) ? REVEAL_ALL : REVEAL_SHAPE, false);
	verb = imap_verb_of(m, imap_tag_id(m, tag));
	if (verb == IMAP_NONE || verb == IMAP_UNKNOWN)
		return tell(REVEAL_SHAPE, false);
	return tell(REVEAL_ALL, names);
}

static struct told
pop3_command_told(const struct mail *m, struct slice line)
{
	if (sasl_takes_line(mail_sasl(m)))
		return tell(REVEAL_NONE, false);
	return tell(pop3_command_is_public(line) ? REVEAL_ALL : REVEAL_SHOWN,
	    slice_starts(line, "USER "));
}

static struct told
pop3_response_told(const struct mail *m, struct slice line)
{
	uint8_t verb = queue_head(&m->queue).verb;
	bool bad = slice_starts(line, "-ERR");

	if (m->u.pop3.in_list)
		return tell(REVEAL_ALL, false);
	if (!bad && !slice_starts(line, "+OK"))
		return tell(
		    slice_starts(line, "+") ? REVEAL_WORD : REVEAL_SHAPE,
		    false);
	if (m->greeted && (verb == POP3_UNKNOWN || (verb == POP3_NONE && bad)))
		return tell(REVEAL_CLASS, false);
	return tell(REVEAL_ALL, mail_sasl(m)->active);
}

static struct told
sieve_command_told(const struct mail *m, struct slice line)
{
	if (m->u.sieve.cont[DIR_C2S] || sieve_is_response(m, line))
		return tell(REVEAL_NONE, false);
	return tell(
	    sieve_command_is_public(line) ? REVEAL_ALL : REVEAL_SHOWN, false);
}

static struct told
sieve_response_told(const struct mail *m, struct slice line)
{
	uint8_t verb = queue_head(&m->queue).verb;

	if (m->u.sieve.cont[DIR_S2C])
		return tell(REVEAL_SHAPE, false);
	if (!m->greeted || verb == SIEVE_CAPABILITY)
		return tell(REVEAL_ALL, false);
	if (verb == SIEVE_UNKNOWN || verb == SIEVE_NONE)
		return tell(REVEAL_CLASS, false);
	if (!slice_starts(line, "OK") && !slice_starts(line, "NO") &&
	    !slice_starts(line, "BYE"))
		return tell(REVEAL_SHAPE, false);
	return tell(REVEAL_ALL, mail_sasl(m)->active);
}

static struct told
told_by_protocol(const struct mail *m, enum dir dir, struct slice line)
{
	bool c2s = dir == DIR_C2S;

	switch (m->proto) {
	case PROTO_SMTP:
		return c2s ? smtp_command_told(m, line)
			   : smtp_reply_told(m, line);
	case PROTO_IMAP:
		return c2s ? imap_command_told(m, line)
			   : imap_response_told(m, line);
	case PROTO_POP3:
		return c2s ? pop3_command_told(m, line)
			   : pop3_response_told(m, line);
	case PROTO_SIEVE:
		return c2s ? sieve_command_told(m, line)
			   : sieve_response_told(m, line);
	default:
		return tell(REVEAL_NONE, false);
	}
}

static struct told
told_of(const struct mail *m, enum dir dir, struct slice line)
{
	struct told t = told_by_protocol(m, dir, line);

	if (dir == DIR_C2S && t.how == REVEAL_ALL &&
	    slice_before_cr(line) < line.len)
		t.how = REVEAL_SHOWN;
	return t;
}

/* ---- the observation ---- */

static void
put_raw(struct obs_line *o, struct slice s)
{
	o->cut |= s.len > sizeof(o->bytes) - 1;
	if (s.len > sizeof(o->bytes) - 1)
		s.len = sizeof(o->bytes) - 1;
	if (s.len > 0)
		memcpy(o->bytes, s.p, s.len);
	o->bytes[s.len] = '\0';
}

/* "-ERR", "500-": no status is longer, and what is may be something else. */
#define STATUS_MAX 4

static void
put_first(struct obs_line *o, struct slice line, bool shape)
{
	struct slice rest = line, word = slice_word(&rest);
	char class[OBS_TEXT_MAX];

	use_mask_class(class, sizeof(class), rest);
	(void)snprintf(o->bytes, sizeof(o->bytes), "%.*s %s",
	    (int)(word.len < STATUS_MAX ? word.len : STATUS_MAX),
	    (const char *)word.p, shape ? class : OBS_MASK);
}

static void
put(const struct mail *m, struct obs_line *o, enum reveal how, struct slice s)
{
	switch (how) {
	case REVEAL_ALL:
		put_raw(o, s);
		o->len = (uint16_t)(s.len < sizeof(o->bytes) - 1
					? s.len
					: sizeof(o->bytes) - 1);
		return;
	case REVEAL_SHOWN:
		mail_ops_of((enum proto)m->proto)
		    ->show(o->bytes, sizeof(o->bytes), s);
		break;
	case REVEAL_WORD:
	case REVEAL_CLASS:
		put_first(o, s, how == REVEAL_CLASS);
		break;
	case REVEAL_SHAPE:
		use_mask_class(o->bytes, sizeof(o->bytes), s);
		break;
	case REVEAL_NONE:
		(void)snprintf(o->bytes, sizeof(o->bytes), "%s", OBS_MASK);
		break;
	}
	o->len = (uint16_t)strlen(o->bytes);
}

static void
emit(struct mail *m, enum obs_line_what what, struct told t, struct slice s)
{
	enum dir dir = what == LINE_REPLY ? DIR_S2C : DIR_C2S;
	struct obs o;

	/* of the line only what is used is written: there are many of them */
	memset(&o, 0, offsetof(struct obs, u.line.bytes));
	o.kind = OBS_LINE;
	o.u.line.what = (uint8_t)what;
	o.u.line.names = t.names;
	put(m, &o.u.line, t.how, s);
	o.size =
	    (uint16_t)(offsetof(struct obs, u.line.bytes) + o.u.line.len + 1u);
	mail_emit(m, &o, dir);
}

/* ---- arguments of SMTP ---- */

/* <path> or a word behind FROM: or TO:, with blanks before it as some
 * clients send them. */
static bool
path_of(struct slice rest, const char *name, struct slice *out)
{
	const uint8_t *end;

	if (!slice_starts(rest, name))
		return false;
	rest = slice_trim(slice_from(rest, strlen(name)));
	end = rest.len > 0 && rest.p[0] == '<' ? memchr(rest.p, '>', rest.len)
					       : NULL;
	if (end == NULL)
		*out = slice_word(&rest);
	else
		*out = (struct slice){rest.p, (size_t)(end - rest.p) + 1};
	return true;
}

static void
arguments(struct mail *m, uint8_t wanted, struct slice line)
{
	struct slice rest = slice_trim(line), path;
	enum smtp_verb v = smtp_verb_parse(slice_word(&rest));
	struct told t = tell(REVEAL_ALL, false);

	if (v == SMTP_EHLO || v == SMTP_HELO) {
		path = slice_word(&rest);
		if ((wanted & BIT(LINE_HELO)) != 0)
			emit(m, LINE_HELO, t, path);
	} else if (v == SMTP_MAIL && (wanted & BIT(LINE_MAIL_FROM)) != 0) {
		if (path_of(rest, "FROM:", &path))
			emit(m, LINE_MAIL_FROM, t, path);
	} else if (v == SMTP_RCPT && (wanted & BIT(LINE_RCPT_TO)) != 0) {
		if (path_of(rest, "TO:", &path))
			emit(m, LINE_RCPT_TO, t, path);
	}
}

void
mail_tell_line(struct mail *m, enum dir dir, const struct line *l)
{
	uint8_t wanted = m->env->lines[m->proto];
	struct told t;

	wanted &= dir == DIR_C2S ? OF_CLIENT : BIT(LINE_REPLY);
	if (wanted == 0 || m->phase >= PHASE_TLS_HELLO)
		return;
	t = told_of(m, dir, l->text);
	if (dir == DIR_S2C)
		emit(m, LINE_REPLY, t, l->text);
	else if ((wanted & BIT(LINE_COMMAND)) != 0)
		emit(m, LINE_COMMAND, t, l->text);
	if (dir == DIR_C2S && m->proto == PROTO_SMTP && t.how != REVEAL_NONE)
		arguments(m, wanted, l->text);
}
