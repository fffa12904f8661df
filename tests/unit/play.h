/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hand-made dialogues for the judge: each function is one observation as the
 * decoders would make it, and the findings that come out are collected by
 * name. Time moves on by PLAY_TICK a step.
 *
 *	play_open(&p, PROTO_SMTP, 25);
 *	play_list(&p, CAPS_EHLO, "STARTTLS\nSIZE");
 *	play_mail(&p);
 *	CHECK_INT(play_conf(&p, FIND_PLAINTEXT_FALLBACK), 0);
 */
#ifndef STRIPWIRE_PLAY_H
#define STRIPWIRE_PLAY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "decoders/sasl.h"
#include "rules/facts.h"
#include "rules/judge.h"

#define SECOND INT64_C(1000000000)
#define DAY (86400 * SECOND)
#define PLAY_TICK (SECOND / 1000)
#define PLAY_START (1795320000 * SECOND) /* 2026-11-22 */
#define PLAY_ALERTS 64

struct play {
	struct judge *j;
	struct history *h;
	struct ruleset *rules;
	struct alert alerts[PLAY_ALERTS];
	unsigned n;
	int64_t now;
	uint64_t flow, ordinal;
	uint16_t client_port, server_port;
	uint8_t client, server; /* last byte of the addresses */
	uint8_t proto, phase, implicit;
	uint32_t vis;
};

static inline void
play_collect(void *ctx, const struct alert *a)
{
	struct play *p = ctx;

	if (p->n < PLAY_ALERTS)
		p->alerts[p->n++] = *a;
}

/* One rule for each finding there is. */
static inline struct ruleset *
play_rules(void)
{
	char text[FIND_COUNT * 128];
	size_t used = 0;

	for (int i = 1; i < FIND_COUNT; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "alert tcp any any -> any any (msg:\"m\"; finding:%s; "
		    "severity:high; sid:%d; rev:1;)\n",
		    finding_info((enum finding_id)i)->name, i);
	return ruleset_parse("play", text, NULL, NULL, NULL);
}

static inline void
play_init(struct play *p)
{
	struct judge_config cfg;

	memset(p, 0, sizeof(*p));
	memset(&cfg, 0, sizeof(cfg));
	p->h = history_new();
	p->rules = play_rules();
	p->now = PLAY_START;
	p->client = 10;
	p->server = 20;
	p->client_port = 40000;
	cfg.history = p->h;
	cfg.rules = p->rules;
	cfg.sink.alert = play_collect;
	cfg.sink.ctx = p;
	p->j = judge_new(&cfg);
	if (p->h == NULL || p->rules == NULL || p->j == NULL)
		abort();
}

static inline void
play_fini(struct play *p)
{
	judge_free(p->j);
	ruleset_free(p->rules);
	history_free(p->h);
}

static inline void
play_addr(struct addr *a, uint8_t net, uint8_t last)
{
	static const uint8_t mapped[16] = {
	    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0};

	memcpy(a->b, mapped, sizeof(a->b));
	a->b[13] = net;
	a->b[15] = last;
}

/* An observation of the flow under way, one tick later. */
static inline struct obs
play_obs(struct play *p, enum obs_kind kind, enum dir dir, const char *text)
{
	struct obs o;

	memset(&o, 0, sizeof(o));
	obs_init(&o, kind);
	p->now += PLAY_TICK;
	o.dir = (uint8_t)dir;
	o.proto = p->proto;
	o.phase = p->phase;
	o.implicit_tls = p->implicit;
	o.vis = p->vis;
	o.flow = p->flow;
	o.time = p->now;
	o.pkt.time = p->now;
	o.pkt.ordinal = ++p->ordinal;
	o.pkt.dir = (uint8_t)dir;
	(void)snprintf(o.text, sizeof(o.text), "%s", text);
	return o;
}

