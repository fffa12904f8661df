/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an IMAP server says: greeting, untagged data, continuation requests,
 * tagged replies. A tagged reply to a tag nobody sent is held until the next
 * command: the tap may show directions with a skew, and then that command
 * carries the tag.
 */
#include "decoders/imap.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define EARLY_MAX 3 /* observations a flow */
#define CODES_MAX 4

enum status { ST_NONE = 0, ST_OK, ST_NO, ST_BAD, ST_BYE, ST_PREAUTH };

struct reply { /* a status reply taken apart */
	enum status status;
	struct slice code; /* inside [ ], or empty */
	bool code_whole; /* its ] is there */
	struct slice text; /* behind the code */
	struct slice line;
};

static void
imap_start(struct mail *m)
{
	uint32_t partial = VIS_MIDSTREAM | VIS_GAP_C2S | VIS_GAP_S2C;

	memset(&m->u.imap, 0, sizeof(m->u.imap));
	m->greeted = (m->vis & (VIS_MIDSTREAM | VIS_GAP_S2C)) != 0;
	m->u.imap.maybe_authed = (m->vis & partial) != 0;
}

static struct reply
parse_status(struct slice rest, struct slice line)
{
	static const char *const words[] = {[ST_OK] = "OK",
	    [ST_NO] = "NO",
	    [ST_BAD] = "BAD",
	    [ST_BYE] = "BYE",
	    [ST_PREAUTH] = "PREAUTH"};
	struct slice word = slice_word(&rest);
	struct reply r = {ST_NONE, {NULL, 0}, false, rest, line};
	const uint8_t *end;

	for (unsigned i = ST_OK; i <= ST_PREAUTH; i++)
		if (slice_is(word, words[i]))
			r.status = (enum status)i;
	if (rest.len == 0 || rest.p[0] != '[')
		return r;
	end = memchr(rest.p, ']', rest.len);
	r.code_whole = end != NULL;
	r.code = (struct slice){rest.p + 1,
	    end != NULL ? (size_t)(end - rest.p) - 1 : rest.len - 1};
	r.text = slice_from(rest, r.code.len + 2);
	return r;
}

/* ---- response codes ---- */

static void
code_caps(struct mail *m, const struct reply *r, enum caps_source source)
{
	caps_begin(m, source);
	caps_acc(m)->nlines = 1;
	m->list_loss = !r->code_whole;
	caps_words(m, slice_from(r->code, strlen("CAPABILITY")));
	caps_emit(m, r->line);
}

static void
on_code(struct mail *m, const struct reply *r, enum caps_source source)
{
	struct slice rest = r->code, word = slice_word(&rest);
	bool referral = slice_is(word, "REFERRAL");

	if (slice_is(word, "CAPABILITY"))
		code_caps(m, r, source);
	if (!referral && !slice_is(word, "ALERT"))
		return;
	if (m->u.imap.codes_said++ < CODES_MAX)
		use_verb_obs(m, OBS_IMAP_CODE, DIR_S2C,
		    referral ? "REFERRAL" : "ALERT", r->line);
	else
		m->u.imap.codes_said = CODES_MAX;
}

/* ---- greeting ---- */

/* "server.example logged in as first.last": a user may look like a host. */
static struct slice
before_user(struct slice text)
{
	struct slice rest = text;

	while (rest.len > 0) {
		struct slice w = slice_word(&rest);

		if (slice_is(w, "AS")) {
			text.len = (size_t)(w.p - text.p);
			break;
		}
	}
	return text;
}

static void
on_greeting(struct mail *m, const struct reply *r)
{
	struct greeting g = {.kind = r->status == ST_OK ? GREETING_OK
				     : r->status == ST_PREAUTH
					 ? GREETING_PREAUTH
					 : GREETING_REFUSED,
	    .has_caps = slice_starts(r->code, "CAPABILITY"),
	    .host = use_host_word(before_user(r->text)),
	    .text = r->line};

	use_greeting(m, &g);
	if (r->status == ST_PREAUTH)
		m->authed = 1;
	on_code(m, r, CAPS_GREETING);
}

/* ---- untagged data ---- */

static bool
is_mailbox_data(struct slice word, struct slice next)
{
	static const char *const words[] = {"LIST", "LSUB", "XLIST", "FLAGS",
	    "SEARCH", "STATUS", "SORT", "THREAD", "ESEARCH", "VANISHED",
	    "QUOTA", "QUOTAROOT", "ACL", "MYRIGHTS", "METADATA"};
	static const char *const counted[] = {
	    "EXISTS", "RECENT", "EXPUNGE", "FETCH"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_is(word, words[i]))
			return true;
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		if (slice_is(next, counted[i]))
			return word.len > 0 && isdigit(word.p[0]);
	return false;
}

