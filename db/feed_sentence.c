/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One sentence for people out of each kind of event. */
#include "db/feed_sentence.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "db/feed_map.h"
#include "decoders/utf8.h"

enum severity
feed_severity(const json_t *eve)
{
	int s = severity_by_name(map_text(eve, "stripwire.severity"));

	if (s == -1 || strcmp(map_text(eve, "stripwire.event"), "closed") == 0)
		return SEV_INFO;
	return (enum severity)s;
}

bool
feed_server_is_source(const json_t *eve)
{
	return strcmp(map_text(eve, "direction"), "to_client") == 0;
}

struct line {
	size_t used;
	char text[2 * FEED_SENTENCE_MAX];
};

static void say(struct line *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
say(struct line *l, const char *fmt, ...)
{
	size_t room = sizeof(l->text) - l->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->used, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void
say_endpoint(
    struct line *l, const json_t *eve, const char *ip, const char *port)
{
	const char *addr = map_text(eve, ip);
	json_int_t p = map_number(eve, port, -1);

	say(l, strchr(addr, ':') != NULL && p >= 0 ? "[%s]" : "%s",
	    addr[0] != '\0' ? addr : "?");
	if (p >= 0)
		say(l, ":%" JSON_INTEGER_FORMAT, p);
}

/* 10.1.0.10:51514 to mx.example.net 10.2.0.20:25, smtp */
static void
say_whom(struct line *l, const json_t *eve)
{
	bool from_server = feed_server_is_source(eve);
	const char *name = map_text(eve, "stripwire.server_name");
	const char *proto = map_text(eve, "app_proto");

	say_endpoint(l, eve, "src_ip", "src_port");
	say(l, " to ");
	if (name[0] != '\0' && !from_server)
		say(l, "%s ", name);
	say_endpoint(l, eve, "dest_ip", "dest_port");
	if (proto[0] != '\0')
		say(l, ", %s", proto);
}

static void
say_alert(struct line *l, const json_t *eve)
{
	const char *why = map_text(eve, "stripwire.evidence.0");

	say(l, "%s", map_text(eve, "alert.signature"));
	if (why[0] != '\0')
		say(l, ": %s", why);
	say(l, " (");
	say_whom(l, eve);
	say(l, ")");
}

static void
say_incident(struct line *l, const json_t *eve)
{
	say(l, "incident %" JSON_INTEGER_FORMAT " %s: %s",
	    map_number(eve, "stripwire.incident_id", 0),
	    map_text(eve, "stripwire.event"), map_text(eve, "stripwire.title"));
	say(l,
	    " (%" JSON_INTEGER_FORMAT " alerts in %" JSON_INTEGER_FORMAT
	    " sessions)",
	    map_number(eve, "stripwire.alerts", 0),
	    map_number(eve, "stripwire.sessions", 0));
}

static void
say_flow(struct line *l, const json_t *eve)
{
	say(l, "connection ");
	say_whom(l, eve);
	say(l,
	    ", %s: %" JSON_INTEGER_FORMAT " bytes to the server, "
	    "%" JSON_INTEGER_FORMAT " to the client",
	    map_text(eve, "flow.state"),
	    map_number(eve, "flow.bytes_toserver", 0),
	    map_number(eve, "flow.bytes_toclient", 0));
}

static void
say_stats(struct line *l, const json_t *eve)
{
	say(l,
	    "up %" JSON_INTEGER_FORMAT " s: %" JSON_INTEGER_FORMAT
	    " packets, %" JSON_INTEGER_FORMAT " lost",
	    map_number(eve, "stats.uptime", 0),
	    map_number(eve, "stats.decoder.pkts", 0),
	    map_number(eve, "stats.capture.kernel_drops", 0));
}

static void
say_other(struct line *l, const json_t *eve)
{
	say(l, "%s ", map_text(eve, "event_type"));
	say_whom(l, eve);
}

const char *
feed_sentence(char buf[FEED_SENTENCE_MAX], const json_t *eve)
{
	static const struct {
		const char *type;
		void (*say)(struct line *, const json_t *);
	} kinds[] = {{"alert", say_alert}, {"incident", say_incident},
	    {"flow", say_flow}, {"stats", say_stats}};
	const char *type = map_text(eve, "event_type");
	void (*tell)(struct line *, const json_t *) = say_other;
	struct line l = {.used = 0};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(type, kinds[i].type) == 0)
			tell = kinds[i].say;
	tell(&l, eve);
	/* whole characters only, of what may have been cut above */
	(void)utf8_copy(buf, FEED_SENTENCE_MAX, l.text);
	return buf;
}
