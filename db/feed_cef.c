/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ArcSight Common Event Format, version 0 ("Implementing ArcSight Common Event
 * Format", revision 25): CEF:0|vendor|product|version|class|name|severity| and
 * an extension of key=value. In the header pipes and backslashes have a
 * backslash before them, in the extension backslashes and equal signs, and
 * line ends are \n and \r. Keys and the longest values are those of its
 * dictionary; addresses in src and dst are IPv4 there, IPv6 has fields of its
 * own. Times are ms since the epoch, as the dictionary has no finer ones; the
 * microseconds are in cs6.
 */
#include <string.h>

#include "db/feed_map.h"
#include "db/feed_private.h"
#include "db/feed_sentence.h"
#include "decoders/version.h"

#define CLASS_MAX 1023
#define NAME_MAX_ 512

static const struct text_form in_header = {.specials = "\\|"};
static const struct text_form in_value = {.specials = "\\=", .newlines = true};

enum kind { TEXT, NUMBER, TIME, IPV4, IPV6, LIST };

struct cef_row {
	const char *key, *path;
	enum kind kind;
	uint16_t max; /* bytes */
	const char *label; /* of a custom field */
};

static const struct cef_row rows[] = {
    {"rt", "timestamp", TIME, 0, NULL},
    {"cat", "event_type", TEXT, 1023, NULL},
    {"externalId", "stripwire.event_id", TEXT, 40, NULL},
    {"dvchost", "host", TEXT, 100, NULL},
    {"deviceInboundInterface", "in_iface", TEXT, 128, NULL},
    {"src", "src_ip", IPV4, 0, NULL},
    {"c6a2", "src_ip", IPV6, 0, "Source IPv6 Address"},
    {"spt", "src_port", NUMBER, 0, NULL},
    {"dst", "dest_ip", IPV4, 0, NULL},
    {"c6a3", "dest_ip", IPV6, 0, "Destination IPv6 Address"},
    {"dpt", "dest_port", NUMBER, 0, NULL},
    {"proto", "proto", TEXT, 31, NULL},
    {"app", "app_proto", TEXT, 31, NULL},
    {"act", "alert.action", TEXT, 63, NULL},
    {"duser", "stripwire.user", TEXT, 1023, NULL},
    {"suser", "smtp.mail_from", TEXT, 1023, NULL},
    {"duser", "smtp.rcpt_to", LIST, 1023, NULL},
    {"shost", "smtp.helo", TEXT, 1023, NULL},
    {"reason", "stripwire.evidence", LIST, 1023, NULL},
    {"start", "flow.start", TIME, 0, NULL},
    {"end", "flow.end", TIME, 0, NULL},
    {"start", "stripwire.first", TIME, 0, NULL},
    {"end", "stripwire.last", TIME, 0, NULL},
    {"in", "flow.bytes_toserver", NUMBER, 0, NULL},
    {"out", "flow.bytes_toclient", NUMBER, 0, NULL},
    {"cnt", "stripwire.alerts", NUMBER, 0, NULL},
    {"outcome", "flow.state", TEXT, 63, NULL},
    {"filePath", "pcap_filename", TEXT, 1023, NULL},
    {"cn1", "stripwire.confidence", NUMBER, 0, "confidence"},
    {"cn2", "stripwire.incident_id", NUMBER, 0, "incident"},
    {"cn3", "stats.capture.kernel_drops", NUMBER, 0, "packets lost"},
    {"cs1", "stripwire.finding", TEXT, 4000, "finding"},
    {"cs1", "stripwire.story", TEXT, 4000, "story"},
    {"cs2", "community_id", TEXT, 4000, "community_id"},
    {"cs3", "stripwire.visibility", TEXT, 4000, "visibility"},
    {"cs4", "stripwire.cert_sha256", TEXT, 4000, "certificate SHA-256"},
    {"cs5", "stripwire.advice", TEXT, 4000, "advice"},
    {"flexString1", "stripwire.mechanism", TEXT, 1023, "mechanism"},
    {"flexString2", "stripwire.where", TEXT, 1023, "where"},
};

/* CEF knows 0 to 3 low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high. */
static unsigned
cef_severity(const json_t *eve)
{
	static const unsigned grades[] = {[SEV_INFO] = 1,
	    [SEV_LOW] = 3,
	    [SEV_MEDIUM] = 5,
	    [SEV_HIGH] = 8,
	    [SEV_CRITICAL] = 10};

	return grades[feed_severity(eve)];
}

/* The class of the event: the rule ("1:1000001"), or "incident-opened". */
static void
put_class(struct text_out *o, const json_t *eve)
{
	const char *what = map_text(eve, "stripwire.event");
	json_int_t sid = map_number(eve, "alert.signature_id", -1);

	if (sid >= 0) {
		text_printf(o, "%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT,
		    map_number(eve, "alert.gid", 1), sid);
		return;
	}
	text_value(o, map_text(eve, "event_type"), CLASS_MAX / 2, &in_header);
	if (what[0] != '\0')
		text_raw(o, "-");
	text_value(o, what, CLASS_MAX / 2, &in_header);
}

static const char *
name_of(const json_t *eve)
{
	const char *name = map_text(eve, "alert.signature");

	if (name[0] == '\0')
		name = map_text(eve, "stripwire.title");
	return name[0] != '\0' ? name : map_text(eve, "event_type");
}

/* The strings of a list, one a line. */
static void
put_list(struct text_out *o, const json_t *list, size_t max)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		const char *s = json_string_value(item);

		if (s == NULL || strlen(s) + 1 > max)
			break;
		if (i > 0)
			text_raw(o, "\\n");
		text_value(o, s, max, &in_value);
		max -= strlen(s) + 1;
	}
}

