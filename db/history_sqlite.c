/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loads what earlier runs learned, saves what this one did.
 *
 * The tables are bounded as the memory is: entries that memory evicted stay
 * on disk until loading finds more than twice its limits; then the ones not
 * used for longest go. Columns go by the tables of fields (history_fields.h),
 * in the order in which the schema has them.
 */
#include "db/history_sqlite.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/history_fields.h"
#include "db/store_priv.h"

#define NAME_OF(p) proto_name((enum proto)(p))

#define WAITING_MAX 65536 /* bytes of rows of a table */
#define FIRST_PAIRS 64

/* A pair, and where about its row stands in the table. */
struct placed {
	uint64_t client, server;
	const struct history_entry *pair;
};

struct saver {
	struct store *s;
	const struct history *h;
	bool keys, stacks; /* there are rows of before in these tables */
	struct placed *pairs;
	size_t npairs, room;
	int rc;
};

/* A row being read, column by column. */
struct row {
	sqlite3_stmt *st;
	int n;
};

#define SERVER_TEXT_MAX 160 /* an address or a name */

/* ---- save ---- */

/* Hashes: none of them are no bytes. */
static void
add_hashes(struct rows *r, const char *p, size_t size)
{
	uint32_t hash, any = 0;

	for (size_t i = 0; i < size; i += sizeof(hash)) {
		memcpy(&hash, p + i, sizeof(hash));
		any |= hash;
	}
	rows_blob(r, p, any != 0 ? size : 0);
}

static void
add_field(struct rows *r, const struct history_field *f, const void *facts)
{
	const char *p = (const char *)facts + f->at;
	uint32_t count;
	int64_t time;

	switch (f->kind) {
	case F_TIME:
		memcpy(&time, p, sizeof(time));
		rows_int(r, time);
		break;
	case F_COUNT:
		memcpy(&count, p, sizeof(count));
		rows_int(r, count);
		break;
	case F_BYTE:
	case F_FLAG:
		rows_int(r, *(const uint8_t *)p);
		break;
	case F_TEXT:
		rows_text(r, p);
		break;
	case F_HASHES:
		add_hashes(r, p, f->size);
		break;
	default:
		rows_blob(r, p, f->size);
	}
}

static void
add_fields(
    struct rows *r, const struct history_field *f, size_t n, const void *facts)
{
	for (size_t i = 0; i < n; i++)
		add_field(r, &f[i], facts);
}

/* name: where the key is of one. */
static void
add_server_key(struct rows *r, const struct server_key *k, const char *name)
{
	char addr[ADDR_TEXT_MAX];

	rows_text(r, k->of_name ? name : addr_to_text(addr, &k->addr));
	rows_int(r, k->port);
	rows_text(r, NAME_OF(k->proto));
	rows_int(r, k->implicit_tls);
}

/* The row is whole; many are written at a time. */
static int
row_done(struct store *s, enum store_rows which)
{
	int rc = rows_end(s->waiting[which]);

	s->rows++;
	if (rc == SQLITE_OK && rows_bytes(s->waiting[which]) > WAITING_MAX)
		rc = store_write_rows(s, which);
	return rc;
}

/* What hangs on a server in a table of its own: the rows there mirror what
 * memory holds. */
struct list {
	enum store_stmt drop;
	enum store_rows put;
	bool any; /* rows in the table, of before */
	const struct history_field *fields;
	size_t nfields;
	const char *items;
	size_t size; /* of one */
	unsigned n;
};

