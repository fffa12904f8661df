/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Incidents to JSON and back. What is read is checked as if it came from
 * anywhere: the database may have been written by somebody else.
 */
#include "db/incident_json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "db/addr_text.h"
#include "db/history_fields.h"
#include "db/json_text.h"

/* clang-format off */
#define FIELD(member, how) \
	{#member, offsetof(struct incident, member), \
	    sizeof(((struct incident *)0)->member), how}

static const struct history_field fields[] = {
	FIELD(first, F_TIME),
	FIELD(last, F_TIME),
	FIELD(exposed, F_TIME),
	FIELD(severity, F_BYTE),
	FIELD(confidence, F_BYTE),
	FIELD(story, F_BYTE),
	FIELD(stages, F_BYTE),
	FIELD(place, F_BYTE),
	FIELD(proto, F_BYTE),
	FIELD(more, F_BYTE),
	FIELD(state, F_BYTE),
	FIELD(end_reason, F_BYTE),
	FIELD(sessions, F_COUNT),
	FIELD(alerts, F_COUNT),
	FIELD(folded, F_COUNT),
	FIELD(nsites, F_COUNT),
	FIELD(name, F_COUNT),
	FIELD(fine, F_COUNT),
	FIELD(steps_out, F_COUNT),
};
/* clang-format on */

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

/* ---- out ---- */

static void
put_number(struct json_text *t, const char *name, int64_t v)
{
	jt_key(t, name);
	jt_int(t, v);
}

static void
put_string(struct json_text *t, const char *name, const char *s)
{
	jt_key(t, name);
	jt_string(t, s);
}

static void
put_numbers(
    struct json_text *t, const char *name, const uint32_t *v, uint32_t n)
{
	jt_key(t, name);
	jt_open(t, '[');
	for (uint32_t i = 0; i < n; i++)
		jt_int(t, v[i]);
	jt_close(t, ']');
}

static void
put_addresses(
    struct json_text *t, const char *name, const struct addr *a, uint32_t n)
{
	char text[ADDR_TEXT_MAX];

	jt_key(t, name);
	jt_open(t, '[');
	for (uint32_t i = 0; i < n; i++)
		jt_string(t, addr_to_text(text, &a[i]));
	jt_close(t, ']');
}

static void
put_state(struct json_text *t, const struct incident *i)
{
	jt_key(t, "state");
	jt_open(t, '{');
	for (size_t n = 0; n < NFIELDS; n++) {
		const char *p = (const char *)i + fields[n].at;
		uint32_t count;
		int64_t v = *(const uint8_t *)p;

		if (fields[n].kind == F_TIME) {
			memcpy(&v, p, sizeof(v));
		} else if (fields[n].kind == F_COUNT) {
			memcpy(&count, p, sizeof(count));
			v = count;
		}
		put_number(t, fields[n].name, v);
	}
	jt_close(t, '}');
}

static void
put_step(struct json_text *t, const struct incident *i, unsigned at)
{
	const struct incident_step *s = &i->step[at];
	char text[ADDR_TEXT_MAX];

	jt_open(t, '{');
	put_number(t, "first", s->first);
	put_number(t, "last", s->last);
	put_number(t, "count", s->count);
	put_string(t, "finding",
	    s->finding == FIND_NONE
		? "none"
		: finding_info((enum finding_id)s->finding)->name);
	put_number(t, "severity", s->severity);
	put_string(t, "client", addr_to_text(text, &s->client));
	put_string(t, "server", addr_to_text(text, &s->server));
	put_number(t, "port", s->port);
	put_number(t, "client_port", s->client_port);
	put_string(t, "text", i->sentence[at]);
	jt_close(t, '}');
}

static void
put_timeline(struct json_text *t, const struct incident *i)
{
	jt_key(t, "timeline");
	jt_open(t, '[');
	for (uint32_t n = 0; n < i->nsteps; n++)
		put_step(t, i, i->order[n]);
	jt_close(t, ']');
}

static void
put_counts(struct json_text *t, const struct incident *i)
{
	jt_key(t, "findings");
	jt_open(t, '{');
	for (unsigned id = 1; id < FIND_COUNT; id++) {
		const struct incident_count *c = &i->count[id];

		if (c->alerts == 0)
			continue;
		jt_key(t, finding_info((enum finding_id)id)->name);
		jt_open(t, '[');
		jt_int(t, c->alerts);
		jt_int(t, c->folded);
		jt_int(t, c->severity);
		jt_int(t, c->first);
		jt_int(t, c->last);
		jt_close(t, ']');
	}
	jt_close(t, '}');
}

char *
incident_to_json(const struct incident *i)
{
	struct json_text t = {0};

	jt_open(&t, '{');
	put_addresses(&t, "clients", i->client, i->nclients);
	put_addresses(&t, "servers", i->server, i->nservers);
	put_string(&t, "server_name", i->server_name);
	put_state(&t, i);
	put_numbers(&t, "fine_clients", i->fine_client, i->nfine);
	put_numbers(&t, "users", i->user, i->nusers);
	put_numbers(&t, "networks", i->network, i->nnetworks);
	put_timeline(&t, i);
	put_counts(&t, i);
	jt_close(&t, '}');
	return jt_take(&t);
}