static void
on_data(struct mail *m, struct slice rest, struct slice line)
{
	struct imap_state *s = &m->u.imap;
	struct slice word = slice_word(&rest), next = slice_word(&rest);
	char verb[OBS_VERB_MAX];

	mail_set_secret(m, DIR_S2C);
	if (m->authed || s->maybe_authed || imap_login_pending(m) ||
	    s->early_said >= EARLY_MAX || !mail_is_whole(m) ||
	    !is_mailbox_data(word, next))
		return;
	s->early_said++;
	(void)obs_copy_string(
	    verb, sizeof(verb), isdigit(word.p[0]) ? next : word);
	for (char *p = verb; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	use_verb_obs(m, OBS_IMAP_EARLY, DIR_S2C, verb, line);
}

static void
on_list(struct mail *m, struct slice words, const struct line *l)
{
	bool authed = m->authed != 0;

	m->u.imap.listed = 1;
	caps_begin(m, CAPS_UNTAGGED);
	caps_acc(m)->nlines = 1;
	m->list_loss = l->overlong;
	if (l->overlong)
		m->vis |= VIS_OVERLONG;
	m->authed = authed || imap_login_pending(m);
	caps_words(m, words);
	caps_emit(m, l->text);
	m->authed = authed;
}

static void
on_untagged(struct mail *m, struct slice rest, const struct line *l)
{
	struct slice after = rest, word = slice_word(&after);
	struct reply r = parse_status(rest, l->text);

	if (l->overlong && r.code.len > 0 && !r.code_whole)
		m->vis |= VIS_OVERLONG;
	if (!m->greeted && r.status != ST_NONE) {
		m->greeted = 1;
		if (r.status == ST_OK || r.status >= ST_BYE) {
			on_greeting(m, &r);
			return;
		}
	}
	m->greeted = 1;
	if (slice_is(word, "CAPABILITY"))
		on_list(m, after, l);
	else if (r.status != ST_NONE)
		on_code(m, &r, CAPS_CODE);
	else
		on_data(m, rest, l->text);
}

/* ---- tagged replies ---- */

static void
reply_starttls(struct mail *m, const struct reply *r)
{
	starttls_answered(m,
	    r->status == ST_OK ? ANSWER_POSITIVE : ANSWER_PERMFAIL, 0,
	    "STARTTLS", r->line);
}

static void
reply_login(struct mail *m, const struct imap_tag *t, const struct reply *r)
{
	if (t->mark)
		use_clear_answered(m, 0, r->status == ST_OK);
	if (r->status != ST_OK && (slice_is(r->code, "PRIVACYREQUIRED") ||
				      use_text_demands_tls(r->text)))
		use_demanded(m,
		    t->verb == IMAP_LOGIN ? "LOGIN" : "AUTHENTICATE", 0,
		    r->line);
	if (!mail_sasl(m)->active) {
		m->authed |= r->status == ST_OK;
		return;
	}
	use_auth_answered(m, r->status == ST_OK, 0);
}

/* A list that was promised and not given is one without a word. */
static void
reply_capability(struct mail *m, const struct reply *r)
{
	if (r->status != ST_OK) {
		caps_refused(m, CAPS_UNTAGGED, 0, r->line);
	} else if (!m->u.imap.listed && mail_is_whole(m) &&
		   !slice_starts(r->code, "CAPABILITY")) {
		caps_begin(m, CAPS_UNTAGGED);
		caps_emit(m, r->line);
	}
}

static void
reply_dispatch(struct mail *m, const struct imap_tag *t, const struct reply *r)
{
	switch (t->verb) {
	case IMAP_STARTTLS:
		reply_starttls(m, r);
		break;
	case IMAP_LOGIN:
	case IMAP_AUTHENTICATE:
		reply_login(m, t, r);
		break;
	case IMAP_CAPABILITY:
		reply_capability(m, r);
		break;
	case IMAP_LOGOUT:
		if (m->phase == PHASE_TEXT)
			m->phase = PHASE_CLOSING;
		break;
	case IMAP_UNAUTHENTICATE:
		m->authed = m->authed && r->status != ST_OK;
		break;
	case IMAP_UNKNOWN:
		if (t->mark)
			use_unknown_answered(m, r->status != ST_BAD, r->line);
		break;
	default:
		break;
	}
	on_code(m, r, CAPS_CODE);
	if (t->verb == IMAP_COMPRESS && r->status == ST_OK)
		mail_stop(m, PHASE_OPAQUE);
}

/* The reply to a command that still holds back a literal: it will not come. */
static void
literal_refused(struct mail *m, uint32_t id)
{
	if (m->u.imap.wait_id != id)
		return;
	m->u.imap.wait_id = 0;
	m->u.imap.cont[DIR_C2S] = 0;
	mail_run_abort(m, DIR_C2S);
}

/* Its line, which lies in *stray from now on. */
static struct slice
stray_take(struct mail *m, struct stray *stray)
{
	memcpy(stray, mail_part(m, PART_STRAY), sizeof(*stray));
	mail_part_end(m, PART_STRAY);
	m->u.imap.stray_id = 0;
	return (struct slice){
	    (const uint8_t *)stray->text, strlen(stray->text)};
}

static void
stray_emit(struct mail *m)
{
	struct imap_state *s = &m->u.imap;
	struct stray stray;
	struct slice line;
	struct obs o;

	if (s->stray_id == 0)
		return;
	line = stray_take(m, &stray);
	if (s->stray_settled || !mail_is_whole(m))
		return;
	s->stray_settled = 1; /* once is enough */
	obs_init(&o, OBS_IMAP_UNSOLICITED);
	(void)slice_word(&line);
	(void)obs_copy_string(
	    o.u.verb.verb, sizeof(o.u.verb.verb), slice_word(&line));
	memcpy(o.text, stray.text, sizeof(stray.text));
	o.pkt = stray.pkt;
	mail_emit(m, &o, DIR_S2C);
}

static void
stray_set(struct mail *m, uint32_t id, const struct reply *r)
{
	struct imap_state *s = &m->u.imap;
	struct stray *stray;

	if (s->overflow > 0) {
		s->overflow--;
		return;
	}
	if (s->stray_id != 0)
		return;
	if (m->phase == PHASE_TLS_READY)
		starttls_unasked(m);
	if (!mail_is_whole(m)) /* its command was missed; tags come again */
		return;
	s->stray_id = id;
	stray = mail_part(m, PART_STRAY);
	stray->pkt = *mail_now(m);
	(void)obs_copy_string(stray->text, sizeof(stray->text), r->line);
}

/* Is it the tag of a STARTTLS without an answer? */
static bool
is_asked_by(const struct mail *m, uint32_t id)
{
	return imap_verb_of(m, id) == IMAP_STARTTLS;
}

static void
on_tagged(struct mail *m, uint32_t id, struct slice rest, struct slice line)
{
	struct reply r = parse_status(rest, line);
	struct imap_tag t;

	if (r.status < ST_OK || r.status > ST_BAD) {
		if (is_asked_by(m, id))
			starttls_answered(
			    m, ANSWER_INVALID, 0, "STARTTLS", line);
		return;
	}
	literal_refused(m, id);
	if (!imap_tag_take(m, id, &t)) {
		stray_set(m, id, &r);
		return;
	}
	if (m->phase == PHASE_TLS_READY)
		m->tls_plain = 1;
	reply_dispatch(m, &t, &r);
}

void
imap_settle_stray(struct mail *m, uint32_t id)
{
	struct stray stray;
	struct slice line, rest;

	if (m->u.imap.stray_id != id) {
		stray_emit(m);
		return;
	}
	line = rest = stray_take(m, &stray);
	(void)slice_word(&rest);
	on_tagged(m, id, rest, line);
}

/* ---- lines ---- */

static void
on_plus(struct mail *m, struct slice line)
{
	if (m->phase == PHASE_TLS_ASKED && m->u.imap.verb == IMAP_STARTTLS) {
		starttls_answered(m, ANSWER_INVALID, 0, "STARTTLS", line);
		return;
	}
	m->u.imap.wait_id = 0;
	if (!mail_sasl(m)->active || mail_sasl(m)->auth.mech == MECH_IMAP_LOGIN)
		return;
	use_auth_asked(m);
	use_clear_answered(m, 0, true);
}

/* "OK IMAP2 ...", without the star of RFC 3501: what striptls makes of a
 * greeting to talk the client down. */
bool
imap_old_greeting(struct slice line)
{
	struct slice rest = line, first = slice_word(&rest);

	return slice_is(first, "OK") && slice_starts(rest, "IMAP");
}

static bool
nothing_asked(const struct mail *m)
{
	return m->u.imap.ntags == 0 && m->u.imap.overflow == 0;
}

static void
server_literal(struct mail *m, const struct line *l)
{
	struct literal lit = line_literal(l);
	struct half *h = &m->half[DIR_S2C];
	bool body;

	m->u.imap.cont[DIR_S2C] = lit.have;
	if (!lit.have)
		return;
	body = slice_has(l->text, "BODY[]") ||
	       slice_has(l->text, "BODY[TEXT]") ||
	       slice_has(l->text, "RFC822 {");
	m->env->n.literals++;
	if (body)
		body_start(&h->body, false);
	mail_count_begin(m, DIR_S2C, lit.len, body);
}

static void
server_reply(struct mail *m, const struct line *l)
{
	struct slice rest = l->text, tag = slice_word(&rest);

	if (slice_is(tag, "*")) {
		on_untagged(m, rest, l);
	} else if (!m->greeted && imap_old_greeting(l->text)) {
		on_untagged(m, l->text, l);
	} else if (slice_is(tag, "+")) {
		mail_set_secret(m, DIR_S2C);
		on_plus(m, l->text);
	} else if (tag.len > 0) {
		m->greeted = 1;
		on_tagged(m, imap_tag_id(m, tag), rest, l->text);
	}
}

static void
server_line(struct mail *m, const struct line *l)
{
	char text[MAIL_INJECT_TEXT];
	bool cont = m->u.imap.cont[DIR_S2C];

	if (starttls_has_text(m, DIR_S2C)) {
		(void)obs_copy_string(text, sizeof(text), l->text);
		starttls_line(m, DIR_S2C, text);
	}
	if (m->phase == PHASE_TLS_HELLO)
		return;
	if (m->phase == PHASE_TLS_READY && nothing_asked(m))
		starttls_unasked(m);
	else if (!cont)
		server_reply(m, l);
	if (cont)
		mail_set_secret(m, DIR_S2C);
	if (m->half[DIR_S2C].mode == HALF_LINE)
		server_literal(m, l);
}

static void
imap_line(struct mail *m, enum dir dir, const struct line *l)
{
	if (dir == DIR_C2S)
		imap_client_line(m, l);
	else
		server_line(m, l);
}

static void
imap_run_end(struct mail *m, enum dir dir)
{
	struct half *h = &m->half[dir];

	if (dir == DIR_C2S) {
		imap_client_run_end(m);
		return;
	}
	if (h->is_body)
		use_content(m, DIR_S2C, &h->body);
	h->is_body = 0;
}

static void
imap_gap(struct mail *m, enum dir dir)
{
	struct imap_state *s = &m->u.imap;

	if (m->half[dir].mode == HALF_COUNT)
		return; /* within a literal */
	s->cont[dir] = 0;
	s->maybe_authed = 1;
	s->stray_id = 0;
	mail_part_end(m, PART_STRAY);
	if (dir == DIR_S2C) {
		m->greeted = 1;
		use_clear_answered(m, 0, false);
	}
	s->arg = 2;
	if (m->phase == PHASE_TLS_ASKED)
		m->phase = PHASE_TEXT;
}

static bool
imap_is_whole(enum dir dir, struct slice line)
{
	if (dir == DIR_S2C)
		return slice_starts(line, "* ") || slice_starts(line, "+ ") ||
		       imap_is_tagged_reply(line);
	return imap_command_is_known(line);
}

static void
imap_flush(struct mail *m)
{
	stray_emit(m);
	use_clear_answered(m, 0, false);
	use_auth_lost(m, NULL);
	m->u.imap.ntags = 0;
	mail_part_end(m, PART_TAGS);
}

static bool
imap_partial_is_public(enum dir dir, struct slice s)
{
	return dir == DIR_C2S
		   ? imap_command_is_public(s)
		   : slice_starts(s, "* OK ") || slice_starts(s, "* BYE ") ||
			 slice_starts(s, "* CAPABILITY ");
}

const struct mail_ops imap_ops = {
    .start = imap_start,
    .line = imap_line,
    .run_end = imap_run_end,
    .gap = imap_gap,
    .is_whole = imap_is_whole,
    .flush = imap_flush,
    .show = imap_show,
    .partial_is_public = imap_partial_is_public,
};
