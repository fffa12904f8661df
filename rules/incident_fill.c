/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Alerts into one incident: who, when, how far it went, how grave it is, and
 * a timeline in which what repeats is one step with a count.
 */
#include "rules/incident_fill.h"

#include <string.h>

#include "rules/detect.h"

uint32_t
incident_hash(const struct addr *a)
{
	uint64_t half[2], h;

	memcpy(half, a, sizeof(half));
	h = (half[0] ^ (half[0] >> 29)) * UINT64_C(0xbf58476d1ce4e5b9) +
	    half[1];
	h = (h ^ (h >> 29)) * UINT64_C(0x9e3779b97f4a7c15);
	h >>= 32;
	return h != 0 ? (uint32_t)h : 1;
}

uint32_t
incident_name(const struct incident_known *k)
{
	return k->server != NULL && k->server->host[0] != '\0'
		   ? hash32_text(k->server->host)
		   : 0;
}

bool
incident_has_addr(const struct addr *list, unsigned n, const struct addr *a)
{
	for (unsigned i = 0; i < n; i++)
		if (memcmp(&list[i], a, sizeof(*a)) == 0)
			return true;
	return false;
}

/* Among all that have room, for none of them is 0: many at once, as the number
 * is known. */
static inline bool
has_hash(const uint32_t *list, unsigned max, uint32_t hash)
{
	uint32_t any = 0;

	for (unsigned i = 0; i < max; i++)
		any |= list[i] == hash;
	return any != 0;
}

bool
incident_has_server(const struct incident *i, const struct addr *a)
{
	return incident_has_addr(i->server, i->nservers, a);
}

static uint32_t
network_hash(const struct addr *client)
{
	struct pair_key k = {.client = *client}, network;

	pair_key_network(&network, &k);
	return hash32(&network.client, sizeof(network.client));
}

static bool
has_client(const struct incident *i, const struct addr *a, uint32_t hash)
{
	return has_hash(i->client_hash, INCIDENT_HOSTS, hash) &&
	       incident_has_addr(i->client, i->nclients, a);
}

bool
incident_has_client(const struct incident *i, const struct addr *a,
    uint32_t hash, const struct incident_known *k)
{
	if (has_client(i, a, hash))
		return true;
	return k->knows_network != NULL &&
	       has_hash(i->network, INCIDENT_NETWORKS, network_hash(a)) &&
	       k->knows_network(k->ctx);
}

/* A set with an end: where there is no room, `full` is set in more. */
struct set {
	uint32_t *n;
	unsigned max;
	uint8_t *more, full;
};

/* No room, and that is said. */
static bool
is_full(const struct set *set)
{
	return *set->n == set->max && (*set->more & set->full) != 0;
}

/* Room for one more; false: there is none, which is noted. */
static bool
has_room(const struct set *set)
{
	if (*set->n < set->max)
		return true;
	*set->more |= set->full;
	return false;
}

/* Returns true if it was not among them and there was room. */
static bool
add_server(struct incident *i, const struct addr *a)
{
	const struct set servers = {
	    &i->nservers, INCIDENT_SERVERS, &i->more, MORE_SERVERS};

	if (incident_has_server(i, a) || !has_room(&servers))
		return false;
	i->server[i->nservers++] = *a;
	return true;
}

/* Likewise of one that is not among them. */
static bool
add_client(struct incident *i, const struct addr *a, uint32_t hash)
{
	const struct set clients = {
	    &i->nclients, INCIDENT_HOSTS, &i->more, MORE_CLIENTS};

	if (!has_room(&clients))
		return false;
	i->client_hash[i->nclients] = hash;
	i->client[i->nclients++] = *a;
	return true;
}

static inline bool
add_hash(uint32_t *list, const struct set *set, uint32_t hash)
{
	if (is_full(set) || has_hash(list, set->max, hash) || !has_room(set))
		return false;
	list[(*set->n)++] = hash;
	return true;
}

/* ---- the timeline ---- */

/* The same of steps that are the same but for their times. */
static uint32_t
step_hash(uint16_t finding, uint8_t severity, uint32_t client, uint32_t server)
{
	return (client * 31 + server + finding * 8u + severity) | 1;
}

