/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The real history through a real database: what one run learned the next one
 * knows, all of it, and what was dropped nobody does.
 */
#include "db/history_sqlite.h"

#include <limits.h>
#include <sqlite3.h>
#include <unistd.h>

#include "db/addr_text.h"
#include "db/store.h"
#include "tests/test.h"

#define T0 INT64_C(1795341794000000000)
#define LATER (T0 + INT64_C(86400) * 1000000000)

static char folder[PATH_MAX], db[PATH_MAX + 8];

static struct store *
open_db(void)
{
	struct store_config cfg = {.path = db};
	char err[512];
	struct store *s;

	if (store_open(&s, &cfg, err, sizeof(err)) != STORE_OK) {
		TEST_FAIL("%s", err);
		exit(1);
	}
	store_run_begin(s, "", "");
	return s;
}

static void
make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/stripwire-test-XXXXXX");
	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(db, sizeof(db), "%s/x.db", folder);
}

static void
remove_folder(void)
{
	char cmd[PATH_MAX + 16];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", folder);
	if (system(cmd) != 0)
		abort();
}

static struct server_key
server_key(unsigned n)
{
	struct server_key k;
	char text[40];

	memset(&k, 0, sizeof(k));
	snprintf(text, sizeof(text), "2001:db8::%x", n);
	if (addr_from_text(&k.addr, text) == -1)
		abort();
	k.port = 993;
	k.proto = PROTO_IMAP;
	k.implicit_tls = 1;
	return k;
}

static struct pair_key
pair_key(unsigned n)
{
	struct pair_key k;

	memset(&k, 0, sizeof(k));
	k.server = server_key(n);
	if (addr_from_text(&k.client, "10.0.0.1") == -1)
		abort();
	return k;
}

static void
teach_absence(struct absence *a, uint32_t *v)
{
	a->since = T0 - (*v)++;
	a->last = T0 - 1;
	a->sessions = (*v)++;
	for (unsigned i = 0; i < HISTORY_CLIENTS; i++)
		a->clients[i] = (*v)++;
	a->nclients = HISTORY_CLIENTS;
	a->told = 1;
}

static void
teach_stacks(struct server_facts *f, uint32_t v)
{
	f->nstacks = HISTORY_STACKS;
	for (unsigned i = 0; i < HISTORY_STACKS; i++) {
		struct known_stack *k = &f->stacks[i];

		k->client = v++;
		k->ja3s = v++;
		k->flight = v++;
		k->syn = v++;
		k->sessions = v++;
		k->first = T0 + v++;
		k->last = T0 + 5000 - i;
		k->ttl = (uint8_t)(50 + i);
		k->pending = i % 2;
		k->contradicted = i % 3 == 0;
		k->told = (uint8_t)(60 + i);
		k->nclients = HISTORY_SEVERAL;
		for (unsigned j = 0; j < HISTORY_SEVERAL; j++)
			k->clients[j] = v++;
	}
}

/* Every byte behind the key gets a value of its own, so that a column that is
 * forgotten or swapped shows. */
