/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was seen of a connection as EVE objects: head, flow, tls, smtp, stats.
 * Commands of IMAP and POP3 are in eve_command.c. */
#include "db/eve_event.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "db/community_id.h"
#include "db/eve_command.h"
#include "db/eve_parts.h"
#include "db/json_set.h"
#include "decoders/hash.h"
#include "rules/facts.h"
#include "rules/talk.h"
#include "rules/visibility.h"

#define NS INT64_C(1000000000)

unsigned
eve_events_of(const struct judge_view *v)
{
	unsigned bits = v->over != NULL ? EVENT_BIT(EVENT_SMTP) : 0;

	if (v->o->kind == OBS_FLOW_END)
		bits |= EVENT_BIT(EVENT_FLOW);
	else if (v->o->kind == OBS_TLS_DONE)
		bits |= EVENT_BIT(EVENT_TLS);
	else if (eve_is_command(v))
		bits |= EVENT_BIT(
		    v->f->proto == PROTO_POP3 ? EVENT_POP3 : EVENT_IMAP);
	return bits;
}

int64_t
eve_event_time(const struct eve_seen *s)
{
	if (s->type == EVENT_SMTP)
		return s->v->over->time;
	return s->type == EVENT_FLOW ? s->v->o->u.end.last : s->v->o->time;
}

static void
set_head(json_t *o, const struct eve_seen *s, const struct eve_place *at)
{
	static const char *const src[2] = {"src_ip", "src_port"};
	static const char *const dst[2] = {"dest_ip", "dest_port"};
	const struct facts *f = s->v->f;
	const struct obs_flow *who = &f->who;
	char buf[COMMUNITY_ID_MAX];

	json_set_time(o, "timestamp", eve_event_time(s));
	json_set_number(o, "flow_id", who->public_id & FLOW_ID_MASK);
	json_set_text(o, "in_iface", at->iface);
	json_set_text(o, "event_type", event_type_name(s->type));
	eve_set_vlan(o, who);
	eve_set_endpoint(o, src, &who->client, who->client_port);
	eve_set_endpoint(o, dst, &who->server, who->server_port);
	json_set_text(o, "proto", "TCP");
	json_set_text(o, "community_id", community_id(buf, who));
	if (proto_is_mail((enum proto)f->proto))
		json_set_text(o, "app_proto", proto_name(f->proto));
}

static void
set_bool(json_t *o, const char *key, bool b)
{
	(void)json_object_set_new(o, key, json_boolean(b));
}

/* ---- flow ---- */

/* Suricata looks at a connection that both sides closed when its time is up. */
static const char *
flow_reason(uint8_t how)
{
	static const char *const reasons[] = {[END_FIN] = "timeout",
	    [END_RST] = "timeout",
	    [END_TIMEOUT] = "timeout",
	    [END_EVICTED] = "forced",
	    [END_INPUT] = "shutdown",
	    [END_REUSED] = "tcp_reuse"};

	return how != 0 && how < sizeof(reasons) / sizeof(reasons[0])
		   ? reasons[how]
		   : "unknown";
}

static const char *
flow_state(const struct obs *o)
{
	if (o->u.end.how == END_FIN || o->u.end.how == END_RST)
		return "closed";
	return o->phase == PHASE_SYN ? "new" : "established";
}

static json_t *
flow_object(const struct judge_view *v)
{
	const struct obs_end *e = &v->o->u.end;
	int64_t start = v->f->who.start;
	json_t *o = json_object();

	json_set_number(o, "pkts_toserver", e->packets[DIR_C2S]);
	json_set_number(o, "pkts_toclient", e->packets[DIR_S2C]);
	json_set_number(o, "bytes_toserver", e->frame_bytes[DIR_C2S]);
	json_set_number(o, "bytes_toclient", e->frame_bytes[DIR_S2C]);
	json_set_time(o, "start", start);
	json_set_time(o, "end", e->last);
	json_set_number(
	    o, "age", e->last > start ? (uint64_t)((e->last - start) / NS) : 0);
	json_set_text(o, "state", flow_state(v->o));
	json_set_text(o, "reason", flow_reason(e->how));
	set_bool(o, "alerted", v->alerts != 0);
	return o;
}

static void
set_flags(json_t *o, const char *key, unsigned flags)
{
	(void)json_object_set_new(o, key, json_sprintf("%02x", flags));
}

