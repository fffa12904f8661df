/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Observations that all protocols make in the same way: use in clear,
 * authentication, QUIT, content, verbs that nobody has. How often each is made
 * is bounded, so that a flow folds into few observations whatever it repeats.
 */
#include <ctype.h>
#include <string.h>

#include "decoders/mail_core.h"

#define DEMANDED_MAX 4
#define UNKNOWNS_MAX 4

static void
copy(char *dst, size_t cap, const char *src)
{
	size_t n = strnlen(src, cap - 1);

	memcpy(dst, src, n);
	dst[n] = '\0';
}

/* ---- use in clear ---- */

void
use_clear(struct mail *m, bool is_login, const char *verb, const char *text)
{
	struct clear_use *c = &m->clear;
	struct clear_text *said;

	if (c->pending || c->accepted[is_login] ||
	    c->said[is_login] >= MAIL_CLEAR_MAX)
		return;
	c->pending = 1;
	c->is_login = is_login;
	said = mail_part(m, PART_CLEAR_USE);
	copy(said->verb, sizeof(said->verb), verb);
	copy(said->text, sizeof(said->text), text);
	said->pkt = *mail_now(m);
}

void
use_clear_answered(struct mail *m, uint16_t code, bool ok)
{
	struct clear_use *c = &m->clear;
	const struct clear_text *said;
	bool first;
	struct obs o;

	if (!c->pending)
		return;
	said = mail_part(m, PART_CLEAR_USE);
	c->pending = 0;
	first = c->said[c->is_login] == 0;
	c->accepted[c->is_login] = ok;
	if (!ok && !first) { /* refused again: said before */
		mail_part_end(m, PART_CLEAR_USE);
		return;
	}
	obs_init(&o, OBS_CLEAR_USE);
	copy(o.u.verb.verb, sizeof(o.u.verb.verb), said->verb);
	o.u.verb.code = code;
	o.u.verb.ok = ok;
	o.u.verb.repeated = c->ever[c->is_login];
	o.pkt = said->pkt;
	copy(o.text, sizeof(o.text), said->text);
	mail_part_end(m, PART_CLEAR_USE);
	c->said[c->is_login]++;
	c->ever[c->is_login] = 1;
	mail_emit(m, &o, DIR_C2S);
}

void
use_rearm(struct mail *m)
{
	memset(m->clear.said, 0, sizeof(m->clear.said));
	memset(m->clear.accepted, 0, sizeof(m->clear.accepted));
}

/* ---- authentication ---- */

const struct sasl *
mail_sasl(const struct mail *m)
{
	static const struct sasl none;

	return mail_has_part(m, PART_SASL) ? m->part[PART_SASL] : &none;
}

void
use_auth_take(struct mail *m, struct slice text, uint64_t total)
{
	struct sasl *s = mail_part(m, PART_SASL);
	bool had = s->auth.secret_sent;

	sasl_response(s, text, total, m->env->secret_key);
	if (!had && s->auth.secret_sent)
		s->auth.secret_pkt = *mail_now(m);
}

void
use_auth_begin(struct mail *m, struct slice rest, const struct line *l)
{
	struct slice mech = slice_word(&rest);

	mail_set_secret(m, DIR_C2S);
	sasl_start(mail_part(m, PART_SASL), mech);
	if (rest.len > 0)
		use_auth_take(m, rest,
		    l->overlong ? l->total - (uint64_t)(rest.p - l->text.p)
				: 0);
}

void
use_auth_asked(struct mail *m)
{
	struct sasl *s = m->part[PART_SASL];

	if (s != NULL)
		s->challenged = s->active;
}

void
use_auth_response(struct mail *m, const struct line *l)
{
	mail_set_secret(m, DIR_C2S);
	starttls_line(m, DIR_C2S, OBS_MASK);
	use_auth_take(m, l->text, l->overlong ? l->total : 0);
}

static size_t
append(char *buf, size_t cap, size_t used, const char *s)
{
	copy(buf + used, cap - used, s);
	return used + strlen(buf + used);
}

/* The verb, the mechanism, and that there was more. */
static void
put_exchange(
    char *buf, size_t cap, const char *verb, const char *mech, bool more)
{
	size_t n = append(buf, cap, 0, verb);

	n = append(buf, cap, n, " ");
	n = append(buf, cap, n, mech);
	if (more)
		(void)append(buf, cap, n, " " OBS_MASK);
}

