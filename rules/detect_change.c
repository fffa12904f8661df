/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is not as it was: a client that used TLS and does not (A11), a list
 * that lost the mechanisms that hide the password (A19), STARTTLS where there
 * was none (A21).
 *
 * Benign look-alikes: a new client; several programs on one host, or many
 * hosts behind one address, of which one has no TLS; monitoring; servers that
 * offer other mechanisms inside TLS than before it (only lists in clear are
 * compared), or to some clients only; a server whose operator has just turned
 * STARTTLS on, which is good news, with a certificate that can be checked.
 */
#include <string.h>

#include "rules/detect.h"
#include "rules/learn.h"
#include "rules/weights.h"

#define HABIT_SESSIONS 20
#define HABIT_DAYS 2
#define NEVER_BEFORE 3 /* lists without it, at least */

/* ---- A11 ---- */

/* A name this client never gave itself. One that changes it often says
 * nothing by it. */
static bool
is_new_name(const struct pair_facts *p, const char *name)
{
	uint32_t hash = hash32_text(name);

	if (name[0] == '\0' || p->ehlo[HISTORY_EHLO - 1] == 0 ||
	    p->ehlo[0] != 0)
		return false;
	for (unsigned i = 0; i < HISTORY_EHLO; i++)
		if (p->ehlo[i] == hash)
			return false;
	return true;
}

static bool
is_other_stack(const struct pair_facts *p, const struct facts *f)
{
	uint32_t now = f->syn_signature[DIR_C2S];

	if (p->syn_signature != 0 && now != 0)
		return p->syn_signature != now;
	return p->client_ttl != 0 && f->who.client_ttl != 0 &&
	       p->client_ttl != f->who.client_ttl;
}

static void
add_second_signs(
    struct finding *n, const struct facts *f, const struct pair_facts *p)
{
	bool name = is_new_name(p, f->caps->name);
	bool stack = is_other_stack(p, f);

	if (name)
		finding_add(n, PLUS_OTHER_EHLO,
		    "it calls itself %.60s now, and was %.60s before",
		    f->caps->name, p->ehlo_name);
	if (stack)
		finding_add(n, PLUS_OTHER_STACK,
		    "its TCP is not that of earlier sessions (TTL %u, was %u)",
		    f->who.client_ttl, p->client_ttl);
	if (!name && !stack)
		finding_add(n, LESS_NO_SECOND_SIGN,
		    "but nothing else about it has changed");
}

void
detect_unlike_before(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	const struct pair_facts *p;
	struct finding *n;
	char count[32];
	bool habit;

	(void)o;
	if (!f->caps->ever_starttls || f->tls->asked.time != 0 ||
	    f->rare->odd->at.time != 0 || f->implicit_tls)
		return;
	p = past_pair(c);
	if (p == NULL || p->tls == 0 || p->clear != 0)
		return;
	/* what happened to an attempt before this one explains it */
	if (past_recent(c) != NULL && past_recent(c)->nevents != 0)
		return;
	habit = p->tls >= HABIT_SESSIONS && p->tls_days >= HABIT_DAYS;
	n = detect_find(c, FIND_STARTTLS_IGNORED);
	if (n == NULL)
		return;
	finding_add(n, habit ? W_UNLIKE_HABIT : W_UNLIKE_BEFORE,
	    "%s was offered and not asked for, and these two used nothing but "
	    "TLS in %s session%s before",
	    facts_tls_verb(f), detect_count(count, sizeof(count), p->tls),
	    p->tls == 1 ? "" : "s");
	if (habit)
		add_second_signs(n, f, p);
}

/* ---- A19 ---- */

void
detect_auth_list(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = W_AUTH_LIST;
	const struct server_facts *s;
	enum known_tls k = KNOWN_ONCE;
	struct finding *n;
	char count[32];

	(void)o;
	if (f->tls->done.time != 0 || f->implicit_tls ||
	    learn_auth_list(f) != AUTH_LIST_CLEAR)
		return;
	s = detect_server(c);
	if (s == NULL || s->mechs_safe == 0 ||
	    s->mechs_clear_only * 9 >= s->mechs_safe)
		return;
	if (s->mechs_safe > 1)
		k = s->mechs_safe >= 10 ? KNOWN_WELL : KNOWN_SOME;
	n = detect_find(c, FIND_AUTH_DOWNGRADE);
	if (n == NULL)
		return;
	detect_at(n, &f->caps->at);
	finding_add(n, known[k],
	    "the list before TLS leaves only ways to log in that show the "
	    "password; %s earlier list%s had others",
	    detect_count(count, sizeof(count), s->mechs_safe),
	    s->mechs_safe == 1 ? "" : "s");
}

/* ---- A21 ---- */

static bool
never_offered(const struct server_facts *s)
{
	return s != NULL && s->offered == 0 && s->tls_done == 0 &&
	       s->not_offered >= NEVER_BEFORE && s->changed == 0;
}

/* In retrospect: were those lists the server's own? */
static void
say_in_retrospect(const struct facts *f, struct detect_ctx *c)
{
	const struct server_facts *s = past_server(c);
	char date[16], count[32];
	struct finding *n;

	n = detect_find(c, FIND_STARTTLS_STRIPPED);
	if (n == NULL)
		return;
	n->tags |= EVT_STARTTLS_IS_NEW;
	finding_add(n, W_NEW_OFFER,
	    "%s is offered for the first time: %s lists since %s lacked it",
	    facts_tls_verb(f),
	    detect_count(count, sizeof(count), s->not_offered),
	    detect_date(date, sizeof(date), s->first));
	finding_add(n, 0,
	    "either it was turned on now, or it was stripped from all of them "
	    "and the sensor has known nothing else");
}

static void
new_and_untrusted(struct detect_ctx *c)
{
	const struct chain_verdict *v = c->verdict;
	struct finding *n;
	char count[32];

	if (v == NULL || v->trust == TRUST_OK || v->trust == TRUST_UNKNOWN ||
	    v->trust == TRUST_INCOMPLETE)
		return;
	n = detect_find_again(c, FIND_CERT_UNTRUSTED);
	if (n == NULL)
		return;
	n->tags |= EVT_STARTTLS_IS_NEW;
	finding_add(n, W_NEW_UNTRUSTED,
	    "STARTTLS has just appeared on this server, after %s lists "
	    "without, and its certificate proves nothing",
	    detect_count(count, sizeof(count), past_server(c)->not_offered));
}

void
detect_new_offer(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	if (!f->caps->ever_starttls || !f->caps->complete ||
	    !never_offered(past_server(c)))
		return;
	if (o->kind == OBS_CAPS)
		say_in_retrospect(f, c);
	else if (o->u.cert.from_server)
		new_and_untrusted(c);
}
