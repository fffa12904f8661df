/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One row of a feed, in the forms it is shown in.
 */
#include "sensor/feeds_status.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sensor/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NS INT64_C(1000000000)

static void
set(json_t *o, const char *name, uint64_t v)
{
	json_object_set_new(o, name, json_integer((json_int_t)v));
}

/* What comes from a receiver may be anything. */
static void
set_text(json_t *o, const char *name, const char *text)
{
	json_t *v = json_string(text);

	json_object_set_new(
	    o, name, v != NULL ? v : json_string("(text is not UTF-8)"));
}

static int64_t
wall_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

static json_t *
feed_json(
    const struct config_feed *f, const struct feed_status *s, const char *state)
{
	char where[600];
	json_t *o = json_object();

	set_text(o, "name", f->name);
	set_text(o, "to", feeds_where(where, sizeof(where), f));
	set_text(o, "format", feed_format_name((enum feed_format)f->format));
	set_text(o, "state", state);
	set(o, "waiting", s->waiting);
	json_object_set_new(
	    o, "lag_seconds", json_real((double)s->lag_ms / 1000));
	set(o, "sent", s->sent);
	set(o, "sent_again", s->again);
	set(o, "failed", s->failed);
	set(o, "dropped", s->dropped);
	set(o, "expired", s->expired);
	set(o, "breaks", s->breaks);
	set_text(o, "error", s->error);
	set(o, "error_time", (uint64_t)(s->error_at / NS));
	return o;
}

json_t *
feeds_status_json(const struct config *c, const struct feeds_board *b)
{
	json_t *list = json_array();
	struct feed_status s;

	for (unsigned i = 0; i < c->nfeeds; i++) {
		feeds_board_read(b, i, &s);
		json_array_append_new(
		    list, feed_json(c->feed[i], &s,
			      feed_state_name((enum feed_state)s.state)));
	}
	return list;
}

json_t *
feeds_rows_json(const struct config *c, struct outbox *o)
{
	json_t *list = json_array();
	struct outbox_row row;
	struct outbox_lag lag;
	char err[300];

	for (unsigned i = 0; i < c->nfeeds; i++) {
		struct feed_status s = {.waiting = 0};
		bool known = outbox_load(o, c->feed[i]->name, &row, err,
				 sizeof(err)) == 0;

		if (known &&
		    outbox_lag(o, row.cursor, &lag, err, sizeof(err)) == 0) {
			s.waiting = lag.events;
			if (lag.oldest != 0)
				s.lag_ms = (wall_ns() - lag.oldest) / 1000000;
		}
		s.sent = row.sent;
		s.again = row.again;
		s.failed = row.failed;
		s.dropped = row.dropped;
		s.expired = row.expired;
		s.error_at = row.error_at;
		(void)snprintf(s.error, sizeof(s.error), "%s", row.error);
		json_array_append_new(
		    list, feed_json(c->feed[i], &s, known ? "stopped" : "new"));
	}
	return list;
}

/* ---- for people ---- */

static const char *
get_text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

static json_int_t
get(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static void
print_error(const json_t *f)
{
	char when[TEXT_TIME_MAX];

	if (get_text(f, "error")[0] == '\0')
		return;
	printf("feed %s: last error %s: %s\n", get_text(f, "name"),
	    text_time_seconds(when, get(f, "error_time") * NS),
	    get_text(f, "error"));
}

void
feeds_status_print(const json_t *list)
{
	static const char *const column[] = {
	    "sent", "sent_again", "failed", "dropped", "expired"};
	static const char *const title[] = {
	    "sent", "again", "failed", "dropped", "expired"};
	const json_t *f;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	printf("%-16s %-8s %9s %9s", "feed", "state", "waiting", "lag s");
	for (unsigned c = 0; c < COUNT(title); c++)
		printf(" %9s", title[c]);
	puts("  to");
	json_array_foreach(list, i, f)
	{
		printf("%-16s %-8s %9lld %9.1f", get_text(f, "name"),
		    get_text(f, "state"), get(f, "waiting"),
		    json_real_value(json_object_get(f, "lag_seconds")));
		for (unsigned c = 0; c < COUNT(column); c++)
			printf(" %9lld", get(f, column[c]));
		printf("  %s\n", get_text(f, "to"));
	}
	json_array_foreach(list, i, f) print_error(f);
}

/* ---- Prometheus ---- */

static void
metric(const json_t *list, const char *field, const char *name,
    const char *type, const char *about)
{
	const json_t *f;
	size_t i;

	printf("# HELP stripwire_feed_%s %s\n# TYPE stripwire_feed_%s %s\n",
	    name, about, name, type);
	json_array_foreach(list, i, f)
	{
		const json_t *v = json_object_get(f, field);

		printf("stripwire_feed_%s{feed=\"%s\"} ", name,
		    get_text(f, "name"));
		if (json_is_real(v))
			printf("%.3f\n", json_real_value(v));
		else if (json_is_string(v))
			printf("%d\n", strcmp(json_string_value(v), "up") == 0);
		else
			printf("%lld\n", json_integer_value(v));
	}
}

void
feeds_status_prometheus(const json_t *list)
{
	static const char *const m[][4] = {
	    {"state", "up", "gauge", "1 if the receiver is connected."},
	    {"waiting", "waiting_events", "gauge", "Events not sent yet."},
	    {"lag_seconds", "lag_seconds", "gauge",
		"Since when the oldest of them waits."},
	    {"sent", "sent_total", "counter", "Messages sent."},
	    {"sent_again", "sent_again_total", "counter",
		"Messages sent again after a break or a restart."},
	    {"failed", "failed_total", "counter",
		"Messages that could not be sent and were given up."},
	    {"dropped", "dropped_total", "counter",
		"Events past the database, dropped for want of room."},
	    {"expired", "expired_total", "counter",
		"Events retired before they were sent."},
	    {"breaks", "breaks_total", "counter", "Times it went down."}};

	if (json_array_size(list) == 0)
		return;
	for (unsigned i = 0; i < COUNT(m); i++)
		metric(list, m[i][0], m[i][1], m[i][2], m[i][3]);
}
