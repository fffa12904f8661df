/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Comparing how servers answer, and learning it.
 */
#include "rules/stacks.h"

#include <string.h>

#include "decoders/tls_hello.h"
#include "rules/learn.h"

/* An ECDSA signature has one to three bytes more or less, a fresh OCSP
 * response within the flight some more. */
#define FLIGHT_SLACK 32
/* Routes come and go by a few hops. */
#define HOPS_SLACK 4

#define UNSEEN                                                     \
	(VIS_MIDSTREAM | VIS_ONE_WAY | VIS_GAP_C2S | VIS_GAP_S2C | \
	    VIS_TRUNCATED | VIS_AMBIGUOUS)

bool
stack_of(const struct facts *f, struct known_stack *out)
{
	const struct facts_tls *t = f->tls;

	if (t->done.time == 0 || t->version != TLS_13 || t->resumed ||
	    t->flight == 0 || t->ja4[0] == '\0' || t->ja3s[0] == '\0' ||
	    f->syn_signature[DIR_S2C] == 0 || (f->vis & UNSEEN) != 0)
		return false;
	memset(out, 0, sizeof(*out));
	out->client = hash32_text(t->ja4);
	out->ja3s = hash32_text(t->ja3s);
	out->flight = t->flight;
	out->syn = f->syn_signature[DIR_S2C];
	out->ttl = f->server_ttl;
	out->first = out->last = t->done.time;
	out->sessions = 1;
	return true;
}

/* ---- comparing ---- */

static bool
same_flight(const struct known_stack *a, const struct known_stack *b)
{
	uint32_t more = a->flight > b->flight ? a->flight - b->flight
					      : b->flight - a->flight;

	return more <= FLIGHT_SLACK;
}

/* Hosts begin with 64, 128 or 255. */
static unsigned
first_ttl(uint8_t ttl)
{
	return ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
}

static bool
same_tcp(const struct known_stack *a, const struct known_stack *b)
{
	int hops = (int)a->ttl - (int)b->ttl;

	if (a->syn != b->syn)
		return false;
	if (a->ttl == 0 || b->ttl == 0)
		return true;
	return first_ttl(a->ttl) == first_ttl(b->ttl) && hops <= HOPS_SLACK &&
	       hops >= -HOPS_SLACK;
}

static bool
same_stack(const struct known_stack *a, const struct known_stack *b)
{
	return a->client == b->client && a->ja3s == b->ja3s &&
	       same_flight(a, b) && same_tcp(a, b);
}

static unsigned
count(const struct server_facts *s)
{
	return s->nstacks < HISTORY_STACKS ? s->nstacks : HISTORY_STACKS;
}

void
stack_compare(const struct server_facts *s, const struct known_stack *now,
    struct stack_compared *out)
{
	bool ja3s = false, flight = false, tcp = false, pending = false;

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < count(s); i++) {
		const struct known_stack *k = &s->stacks[i];

		if (k->client != now->client)
			continue;
		if (same_stack(k, now)) {
			out->is = k->pending ? STACK_PENDING : STACK_KNOWN;
			out->at = i;
			pending |= k->pending != 0;
		}
		if (k->pending)
			continue;
		ja3s |= k->ja3s == now->ja3s;
		flight |= same_flight(k, now);
		tcp |= same_tcp(k, now);
		out->sessions += k->sessions;
		if (out->first == 0 || k->first < out->first)
			out->first = k->first;
		if (out->usual == NULL || k->sessions > out->usual->sessions)
			out->usual = k;
	}
	if (out->is == STACK_KNOWN || pending || out->usual == NULL)
		return;
	out->is = ja3s || flight || tcp ? STACK_VARIED : STACK_OTHER;
}

/* The same change, seen by clients of whatever kind. */
static bool
same_change(const struct known_stack *a, const struct known_stack *b)
{
	return a->pending && a->ja3s == b->ja3s && same_tcp(a, b);
}

