/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes that do not belong into the text phase (B1-B6): commands behind
 * STARTTLS, replies behind the go-ahead (Poddebniak et al., "Why TLS Is Better
 * Without STARTTLS", USENIX Security 2021), PREAUTH, mailbox data before
 * login, replies to nothing, referrals and alerts in clear.
 *
 * Benign look-alikes: pipelining before STARTTLS; a refused STARTTLS, after
 * which plaintext goes on lawfully; plaintext answered in plaintext (A9); an
 * eager ClientHello; a blank line; a multi-line 220; a server that gives up
 * waiting and says so (421, BYE); PREAUTH on the loopback, or as the server
 * always does; mailbox data and alerts after a login that we missed,
 * and what this server says to everybody; the client direction not seen.
 */
#include "rules/detect.h"

#include <string.h>

#include "rules/weights.h"

/* An end of line too many does nothing to anybody. */
static void
add_blank(struct finding *n, const struct obs *o)
{
	if (o->text[0] == '\0')
		finding_add(n, LESS_BLANK, "but they are only a blank line");
}

static void
command_injected(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	const struct obs_inject *i = &o->u.inject;
	struct finding *n;

	if (!i->before_answer && !i->tls_followed)
		return; /* A9 */
	n = detect_find(c, FIND_STARTTLS_COMMAND_INJECTION);
	if (n == NULL)
		return;
	finding_add(n, W_COMMAND_INJECTED,
	    "%u bytes of the client stand in clear between %s and TLS: "
	    "\"%.100s\"",
	    i->bytes, facts_tls_verb(f), o->text);
	finding_add(n, 0, "%s",
	    i->before_answer ? "they came before the server's go-ahead"
			     : "they came after the go-ahead, and TLS followed "
			       "them");
	add_blank(n, o);
}

/* "421 timeout", "* BYE": said while waiting for a client that is gone. */
static bool
is_farewell(const char *text)
{
	return strncmp(text, "421", 3) == 0 || strncmp(text, "* BYE", 5) == 0 ||
	       strncmp(text, "-ERR", 4) == 0 || strncmp(text, "BYE", 3) == 0;
}

static void
response_injected(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	const struct obs_inject *i = &o->u.inject;
	struct finding *n;

	if (!i->tls_followed && (f->tls->text_c2s || is_farewell(o->text)))
		return;
	n = detect_find(c, FIND_STARTTLS_RESPONSE_INJECTION);
	if (n == NULL)
		return;
	finding_add(n, W_RESPONSE_INJECTED,
	    "%u bytes of the server stand in clear between its go-ahead and "
	    "TLS: \"%.100s\"",
	    i->bytes, o->text);
	add_blank(n, o);
}

void
detect_injected_text(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	if (o->u.inject.is_tls || f->tls->answer != ANSWER_POSITIVE ||
	    f->tls->done.time != 0)
		return;
	if (o->dir == DIR_C2S)
		command_injected(o, f, c);
	else
		response_injected(o, f, c);
}

/* ---- IMAP ---- */

static bool
is_loopback(const struct addr *a)
{
	static const uint8_t v4[12] = {
	    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	static const struct addr v6 = {
	    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

	return (memcmp(a->b, v4, sizeof(v4)) == 0 && a->b[12] == 127) ||
	       memcmp(a, &v6, sizeof(v6)) == 0;
}

static void
imap_preauth(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = PLUS_PREAUTH_KNOWN;
	const struct server_facts *s;
	enum known_tls k = KNOWN_ONCE;
	struct finding *n;

	if (o->u.greeting.kind != GREETING_PREAUTH || f->implicit_tls ||
	    is_loopback(&f->who.server))
		return;
	s = past_server(c);
	if (s != NULL && s->greeting_preauth != 0 && s->greeting_ok == 0)
		return;
	n = detect_find(c, FIND_IMAP_PREAUTH);
	if (n == NULL)
		return;
	finding_add(n, W_PREAUTH,
	    "the server greets with PREAUTH in clear: a client that is "
	    "logged in already cannot ask for TLS");
	if (s == NULL || s->greeting_ok == 0) {
		n->tags |= EVT_NO_HISTORY;
		return;
	}
	if (s->greeting_ok > 1)
		k = s->greeting_ok >= 10 ? KNOWN_WELL : KNOWN_SOME;
	finding_add(n, known[k], "it greeted with OK in %u earlier session%s",
	    s->greeting_ok, s->greeting_ok == 1 ? "" : "s");
}

static bool
client_not_seen(const struct facts *f)
{
	return (f->vis & (VIS_MIDSTREAM | VIS_ONE_WAY | VIS_GAP_C2S)) != 0;
}

static void
imap_early(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	struct finding *n;

	if (f->preauth || f->auth->ok.time != 0 || client_not_seen(f))
		return;
	n = detect_find(c, FIND_IMAP_DATA_BEFORE_AUTH);
	if (n != NULL)
		finding_add(n, W_DATA_BEFORE_AUTH,
		    "before any login the server sent mailbox data: \"%.100s\"",
		    o->text);
}

static void
imap_unsolicited(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	struct finding *n;

	if (client_not_seen(f) || (f->vis & VIS_GAP_S2C) != 0)
		return;
	n = detect_find(c, FIND_IMAP_UNSOLICITED_REPLY);
	if (n != NULL)
		finding_add(n, W_UNSOLICITED,
		    "the server answered a command that was never sent: "
		    "\"%.100s\"",
		    o->text);
}

/* The server said so before, in sessions free of suspicion. */
static bool
is_known_text(const struct server_facts *s, const char *text)
{
	uint32_t hash = hash32_text(text);

	for (unsigned i = 0; s != NULL && i < HISTORY_TEXTS; i++)
		if (s->alert_texts[i] == hash)
			return true;
	return false;
}

/* An ALERT matters where TLS is about to come: the user reads it before the
 * server has proved who it is. */
static void
imap_code(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	bool tls_due = f->tls->asked.time != 0 || f->caps->ever_starttls ||
		       detect_known_tls(c) != KNOWN_NOTHING;
	struct finding *n;

	if (strcmp(o->u.verb.verb, "REFERRAL") == 0) {
		n = detect_find(c, FIND_IMAP_REFERRAL);
		if (n != NULL)
			finding_add(n, W_REFERRAL,
			    "the server sends the client elsewhere: "
			    "\"%.100s\"",
			    o->text);
		return;
	}
	if (is_known_text(past_server(c), o->text))
		return;
	if (!tls_due || f->auth->exchanges != 0 || f->clear->count != 0 ||
	    f->preauth || client_not_seen(f))
		return;
	n = detect_find(c, FIND_IMAP_ALERT_IN_CLEAR);
	if (n != NULL)
		finding_add(n, W_ALERT_IN_CLEAR,
		    "a message for the user came before TLS: \"%.100s\"",
		    o->text);
}

void
detect_imap(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	bool either = f->proto == PROTO_IMAP || f->proto == PROTO_SIEVE;

	if (!either || f->tls->done.time != 0)
		return;
	switch (o->kind) {
	case OBS_GREETING:
		imap_preauth(o, f, c);
		break;
	case OBS_IMAP_EARLY:
		imap_early(o, f, c);
		break;
	case OBS_IMAP_UNSOLICITED:
		imap_unsolicited(o, f, c);
		break;
	case OBS_IMAP_CODE:
		imap_code(o, f, c);
		break;
	default:
		break;
	}
}
