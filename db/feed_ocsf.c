/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Open Cybersecurity Schema Framework 1.4: detection finding (2004) for alerts
 * and incidents, network activity (4001) for connections and what went on in
 * them, and the base event (0) for the sensor's own counters. `time` and its
 * like are ms since the epoch there; the profile datetime has them a second
 * time, RFC 3339 with microseconds. What has no attribute is in `unmapped`.
 */
#include <string.h>

#include "db/feed_map.h"
#include "db/feed_private.h"
#include "db/feed_sentence.h"
#include "decoders/version.h"

#define OCSF_VERSION "1.4.0"

enum class_uid { BASE_EVENT = 0, DETECTION_FINDING = 2004, NETWORK = 4001 };

static const struct map_row common[] = {
    {"timestamp", "time", MAP_MS},
    {"timestamp", "time_dt", MAP_TIME},
    {"stripwire.event_id", "metadata.uid", MAP_TEXT},
    {"event_type", "metadata.log_name", MAP_TEXT},
    {"timestamp", "metadata.original_time", MAP_TEXT},
    {"host", "metadata.log_provider", MAP_TEXT},
};

static const struct map_row finding[] = {
    {"alert.signature", "finding_info.title", MAP_TEXT},
    {"stripwire.title", "finding_info.title", MAP_TEXT},
    {"stripwire.event_id", "finding_info.uid", MAP_TEXT},
    {"stripwire.finding", "finding_info.types", MAP_LIST},
    {"stripwire.story", "finding_info.types", MAP_LIST},
    {"timestamp", "finding_info.created_time", MAP_MS},
    {"timestamp", "finding_info.created_time_dt", MAP_TIME},
    {"stripwire.first", "finding_info.first_seen_time", MAP_MS},
    {"stripwire.first", "finding_info.first_seen_time_dt", MAP_TIME},
    {"stripwire.last", "finding_info.last_seen_time", MAP_MS},
    {"stripwire.last", "finding_info.last_seen_time_dt", MAP_TIME},
    {"alert.signature_id", "finding_info.analytic.uid", MAP_WORD},
    {"alert.signature", "finding_info.analytic.name", MAP_TEXT},
    {"alert.category", "finding_info.analytic.category", MAP_TEXT},
    {"alert.rev", "finding_info.analytic.version", MAP_WORD},
    {"stripwire.confidence", "confidence_score", MAP_NUMBER},
    {"stripwire.advice", "remediation.desc", MAP_TEXT},
};

/* What an endpoint, a connection and a handshake look like anywhere. */
static const struct map_row connection[] = {
    {"src_ip", "src_endpoint.ip", MAP_TEXT},
    {"src_port", "src_endpoint.port", MAP_NUMBER},
    {"dest_ip", "dst_endpoint.ip", MAP_TEXT},
    {"dest_port", "dst_endpoint.port", MAP_NUMBER},
    {"flow_id", "connection_info.uid", MAP_WORD},
    {"community_id", "connection_info.community_uid", MAP_TEXT},
};

static const struct map_row activity[] = {
    {"app_proto", "app_name", MAP_TEXT},
    {"flow.start", "start_time", MAP_MS},
    {"flow.start", "start_time_dt", MAP_TIME},
    {"flow.end", "end_time", MAP_MS},
    {"flow.end", "end_time_dt", MAP_TIME},
    {"flow.bytes_toserver", "traffic.bytes_out", MAP_NUMBER},
    {"flow.bytes_toclient", "traffic.bytes_in", MAP_NUMBER},
    {"flow.pkts_toserver", "traffic.packets_out", MAP_NUMBER},
    {"flow.pkts_toclient", "traffic.packets_in", MAP_NUMBER},
};

