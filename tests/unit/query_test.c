/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions to the database: filters, order, one moment, and files that are
 * not what they should be.
 */
#include "db/query.h"

#include "tests/alert_sample.h"

struct seen {
	unsigned n;
	int64_t ids[64];
	struct alert last;
	char finding[64];
};

static int
note(void *ctx, const struct query_row *row)
{
	struct seen *s = ctx;

	if (s->n < 64)
		s->ids[s->n] = row->id;
	s->n++;
	s->last = row->alert;
	snprintf(s->finding, sizeof(s->finding), "%s", row->finding);
	return 0;
}

static int
stop_at_two(void *ctx, const struct query_row *row)
{
	struct seen *s = ctx;

	(void)row;
	return ++s->n == 2;
}

static struct seen
ask(const char *db, const struct query_filter *f)
{
	struct seen s = {.n = 0};
	char err[512] = "";

	CHECK_INT(query_alerts(db, f, note, &s, err, sizeof(err)), s.n);
	CHECK_STR(err, "");
	return s;
}

/* Ten alerts: id n is of time 11 - n ms, severity n % 5. */
static void
make(char dir[PATH_MAX], char db[PATH_MAX + 32])
{
	struct store *s;

	sample_folder(dir);
	s = sample_open(sample_path(db, dir, "x ?#%41.db"), false);
	for (unsigned i = 1; i <= 10; i++) {
		struct alert a = sample_alert(11 - i);

		a.severity = i % 5;
		CHECK_INT(store_alert(s, &a, "x"), i);
	}
	store_close(s);
}

TEST(filters_limits_and_order)
{
	char dir[PATH_MAX], db[PATH_MAX + 32], err[256];
	struct query_filter f;
	struct seen s;

	make(dir, db);
	query_filter_init(&f);
	s = ask(db, &f);
	CHECK_INT(s.n, 10);
	CHECK_INT(s.ids[0], 10);
	CHECK_INT(s.ids[9], 1);
	f.limit = 3; /* the newest three, still oldest first */
	s = ask(db, &f);
	CHECK_INT(s.n, 3);
	CHECK_INT(s.ids[0], 3);
	CHECK_INT(s.ids[2], 1);
	f.order = QUERY_BY_SEVERITY;
	f.limit = 0;
	f.min_severity = SEV_MEDIUM;
	s = ask(db, &f);
	CHECK_INT(s.n, 6);
	CHECK_INT(s.ids[0], 9);
	CHECK_INT(s.ids[1], 4);
	f.since = T0 + 2 * MS;
	f.until = T0 + 3 * MS;
	s = ask(db, &f);
	CHECK_INT(s.n, 1);
	CHECK_INT(s.ids[0], 9);
	query_filter_init(&f);
	f.run = 2;
	CHECK_INT(ask(db, &f).n, 0);
	f.run = 1;
	CHECK_INT(ask(db, &f).n, 10);
	f.finding = "rst-injected";
	f.host = "::ffff:10.1.0.10";
	f.id = 7;
	CHECK_INT(ask(db, &f).n, 1);
	f.host = "10.1.0.1' OR 1=1 --";
	CHECK_INT(ask(db, &f).n, 0);
	query_filter_init(&f);
	s.n = 0;
	CHECK_INT(query_alerts(db, &f, stop_at_two, &s, err, sizeof(err)), 2);
	sample_remove(dir);
}

static void
refused(const char *path, const char *says)
{
	char err[512] = "";

	CHECK(query_open(path, err, sizeof(err)) == NULL);
	if (strstr(err, says) == NULL)
		TEST_FAIL("'%s' does not say '%s'", err, says);
}

TEST(what_is_no_database_of_ours_is_named)
{
	char dir[PATH_MAX], db[PATH_MAX + 32];
	FILE *f;

	make(dir, db);
	sample_exec(db, "PRAGMA user_version=9");
	refused(db, "written by a newer version (schema 9, this program");
	sample_exec(db, "PRAGMA user_version=0");
	refused(db, "written by an older version");
	sample_exec(db, "PRAGMA application_id=1");
	refused(db, "is not a database of Stripwire");
	refused(dir, "is a folder");
	sample_path(db, dir, "new.db");
	refused(db, "no such database");
	CHECK_INT(access(db, F_OK), -1); /* and none was made */
	f = fopen(db, "w");
	fclose(f);
	refused(db, "is not a database of Stripwire");
	f = fopen(db, "w");
	for (unsigned i = 0; i < 200; i++)
		fputs("just some text\n", f);
	fclose(f);
	refused(db, "is not a database");
	sample_remove(dir);
}

TEST(rows_that_others_spoiled_are_shown_as_far_as_they_go)
{
	char dir[PATH_MAX], db[PATH_MAX + 32];
	struct query_filter f;
	struct seen s;

	make(dir, db);
	sample_exec(db,
	    "INSERT INTO alert_kinds VALUES (77, 'from-the-future', 99, "
	    "',,nonsense,during-tls-handshake', 1, 1, 1, "
	    "printf('%.*c',100000,'x'), '', '');"
	    "UPDATE alert_rows SET kind=77, confidence=-1, "
	    "evidence='[[1],2,{\"x\":[]},[70000,\"s\"]]', "
	    "ladder=x'01ff00' WHERE id=1;"
	    "UPDATE alert_rows SET evidence='not json', ladder='text', "
	    "time='x' WHERE id=2;"
	    "UPDATE alert_rows SET flow=4711, run=4711, capture=4711, "
	    "kind=4711 WHERE id=3;"
	    "UPDATE flow_rows SET client='not an address', vlan='x', "
	    "client_port=-1");
	query_filter_init(&f);
	CHECK_INT(ask(db, &f).n, 10);
	f.id = 1;
	s = ask(db, &f);
	CHECK_STR(s.finding, "from-the-future");
	CHECK_INT(s.last.finding.id, FIND_NONE);
	CHECK_INT(s.last.severity, SEV_INFO);
	CHECK_INT(s.last.finding.tags, EVT_DURING_TLS_HANDSHAKE);
	CHECK_INT(s.last.finding.nevidence, 4);
	CHECK_STR(s.last.finding.evidence[3].text, "s");
	CHECK_INT(strlen(s.last.msg), sizeof(s.last.msg) - 1);
	CHECK_INT(s.last.nsteps, 0);
	f.id = 3;
	s = ask(db, &f);
	CHECK_INT(s.n, 1);
	CHECK_INT(s.last.flow.server_port, 0);
	sample_remove(dir);
}

TEST(a_damaged_file_says_so)
{
	char dir[PATH_MAX], db[PATH_MAX + 32], err[512] = "";
	struct query_filter f;
	struct seen s = {.n = 0};
	int64_t pages, size;
	FILE *file;

	make(dir, db);
	pages = sample_ask(db, "PRAGMA page_count");
	size = sample_ask(db, "PRAGMA page_size");
	file = fopen(db, "r+b");
	for (long page = 1; page < pages; page++) {
		fseek(file, page * size, SEEK_SET);
		for (unsigned i = 0; i < 64; i++)
			putc(0xa5, file);
	}
	fclose(file);
	query_filter_init(&f);
	CHECK_INT(query_alerts(db, &f, note, &s, err, sizeof(err)), -1);
	CHECK(strstr(err, "is damaged") != NULL);
	sample_remove(dir);
}

TEST_MAIN
