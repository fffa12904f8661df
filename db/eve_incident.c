/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An incident as a JSON object. EVE has no such event; the keys that it has
 * for hosts and times are used, the rest is ours and stands in "stripwire".
 */
#include "db/addr_text.h"
#include "db/event_id.h"
#include "db/feed_eve.h"
#include "db/json_set.h"

static const char *const events[] = {[INCIDENT_OPENED] = "opened",
    [INCIDENT_WORSE] = "severity",
    [INCIDENT_CLOSED] = "closed"};
static const char *const reasons[] = {[INCIDENT_END_QUIET] = "quiet",
    [INCIDENT_END_FULL] = "table-full",
    [INCIDENT_END_OPERATOR] = "operator"};

static json_t *
step_object(const struct incident *i, unsigned at)
{
	const struct incident_step *s = &i->step[at];
	char text[ADDR_TEXT_MAX];
	json_t *o = json_object();

	json_set_time(o, "timestamp", s->first);
	if (s->count > 1) {
		json_set_time(o, "last", s->last);
		json_set_number(o, "times", s->count);
	}
	if (s->finding != FIND_NONE) {
		json_set_text(o, "finding",
		    finding_info((enum finding_id)s->finding)->name);
		json_set_text(
		    o, "severity", severity_name((enum severity)s->severity));
		json_set_text(o, "src_ip", addr_to_text(text, &s->client));
		json_set_number(o, "src_port", s->client_port);
	}
	json_set_text(o, "dest_ip", addr_to_text(text, &s->server));
	json_set_number(o, "dest_port", s->port);
	json_set_text(o, "text", i->sentence[at]);
	return o;
}

static json_t *
timeline(const struct incident *i)
{
	json_t *list = json_array();

	for (uint32_t n = 0; n < i->nsteps; n++)
		(void)json_array_append_new(list, step_object(i, i->order[n]));
	return list;
}

static json_t *
findings(const struct incident *i)
{
	json_t *o = json_object();

	for (unsigned id = 1; id < FIND_COUNT; id++)
		if (i->count[id].alerts != 0)
			json_set_number(o,
			    finding_info((enum finding_id)id)->name,
			    i->count[id].alerts);
	return o;
}

static void
set_sizes(json_t *o, const struct incident *i)
{
	json_set_time(o, "first", i->first);
	json_set_time(o, "last", i->last);
	json_set_number(o, "sessions", i->sessions);
	json_set_number(o, "alerts", i->alerts);
	json_set_number(o, "alerts_folded", i->folded);
	json_set_number(o, "users", i->nusers);
	(void)json_object_set_new(
	    o, "clients", json_addresses(i->client, i->nclients));
	(void)json_object_set_new(
	    o, "servers", json_addresses(i->server, i->nservers));
	if (i->more != 0)
		(void)json_object_set_new(o, "more_hosts", json_true());
}

static json_t *
own_object(const struct incident *i, enum incident_event what, const char *host)
{
	char text[STORY_TEXT_MAX], id[EVENT_ID_MAX];
	json_t *o = json_object();

	json_set_text(o, "event_id", event_incident_id(id, host, i, what));
	json_set_number(o, "incident_id", (uint64_t)i->id);
	json_set_text(o, "event", events[what]);
	if (what == INCIDENT_CLOSED)
		json_set_text(o, "because", reasons[i->end_reason]);
	json_set_text(o, "severity", severity_name((enum severity)i->severity));
	json_set_number(o, "confidence", i->confidence);
	json_set_text(o, "title", incident_title(text, i));
	json_set_text(o, "story", story_name((enum incident_story)i->story));
	json_set_text(o, "stages", stages_text(text, sizeof(text), i->stages));
	set_sizes(o, i);
	json_set_text(o, "server_name", i->server_name);
	json_set_text(o, "where", incident_where(text, i));
	json_set_text(o, "advice", incident_advice(text, i));
	(void)json_object_set_new(o, "findings", findings(i));
	(void)json_object_set_new(o, "timeline", timeline(i));
	return o;
}

size_t
eve_format_incident(char *buf, size_t cap, const struct incident *i,
    enum incident_event what, const char *host)
{
	char text[ADDR_TEXT_MAX];
	json_t *o = json_object();

	json_set_time(o, "timestamp", i->last);
	json_set_text(o, "event_type", "incident");
	if (i->nclients != 0)
		json_set_text(o, "src_ip", addr_to_text(text, &i->client[0]));
	if (i->nservers != 0)
		json_set_text(o, "dest_ip", addr_to_text(text, &i->server[0]));
	json_set_text(o, "proto", "TCP");
	if (proto_is_mail((enum proto)i->proto))
		json_set_text(o, "app_proto", proto_name(i->proto));
	(void)json_object_set_new(o, "stripwire", own_object(i, what, host));
	json_set_text(o, "host", host);
	return json_line(buf, cap, o);
}
