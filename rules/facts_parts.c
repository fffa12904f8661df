/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Of most flows a greeting and a list are known, and the rest is nothing: only
 * what there is takes memory, texts as much as they are long. What nothing is
 * known of is the same for all, so that who reads need not ask whether there
 * is anything.
 */
#include "rules/facts_parts.h"

#include <string.h>

static const struct facts_greeting no_greeting = {.host = ""};
static const struct facts_caps no_caps = {.name = "", .words = ""};
static const struct facts_tls no_tls = {.sni = ""};
static const struct facts_clear no_clear;
static const struct facts_auth no_auth;
static const struct facts_rst no_rst[2];
static const struct facts_odd no_odd;
static const struct moment no_refused;
static const struct obs_proxy no_proxied;
static const struct facts_rare no_rare = {.rst = no_rst,
    .odd = &no_odd,
    .refused = &no_refused,
    .proxied = &no_proxied};

void
facts_init(struct facts *f)
{
	memset(f, 0, sizeof(*f));
	f->greeting = &no_greeting;
	f->caps = &no_caps;
	f->tls = &no_tls;
	f->clear = &no_clear;
	f->auth = &no_auth;
	f->rare = &no_rare;
}

/* The part as it is, or a new one like `none`. */
static void *
own(struct blocks *b, const void *part, const void *none, size_t size)
{
	void *p = (void *)(uintptr_t)part;

	if (part != none)
		return p;
	p = blocks_get(b, size);
	if (p != NULL)
		memcpy(p, none, size);
	return p;
}

struct facts_tls *
facts_own_tls(struct facts *f, struct blocks *b)
{
	struct facts_tls *t = own(b, f->tls, &no_tls, sizeof(no_tls));

	if (t == NULL)
		return NULL;
	t->known = 1;
	f->tls = t;
	return t;
}

struct facts_clear *
facts_own_clear(struct facts *f, struct blocks *b)
{
	struct facts_clear *c = own(b, f->clear, &no_clear, sizeof(no_clear));

	if (c != NULL)
		f->clear = c;
	return c;
}

struct facts_auth *
facts_own_auth(struct facts *f, struct blocks *b)
{
	struct facts_auth *a = own(b, f->auth, &no_auth, sizeof(no_auth));

	if (a != NULL)
		f->auth = a;
	return a;
}

struct facts_rare *
facts_own_rare(struct facts *f, struct blocks *b)
{
	struct facts_rare *r = own(b, f->rare, &no_rare, sizeof(no_rare));

	if (r != NULL)
		f->rare = r;
	return r;
}

struct facts_rst *
facts_own_rst(struct facts *f, struct blocks *b)
{
	struct facts_rare *rare = facts_own_rare(f, b);
	struct facts_rst *r;

	if (rare == NULL)
		return NULL;
	r = own(b, rare->rst, no_rst, sizeof(no_rst));
	if (r != NULL)
		rare->rst = r;
	return r;
}

struct facts_odd *
facts_own_odd(struct facts *f, struct blocks *b)
{
	struct facts_rare *rare = facts_own_rare(f, b);
	struct facts_odd *o;

	if (rare == NULL)
		return NULL;
	o = own(b, rare->odd, &no_odd, sizeof(no_odd));
	if (o != NULL)
		rare->odd = o;
	return o;
}

struct moment *
facts_own_refused(struct facts *f, struct blocks *b)
{
	struct facts_rare *rare = facts_own_rare(f, b);
	struct moment *m;

	if (rare == NULL)
		return NULL;
	m = own(b, rare->refused, &no_refused, sizeof(no_refused));
	if (m != NULL)
		rare->refused = m;
	return m;
}

struct obs_proxy *
facts_own_proxied(struct facts *f, struct blocks *b)
{
	struct facts_rare *rare = facts_own_rare(f, b);
	struct obs_proxy *p;

	if (rare == NULL)
		return NULL;
	p = own(b, rare->proxied, &no_proxied, sizeof(no_proxied));
	if (p != NULL)
		rare->proxied = p;
	return p;
}

/* ---- with texts ---- */

static void
give_greeting(struct blocks *b, const struct facts_greeting *g)
{
	if (g != &no_greeting)
		blocks_put(
		    b, (void *)(uintptr_t)g, sizeof(*g) + strlen(g->host) + 1);
}

