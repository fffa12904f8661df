/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The list without STARTTLS, and the list with STARTTLS spoilt (A1, A3-A6,
 * A12, A13, A16, A20, A22, A23).
 *
 * Benign look-alikes: a server that never offered it; another port of the same
 * server (history is per port); a server that treats inside and outside
 * differently, or a farm of unlike machines behind one address (lists without
 * it were seen beside lists with it); lists after login or inside TLS, which
 * lack it lawfully; a short list in an IMAP greeting where the whole one is
 * given when asked for; a list not seen whole; another capability masked while
 * STARTTLS still stands; X-capabilities; hosts named xxxx; a person typing.
 * Firewalls that inspect mail mask words for safety's sake: the finding says
 * what was done to the list, not with what intent.
 */
#include "rules/detect.h"

#include <stdio.h>
#include <string.h>

#include "rules/learn.h"
#include "rules/weights.h"
#include "rules/words.h"

#define MINUTE (60 * INT64_C(1000000000))
#define ALL_CLIENTS 3 /* without an offer: it is not about one of them */
#define CERTAIN 85 /* confidence */
#define LATELY (600 * INT64_C(1000000000)) /* A6: "within minutes" */

/* Absence may be argued: a list in clear, before login, seen whole. */
static bool
list_lacks_starttls(const struct facts *f)
{
	const struct facts_caps *l = f->caps;

	return l->source != 0 && l->source != CAPS_HELO && l->complete &&
	       !l->starttls && !f->implicit_tls && !f->preauth &&
	       f->tls->done.time == 0 && f->tls->client_hello.time == 0;
}

static const char *
list_name(const struct facts *f)
{
	switch (f->caps->source) {
	case CAPS_EHLO:
		return "EHLO reply";
	case CAPS_CAPA:
		return "CAPA reply";
	default:
		return "capability list";
	}
}

/* How often lists lacked it before. What this client's network was given
 * tells more than what everybody was. */
static void
add_absent_before(struct finding *n, const struct detect_ctx *c)
{
	const struct server_facts *s = past_server(c);
	const struct pair_facts *net = past_network(c);
	uint32_t with = s->offered, without = s->not_offered;
	char count[32];

	if (net != NULL && net->offered > 0) {
		with = net->offered;
		without = net->not_offered;
	}
	if (without * 9 >= with && without >= 1 && with > 0)
		finding_add(n, LESS_OFTEN_ABSENT,
		    "but %s earlier lists of this server lacked it as well",
		    detect_count(count, sizeof(count), without));
}

static bool
network_is_known(const struct detect_ctx *c)
{
	return past_network(c) != NULL &&
	       past_network(c)->offered + past_network(c)->not_offered > 0;
}

/* Was it offered to clients of the other side (inside, outside) only? */
static bool
is_other_side(const struct detect_ctx *c)
{
	uint8_t own = addr_is_private(&c->f->who.client) ? 1 : 2;

	return !network_is_known(c) && past_server(c)->offered_sides != 0 &&
	       (past_server(c)->offered_sides & own) == 0;
}

static void
add_doubts(struct finding *n, const struct detect_ctx *c)
{
	const struct pair_facts *p = past_pair(c);
	char count[32];

	if (past_pin(c) != NULL && past_pin(c)->starttls != PIN_NOTHING)
		return;
	if (past_server(c) != NULL) {
		add_absent_before(n, c);
		if (network_is_known(c) && past_network(c)->offered == 0)
			finding_add(n, LESS_NETWORK_NEVER,
			    "but clients of this network are never offered "
			    "it: %s lists",
			    detect_count(count, sizeof(count),
				past_network(c)->not_offered));
		else if (is_other_side(c))
			finding_add(n, LESS_OTHER_SIDE,
			    "but only clients %s were offered it before",
			    past_server(c)->offered_sides == 1 ? "inside"
							       : "outside");
	}
	if (p != NULL && p->tls == 0 && p->clear >= 3)
		finding_add(n, LESS_PAIR_ALWAYS_CLEAR,
		    "but these two hosts never used TLS in %s sessions",
		    detect_count(count, sizeof(count), p->clear));
}

static void
add_use(struct finding *n, const struct facts *f)
{
	if (f->clear->count != 0)
		finding_add(n, PLUS_USED_IN_CLEAR,
		    "the client went on in clear (%s)", f->clear->verb);
	else if (f->auth->exchanges != 0)
		finding_add(
		    n, PLUS_USED_IN_CLEAR, "the client logged in in clear");
	else
		finding_add(
		    n, LESS_NOT_USED, "the client did not go on in clear");
}

