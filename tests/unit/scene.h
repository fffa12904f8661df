/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections of one packet after the other for tests of the tracker, and the
 * observations that come out, as text. Each scene runs straight and through
 * libnids, with the same result.
 */
#ifndef STRIPWIRE_TEST_SCENE_H
#define STRIPWIRE_TEST_SCENE_H

#include <stdlib.h>

#include "decoders/tls_record.h"
#include "sensor/tracker.h"

#include "tests/test.h"

#define MS 1000000LL
#define START (1700000000 * 1000LL * MS)
#define SCENE_MAX 4096

/* ---- a scene: packets of one connection ---- */

struct scene {
	struct packet pkt[SCENE_MAX];
	size_t n;
	uint32_t seq[2]; /* next number of each side */
	uint16_t port[2];
	uint8_t ttl[2];
	int64_t time;
};

static struct scene sc;

static inline void
scene_begin(uint16_t client_port, uint16_t server_port)
{
	sc.n = 0;
	sc.seq[DIR_C2S] = 0xfffffff0u; /* wraps soon */
	sc.seq[DIR_S2C] = 5000;
	sc.port[DIR_C2S] = client_port;
	sc.port[DIR_S2C] = server_port;
	sc.ttl[0] = 64;
	sc.ttl[1] = 57;
	sc.time = START;
}

static inline struct packet *
raw(enum dir dir, uint8_t flags, uint32_t seq, const char *text)
{
	struct packet *p = &sc.pkt[sc.n++];

	memset(p, 0, sizeof(*p));
	sc.time += MS;
	p->time = sc.time;
	p->src.b[10] = p->src.b[11] = p->dst.b[10] = p->dst.b[11] = 0xff;
	p->src.b[12] = p->dst.b[12] = 10;
	(dir == DIR_C2S ? &p->src : &p->dst)->b[15] = 1;
	(dir == DIR_C2S ? &p->dst : &p->src)->b[15] = 2;
	p->flags = PKT_CSUM_CHECKED;
	p->ip_proto = 6;
	p->ttl = sc.ttl[dir];
	p->ip_id = (uint16_t)sc.n;
	p->sport = sc.port[dir];
	p->dport = sc.port[!dir];
	p->tcp_flags = flags;
	p->seq = seq;
	p->ack = flags & TCP_ACK ? sc.seq[!dir] : 0;
	p->window = 65535;
	p->payload = (const uint8_t *)text;
	p->len = p->wire_len = (uint32_t)strlen(text);
	return p;
}

static inline void
handshake(void)
{
	raw(DIR_C2S, TCP_SYN, sc.seq[0], "");
	sc.seq[0]++;
	raw(DIR_S2C, TCP_SYN | TCP_ACK, sc.seq[1], "");
	sc.seq[1]++;
	raw(DIR_C2S, TCP_ACK, sc.seq[0], "");
}

static inline struct packet *
say(enum dir dir, const char *text)
{
	struct packet *p = raw(dir, TCP_ACK | TCP_PSH, sc.seq[dir], text);

	sc.seq[dir] += p->len;
	return p;
}

static inline void
bye(enum dir dir)
{
	raw(dir, TCP_ACK | TCP_FIN, sc.seq[dir], "");
	sc.seq[dir]++;
}

static inline void
close_both(void)
{
	bye(DIR_C2S);
	bye(DIR_S2C);
	raw(DIR_C2S, TCP_ACK, sc.seq[0], "");
}

static inline void
say_dialogue(void)
{
	say(DIR_S2C, "220 mx.example ESMTP\r\n");
	say(DIR_C2S, "EHLO a.example\r\n");
	say(DIR_S2C, "250-mx.example\r\n250-PIPELINING\r\n");
	say(DIR_S2C, "250 STARTTLS\r\n");
	say(DIR_C2S, "MAIL FROM:<a@a.example>\r\n");
	say(DIR_S2C, "250 2.1.0 Ok\r\n");
	say(DIR_C2S, "QUIT\r\n");
	say(DIR_S2C, "221 2.0.0 Bye\r\n");
}

/* ---- running it ---- */

static char text[65536];
static size_t text_len;
static int64_t last_time;
static uint64_t last_flow;
static struct tracker_counters seen;
static bool with_time;

static inline void
on_obs(void *ctx, struct obs *o)
{
	char line[4096];

	(void)ctx;
	if (o->flow == last_flow)
		CHECK(o->time >= last_time);
	last_flow = o->flow;
	last_time = o->time;
	(void)obs_format(line, sizeof(line), o, with_time);
	if (text_len + strlen(line) + 2 < sizeof(text))
		text_len += (size_t)snprintf(
		    text + text_len, sizeof(text) - text_len, "%s\n", line);
}

struct runner {
	struct tracker_config cfg;
	struct mail_env env;
	struct ip_ctx *ip;
	struct tracker *t;
	uint64_t ordinal;
};

static inline void
runner_begin(struct runner *r, enum reassembly how)
{
	char err[256] = "";

	r->cfg.reassembly = how;
	memset(&r->env, 0, sizeof(r->env));
	r->env.sink.emit = on_obs;
	r->env.pool = tls_pool_new(1 << 20);
	r->ip = ip_new();
	r->ordinal = 0;
	r->t = tracker_new(&r->cfg, &r->env, r->ip, err, sizeof(err));
	CHECK_STR(err, "");
	text_len = 0;
	text[0] = '\0';
	last_flow = 0;
}

static inline void
feed(struct runner *r, const struct packet *p)
{
	struct packet copy = *p;
	uint8_t *bytes = malloc(p->len + 1); /* so that over-reads are seen */

	if (p->len > 0)
		memcpy(bytes, p->payload, p->len);
	copy.payload = bytes;
	copy.ordinal = ++r->ordinal;
	copy.frame_no = (uint32_t)r->ordinal;
	tracker_packet(r->t, &copy);
	free(bytes);
}

static inline void
runner_end(struct runner *r)
{
	tracker_flush(r->t);
	seen = *tracker_counters(r->t);
	tracker_free(r->t);
	ip_free(r->ip);
	tls_pool_free(r->env.pool);
}

static inline struct runner
small(void)
{
	struct runner r;

	tracker_config_default(&r.cfg);
	r.cfg.max_flows = 1024;
	r.cfg.max_sessions = 64;
	return r;
}

/* Runs the scene both ways; the result is in text. */
static inline void
play(void)
{
	static char first[sizeof(text)];
	struct runner r = small();

	for (int how = 0; how < 2; how++) {
		runner_begin(
		    &r, how ? REASSEMBLY_ALWAYS : REASSEMBLY_ON_DEMAND);
		for (size_t i = 0; i < sc.n; i++)
			feed(&r, &sc.pkt[i]);
		runner_end(&r);
		if (how == 0)
			memcpy(first, text, sizeof(first));
	}
	CHECK_STR(text, first);
}

static inline bool
has(const char *part)
{
	return strstr(text, part) != NULL;
}

static inline unsigned
count(const char *part)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, part)) != NULL; p++)
		n++;
	return n;
}

/* What a dialogue says: everything between the flow's open and its end. */
static inline const char *
dialogue_of(const char *all)
{
	static char out[sizeof(text)];
	const char *from = strchr(all, '\n'), *to = strstr(all, "\nflow-end");

	out[0] = '\0';
	if (from != NULL && to != NULL && to > from)
		snprintf(out, sizeof(out), "%.*s", (int)(to - from), from);
	return out;
}

#endif
