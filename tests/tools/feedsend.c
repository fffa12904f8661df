/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends numbered messages through one transport, as a feed does: connects
 * again after a break, goes on behind what has arrived, or sends the last
 * `resend` messages again where that is not known. Killed and started anew it
 * goes on at the number in its cursor file.
 *
 *	feedsend unix|datagram|udp|tcp|tls|kafka NAME=VALUE...
 *
 * path, host, port, lines, ca_file, cert_file, key_file, peer_name, brokers,
 * topic, option (librdkafka's, again and again), timeout_ms; count: messages;
 * size: of each, bytes; cursor: file; resend: messages; gate: file, whose number
 * it does not go beyond; eve: file, whose first line is sent in the given format
 * (eve, ecs, ocsf, cef, syslog) instead of a message of ours; tries: failures before it gives up (0: never).
 *
 * Prints each new error on a line of its own, and what was done as JSON.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "db/feed_format.h"
#include "db/transport.h"

#define CURSOR_MS 50 /* between two writes of the cursor */

struct run {
	struct transport_config c;
	const struct transport_ops *ops;
	struct transport *t;
	long count, size, resend, tries;
	const char *cursor, *gate, *eve, *format;
	struct event event;
	enum feed_format form;
	int64_t open_to; /* of the gate */
	int64_t next, last, arrived, stored_at, began;
	long sent, failed, breaks, full;
	char err[TRANSPORT_ERROR_MAX], told[TRANSPORT_ERROR_MAX];
	char *buf;
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
pause_ms(long ms)
{
	usleep((useconds_t)ms * 1000);
}

static void
set_text(struct run *r, const char *name, const char *value)
{
	const struct {
		const char *name, **to;
	} text[] = {{"path", &r->c.path}, {"host", &r->c.host},
	    {"ca_file", &r->c.ca_file}, {"cert_file", &r->c.cert_file},
	    {"key_file", &r->c.key_file}, {"peer_name", &r->c.peer_name},
	    {"brokers", &r->c.brokers}, {"topic", &r->c.topic},
	    {"cursor", &r->cursor}, {"gate", &r->gate}, {"eve", &r->eve},
	    {"format", &r->format}};

	for (unsigned i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		if (strcmp(text[i].name, name) == 0) {
			*text[i].to = value;
			return;
		}
	fprintf(stderr, "feedsend: no %s\n", name);
	exit(2);
}

static void
set(struct run *r, char *arg)
{
	char *value = strchr(arg, '=');

	if (value == NULL) {
		fprintf(stderr, "feedsend: %s: NAME=VALUE\n", arg);
		exit(2);
	}
	*value++ = '\0';
	long n = strtol(value, NULL, 10);
	if (strcmp(arg, "option") == 0)
		r->c.option[r->c.noptions++ % TRANSPORT_OPTIONS_MAX] = value;
	else if (strcmp(arg, "port") == 0)
		r->c.port = (uint16_t)n;
	else if (strcmp(arg, "lines") == 0)
		r->c.lines = n != 0;
	else if (strcmp(arg, "timeout_ms") == 0)
		r->c.timeout_ms = (unsigned)n;
	else if (strcmp(arg, "count") == 0)
		r->count = n;
	else if (strcmp(arg, "size") == 0)
		r->size = n;
	else if (strcmp(arg, "resend") == 0)
		r->resend = n;
	else if (strcmp(arg, "tries") == 0)
		r->tries = n;
	else
		set_text(r, arg, value);
}

static void
kind_of(struct run *r, const char *name)
{
	static const char *const names[] = {
	    "file", "unix", "udp", "tcp", "tls", "kafka"};

	r->c.datagram = strcmp(name, "datagram") == 0;
	if (r->c.datagram)
		name = "unix";
	for (unsigned i = 0; i < TRANSPORT_COUNT; i++)
		if (strcmp(names[i], name) == 0) {
			r->c.kind = (enum transport_kind)i;
			r->ops = transport_ops(&r->c);
		}
	if (r->ops == NULL) {
		fprintf(stderr, "feedsend: no transport %s\n", name);
		exit(2);
	}
}

static void
tell(struct run *r)
{
	if (strcmp(r->err, r->told) == 0)
		return;
	printf("%s\n", r->err);
	fflush(stdout);
	snprintf(r->told, sizeof(r->told), "%s", r->err);
}

static void
store(struct run *r, bool now)
{
	int64_t at = r->arrived;

	if (r->cursor[0] == '\0' ||
	    (!now && now_ms() - r->stored_at < CURSOR_MS))
		return;
	r->stored_at = now_ms();
	if (r->ops->memory == MEMORY_NONE)
		at = at > r->resend ? at - r->resend : 0;
	char tmp[512];
	snprintf(tmp, sizeof(tmp), "%s.new", r->cursor);
	FILE *f = fopen(tmp, "we");
	if (f == NULL)
		return;
	fprintf(f, "%" PRId64 "\n", at);
	if (fclose(f) == 0)
		(void)!rename(tmp, r->cursor);
}

/* The number in a file, 0: there is none. */
static int64_t
number_in(const char *path)
{
	FILE *f = path[0] != '\0' ? fopen(path, "re") : NULL;
	char line[32];
	int64_t n = 0;

	if (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n = strtoll(line, NULL, 10);
	if (f != NULL)
		fclose(f);
	return n;
}

/* A broken connection: again, and from where. */
static bool
mend(struct run *r)
{
	long wait = 100;

	r->breaks++;
	tell(r);
	r->ops->disconnect(r->t);
	for (long n = 1;; n++) {
		if (r->tries != 0 && n > r->tries)
			return false;
		if (r->ops->connect(r->t, r->err) == 0)
			break;
		tell(r);
		pause_ms(wait);
		if (wait < 800)
			wait *= 2;
	}
	if (r->ops->memory == MEMORY_CERTAIN)
		r->next = r->arrived + 1;
	else if (r->ops->memory == MEMORY_NONE)
		r->next = r->last > r->resend ? r->last - r->resend + 1 : 1;
	return true;
}

static void
load_event(struct run *r)
{
	static char line[FEED_MESSAGE_MAX];
	FILE *f = fopen(r->eve, "re");

	if (f == NULL || fgets(line, sizeof(line), f) == NULL) {
		fprintf(stderr, "feedsend: %s: no line\n", r->eve);
		exit(2);
	}
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	r->event = (struct event){
	    .seq = 1, .type = EVENT_ALERT, .eve = line, .len = strlen(line)};
	while (r->form < FORMAT_COUNT &&
	       strcmp(feed_format_name(r->form), r->format) != 0)
		r->form++;
	if (r->form == FORMAT_COUNT) {
		fprintf(stderr, "feedsend: no format %s\n", r->format);
		exit(2);
	}
}

static void
formatted(struct run *r, struct message *m)
{
	static char key[128];
	const struct feed_identity me = {.host = "sensor",
	    .pid = 42,
	    .facility = 13,
	    .header = r->c.kind == TRANSPORT_UDP ||
		      r->c.kind == TRANSPORT_TCP || r->c.kind == TRANSPORT_TLS};

	m->seq = r->event.seq = r->next;
	m->bytes = r->buf;
	m->len = feed_format(r->buf, FEED_MESSAGE_MAX, r->form, &r->event, &me);
	m->id = "";
	m->key = feed_key(key, sizeof(key), &r->event);
	if (m->len != 0)
		return;
	fputs("feedsend: cannot be written in that format\n", stderr);
	exit(2);
}

static void
message(struct run *r, struct message *m)
{
	static char key[32], id[40];

	if (r->eve[0] != '\0') {
		formatted(r, m);
		return;
	}
	int n = snprintf(r->buf, FEED_MESSAGE_MAX,
	    "<134>1 2026-01-02T03:04:05.678901Z sensor stripwire 42 alert - "
	    "{\"n\":%" PRId64
	    ",\"name\":\"m\xc3\xbcller \\\"x\\\"\",\"pad\":\"",
	    r->next);

	while (n < r->size - 2)
		r->buf[n] = (char)('a' + n % 26), n++;
	n += sprintf(r->buf + n, "\"}");
	snprintf(key, sizeof(key), "192.0.2.%d:25", (int)(r->next % 200));
	snprintf(id, sizeof(id), "%032" PRIx64, (uint64_t)r->next);
	*m = (struct message){.seq = r->next,
	    .bytes = r->buf,
	    .len = (size_t)n,
	    .id = id,
	    .key = key};
}

/* False: gives up. */
static bool
flush(struct run *r, int wait_ms)
{
	int64_t at = r->arrived;
	int e = r->ops->flush(r->t, wait_ms, &at, r->err);

	r->arrived = at;
	store(r, false);
	return e == 0 || mend(r);
}

static bool
one(struct run *r)
{
	struct message m;

	message(r, &m);
	int e = r->ops->send(r->t, &m, r->err);
	if (e == 1) {
		r->full++;
		return flush(r, 100);
	}
	if (e == 0) {
		r->sent++;
		r->last = r->next++;
		return true;
	}
	if (r->ops->memory != MEMORY_DATAGRAM)
		return mend(r);
	tell(r);
	r->failed++;
	r->next++;
	return true;
}

/* Waits at the gate. */
static bool
pass(struct run *r)
{
	while (r->gate[0] != '\0' && r->next > r->open_to) {
		r->open_to = number_in(r->gate);
		if (r->next > r->open_to && !flush(r, 20))
			return false;
		if (r->next > r->open_to)
			pause_ms(20);
	}
	return true;
}

static bool
work(struct run *r)
{
	for (;;) {
		while (r->next <= r->count) {
			if (!pass(r) || !one(r))
				return false;
			if (r->next % 64 == 0 && !flush(r, 0))
				return false;
		}
		if (!flush(r, 200))
			return false;
		if (r->next > r->count &&
		    (r->arrived >= r->count ||
			r->ops->memory == MEMORY_DATAGRAM))
			return true;
	}
}

static void
report(const struct run *r, bool done)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	printf("{\"done\":%s,\"sent\":%ld,\"failed\":%ld,\"breaks\":%ld,"
	       "\"full\":%ld,\"arrived\":%" PRId64 ",\"ms\":%" PRId64
	       ",\"cpu_us\":%ld,\"peak_kib\":%ld}\n",
	    done ? "true" : "false", r->sent, r->failed, r->breaks, r->full,
	    r->arrived, now_ms() - r->began,
	    (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
		u.ru_utime.tv_usec + u.ru_stime.tv_usec,
	    u.ru_maxrss);
}

int
main(int argc, char **argv)
{
	static struct run r = {.count = 1,
	    .size = 400,
	    .resend = 1000,
	    .cursor = "",
	    .gate = "",
	    .eve = "",
	    .format = "eve",
	    .c = {.path = "",
		.host = "",
		.ca_file = "",
		.cert_file = "",
		.key_file = "",
		.peer_name = "",
		.brokers = "",
		.topic = "",
		.timeout_ms = 5000}};

	if (argc < 2)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	kind_of(&r, argv[1]);
	for (int i = 2; i < argc; i++)
		set(&r, argv[i]);
	r.buf = malloc(FEED_MESSAGE_MAX + 64);
	r.began = now_ms();
	if ((r.t = r.ops->open(&r.c, r.err)) == NULL) {
		printf("%s\n", r.err);
		report(&r, false);
		return 1;
	}
	if (r.eve[0] != '\0')
		load_event(&r);
	r.arrived = number_in(r.cursor);
	r.next = r.arrived + 1;
	bool done = r.ops->connect(r.t, r.err) == 0 || mend(&r);
	done = done && work(&r);
	store(&r, true);
	report(&r, done);
	r.ops->close(r.t);
	free(r.buf);
	return done ? 0 : 1;
}