static inline void
play_open(struct play *p, enum proto proto, uint16_t port)
{
	struct obs o;

	p->flow++;
	p->client_port++;
	p->server_port = port;
	p->proto = (uint8_t)proto;
	p->phase = PHASE_TEXT;
	p->implicit = port == 465 || port == 993 || port == 995;
	p->vis = 0;
	o = play_obs(p, OBS_FLOW_OPEN, DIR_C2S, "");
	play_addr(&o.u.flow_open.client, 1, p->client);
	play_addr(&o.u.flow_open.server, 2, p->server);
	o.u.flow_open.client_port = p->client_port;
	o.u.flow_open.server_port = port;
	o.u.flow_open.start = p->now;
	judge_obs(p->j, &o);
}

static inline void
play_greeting(struct play *p, enum greeting_kind kind, const char *text)
{
	struct obs o = play_obs(p, OBS_GREETING, DIR_S2C, text);

	o.u.greeting.kind = (uint8_t)kind;
	o.u.greeting.code = p->proto == PROTO_SMTP ? 220 : 0;
	judge_obs(p->j, &o);
}

static inline bool
play_has(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *w = words; *w != '\0'; w += strcspn(w, "\n")) {
		w += *w == '\n';
		if (strncasecmp(w, word, n) == 0 &&
		    (w[n] == '\0' || w[n] == '\n' || w[n] == ' '))
			return true;
	}
	return false;
}

static inline struct obs
play_caps(struct play *p, enum caps_source source, const char *words)
{
	struct obs o = play_obs(p, OBS_CAPS, DIR_S2C, "250 list");

	o.u.caps.source = (uint8_t)source;
	o.u.caps.complete = 1;
	o.u.caps.code = 250;
	o.u.caps.starttls =
	    play_has(words, "STARTTLS") || play_has(words, "STLS");
	o.u.caps.logindisabled = play_has(words, "LOGINDISABLED");
	(void)snprintf(o.u.caps.words, sizeof(o.u.caps.words), "%s", words);
	(void)snprintf(o.u.caps.name, sizeof(o.u.caps.name), "client.test");
	return o;
}

static inline void
play_list(struct play *p, enum caps_source source, const char *words)
{
	struct obs o = play_caps(p, source, words);

	judge_obs(p->j, &o);
}

static inline void
play_list_refused(struct play *p, enum caps_source source, uint16_t code)
{
	struct obs o = play_caps(p, source, "");

	o.u.caps.refused = 1;
	o.u.caps.complete = 0;
	o.u.caps.code = code;
	judge_obs(p->j, &o);
}

static inline void
play_ask_tls(struct play *p)
{
	struct obs o = play_obs(p, OBS_TLS_ASKED, DIR_C2S, "STARTTLS");

	p->phase = PHASE_TLS_ASKED;
	judge_obs(p->j, &o);
}

static inline void
play_answer(struct play *p, enum answer_kind kind, uint16_t code)
{
	struct obs o = play_obs(p, OBS_TLS_ANSWERED, DIR_S2C, "answer");

	o.u.answer.kind = (uint8_t)kind;
	o.u.answer.code = code;
	p->phase = kind == ANSWER_POSITIVE ? PHASE_TLS_READY : PHASE_TEXT;
	judge_obs(p->j, &o);
}

static inline void
play_hello(struct play *p)
{
	struct obs o = play_obs(p, OBS_TLS_CLIENT_HELLO, DIR_C2S, "");

	o.u.hello.version = 0x0303;
	p->phase = PHASE_TLS_HELLO;
	judge_obs(p->j, &o);
}

static inline void
play_established(struct play *p)
{
	struct obs o;

	play_hello(p);
	o = play_obs(p, OBS_TLS_DONE, DIR_C2S, "");
	o.u.done.version = 0x0303;
	judge_obs(p->j, &o);
	p->phase = PHASE_TLS_DONE;
	o = play_obs(p, OBS_TLS_APPDATA, DIR_C2S, "");
	judge_obs(p->j, &o);
}

static inline void
play_alert(struct play *p, enum dir dir, uint8_t description)
{
	struct obs o = play_obs(p, OBS_TLS_ALERT, dir, "");

	o.u.alert.level = 2;
	o.u.alert.description = description;
	judge_obs(p->j, &o);
}