static void
give_sni(struct blocks *b, const struct facts_tls *t)
{
	if (t->sni != no_tls.sni)
		blocks_put(b, (void *)(uintptr_t)t->sni, strlen(t->sni) + 1);
}

/* Returns where the next one begins. */
static char *
put_text(const char **at, char *to, const char *from, size_t n)
{
	memcpy(to, from, n);
	to[n] = '\0';
	*at = to;
	return to + n + 1;
}

struct facts_greeting *
facts_own_greeting(struct facts *f, struct blocks *b, const char *host)
{
	size_t n = strnlen(host, OBS_NAME_MAX - 1);
	struct facts_greeting *g = blocks_get(b, sizeof(*g) + n + 1);

	if (g == NULL)
		return NULL;
	*g = no_greeting;
	(void)put_text(&g->host, (char *)(g + 1), host, n);
	give_greeting(b, f->greeting); /* one that told nothing */
	f->greeting = g;
	return g;
}

static void
caps_put(struct facts *f, struct blocks *b)
{
	if (f->caps != &no_caps)
		blocks_put(b, (void *)(uintptr_t)f->caps,
		    sizeof(no_caps) + f->caps->room);
}

struct facts_caps *
facts_own_caps(struct facts *f, struct blocks *b)
{
	struct facts_caps *c = own(b, f->caps, &no_caps, sizeof(no_caps));

	if (c != NULL)
		f->caps = c;
	return c;
}

struct facts_caps *
facts_own_list(
    struct facts *f, struct blocks *b, const char *name, const char *words)
{
	size_t n = strnlen(name, OBS_NAME_MAX - 1);
	size_t w = strnlen(words, OBS_WORDS_MAX - 1), room = n + w + 2;
	struct facts_caps *c = (struct facts_caps *)(uintptr_t)f->caps;
	char *at;

	if (c->room < room) { /* or there is none */
		c = blocks_get(b, sizeof(*c) + room);
		if (c == NULL)
			return NULL;
		*c = *f->caps;
		c->room = (uint16_t)room;
		caps_put(f, b);
		f->caps = c;
	}
	at = put_text(&c->name, (char *)(c + 1), name, n);
	(void)put_text(&c->words, at, words, w);
	return c;
}

void
facts_set_sni(struct facts_tls *t, struct blocks *b, const char *sni)
{
	size_t n = strnlen(sni, OBS_NAME_MAX - 1);
	char *p = n > 0 ? blocks_get(b, n + 1) : NULL;

	if (p == NULL)
		return;
	give_sni(b, t);
	(void)put_text(&t->sni, p, sni, n);
}

void
facts_raise(struct facts *f, struct blocks *b, const struct finding *n)
{
	struct facts_rare *r = facts_own_rare(f, b);

	f->raised |= UINT64_C(1) << n->id;
	if (r != NULL)
		r->confidence[n->id] = n->confidence;
}

void
facts_forge(struct facts *f, enum dir dir, uint8_t confidence)
{
	if (f->rare->rst != no_rst)
		((struct facts_rst *)(uintptr_t)f->rare->rst)[dir == DIR_S2C]
		    .forged = confidence;
}

static void
give(struct blocks *b, const void *part, const void *none, size_t size)
{
	if (part != none)
		blocks_put(b, (void *)(uintptr_t)part, size);
}

static void
give_rare(struct blocks *b, const struct facts_rare *r)
{
	if (r == &no_rare)
		return;
	give(b, r->rst, no_rst, sizeof(no_rst));
	give(b, r->odd, &no_odd, sizeof(no_odd));
	give(b, r->refused, &no_refused, sizeof(no_refused));
	give(b, r->proxied, &no_proxied, sizeof(no_proxied));
	give(b, r, &no_rare, sizeof(no_rare));
}

void
facts_fini(struct facts *f, struct blocks *b)
{
	const struct facts_tls *t = f->tls;

	give_greeting(b, f->greeting);
	caps_put(f, b);
	give_sni(b, t);
	give(b, t, &no_tls, sizeof(no_tls));
	give(b, f->clear, &no_clear, sizeof(no_clear));
	give(b, f->auth, &no_auth, sizeof(no_auth));
	give_rare(b, f->rare);
}
