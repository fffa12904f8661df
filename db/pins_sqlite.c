/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pins to a table and back, and what commands change in the history. Pins are
 * few and change by command only: all of them are written anew.
 */
#include <stdio.h>
#include <string.h>

#include "db/history_sqlite.h"
#include "db/store_priv.h"

struct saver {
	struct store *s;
	int rc;
};

static int
save_pin_row(struct store *s, const struct pin *p)
{
	char addr[ADDR_TEXT_MAX];
	struct binder b;
	int rc = store_stmt(s, ST_PIN, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_text(
	    &b, p->key.of_name ? p->name : addr_to_text(addr, &p->key.addr));
	bind_int(&b, p->key.port);
	bind_text(&b, proto_name((enum proto)p->key.proto));
	bind_int(&b, p->key.implicit_tls);
	bind_int(&b, p->source);
	bind_text(&b, p->domain);
	bind_int(&b, p->starttls);
	bind_int(&b, p->tls_min);
	bind_int(&b, p->interceptor);
	bind_blob(&b, p->sha256, p->has_key ? sizeof(p->sha256) : 0);
	bind_text(&b, p->issuer);
	bind_text(&b, p->cert_name);
	bind_int(&b, p->expires);
	return store_step(&b);
}

static void
save_pin(void *ctx, const struct pin *p)
{
	struct saver *v = ctx;

	if (v->rc == SQLITE_OK)
		v->rc = save_pin_row(v->s, p);
}

static int
save_pins(struct store *s, const struct history *h)
{
	struct saver v = {s, SQLITE_OK};

	v.rc = sqlite3_exec(s->db, "DELETE FROM pins", NULL, NULL, NULL);
	pins_each(history_pins(h), save_pin, &v);
	return v.rc;
}

int
store_save_history(struct store *s, struct history *h)
{
	int rc = store_begin(s);

	if (rc == SQLITE_OK)
		rc = history_sqlite_save(s, h, UINT64_MAX);
	if (rc == SQLITE_OK)
		rc = save_pins(s, h);
	if (rc != SQLITE_OK) {
		store_trouble(s, rc);
		return -1;
	}
	if (store_commit(s) == -1)
		return -1;
	history_saved(h, UINT64_MAX);
	return 0;
}

/* ---- load ---- */

static void
text(sqlite3_stmt *st, int column, char *dst, size_t cap)
{
	const char *s = (const char *)sqlite3_column_text(st, column);

	snprintf(dst, cap, "%s", s != NULL ? s : "");
}

static bool
load_pin(sqlite3_stmt *st, struct pin *p)
{
	char proto[16];

	memset(p, 0, sizeof(*p));
	text(st, 0, p->name, sizeof(p->name));
	p->key.port = (uint16_t)sqlite3_column_int(st, 1);
	text(st, 2, proto, sizeof(proto));
	p->key.proto = history_proto(proto);
	p->key.implicit_tls = sqlite3_column_int(st, 3) != 0;
	p->source = sqlite3_column_int(st, 4) != 0;
	text(st, 5, p->domain, sizeof(p->domain));
	p->starttls = (uint8_t)(sqlite3_column_int(st, 6) & 3);
	p->tls_min = (uint16_t)sqlite3_column_int(st, 7);
	p->interceptor = sqlite3_column_int(st, 8) != 0;
	p->has_key = sqlite3_column_bytes(st, 9) == sizeof(p->sha256);
	if (p->has_key)
		memcpy(
		    p->sha256, sqlite3_column_blob(st, 9), sizeof(p->sha256));
	text(st, 10, p->issuer, sizeof(p->issuer));
	text(st, 11, p->cert_name, sizeof(p->cert_name));
	p->expires = sqlite3_column_int64(st, 12);
	return pin_name_to_key(p, p->name);
}

bool
pin_name_to_key(struct pin *p, const char *server)
{
	struct server_key k = p->key;

	memset(&k.addr, 0, sizeof(k.addr));
	k.of_name = 0;
	if (addr_from_text(&k.addr, server) == 0) {
		p->key = k;
		memset(p->name, 0, sizeof(p->name));
		return true;
	}
	memset(&k.addr, 0, sizeof(k.addr));
	return server_key_of_name(&p->key, &k, server) &&
	       server_name_fold(p->name, server);
}

int
pins_sqlite_load(sqlite3 *db, struct history *h)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(db, "SELECT * FROM pins", -1, &st, NULL);
	struct pin p;

	if (rc != SQLITE_OK)
		return rc;
	while (sqlite3_step(st) == SQLITE_ROW)
		if (load_pin(st, &p))
			(void)pins_put(history_pins(h), &p);
	return sqlite3_finalize(st);
}

/* ---- forgetting ---- */

static int
drop_rows(sqlite3 *db, const char *table, const struct server_key *key,
    const char *addr)
{
	sqlite3_stmt *st;
	char sql[128];
	int rc;

	snprintf(sql, sizeof(sql),
	    "DELETE FROM %s WHERE addr=? AND port=? AND proto=? AND "
	    "implicit_tls=?",
	    table);
	rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_text(st, 1, addr, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 2, key->port);
	sqlite3_bind_text(
	    st, 3, proto_name((enum proto)key->proto), -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 4, key->implicit_tls);
	(void)sqlite3_step(st);
	return sqlite3_finalize(st);
}

int
store_forget(struct store *s, const struct server_key *key, const char *name)
{
	static const char *const tables[] = {
	    "servers", "server_keys", "server_stacks", "pairs"};
	char addr[ADDR_TEXT_MAX];
	int rc = store_begin(s);

	if (!key->of_name)
		name = addr_to_text(addr, &key->addr);
	for (unsigned i = 0; i < 3 && rc == SQLITE_OK; i++)
		rc = drop_rows(s->db, tables[i], key, name);
	if (rc != SQLITE_OK) {
		store_trouble(s, rc);
		return -1;
	}
	return store_commit(s);
}