static json_t *
tcp_object(const struct obs_end *e)
{
	static const struct {
		const char *name;
		uint8_t bit;
	} bits[] = {{"syn", TCP_SYN}, {"fin", TCP_FIN}, {"rst", TCP_RST},
	    {"psh", TCP_PSH}, {"ack", TCP_ACK}, {"urg", TCP_URG}};
	unsigned all = e->tcp_flags[0] | e->tcp_flags[1];
	json_t *o = json_object();

	set_flags(o, "tcp_flags", all);
	set_flags(o, "tcp_flags_ts", e->tcp_flags[DIR_C2S]);
	set_flags(o, "tcp_flags_tc", e->tcp_flags[DIR_S2C]);
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if ((all & bits[i].bit) != 0)
			set_bool(o, bits[i].name, true);
	return o;
}

static const char *
end_name(uint8_t how)
{
	static const char *const names[] = {[END_FIN] = "fin",
	    [END_RST] = "rst",
	    [END_TIMEOUT] = "timeout",
	    [END_EVICTED] = "evicted",
	    [END_INPUT] = "input",
	    [END_REUSED] = "reused"};

	return how != 0 && how < sizeof(names) / sizeof(names[0]) ? names[how]
								  : "unknown";
}

static void
set_findings(json_t *o, const struct facts *f)
{
	json_t *list = json_array();

	for (unsigned id = 1; id < FIND_COUNT; id++)
		if (facts_raised(f, (enum finding_id)id))
			(void)json_array_append_new(
			    list, json_string(
				      finding_info((enum finding_id)id)->name));
	(void)json_object_set_new(o, "findings", list);
}

/* How far it came with STARTTLS, in one word. */
static const char *
starttls_word(const struct facts *f)
{
	static const char *const answers[] = {"unanswered",
	    [ANSWER_POSITIVE] = "accepted", [ANSWER_TEMPFAIL] = "refused",
	    [ANSWER_PERMFAIL] = "refused", [ANSWER_INVALID] = "invalid"};

	if (f->implicit_tls)
		return "implicit";
	if (f->tls->asked.time != 0)
		return answers[f->tls->answer % 5];
	if (f->caps->ever_starttls)
		return "offered";
	return f->caps->source != 0 && f->caps->complete ? "not-offered"
							 : "unknown";
}

/* The list as it was before TLS; a hash of it, as lists are long. Order counts:
 * who takes a word out and who puts one in leaves the rest as it was. */
static void
set_capabilities(json_t *o, const struct facts_caps *c)
{
	uint8_t hash[HASH_SHA256_LEN];
	char hex[2 * HASH_SHA256_LEN + 1];

	if (c->source == 0)
		return;
	(void)json_object_set_new(o, "capabilities", json_lines(c->words));
	if (hash_sha256(
		(struct slice){(const uint8_t *)c->words, strlen(c->words)},
		hash) == 0) {
		hash_hex(hex, hash, sizeof(hash));
		hex[32] = '\0';
		json_set_text(o, "capabilities_hash", hex);
	}
	set_bool(o, "capabilities_complete", c->complete);
	json_set_text(o, "client_name", c->name);
}

static void
set_hex(json_t *o, const char *key, const uint8_t *p, size_t n)
{
	char hex[2 * HASH_SHA256_LEN + 1];

	hash_hex(hex, p, n);
	json_set_text(o, key, hex);
}

static void
set_server_keys(
    json_t *o, const struct facts *f, const struct chain_verdict *chain)
{
	if (!f->tls->has_chain || chain == NULL)
		return;
	set_hex(o, "cert_sha256", chain->leaf.sha256, 32);
	set_hex(o, "key_sha256", chain->leaf.spki_sha256, 32);
	set_bool(o, "cert_trusted", chain->trust == TRUST_OK);
}

static void
set_numbers(json_t *o, const struct obs_end *e)
{
	if (e->isn_known[DIR_C2S])
		json_set_number(o, "isn_client", e->isn[DIR_C2S]);
	if (e->isn_known[DIR_S2C])
		json_set_number(o, "isn_server", e->isn[DIR_S2C]);
	if (e->client_ttl != 0)
		json_set_number(o, "ttl_client", e->client_ttl);
	if (e->server_ttl != 0)
		json_set_number(o, "ttl_server", e->server_ttl);
	if (e->rtt[DIR_C2S] != 0)
		json_set_number(o, "rtt_client_us", e->rtt[DIR_C2S]);
	if (e->rtt[DIR_S2C] != 0)
		json_set_number(o, "rtt_server_us", e->rtt[DIR_S2C]);
	json_set_number(o, "payload_toserver", e->bytes[DIR_C2S]);
	json_set_number(o, "payload_toclient", e->bytes[DIR_S2C]);
	json_set_number(o, "retransmissions", e->retrans);
}

