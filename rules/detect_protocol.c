/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Talked down to a protocol that has no STARTTLS: EHLO or the list refused
 * (A10, A17), a greeting too old for TLS (A18), or one without the word ESMTP,
 * at which some clients say HELO of their own accord.
 *
 * Benign look-alikes: greylisting of EHLO (421, 450); a client whose name is
 * unwelcome; servers that know only HELO; [SYS/TEMP] and close; IMAP4rev2
 * alone; a banner that was changed; scripts that have always said HELO.
 */
#include "rules/detect.h"

#include <string.h>

#include "rules/weights.h"
#include "rules/words.h"

#define GREETINGS 3 /* alike, before another one says anything */

static void
add_esmtp_history(struct finding *n, const struct server_facts *s)
{
	static const int known[KNOWN_LEVELS] = W_EHLO_KNOWN;
	enum known_tls k = KNOWN_ONCE;
	char count[32];

	if (s == NULL || s->ehlo_ok == 0) {
		n->tags |= EVT_NO_HISTORY;
		finding_add(
		    n, W_EHLO_UNKNOWN, "nothing is known of this server yet");
		return;
	}
	if (s->ehlo_ok >= 10 || s->days >= 2)
		k = KNOWN_WELL;
	else if (s->ehlo_ok > 1)
		k = KNOWN_SOME;
	finding_add(n, known[k], "it answered EHLO in %s earlier session%s",
	    detect_count(count, sizeof(count), s->ehlo_ok),
	    s->ehlo_ok == 1 ? "" : "s");
	if (s->offered != 0)
		n->tags |= EVT_WAS_TLS;
}

static bool
is_policy_code(uint16_t code)
{
	return code == 501 || code == 504 || code == 550 || code == 553 ||
	       code == 554;
}

void
detect_ehlo(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	const struct server_facts *s;
	struct finding *n;

	if (f->proto != PROTO_SMTP || o->u.caps.source != CAPS_HELO ||
	    o->u.caps.refused || !f->caps->refused || f->caps->lists != 0 ||
	    f->caps->refused_code < 500 || f->tls->done.time != 0)
		return;
	s = detect_server(c);
	if (s != NULL && s->ehlo_ok == 0 && s->helo_only > 0)
		return;
	n = detect_find(c, FIND_EHLO_REFUSED);
	if (n == NULL)
		return;
	detect_at(n, f->rare->refused);
	finding_add(n, 0,
	    "EHLO was refused with %u and the client went on with HELO",
	    f->caps->refused_code);
	add_esmtp_history(n, s);
	if (f->greeting->esmtp)
		finding_add(
		    n, PLUS_SAYS_ESMTP, "the greeting itself says ESMTP");
	if (f->greeting->masked)
		finding_add(n, PLUS_GREETING_MASKED,
		    "the greeting is masked with asterisks");
	if (is_policy_code(f->caps->refused_code) &&
	    (past_pair(c) == NULL || past_pair(c)->tls == 0))
		finding_add(n, LESS_POLICY_CODE,
		    "but the code is one for clients with unwelcome names");
}

void
detect_capability(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = W_CAPABILITY_KNOWN;
	const struct server_facts *s;
	enum known_tls k;
	struct finding *n;
	char count[32];

	(void)o;
	if (f->proto == PROTO_SMTP || !f->caps->refused ||
	    f->caps->refused_for_now || f->caps->lists != 0 ||
	    f->tls->done.time != 0)
		return;
	s = detect_server(c);
	if (s == NULL || s->capa_ok == 0 || s->capa_refused * 4 > s->capa_ok)
		return;
	k = s->capa_ok >= 10 || s->days >= 2 ? KNOWN_WELL
	    : s->capa_ok > 1		     ? KNOWN_SOME
					     : KNOWN_ONCE;
	n = detect_find(c, FIND_CAPABILITY_REFUSED);
	if (n == NULL)
		return;
	detect_at(n, f->rare->refused);
	finding_add(n, known[k],
	    "the list was refused; it was given in %s earlier session%s",
	    detect_count(count, sizeof(count), s->capa_ok),
	    s->capa_ok == 1 ? "" : "s");
	finding_add(n, PLUS_USED_IN_CLEAR, "the client went on in clear");
}

static bool
list_is_old_imap(const struct facts *f)
{
	struct slice line, token;
	const char *list = f->caps->words;
	bool any = false;

	if (!f->caps->complete || f->caps->source == 0)
		return false;
	while (words_next(&list, &line, &token)) {
		if (token.len >= 8 &&
		    words_equal((struct slice){token.p, 8}, "IMAP4REV"))
			return false;
		any = true;
	}
	return any;
}

void
detect_old_imap(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = PLUS_OLD_IMAP_KNOWN;
	const struct server_facts *s;
	struct finding *n;

	if (f->proto != PROTO_IMAP || f->implicit_tls ||
	    (o->kind == OBS_CAPS &&
		(o->u.caps.refused || o->u.caps.after_auth)))
		return;
	if (o->kind == OBS_GREETING ? !f->greeting->old_imap
				    : !list_is_old_imap(f))
		return;
	n = detect_find(c, FIND_PROTOCOL_DOWNGRADE);
	if (n == NULL)
		return;
	finding_add(n, W_OLD_IMAP,
	    "the server speaks IMAP, but neither "
	    "IMAP4rev1 nor IMAP4rev2: \"%.80s\"",
	    o->kind == OBS_GREETING ? o->text : f->caps->words);
	s = detect_server(c);
	if (s != NULL && words_has(s->words, "IMAP4rev1"))
		finding_add(n, known[detect_known_tls(c)],
		    "its earlier lists said IMAP4rev1");
	else
		n->tags |= EVT_NO_HISTORY;
}

/* HELO without a try of EHLO, by a client that used TLS here and so said EHLO:
 * RFC 1869 section 4.1 lets it choose by the greeting. */
void
detect_old_smtp(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	const struct server_facts *s;
	const struct pair_facts *p;
	struct finding *n;
	char count[32];

	if (f->proto != PROTO_SMTP || o->u.caps.source != CAPS_HELO ||
	    o->u.caps.refused || f->caps->refused || f->caps->lists != 0 ||
	    f->tls->done.time != 0 || f->greeting->esmtp)
		return;
	s = past_server(c);
	p = past_pair(c);
	if (s == NULL || p == NULL || p->tls == 0 || p->clear != 0)
		return;
	if (s->greeting_same < GREETINGS || f->greeting->shape == 0 ||
	    f->greeting->shape == s->greeting_shape)
		return;
	n = detect_find(c, FIND_PROTOCOL_DOWNGRADE);
	if (n == NULL)
		return;
	n->tags |= EVT_WAS_TLS;
	detect_at(n, &f->greeting->at);
	finding_add(n, W_OLD_SMTP,
	    "the greeting does not say ESMTP and is not that of %s sessions "
	    "before, and the client did not even try EHLO",
	    detect_count(count, sizeof(count), s->greeting_same));
	if (p->tls > 1)
		finding_add(n, PLUS_OLD_SMTP_PAIR,
		    "these two hosts used nothing but TLS in %s sessions",
		    detect_count(count, sizeof(count), p->tls));
}