static bool
is_like(const struct incident_step *s, const struct alert *a)
{
	return s->finding == a->finding.id && s->severity == a->severity &&
	       memcmp(&s->client, &a->flow.client, sizeof(s->client)) == 0 &&
	       memcmp(&s->server, &a->flow.server, sizeof(s->server)) == 0;
}

static struct incident_step *
step_like(struct incident *i, const struct alert *a, uint32_t hash)
{
	if (!has_hash(i->step_hash, INCIDENT_STEPS, hash))
		return NULL;
	for (unsigned n = 0; n < i->nsteps; n++)
		if (is_like(&i->step[n], a))
			return &i->step[n];
	return NULL;
}

/* In order of time: what settles late may have happened before. When it is
 * full, the first ones tell how it began, the last how it stands. Returns its
 * number, which is that of its sentence too. */
static unsigned
step_new(struct incident *i, int64_t t, uint32_t hash)
{
	uint8_t *order = i->order;
	unsigned at = i->nsteps, n;

	if (i->nsteps == INCIDENT_STEPS) {
		at = order[INCIDENT_STEPS_FIRST];
		i->steps_out += i->step[at].count;
		i->nsteps--;
		memmove(order + INCIDENT_STEPS_FIRST,
		    order + INCIDENT_STEPS_FIRST + 1,
		    i->nsteps - INCIDENT_STEPS_FIRST);
	}
	for (n = i->nsteps++; n > 0 && i->step[order[n - 1]].first > t; n--)
		order[n] = order[n - 1];
	order[n] = (uint8_t)at;
	i->step[at] = (struct incident_step){.first = t, .last = t};
	i->step_hash[at] = hash;
	return at;
}

static void
add_step(struct incident *i, const struct alert *a, uint32_t client)
{
	uint32_t hash = step_hash(
	    a->finding.id, a->severity, client, incident_hash(&a->flow.server));
	struct incident_step *s = step_like(i, a, hash);
	int64_t t = a->finding.time;

	if (s == NULL) {
		unsigned at = step_new(i, t, hash);

		s = &i->step[at];
		s->finding = a->finding.id;
		s->severity = a->severity;
		s->client = a->flow.client;
		s->server = a->flow.server;
		s->port = a->flow.server_port;
		s->client_port = a->flow.client_port;
		(void)incident_sentence(i->sentence[at], INCIDENT_TEXT_MAX, a);
	}
	s->count++;
	if (t > s->last)
		s->last = t;
}

/* What was before: without it, none of the rest would be wrong. */
static void
add_before(
    struct incident *i, const struct alert *a, const struct server_facts *s)
{
	struct incident_step *step;
	unsigned at;
	int64_t t;

	if (s == NULL || (s->offered == 0 && s->tls_done == 0))
		return;
	t = s->last_offer != 0 ? s->last_offer : s->last;
	if (t > a->finding.time)
		t = a->finding.time;
	at = step_new(i, t, 0); /* no alert's */
	step = &i->step[at];
	step->count = 1;
	step->server = a->flow.server;
	step->port = a->flow.server_port;
	(void)known_text(i->sentence[at], INCIDENT_TEXT_MAX, s);
}

/* ---- one alert ---- */

void
incident_begin(struct incident *i, int64_t id, const struct alert *a,
    const struct incident_known *k)
{
	i->id = id;
	i->first = i->last = a->finding.time;
	i->proto = a->proto;
	i->name = incident_name(k);
	memcpy(i->server_name, a->server_name, sizeof(i->server_name));
	if (story_is_interference(story_of(&a->finding)) ||
	    (a->finding.tags & EVT_WAS_TLS) != 0)
		add_before(i, a, k->server);
}

/* Who: true if somebody is new. */
static bool
add_hosts(struct incident *i, const struct alert *a,
    const struct incident_known *k, uint32_t client)
{
	const struct set networks = {
	    &i->nnetworks, INCIDENT_NETWORKS, &i->more, MORE_NETWORKS};
	bool known = has_client(i, &a->flow.client, client);
	bool news = !known && add_client(i, &a->flow.client, client);

	if (!known)
		(void)add_hash(
		    i->network, &networks, network_hash(&a->flow.client));
	if (add_server(i, &a->flow.server)) {
		bool same = i->name != 0 && i->name == incident_name(k);

		i->nsites += !same || i->nsites == 0;
		news = true;
	}
	return news;
}

