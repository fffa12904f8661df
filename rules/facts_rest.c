/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rules/facts_rest.h"

#include <stddef.h>
#include <string.h>

#include "rules/facts_parts.h"

enum { /* struct facts_image.parts */
	HAS_GREETING = 1 << 0,
	HAS_CAPS = 1 << 1,
	HAS_LIST = 1 << 2, /* caps with texts, if only empty ones */
	HAS_TLS = 1 << 3,
	HAS_CLEAR = 1 << 4,
	HAS_AUTH = 1 << 5,
	HAS_RARE = 1 << 6,
	HAS_RST = 1 << 7,
	HAS_ODD = 1 << 8,
	HAS_PROXIED = 1 << 9,
	HAS_REFUSED = 1 << 10
};

static const uint16_t moments[FACTS_MOMENTS] = {
    offsetof(struct facts_image, greeting.at),
    offsetof(struct facts_image, caps.at),
    offsetof(struct facts_image, refused),
    offsetof(struct facts_image, tls.answered),
    offsetof(struct facts_image, tls.server_hello),
    offsetof(struct facts_image, tls.alert),
    offsetof(struct facts_image, tls.text),
    offsetof(struct facts_image, odd.at),
    offsetof(struct facts_image, rst[0].at),
    offsetof(struct facts_image, rst[1].at),
};
static const uint16_t instants[FACTS_INSTANTS] = {
    offsetof(struct facts_image, tls.asked),
    offsetof(struct facts_image, tls.client_hello),
    offsetof(struct facts_image, tls.done),
    offsetof(struct facts_image, tls.appdata),
    offsetof(struct facts_image, tls.broken),
    offsetof(struct facts_image, clear.at),
    offsetof(struct facts_image, clear.accepted),
    offsetof(struct facts_image, auth.secret),
    offsetof(struct facts_image, auth.ok),
};

struct moment *
facts_image_moment(struct facts_image *i, unsigned n)
{
	return (struct moment *)(void *)((uint8_t *)i + moments[n]);
}

struct instant *
facts_image_instant(struct facts_image *i, unsigned n)
{
	return (struct instant *)(void *)((uint8_t *)i + instants[n]);
}