/* "AUTH PLAIN ********": what of the exchange under way may be shown. */
static void
auth_text(const struct mail *m, char *buf, size_t cap)
{
	const struct sasl *s = mail_sasl(m);
	const char *verb = "AUTH";

	if (m->proto == PROTO_IMAP || m->proto == PROTO_SIEVE)
		verb = "AUTHENTICATE";
	if (m->proto == PROTO_IMAP && s->auth.mech == MECH_IMAP_LOGIN)
		copy(buf, cap, "LOGIN " OBS_MASK);
	else if (m->proto == PROTO_POP3 && s->auth.mech == MECH_USERPASS)
		copy(buf, cap, "PASS " OBS_MASK);
	else if (m->proto == PROTO_POP3 && s->auth.mech == MECH_APOP)
		copy(buf, cap, "APOP " OBS_MASK);
	else
		put_exchange(
		    buf, cap, verb, s->auth.mech_name, sasl_happened(s));
}

/* A mechanism may be shown if it is one: it may be a password typed there. */
void
use_auth_show(char *buf, size_t cap, const char *verb, struct slice rest)
{
	struct slice mech = slice_word(&rest);
	char name[OBS_VERB_MAX] = OBS_MASK;

	if (sasl_mech_parse(mech) != MECH_OTHER)
		(void)obs_copy_string(name, sizeof(name), mech);
	put_exchange(buf, cap, verb, name, rest.len > 0);
}

/* shown: the command, or NULL */
static void
auth_emit(struct mail *m, const char *shown, bool known)
{
	const struct sasl *s = mail_sasl(m);
	struct obs o;

	obs_init(&o, OBS_AUTH);
	o.u.auth = s->auth;
	if (shown != NULL)
		copy(o.text, sizeof(o.text), shown);
	else
		auth_text(m, o.text, sizeof(o.text));
	mail_emit(m, &o, DIR_C2S);
	if (known && s->auth.outcome == AUTH_OK)
		m->authed = 1;
	mail_part_end(m, PART_SASL);
}

void
use_auth_answered(struct mail *m, bool ok, uint16_t code)
{
	if (!mail_sasl(m)->active)
		return;
	sasl_finish(mail_part(m, PART_SASL), ok, code);
	auth_emit(m, NULL, true);
}

void
use_auth_lost(struct mail *m, const char *shown)
{
	struct sasl *s = m->part[PART_SASL];

	if (s != NULL && s->active && sasl_happened(s)) {
		if (s->cancelled)
			s->auth.outcome = AUTH_ABORTED;
		auth_emit(m, shown, false);
	}
	mail_part_end(m, PART_SASL);
}

void
use_gap(struct mail *m, enum dir dir)
{
	use_clear_answered(m, 0, false);
	use_auth_lost(m, NULL);
	mail_part_end(m, PART_OWED);
	m->unknown_verb[0] = '\0';
	queue_unsure(&m->queue);
	if (dir == DIR_S2C) {
		queue_reply(&m->queue); /* it went by unseen */
		m->greeted = 1;
	}
	if (m->phase == PHASE_TLS_ASKED)
		m->phase = PHASE_TEXT;
}

/* ---- replies ---- */

void
use_owed(struct mail *m, bool ok, struct slice line)
{
	struct owed *w = m->part[PART_OWED];

	if (w != NULL) { /* two: who knows what they answer */
		mail_part_end(m, PART_OWED);
		m->skewed = 1;
		queue_unsure(&m->queue);
		return;
	}
	w = mail_part(m, PART_OWED);
	w->positive = ok;
	(void)obs_copy_string(w->text, sizeof(w->text), line);
}

void
use_verb_obs(struct mail *m, enum obs_kind kind, enum dir dir, const char *verb,
    struct slice text)
{
	struct obs o;

	obs_init(&o, kind);
	copy(o.u.verb.verb, sizeof(o.u.verb.verb), verb);
	obs_set_text(&o, text);
	mail_emit(m, &o, dir);
}

void
use_quit(struct mail *m, const char *verb, struct slice text)
{
	if (!m->quit)
		use_verb_obs(m, OBS_QUIT, DIR_C2S, verb, text);
	m->quit = 1;
}