static void
teach(struct history *h, unsigned n)
{
	struct server_key key = server_key(n);
	struct pair_key pkey = pair_key(n);
	struct server_facts *f = history_touch_server(h, &key);
	struct pair_facts *p;
	uint32_t v = n * 1000;

	f->first = T0 + v++;
	f->last = T0 + v++;
	f->first_offer = T0 + v++;
	f->last_offer = T0 + v++;
	f->last_absence = T0 + v++;
	f->first_tls = T0 + v++;
	f->sessions = v++;
	f->days = v++;
	f->offered = v++;
	f->not_offered = v++;
	f->offered_days = v++;
	f->tls_done = v++;
	f->demanded = v++;
	f->logindisabled = v++;
	f->capa_ok = v++;
	f->capa_refused = v++;
	f->ehlo_ok = v++;
	f->helo_only = v++;
	f->greeting_ok = v++;
	f->greeting_preauth = v++;
	f->tls_failed = v++;
	f->mechs = v++;
	f->tls_versions = v++;
	f->ttl = 57;
	f->name_from = NAME_SNI;
	f->mechs_safe = v++;
	f->mechs_clear_only = v++;
	f->rtt = v++;
	f->greeting_shape = v++;
	f->greeting_same = v++;
	f->syn_signature = v++;
	f->offered_to = v++;
	for (unsigned i = 0; i < HISTORY_TEXTS; i++)
		f->alert_texts[i] = v++;
	f->offered_sides = 3;
	f->before_offer = v++;
	f->changed = T0 + v++;
	teach_absence(&f->absence, &v);
	for (unsigned i = 0; i < MEMBERS_MAX; i++, v += 6)
		f->members[i] = (struct member){
		    v, v + 1, v + 2, v + 3, 1, v + 4, {v + 5, 0}};
	strcpy(f->host, "imap.example.net");
	strcpy(f->words, "IMAP4rev1\nSTARTTLS\nAUTH=PLAIN");
	f->ncerts = HISTORY_KEYS;
	for (unsigned i = 0; i < HISTORY_KEYS; i++) {
		memset(f->certs[i].spki, (int)i + 1, 32);
		memset(f->certs[i].issuer, (int)i + 101, 32);
		f->certs[i].first = T0 + v++;
		f->certs[i].last = T0 + 5000 - i;
		f->certs[i].trusted = i % 2;
		f->certs[i].self_signed = i % 3 == 0;
		f->certs[i].key_type = (uint8_t)(1 + i % 3);
		f->certs[i].not_before = v++;
		f->certs[i].not_after = v++;
		f->certs[i].domains[0] = v++;
		f->certs[i].domains[1] = v++;
	}
	f->tickets_taken = v++;
	f->tickets_refused = v++;
	teach_stacks(f, v);
	p = history_touch_pair(h, &pkey);
	p->first = T0 + v++;
	p->last = T0 + v++;
	p->tls = v++;
	p->clear = v++;
	p->tls_days = v++;
	p->tls_failed_then_clear = v++;
	p->offered = v++;
	p->not_offered = v++;
	for (unsigned i = 0; i < HISTORY_EHLO; i++)
		p->ehlo[i] = v++;
	p->syn_signature = v++;
	p->client_ttl = 64;
	strcpy(p->ehlo_name, "out.example.org");
	teach_absence(&p->absence, &v);
	for (unsigned i = 0; i < HISTORY_HELLOS; i++)
		p->hellos[i] = v++;
}

static bool
knows(const struct history *h, const struct history *as, unsigned n)
{
	struct server_key key = server_key(n);
	struct pair_key pkey = pair_key(n);
	const struct server_facts *a = history_server(h, &key, LATER);
	const struct server_facts *b = history_server(as, &key, LATER);
	const struct pair_facts *p = history_pair(h, &pkey, LATER);
	const struct pair_facts *q = history_pair(as, &pkey, LATER);

	return a != NULL && b != NULL && memcmp(a, b, sizeof(*a)) == 0 &&
	       p != NULL && q != NULL && memcmp(p, q, sizeof(*p)) == 0;
}

static struct history *
load(void)
{
	struct history *h = history_new();
	struct store *s = open_db();

	CHECK_INT(store_load_history(s, h), 0);
	store_close(s);
	return h;
}

static enum store_status
end_file(
    struct store *s, const char *path, uint64_t fingerprint, struct history *h)
{
	struct store_capture c = {path, fingerprint, 1, T0, T0};
	char earlier[128];

	return store_file_end(s, &c, h, earlier, sizeof(earlier));
}

TEST(what_a_run_learned_the_next_one_knows)
{
	struct history *h = history_new(), *back;
	struct store *s;

	make_folder();
	s = open_db();
	history_mark(h);
	teach(h, 1);
	teach(h, 2);
	CHECK_INT(end_file(s, "a", 1, h), STORE_OK);
	/* a file that was read before teaches nothing */
	history_mark(h);
	teach(h, 3);
	CHECK_INT(end_file(s, "b", 1, h), STORE_KNOWN);
	store_close(s);
	back = load();
	CHECK(knows(back, h, 1));
	CHECK(knows(back, h, 2));
	CHECK(!knows(back, back, 3));
	CHECK_INT(history_counters(back)->servers, 2);
	CHECK_INT(history_counters(back)->pairs, 2);
	history_free(back);
	history_free(h);
	remove_folder();
}

