/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One event through the transport of a feed, by the same functions that the
 * sensor uses, with each step told. The event is an alert that says that it is
 * none: between addresses for documentation (RFC 5737), with stripwire.test.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db/addr_text.h"
#include "db/event_id.h"
#include "db/feed_eve.h"
#include "sensor/cmd_feed.h"

#define TEST_SID 1999999
#define WAIT_MS 200

struct trial {
	const struct config_feed *f;
	struct feed_config c;
	const struct transport_ops *ops;
	struct transport *t;
	struct message m;
	char id[EVENT_ID_MAX];
	char err[TRANSPORT_ERROR_MAX];
	char eve[EVE_LINE_MAX], message[FEED_MESSAGE_MAX], key[128];
};

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
step(const char *what, const char *how)
{
	printf("  %-14s %s\n", what, how);
	return 0;
}

static int
failed(const char *what, const char *why)
{
	printf("  %-14s FAILED: %s\n", what, why);
	return 1;
}

/* ---- the event ---- */

static void
fill_alert(struct alert *a, const char *name, int64_t time)
{
	memset(a, 0, sizeof(*a));
	a->finding.time = time;
	a->finding.confidence = 100;
	a->finding.nevidence = 1;
	(void)snprintf(a->finding.evidence[0].text,
	    sizeof(a->finding.evidence[0].text),
	    "sent by stripwire feed test %s", name);
	(void)snprintf(a->finding.advice, sizeof(a->finding.advice),
	    "nothing: this is a test of a feed");
	a->gid = 1;
	a->sid = TEST_SID;
	a->rev = 1;
	a->severity = SEV_INFO;
	(void)snprintf(a->msg, sizeof(a->msg),
	    "Stripwire test event: the feed %s works, this is no attack", name);
	a->flow.public_id = (uint64_t)time;
	a->flow.start = time;
	(void)!addr_from_text(&a->flow.client, "192.0.2.1");
	(void)!addr_from_text(&a->flow.server, "192.0.2.2");
	a->flow.client_port = 40000;
	a->flow.server_port = 25;
	a->proto = PROTO_SMTP;
}

/* Its line, marked. 0: no memory. */
static size_t
make_eve(struct trial *t, const char *host, int64_t time)
{
	static struct alert a;
	json_t *o, *own;
	char *text;
	size_t n;

	fill_alert(&a, t->f->name, time);
	(void)event_alert_id(t->id, host, &a);
	n = eve_format(t->eve, sizeof(t->eve), &a, host, NULL);
	o = n != 0 ? json_loadb(t->eve, n, 0, NULL) : NULL;
	own = json_object_get(o, "stripwire");
	(void)json_object_set_new(own, "test", json_true());
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text == NULL)
		return 0;
	n = strlen(text);
	if (n >= sizeof(t->eve))
		n = 0;
	memcpy(t->eve, text, n);
	t->eve[n] = '\0';
	free(text);
	return n;
}

static int
make(struct trial *t, const char *host)
{
	struct event e = {.seq = 1, .type = EVENT_ALERT, .eve = t->eve};
	struct timespec now;
	char how[120];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	e.time = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	e.len = make_eve(t, host, e.time);
	t->m = (struct message){.seq = 1, .bytes = t->message, .id = t->id};
	if (e.len != 0)
		t->m.len = feed_format(
		    t->message, sizeof(t->message), t->c.format, &e, &t->c.me);
	if (t->m.len == 0)
		return failed(
		    "event", "it cannot be written in the feed's format");
	t->m.key = feed_key(t->key, sizeof(t->key), &e);
	(void)snprintf(how, sizeof(how), "%s, %zu bytes, event_id %s",
	    feed_format_name(t->c.format), t->m.len, t->id);
	return step("event", how);
}

/* ---- the way ---- */

static int
connect_it(struct trial *t)
{
	int64_t began = now_ms();
	char how[60];

	if (t->ops->connect(t->t, t->err) == -1)
		return failed("connection", t->err);
	(void)snprintf(how, sizeof(how), "there after %lld ms",
	    (long long)(now_ms() - began));
	return step("connection", how);
}

static int
send_it(struct trial *t)
{
	if (t->ops->send(t->t, &t->m, t->err) != 0)
		return failed(
		    "sending", t->err[0] != '\0' ? t->err : "there is no room");
	return step("sending", "handed over");
}

static int
await(struct trial *t)
{
	int64_t began = now_ms(), arrived = 0,
		until = began + t->c.transport.timeout_ms;
	char how[80];

	do {
		if (t->ops->flush(t->t, WAIT_MS, &arrived, t->err) == -1)
			return failed("arrival", t->err);
	} while (t->ops->memory == MEMORY_CERTAIN && arrived < 1 &&
		 now_ms() < until);
	if (t->ops->memory == MEMORY_DATAGRAM)
		return step("arrival", "nobody knows: datagrams are not "
				       "acknowledged; look for the event_id "
				       "at the receiver");
	if (t->ops->memory == MEMORY_NONE)
		return step("arrival", "the connection stood when it was sent, "
				       "and nothing is acknowledged: look for "
				       "the event_id at the receiver");
	if (arrived < 1)
		return failed("arrival", "no acknowledgement came in time");
	(void)snprintf(how, sizeof(how), "acknowledged after %lld ms",
	    (long long)(now_ms() - began));
	return step("arrival", how);
}

static int
try_it(struct trial *t, const char *host)
{
	int status = make(t, host);

	if (status == 0)
		status = connect_it(t);
	if (status == 0)
		status = send_it(t);
	if (status == 0)
		status = await(t);
	t->ops->close(t->t);
	return status;
}

int
feed_test(struct feed_options *o)
{
	struct trial *t = calloc(1, sizeof(*t));
	char where[600];
	int status = 2;

	if (t == NULL || (t->f = feed_find(o)) == NULL) {
		free(t);
		return 2;
	}
	printf("feed %s: %s\n", t->f->name,
	    feeds_where(where, sizeof(where), t->f));
	t->t = feed_prepare(o, t->f, &t->c, t->err);
	if (t->t == NULL) {
		status = failed("configuration", t->err);
	} else {
		(void)step("configuration", "keys and files can be read");
		t->ops = transport_ops(&t->c.transport);
		status = try_it(t, o->host);
	}
	feeds_config_free(&t->c);
	free(t);
	return status;
}