/* A6: minutes ago it was offered, perhaps to somebody else. */
static void
add_lately(struct finding *n, const struct facts *f, struct detect_ctx *c)
{
	const struct server_facts *s = past_server(c);
	bool selective;
	char span[24];

	if (s == NULL || s->last_offer == 0 || f->last < s->last_offer ||
	    f->last - s->last_offer >= LATELY)
		return;
	selective = s->offered_to != 0 && !is_other_side(c) &&
		    s->offered_to != hash32_addr(&f->who.client);
	if (selective)
		n->tags |= EVT_SELECTIVE;
	finding_add(n, PLUS_OFFERED_LATELY + (selective ? PLUS_SELECTIVE : 0),
	    "it was offered %s%s before", selective ? "to another client " : "",
	    detect_span(span, sizeof(span), f->last - s->last_offer));
}

/* What else is not as it was: where the list may come from. */
static void
add_differences(
    struct finding *n, const struct facts *f, const struct server_facts *s)
{
	if (s == NULL)
		return;
	if (s->greeting_same >= 3 && f->greeting->shape != 0 &&
	    f->greeting->shape != s->greeting_shape)
		finding_add(
		    n, 0, "the greeting is not that of earlier sessions");
	if (s->ttl != 0 && f->who.server_ttl != 0 &&
	    s->ttl != f->who.server_ttl)
		finding_add(n, 0, "TTL %u where this server had %u",
		    f->who.server_ttl, s->ttl);
}

/* A20: nobody gets it any more. The clients before this one were told of one
 * by one, this alert is about all; what follows only counts. */
static bool
all_clients(struct finding *n, const struct facts *f, struct detect_ctx *c)
{
	const struct absence *a;
	unsigned clients;
	char date[16], count[32];

	if (past_server(c) == NULL ||
	    (past_pin(c) != NULL && past_pin(c)->starttls != 0))
		return false;
	a = &past_server(c)->absence;
	clients = a->nclients + !absence_has(a, &f->who.client);
	if (a->since == 0 || (!a->told && clients < ALL_CLIENTS))
		return false;
	n->tags |= EVT_ALL_CLIENTS | EVT_WAS_TLS;
	n->quiet = a->told;
	finding_add(n, W_ALL_CLIENTS,
	    "changed for all clients since %s %02d:%02d: %s sessions of %u or "
	    "more clients, and none with an offer",
	    detect_date(date, sizeof(date), a->since),
	    (int)(a->since / MINUTE / 60 % 24), (int)(a->since / MINUTE % 60),
	    detect_count(count, sizeof(count), a->sessions + 1), clients);
	finding_add(n, 0, "before that it was offered in %s sessions",
	    detect_count(count, sizeof(count), past_server(c)->offered));
	(void)snprintf(n->where, sizeof(n->where), "%s",
	    "near the server (a firewall, a proxy), or its configuration was "
	    "changed: all clients are affected");
	(void)snprintf(n->advice, sizeof(n->advice), "%s",
	    "ask whoever runs the server. If the change is meant, "
	    "`stripwire history ack` says so; until then no further alert "
	    "is raised for it");
	return true;
}

static bool
another_machine(const struct facts *f, const struct detect_ctx *c)
{
	return past_server(c) != NULL && past_pin(c) == NULL &&
	       !f->caps->ever_starttls &&
	       members_explain(past_server(c), f, past_pair(c));
}

/* Nothing but the name speaks for it: a host may have another address, for
 * other clients. As long as it is under suspicion it is not learned. */
static void
advise_pin(struct finding *n, const struct facts *f)
{
	char addr[48];
	bool v6 = strchr(obs_addr(addr, sizeof(addr), &f->who.server), ':');

	(void)snprintf(n->advice, sizeof(n->advice),
	    "is this another address of the same server, meant to be without? "
	    "`stripwire history pin %s%s%s:%u starttls=none` says so. If not, "
	    "look at what stands between the two, and at the DNS",
	    v6 ? "[" : "", addr, v6 ? "]" : "", f->who.server_port);
}

static void
strip_starttls(const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = W_STRIPPED_KNOWN;
	struct finding *n = detect_find(c, FIND_STARTTLS_STRIPPED);
	const struct server_facts *s = past_server(c);
	bool another = another_machine(f, c);

	if (n == NULL)
		return;
	detect_at(n, &f->caps->at);
	finding_add(n, 0, "the %s was seen whole and lacks %s", list_name(f),
	    facts_tls_verb(f));
	if (!another && all_clients(n, f, c))
		return;
	if (detect_add_history(n, c, known) == KNOWN_NOTHING)
		finding_add(n, W_STRIPPED_SAME_FLOW,
		    "an earlier list of this connection offered it");
	if (!another)
		add_lately(n, f, c);
	add_use(n, f);
	if (another)
		finding_add(n, LESS_ANOTHER_MACHINE,
		    "but a machine that greets like this, in turn with others "
		    "at this address, never offered it");
	if (f->caps->source == CAPS_GREETING && s != NULL &&
	    words_missing(s->words, f->caps->words) != 0)
		finding_add(n, LESS_SHORT_GREETING,
		    "but the greeting's list is not the one known: it lacks "
		    "other words as well");
	add_doubts(n, c);
	add_differences(n, f, s);
	if (s == NULL && past_named(c) != NULL)
		advise_pin(n, f);
}

