/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows to JSON. Text that is not UTF-8 (a database written by somebody else)
 * is cleaned rather than dropped.
 */
#include "sensor/alert_json.h"

#include <stdlib.h>
#include <string.h>

#include "db/addr_text.h"
#include "db/json_set.h"
#include "db/triage.h"
#include "rules/visibility.h"
#include "sensor/text.h"

static void
set_text(json_t *o, const char *key, const char *s)
{
	static const struct text_style all = {.utf8 = true};
	json_t *v = json_string(s);
	char *clean;

	if (v == NULL && (clean = malloc(4 * strlen(s) + 1)) != NULL) {
		v = json_string(text_clean(clean, 4 * strlen(s) + 1, s, &all));
		free(clean);
	}
	json_object_set_new(o, key, v != NULL ? v : json_null());
}

/* As set_text(), but leaves out what is empty. */
static void
set_some(json_t *o, const char *key, const char *s)
{
	if (s[0] != '\0')
		set_text(o, key, s);
}

static void
set_int(json_t *o, const char *key, int64_t v)
{
	json_object_set_new(o, key, json_integer(v));
}

static void
add_flow(json_t *o, const struct query_row *row)
{
	const struct obs_flow *f = &row->alert.flow;
	char addr[ADDR_TEXT_MAX];

	set_int(o, "flow_id", (int64_t)f->public_id);
	set_text(o, "event_type", "alert");
	set_text(o, "src_ip", addr_to_text(addr, &f->client));
	set_int(o, "src_port", f->client_port);
	set_text(o, "dest_ip", addr_to_text(addr, &f->server));
	set_int(o, "dest_port", f->server_port);
	set_text(o, "proto", "TCP");
	set_text(o, "app_proto", proto_name((enum proto)row->alert.proto));
	if (f->nvlan != 0) {
		json_t *vlan = json_array();

		for (unsigned i = 0; i < f->nvlan && i < 2; i++)
			json_array_append_new(vlan, json_integer(f->vlan[i]));
		json_object_set_new(o, "vlan", vlan);
	}
	set_some(o, "pcap_filename", row->capture);
	if (row->alert.finding.pkt.frame_no != 0)
		set_int(o, "pcap_cnt", row->alert.finding.pkt.frame_no);
}

static json_t *
rule_object(const struct alert *a)
{
	json_t *o = json_object();

	set_text(o, "action", "allowed");
	set_int(o, "gid", a->gid);
	set_int(o, "signature_id", a->sid);
	set_int(o, "rev", a->rev);
	set_text(o, "signature", a->msg);
	set_text(o, "category", a->classtype);
	set_int(o, "severity", eve_severity(a->severity));
	return o;
}

static void
add_evidence(json_t *o, const struct finding *f)
{
	json_t *sentences = json_array(), *weights = json_array();
	json_t *one = json_object();

	for (unsigned i = 0; i < f->nevidence; i++) {
		set_text(one, "s", f->evidence[i].text);
		json_array_append(sentences, json_object_get(one, "s"));
		json_array_append_new(
		    weights, json_integer(f->evidence[i].weight));
	}
	json_decref(one);
	json_object_set_new(o, "evidence", sentences);
	json_object_set_new(o, "weights", weights);
}

static void
add_tags(json_t *o, uint32_t tags)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < 32; i++) {
		const char *name = NULL;

		if ((tags & 1u << i) != 0)
			name = evidence_tag_name(1u << i);
		if (name != NULL)
			json_array_append_new(list, json_string(name));
	}
	json_object_set_new(o, "tags", list);
}

static json_t *
packet_object(const struct pkt_ref *r)
{
	json_t *o = json_object();

	set_int(o, "ordinal", (int64_t)r->ordinal);
	set_int(o, "frame", r->frame_no);
	set_int(o, "seq", r->seq);
	set_int(o, "ack", r->ack);
	set_int(o, "length", r->len);
	set_int(o, "window", r->window);
	set_int(o, "ip_id", r->ip_id);
	set_int(o, "ttl", r->ttl);
	set_int(o, "tcp_flags", r->tcp_flags);
	return o;
}

static json_t *
step_object(const struct step *s)
{
	json_t *o = json_object();

	json_set_time(o, "timestamp", s->time);
	set_text(o, "from", s->dir == DIR_C2S ? "client" : "server");
	set_text(o, "kind", obs_kind_name((enum obs_kind)s->kind));
	set_text(o, "text", s->text);
	if ((s->mark & STEP_WRONG) != 0)
		json_object_set_new(o, "wrong", json_true());
	if ((s->mark & STEP_SKIPPED) != 0)
		json_object_set_new(o, "steps_left_out_before", json_true());
	if ((s->mark & STEP_OTHER_FLOW) != 0)
		json_object_set_new(o, "other_connection", json_true());
	if (s->client_port != 0)
		set_int(o, "src_port", s->client_port);
	if (s->server_port != 0)
		set_int(o, "dest_port", s->server_port);
	if (s->pkt.ordinal != 0)
		json_object_set_new(o, "packet", packet_object(&s->pkt));
	return o;
}

static json_t *
own_object(const struct query_row *row)
{
	const struct alert *a = &row->alert;
	const struct finding *f = &a->finding;
	const struct finding_info *info = finding_info((enum finding_id)f->id);
	char vis[VIS_WORDS_MAX];
	json_t *o = json_object(), *steps = json_array();

	set_text(o, "finding", row->finding);
	set_text(o, "title", info->title);
	set_int(o, "confidence", f->confidence);
	set_text(o, "severity", severity_name((enum severity)a->severity));
	add_evidence(o, f);
	add_tags(o, f->tags);
	set_text(o, "visibility", vis_format(vis, sizeof(vis), f->vis));
	set_text(o, "where", f->where[0] != '\0' ? f->where : info->where);
	set_text(o, "advice", f->advice[0] != '\0' ? f->advice : info->advice);
	if (a->incident != 0)
		set_int(o, "incident_id", a->incident);
	if (row->status != TRIAGE_NEW)
		set_text(o, "status",
		    triage_status_name((enum triage_status)row->status));
	set_some(o, "closed_as", row->closed_as);
	set_some(o, "server_name", a->server_name);
	set_some(o, "user", f->user);
	set_some(o, "mechanism", f->mech);
	set_some(o, "cert_sha256", f->cert_sha256);
	set_some(o, "references", a->reference);
	for (unsigned i = 0; i < a->nsteps; i++)
		json_array_append_new(steps, step_object(&a->steps[i]));
	json_object_set_new(o, "steps", steps);
	return o;
}

int
alert_json_print(FILE *out, const struct query_row *row)
{
	json_t *o = json_object();
	int rc;

	set_int(o, "id", row->id);
	set_int(o, "run", row->run);
	json_set_time(o, "timestamp", row->alert.finding.time);
	add_flow(o, row);
	json_object_set_new(o, "alert", rule_object(&row->alert));
	json_object_set_new(o, "stripwire", own_object(row));
	rc = json_dumpf(o, out, JSON_COMPACT);
	json_decref(o);
	return rc == 0 && fputc('\n', out) != EOF ? 0 : -1;
}