/* ---- in ---- */

static int64_t
number(const json_t *v)
{
	return json_is_integer(v) ? json_integer_value(v) : 0;
}

static uint32_t
count_of(const json_t *v)
{
	int64_t n = number(v);

	return n < 0 || n > UINT32_MAX ? 0 : (uint32_t)n;
}

static void
read_address(struct addr *a, const json_t *v)
{
	const char *text = json_string_value(v);

	if (text == NULL || addr_from_text(a, text) == -1)
		memset(a, 0, sizeof(*a));
}

static uint32_t
read_addresses(struct addr *to, unsigned max, const json_t *list)
{
	size_t n = json_array_size(list);

	n = n < max ? n : max;
	for (size_t i = 0; i < n; i++)
		read_address(&to[i], json_array_get(list, i));
	return (uint32_t)n;
}

static uint32_t
read_numbers(uint32_t *to, unsigned max, const json_t *list)
{
	size_t n = json_array_size(list);

	n = n < max ? n : max;
	for (size_t i = 0; i < n; i++)
		to[i] = count_of(json_array_get(list, i));
	return (uint32_t)n;
}

static void
read_state(struct incident *i, const json_t *o)
{
	for (size_t n = 0; n < NFIELDS; n++) {
		const json_t *v = json_object_get(o, fields[n].name);
		char *p = (char *)i + fields[n].at;
		int64_t time = number(v);
		uint32_t count = count_of(v);

		if (fields[n].kind == F_TIME)
			memcpy(p, &time, sizeof(time));
		else if (fields[n].kind == F_COUNT)
			memcpy(p, &count, sizeof(count));
		else
			*(uint8_t *)p = (uint8_t)count;
	}
	if (i->severity > SEV_CRITICAL)
		i->severity = SEV_CRITICAL;
	if (i->story >= STORY_COUNT)
		i->story = STORY_NONE;
	if (i->place > PLACE_NONE)
		i->place = PLACE_UNKNOWN;
}

static void
read_text(char *to, size_t cap, const json_t *v)
{
	const char *text = json_string_value(v);

	snprintf(to, cap, "%s", text != NULL ? text : "");
}

static void
read_step(struct incident *i, uint32_t n, const json_t *o)
{
	struct incident_step *s = &i->step[n];
	const char *name = json_string_value(json_object_get(o, "finding"));
	uint32_t severity = count_of(json_object_get(o, "severity"));

	s->first = number(json_object_get(o, "first"));
	s->last = number(json_object_get(o, "last"));
	s->count = count_of(json_object_get(o, "count"));
	s->finding = name != NULL ? (uint16_t)finding_by_name(name) : 0;
	s->severity = (uint8_t)(severity > SEV_CRITICAL ? 0 : severity);
	read_address(&s->client, json_object_get(o, "client"));
	read_address(&s->server, json_object_get(o, "server"));
	s->port = (uint16_t)count_of(json_object_get(o, "port"));
	s->client_port = (uint16_t)count_of(json_object_get(o, "client_port"));
	i->order[n] = (uint8_t)n;
	read_text(
	    i->sentence[n], sizeof(i->sentence[n]), json_object_get(o, "text"));
}

static void
read_counts(struct incident *i, json_t *o)
{
	const char *name;
	json_t *v;

	json_object_foreach(o, name, v)
	{
		enum finding_id id = finding_by_name(name);
		struct incident_count *c = &i->count[id];

		if (id == FIND_NONE)
			continue; /* of a newer program */
		c->alerts = count_of(json_array_get(v, 0));
		c->folded = count_of(json_array_get(v, 1));
		c->severity = (uint8_t)count_of(json_array_get(v, 2));
		c->first = number(json_array_get(v, 3));
		c->last = number(json_array_get(v, 4));
	}
}

int
incident_from_json(struct incident *i, const char *text)
{
	json_t *o = json_loads(text, 0, NULL), *steps;
	size_t n;

	memset(i, 0, sizeof(*i));
	if (!json_is_object(o) ||
	    !json_is_object(json_object_get(o, "state"))) {
		json_decref(o);
		return -1;
	}
	read_state(i, json_object_get(o, "state"));
	read_text(i->server_name, sizeof(i->server_name),
	    json_object_get(o, "server_name"));
	i->nclients = read_addresses(
	    i->client, INCIDENT_HOSTS, json_object_get(o, "clients"));
	i->nservers = read_addresses(
	    i->server, INCIDENT_SERVERS, json_object_get(o, "servers"));
	i->nfine = read_numbers(
	    i->fine_client, INCIDENT_HOSTS, json_object_get(o, "fine_clients"));
	i->nusers =
	    read_numbers(i->user, INCIDENT_HOSTS, json_object_get(o, "users"));
	i->nnetworks = read_numbers(
	    i->network, INCIDENT_NETWORKS, json_object_get(o, "networks"));
	steps = json_object_get(o, "timeline");
	n = json_array_size(steps);
	i->nsteps = (uint32_t)(n < INCIDENT_STEPS ? n : INCIDENT_STEPS);
	for (uint32_t s = 0; s < i->nsteps; s++)
		read_step(i, s, json_array_get(steps, s));
	read_counts(i, json_object_get(o, "findings"));
	json_decref(o);
	return 0;
}
