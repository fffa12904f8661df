/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Elastic Common Schema 8. What it has no field for stands under stripwire.*,
 * as in EVE. Keys are ours alone: what a rule or the wire says is always a
 * value, as a key with a dot or of spaces alone keeps Elasticsearch from taking
 * the document.
 */
#include <string.h>

#include "db/feed_map.h"
#include "db/feed_private.h"
#include "db/feed_sentence.h"
#include "decoders/version.h"

#define ECS_VERSION "8.11.0"

static const struct map_row plain[] = {
    {"timestamp", "@timestamp", MAP_TIME},
    {"stripwire.event_id", "event.id", MAP_TEXT},
    {"stripwire.finding", "event.action", MAP_TEXT},
    {"stripwire.evidence.0", "event.reason", MAP_TEXT},
    {"alert.signature_id", "rule.id", MAP_WORD},
    {"alert.signature", "rule.name", MAP_TEXT},
    {"alert.category", "rule.category", MAP_TEXT},
    {"alert.rev", "rule.version", MAP_WORD},
    {"src_ip", "source.ip", MAP_TEXT},
    {"src_ip", "source.address", MAP_TEXT},
    {"src_port", "source.port", MAP_NUMBER},
    {"dest_ip", "destination.ip", MAP_TEXT},
    {"dest_ip", "destination.address", MAP_TEXT},
    {"dest_port", "destination.port", MAP_NUMBER},
    {"community_id", "network.community_id", MAP_TEXT},
    {"app_proto", "network.protocol", MAP_TEXT},
    {"vlan.0", "network.vlan.id", MAP_WORD},
    {"vlan.1", "network.inner.vlan.id", MAP_WORD},
    {"flow.pkts_toserver", "source.packets", MAP_NUMBER},
    {"flow.bytes_toserver", "source.bytes", MAP_NUMBER},
    {"flow.pkts_toclient", "destination.packets", MAP_NUMBER},
    {"flow.bytes_toclient", "destination.bytes", MAP_NUMBER},
    {"flow.start", "event.start", MAP_TIME},
    {"flow.end", "event.end", MAP_TIME},
    {"stripwire.first", "event.start", MAP_TIME},
    {"stripwire.last", "event.end", MAP_TIME},
    {"tls.sni", "tls.client.server_name", MAP_TEXT},
    {"tls.ja3.hash", "tls.client.ja3", MAP_TEXT},
    {"tls.ja3s.hash", "tls.server.ja3s", MAP_TEXT},
    {"tls.session_resumed", "tls.resumed", MAP_BOOL},
    {"tls.subject", "tls.server.subject", MAP_TEXT},
    {"tls.issuerdn", "tls.server.issuer", MAP_TEXT},
    {"tls.notbefore", "tls.server.not_before", MAP_TIME},
    {"tls.notafter", "tls.server.not_after", MAP_TIME},
    {"stripwire.cert_sha256", "tls.server.hash.sha256", MAP_TEXT},
    {"stripwire.tls_established", "tls.established", MAP_BOOL},
    {"stripwire.user", "user.name", MAP_TEXT},
    {"smtp.mail_from", "email.from.address", MAP_LIST},
    {"smtp.rcpt_to", "email.to.address", MAP_LIST},
    {"host", "observer.hostname", MAP_TEXT},
    {"host", "observer.name", MAP_TEXT},
    {"in_iface", "observer.ingress.interface.name", MAP_TEXT},
    /* ours */
    {"flow_id", "stripwire.flow_id", MAP_WORD},
    {"pcap_cnt", "stripwire.pcap_cnt", MAP_NUMBER},
    {"pcap_filename", "stripwire.pcap_filename", MAP_TEXT},
    {"tls.ja4", "stripwire.ja4", MAP_TEXT},
    {"flow.state", "stripwire.state", MAP_TEXT},
    {"flow.reason", "stripwire.reason", MAP_TEXT},
    {"smtp.helo", "stripwire.helo", MAP_TEXT},
    {"stats.uptime", "stripwire.uptime", MAP_NUMBER},
    {"stats.decoder.pkts", "stripwire.packets", MAP_NUMBER},
    {"stats.decoder.bytes", "stripwire.bytes", MAP_NUMBER},
    {"stats.capture.kernel_packets", "stripwire.kernel_packets", MAP_NUMBER},
    {"stats.capture.kernel_drops", "stripwire.kernel_drops", MAP_NUMBER},
};

