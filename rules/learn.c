/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Learning. Counts only grow: a list without STARTTLS is counted beside the
 * lists with it and never takes anything away from them. A handshake teaches
 * even if its flow was met late, a list only if it was seen whole.
 */
#include "rules/learn.h"

#include <string.h>
#include <strings.h>

#include "decoders/sasl.h"
#include "rules/words.h"

#define DAY (86400 * INT64_C(1000000000))
#define ACCEPT_AFTER (14 * DAY)
#define SEVERAL 3 /* clients */

/* The password is not shown: a challenge is answered, or a ticket given. */
#define MECHS_SAFE (MECHS_CHALLENGE | (1u << MECH_SCRAM) | (1u << MECH_GSSAPI))

void
learn_server_key(struct server_key *k, const struct facts *f)
{
	memset(k, 0, sizeof(*k));
	k->addr = f->who.server;
	k->port = f->who.server_port;
	k->proto = f->proto;
	k->implicit_tls = f->implicit_tls != 0;
}

void
learn_pair_key(struct pair_key *k, const struct facts *f)
{
	memset(k, 0, sizeof(*k));
	k->client = f->who.client;
	learn_server_key(&k->server, f);
}

static int64_t
day_of(int64_t t)
{
	return t / DAY;
}

static bool
tls_came_about(const struct facts *f)
{
	return f->tls->done.time != 0;
}

/* A list before TLS and before login, seen whole. */
static bool
has_list(const struct facts *f)
{
	return f->caps->source != 0 && f->caps->source != CAPS_HELO &&
	       f->caps->complete;
}

/* The greeting was seen, nothing of the server's is missing. */
static bool
dialogue_seen(const struct facts *f)
{
	return f->greeting->kind != 0 &&
	       (f->vis & (VIS_MIDSTREAM | VIS_ONE_WAY | VIS_GAP_S2C |
			     VIS_GAP_C2S | VIS_TRUNCATED | VIS_AMBIGUOUS)) == 0;
}

enum auth_list
learn_auth_list(const struct facts *f)
{
	if (!has_list(f) || f->preauth)
		return AUTH_LIST_NONE;
	if ((f->caps->mechs & MECHS_SAFE) != 0)
		return AUTH_LIST_SAFE;
	if ((f->caps->mechs & MECHS_CLEAR) != 0)
		return AUTH_LIST_CLEAR;
	/* LOGIN and USER need not be listed */
	return f->proto != PROTO_SMTP && !f->caps->logindisabled
		   ? AUTH_LIST_CLEAR
		   : AUTH_LIST_NONE;
}

static void
learn_auth(struct server_facts *s, const struct facts *f)
{
	enum auth_list list = learn_auth_list(f);

	s->mechs_safe += list == AUTH_LIST_SAFE;
	s->mechs_clear_only += list == AUTH_LIST_CLEAR;
}

static void
learn_offered(struct server_facts *s, const struct facts *f)
{
	int64_t t = f->caps->at.time;

	if (s->offered == 0)
		s->before_offer = s->not_offered;
	if (s->offered == 0 || day_of(t) != day_of(s->last_offer))
		s->offered_days++;
	s->offered++;
	if (s->first_offer == 0 || t < s->first_offer)
		s->first_offer = t;
	if (t > s->last_offer)
		s->last_offer = t;
	s->offered_to = hash32_addr(&f->who.client);
	s->offered_sides |= addr_is_private(&f->who.client) ? 1 : 2;
	memset(&s->absence, 0, sizeof(s->absence));
}

static void
learn_offer(struct server_facts *s, const struct facts *f)
{
	int64_t t = f->caps->at.time;

	if (!has_list(f))
		return;
	members_note(s, f, f->caps->ever_starttls != 0);
	if (f->caps->ever_starttls) {
		learn_offered(s, f);
	} else {
		s->not_offered++;
		if (t > s->last_absence)
			s->last_absence = t;
	}
	s->logindisabled += f->caps->ever_logindisabled;
	s->mechs |= f->caps->mechs;
	learn_auth(s, f);
	words_copy(s->words, sizeof(s->words), f->caps->words);
}