static struct slice
text_of(const char *s)
{
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

/* Of a part that is there; else what is there stays. */
#define TAKE(field, from, bit)             \
	do {                               \
		if ((parts & (bit)) != 0)  \
			(field) = *(from); \
	} while (0)

static void
take_rare(struct facts_image *to, const struct facts_rare *r, unsigned parts)
{
	TAKE(to->rare, r, HAS_RARE);
	to->rare.rst = NULL;
	to->rare.odd = NULL;
	to->rare.proxied = NULL;
	to->rare.refused = NULL;
	TAKE(to->odd, r->odd, HAS_ODD);
	TAKE(to->refused, r->refused, HAS_REFUSED);
	TAKE(to->proxied, r->proxied, HAS_PROXIED);
	if ((parts & HAS_RST) != 0)
		memcpy(to->rst, r->rst, sizeof(to->rst));
}

static unsigned
parts_of(const struct facts *f)
{
	struct facts none;
	unsigned parts = 0;

	facts_init(&none);
	parts |= f->greeting != none.greeting ? HAS_GREETING : 0;
	parts |= f->caps != none.caps ? HAS_CAPS : 0;
	parts |= f->caps->room != 0 ? HAS_LIST : 0;
	parts |= f->tls != none.tls ? HAS_TLS : 0;
	parts |= f->clear != none.clear ? HAS_CLEAR : 0;
	parts |= f->auth != none.auth ? HAS_AUTH : 0;
	parts |= f->rare != none.rare ? HAS_RARE : 0;
	parts |= f->rare->rst != none.rare->rst ? HAS_RST : 0;
	parts |= f->rare->odd != none.rare->odd ? HAS_ODD : 0;
	parts |= f->rare->refused != none.rare->refused ? HAS_REFUSED : 0;
	parts |= f->rare->proxied != none.rare->proxied ? HAS_PROXIED : 0;
	return parts;
}

void
facts_take_image(struct facts_image *to, struct slice texts[FACTS_TEXTS],
    const struct facts *f)
{
	unsigned parts = parts_of(f);

	memset(to, 0, sizeof(*to));
	memcpy(&to->f, f, offsetof(struct facts, greeting));
	to->parts = (uint16_t)parts;
	TAKE(to->greeting, f->greeting, HAS_GREETING);
	TAKE(to->caps, f->caps, HAS_CAPS);
	TAKE(to->tls, f->tls, HAS_TLS);
	TAKE(to->clear, f->clear, HAS_CLEAR);
	TAKE(to->auth, f->auth, HAS_AUTH);
	take_rare(to, f->rare, parts);
	to->greeting.host = to->caps.name = to->caps.words = to->tls.sni = NULL;
	to->caps.room = 0;
	texts[TEXT_HOST] = text_of(f->greeting->host);
	texts[TEXT_NAME] = text_of(f->caps->name);
	texts[TEXT_WORDS] = text_of(f->caps->words);
	texts[TEXT_SNI] = text_of(f->tls->sni);
}

/* ---- and back ---- */

static const char *
text_at(const struct slice texts[FACTS_TEXTS], enum facts_text i)
{
	return (const char *)texts[i].p;
}

static bool
make_greeting(struct facts *f, struct blocks *b, const struct facts_image *from,
    const char *host)
{
	struct facts_greeting *g = facts_own_greeting(f, b, host);

	if (g == NULL)
		return false;
	host = g->host;
	*g = from->greeting;
	g->host = host;
	return true;
}

static bool
make_caps(struct facts *f, struct blocks *b, const struct facts_image *from,
    const struct slice texts[FACTS_TEXTS])
{
	struct facts_caps *c, was;

	if ((from->parts & HAS_LIST) != 0)
		c = facts_own_list(f, b, text_at(texts, TEXT_NAME),
		    text_at(texts, TEXT_WORDS));
	else
		c = facts_own_caps(f, b);
	if (c == NULL)
		return false;
	was = *c;
	*c = from->caps;
	c->room = was.room;
	c->name = was.name;
	c->words = was.words;
	return true;
}

static bool
make_tls(struct facts *f, struct blocks *b, const struct facts_image *from,
    const char *sni)
{
	struct facts_tls *t = facts_own_tls(f, b);
	const char *none;

	if (t == NULL)
		return false;
	none = t->sni;
	*t = from->tls;
	t->sni = none;
	facts_set_sni(t, b, sni);
	return (t->sni != none) == (sni[0] != '\0');
}

static bool
make_clear(struct facts *f, struct blocks *b, const struct facts_image *from)
{
	struct facts_clear *c = facts_own_clear(f, b);

	if (c != NULL)
		*c = from->clear;
	return c != NULL;
}

static bool
make_auth(struct facts *f, struct blocks *b, const struct facts_image *from)
{
	struct facts_auth *a = facts_own_auth(f, b);

	if (a != NULL)
		*a = from->auth;
	return a != NULL;
}

static bool
make_rare(struct facts *f, struct blocks *b, const struct facts_image *from)
{
	struct facts_rare *r = facts_own_rare(f, b);
	struct facts_rst *rst;
	struct facts_odd *odd;
	struct moment *refused;
	struct obs_proxy *proxied;

	if (r == NULL)
		return false;
	memcpy(r->gap, from->rare.gap, sizeof(r->gap));
	memcpy(r->confidence, from->rare.confidence, sizeof(r->confidence));
	if ((from->parts & HAS_RST) != 0) {
		if ((rst = facts_own_rst(f, b)) == NULL)
			return false;
		memcpy(rst, from->rst, sizeof(from->rst));
	}
	if ((from->parts & HAS_ODD) != 0) {
		if ((odd = facts_own_odd(f, b)) == NULL)
			return false;
		*odd = from->odd;
	}
	if ((from->parts & HAS_REFUSED) != 0) {
		if ((refused = facts_own_refused(f, b)) == NULL)
			return false;
		*refused = from->refused;
	}
	if ((from->parts & HAS_PROXIED) != 0) {
		if ((proxied = facts_own_proxied(f, b)) == NULL)
			return false;
		*proxied = from->proxied;
	}
	return true;
}

#define THERE(bit) ((from->parts & (bit)) != 0)

bool
facts_from_image(struct facts *f, struct blocks *b,
    const struct facts_image *from, const struct slice texts[FACTS_TEXTS])
{
	facts_init(f);
	memcpy(f, &from->f, offsetof(struct facts, greeting));
	if ((!THERE(HAS_GREETING) ||
		make_greeting(f, b, from, text_at(texts, TEXT_HOST))) &&
	    (!THERE(HAS_CAPS) || make_caps(f, b, from, texts)) &&
	    (!THERE(HAS_TLS) ||
		make_tls(f, b, from, text_at(texts, TEXT_SNI))) &&
	    (!THERE(HAS_CLEAR) || make_clear(f, b, from)) &&
	    (!THERE(HAS_AUTH) || make_auth(f, b, from)) &&
	    (!THERE(HAS_RARE) || make_rare(f, b, from)))
		return true;
	facts_fini(f, b);
	facts_init(f);
	return false;
}
