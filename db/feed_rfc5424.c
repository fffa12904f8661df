/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Syslog, RFC 5424: the header for any format, and structured data with a
 * sentence. The identifier of our element ends in 32473, the number that RFC
 * 5612 keeps for documents, as the project has none of its own; receivers find
 * the element by its whole name.
 *
 * The byte order mark, which section 6.4 demands before UTF-8, is there only
 * if the sentence holds more than ASCII: many receivers show it.
 */
#include <string.h>

#include "db/feed_map.h"
#include "db/feed_private.h"
#include "db/feed_sentence.h"
#include "decoders/version.h"

#define HOSTNAME_MAX 255
#define VALUE_MAX 2048 /* of a parameter; receivers take at least 2048 in all */
#define SD_ID "stripwire@32473"

static const struct text_form in_quotes = {.specials = "\"\\]"};
static const struct text_form in_sentence = {.specials = ""};

/* RFC 5424 table 2: critical, error, warning, notice, informational. */
static unsigned
syslog_severity(const json_t *eve)
{
	static const unsigned grades[] = {[SEV_INFO] = 6,
	    [SEV_LOW] = 5,
	    [SEV_MEDIUM] = 4,
	    [SEV_HIGH] = 3,
	    [SEV_CRITICAL] = 2};

	return grades[feed_severity(eve)];
}

/* Printable ASCII without spaces, at most max of it; "-": nothing. */
static void
put_name(struct text_out *o, const char *s, size_t max)
{
	if (s == NULL || s[0] == '\0')
		s = "-";
	for (size_t i = 0; s[i] != '\0' && i < max; i++)
		text_printf(o, "%c", s[i] > ' ' && s[i] < 0x7f ? s[i] : '_');
}

void
feed_header(
    struct text_out *o, const json_t *eve, const struct feed_identity *me)
{
	char when[RFC3339_MAX];
	const char *time = map_rfc3339(when, map_text(eve, "timestamp"));

	text_printf(o, "<%u>1 %s ",
	    (me->facility & 31) % 24 * 8 + syslog_severity(eve),
	    time == NULL ? "-" : time);
	put_name(o, me->host, HOSTNAME_MAX);
	text_raw(o, " stripwire ");
	if (me->pid > 0)
		text_printf(o, "%ld ", me->pid);
	else
		text_raw(o, "- ");
	put_name(o, map_text(eve, "event_type"), 32);
	text_raw(o, " ");
}

static const struct {
	const char *name, *path;
} params[] = {
    {"event_id", "stripwire.event_id"},
    {"event_type", "event_type"},
    {"src_ip", "src_ip"},
    {"src_port", "src_port"},
    {"dest_ip", "dest_ip"},
    {"dest_port", "dest_port"},
    {"app_proto", "app_proto"},
    {"community_id", "community_id"},
    {"flow_id", "flow_id"},
    {"in_iface", "in_iface"},
    {"gid", "alert.gid"},
    {"sid", "alert.signature_id"},
    {"rev", "alert.rev"},
    {"signature", "alert.signature"},
    {"category", "alert.category"},
    {"finding", "stripwire.finding"},
    {"severity", "stripwire.severity"},
    {"confidence", "stripwire.confidence"},
    {"visibility", "stripwire.visibility"},
    {"user", "stripwire.user"},
    {"mechanism", "stripwire.mechanism"},
    {"server_name", "stripwire.server_name"},
    {"cert_sha256", "stripwire.cert_sha256"},
    {"advice", "stripwire.advice"},
    {"where", "stripwire.where"},
    {"incident_id", "stripwire.incident_id"},
    {"event", "stripwire.event"},
    {"title", "stripwire.title"},
    {"stages", "stripwire.stages"},
    {"alerts", "stripwire.alerts"},
    {"sessions", "stripwire.sessions"},
    {"sni", "tls.sni"},
    {"tls_version", "tls.version"},
    {"subject", "tls.subject"},
    {"issuerdn", "tls.issuerdn"},
    {"fingerprint", "tls.fingerprint"},
    {"ja3", "tls.ja3.hash"},
    {"ja3s", "tls.ja3s.hash"},
    {"ja4", "tls.ja4"},
    {"helo", "smtp.helo"},
    {"mail_from", "smtp.mail_from"},
    {"state", "flow.state"},
    {"reason", "flow.reason"},
    {"pkts_toserver", "flow.pkts_toserver"},
    {"pkts_toclient", "flow.pkts_toclient"},
    {"bytes_toserver", "flow.bytes_toserver"},
    {"bytes_toclient", "flow.bytes_toclient"},
    {"tls_established", "stripwire.tls_established"},
    {"starttls", "stripwire.starttls"},
    {"uptime", "stats.uptime"},
    {"kernel_packets", "stats.capture.kernel_packets"},
    {"kernel_drops", "stats.capture.kernel_drops"},
    {"pcap_filename", "pcap_filename"},
};

static void
put_param(struct text_out *o, const char *name, const json_t *v)
{
	const char *s = json_string_value(v);

	if (!json_is_integer(v) && !json_is_boolean(v) &&
	    (s == NULL || s[0] == '\0'))
		return;
	text_printf(o, " %s=\"", name);
	if (s != NULL)
		text_value(o, s, VALUE_MAX, &in_quotes);
	else if (json_is_integer(v))
		text_printf(o, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else
		text_raw(o, json_is_true(v) ? "true" : "false");
	text_raw(o, "\"");
}

static bool
is_ascii(const char *s)
{
	while (*s != '\0' && (unsigned char)*s < 0x80)
		s++;
	return *s == '\0';
}

void
feed_rfc5424(struct text_out *o, const json_t *eve)
{
	char sentence[FEED_SENTENCE_MAX];

	text_raw(o, "[" SD_ID);
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++)
		put_param(o, params[i].name, map_get(eve, params[i].path));
	text_raw(o, "][origin software=\"" FEED_PRODUCT
		    "\" swVersion=\"" STRIPWIRE_VERSION "\"] ");
	if (!is_ascii(feed_sentence(sentence, eve)))
		text_raw(o, "\xef\xbb\xbf");
	text_value(o, sentence, FEED_SENTENCE_MAX, &in_sentence);
}
