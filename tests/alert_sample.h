/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Alerts, files and a history to test with. The history here is a stand-in
 * that remembers what was done with it: included by a test program it takes
 * the place of rules/history.c.
 */
#ifndef STRIPWIRE_ALERT_SAMPLE_H
#define STRIPWIRE_ALERT_SAMPLE_H

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/addr_text.h"
#include "db/query.h"
#include "db/store.h"
#include "tests/test.h"

#define T0 INT64_C(1795341794512000000) /* 2026-11-22 10:03:14.512 */
#define MS INT64_C(1000000)

/* ---- history ---- */

struct history {
	unsigned nservers, npairs;
	struct server_facts servers[8];
	struct pair_facts pairs[8];
	unsigned kept, dropped, loaded;
};

void
history_load_server(struct history *h, const struct server_facts *s)
{
	h->loaded++;
	if (h->nservers < 8)
		h->servers[h->nservers++] = *s;
}

void
history_load_pair(struct history *h, const struct pair_facts *p)
{
	h->loaded++;
	if (h->npairs < 8)
		h->pairs[h->npairs++] = *p;
}

void
history_each_dirty(struct history *h, uint64_t max,
    void (*server)(void *, const struct server_facts *),
    void (*pair)(void *, const struct history_entry *), void *ctx)
{
	(void)max;
	for (unsigned i = 0; i < h->nservers; i++)
		server(ctx, &h->servers[i]);
	for (unsigned i = 0; i < h->npairs; i++)
		pair(ctx, (const void *)&h->pairs[i]);
}

const struct pair_facts *
history_entry_pair(const struct history *h, const struct history_entry *e)
{
	(void)h;
	return (const void *)e;
}

void
history_saved(struct history *h, uint64_t max)
{
	(void)h;
	(void)max;
}

const struct history_counters *
history_counters(const struct history *h)
{
	static const struct history_counters n = {
	    .max_servers = HISTORY_SERVERS_MAX, .max_pairs = HISTORY_PAIRS_MAX};

	(void)h;
	return &n;
}

struct pins *
history_pins(const struct history *h)
{
	static struct pins *none;

	(void)h;
	if (none == NULL)
		none = pins_new();
	return none;
}

void
history_keep(struct history *h)
{
	h->kept++;
}

void
history_drop(struct history *h)
{
	h->dropped++;
}

static inline struct server_facts
sample_server(unsigned n)
{
	struct server_facts s;
	char text[32];

	memset(&s, 0, sizeof(s));
	snprintf(text, sizeof(text), "10.2.0.%u", n);
	if (addr_from_text(&s.key.addr, text) == -1)
		abort();
	s.key.port = 25;
	s.key.proto = PROTO_SMTP;
	s.first = T0;
	s.last = T0 + n;
	s.sessions = 3;
	s.offered = UINT32_MAX;
	s.mechs = 0x80000001;
	s.ttl = 57;
	strcpy(s.host, "mx.example.net");
	strcpy(s.words, "SIZE 10240000\nSTARTTLS");
	s.ncerts = 2;
	memset(s.certs[0].spki, 0x11, 32);
	memset(s.certs[1].spki, 0x22, 32);
	s.certs[0].last = T0 + 2;
	s.certs[1].last = T0 + 1;
	s.certs[0].trusted = 1;
	return s;
}

/* ---- alerts ---- */

static inline struct step *
sample_step(struct alert *a, enum dir dir, uint16_t kind, const char *text)
{
	struct step *s = &a->steps[a->nsteps++];

	s->flow = 7;
	s->kind = kind;
	s->dir = (uint8_t)dir;
	s->time = T0 + a->nsteps * 2 * MS;
	s->pkt.time = s->time;
	s->pkt.ordinal = a->nsteps;
	s->pkt.frame_no = a->nsteps;
	s->pkt.seq = 1000u * (a->nsteps + 1);
	s->pkt.ack = 5000;
	s->pkt.len = (uint32_t)strlen(text) + 2;
	s->pkt.window = 512;
	s->pkt.ip_id = 4660;
	s->pkt.ttl = dir == DIR_C2S ? 64 : 57;
	s->pkt.tcp_flags = TCP_ACK | TCP_PSH;
	s->pkt.dir = (uint8_t)dir;
	snprintf(s->text, sizeof(s->text), "%s", text);
	return s;
}

static inline void
sample_evidence(struct alert *a, int weight, const char *text)
{
	struct evidence *e = &a->finding.evidence[a->finding.nevidence++];

	e->weight = (int16_t)weight;
	snprintf(e->text, sizeof(e->text), "%s", text);
}