/* The newest takes the place of the oldest. */
static void
learn_text(struct server_facts *s, uint32_t text)
{
	for (unsigned i = 0; i < HISTORY_TEXTS; i++)
		if (s->alert_texts[i] == text)
			return;
	memmove(s->alert_texts, s->alert_texts + 1,
	    sizeof(s->alert_texts) - sizeof(s->alert_texts[0]));
	s->alert_texts[HISTORY_TEXTS - 1] = text;
}

static void
learn_greeting(struct server_facts *s, const struct facts *f)
{
	if (f->greeting->kind == GREETING_OK)
		s->greeting_ok++;
	else if (f->greeting->kind == GREETING_PREAUTH)
		s->greeting_preauth++;
	if (f->greeting->shape != s->greeting_shape)
		s->greeting_same = 0;
	s->greeting_shape = f->greeting->shape;
	s->greeting_same++;
	if (!s->key.of_name)
		words_copy(s->host, sizeof(s->host), f->greeting->host);
	if (f->alert_text != 0)
		learn_text(s, f->alert_text);
}

static void
learn_dialogue(struct server_facts *s, const struct facts *f)
{
	learn_greeting(s, f);
	s->demanded += f->caps->demanded;
	if (f->proto == PROTO_SMTP) {
		if (f->caps->lists != 0)
			s->ehlo_ok++;
		else if (f->caps->helo && f->caps->refused)
			s->helo_only++;
	} else if (f->caps->source == CAPS_CAPA ||
		   f->caps->source == CAPS_UNTAGGED) {
		s->capa_ok++;
	} else if (f->caps->refused) {
		s->capa_refused++;
	}
	learn_offer(s, f);
}

static uint32_t
version_bit(uint16_t v)
{
	if (v == 0x0002)
		return 1;
	return v >= 0x0300 && v <= 0x0304 ? 2u << (v - 0x0300) : 0;
}

/* The known certificate with this key, or the place of the one not seen for
 * longest. */
static struct known_cert *
cert_place(struct server_facts *s, const uint8_t spki[32])
{
	struct known_cert *oldest = &s->certs[0];

	for (unsigned i = 0; i < s->ncerts; i++) {
		if (memcmp(s->certs[i].spki, spki, 32) == 0)
			return &s->certs[i];
		if (s->certs[i].last < oldest->last)
			oldest = &s->certs[i];
	}
	if (s->ncerts < HISTORY_KEYS)
		oldest = &s->certs[s->ncerts++];
	memset(oldest, 0, sizeof(*oldest));
	return oldest;
}

static void
learn_cert(struct server_facts *s, const struct facts *f)
{
	const struct facts_tls *t = f->tls;
	struct known_cert *k;

	if (!t->has_chain || !t->have_leaf)
		return;
	k = cert_place(s, t->leaf_spki);
	memcpy(k->spki, t->leaf_spki, sizeof(k->spki));
	memcpy(k->issuer, t->leaf_issuer, sizeof(k->issuer));
	if (k->first == 0 || t->done.time < k->first)
		k->first = t->done.time;
	if (t->done.time > k->last)
		k->last = t->done.time;
	k->trusted = t->leaf_trusted;
	k->self_signed = t->leaf_self_signed;
	k->key_type = t->leaf_key_type;
	k->not_before = t->leaf_not_before;
	k->not_after = t->leaf_not_after;
	memcpy(k->domains, t->leaf_domains, sizeof(k->domains));
}

static void
learn_tls(struct server_facts *s, const struct facts *f)
{
	if (!f->tls->known)
		return;
	if (!tls_came_about(f)) {
		if (facts_tls_failed(f, NULL) != TLS_NO_FAIL)
			s->tls_failed++;
		return;
	}
	s->tls_done++;
	if (s->first_tls == 0 || f->tls->done.time < s->first_tls)
		s->first_tls = f->tls->done.time;
	s->tls_versions |= version_bit(f->tls->version);
	if (f->tls->brought_ticket) {
		s->tickets_taken += f->tls->resumed;
		s->tickets_refused += !f->tls->resumed;
	}
	learn_cert(s, f);
}

static void
touch_times(int64_t *first, int64_t *last, int64_t now)
{
	if (*first == 0 || now < *first)
		*first = now;
	if (now > *last)
		*last = now;
}

