/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of TLS on a server, and how surely: the operator's word or a
 * policy first, then its own history, then (for an address nothing is known
 * of) that of the name it goes by. A name is only a claim: it raises
 * suspicion, never to the full, and excuses nothing.
 */
#include <stdio.h>
#include <string.h>

#include "rules/detect.h"

#define NAME_SESSIONS 3 /* fewer say nothing of another address */

static enum known_tls
level(const struct server_facts *s)
{
	uint32_t n = known_count(s);

	if (n >= 10 || s->offered_days >= 2)
		return KNOWN_WELL;
	return n == 0 ? KNOWN_NOTHING : n == 1 ? KNOWN_ONCE : KNOWN_SOME;
}

/* Machines of one name that are not alike say nothing of each other. */
static bool
name_speaks(const struct server_facts *s)
{
	return s != NULL && known_count(s) >= NAME_SESSIONS &&
	       s->not_offered * 9 < s->offered;
}

const struct server_facts *
detect_server(const struct detect_ctx *c)
{
	const struct server_facts *s = past_server(c);

	return s != NULL ? s : past_named(c);
}

enum known_tls
detect_known_tls(const struct detect_ctx *c)
{
	const struct pin *pin = past_pin(c);

	if (pin != NULL && pin->starttls == PIN_NONE)
		return KNOWN_NOTHING;
	if (pin != NULL && pin->starttls != PIN_NOTHING)
		return KNOWN_WELL;
	if (past_server(c) != NULL)
		return level(past_server(c));
	return name_speaks(past_named(c)) ? KNOWN_SOME : KNOWN_NOTHING;
}

static void
say_pin(struct finding *f, const struct pin *p, int weight)
{
	char date[16];

	if (p->source == PIN_POLICY)
		finding_add(f, weight,
		    "the policy of %.100s, valid until %s, requires TLS here",
		    p->domain, detect_date(date, sizeof(date), p->expires));
	else if (p->starttls == PIN_REQUIRED)
		finding_add(f, weight, "the operator requires TLS here");
	else
		finding_add(f, weight,
		    "the operator says that STARTTLS is offered here");
}

static void
say_history(struct finding *f, const struct server_facts *s, int weight)
{
	char text[FINDING_SENTENCE_MAX];

	finding_add(f, weight, "%s", known_text(text, sizeof(text), s));
}

enum known_tls
detect_add_history(struct finding *f, const struct detect_ctx *c,
    const int weight[KNOWN_LEVELS])
{
	enum known_tls k = detect_known_tls(c);

	if (k == KNOWN_NOTHING) {
		f->tags |= EVT_NO_HISTORY;
		return k;
	}
	f->tags |= EVT_WAS_TLS;
	if (past_pin(c) != NULL && past_pin(c)->starttls != PIN_NOTHING)
		say_pin(f, past_pin(c), weight[k]);
	else
		say_history(f, detect_server(c), weight[k]);
	return k;
}