/* A13: STARTTLS may still stand there, but passwords are suddenly allowed. */
static void
strip_logindisabled(const struct facts *f, struct detect_ctx *c)
{
	const struct server_facts *s;
	struct finding *n;
	char date[16];

	if (f->proto != PROTO_IMAP || f->caps->logindisabled ||
	    f->caps->ever_logindisabled)
		return;
	s = past_server(c);
	if (s == NULL || s->logindisabled == 0 ||
	    s->logindisabled * 2 < s->offered)
		return;
	n = detect_find(c, FIND_STARTTLS_STRIPPED);
	if (n == NULL)
		return;
	detect_at(n, &f->caps->at);
	finding_add(n, W_LOGINDISABLED_GONE,
	    "LOGINDISABLED stood in earlier lists since %s and is gone",
	    detect_date(date, sizeof(date), s->first));
	add_use(n, f);
	add_doubts(n, c);
}

void
detect_strip(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	if (detect_has(c, FIND_STARTTLS_MANGLED) || f->tls->asked.time != 0)
		return;
	if (o->kind == OBS_FLOW_END &&
	    f->clear->count + f->auth->exchanges != 0)
		return; /* said when it was used */
	if (f->vis & VIS_ONE_WAY)
		return; /* the list may be one that follows a login */
	if (list_lacks_starttls(f)) {
		if (detect_known_tls(c) != KNOWN_NOTHING ||
		    f->caps->ever_starttls)
			strip_starttls(f, c);
	} else if (f->caps->complete && f->caps->starttls &&
		   o->kind != OBS_FLOW_END) {
		strip_logindisabled(f, c);
	}
}

void
detect_demanded(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = {0, 0, 0, 0};
	struct finding *n;

	if (!list_lacks_starttls(f) || detect_has(c, FIND_STARTTLS_MANGLED))
		return;
	/* LOGINDISABLED without STARTTLS exists: TLS is on another port */
	if (f->proto != PROTO_SMTP && detect_known_tls(c) == KNOWN_NOTHING)
		return;
	/* a suspicion that was told before becomes certainty */
	if (f->rare->confidence[FIND_STARTTLS_STRIPPED] >= CERTAIN)
		return;
	n = detect_find_again(c, FIND_STARTTLS_STRIPPED);
	if (n == NULL)
		return;
	finding_add(n, W_DEMANDED,
	    "the server demands STARTTLS (%.80s), and its own list, seen "
	    "whole, does not offer it",
	    o->text);
	(void)detect_add_history(n, c, known);
}

/* ---- spoilt words ---- */

/* What a mask hides, the words of earlier lists can tell: XXXXXXXB may be
 * CHUNKING, which is as long as STARTTLS. */
static void
add_lost_words(struct finding *n, const struct detect_ctx *c, size_t len)
{
	const struct server_facts *s = past_server(c);
	const char *verb = facts_tls_verb(c->f);
	struct words_lost lost;

	if (s == NULL)
		return;
	words_lost(&lost, s->words, c->f->caps->words, len);
	if (detect_known_tls(c) != KNOWN_NOTHING) {
		if (lost.n > 0)
			finding_add(n, 0,
			    "of its last list these are missing: %s",
			    lost.names);
	} else if (lost.as_long) {
		finding_add(n, LESS_ANOTHER_WORD,
		    "but %s never stood in its lists, and these words of them "
		    "are missing: %s",
		    verb, lost.names);
	} else if (s->not_offered >= 3 && len != strlen(verb)) {
		finding_add(n, LESS_NEVER_OFFERED,
		    "but this server never offered it before");
	}
}

static void
mangled_word(const struct facts *f, struct detect_ctx *c, struct slice word,
    enum word_damage damage)
{
	static const int known[KNOWN_LEVELS] = PLUS_MANGLED_KNOWN;
	struct finding *n = detect_find(c, FIND_STARTTLS_MANGLED);
	size_t len = strlen(facts_tls_verb(f));

	if (n == NULL)
		return;
	if (damage == WORD_GARBLED)
		finding_add(n, W_GARBLED,
		    "the list says \"%.*s\" where %s would stand",
		    (int)word.len, (const char *)word.p, facts_tls_verb(f));
	else if (word.len == len)
		finding_add(n, W_MASKED_SAME,
		    "a capability as long as %s is masked: \"%.*s\"",
		    facts_tls_verb(f), (int)word.len, (const char *)word.p);
	else
		finding_add(n, W_MASKED_OTHER,
		    "a capability is masked: \"%.*s\", and %s is missing",
		    (int)(word.len < 40 ? word.len : 40), (const char *)word.p,
		    facts_tls_verb(f));
	(void)detect_add_history(n, c, known);
	if (damage == WORD_MASKED)
		add_lost_words(n, c, word.len);
}