static void
set_names(json_t *o, const struct facts *f)
{
	const char *name =
	    f->tls->sni[0] != '\0' ? f->tls->sni : f->greeting->host;

	json_set_text(o, "server_name", name);
	json_set_text(o, "greeting_name", f->greeting->host);
	json_set_text(o, "sni", f->tls->sni);
}

static void
set_flow_end(
    json_t *o, const struct judge_view *v, const struct chain_verdict *chain)
{
	const struct facts *f = v->f;
	const struct obs_end *e = &v->o->u.end;

	json_set_text(o, "end", end_name(e->how));
	if (e->how == END_FIN || e->how == END_RST)
		json_set_text(o, "closed_by",
		    e->closed_by == DIR_C2S ? "client" : "server");
	json_set_text(o, "starttls", starttls_word(f));
	set_bool(o, "starttls_offered", f->caps->ever_starttls);
	set_bool(o, "tls_established", f->tls->done.time != 0);
	if (f->tls->version != 0)
		json_set_text(
		    o, "tls_version", eve_tls_version(f->tls->version));
	set_names(o, f);
	set_capabilities(o, f->caps);
	set_server_keys(o, f, chain);
	set_numbers(o, e);
	set_findings(o, f);
}

static void
set_own(json_t *o, const struct judge_view *v)
{
	char vis[VIS_WORDS_MAX];

	json_set_text(o, "visibility", vis_format(vis, sizeof(vis), v->f->vis));
	if (v->incident != 0)
		json_set_number(o, "incident_id", (uint64_t)v->incident);
}

static void
set_flow(
    json_t *o, const struct judge_view *v, const struct chain_verdict *chain)
{
	json_t *ours = json_object();

	(void)json_object_set_new(o, "flow", flow_object(v));
	(void)json_object_set_new(o, "tcp", tcp_object(&v->o->u.end));
	set_own(ours, v);
	set_flow_end(ours, v, chain);
	(void)json_object_set_new(o, "stripwire", ours);
}

/* ---- tls ---- */

/* As Suricata writes bytes: with colons between. */
static void
set_colons(json_t *o, const char *key, const char *hex)
{
	char out[256];
	size_t n = 0;

	for (size_t i = 0; hex[i] != '\0' && n < sizeof(out) - 3; i++) {
		if (i > 0 && i % 2 == 0)
			out[n++] = ':';
		out[n++] = hex[i];
	}
	out[n] = '\0';
	json_set_text(o, key, out);
}

/* 2026-11-22T10:03:14, without a zone: it is UTC. A certificate may hold any
 * year: what lies beyond 9999 is not told. */
static void
set_validity(json_t *o, const char *key, int64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[80];
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1900 ||
	    tm.tm_year > 9999 - 1900)
		return;
	(void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
	json_set_text(o, key, text);
}