static void
learn_ehlo(struct pair_facts *p, const char *name)
{
	uint32_t hash = hash32_text(name);

	if (name[0] == '\0')
		return;
	words_copy(p->ehlo_name, sizeof(p->ehlo_name), name);
	for (unsigned i = 0; i < HISTORY_EHLO; i++)
		if (p->ehlo[i] == hash)
			return;
	memmove(p->ehlo, p->ehlo + 1, sizeof(p->ehlo) - sizeof(p->ehlo[0]));
	p->ehlo[HISTORY_EHLO - 1] = hash;
}

/* The programs of a client, by their ClientHello. */
static void
learn_hello(struct pair_facts *p, const char *ja4)
{
	uint32_t hash = hash32_text(ja4),
		 *last = p->hellos + HISTORY_HELLOS - 1;
	unsigned at = 0;

	if (ja4[0] == '\0')
		return;
	while (at < HISTORY_HELLOS - 1 && p->hellos[at] != hash)
		at++;
	if (*last == hash)
		return;
	if (p->hellos[at] != hash)
		at = 0; /* a new one: the oldest goes */
	memmove(p->hellos + at, p->hellos + at + 1,
	    (HISTORY_HELLOS - 1 - at) * sizeof(p->hellos[0]));
	*last = hash;
}

/* A client, or the network of one. */
static void
learn_client(struct history *h, const struct pair_key *k, const struct facts *f,
    int64_t now)
{
	struct pair_facts *p = history_touch_pair(h, k);

	if (p == NULL)
		return;
	if (tls_came_about(f)) {
		if (p->tls == 0 || day_of(now) != day_of(p->last))
			p->tls_days++;
		p->tls++;
	} else if (f->clear->accepted.time != 0 || f->auth->ok.time != 0) {
		p->clear++;
	}
	if (dialogue_seen(f) && has_list(f)) {
		p->offered += f->caps->ever_starttls;
		p->not_offered += !f->caps->ever_starttls;
		if (f->caps->ever_starttls)
			memset(&p->absence, 0, sizeof(p->absence));
	}
	touch_times(&p->first, &p->last, now);
	if (k->of_network)
		return;
	learn_ehlo(p, f->caps->name);
	if (tls_came_about(f))
		learn_hello(p, f->tls->ja4);
	if (f->syn_signature[DIR_C2S] != 0)
		p->syn_signature = f->syn_signature[DIR_C2S];
	if (f->who.client_ttl != 0)
		p->client_ttl = f->who.client_ttl;
}

static void
learn_pair(struct history *h, const struct facts *f, int64_t now)
{
	struct pair_key k, network;

	learn_pair_key(&k, f);
	if (!f->implicit_tls) {
		pair_key_network(&network, &k);
		learn_client(h, &network, f, now);
	}
	if (tls_came_about(f) || f->clear->accepted.time != 0 ||
	    f->auth->ok.time != 0)
		learn_client(h, &k, f, now);
}

static void
learn_server(
    struct server_facts *s, const struct facts *f, bool dialogue, int64_t now)
{
	if (s->sessions == 0 || day_of(now) != day_of(s->last))
		s->days++;
	s->sessions++;
	touch_times(&s->first, &s->last, now);
	if (dialogue)
		learn_dialogue(s, f);
	learn_tls(s, f);
	if (s->key.of_name)
		return;
	if (f->server_ttl != 0)
		s->ttl = f->server_ttl;
	if (f->rtt[DIR_S2C] != 0)
		s->rtt = f->rtt[DIR_S2C];
	if (f->syn_signature[DIR_S2C] != 0)
		s->syn_signature = f->syn_signature[DIR_S2C];
}

static void
learn_name(struct history *h, const struct facts *f, const char *name,
    uint8_t source, int64_t now)
{
	struct server_key k, of_name;
	struct server_facts *s;

	learn_server_key(&k, f);
	if (!server_key_of_name(&of_name, &k, name))
		return;
	s = history_touch_server(h, &of_name);
	if (s == NULL)
		return;
	if (s->sessions == 0)
		(void)server_name_fold(s->host, name);
	s->name_from |= source;
	learn_server(s, f, !f->implicit_tls && dialogue_seen(f), now);
}