bool
use_text_demands_tls(struct slice s)
{
	return slice_has(s, "STARTTLS") || slice_has(s, "STLS") ||
	       slice_has(s, "TLS") || slice_has(s, "SSL") ||
	       slice_has(s, "encrypt") || slice_has(s, "PRIVACYREQUIRED");
}

/* Servers repeat the name of a login in their answer. It has a field of its
 * own, and an observer may not want it in texts: the rest of the text goes. */
static void
mask_user(const struct mail *m, struct obs *o)
{
	const char *user = mail_sasl(m)->auth.user;
	char *at = user[0] != '\0' ? strcasestr(o->text, user) : NULL;
	size_t len = strlen(user);

	while (at != NULL && ((at > o->text && isalnum((uint8_t)at[-1])) ||
				 isalnum((uint8_t)at[len])))
		at = strcasestr(at + 1, user);
	if (at != NULL)
		copy(at, sizeof(o->text) - (size_t)(at - o->text), OBS_MASK);
}

static void
answer_emit(struct mail *m, enum obs_kind kind, const char *verb, uint16_t code,
    struct slice text)
{
	struct obs o;

	obs_init(&o, kind);
	o.u.answer.kind =
	    code >= 400 && code < 500 ? ANSWER_TEMPFAIL : ANSWER_PERMFAIL;
	o.u.answer.hidden = kind == OBS_VERB_UNKNOWN && m->unknown_masked;
	o.u.answer.code = code;
	copy(o.u.answer.verb, sizeof(o.u.answer.verb), verb);
	obs_set_text(&o, text);
	mask_user(m, &o);
	mail_emit(m, &o, DIR_S2C);
}

void
use_demanded(struct mail *m, const char *verb, uint16_t code, struct slice text)
{
	if (m->demanded >= DEMANDED_MAX)
		return;
	m->demanded++;
	answer_emit(m, OBS_TLS_DEMANDED, verb, code, text);
}

void
use_verb_unknown(struct mail *m, uint16_t code, struct slice text)
{
	if (m->unknown_verb[0] == '\0' || m->unknowns >= UNKNOWNS_MAX)
		return;
	m->unknowns++;
	if (m->unknown_masked) { /* servers like to repeat what they reject */
		mail_set_secret(m, DIR_S2C);
		text.len = 0;
	}
	answer_emit(m, OBS_VERB_UNKNOWN, m->unknown_verb, code, text);
	m->unknown_verb[0] = '\0';
}

void
use_show_open(char *buf, size_t cap, struct slice line)
{
	static const char masked[] = "\\r" OBS_MASK;
	size_t n = slice_before_cr(line), have, room;

	(void)obs_copy_string(buf, cap, (struct slice){line.p, n});
	have = strlen(buf);
	room = cap - 1 - have;
	if (n < line.len && room >= sizeof(masked) - 1)
		memcpy(buf + have, masked, sizeof(masked));
}

/* ---- verbs nobody has ---- */

void
use_mask_class(char *buf, size_t cap, struct slice s)
{
	size_t n = s.len < cap - 1 ? s.len : cap - 1;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = s.p[i];

		buf[i] = isalpha(c) ? 'x' : isdigit(c) ? '0' : '.';
		if (c == ' ' || c == '-')
			buf[i] = (char)c;
	}
	buf[n] = '\0';
}

static bool
all_one_letter(struct slice s)
{
	for (size_t i = 1; i < s.len; i++)
		if (s.p[i] != s.p[0])
			return false;
	return s.len > 0;
}

/* Letters that differ from word in the same place; s may be one longer or
 * shorter. Enough to know a garbled word again, and nothing else. */
static bool
nearly(struct slice s, const char *word)
{
	size_t n = strlen(word), off = 0, head = 0, tail = 0;

	if (s.len + 2 < n || s.len > n + 2)
		return false;
	while (head < n && head < s.len && toupper(s.p[head]) == word[head])
		head++;
	while (tail < n && tail < s.len &&
	       toupper(s.p[s.len - 1 - tail]) == word[n - 1 - tail])
		tail++;
	off = n > 4 ? 2 : 1;
	return head + tail + off >= n;
}

/* Some letters of word in their places, the others covered: it has nothing to
 * hide. */
