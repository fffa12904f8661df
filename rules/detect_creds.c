/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Credentials and content in clear (E1-E6). The decoder has told mechanism,
 * user and outcome apart from the secret, which never comes this far.
 *
 * Benign look-alikes: an exchange aborted ("*", "=") or refused before the
 * secret was sent; AUTH advertised and not used; SCRAM, GSSAPI, EXTERNAL and
 * ANONYMOUS, which show nothing that can be used again; ordinary plaintext
 * mail between servers that never had TLS.
 */
#include "rules/detect.h"

#include <stdio.h>
#include <string.h>

#include "decoders/format.h"
#include "decoders/sasl.h"
#include "rules/weights.h"

#define USER_TEXT_MAX 100
#define SERIOUS 50 /* less is a suspicion, and makes nothing worse */

static const char *
outcome_name(uint8_t outcome)
{
	switch (outcome) {
	case AUTH_OK:
		return "accepted";
	case AUTH_FAILED:
		return "refused, but readable all the same";
	default:
		return "its outcome was not seen";
	}
}

static bool
recent_attack(const struct detect_ctx *c)
{
	const struct pair_recent *r;

	if (c->f->suspicious >= SERIOUS)
		return true;
	for (unsigned i = 0; i < c->nout; i++)
		if (finding_is_attack(c->out[i].id) &&
		    c->out[i].confidence >= SERIOUS)
			return true;
	r = past_recent(c);
	for (unsigned i = 0; r != NULL && i < r->nevents; i++)
		if (finding_is_attack(r->events[i].finding) &&
		    r->events[i].confidence >= SERIOUS)
			return true;
	return false;
}

static void
add_recent_attack(struct finding *n, const struct detect_ctx *c)
{
	if (!recent_attack(c))
		return;
	n->tags |= EVT_AFTER_ATTACK;
	finding_add(n, 0,
	    "signs of interference between the same two hosts came before it");
}

/* " of user "alice"", or "" where the name was not seen or is not to be. */
static const char *
of_user(char buf[USER_TEXT_MAX], const char *user)
{
	buf[0] = '\0';
	if (user[0] != '\0')
		(void)format_text(
		    buf, USER_TEXT_MAX, " of user \"%.80s\"", user);
	return buf;
}

/* What both kinds of finding say: who, when, after what. */
static void
fill(struct finding *n, const struct obs_auth *a, const struct detect_ctx *c)
{
	char addr[48];

	if (a->secret_pkt.ordinal != 0) {
		n->time = a->secret_pkt.time;
		n->pkt = a->secret_pkt;
	}
	memcpy(n->user, a->user, sizeof(n->user));
	memcpy(n->mech, a->mech_name, sizeof(n->mech));
	add_recent_attack(n, c);
	if (c->f->rare->proxied->known)
		finding_add(n, 0, "the client behind the proxy is %s",
		    obs_addr(addr, sizeof(addr), &c->f->rare->proxied->client));
	if (c->f->caps->ever_starttls)
		finding_add(
		    n, 0, "the server had offered %s", facts_tls_verb(c->f));
	if (detect_known_tls(c) != KNOWN_NOTHING)
		n->tags |= EVT_WAS_TLS;
}

static void
say_same_secret(struct finding *n, const struct secret_seen *s)
{
	int64_t t = s->time / 1000000000;
	char date[16];

	finding_add(n, 0,
	    "the same secret was seen on %s at %02d:%02d:%02d%s%.80s",
	    detect_date(date, sizeof(date), s->time), (int)(t / 3600 % 24),
	    (int)(t / 60 % 60), (int)(t % 60),
	    s->user[0] != '\0' ? " for user " : "", s->user);
}

static void
secret_in_clear(const struct obs_auth *a, struct detect_ctx *c)
{
	struct finding *n = detect_find_again(c, FIND_PLAINTEXT_CREDENTIALS);
	char user[USER_TEXT_MAX];

	if (n == NULL)
		return;
	finding_add(n, W_CREDENTIALS, "%s%s in clear: %s", a->mech_name,
	    of_user(user, a->user), outcome_name(a->outcome));
	if (c->same_secret != NULL)
		say_same_secret(n, c->same_secret);
	fill(n, a, c);
}

static void
proof_in_clear(const struct obs_auth *a, struct detect_ctx *c)
{
	struct finding *n =
	    detect_find_again(c, FIND_CHALLENGE_RESPONSE_IN_CLEAR);
	char user[USER_TEXT_MAX];

	if (n == NULL)
		return;
	finding_add(n, W_CHALLENGE,
	    "%s%s in clear: %s; the password can be guessed from it at "
	    "leisure",
	    a->mech_name, of_user(user, a->user), outcome_name(a->outcome));
	if (detect_known_tls(c) != KNOWN_NOTHING)
		finding_add(
		    n, PLUS_CHALLENGE_WAS_TLS, "this server offers TLS");
	fill(n, a, c);
}

void
detect_creds(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	const struct obs_auth *a = &o->u.auth;

	if (!f->auth->fresh || f->tls->done.time != 0)
		return;
	if (a->secret_sent)
		secret_in_clear(a, c);
	else if (a->response_sent && a->mech < MECH_COUNT &&
		 (MECHS_CHALLENGE >> a->mech & 1) != 0)
		proof_in_clear(a, c);
}

/* E6: only where these two hosts are known to use TLS, and nothing but. */
void
detect_plain_mail(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	const struct pair_facts *p;
	struct finding *n;

	if (f->tls->done.time != 0)
		return;
	p = past_pair(c);
	if (p == NULL || p->tls == 0 || p->clear != 0)
		return;
	n = detect_find(c, FIND_PLAINTEXT_MAIL);
	if (n == NULL)
		return;
	n->tags |= EVT_WAS_TLS;
	finding_add(n, W_PLAIN_MAIL,
	    "these two hosts used TLS in %u earlier session%s and never sent "
	    "mail in clear",
	    p->tls, p->tls == 1 ? "" : "s");
	add_recent_attack(n, c);
	if (o->u.content.protected_ != 0)
		finding_add(n, 0,
		    "the message itself is encrypted or signed "
		    "(%s)",
		    o->u.content.protected_ == 1 ? "PGP" : "S/MIME");
}