static const struct map_row handshake[] = {
    {"tls.version", "tls.version", MAP_TEXT},
    {"tls.sni", "tls.sni", MAP_TEXT},
    {"tls.subject", "tls.certificate.subject", MAP_TEXT},
    {"tls.issuerdn", "tls.certificate.issuer", MAP_TEXT},
    {"tls.serial", "tls.certificate.serial_number", MAP_TEXT},
    {"tls.notbefore", "tls.certificate.created_time", MAP_MS},
    {"tls.notbefore", "tls.certificate.created_time_dt", MAP_TIME},
    {"tls.notafter", "tls.certificate.expiration_time", MAP_MS},
    {"tls.notafter", "tls.certificate.expiration_time_dt", MAP_TIME},
};

/* An attribute that ends in _id and its caption. */
static void
put_id(json_t *o, const char *id, const char *caption, int n, const char *name)
{
	(void)json_object_set_new(o, id, json_integer(n));
	(void)json_object_set_new(o, caption, json_string(name));
}

static void
put_severity(json_t *o, const json_t *eve)
{
	static const char *const names[] = {[SEV_INFO] = "Informational",
	    [SEV_LOW] = "Low",
	    [SEV_MEDIUM] = "Medium",
	    [SEV_HIGH] = "High",
	    [SEV_CRITICAL] = "Critical"};
	enum severity s = feed_severity(eve);

	put_id(o, "severity_id", "severity", (int)s + 1, names[s]);
}

static void
put_class(json_t *o, enum class_uid class)
{
	const char *category = class == NETWORK		    ? "Network Activity"
			       : class == DETECTION_FINDING ? "Findings"
							    : "Uncategorized";
	const char *name = class == NETWORK		? "Network Activity"
			   : class == DETECTION_FINDING ? "Detection Finding"
							: "Base Event";

	put_id(o, "category_uid", "category_name", (int)class / 1000, category);
	put_id(o, "class_uid", "class_name", (int)class, name);
}

static void
put_activity(json_t *o, enum class_uid class, int id, const char *name)
{
	put_id(o, "activity_id", "activity_name", id, name);
	(void)json_object_set_new(
	    o, "type_uid", json_integer((json_int_t) class * 100 + id));
	(void)json_object_set_new(o, "type_name",
	    json_sprintf("%s: %s",
		json_string_value(json_object_get(o, "class_name")), name));
}

static void
put_metadata(json_t *o)
{
	map_put_text(o, "metadata.version", OCSF_VERSION);
	map_put_text(o, "metadata.product.name", FEED_PRODUCT);
	map_put_text(o, "metadata.product.vendor_name", FEED_VENDOR);
	map_put_text(o, "metadata.product.version", STRIPWIRE_VERSION);
	map_add_text(o, "metadata.profiles", "datetime");
}

/* type_id as in the object observable: 2 an address, 1 a host, 4 a user's
 * name, 8 a hash. */
static void
put_observables(json_t *o, const json_t *eve)
{
	static const struct {
		const char *path, *name, *type;
		int id;
	} seen[] = {
	    {"src_ip", "src_endpoint.ip", "IP Address", 2},
	    {"dest_ip", "dst_endpoint.ip", "IP Address", 2},
	    {"stripwire.server_name", "dst_endpoint.hostname", "Hostname", 1},
	    {"stripwire.user", "actor.user.name", "User Name", 4},
	    {"stripwire.cert_sha256", "tls.certificate.fingerprints", "Hash",
		8},
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		const char *v = map_text(eve, seen[i].path);

		if (v[0] != '\0')
			(void)json_array_append_new(
			    list, json_pack("{ss ss si ss}", "name",
				      seen[i].name, "type", seen[i].type,
				      "type_id", seen[i].id, "value", v));
	}
	map_put(o, "observables", list);
}

static json_t *
fingerprint(int algorithm, const char *name, const char *value)
{
	return json_pack("{si ss ss}", "algorithm_id", algorithm, "algorithm",
	    name, "value", value);
}