static void
set_certificate(json_t *o, const struct x509_facts *leaf)
{
	char sha1[2 * HASH_SHA1_LEN + 1];
	char serial[sizeof(leaf->serial) + 1];

	json_set_text(o, "subject", leaf->subject);
	json_set_text(o, "issuerdn", leaf->issuer);
	/* whole bytes */
	(void)snprintf(serial, sizeof(serial), "%s%s",
	    strlen(leaf->serial) % 2 == 1 ? "0" : "", leaf->serial);
	for (char *p = serial; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	set_colons(o, "serial", serial);
	hash_hex(sha1, leaf->sha1, sizeof(leaf->sha1));
	set_colons(o, "fingerprint", sha1);
	set_validity(o, "notbefore", leaf->not_before);
	set_validity(o, "notafter", leaf->not_after);
}

static json_t *
tls_object(const struct facts_tls *t, const struct chain_verdict *chain)
{
	json_t *o = json_object();

	if (t->has_chain && chain != NULL && chain->trust != TRUST_MALFORMED)
		set_certificate(o, &chain->leaf);
	json_set_text(o, "sni", t->sni);
	if (t->version != 0)
		json_set_text(o, "version", eve_tls_version(t->version));
	if (t->resumed)
		set_bool(o, "session_resumed", true);
	eve_set_hash(o, "ja3", t->ja3);
	eve_set_hash(o, "ja3s", t->ja3s);
	json_set_text(o, "ja4", t->ja4);
	return o;
}

static void
set_tls(
    json_t *o, const struct judge_view *v, const struct chain_verdict *chain)
{
	json_t *ours = json_object();

	(void)json_object_set_new(o, "tls", tls_object(v->f->tls, chain));
	set_own(ours, v);
	json_set_text(ours, "starttls", starttls_word(v->f));
	set_bool(ours, "tls_established", true);
	set_names(ours, v->f);
	set_server_keys(ours, v->f, chain);
	(void)json_object_set_new(o, "stripwire", ours);
}

/* ---- smtp ---- */

static void
set_smtp(json_t *o, const struct judge_view *v)
{
	const struct talk *t = v->over;
	json_t *smtp = json_object(), *ours = json_object();

	json_set_text(smtp, "helo", v->f->caps->name);
	json_set_text(smtp, "mail_from", t->mail_from);
	if (t->rcpts > 0)
		(void)json_object_set_new(
		    smtp, "rcpt_to", json_lines(t->rcpt_to));
	(void)json_object_set_new(o, "smtp", smtp);
	set_own(ours, v);
	json_set_number(ours, "recipients", t->rcpts);
	set_names(ours, v->f);
	(void)json_object_set_new(o, "stripwire", ours);
}

static void
set_id(json_t *o, const char *id)
{
	json_t *ours = json_object_get(o, "stripwire");
	json_t *first = json_object();

	json_set_text(first, "event_id", id);
	(void)json_object_update(first, ours);
	(void)json_object_set_new(o, "stripwire", first);
}

size_t
eve_format_event(
    char *buf, size_t cap, const struct eve_seen *s, const struct eve_place *at)
{
	json_t *o = json_object();

	set_head(o, s, at);
	switch (s->type) {
	case EVENT_FLOW:
		set_flow(o, s->v, s->chain);
		break;
	case EVENT_TLS:
		set_tls(o, s->v, s->chain);
		break;
	case EVENT_SMTP:
		set_smtp(o, s->v);
		break;
	default:
		(void)json_object_set_new(
		    o, event_type_name(s->type), eve_command(s->v));
		(void)json_object_set_new(
		    o, "stripwire", eve_command_own(s->v));
		break;
	}
	set_id(o, at->id);
	json_set_text(o, "host", at->host);
	json_set_text(o, "pcap_filename", at->pcap_file);
	return json_line(buf, cap, o);
}

/* ---- stats ---- */

static json_t *
stats_object(const struct eve_stats *s)
{
	return json_pack("{sI s{sI sI sI} s{sI} s{sI sI sI sI sI} s{sI sI}}",
	    "uptime", (json_int_t)s->uptime, "decoder", "pkts",
	    (json_int_t)s->packets, "bytes", (json_int_t)s->bytes, "tcp",
	    (json_int_t)s->tcp, "flow", "tcp", (json_int_t)s->flows, "tcp",
	    "sessions", (json_int_t)s->flows, "rst", (json_int_t)s->rst,
	    "midstream_pickups", (json_int_t)s->midstream, "invalid_checksum",
	    (json_int_t)s->bad_checksums, "reassembly_gap",
	    (json_int_t)s->holes, "detect", "alert", (json_int_t)s->alerts,
	    "alerts_suppressed", (json_int_t)s->alerts_folded);
}

size_t
eve_format_stats(char *buf, size_t cap, const struct eve_stats *s,
    const struct eve_place *at)
{
	json_t *o = json_object(), *stats = stats_object(s);
	json_t *ours = json_object();

	json_set_time(o, "timestamp", s->time);
	json_set_text(o, "event_type", event_type_name(EVENT_STATS));
	if (s->captured)
		(void)json_object_set_new(stats, "capture",
		    json_pack("{sI sI}", "kernel_packets",
			(json_int_t)s->kernel_packets, "kernel_drops",
			(json_int_t)s->kernel_drops));
	(void)json_object_set_new(o, "stats", stats);
	json_set_number(ours, "observations", s->observations);
	json_set_number(ours, "findings", s->findings);
	(void)json_object_set_new(o, "stripwire", ours);
	set_id(o, at->id);
	json_set_text(o, "host", at->host);
	return json_line(buf, cap, o);
}