static inline void
sample_ladder(struct alert *a)
{
	struct step *s;

	sample_step(a, DIR_S2C, OBS_GREETING, "220 mx.example.net ESMTP");
	sample_step(a, DIR_C2S, OBS_CAPS, "EHLO mail-out.example.org");
	sample_step(a, DIR_C2S, OBS_TLS_ASKED, "STARTTLS");
	sample_step(a, DIR_S2C, OBS_TLS_ANSWERED, "220 2.0.0 Ready");
	s = sample_step(a, DIR_S2C, OBS_RST, "RST");
	s->mark = STEP_WRONG;
	s->pkt.ttl = 64;
	s->pkt.len = 0;
	s->pkt.tcp_flags = TCP_RST;
	a->finding.pkt = s->pkt;
	s = sample_step(a, DIR_C2S, OBS_AUTH, "AUTH PLAIN ********");
	s->mark = STEP_OTHER_FLOW;
	s->flow = 8;
	s->client_port = 51520;
	s->time += 3000 * MS;
	s->pkt.time = s->time;
}

/* The n-th of many alerts, all different. */
static inline struct alert
sample_alert(unsigned n)
{
	struct alert a;

	memset(&a, 0, sizeof(a));
	a.finding.id = FIND_RST_INJECTED;
	a.finding.confidence = 96;
	a.finding.tags = EVT_DURING_TLS_HANDSHAKE | EVT_KNOWN_TOOL;
	a.finding.vis = VIS_GAP_C2S;
	a.finding.flow = 7;
	a.finding.time = T0 + n * MS;
	strcpy(a.finding.user, "alice");
	strcpy(a.finding.mech, "PLAIN");
	sample_evidence(&a, 45, "data followed the reset from its sender");
	sample_evidence(&a, 20, "it came during the TLS handshake");
	sample_evidence(&a, 0, "TTL 64 where this server has 57");
	a.sid = 1000001;
	a.gid = 1;
	a.rev = 2;
	a.severity = SEV_HIGH;
	strcpy(a.msg, "Forged reset");
	strcpy(a.classtype, "attempted-dos");
	if (addr_from_text(&a.flow.client, "10.1.0.10") == -1 ||
	    addr_from_text(&a.flow.server, "10.2.0.20") == -1)
		abort();
	a.flow.client_port = 51514;
	a.flow.server_port = 25;
	a.flow.client_ttl = 64;
	a.flow.server_ttl = 57;
	a.flow.start = T0;
	a.flow.public_id = 1000 + n / 4;
	a.flow.nvlan = 1;
	a.flow.vlan[0] = 42;
	a.proto = PROTO_SMTP;
	strcpy(a.server_name, "mx.example.net");
	sample_ladder(&a);
	return a;
}

/* ---- files ---- */

/* A new folder below $TMPDIR; its files are left to sample_remove(). */
static inline void
sample_folder(char buf[PATH_MAX])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(buf, PATH_MAX, "%s/stripwire-test-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(buf) == NULL)
		abort();
}

static inline void
sample_remove(const char *folder)
{
	char cmd[PATH_MAX + 16];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", folder);
	if (system(cmd) != 0)
		abort();
}

static inline char *
sample_path(char buf[PATH_MAX + 32], const char *folder, const char *name)
{
	snprintf(buf, PATH_MAX + 32, "%s/%s", folder, name);
	return buf;
}

/* One number out of a database, -1 if there is none. */
static inline int64_t
sample_ask(const char *path, const char *sql)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t v = -1;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) ==
		SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

static inline void
sample_exec(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
		abort();
	}
	sqlite3_close(db);
}

/* store_file_end() with its fields in a row. */
static inline enum store_status
sample_file_end(struct store *s, const char *path, uint64_t fingerprint,
    struct history *h, char earlier[256])
{
	struct store_capture c = {path, fingerprint, 100, T0, T0 + MS};

	return store_file_end(s, &c, h, earlier, 256);
}

static inline bool
sample_is_whole(const char *path)
{
	return sample_ask(path, "SELECT count(*) FROM pragma_integrity_check "
				"WHERE integrity_check <> 'ok'") == 0;
}

static inline struct store *
sample_open(const char *path, bool again)
{
	struct store_config cfg = {.path = path, .again = again};
	char err[512] = "";
	struct store *s;

	if (store_open(&s, &cfg, err, sizeof(err)) != STORE_OK) {
		TEST_FAIL("%s", err);
		exit(1);
	}
	store_run_begin(s, "stripwire read x.pcap", "sensor.rules");
	return s;
}

/* A test with a folder of its own, and the name of a database in it. */
#define DB_TEST(name)                                       \
	static void body_##name(const char *dir, char *db); \
	TEST(name)                                          \
	{                                                   \
		char dir_[PATH_MAX], db_[PATH_MAX + 32];    \
		sample_folder(dir_);                        \
		sample_path(db_, dir_, "x.db");             \
		body_##name(dir_, db_);                     \
		sample_remove(dir_);                        \
	}                                                   \
	static void body_##name(                            \
	    const char *dir __attribute__((unused)), char *db)

#endif