static bool
is_part_of(struct slice s, const char *word)
{
	if (s.len != strlen(word))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (toupper(s.p[i]) != word[i] &&
		    strchr("Xx*#-_.", s.p[i]) == NULL)
			return false;
	return memchr(s.p, '\0', s.len) == NULL;
}

static void
unknown_set(struct mail *m, struct slice verb)
{
	char *out = m->unknown_verb;
	struct slice head = verb;

	if (head.len > OBS_VERB_MAX - 1)
		head.len = OBS_VERB_MAX - 1;
	/* XXXXXXXA is how one product masks; see DETECTIONS A3 and A12 */
	m->unknown_masked =
	    verb.len < 3 ||
	    (!all_one_letter((struct slice){head.p, head.len - 1}) &&
		!nearly(verb, "STARTTLS") && !nearly(verb, "STLS") &&
		!is_part_of(verb, "STARTTLS"));
	if (m->unknown_masked)
		use_mask_class(out, OBS_VERB_MAX, head);
	else
		(void)obs_copy_string(out, OBS_VERB_MAX, head);
	if (out[0] == '\0')
		copy(out, OBS_VERB_MAX, "?");
}

bool
use_unknown(struct mail *m, struct slice verb)
{
	mail_set_secret(m, DIR_C2S);
	if (m->unknown_verb[0] != '\0')
		return false; /* another waits for its reply */
	unknown_set(m, verb);
	return true;
}

void
use_unknown_answered(struct mail *m, bool ok, struct slice text)
{
	if (!ok)
		use_verb_unknown(m, 0, text);
	m->unknown_verb[0] = '\0';
}

/* ---- content ---- */

void
use_content(struct mail *m, enum dir dir, const struct body *b)
{
	struct obs o;

	m->env->n.messages += b->bytes > 0;
	if (b->bytes == 0 || m->contents_said & 1u << b->protected_)
		return;
	m->contents_said |= (uint8_t)(1u << b->protected_);
	obs_init(&o, OBS_MAIL_CONTENT);
	o.u.content.bytes = b->bytes;
	o.u.content.protected_ = b->protected_;
	mail_emit(m, &o, dir);
}

/* ---- greeting ---- */

/* A domain name of two labels or more whose last is letters, or [literal]. */
static bool
is_host(struct slice s)
{
	size_t dots = 0, label = 0;

	if (s.len > 2 && s.p[0] == '[' && s.p[s.len - 1] == ']')
		return true;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '.') {
			if (label == 0)
				return false;
			dots++;
			label = 0;
		} else if (isalnum(s.p[i]) || s.p[i] == '-' || s.p[i] == '_') {
			label++;
		} else {
			return false;
		}
	}
	return dots > 0 && label > 1 && isalpha(s.p[s.len - 1]);
}

static bool
opens(uint8_t c)
{
	return c == '<' || c == '(' || c == '"' || c == '\'' || c == '\0';
}

static bool
closes(uint8_t c)
{
	switch (c) {
	case '.':
	case ',':
	case ';':
	case ':':
	case '!':
	case '>':
	case ')':
	case '"':
	case '\'':
	case '\0':
		return true;
	default:
		return false;
	}
}

struct slice
use_host_word(struct slice text)
{
	while (text.len > 0) {
		struct slice w = slice_word(&text);

		while (w.len > 0 && opens(w.p[0]))
			w = slice_from(w, 1);
		while (w.len > 0 && closes(w.p[w.len - 1]))
			w.len--;
		if (is_host(w))
			return w;
	}
	return text;
}

void
use_greeting(struct mail *m, const struct greeting *g)
{
	struct obs o;
	char *host = o.u.greeting.host;

	obs_init(&o, OBS_GREETING);
	o.u.greeting.kind = (uint8_t)g->kind;
	o.u.greeting.code = g->code;
	o.u.greeting.has_caps = g->has_caps;
	if (g->host.len > 0)
		(void)obs_copy_string(host, sizeof(o.u.greeting.host), g->host);
	for (; *host != '\0'; host++)
		if (*host >= 'A' && *host <= 'Z')
			*host |= 0x20;
	obs_set_text(&o, g->text);
	if (g->pkt != NULL)
		o.pkt = *g->pkt;
	mail_emit(m, &o, DIR_S2C);
}
