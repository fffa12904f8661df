/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loads what earlier runs learned, saves what this one did.
 *
 * The tables are bounded as the memory is: entries that memory evicted stay
 * on disk until loading finds more than twice its limits; then the ones not
 * used for longest go, pinned ones never.
 */
#include "db/history_sqlite.h"

#include <stdio.h>
#include <string.h>

#include "db/store_priv.h"

#define NAME_OF(p) proto_name((enum proto)(p))

struct saver {
	struct store *s;
	int rc;
};

/* A row being read, column by column. */
struct row {
	sqlite3_stmt *st;
	int n;
};

/* ---- save ---- */

static void
bind_server_key(struct binder *b, const struct server_key *k, char *addr)
{
	bind_text(b, addr_to_text(addr, &k->addr));
	bind_int(b, k->port);
	bind_text(b, NAME_OF(k->proto));
	bind_int(b, k->implicit_tls);
}

/* The rows of a server's keys mirror what memory holds of it. */
static int
drop_certs(struct store *s, const struct server_key *key)
{
	char addr[ADDR_TEXT_MAX];
	struct binder b;
	int rc = store_stmt(s, ST_SERVER_KEYS_DROP, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_server_key(&b, key, addr);
	return store_step(&b);
}

static int
save_cert(
    struct store *s, const struct server_key *key, const struct known_cert *c)
{
	char addr[ADDR_TEXT_MAX];
	struct binder b;
	int rc = store_stmt(s, ST_SERVER_KEY, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_server_key(&b, key, addr);
	bind_blob(&b, c->spki, sizeof(c->spki));
	bind_blob(&b, c->issuer, sizeof(c->issuer));
	bind_int(&b, c->first);
	bind_int(&b, c->last);
	bind_int(&b, c->trusted);
	bind_int(&b, c->self_signed);
	return store_step(&b);
}

static int
save_server_row(struct store *s, const struct server_facts *f)
{
	char addr[ADDR_TEXT_MAX];
	struct binder b;
	int rc = store_stmt(s, ST_SERVER, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_server_key(&b, &f->key, addr);
	bind_int(&b, f->first);
	bind_int(&b, f->last);
	bind_int(&b, f->sessions);
	bind_int(&b, f->days);
	bind_int(&b, f->offered);
	bind_int(&b, f->not_offered);
	bind_int(&b, f->offered_days);
	bind_int(&b, f->first_offer);
	bind_int(&b, f->last_offer);
	bind_int(&b, f->last_absence);
	bind_int(&b, f->tls_done);
	bind_int(&b, f->first_tls);
	bind_int(&b, f->demanded);
	bind_int(&b, f->logindisabled);
	bind_int(&b, f->capa_ok);
	bind_int(&b, f->capa_refused);
	bind_int(&b, f->ehlo_ok);
	bind_int(&b, f->helo_only);
	bind_int(&b, f->greeting_ok);
	bind_int(&b, f->greeting_preauth);
	bind_int(&b, f->tls_failed);
	bind_int(&b, f->mechs);
	bind_int(&b, f->tls_versions);
	bind_int(&b, f->ttl);
	bind_int(&b, f->pinned_starttls);
	bind_text(&b, f->host);
	bind_text(&b, f->words);
	return store_step(&b);
}

static void
save_server(void *ctx, const struct server_facts *f)
{
	struct saver *v = ctx;

	if (v->rc == SQLITE_OK)
		v->rc = save_server_row(v->s, f);
	if (v->rc == SQLITE_OK)
		v->rc = drop_certs(v->s, &f->key);
	for (unsigned i = 0; i < f->ncerts && i < HISTORY_KEYS; i++)
		if (v->rc == SQLITE_OK)
			v->rc = save_cert(v->s, &f->key, &f->certs[i]);
	v->s->rows += 1 + f->ncerts;
}

static int
save_pair_row(struct store *s, const struct pair_facts *p)
{
	char client[ADDR_TEXT_MAX], addr[ADDR_TEXT_MAX];
	struct binder b;
	int rc = store_stmt(s, ST_PAIR, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_text(&b, addr_to_text(client, &p->key.client));
	bind_server_key(&b, &p->key.server, addr);
	bind_int(&b, p->first);
	bind_int(&b, p->last);
	bind_int(&b, p->tls);
	bind_int(&b, p->clear);
	bind_int(&b, p->tls_days);
	bind_int(&b, p->tls_failed_then_clear);
	return store_step(&b);
}

static void
save_pair(void *ctx, const struct pair_facts *p)
{
	struct saver *v = ctx;

	if (v->rc == SQLITE_OK)
		v->rc = save_pair_row(v->s, p);
	v->s->rows++;
}

int
history_sqlite_save(struct store *s, struct history *h)
{
	struct saver v = {s, SQLITE_OK};

	history_each_dirty(h, save_server, save_pair, &v);
	return v.rc;
}

/* ---- load ---- */

static int64_t
col_int(struct row *r)
{
	return sqlite3_column_int64(r->st, r->n++);
}

static uint32_t
col_count(struct row *r)
{
	int64_t v = col_int(r);

	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static uint8_t
col_byte(struct row *r)
{
	return (uint8_t)(col_count(r) & 0xff);
}

static void
col_text(struct row *r, char *dst, size_t cap)
{
	const char *s = (const char *)sqlite3_column_text(r->st, r->n++);

	snprintf(dst, cap, "%s", s != NULL ? s : "");
}

static void
col_hash(struct row *r, uint8_t dst[32])
{
	const void *p = sqlite3_column_blob(r->st, r->n);

	memset(dst, 0, 32);
	if (p != NULL && sqlite3_column_bytes(r->st, r->n) == 32)
		memcpy(dst, p, 32);
	r->n++;
}

static uint8_t
proto_by_name(const char *name)
{
	for (unsigned p = 0; p < PROTO_COUNT; p++)
		if (strcmp(NAME_OF(p), name) == 0)
			return (uint8_t)p;
	return PROTO_UNKNOWN;
}

static int
col_addr(struct row *r, struct addr *a)
{
	char text[ADDR_TEXT_MAX + 1];

	col_text(r, text, sizeof(text));
	return addr_from_text(a, text);
}

static int
col_server_key(struct row *r, struct server_key *k)
{
	int bad = col_addr(r, &k->addr);
	char proto[16];

	k->port = (uint16_t)col_count(r);
	col_text(r, proto, sizeof(proto));
	k->proto = proto_by_name(proto);
	k->implicit_tls = col_byte(r) != 0;
	return bad;
}

static void
col_server(struct row *r, struct server_facts *f)
{
	f->first = col_int(r);
	f->last = col_int(r);
	f->sessions = col_count(r);
	f->days = col_count(r);
	f->offered = col_count(r);
	f->not_offered = col_count(r);
	f->offered_days = col_count(r);
	f->first_offer = col_int(r);
	f->last_offer = col_int(r);
	f->last_absence = col_int(r);
	f->tls_done = col_count(r);
	f->first_tls = col_int(r);
	f->demanded = col_count(r);
	f->logindisabled = col_count(r);
	f->capa_ok = col_count(r);
	f->capa_refused = col_count(r);
	f->ehlo_ok = col_count(r);
	f->helo_only = col_count(r);
	f->greeting_ok = col_count(r);
	f->greeting_preauth = col_count(r);
	f->tls_failed = col_count(r);
	f->mechs = col_count(r);
	f->tls_versions = col_count(r);
	f->ttl = col_byte(r);
	f->pinned_starttls = col_byte(r);
	col_text(r, f->host, sizeof(f->host));
	col_text(r, f->words, sizeof(f->words));
}

static int
load_certs(sqlite3_stmt *st, sqlite3_stmt *of, struct server_facts *f)
{
	struct row r;

	for (int i = 0; i < 4; i++)
		sqlite3_bind_value(st, i + 1, sqlite3_column_value(of, i));
	while (sqlite3_step(st) == SQLITE_ROW) {
		struct known_cert *c;

		if (f->ncerts == HISTORY_KEYS)
			break;
		c = &f->certs[f->ncerts++];
		r = (struct row){st, 0};
		col_hash(&r, c->spki);
		col_hash(&r, c->issuer);
		c->first = col_int(&r);
		c->last = col_int(&r);
		c->trusted = col_byte(&r);
		c->self_signed = col_byte(&r);
	}
	return sqlite3_reset(st);
}

/* The most recent last, so that the oldest are the first to be evicted. */
static const char servers_sql[] =
    "SELECT * FROM (SELECT * FROM servers ORDER BY pinned_starttls DESC, "
    "last DESC LIMIT ?) ORDER BY pinned_starttls, last";
static const char certs_sql[] =
    "SELECT spki, issuer, first, last, trusted, self_signed FROM server_keys "
    "WHERE addr=? AND port=? AND proto=? AND implicit_tls=? ORDER BY last DESC";
static const char pairs_sql[] =
    "SELECT * FROM (SELECT * FROM pairs ORDER BY last DESC LIMIT ?) "
    "ORDER BY last";

static int
load_servers(struct store *s, struct history *h)
{
	sqlite3_stmt *st = NULL, *certs = NULL;
	int rc = sqlite3_prepare_v2(s->db, servers_sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(s->db, certs_sql, -1, &certs, NULL);
	if (rc == SQLITE_OK)
		sqlite3_bind_int(st, 1, HISTORY_SERVERS_MAX);
	while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		struct server_facts f;
		struct row r = {st, 0};

		memset(&f, 0, sizeof(f));
		if (col_server_key(&r, &f.key) == -1)
			continue;
		col_server(&r, &f);
		rc = load_certs(certs, st, &f);
		history_load_server(h, &f);
	}
	sqlite3_finalize(certs);
	if (rc == SQLITE_OK)
		return sqlite3_finalize(st);
	sqlite3_finalize(st);
	return rc;
}

static int
load_pairs(struct store *s, struct history *h)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(s->db, pairs_sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int(st, 1, HISTORY_PAIRS_MAX);
	while (sqlite3_step(st) == SQLITE_ROW) {
		struct pair_facts p;
		struct row r = {st, 0};

		memset(&p, 0, sizeof(p));
		if (col_addr(&r, &p.key.client) == -1 ||
		    col_server_key(&r, &p.key.server) == -1)
			continue;
		p.first = col_int(&r);
		p.last = col_int(&r);
		p.tls = col_count(&r);
		p.clear = col_count(&r);
		p.tls_days = col_count(&r);
		p.tls_failed_then_clear = col_count(&r);
		history_load_pair(h, &p);
	}
	return sqlite3_finalize(st);
}

static int
prune_table(struct store *s, const char *table, const char *spare, int max)
{
	char sql[384];

	snprintf(sql, sizeof(sql),
	    "DELETE FROM %s WHERE %s AND (SELECT count(*) FROM %s) > %d AND "
	    "last < (SELECT last FROM %s ORDER BY last DESC LIMIT 1 OFFSET %d)",
	    table, spare, table, 2 * max, table, max);
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

static int
prune(struct store *s)
{
	static const char keys[] =
	    "DELETE FROM server_keys WHERE changes() <> 0 AND NOT EXISTS ("
	    "SELECT 1 FROM servers s WHERE s.addr=server_keys.addr AND "
	    "s.port=server_keys.port AND s.proto=server_keys.proto AND "
	    "s.implicit_tls=server_keys.implicit_tls)";
	int rc = store_begin(s);

	if (rc == SQLITE_OK)
		rc = prune_table(s, "pairs", "1", HISTORY_PAIRS_MAX);
	if (rc == SQLITE_OK)
		rc = prune_table(
		    s, "servers", "pinned_starttls=0", HISTORY_SERVERS_MAX);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, keys, NULL, NULL, NULL);
	return rc;
}

int
store_load_history(struct store *s, struct history *h)
{
	int rc = prune(s);

	if (rc == SQLITE_OK)
		rc = load_servers(s, h);
	if (rc == SQLITE_OK)
		rc = load_pairs(s, h);
	if (rc != SQLITE_OK) {
		store_trouble(s, rc);
		return -1;
	}
	return store_commit(s);
}