/* The name that the client asked for, and that the server gave itself. */
static void
learn_names(struct history *h, const struct facts *f, int64_t now)
{
	uint8_t sni = NAME_SNI;

	if (f->tls->leaf_trusted)
		sni |= NAME_CERT;
	if (f->tls->has_sni && tls_came_about(f))
		learn_name(h, f, f->tls->sni, sni, now);
	if (f->greeting->host[0] != '\0' &&
	    strcasecmp(f->greeting->host, f->tls->sni) != 0)
		learn_name(h, f, f->greeting->host, NAME_GREETING, now);
}

enum lesson
learn_flow(struct history *h, const struct facts *f, int64_t now)
{
	bool dialogue = !f->implicit_tls && dialogue_seen(f);
	struct server_facts *s;
	struct server_key k;

	if (!proto_is_mail((enum proto)f->proto) ||
	    (!tls_came_about(f) && !(dialogue && f->caps->source != 0) &&
		!(dialogue && f->caps->refused)))
		return LESSON_PARTIAL;
	learn_server_key(&k, f);
	s = history_touch_server(h, &k);
	if (s == NULL)
		return LESSON_PARTIAL;
	learn_server(s, f, dialogue, now);
	learn_names(h, f, now);
	learn_pair(h, f, now);
	return LESSON_TAUGHT;
}

/* ---- what is not offered any more ---- */

bool
absence_has(const struct absence *a, const struct addr *client)
{
	uint32_t hash = hash32_addr(client);

	for (unsigned i = 0; i < a->nclients && i < HISTORY_CLIENTS; i++)
		if (a->clients[i] == hash)
			return true;
	return false;
}

/* Returns whether it has lasted long enough to be the way things are. */
static bool
absence_note(struct absence *a, const struct addr *client, int64_t now)
{
	if (a->since == 0)
		a->since = now;
	if (now > a->last)
		a->last = now;
	a->sessions++;
	if (a->nclients < HISTORY_CLIENTS && !absence_has(a, client))
		a->clients[a->nclients++] = hash32_addr(client);
	return a->nclients >= SEVERAL && now - a->since >= ACCEPT_AFTER;
}

static void
absence_of_network(struct history *h, const struct facts *f, int64_t now)
{
	struct pair_key pair, network;
	struct pair_facts *p;

	learn_pair_key(&pair, f);
	pair_key_network(&network, &pair);
	p = history_touch_pair(h, &network);
	if (p == NULL)
		return;
	if (absence_note(&p->absence, &f->who.client, now))
		history_accept_network(p);
	touch_times(&p->first, &p->last, now);
}

void
learn_absence(struct history *h, const struct facts *f, int64_t now)
{
	struct server_facts *s;
	struct pair_key pair;
	struct server_key k;

	if (f->implicit_tls || tls_came_about(f) || !has_list(f) ||
	    f->caps->ever_starttls || (f->vis & VIS_ONE_WAY) != 0)
		return;
	learn_server_key(&k, f);
	if (history_server(h, &k, now) == NULL)
		return;
	s = history_touch_server(h, &k);
	if (s == NULL || s->offered == 0)
		return;
	members_note(s, f, false);
	learn_pair_key(&pair, f);
	if (members_explain(s, f, history_pair(h, &pair, now)))
		return; /* that machine never had it */
	if (absence_note(&s->absence, &f->who.client, now))
		history_accept(s, now);
	absence_of_network(h, f, now);
}

void
learn_absence_told(struct history *h, const struct facts *f)
{
	struct server_facts *s;
	struct server_key k;

	learn_server_key(&k, f);
	s = history_touch_server(h, &k);
	if (s != NULL)
		s->absence.told = 1;
}

void
learn_fallback(struct history *h, const struct facts *f, int64_t now)
{
	struct pair_facts *p;
	struct pair_key k;

	learn_pair_key(&k, f);
	p = history_touch_pair(h, &k);
	if (p == NULL)
		return;
	p->tls_failed_then_clear++;
	touch_times(&p->first, &p->last, now);
}