static inline void
play_rst(struct play *p, enum dir dir, uint32_t tests)
{
	struct obs o = play_obs(p, OBS_RST, dir, "");

	o.pkt.tcp_flags = TCP_RST;
	o.u.rst.tests = tests;
	o.u.rst.count = 1;
	o.u.rst.first_phase = p->phase;
	judge_obs(p->j, &o);
}

static inline void
play_use(struct play *p, const char *verb, bool ok)
{
	struct obs o = play_obs(p, OBS_CLEAR_USE, DIR_C2S, verb);

	(void)snprintf(o.u.verb.verb, sizeof(o.u.verb.verb), "%s", verb);
	o.u.verb.ok = ok;
	o.u.verb.code = ok ? 250 : 550;
	judge_obs(p->j, &o);
}

static inline void
play_mail(struct play *p)
{
	play_use(p, "MAIL", true);
}

static inline void
play_auth(struct play *p, enum sasl_mech mech, const char *user, bool sent)
{
	struct obs o = play_obs(p, OBS_AUTH, DIR_C2S, "AUTH");

	o.u.auth.mech = (uint8_t)mech;
	o.u.auth.outcome = sent ? AUTH_OK : AUTH_ABORTED;
	o.u.auth.secret_sent = sent && (MECHS_CLEAR >> mech & 1);
	o.u.auth.response_sent = sent && !o.u.auth.secret_sent;
	o.u.auth.secret_id = o.u.auth.secret_sent ? 77 : 0;
	(void)snprintf(o.u.auth.user, sizeof(o.u.auth.user), "%s", user);
	(void)snprintf(o.u.auth.mech_name, sizeof(o.u.auth.mech_name), "MECH");
	judge_obs(p->j, &o);
}

static inline void
play_quit(struct play *p)
{
	struct obs o = play_obs(p, OBS_QUIT, DIR_C2S, "QUIT");

	judge_obs(p->j, &o);
}

static inline void
play_end(struct play *p, enum end_how how, enum dir by)
{
	struct obs o = play_obs(p, OBS_FLOW_END, DIR_C2S, "");

	o.pkt.ordinal = 0;
	o.u.end.how = (uint8_t)how;
	o.u.end.closed_by = (uint8_t)by;
	o.u.end.last = p->now - PLAY_TICK;
	judge_obs(p->j, &o);
}

static inline const char *
play_verb(const struct play *p)
{
	return p->proto == PROTO_POP3 ? "STLS" : "STARTTLS";
}

static inline enum caps_source
play_source(const struct play *p)
{
	return p->proto == PROTO_SMTP	? CAPS_EHLO
	       : p->proto == PROTO_POP3 ? CAPS_CAPA
					: CAPS_UNTAGGED;
}

/* An ordinary session that gets TLS. */
static inline void
play_lesson(struct play *p, enum proto proto, uint16_t port)
{
	char words[64];

	play_open(p, proto, port);
	play_greeting(p, GREETING_OK, "220 mx.test ESMTP");
	(void)snprintf(
	    words, sizeof(words), "IMAP4rev1\n%s\nSIZE", play_verb(p));
	play_list(p, play_source(p), words);
	play_ask_tls(p);
	play_answer(p, ANSWER_POSITIVE, 220);
	play_established(p);
	play_end(p, END_FIN, DIR_C2S);
}

/* Confidence of the last alert with this finding, 0 if there is none. */
static inline int
play_conf(const struct play *p, enum finding_id id)
{
	for (unsigned i = p->n; i-- > 0;)
		if (p->alerts[i].finding.id == id)
			return p->alerts[i].finding.confidence;
	return 0;
}

static inline const struct alert *
play_last(const struct play *p, enum finding_id id)
{
	for (unsigned i = p->n; i-- > 0;)
		if (p->alerts[i].finding.id == id)
			return &p->alerts[i];
	return NULL;
}

static inline unsigned
play_times(const struct play *p, enum finding_id id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n; i++)
		n += p->alerts[i].finding.id == id;
	return n;
}

static inline bool
play_said(const struct alert *a, const char *part)
{
	for (unsigned i = 0; a != NULL && i < a->finding.nevidence; i++)
		if (strstr(a->finding.evidence[i].text, part) != NULL)
			return true;
	return false;
}

#endif