/* Another word, of the same length, where STARTTLS stood in the last list. */
static void
mangled_replaced(const struct facts *f, struct detect_ctx *c)
{
	struct finding *n;
	struct slice word;

	if (f->caps->words[0] == '\0' || past_server(c) == NULL ||
	    !words_replaced(past_server(c)->words, f->caps->words,
		facts_tls_verb(f), &word))
		return;
	n = detect_find(c, FIND_STARTTLS_MANGLED);
	if (n == NULL)
		return;
	finding_add(n, W_REPLACED,
	    "the list is that of earlier sessions, with \"%.*s\" where %s "
	    "stood",
	    (int)word.len, (const char *)word.p, facts_tls_verb(f));
}

static void
mangled_greeting(const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = PLUS_MANGLED_KNOWN;
	struct finding *n = detect_find(c, FIND_STARTTLS_MANGLED);

	if (n == NULL)
		return;
	detect_at(n, &f->greeting->at);
	finding_add(n, W_GREETING_MASKED,
	    "the greeting is masked with asterisks and %s",
	    f->caps->source == CAPS_HELO ? "the client made do with HELO"
					 : "the list lacks STARTTLS");
	(void)detect_add_history(n, c, known);
}

/* Some clients look for the word ESMTP, and say HELO if they do not find it.
 * Behind a firewall that masks all greetings some say HELO anyway. */
static bool
helo_at_masked_greeting(const struct facts *f, const struct detect_ctx *c)
{
	const struct server_facts *s;

	if (f->caps->source != CAPS_HELO || !f->caps->helo ||
	    f->caps->lists != 0 || f->caps->refused || !f->greeting->masked)
		return false;
	s = past_server(c);
	return s == NULL || s->greeting_shape != f->greeting->shape;
}

void
detect_mangled(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	struct slice word;
	enum word_damage damage;

	if (helo_at_masked_greeting(f, c) &&
	    detect_known_tls(c) != KNOWN_NOTHING) {
		mangled_greeting(f, c);
		return;
	}
	if (o->u.caps.refused || o->u.caps.after_auth ||
	    !list_lacks_starttls(f))
		return;
	damage = words_find_damaged(f->caps->words, facts_tls_verb(f), &word);
	if (damage != WORD_FINE)
		mangled_word(f, c, word, damage);
	else if (f->greeting->masked)
		mangled_greeting(f, c);
	else
		mangled_replaced(f, c);
}

/* A12. A mask is said at once. A slip of the fingers is corrected by the next
 * line; only if plaintext follows instead it was no slip. */
void
detect_verb(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	size_t len = strlen(facts_tls_verb(f));
	bool due = f->caps->ever_starttls != 0;
	bool masked = f->rare->odd->damage == WORD_MASKED;
	struct finding *n;

	if (f->rare->odd->at.time == 0 || f->tls->asked.time != 0 ||
	    (!masked && o->kind == OBS_VERB_UNKNOWN))
		return;
	if (!due && (!masked || strlen(f->rare->odd->verb) != len))
		return;
	n = detect_find(c, FIND_STARTTLS_MANGLED);
	if (n == NULL)
		return;
	detect_at(n, &f->rare->odd->at);
	finding_add(n, masked ? W_VERB_MASKED : W_VERB_GARBLED,
	    "the server was sent \"%s\" and refused it", f->rare->odd->verb);
	if (due)
		finding_add(n, PLUS_STARTTLS_DUE,
		    "its list had offered %s, which was due",
		    facts_tls_verb(f));
	if (masked && strlen(f->rare->odd->verb) != len)
		finding_add(n, LESS_OTHER_LENGTH,
		    "but it is not as long as that: somebody typing, perhaps");
	if (o->kind != OBS_VERB_UNKNOWN)
		add_use(n, f);
	(void)snprintf(n->where, sizeof(n->where), "%s",
	    "on the path before the server, or at the client: the server saw "
	    "a spoilt command");
}

/* A14 */
void
detect_ignored(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	struct finding *n;
	bool login = o->kind == OBS_AUTH ? o->u.auth.secret_sent != 0
					 : strcmp(o->u.verb.verb, "LOGIN") == 0;

	if (f->proto != PROTO_IMAP || !f->caps->ever_logindisabled || !login ||
	    f->tls->done.time != 0)
		return;
	n = detect_find(c, FIND_STARTTLS_IGNORED);
	if (n != NULL)
		finding_add(n, W_LOGIN_DISABLED,
		    "the server said LOGINDISABLED and the client logged in "
		    "in clear all the same");
}