static const char *const hosts[] = {
    "stripwire.server_name", "tls.sni", "smtp.helo"};
static const char *const hashes[] = {
    "stripwire.cert_sha256", "tls.ja3.hash", "tls.ja3s.hash", "tls.ja4"};
static const char *const addresses[] = {"src_ip", "dest_ip"};

/* event.kind, event.category and event.type: what ECS allows of them. */
static const struct {
	const char *event, *kind, *category[2], *type[2];
} classes[] = {
    {"alert", "alert", {"intrusion_detection", "network"}, {"allowed"}},
    {"incident", "alert", {"intrusion_detection", "network"}, {"info"}},
    {"flow", "event", {"network"}, {"connection", "end"}},
    {"tls", "event", {"network"}, {"connection", "protocol"}},
    {"smtp", "event", {"network", "email"}, {"protocol", "info"}},
    {"imap", "event", {"network"}, {"protocol"}},
    {"pop3", "event", {"network"}, {"protocol"}},
    {"stats", "metric", {NULL}, {"info"}},
};

/* Elastic's own scale of risk: low 21, medium 47, high 73, critical 99. */
static json_int_t
ecs_severity(const json_t *eve)
{
	static const uint8_t grades[] = {[SEV_INFO] = 1,
	    [SEV_LOW] = 21,
	    [SEV_MEDIUM] = 47,
	    [SEV_HIGH] = 73,
	    [SEV_CRITICAL] = 99};

	return grades[feed_severity(eve)];
}

/* Of a login, if it was seen; the rest has none, or nobody knows. */
static const char *
outcome(const json_t *eve)
{
	const char *auth = map_text(eve, "stripwire.auth");

	if (strcmp(auth, "accepted") == 0)
		return "success";
	return strcmp(auth, "refused") == 0 ? "failure" : "unknown";
}

static void
put_event(json_t *o, const json_t *eve)
{
	const char *type = map_text(eve, "event_type");
	size_t i = 0, n = sizeof(classes) / sizeof(classes[0]);

	while (i < n && strcmp(classes[i].event, type) != 0)
		i++;
	map_put_text(o, "event.kind", i < n ? classes[i].kind : "event");
	for (unsigned k = 0; i < n && k < 2; k++) {
		if (classes[i].category[k] != NULL)
			map_add_text(
			    o, "event.category", classes[i].category[k]);
		if (classes[i].type[k] != NULL)
			map_add_text(o, "event.type", classes[i].type[k]);
	}
	map_put(o, "event.dataset", json_sprintf("stripwire.%s", type));
	map_put_text(o, "event.module", "stripwire");
	map_put_text(o, "event.provider", "stripwire");
	map_put_text(o, "event.outcome", outcome(eve));
	map_put(o, "event.severity", json_integer(ecs_severity(eve)));
}

static void
put_network(json_t *o, const json_t *eve)
{
	const char *src = map_text(eve, "src_ip");
	const char *name = map_text(eve, "stripwire.server_name");
	json_int_t bytes = map_number(eve, "flow.bytes_toserver", -1);
	json_int_t packets = map_number(eve, "flow.pkts_toserver", -1);

	if (src[0] != '\0') {
		map_put_text(o, "network.transport", "tcp");
		map_put_text(o, "network.type",
		    strchr(src, ':') != NULL ? "ipv6" : "ipv4");
	}
	if (bytes >= 0)
		map_put(o, "network.bytes",
		    json_integer(
			bytes + map_number(eve, "flow.bytes_toclient", 0)));
	if (packets >= 0)
		map_put(o, "network.packets",
		    json_integer(
			packets + map_number(eve, "flow.pkts_toclient", 0)));
	map_put_text(o,
	    feed_server_is_source(eve) ? "source.domain" : "destination.domain",
	    name);
}

