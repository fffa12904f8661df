/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The members of a server, the one seen last in front.
 */
#include "rules/members.h"

#include <string.h>

#include "rules/facts.h"
#include "rules/history.h"

#define SECOND INT64_C(1000000000)
#define OFTEN 3 /* lists without, and turns with others */

static const struct member *
find(const struct server_facts *s, uint32_t id)
{
	for (unsigned i = 0; i < MEMBERS_MAX && id != 0; i++)
		if (s->members[i].id == id)
			return &s->members[i];
	return NULL;
}

/* Moves it to the front, or makes it there. */
static struct member *
touch(struct server_facts *s, uint32_t id)
{
	const struct member *found = find(s, id);
	struct member m;
	size_t i;

	if (found == &s->members[0])
		return &s->members[0];
	i = found != NULL ? (size_t)(found - s->members) : MEMBERS_MAX - 1;
	m = s->members[i];
	if (found == NULL)
		m = (struct member){.id = id};
	memmove(s->members + 1, s->members, i * sizeof(m));
	s->members[0] = m;
	return &s->members[0];
}

static uint32_t
network_hash(const struct facts *f)
{
	struct addr network = f->who.client;

	addr_network(&network);
	return hash32_addr(&network);
}

static void
add_network(struct member *m, uint32_t hash)
{
	for (unsigned i = 0; i < MEMBER_NETS; i++) {
		if (m->net[i] == 0)
			m->net[i] = hash;
		if (m->net[i] == hash)
			return;
	}
}

static void
take_turns(struct server_facts *s)
{
	for (unsigned i = 1; i < MEMBERS_MAX; i++) {
		s->members[i].turns += s->members[i].waits;
		s->members[i].waits = 0;
	}
}

void
members_note(struct server_facts *s, const struct facts *f, bool offers)
{
	struct member *m;

	if (f->greeting->machine == 0)
		return;
	m = touch(s, f->greeting->machine);
	m->offered += offers;
	if (offers) {
		take_turns(s);
		return;
	}
	if (m->lacked++ == 0)
		m->since = (uint32_t)(f->caps->at.time / SECOND);
	m->waits = 1;
	if (m->net[MEMBER_NETS - 1] == 0)
		add_network(m, network_hash(f));
}

static bool
never_offers(const struct member *m)
{
	return m->offered == 0 && m->lacked >= OFTEN && m->turns >= OFTEN;
}

bool
members_lack(const struct server_facts *s)
{
	for (unsigned i = 0; i < MEMBERS_MAX; i++)
		if (never_offers(&s->members[i]))
			return true;
	return false;
}

bool
members_explain(const struct server_facts *s, const struct facts *f,
    const struct pair_facts *pair)
{
	const struct member *m = find(s, f->greeting->machine);
	int64_t since;

	if (m == NULL || !never_offers(m))
		return false;
	since = m->since * SECOND;
	if (since > f->caps->at.time) /* older than what is known of it */
		return false;
	return m->net[MEMBER_NETS - 1] != 0 ||
	       (pair != NULL && pair->tls != 0 && pair->last > since);
}
