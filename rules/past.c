/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What detectors ask of the past, when they ask for it: most observations need
 * none of it, and each lookup is a line or two of cold memory.
 */
#include "rules/detect.h"
#include "rules/learn.h"

void
past_begin(struct detect_past *p, const struct history *h, struct pairs *pairs)
{
	*p = (struct detect_past){.history = h, .pairs = pairs};
}

void
past_is_new(struct detect_past *p, enum past what)
{
	p->asked &= ~(1u << what);
}

static const struct server_facts *
find_named(const struct detect_ctx *c, const struct server_key *k)
{
	const struct history *h = c->past->history;
	const struct server_facts *s;

	if (past_server(c) != NULL)
		return NULL;
	s = history_named(h, k, c->f->tls->sni, c->o->time);
	return s != NULL
		   ? s
		   : history_named(h, k, c->f->greeting->host, c->o->time);
}

static const struct pair_facts *
find_network(const struct detect_ctx *c, const struct pair_key *k)
{
	struct pair_key network;

	pair_key_network(&network, k);
	return history_pair(c->past->history, &network, c->o->time);
}

/* The name that the server gives itself may be forged; the one it gave before
 * counts too. */
static const struct pin *
find_pin(const struct detect_ctx *c, const struct server_key *k)
{
	const struct pins *pins = history_pins(c->past->history);
	const char *names[2] = {c->f->tls->sni, c->f->greeting->host};
	const struct pin *pin;

	pin = pins_find(pins, k, names, c->o->time);
	if (pin != NULL || past_server(c) == NULL)
		return pin;
	names[0] = past_server(c)->host;
	names[1] = "";
	return pins_find(pins, k, names, c->o->time);
}

/* It is that nothing is known, without a look. */
static bool
is_nothing(const struct detect_ctx *c, enum past what)
{
	const struct history *h = c->past->history;

	if (h == NULL)
		return true;
	if (what == PAST_NETWORK)
		return c->f->caps->source == 0 || c->f->caps->starttls;
	return what == PAST_PIN && pins_count(history_pins(h)) == 0;
}

static void
find(const struct detect_ctx *c, enum past what)
{
	struct detect_past *p = c->past;
	const struct history *h = p->history;
	struct pair_key k;

	if (what == PAST_PAIR || what == PAST_NETWORK)
		learn_pair_key(&k, c->f);
	else
		learn_server_key(&k.server, c->f);
	switch (what) {
	case PAST_SERVER:
		p->server = history_server(h, &k.server, c->o->time);
		break;
	case PAST_NAMED:
		p->named = find_named(c, &k.server);
		break;
	case PAST_PAIR:
		p->pair = history_pair(h, &k, c->o->time);
		break;
	case PAST_NETWORK:
		p->network = find_network(c, &k);
		break;
	case PAST_PIN:
		p->pin = find_pin(c, &k.server);
		break;
	case PAST_RECENT:
		break;
	}
}

/* NULL: nothing is known at all. */
static const struct detect_past *
ask(const struct detect_ctx *c, enum past what)
{
	struct detect_past *p = c->past;

	if (p == NULL || (p->asked >> what & 1) != 0)
		return p;
	p->asked |= 1u << what;
	if (what == PAST_RECENT && p->pairs != NULL)
		p->recent = pairs_recent(p->pairs, &c->f->who, c->o->time);
	else if (what != PAST_RECENT && !is_nothing(c, what))
		find(c, what);
	return p;
}

const struct server_facts *
past_server(const struct detect_ctx *c)
{
	const struct detect_past *p = ask(c, PAST_SERVER);

	return p != NULL ? p->server : NULL;
}

const struct server_facts *
past_named(const struct detect_ctx *c)
{
	const struct detect_past *p = ask(c, PAST_NAMED);

	return p != NULL ? p->named : NULL;
}

const struct pair_facts *
past_pair(const struct detect_ctx *c)
{
	const struct detect_past *p = ask(c, PAST_PAIR);

	return p != NULL ? p->pair : NULL;
}

const struct pair_facts *
past_network(const struct detect_ctx *c)
{
	const struct detect_past *p = ask(c, PAST_NETWORK);

	return p != NULL ? p->network : NULL;
}

const struct pin *
past_pin(const struct detect_ctx *c)
{
	const struct detect_past *p = ask(c, PAST_PIN);

	return p != NULL ? p->pin : NULL;
}

const struct pair_recent *
past_recent(const struct detect_ctx *c)
{
	const struct detect_past *p = ask(c, PAST_RECENT);

	return p != NULL ? p->recent : NULL;
}