/* "TLS 1.2" and "TLSv1", as EVE has it, in two fields. */
static void
put_tls_version(json_t *o, const json_t *eve)
{
	const char *v = map_text(eve, "tls.version");
	bool ssl = strncmp(v, "SSL", 3) == 0;
	const char *number = v + strcspn(v, "0123456789");

	if (*number == '\0')
		return;
	map_put(o, "tls.version",
	    json_string(strcmp(number, "1") == 0 ? "1.0" : number));
	map_put_text(o, "tls.version_protocol", ssl ? "ssl" : "tls");
}

/* EVE has the serial number with colons, ECS without and in upper case. */
static void
put_serial(json_t *o, const json_t *eve)
{
	const char *s = map_text(eve, "tls.serial");
	char hex[128];
	size_t n = 0;

	for (; *s != '\0' && n < sizeof(hex) - 1; s++)
		if (*s != ':')
			hex[n++] = *s;
	hex[n] = '\0';
	map_put_text(o, "tls.server.x509.serial_number", hex);
}

static void
put_related(json_t *o, const json_t *eve)
{
	size_t i;
	json_t *v;

	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		map_add_text(o, "related.ip", map_text(eve, addresses[i]));
	json_array_foreach(map_get(eve, "stripwire.clients"), i, v)
	    map_add_text(
		o, "related.ip", json_is_string(v) ? json_string_value(v) : "");
	json_array_foreach(map_get(eve, "stripwire.servers"), i, v)
	    map_add_text(
		o, "related.ip", json_is_string(v) ? json_string_value(v) : "");
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		map_add_text(o, "related.hosts", map_text(eve, hosts[i]));
	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		map_add_text(o, "related.hash", map_text(eve, hashes[i]));
	map_add_text(o, "related.user", map_text(eve, "stripwire.user"));
}

/* {"key": ["value"]} of a rule as "key value". */
static void
put_metadata(json_t *o, const json_t *eve)
{
	const char *key;
	json_t *list, *v, *text;
	size_t i;

	json_object_foreach(map_get(eve, "alert.metadata"), key, list)
	    json_array_foreach(list, i, v)
	{
		if (!json_is_string(v))
			continue;
		text = json_sprintf("%s %s", key, json_string_value(v));
		if (text != NULL)
			map_add_text(
			    o, "stripwire.metadata", json_string_value(text));
		json_decref(text);
	}
}

/* What stands elsewhere now need not stand here again. */
static void
put_ours(json_t *o, const json_t *eve)
{
	static const char *const moved[] = {"event_id", "finding", "user",
	    "server_name", "cert_sha256", "first", "last", "tls_established"};
	json_t *ours = json_deep_copy(json_object_get(eve, "stripwire"));
	json_t *beside = json_object_get(o, "stripwire");

	map_times(ours);
	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++)
		(void)json_object_del(ours, moved[i]);
	if (!json_is_object(ours)) {
		json_decref(ours);
		return;
	}
	(void)json_object_update(ours, beside);
	map_put(o, "stripwire", ours);
}

json_t *
feed_ecs(const json_t *eve)
{
	char sentence[FEED_SENTENCE_MAX];
	json_t *o = json_object();

	MAP_ROWS(o, eve, plain);
	map_put_text(o, "ecs.version", ECS_VERSION);
	map_put_text(o, "message", feed_sentence(sentence, eve));
	put_event(o, eve);
	put_network(o, eve);
	put_tls_version(o, eve);
	put_serial(o, eve);
	put_related(o, eve);
	put_metadata(o, eve);
	map_put_text(o, "observer.vendor", FEED_VENDOR);
	map_put_text(o, "observer.product", FEED_PRODUCT);
	map_put_text(o, "observer.version", STRIPWIRE_VERSION);
	map_put_text(o, "observer.type", "ids");
	put_ours(o, eve);
	return o;
}