/* Into an object that has src_endpoint and the like. */
static void
put_connection(json_t *o, const json_t *eve)
{
	const char *src = map_text(eve, "src_ip");
	bool v6 = strchr(src, ':') != NULL;
	json_t *info;

	MAP_ROWS(o, eve, connection);
	map_put_text(o,
	    feed_server_is_source(eve) ? "src_endpoint.hostname"
				       : "dst_endpoint.hostname",
	    map_text(eve, "stripwire.server_name"));
	if (src[0] == '\0')
		return;
	map_put(o, "connection_info.protocol_num", json_integer(6));
	info = json_object_get(o, "connection_info");
	(void)json_object_set_new(info, "protocol_name", json_string("tcp"));
	/* whether it is inbound nobody has told the sensor */
	put_id(info, "direction_id", "direction", 0, "Unknown");
	put_id(info, "protocol_ver_id", "protocol_ver", v6 ? 6 : 4,
	    v6 ? "Internet Protocol version 6 (IPv6)"
	       : "Internet Protocol version 4 (IPv4)");
}

/* The version is required of the object, issuer and serial of a certificate. */
static void
put_tls(json_t *o, const json_t *eve)
{
	const char *sha256 = map_text(eve, "stripwire.cert_sha256");
	json_t *tls, *certificate;

	if (map_text(eve, "tls.version")[0] == '\0')
		return;
	MAP_ROWS(o, eve, handshake);
	tls = json_object_get(o, "tls");
	if (map_text(eve, "tls.ja3.hash")[0] != '\0')
		map_put(tls, "ja3_hash",
		    fingerprint(1, "MD5", map_text(eve, "tls.ja3.hash")));
	if (map_text(eve, "tls.ja3s.hash")[0] != '\0')
		map_put(tls, "ja3s_hash",
		    fingerprint(1, "MD5", map_text(eve, "tls.ja3s.hash")));
	certificate = json_object_get(tls, "certificate");
	if (map_text(certificate, "issuer")[0] == '\0' ||
	    map_text(certificate, "serial_number")[0] == '\0')
		(void)json_object_del(tls, "certificate");
	else if (sha256[0] != '\0')
		map_put(certificate, "fingerprints",
		    json_pack("[o]", fingerprint(3, "SHA-256", sha256)));
}

static void
put_confidence(json_t *o, const json_t *eve)
{
	json_int_t c = map_number(eve, "stripwire.confidence", -1);

	if (c < 0)
		put_id(o, "confidence_id", "confidence", 0, "Unknown");
	else if (c < 50)
		put_id(o, "confidence_id", "confidence", 1, "Low");
	else if (c < 85)
		put_id(o, "confidence_id", "confidence", 2, "Medium");
	else
		put_id(o, "confidence_id", "confidence", 3, "High");
}

/* Opened, worse, closed: Create, Update, Close. An alert is created. */
static void
put_stage(json_t *o, const json_t *eve)
{
	const char *what = map_text(eve, "stripwire.event");

	if (strcmp(what, "severity") == 0) {
		put_activity(o, DETECTION_FINDING, 2, "Update");
		put_id(o, "status_id", "status", 2, "In Progress");
	} else if (strcmp(what, "closed") == 0) {
		put_activity(o, DETECTION_FINDING, 3, "Close");
		put_id(o, "status_id", "status", 4, "Resolved");
	} else {
		put_activity(o, DETECTION_FINDING, 1, "Create");
		put_id(o, "status_id", "status", 1, "New");
	}
	(void)json_object_set_new(
	    o, "is_alert", json_boolean(strcmp(what, "closed") != 0));
}

/* An incident is the same finding in all that is said of it, and the alerts
 * that it joined name it. */
static void
put_incident(json_t *o, const json_t *eve)
{
	json_int_t id = map_number(eve, "stripwire.incident_id", -1);
	json_t *uid;

	if (id < 0)
		return;
	uid = json_sprintf(
	    "%s/incident/%" JSON_INTEGER_FORMAT, map_text(eve, "host"), id);
	if (strcmp(map_text(eve, "event_type"), "incident") == 0)
		map_put(o, "finding_info.uid", uid);
	else
		map_put(o, "metadata.correlation_uid", uid);
}

