/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of formats. */
#include "db/feed_format.h"

#include <stdio.h>
#include <string.h>

#include "db/feed_map.h"
#include "db/feed_private.h"
#include "db/feed_sentence.h"
#include "db/json_set.h"

static const struct {
	json_t *(*object)(const json_t *eve); /* NULL: it is text */
	void (*text)(struct text_out *o, const json_t *eve);
} formats[FORMAT_COUNT] = {
    [FORMAT_EVE] = {json_deep_copy, NULL},
    [FORMAT_ECS] = {feed_ecs, NULL},
    [FORMAT_OCSF] = {feed_ocsf, NULL},
    [FORMAT_CEF] = {NULL, feed_cef},
    [FORMAT_SYSLOG] = {NULL, feed_rfc5424},
};

const char *const feed_format_words[FORMAT_COUNT + 1] = {
    [FORMAT_EVE] = "eve",
    [FORMAT_ECS] = "ecs",
    [FORMAT_OCSF] = "ocsf",
    [FORMAT_CEF] = "cef",
    [FORMAT_SYSLOG] = "syslog",
};

const char *const event_type_words[EVENT_TYPES + 1] = {
    [EVENT_ALERT] = "alert",
    [EVENT_INCIDENT] = "incident",
    [EVENT_FLOW] = "flow",
    [EVENT_TLS] = "tls",
    [EVENT_SMTP] = "smtp",
    [EVENT_IMAP] = "imap",
    [EVENT_POP3] = "pop3",
    [EVENT_STATS] = "stats",
};

const char *
feed_format_name(enum feed_format f)
{
	return f < FORMAT_COUNT ? feed_format_words[f] : "?";
}

const char *
event_type_name(enum event_type t)
{
	return t < EVENT_TYPES ? event_type_words[t] : "?";
}

static void
put_object(struct text_out *o, json_t *object)
{
	size_t room = o->full ? 0 : o->cap - o->len;
	size_t n = json_write(o->p + o->len, room, object);

	if (n == 0)
		o->full = true;
	else
		o->len += n;
}

static json_t *
read_event(const struct event *e)
{
	json_t *eve = json_loadb(e->eve, e->len, 0, NULL);

	if (json_is_object(eve))
		return eve;
	json_decref(eve);
	return NULL;
}

size_t
feed_format(char *buf, size_t cap, enum feed_format f, const struct event *e,
    const struct feed_identity *me)
{
	struct text_out o;
	json_t *eve = read_event(e);

	if (eve == NULL)
		return 0;
	text_start(&o, buf, cap);
	if (me->header || f == FORMAT_SYSLOG)
		feed_header(&o, eve, me);
	if (me->header && f != FORMAT_SYSLOG)
		text_raw(&o, "- "); /* no structured data */
	if (formats[f].text != NULL)
		formats[f].text(&o, eve);
	else
		put_object(&o, formats[f].object(eve));
	json_decref(eve);
	return text_end(&o);
}

const char *
feed_key(char *buf, size_t cap, const struct event *e)
{
	json_t *eve = read_event(e);
	bool source = eve != NULL && feed_server_is_source(eve);
	const char *addr = map_text(eve, source ? "src_ip" : "dest_ip");
	json_int_t port = map_number(eve, source ? "src_port" : "dest_port",
	    /* an incident has it in its steps */
	    map_number(eve, "stripwire.timeline.0.dest_port", -1));

	buf[0] = '\0';
	if (addr[0] != '\0' && port >= 0)
		(void)snprintf(buf, cap,
		    strchr(addr, ':') != NULL ? "[%s]:%" JSON_INTEGER_FORMAT
					      : "%s:%" JSON_INTEGER_FORMAT,
		    addr, port);
	else
		(void)snprintf(buf, cap, "%s", addr);
	json_decref(eve);
	return buf;
}