static int
drop_items(struct store *s, const struct server_facts *f, enum store_stmt drop)
{
	const struct server_key *k = &f->key;
	char addr[ADDR_TEXT_MAX];
	struct binder b;
	int rc = store_stmt(s, drop, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_text(&b, k->of_name ? f->host : addr_to_text(addr, &k->addr));
	bind_int(&b, k->port);
	bind_text(&b, NAME_OF(k->proto));
	bind_int(&b, k->implicit_tls);
	return store_step(&b);
}

static int
save_list(struct store *s, const struct server_facts *f, const struct list *l)
{
	struct rows *r = s->waiting[l->put];
	int rc = l->any ? drop_items(s, f, l->drop) : SQLITE_OK;

	for (unsigned i = 0; rc == SQLITE_OK && i < l->n; i++) {
		add_server_key(r, &f->key, f->host);
		add_fields(r, l->fields, l->nfields, l->items + i * l->size);
		rc = row_done(s, l->put);
	}
	return rc;
}

static int
save_server_row(struct store *s, const struct server_facts *f)
{
	add_server_key(s->waiting[ROWS_SERVERS], &f->key, f->host);
	add_fields(s->waiting[ROWS_SERVERS], server_fields, server_nfields, f);
	return row_done(s, ROWS_SERVERS);
}

static void
save_server(void *ctx, const struct server_facts *f)
{
	struct saver *v = ctx;
	struct list certs = {ST_SERVER_KEYS_DROP, ROWS_SERVER_KEYS, v->keys,
	    cert_fields, cert_nfields, (const char *)f->certs,
	    sizeof(f->certs[0]),
	    f->ncerts < HISTORY_KEYS ? f->ncerts : HISTORY_KEYS};
	struct list stacks = {ST_SERVER_STACKS_DROP, ROWS_SERVER_STACKS,
	    v->stacks, stack_fields, stack_nfields, (const char *)f->stacks,
	    sizeof(f->stacks[0]),
	    f->nstacks < HISTORY_STACKS ? f->nstacks : HISTORY_STACKS};

	if (v->rc == SQLITE_OK)
		v->rc = save_server_row(v->s, f);
	if (v->rc == SQLITE_OK)
		v->rc = save_list(v->s, f, &certs);
	if (v->rc == SQLITE_OK)
		v->rc = save_list(v->s, f, &stacks);
}

/* Many pairs are written in the order of their keys: a row that goes to a
 * random place costs a search, and its page is written again and again. */
static void
note_pair(void *ctx, const struct history_entry *e)
{
	struct saver *v = ctx;
	const struct pair_facts *p = history_entry_pair(v->h, e);
	size_t room = v->room == 0 ? FIRST_PAIRS : 2 * v->room;
	struct placed *more;

	if (v->rc != SQLITE_OK)
		return;
	if (v->npairs == v->room) {
		more = realloc(v->pairs, room * sizeof(*more));
		if (more == NULL) {
			v->rc = SQLITE_NOMEM;
			return;
		}
		v->pairs = more;
		v->room = room;
	}
	v->pairs[v->npairs++] = (struct placed){addr_text_place(&p->key.client),
	    addr_text_place(&p->key.server.addr), e};
}

static int
by_place(const void *a, const void *b)
{
	const struct placed *p = a, *q = b;

	if (p->client != q->client)
		return p->client > q->client ? 1 : -1;
	return (p->server > q->server) - (p->server < q->server);
}

/* Nothing but what stands for nothing in the schema. */
static bool
are_nothing(const struct history_field *f, size_t n, const void *facts)
{
	const uint8_t *p = facts;
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < f[i].size; k++)
			any |= p[f[i].at + k];
	return any == 0;
}

/* A column that few have costs as much as one that all have. */
static int
save_pair(struct store *s, const struct pair_facts *p)
{
	bool usual = are_nothing(
	    pair_fields + pair_nusual, pair_nfields - pair_nusual, p);
	enum store_rows which = usual ? ROWS_PAIRS_USUAL : ROWS_PAIRS;
	struct rows *r = s->waiting[which];
	char client[CLIENT_TEXT_MAX];

	rows_text(r, client_to_text(client, &p->key));
	add_server_key(r, &p->key.server, "");
	add_fields(r, pair_fields, usual ? pair_nusual : pair_nfields, p);
	return row_done(s, which);
}

static void
save_pairs(struct saver *v)
{
	if (v->npairs != 0)
		qsort(v->pairs, v->npairs, sizeof(v->pairs[0]), by_place);
	for (size_t i = 0; v->rc == SQLITE_OK && i < v->npairs; i++)
		v->rc =
		    save_pair(v->s, history_entry_pair(v->h, v->pairs[i].pair));
	free(v->pairs);
}

static int
ask_any(struct store *s, enum store_stmt which, bool *any)
{
	struct binder b;
	int rc = store_stmt(s, which, &b);

	if (rc != SQLITE_OK)
		return rc;
	*any = sqlite3_step(b.st) == SQLITE_ROW;
	return sqlite3_reset(b.st);
}