static void
put_evidence(json_t *o, const json_t *eve)
{
	json_t *evidence = json_object(), *list, *v;
	const char *user = map_text(eve, "stripwire.user");
	const char *server = map_text(eve, "dest_ip");
	size_t i;

	put_connection(evidence, eve);
	map_put_text(evidence, "actor.user.name", user);
	list = map_get(eve, "stripwire.evidence");
	json_array_foreach(list, i, v) if (json_is_string(v))
	    map_add_text(evidence, "data.sentences", json_string_value(v));
	if (json_object_size(evidence) > 0)
		map_put(o, "evidences", json_pack("[o]", evidence));
	else
		json_decref(evidence);
	if (feed_server_is_source(eve))
		server = map_text(eve, "src_ip");
	if (server[0] != '\0')
		map_put(o, "resources",
		    json_pack(
			"[{ss ss}]", "uid", server, "type", "mail server"));
}

static void
make_finding(json_t *o, const json_t *eve)
{
	put_class(o, DETECTION_FINDING);
	MAP_ROWS(o, eve, finding);
	map_put_text(o, "finding_info.desc", map_text(eve, "stripwire.where"));
	if (map_get(o, "finding_info.analytic") != NULL) {
		map_put(o, "finding_info.analytic.type_id", json_integer(1));
		map_put_text(o, "finding_info.analytic.type", "Rule");
	}
	put_stage(o, eve);
	put_incident(o, eve);
	put_confidence(o, eve);
	put_evidence(o, eve);
}

/* Of a connection that has ended, how; of one that goes on, what is in it. */
static void
put_lifecycle(json_t *o, const json_t *eve)
{
	const char *how = map_text(eve, "stripwire.end");

	if (strcmp(how, "rst") == 0)
		put_activity(o, NETWORK, 3, "Reset");
	else if (strcmp(map_text(eve, "flow.state"), "new") == 0)
		put_activity(o, NETWORK, 4, "Fail");
	else if (how[0] != '\0')
		put_activity(o, NETWORK, 2, "Close");
	else
		put_activity(o, NETWORK, 6, "Traffic");
}

static void
make_activity(json_t *o, const json_t *eve)
{
	json_t *traffic;

	put_class(o, NETWORK);
	MAP_ROWS(o, eve, activity);
	put_connection(o, eve);
	put_tls(o, eve);
	put_lifecycle(o, eve);
	traffic = json_object_get(o, "traffic");
	if (traffic == NULL)
		return;
	(void)json_object_set_new(traffic, "bytes",
	    json_integer(map_number(traffic, "bytes_in", 0) +
			 map_number(traffic, "bytes_out", 0)));
	(void)json_object_set_new(traffic, "packets",
	    json_integer(map_number(traffic, "packets_in", 0) +
			 map_number(traffic, "packets_out", 0)));
}

/* What EVE holds beside the addresses and the like above. */
static void
put_unmapped(json_t *o, const json_t *eve)
{
	static const char *const rest[] = {"stripwire", "flow", "tls", "smtp",
	    "email", "imap", "pop3", "stats", "tcp", "vlan", "in_iface",
	    "pcap_cnt", "pcap_filename"};
	json_t *in = json_object();

	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
		const json_t *v = json_object_get(eve, rest[i]);

		if (v != NULL)
			(void)json_object_set_new(
			    in, rest[i], json_deep_copy(v));
	}
	map_times(in);
	map_put(o, "unmapped", in);
}

json_t *
feed_ocsf(const json_t *eve)
{
	char sentence[FEED_SENTENCE_MAX];
	const char *type = map_text(eve, "event_type");
	json_t *o = json_object();

	MAP_ROWS(o, eve, common);
	put_severity(o, eve);
	put_metadata(o);
	map_put_text(o, "message", feed_sentence(sentence, eve));
	if (strcmp(type, "alert") == 0 || strcmp(type, "incident") == 0) {
		make_finding(o, eve);
	} else if (strcmp(type, "stats") == 0 ||
		   map_get(eve, "src_ip") == NULL) {
		put_class(o, BASE_EVENT);
		put_activity(o, BASE_EVENT, 99, "Statistics");
	} else {
		make_activity(o, eve);
	}
	put_observables(o, eve);
	put_unmapped(o, eve);
	return o;
}