static void
run_sql(const char *sql)
{
	sqlite3 *raw;

	CHECK_INT(sqlite3_open(db, &raw), SQLITE_OK);
	CHECK_INT(sqlite3_exec(raw, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(raw);
}

/* One more session with server n. */
static void
meet(struct history *h, unsigned n)
{
	struct server_key key = server_key(n);

	history_mark(h);
	history_touch_server(h, &key)->sessions++;
}

static uint32_t
sessions(const struct history *h, unsigned n)
{
	struct server_key key = server_key(n);
	const struct server_facts *f = history_server(h, &key, LATER);

	return f != NULL ? f->sessions : 0;
}

/* Read again in the same run, the file would otherwise count twice. */
TEST(what_could_not_be_saved_was_not_learned)
{
	struct history *h = history_new(), *back;
	struct server_key other = server_key(2);
	struct store *s;

	make_folder();
	s = open_db();
	meet(h, 1);
	CHECK_INT(end_file(s, "a", 1, h), STORE_OK);
	store_close(s);
	run_sql("CREATE TRIGGER full BEFORE INSERT ON servers BEGIN "
		"SELECT RAISE(FAIL, 'no room'); END");
	s = open_db();
	meet(h, 1);
	history_touch_server(h, &other);
	CHECK_INT(end_file(s, "b", 2, h), STORE_FAILED);
	CHECK_INT(sessions(h, 1), 1);
	store_close(s);
	run_sql("DROP TRIGGER full");
	s = open_db();
	meet(h, 1);
	CHECK_INT(end_file(s, "b", 2, h), STORE_OK);
	CHECK_INT(sessions(h, 1), 2);
	store_close(s);
	back = load();
	CHECK_INT(sessions(back, 1), 2);
	CHECK(history_server(back, &other, LATER) == NULL);
	history_free(back);
	history_free(h);
	remove_folder();
}

TEST(only_what_changed_is_written)
{
	struct history *h;
	struct store *s;

	make_folder();
	h = history_new();
	s = open_db();
	history_mark(h);
	teach(h, 1);
	teach(h, 2);
	CHECK_INT(end_file(s, "a", 1, h), STORE_OK);
	store_close(s);
	history_free(h);

	h = load();
	run_sql("DELETE FROM servers");
	s = open_db();
	history_mark(h);
	teach(h, 2);
	CHECK_INT(end_file(s, "b", 2, h), STORE_OK);
	store_close(s);
	history_free(h);
	h = load();
	CHECK_INT(history_counters(h)->servers, 1);
	CHECK_INT(history_counters(h)->pairs, 2);
	history_free(h);
	remove_folder();
}

static int64_t
count(const char *sql)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *c = NULL;
	int64_t n = -1;

	if (sqlite3_open(db, &c) == SQLITE_OK &&
	    sqlite3_prepare_v2(c, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(c);
	return n;
}

/* A sensor that runs for years meets servers without end. */
TEST(tables_stay_bounded_while_it_runs)
{
	struct history *h = history_new();
	struct store *s;

	make_folder();
	s = open_db();
	history_limit(h, 100, 200);
	for (unsigned n = 0; n < 1000; n++) {
		struct server_key k = server_key(n);
		struct server_facts *f = history_touch_server(h, &k);

		f->first = f->last = T0 + n;
		f->ncerts = 1;
		if (n % 20 == 19)
			CHECK_INT(store_keep_history(s, h, UINT64_MAX), 0);
	}
	store_close(s);
	CHECK(count("SELECT count(*) FROM servers") <= 300);
	CHECK(count("SELECT count(*) FROM servers") >= 100);
	CHECK(count("SELECT count(*) FROM server_keys") <= 300);
	CHECK_INT(count("SELECT max(last) FROM servers"), T0 + 999);
	history_free(h);
	remove_folder();
}

static void
change(const char *sql)
{
	sqlite3 *d;

	if (sqlite3_open(db, &d) != SQLITE_OK ||
	    sqlite3_exec(d, sql, NULL, NULL, NULL) != SQLITE_OK)
		TEST_FAIL("%s", sql);
	sqlite3_close(d);
}

/* A step whose rows do not get to the disk is taken once more. */
TEST(a_step_that_fails_is_not_lost)
{
	struct history *h = history_new();
	struct store *s;

	make_folder();
	s = open_db();
	for (unsigned n = 0; n < 10; n++) {
		struct server_key k = server_key(n);
		struct server_facts *f = history_touch_server(h, &k);

		f->first = f->last = T0 + n;
	}
	CHECK_INT(store_keep_history(s, h, 4), 0);
	change("CREATE TRIGGER no BEFORE INSERT ON servers BEGIN "
	       "SELECT RAISE(ABORT, 'no'); END");
	CHECK_INT(store_keep_history(s, h, 4), -1);
	CHECK_INT(history_dirty(h), 6);
	change("DROP TRIGGER no");
	(void)usleep(1200000); /* it does not try at once */
	CHECK_INT(store_keep_history(s, h, UINT64_MAX), 0);
	CHECK_INT(history_dirty(h), 0);
	store_close(s);
	CHECK_INT(count("SELECT count(*) FROM servers"), 10);
	history_free(h);
	remove_folder();
}

/* Names and networks are entries like others, with keys of their own. */
TEST(names_and_networks_come_back)
{
	struct history *h = history_new(), *back;
	struct server_key key = server_key(1), of_name;
	struct pair_key pair = pair_key(1), network;
	struct server_facts *f;
	struct store *s;

	make_folder();
	CHECK(server_key_of_name(&of_name, &key, "MX.example.net."));
	pair_key_network(&network, &pair);
	s = open_db();
	history_mark(h);
	f = history_touch_server(h, &of_name);
	strcpy(f->host, "mx.example.net");
	f->offered = 7;
	f->first = f->last = T0;
	history_touch_pair(h, &network)->not_offered = 9;
	CHECK_INT(end_file(s, "a", 1, h), STORE_OK);
	store_close(s);
	back = load();
	CHECK(history_server(back, &of_name, LATER) != NULL);
	CHECK(history_server(back, &key, LATER) == NULL);
	CHECK(history_pair(back, &network, LATER) != NULL);
	CHECK(history_pair(back, &pair, LATER) == NULL);
	history_free(back);
	history_free(h);
	remove_folder();
}

/* The file tests/schema_1.sql as it was, into a new database. */
static void
make_version_1(void)
{
	char cmd[2 * PATH_MAX + 64];

	snprintf(cmd, sizeof(cmd), "sqlite3 '%s' <tests/schema_1.sql", db);
	CHECK_INT(system(cmd), 0);
	run_sql("PRAGMA application_id=1400140407; PRAGMA user_version=1;"
		"INSERT INTO servers VALUES('2001:db8::1',993,'imap',1,5,6,"
		"12,3,11,1,2,5,6,5,7,5,1,4,10,0,0,0,12,0,0,8,48,57,1,"
		"'imap.example.net','IMAP4rev1');"
		"INSERT INTO server_keys VALUES('2001:db8::1',993,'imap',1,"
		"zeroblob(32),zeroblob(32),5,6,1,0);"
		"INSERT INTO pairs VALUES('10.0.0.1','2001:db8::1',993,'imap',"
		"1,5,6,20,1,2,0)");
}

/* before: run first, for ATTACH. */
static int64_t
ask_both(const char *before, const char *sql)
{
	sqlite3_stmt *st;
	sqlite3 *raw;
	int64_t n = -1;

	CHECK_INT(sqlite3_open(db, &raw), SQLITE_OK);
	CHECK_INT(sqlite3_exec(raw, before, NULL, NULL, NULL), SQLITE_OK);
	CHECK_INT(sqlite3_prepare_v2(raw, sql, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(raw);
	return n;
}

static int64_t
ask_sql(const char *sql)
{
	return ask_both("", sql);
}

/* Up to the version before the last, with rows of an alert in it. */
static void
make_version_2(void)
{
	char cmd[2 * PATH_MAX + 64];

	make_version_1();
	snprintf(cmd, sizeof(cmd), "sqlite3 '%s' <db/upgrade_2.sql", db);
	CHECK_INT(system(cmd), 0);
	run_sql("PRAGMA user_version=2;"
		"INSERT INTO runs (id, started, command, rules) VALUES "
		"(1, 5, 'read', '');"
		"INSERT INTO flows VALUES (77,1,5,'10.0.0.1',40000,'10.0.0.2',"
		"25,0,'','smtp',0,64,64,'mx');"
		"INSERT INTO alerts (key, run, flow, time, finding, severity,"
		"confidence, tags, visibility, gid, sid, rev, msg, classtype,"
		"reference, user, mech, cert_sha256, cause, advice, evidence,"
		"ladder) VALUES (9,1,77,5,'starttls-stripped',3,90,'',0,1,1,1,"
		"'m','','','','','','','','[]',x'')");
}

TEST(a_database_of_version_2_is_brought_up_to_date)
{
	struct server_key key = server_key(1);
	struct history *h;

	make_folder();
	make_version_2();
	h = load();
	CHECK(history_server(h, &key, LATER) != NULL);
	history_free(h);
	CHECK_INT(ask_sql("PRAGMA user_version"), 6);
	CHECK_INT(ask_sql("SELECT count(*) FROM alerts a JOIN flows f ON "
			  "f.id=a.flow WHERE incident=0 AND status=0 AND "
			  "closed_as='' AND finding='starttls-stripped'"),
	    1);
	CHECK_INT(ask_sql("SELECT count(*) FROM incidents"), 0);
	history_free(load()); /* and again, with nothing to do */
	CHECK_INT(ask_sql("PRAGMA user_version"), 6);
	remove_folder();
}

TEST(a_database_of_version_3_is_brought_up_to_date)
{
	char cmd[2 * PATH_MAX + 64];

	make_folder();
	make_version_2();
	snprintf(cmd, sizeof(cmd), "sqlite3 '%s' <db/upgrade_3.sql", db);
	CHECK_INT(system(cmd), 0);
	run_sql("PRAGMA user_version=3");
	history_free(load());
	CHECK_INT(ask_sql("PRAGMA user_version"), 6);
	CHECK_INT(ask_sql("SELECT count(*) FROM alerts"), 1);
	CHECK_INT(ask_sql("SELECT count(*) FROM events"), 0);
	CHECK_INT(ask_sql("SELECT count(*) FROM "
			  "pragma_index_info('alerts_by_time')"),
	    2);
	CHECK_INT(ask_sql("SELECT count(*) FROM feeds"), 0);
	remove_folder();
}

/* The steps after version 2, up to this one. */
static void
bring_to_version_5(void)
{
	char cmd[2 * PATH_MAX + 128];

	make_version_2();
	snprintf(cmd, sizeof(cmd),
	    "cat db/upgrade_3.sql db/upgrade_4.sql db/upgrade_5.sql | "
	    "sqlite3 '%s'",
	    db);
	CHECK_INT(system(cmd), 0);
	run_sql("PRAGMA user_version=5");
}

/* Alerts and flows read as before, whatever they refer to. */
TEST(a_database_of_version_5_is_brought_up_to_date)
{
	make_folder();
	bring_to_version_5();
	run_sql("INSERT INTO flows VALUES (76,1,6,'2001:db8::1',40000,"
		"'10.0.0.2',25,1,'7','imap',1,1,2,'');"
		"INSERT INTO alerts SELECT 2, 10, run, 3, 76, 4, finding, "
		"severity, 80, tags, 8, gid, sid, rev, msg, classtype, "
		"reference, 'u', 'PLAIN', 'ab', 'c', 'd', '[[1,\"e\"]]', "
		"x'02', 5, 1, 'attack' FROM alerts;"
		"INSERT INTO alerts SELECT 3, 11, run, 3, 77, 4, finding, "
		"severity, 80, 'was-tls', 8, gid, sid, 2, msg, classtype, "
		"reference, '', '', '', '', '', '[]', x'', 5, 2, '' FROM "
		"alerts WHERE id=2;"
		"INSERT INTO alerts SELECT 9, 12, run, 3, flow, 4, finding, "
		"severity, 80, tags, 8, gid, sid, rev, msg, classtype, "
		"reference, '', '', '', '', '', '[]', x'', 0, 0, '' FROM "
		"alerts WHERE id=3; DELETE FROM alerts WHERE id=9;"
		"CREATE TABLE a AS SELECT * FROM alerts;"
		"CREATE TABLE f AS SELECT * FROM flows;"
		/* one whose flow went, which is shown without it */
		"INSERT INTO alerts SELECT 4, 13, run, 3, 4711, 4, finding, "
		"severity, 80, tags, 8, gid, sid, rev, msg, classtype, "
		"reference, '', '', '', '', '', '[]', x'', 0, 0, '' FROM "
		"alerts WHERE id=3");
	history_free(load());
	CHECK_INT(ask_sql("PRAGMA user_version"), 6);
	CHECK_INT(ask_sql("SELECT count(*) FROM (SELECT * FROM a EXCEPT "
			  "SELECT * FROM alerts)"),
	    0);
	CHECK_INT(ask_sql("SELECT count(*) FROM (SELECT * FROM f EXCEPT "
			  "SELECT * FROM flows)"),
	    0);
	CHECK_INT(ask_sql("SELECT count(*) FROM alerts"), 4);
	CHECK_INT(ask_sql("SELECT count(*) FROM flows"), 2);
	CHECK_INT(ask_sql("SELECT count(*) FROM alert_kinds"), 2);
	CHECK_INT(ask_sql("SELECT flow FROM alerts WHERE id=4"), 0);
	/* no number is given twice */
	CHECK_INT(ask_sql("SELECT seq FROM sqlite_sequence WHERE "
			  "name='alert_rows'"),
	    9);
	CHECK_INT(ask_sql("SELECT count(*) FROM sqlite_sequence WHERE "
			  "name='alerts'"),
	    0);
	remove_folder();
}

/* What version 1 knew stays known, its pins become pins, and the tables are
 * those of a new database, column by column: they are read by position. */
TEST(a_database_of_version_1_is_brought_up_to_date)
{
	static const char columns[] =
	    "SELECT count(*) FROM sqlite_master m, pragma_table_info(m.name) c "
	    "JOIN a.sqlite_master n ON n.name = m.name "
	    "JOIN pragma_table_info(n.name, 'a') d ON d.cid = c.cid AND "
	    "d.name = c.name AND d.type = c.type AND d.pk = c.pk";
	struct server_key key = server_key(1);
	struct pair_key pair = pair_key(1);
	const char *const none[2] = {NULL, NULL};
	const struct server_facts *f;
	const struct pin *pin;
	struct history *h;
	char old[PATH_MAX + 8], sql[3 * PATH_MAX];
	int64_t all;

	make_folder();
	make_version_1();
	h = load();
	f = history_server(h, &key, LATER);
	CHECK(f != NULL && f->offered == 11 && f->ttl == 57 && f->ncerts == 1);
	CHECK(f != NULL && strcmp(f->words, "IMAP4rev1") == 0);
	CHECK(history_pair(h, &pair, LATER) != NULL);
	pin = pins_find(history_pins(h), &key, none, LATER);
	CHECK(pin != NULL && pin->starttls == PIN_REQUIRED);
	history_free(h);
	CHECK_INT(ask_sql("PRAGMA user_version"), 6);

	memcpy(old, db, sizeof(old));
	snprintf(db, sizeof(db), "%s/y.db", folder);
	history_free(load());
	all = ask_sql("SELECT count(*) FROM sqlite_master m, "
		      "pragma_table_info(m.name)");
	snprintf(sql, sizeof(sql), "ATTACH '%s' AS a", old);
	CHECK_INT(ask_both(sql, columns), all);
	remove_folder();
}

TEST_MAIN