int
history_sqlite_save(struct store *s, struct history *h, uint64_t max)
{
	struct saver v = {.s = s, .h = h};

	v.rc = ask_any(s, ST_SERVER_KEYS_ANY, &v.keys);
	if (v.rc == SQLITE_OK)
		v.rc = ask_any(s, ST_SERVER_STACKS_ANY, &v.stacks);
	if (v.rc != SQLITE_OK)
		return v.rc;
	history_each_dirty(h, max, save_server, note_pair, &v);
	save_pairs(&v);
	for (unsigned i = ROWS_SERVERS; i <= ROWS_PAIRS; i++)
		if (v.rc == SQLITE_OK)
			v.rc = store_write_rows(s, (enum store_rows)i);
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
col_bytes(struct row *r, void *dst, size_t size)
{
	const void *p = sqlite3_column_blob(r->st, r->n);

	if (p != NULL && (size_t)sqlite3_column_bytes(r->st, r->n) == size)
		memcpy(dst, p, size);
	r->n++;
}

static void
col_field(struct row *r, const struct history_field *f, void *facts)
{
	char *p = (char *)facts + f->at;
	uint32_t count;
	int64_t time;

	switch (f->kind) {
	case F_TIME:
		time = col_int(r);
		memcpy(p, &time, sizeof(time));
		break;
	case F_COUNT:
		count = col_count(r);
		memcpy(p, &count, sizeof(count));
		break;
	case F_BYTE:
	case F_FLAG:
		*(uint8_t *)p = col_byte(r);
		break;
	case F_TEXT:
		col_text(r, p, f->size);
		break;
	default:
		col_bytes(r, p, f->size);
	}
}

static void
col_fields(struct row *r, const struct history_field *f, size_t n, void *facts)
{
	for (size_t i = 0; i < n; i++)
		col_field(r, &f[i], facts);
}

uint8_t
history_proto(const char *name)
{
	for (unsigned p = 0; p < PROTO_COUNT; p++)
		if (strcmp(NAME_OF(p), name) == 0)
			return (uint8_t)p;
	return PROTO_UNKNOWN;
}

static int
col_client(struct row *r, struct pair_key *k)
{
	char text[CLIENT_TEXT_MAX];

	col_text(r, text, sizeof(text));
	return client_from_text(k, text);
}

/* What stands where an address would and is none is a name. */
static int
col_server_key(struct row *r, struct server_key *k)
{
	char text[SERVER_TEXT_MAX], proto[16];
	struct server_key of_name;
	bool is_addr;

	col_text(r, text, sizeof(text));
	is_addr = addr_from_text(&k->addr, text) == 0;
	k->port = (uint16_t)col_count(r);
	col_text(r, proto, sizeof(proto));
	k->proto = history_proto(proto);
	k->implicit_tls = col_byte(r) != 0;
	if (is_addr)
		return 0;
	memset(&k->addr, 0, sizeof(k->addr));
	if (!server_key_of_name(&of_name, k, text))
		return -1;
	*k = of_name;
	return 0;
}

struct items { /* to be filled */
	char *first;
	size_t size;
	unsigned max;
	uint8_t *n;
};

/* Binds the key of the server's row and reads what belongs to it. */
static int
load_list(sqlite3_stmt *st, sqlite3_stmt *of, const struct history_field *f,
    size_t nf, struct items *to)
{
	struct row r = {st, 0};

	for (int i = 0; i < 4; i++)
		sqlite3_bind_value(st, i + 1, sqlite3_column_value(of, i));
	while (sqlite3_step(st) == SQLITE_ROW && *to->n < to->max) {
		r.n = 4;
		col_fields(&r, f, nf, to->first + *to->n * to->size);
		++*to->n;
	}
	return sqlite3_reset(st);
}

static int
load_lists(sqlite3_stmt *certs, sqlite3_stmt *stacks, sqlite3_stmt *of,
    struct server_facts *f)
{
	struct items c = {
	    (char *)f->certs, sizeof(f->certs[0]), HISTORY_KEYS, &f->ncerts};
	struct items k = {(char *)f->stacks, sizeof(f->stacks[0]),
	    HISTORY_STACKS, &f->nstacks};
	int rc = load_list(certs, of, cert_fields, cert_nfields, &c);

	return rc == SQLITE_OK
		   ? load_list(stacks, of, stack_fields, stack_nfields, &k)
		   : rc;
}

/* The most recent last, so that the oldest are the first to be evicted. */
static const char servers_sql[] =
    "SELECT * FROM (SELECT * FROM servers ORDER BY last DESC LIMIT ?) "
    "ORDER BY last";
#define OF_SERVER                                                  \
	" WHERE addr=? AND port=? AND proto=? AND implicit_tls=? " \
	"ORDER BY last DESC"
static const char certs_sql[] = "SELECT * FROM server_keys" OF_SERVER;
static const char stacks_sql[] = "SELECT * FROM server_stacks" OF_SERVER;
static const char pairs_sql[] =
    "SELECT * FROM (SELECT * FROM pairs ORDER BY last DESC LIMIT ?) "
    "ORDER BY last";

static int
load_servers(sqlite3 *db, struct history *h)
{
	sqlite3_stmt *st = NULL, *certs = NULL, *stacks = NULL;
	int rc = sqlite3_prepare_v2(db, servers_sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, certs_sql, -1, &certs, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, stacks_sql, -1, &stacks, NULL);
	if (rc == SQLITE_OK)
		sqlite3_bind_int(st, 1, HISTORY_SERVERS_MAX);
	while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		struct server_facts f;
		struct row r = {st, 0};

		memset(&f, 0, sizeof(f));
		if (col_server_key(&r, &f.key) == -1)
			continue;
		col_fields(&r, server_fields, server_nfields, &f);
		rc = load_lists(certs, stacks, st, &f);
		history_load_server(h, &f);
	}
	sqlite3_finalize(certs);
	sqlite3_finalize(stacks);
	if (rc == SQLITE_OK)
		return sqlite3_finalize(st);
	sqlite3_finalize(st);
	return rc;
}