static bool
add_user(struct incident *i, const struct alert *a)
{
	const struct set users = {
	    &i->nusers, INCIDENT_HOSTS, &i->more, MORE_USERS};

	return a->finding.user[0] != '\0' &&
	       add_hash(i->user, &users, hash32_text(a->finding.user));
}

/* How far it went. What was exposed before the interference began is another
 * matter, and does not make it graver. */
static void
add_stage(struct incident *i, const struct alert *a)
{
	enum incident_story story = story_of(&a->finding);
	uint8_t stage = story_stage(&a->finding);
	int64_t t = a->finding.time;

	if ((stage & STAGE_EXPOSED) != 0 && t > i->exposed)
		i->exposed = t;
	if ((stage & STAGE_INTERFERED) != 0 &&
	    (i->stages & STAGE_INTERFERED) == 0) {
		i->story = (uint8_t)story;
		if (i->exposed < t)
			i->stages = 0;
	} else if (i->story == STORY_NONE ||
		   (story_is_interference(story) &&
		       !story_is_interference((enum incident_story)i->story))) {
		i->story = (uint8_t)story;
	}
	i->stages |= stage;
}

static void
add_severity(struct incident *i, const struct alert *a)
{
	uint8_t least = stages_severity(i->stages);

	if (a->severity > i->severity)
		i->severity = a->severity;
	if (least > i->severity)
		i->severity = least;
	if (a->finding.confidence > i->confidence)
		i->confidence = a->finding.confidence;
}

static void
add_time(struct incident *i, int64_t t)
{
	if (t > i->last)
		i->last = t;
	if (t < i->first)
		i->first = t;
}

/* Counts it. Returns whether so many of its kind were passed on before. */
static bool
add_count(struct incident *i, const struct alert *a, uint32_t fold_after)
{
	struct incident_count *c = &i->count[a->finding.id];
	int64_t t = a->finding.time;
	bool many = c->raised >= fold_after;

	if (c->alerts++ == 0 || t < c->first)
		c->first = t;
	if (t > c->last)
		c->last = t;
	i->alerts++;
	return many;
}

bool
incident_fill(struct incident *i, const struct alert *a,
    const struct incident_known *k, uint32_t fold_after)
{
	struct incident_count *c = &i->count[a->finding.id];
	bool grave = a->severity >= SEV_MEDIUM, news = add_user(i, a), many;
	uint32_t client = incident_hash(&a->flow.client);

	if (grave) {
		news |= add_hosts(i, a, k, client);
		add_stage(i, a);
		add_severity(i, a);
		add_time(i, a->finding.time);
	}
	if (a->severity > SEV_INFO)
		add_step(i, a, client);
	if (k->of_flow != NULL && *k->of_flow != i->id) {
		*k->of_flow = i->id;
		i->sessions++;
	}
	i->place = (uint8_t)incident_place(i);
	many = add_count(i, a, fold_after);
	if (many && !news && a->severity <= c->severity) {
		c->folded++;
		i->folded++;
		return false;
	}
	if (a->severity > c->severity)
		c->severity = a->severity;
	c->raised++;
	return true;
}

void
incident_hash_all(struct incident *i)
{
	for (uint32_t n = 0; n < i->nclients; n++)
		i->client_hash[n] = incident_hash(&i->client[n]);
	for (uint32_t n = 0; n < i->nsteps; n++) {
		const struct incident_step *s = &i->step[n];

		i->step_hash[n] = step_hash(s->finding, s->severity,
		    incident_hash(&s->client), incident_hash(&s->server));
	}
}

void
incident_fine(struct incident *i, const struct facts *f)
{
	const struct set fine = {
	    &i->nfine, INCIDENT_HOSTS, &i->more, MORE_FINE};

	if (!story_is_interference((enum incident_story)i->story) ||
	    has_client(i, &f->who.client, incident_hash(&f->who.client)))
		return;
	i->fine++;
	(void)add_hash(i->fine_client, &fine,
	    hash32(&f->who.client, sizeof(f->who.client)));
	i->place = (uint8_t)incident_place(i);
}
