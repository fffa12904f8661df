/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Learning. Counts only grow: a list without STARTTLS is counted beside the
 * lists with it and never takes anything away from them. A handshake teaches
 * even if its flow was met late, a list only if it was seen whole.
 */
#include "rules/learn.h"

#include <string.h>

#include "rules/words.h"

#define DAY (86400 * INT64_C(1000000000))

void
learn_server_key(struct server_key *k, const struct facts *f)
{
	memset(k, 0, sizeof(*k));
	k->addr = f->who.server;
	k->port = f->who.server_port;
	k->proto = f->proto;
	k->implicit_tls = f->implicit_tls;
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
	return f->tls.done.time != 0;
}

/* A list before TLS and before login, seen whole. */
static bool
has_list(const struct facts *f)
{
	return f->caps.source != 0 && f->caps.source != CAPS_HELO &&
	       f->caps.complete;
}

/* The greeting was seen, nothing of the server's is missing. */
static bool
dialogue_seen(const struct facts *f)
{
	return f->greeting.kind != 0 &&
	       (f->vis & (VIS_MIDSTREAM | VIS_ONE_WAY | VIS_GAP_S2C |
			     VIS_GAP_C2S | VIS_TRUNCATED | VIS_AMBIGUOUS)) == 0;
}

static void
learn_offer(struct server_facts *s, const struct facts *f)
{
	int64_t t = f->caps.at.time;

	if (!has_list(f))
		return;
	if (!f->caps.ever_starttls) {
		s->not_offered++;
		if (t > s->last_absence)
			s->last_absence = t;
	} else {
		if (s->offered == 0 || day_of(t) != day_of(s->last_offer))
			s->offered_days++;
		s->offered++;
		if (s->first_offer == 0 || t < s->first_offer)
			s->first_offer = t;
		if (t > s->last_offer)
			s->last_offer = t;
	}
	s->logindisabled += f->caps.ever_logindisabled;
	s->mechs |= f->caps.mechs;
	words_copy(s->words, sizeof(s->words), f->caps.words);
}

static void
learn_dialogue(struct server_facts *s, const struct facts *f)
{
	if (f->greeting.kind == GREETING_OK)
		s->greeting_ok++;
	else if (f->greeting.kind == GREETING_PREAUTH)
		s->greeting_preauth++;
	words_copy(s->host, sizeof(s->host), f->greeting.host);
	s->demanded += f->caps.demanded;
	if (f->proto == PROTO_SMTP) {
		if (f->caps.lists != 0)
			s->ehlo_ok++;
		else if (f->caps.helo && f->caps.refused)
			s->helo_only++;
	} else if (f->caps.source == CAPS_CAPA ||
		   f->caps.source == CAPS_UNTAGGED) {
		s->capa_ok++;
	} else if (f->caps.refused) {
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
	const struct facts_tls *t = &f->tls;
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
}

static void
learn_tls(struct server_facts *s, const struct facts *f)
{
	if (!tls_came_about(f)) {
		if (facts_tls_failed(f, NULL) != TLS_NO_FAIL)
			s->tls_failed++;
		return;
	}
	s->tls_done++;
	if (s->first_tls == 0 || f->tls.done.time < s->first_tls)
		s->first_tls = f->tls.done.time;
	s->tls_versions |= version_bit(f->tls.version);
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
learn_pair(struct history *h, const struct facts *f, int64_t now)
{
	struct pair_facts *p;
	struct pair_key k;

	if (!tls_came_about(f) && f->clear.accepted.time == 0 &&
	    f->auth.ok.time == 0)
		return;
	learn_pair_key(&k, f);
	p = history_touch_pair(h, &k);
	if (p == NULL)
		return;
	if (tls_came_about(f)) {
		if (p->tls == 0 || day_of(now) != day_of(p->last))
			p->tls_days++;
		p->tls++;
	} else {
		p->clear++;
	}
	touch_times(&p->first, &p->last, now);
}

enum lesson
learn_flow(struct history *h, const struct facts *f, int64_t now)
{
	bool dialogue = !f->implicit_tls && dialogue_seen(f);
	struct server_facts *s;
	struct server_key k;

	if (!proto_is_mail((enum proto)f->proto) ||
	    (!tls_came_about(f) && !(dialogue && f->caps.source != 0) &&
		!(dialogue && f->caps.refused)))
		return LESSON_PARTIAL;
	learn_server_key(&k, f);
	s = history_touch_server(h, &k);
	if (s == NULL)
		return LESSON_PARTIAL;
	if (s->sessions == 0 || day_of(now) != day_of(s->last))
		s->days++;
	s->sessions++;
	touch_times(&s->first, &s->last, now);
	if (f->server_ttl != 0)
		s->ttl = f->server_ttl;
	if (dialogue)
		learn_dialogue(s, f);
	learn_tls(s, f);
	learn_pair(h, f, now);
	return LESSON_TAUGHT;
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