static int
load_pairs(sqlite3 *db, struct history *h)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(db, pairs_sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int(st, 1, HISTORY_PAIRS_MAX);
	while (sqlite3_step(st) == SQLITE_ROW) {
		struct pair_facts p;
		struct row r = {st, 0};

		memset(&p, 0, sizeof(p));
		if (col_client(&r, &p.key) == -1 ||
		    col_server_key(&r, &p.key.server) == -1)
			continue;
		col_fields(&r, pair_fields, pair_nfields, &p);
		history_load_pair(h, &p);
	}
	return sqlite3_finalize(st);
}

static int
prune_table(struct store *s, const char *table, uint64_t max)
{
	char sql[384];

	snprintf(sql, sizeof(sql),
	    "DELETE FROM %s WHERE (SELECT count(*) FROM %s) > %llu AND "
	    "last < (SELECT last FROM %s ORDER BY last DESC LIMIT 1 OFFSET "
	    "%llu)",
	    table, table, 2 * (unsigned long long)max, table,
	    (unsigned long long)max);
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

/* Rows of servers that are gone. */
static int
prune_list(struct store *s, const char *table)
{
	char sql[384];

	snprintf(sql, sizeof(sql),
	    "DELETE FROM %s WHERE NOT EXISTS (SELECT 1 FROM servers s WHERE "
	    "s.addr=%s.addr AND s.port=%s.port AND s.proto=%s.proto AND "
	    "s.implicit_tls=%s.implicit_tls)",
	    table, table, table, table, table);
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

static int
prune(struct store *s, const struct history_counters *n)
{
	int rc = store_begin(s);

	if (rc == SQLITE_OK)
		rc = prune_table(s, "pairs", n->max_pairs);
	if (rc == SQLITE_OK)
		rc = prune_table(s, "servers", n->max_servers);
	if (rc != SQLITE_OK || sqlite3_changes(s->db) == 0)
		return rc;
	rc = prune_list(s, "server_keys");
	return rc == SQLITE_OK ? prune_list(s, "server_stacks") : rc;
}

int
history_sqlite_load(sqlite3 *db, struct history *h)
{
	int rc = load_servers(db, h);

	if (rc == SQLITE_OK)
		rc = load_pairs(db, h);
	return rc == SQLITE_OK ? pins_sqlite_load(db, h) : rc;
}

int
store_load_history(struct store *s, struct history *h)
{
	int rc;

	if (s->empty)
		return 0;
	rc = prune(s, history_counters(h));
	if (rc == SQLITE_OK)
		rc = history_sqlite_load(s->db, h);
	if (rc != SQLITE_OK) {
		store_trouble(s, rc);
		return -1;
	}
	return store_commit(s);
}

/* As many entries as memory holds have gone from it: their rows stay. */
static bool
is_prune_due(struct store *s, const struct history_counters *n)
{
	if (n->evicted_servers - s->pruned_servers < n->max_servers &&
	    n->evicted_pairs - s->pruned_pairs < n->max_pairs)
		return false;
	s->pruned_servers = n->evicted_servers;
	s->pruned_pairs = n->evicted_pairs;
	return true;
}

int
store_keep_history(struct store *s, struct history *h, uint64_t max)
{
	const struct history_counters *n = history_counters(h);
	int rc = store_begin(s);

	if (rc == SQLITE_OK)
		rc = history_sqlite_save(s, h, max);
	if (rc == SQLITE_OK && is_prune_due(s, n))
		rc = prune(s, n);
	if (rc != SQLITE_OK) {
		store_trouble(s, rc);
		return -1;
	}
	if (store_commit(s) == -1)
		return -1;
	history_saved(h, max);
	return 0;
}
