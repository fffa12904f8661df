/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An alert as a JSON object. jansson keeps the order in which keys were set
 * and refuses strings that are not UTF-8, so every string is made UTF-8 first:
 * file names and what comes from the wire or from a rule may hold anything.
 */
#include "db/feed_eve.h"

#include <string.h>

#include "db/community_id.h"
#include "db/eve_parts.h"
#include "db/event_id.h"
#include "db/json_set.h"
#include "decoders/utf8.h"
#include "rules/rule_class.h"
#include "rules/visibility.h"

/* The frame of the packet that was wrong. */
static uint32_t
frame_of(const struct alert *a)
{
	if (a->finding.pkt.ordinal != 0)
		return a->finding.pkt.frame_no;
	for (unsigned i = 0; i < a->nsteps && i < LADDER_STEPS; i++)
		if ((a->steps[i].mark & STEP_WRONG) &&
		    a->steps[i].pkt.ordinal != 0)
			return a->steps[i].pkt.frame_no;
	return 0;
}

/* {"key": ["value", ...]}, from "key value" lines. */
static json_t *
metadata(const struct alert *a)
{
	char buf[sizeof(a->metadata)], *rest = buf, *line;
	json_t *o = json_object();

	(void)utf8_copy(buf, sizeof(buf), a->metadata);
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *value = strchr(line, ' ');
		json_t *list;

		if (line[0] == '\0')
			continue;
		if (value != NULL)
			*value++ = '\0';
		list = json_object_get(o, line);
		if (list == NULL) {
			list = json_array();
			(void)json_object_set_new(o, line, list);
		}
		(void)json_array_append_new(
		    list, json_string(value == NULL ? "" : value));
	}
	return o;
}

/* Whom the rule's `target` names is the target, the other the source. */
static void
set_target(json_t *o, const struct alert *a)
{
	static const char *const keys[2] = {"ip", "port"};
	const struct obs_flow *f = &a->flow;
	json_t *client, *server;

	if (a->target == 0)
		return;
	client = json_object();
	server = json_object();
	eve_set_endpoint(client, keys, &f->client, f->client_port);
	eve_set_endpoint(server, keys, &f->server, f->server_port);
	(void)json_object_set_new(
	    o, "source", a->target == 1 ? server : client);
	(void)json_object_set_new(
	    o, "target", a->target == 1 ? client : server);
}

static json_t *
alert_object(const struct alert *a)
{
	const char *category = a->category;
	json_t *o = json_object();

	if (category[0] == '\0') /* of an alert that was stored */
		category = classtype_description(a->classtype);

	json_set_text(o, "action", "allowed");
	json_set_number(o, "gid", a->gid);
	json_set_number(o, "signature_id", a->sid);
	json_set_number(o, "rev", a->rev);
	(void)json_object_set_new(o, "signature", json_text(a->msg));
	(void)json_object_set_new(
	    o, "category", json_text(category == NULL ? "" : category));
	json_set_number(o, "severity", eve_severity(a->severity));
	if (a->metadata[0] != '\0')
		(void)json_object_set_new(o, "metadata", metadata(a));
	set_target(o, a);
	return o;
}

static json_t *
evidence_list(const struct finding *f)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < f->nevidence && i < FINDING_EVIDENCE_MAX; i++)
		(void)json_array_append_new(
		    list, json_text(f->evidence[i].text));
	return list;
}

static const char *
either(const char *own, const char *table)
{
	return own[0] != '\0' ? own : table;
}

static json_t *
stripwire_object(const struct alert *a, const char *host)
{
	const struct finding *f = &a->finding;
	const struct finding_info *info = finding_info(f->id);
	char vis[VIS_WORDS_MAX], id[EVENT_ID_MAX];
	json_t *o = json_object();

	json_set_text(o, "event_id", event_alert_id(id, host, a));
	json_set_text(o, "finding", info->name);
	json_set_number(o, "confidence", f->confidence);
	json_set_text(o, "severity", severity_name(a->severity));
	(void)json_object_set_new(o, "evidence", evidence_list(f));
	if (a->incident != 0)
		json_set_number(o, "incident_id", (uint64_t)a->incident);
	json_set_text(o, "visibility", vis_format(vis, sizeof(vis), f->vis));
	(void)json_object_set_new(
	    o, "advice", json_text(either(f->advice, info->advice)));
	json_set_text(o, "where", either(f->where, info->where));
	json_set_text(o, "user", f->user);
	json_set_text(o, "mechanism", f->mech);
	json_set_text(o, "server_name", a->server_name);
	json_set_text(o, "cert_sha256", f->cert_sha256);
	return o;
}

/* Empty where no hello had been seen. */
static json_t *
tls_object(const struct alert_tls *t)
{
	json_t *o = json_object();

	json_set_text(o, "sni", t->sni);
	if (t->version != 0)
		json_set_text(o, "version", eve_tls_version(t->version));
	if (t->resumed)
		(void)json_object_set_new(o, "session_resumed", json_true());
	eve_set_hash(o, "ja3", t->ja3);
	eve_set_hash(o, "ja3s", t->ja3s);
	json_set_text(o, "ja4", t->ja4);
	return o;
}

static void
set_tls(json_t *o, const struct alert_tls *t)
{
	json_t *tls = tls_object(t);

	if (json_object_size(tls) > 0)
		(void)json_object_set_new(o, "tls", tls);
	else
		json_decref(tls);
}

static void
set_header(json_t *o, const struct alert *a, const char *pcap_file)
{
	static const char *const src[2] = {"src_ip", "src_port"};
	static const char *const dst[2] = {"dest_ip", "dest_port"};
	const struct obs_flow *f = &a->flow;
	char buf[COMMUNITY_ID_MAX];

	json_set_time(o, "timestamp", a->finding.time);
	json_set_number(o, "flow_id", f->public_id & FLOW_ID_MASK);
	if (pcap_file != NULL && frame_of(a) != 0)
		json_set_number(o, "pcap_cnt", frame_of(a));
	json_set_text(o, "event_type", "alert");
	eve_set_vlan(o, f);
	/* what a rule on content matched has a sender, as in Suricata */
	eve_set_endpoint(
	    o, a->to_client ? dst : src, &f->client, f->client_port);
	eve_set_endpoint(
	    o, a->to_client ? src : dst, &f->server, f->server_port);
	json_set_text(o, "proto", "TCP");
	json_set_text(o, "community_id", community_id(buf, f));
}

size_t
eve_format(char *buf, size_t cap, const struct alert *a, const char *host,
    const char *pcap_file)
{
	json_t *o = json_object();

	set_header(o, a, pcap_file);
	(void)json_object_set_new(o, "alert", alert_object(a));
	if (proto_is_mail((enum proto)a->proto))
		json_set_text(o, "app_proto", proto_name(a->proto));
	if (a->finding.id == FIND_NONE)
		json_set_text(
		    o, "direction", a->to_client ? "to_client" : "to_server");
	set_tls(o, &a->tls);
	(void)json_object_set_new(o, "stripwire", stripwire_object(a, host));
	json_set_text(o, "host", host);
	json_set_text(o, "pcap_filename", pcap_file);
	return json_line(buf, cap, o);
}