bool
stack_was_told(const struct server_facts *s, const struct known_stack *now,
    uint8_t confidence)
{
	for (unsigned i = 0; i < count(s); i++)
		if (same_change(&s->stacks[i], now) &&
		    s->stacks[i].told >= confidence)
			return true;
	return false;
}

/* ---- learning ---- */

/* The one not seen for longest goes, of those seen often only if there is
 * none else: made-up clients do not wash out what is known. */
static struct known_stack *
place(struct server_facts *s)
{
	struct known_stack *worst = &s->stacks[0];

	if (s->nstacks < HISTORY_STACKS)
		return &s->stacks[s->nstacks++];
	for (unsigned i = 1; i < HISTORY_STACKS; i++) {
		struct known_stack *k = &s->stacks[i];
		bool often = k->sessions >= STACK_SESSIONS_MANY;
		bool worst_often = worst->sessions >= STACK_SESSIONS_MANY;

		if (often != worst_often ? !often : k->last < worst->last)
			worst = k;
	}
	return worst;
}

static void
note_client(struct known_stack *k, const struct addr *client)
{
	uint32_t hash = hash32_addr(client);

	for (unsigned i = 0; i < k->nclients && i < HISTORY_SEVERAL; i++)
		if (k->clients[i] == hash)
			return;
	if (k->nclients < HISTORY_SEVERAL)
		k->clients[k->nclients++] = hash;
}

/* What was there before is there still: the change is not for everybody. */
static void
contradict(struct server_facts *s, const struct known_stack *now)
{
	for (unsigned i = 0; i < count(s); i++)
		if (s->stacks[i].pending && s->stacks[i].first < now->last &&
		    !same_tcp(&s->stacks[i], now))
			s->stacks[i].contradicted = 1;
}

static void
seen_again(struct known_stack *k, const struct known_stack *now)
{
	k->sessions++;
	k->flight = now->flight;
	k->ttl = now->ttl;
	if (now->last > k->last)
		k->last = now->last;
	if (now->first < k->first)
		k->first = now->first;
}

static void
accept_change(struct server_facts *s, const struct known_stack *change)
{
	struct known_stack like = *change;

	for (unsigned i = 0; i < count(s); i++)
		if (same_change(&s->stacks[i], &like))
			s->stacks[i].pending = s->stacks[i].contradicted = 0;
}

static void
learn_change(struct server_facts *s, struct known_stack *k,
    const struct facts *f, const struct known_stack *now)
{
	uint8_t told = facts_raised(f, FIND_TLS_FINGERPRINT_CHANGED)
			   ? f->rare->confidence[FIND_TLS_FINGERPRINT_CHANGED]
			   : 0;

	if (k->pending)
		seen_again(k, now);
	else
		*k = *now;
	k->pending = 1;
	if (told > k->told)
		k->told = told;
	note_client(k, &f->who.client);
	if (k->nclients >= HISTORY_SEVERAL && !k->contradicted)
		accept_change(s, k);
}

void
stack_learn(struct history *h, const struct facts *f, int64_t now)
{
	struct stack_compared c;
	struct known_stack seen;
	struct server_facts *s;
	struct server_key key;

	if (!stack_of(f, &seen))
		return;
	learn_server_key(&key, f);
	if (history_server(h, &key, now) == NULL)
		return; /* the flow taught nothing of its server */
	s = history_touch_server(h, &key);
	if (s == NULL)
		return;
	stack_compare(s, &seen, &c);
	if (c.is == STACK_PENDING ||
	    (c.is == STACK_OTHER && c.sessions >= STACK_SESSIONS_FEW)) {
		learn_change(s,
		    c.is == STACK_PENDING ? &s->stacks[c.at] : place(s), f,
		    &seen);
		return;
	}
	if (f->suspicious)
		return;
	contradict(s, &seen);
	if (c.is == STACK_KNOWN)
		seen_again(&s->stacks[c.at], &seen);
	else
		*place(s) = seen;
}
