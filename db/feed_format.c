/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The formats, by name.
 */
#include "db/feed_format.h"

#include <string.h>

const char *
event_type_name(enum event_type t)
{
	static const char *const names[] = {[EVENT_ALERT] = "alert",
	    [EVENT_INCIDENT] = "incident",
	    [EVENT_FLOW] = "flow",
	    [EVENT_TLS] = "tls",
	    [EVENT_SMTP] = "smtp",
	    [EVENT_IMAP] = "imap",
	    [EVENT_POP3] = "pop3",
	    [EVENT_STATS] = "stats"};

	return t < EVENT_TYPES ? names[t] : "unknown";
}

const char *
feed_format_name(enum feed_format f)
{
	static const char *const names[] = {[FORMAT_EVE] = "eve",
	    [FORMAT_ECS] = "ecs",
	    [FORMAT_OCSF] = "ocsf",
	    [FORMAT_CEF] = "cef",
	    [FORMAT_SYSLOG] = "syslog"};

	return f < FORMAT_COUNT ? names[f] : "unknown";
}

size_t
feed_format(char *buf, size_t cap, enum feed_format f, bool header,
    const struct event *e, const struct feed_identity *me)
{
	(void)me;
	if (f != FORMAT_EVE || header || e->len >= cap || e->len == 0)
		return 0;
	memcpy(buf, e->eve, e->len);
	buf[e->len] = '\0';
	return e->len;
}

const char *
feed_key(char *buf, size_t cap, const struct event *e)
{
	(void)e;
	if (cap > 0)
		buf[0] = '\0';
	return buf;
}