static bool
fits(const json_t *v, enum kind k)
{
	const char *s = json_string_value(v);

	switch (k) {
	case NUMBER:
		return json_is_integer(v);
	case LIST:
		return json_is_string(json_array_get(v, 0));
	case IPV4:
		return s != NULL && strchr(s, '.') != NULL &&
		       strchr(s, ':') == NULL;
	case IPV6:
		return s != NULL && strchr(s, ':') != NULL;
	case TIME:
		return s != NULL && map_ns(s) != -1;
	default:
		return s != NULL && s[0] != '\0';
	}
}

static void
put_row(struct text_out *o, const struct cef_row *r, const json_t *v)
{
	const char *s = json_string_value(v);

	text_printf(o, "%s=", r->key);
	if (r->kind == NUMBER)
		text_printf(o, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (r->kind == TIME)
		text_printf(o, "%lld", (long long)(map_ns(s) / 1000000));
	else if (r->kind == LIST)
		put_list(o, v, r->max);
	else
		text_value(o, s, r->max != 0 ? r->max : 64, &in_value);
	text_raw(o, " ");
	if (r->label != NULL)
		text_printf(o, "%sLabel=%s ", r->key, r->label);
}

/* The name of the server belongs to the side that it is on. */
static void
put_server(struct text_out *o, const json_t *eve)
{
	const char *name = map_text(eve, "stripwire.server_name");

	if (name[0] == '\0')
		return;
	text_raw(o, feed_server_is_source(eve) ? "shost=" : "dhost=");
	text_value(o, name, 1023, &in_value);
	text_raw(o, " ");
}

void
feed_cef(struct text_out *o, const json_t *eve)
{
	char sentence[FEED_SENTENCE_MAX], time[RFC3339_MAX];

	text_raw(
	    o, "CEF:0|" FEED_VENDOR "|" FEED_PRODUCT "|" STRIPWIRE_VERSION "|");
	put_class(o, eve);
	text_raw(o, "|");
	text_value(o, name_of(eve), NAME_MAX_, &in_header);
	text_printf(o, "|%u|", cef_severity(eve));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const json_t *v = map_get(eve, rows[i].path);

		if (v != NULL && fits(v, rows[i].kind))
			put_row(o, &rows[i], v);
	}
	put_server(o, eve);
	if (map_rfc3339(time, map_text(eve, "timestamp")) != NULL)
		text_printf(o, "cs6=%s cs6Label=timestamp ", time);
	text_raw(o, "msg=");
	text_value(o, feed_sentence(sentence, eve), 1023, &in_value);
}
