/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store: what goes in comes out, nothing twice, nothing of others touched.
 */
#include "db/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/alert_sample.h"

static int
copy_row(void *ctx, const struct query_row *row)
{
	struct query_row *out = ctx;

	*out = *row;
	out->finding = strdup(row->finding);
	out->capture = strdup(row->capture);
	return 0;
}

static enum store_status
end_file(struct store *s, const char *path, struct history *h, char *earlier)
{
	return sample_file_end(s, path, 0xfeedfacecafef00d, h, earlier);
}

DB_TEST(a_new_database_says_whose_it_is)
{
	struct store *s = sample_open(db, false);

	CHECK_INT(store_run_id(s), 1);
	CHECK_INT(store_close(s), 0);
	CHECK_INT(sample_ask(db, "PRAGMA application_id"), 0x53747277);
	CHECK_INT(sample_ask(db, "PRAGMA user_version"), 6);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM pragma_journal_mode "
				 "WHERE journal_mode='wal'"),
	    1);
	CHECK(sample_is_whole(db));
}

DB_TEST(often_written_tables_have_two_indexes_at_most)
{
	struct store *s = sample_open(db, false);

	store_close(s);
	CHECK(sample_ask(db, "SELECT max(n) FROM (SELECT count(*) n FROM "
			     "sqlite_master WHERE type='index' GROUP BY "
			     "tbl_name)") <= 2);
}

DB_TEST(every_column_has_a_comment_or_a_telling_name)
{
	struct store *s = sample_open(db, false);

	store_close(s);
	/* the comments travel into the file: .schema shows them */
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM sqlite_master WHERE "
				 "type='table' AND name NOT LIKE 'sqlite%' "
				 "AND sql NOT LIKE '%-- %'"),
	    0);
}

DB_TEST(an_alert_comes_back_as_it_went_in)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0);
	struct query_filter f;
	struct query_row row;
	char err[256] = "";

	CHECK_INT(store_alert(s, &a, "caps/x.pcap"), 1);
	CHECK_INT(store_close(s), 0);
	query_filter_init(&f);
	CHECK_INT(query_alerts(db, &f, copy_row, &row, err, sizeof(err)), 1);
	CHECK_STR(err, "");
	CHECK_INT(row.id, 1);
	CHECK_STR(row.finding, "rst-injected");
	CHECK_STR(row.capture, "caps/x.pcap");
	CHECK(memcmp(&row.alert.finding, &a.finding, sizeof(a.finding)) == 0);
	CHECK(memcmp(&row.alert.flow, &a.flow, sizeof(a.flow)) == 0);
	CHECK(memcmp(&row.alert.steps, &a.steps, sizeof(a.steps)) == 0);
	CHECK_INT(row.alert.nsteps, a.nsteps);
	CHECK(memcmp(&row.alert, &a, sizeof(a)) == 0);
	free((void *)row.finding);
	free((void *)row.capture);
}

/* Whether its first row was written before or waits with it. */
DB_TEST(a_duplicate_brings_its_incident)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0), b = sample_alert(1);

	a.incident = b.incident = 0;
	CHECK_INT(store_alert(s, &a, "x"), 1);
	a.incident = 9;
	CHECK_INT(store_alert(s, &a, "copy-of-x"), 1);
	CHECK_INT(store_alert(s, &b, "x"), 2);
	store_flush(s);
	b.incident = 9;
	CHECK_INT(store_alert(s, &b, "copy-of-x"), 2);
	CHECK_INT(store_close(s), 0);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts "
				 "WHERE incident=9"),
	    2);
}

DB_TEST(the_same_alert_is_stored_once)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0), b = sample_alert(1);

	CHECK_INT(store_alert(s, &a, "x"), 1);
	CHECK_INT(store_alert(s, &a, "x"), 1);
	CHECK_INT(store_alert(s, &a, "copy-of-x"), 1);
	CHECK(store_alert(s, &b, "x") > 1);
	strcpy(a.finding.user, "bob");
	CHECK(store_alert(s, &a, "x") > 1);
	CHECK_INT(store_counters(s)->alerts, 3);
	CHECK_INT(store_counters(s)->duplicates, 2);
	store_close(s);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts"), 3);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM flows"), 1);
}

/* In the batch, before and after it is written, and in a later run: also one
 * that is earlier than what stands there. */
DB_TEST(an_alert_is_known_wherever_it_stands)
{
	struct alert late = sample_alert(0), early = sample_alert(1);
	struct store *s = sample_open(db, false);

	late.finding.time = early.finding.time + 1000;
	CHECK_INT(store_alert(s, &late, "x"), 1);
	CHECK_INT(store_alert(s, &early, "x"), 2);
	CHECK_INT(store_alert(s, &early, "x"), 2);
	store_flush(s);
	CHECK_INT(store_alert(s, &early, "x"), 2);
	CHECK_INT(store_alert(s, &late, "x"), 1);
	CHECK_INT(store_close(s), 0);
	s = sample_open(db, false);
	CHECK_INT(store_alert(s, &early, "y"), 2);
	CHECK_INT(store_alert(s, &late, "y"), 1);
	early.finding.time--;
	CHECK_INT(store_alert(s, &early, "y"), 3);
	CHECK_INT(store_close(s), 0);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts"), 3);
}

/* What is said of a connection later than its first alert. */
DB_TEST(a_flow_learns_protocol_and_name)
{
	struct alert a = sample_alert(0), b = sample_alert(0);
	struct store *s = sample_open(db, false);

	a.proto = PROTO_UNKNOWN;
	a.server_name[0] = '\0';
	CHECK_INT(store_alert(s, &a, "x"), 1);
	b.finding.time++;
	CHECK_INT(store_alert(s, &b, "x"), 2); /* same batch */
	store_flush(s);
	b.finding.time++;
	strcpy(b.server_name, "other.example");
	CHECK_INT(store_alert(s, &b, "x"), 3);
	b.finding.time++;
	b.server_name[0] = '\0'; /* is no news */
	CHECK_INT(store_alert(s, &b, "x"), 4);
	CHECK_INT(store_close(s), 0);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM flows WHERE "
				 "server_name='other.example' AND "
				 "proto<>'unknown'"),
	    1);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM flows"), 1);
}

DB_TEST(a_known_file_leaves_no_trace)
{
	struct history h = {.nservers = 1};
	struct alert a = sample_alert(0), extra = sample_alert(9);
	struct store *s = sample_open(db, false);
	char earlier[256] = "";

	h.servers[0] = sample_server(1);
	store_alert(s, &a, "x.pcap");
	CHECK_INT(end_file(s, "x.pcap", &h, earlier), STORE_OK);
	CHECK_INT(h.kept, 1);
	store_close(s);

	s = sample_open(db, false);
	CHECK_INT(store_alert(s, &a, "y.pcap"), 1);
	/* history made this one possible only now */
	CHECK(store_alert(s, &extra, "y.pcap") != 0);
	store_flush(s);
	CHECK_INT(end_file(s, "y.pcap", &h, earlier), STORE_KNOWN);
	CHECK(strncmp(earlier, "as x.pcap on 20", 15) == 0);
	CHECK_INT(h.dropped, 1);
	CHECK_INT(h.kept, 1);
	/* and one that settles after the end of its file */
	CHECK_INT(store_alert(s, &extra, "y.pcap"), 0);
	CHECK_INT(store_counters(s)->alerts, 0);
	CHECK_INT(store_counters(s)->duplicates, 3);
	CHECK_INT(store_close(s), 0);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts"), 1);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM flows"), 1);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM captures"), 1);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM servers"), 1);
}

DB_TEST(other_files_of_the_run_stay_when_one_is_known)
{
	struct alert a = sample_alert(0), b = sample_alert(40),
		     c = sample_alert(80);
	struct store *s = sample_open(db, false);
	char earlier[256];

	CHECK_INT(end_file(s, "x", NULL, earlier), STORE_OK);
	store_close(s);
	s = sample_open(db, false);
	store_alert(s, &a, "first");
	CHECK_INT(sample_file_end(s, "first", 1, NULL, earlier), STORE_OK);
	store_alert(s, &b, "known");
	store_alert(s, &c, "third");
	CHECK_INT(end_file(s, "known", NULL, earlier), STORE_KNOWN);
	store_close(s);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts"), 2);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM flows"), 2);
	CHECK_INT(
	    sample_ask(db, "SELECT count(*) FROM alerts WHERE flow=1010"), 0);
}

DB_TEST(again_stores_and_learns_anew)
{
	struct history h = {.nservers = 0};
	struct alert a = sample_alert(0);
	char earlier[256];

	for (unsigned i = 0; i < 3; i++) {
		struct store *s = sample_open(db, i > 0);

		int64_t id = store_alert(s, &a, "x");

		CHECK(id != 0);
		CHECK_INT(store_alert(s, &a, "x"), id);
		CHECK_INT(end_file(s, "x", &h, earlier), STORE_OK);
		store_close(s);
	}
	CHECK_INT(h.kept, 3);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts"), 3);
}

DB_TEST(a_file_cut_short_by_a_kill_is_read_again_without_doubles)
{
	struct history h = {.nservers = 0};
	struct alert a = sample_alert(0), b = sample_alert(4);
	struct store *s = sample_open(db, false);
	char earlier[256];

	store_alert(s, &a, "x");
	store_close(s); /* no store_file_end() */
	s = sample_open(db, false);
	CHECK_INT(store_alert(s, &a, "x"), 1);
	CHECK(store_alert(s, &b, "x") != 0);
	CHECK_INT(end_file(s, "x", &h, earlier), STORE_OK);
	store_close(s);
	CHECK_INT(h.kept, 1);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts"), 2);
}

DB_TEST(a_file_without_packets_is_never_known)
{
	struct store_capture empty = {.path = "empty"};
	struct store *s = sample_open(db, false);
	char earlier[256];

	for (unsigned i = 0; i < 2; i++)
		CHECK_INT(
		    store_file_end(s, &empty, NULL, earlier, 256), STORE_OK);
	store_close(s);
}

DB_TEST(ids_are_never_used_twice)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0);
	char earlier[256];
	int64_t one;

	end_file(s, "x", NULL, earlier);
	one = store_alert(s, &a, "y");
	CHECK_INT(end_file(s, "y", NULL, earlier), STORE_KNOWN);
	CHECK(store_alert(s, &a, "z") > one);
	store_close(s);
}

DB_TEST(history_comes_back)
{
	struct history h = {.nservers = 2, .npairs = 1}, back;
	struct server_facts want;
	struct store *s = sample_open(db, false);
	char earlier[256];

	h.servers[0] = sample_server(1);
	h.servers[1] = sample_server(2);
	h.pairs[0].key.server = h.servers[0].key;
	CHECK_INT(addr_from_text(&h.pairs[0].key.client, "2001:db8::1"), 0);
	h.pairs[0].tls = 20;
	h.pairs[0].last = T0;
	CHECK_INT(end_file(s, "x", &h, earlier), STORE_OK);
	store_close(s);

	memset(&back, 0, sizeof(back));
	s = sample_open(db, false);
	CHECK_INT(store_load_history(s, &back), 0);
	CHECK_INT(back.nservers, 2);
	CHECK_INT(back.npairs, 1);
	want = sample_server(1);
	CHECK(memcmp(&back.servers[0], &want, sizeof(want)) == 0);
	CHECK(memcmp(&back.pairs[0], &h.pairs[0], sizeof(back.pairs[0])) == 0);
	/* a key that memory forgot goes from the table too */
	back.nservers = 1;
	back.servers[0].ncerts = 1;
	CHECK_INT(sample_file_end(s, "y", 1, &back, earlier), STORE_OK);
	store_close(s);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM server_keys"), 3);
}

DB_TEST(a_damaged_history_row_is_left_out)
{
	struct history back;
	struct store *s = sample_open(db, false);

	store_close(s);
	sample_exec(db,
	    "INSERT INTO pairs (client,addr,port,proto,implicit_tls,first,"
	    "last,tls,clear,tls_days,tls_failed_then_clear) VALUES"
	    "('nonsense','10.0.0.1',25,'smtp',0,1,1,1,1,1,1),"
	    "('10.0.0.1','10.0.0.1',25,'klingon',0,1,1,-5,1,1,1)");
	memset(&back, 0, sizeof(back));
	s = sample_open(db, false);
	CHECK_INT(store_load_history(s, &back), 0);
	CHECK_INT(back.npairs, 1);
	CHECK_INT(back.pairs[0].tls, 0);
	CHECK_INT(back.pairs[0].key.server.proto, PROTO_UNKNOWN);
	store_close(s);
}

DB_TEST(text_that_is_not_utf8_does_not_cost_the_alert)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0);

	strcpy(a.finding.evidence[0].text, "\xff\xfe '); DROP TABLE alerts;--");
	strcpy(a.msg, "'\"\\\x1b[31m");
	memset(a.steps[0].text, 'x', sizeof(a.steps[0].text)); /* no NUL */
	CHECK(store_alert(s, &a, "x'y") != 0);
	CHECK_INT(store_close(s), 0);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts"), 1);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts WHERE "
				 "json_valid(evidence)"),
	    1);
}

DB_TEST(rows_are_cheap)
{
	const unsigned many = 13000;
	struct timespec t0, t1;
	struct store *s = sample_open(db, false);
	double seconds;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (unsigned i = 0; i < many; i++) {
		struct alert a = sample_alert(i);

		if (store_alert(s, &a, "x") == 0)
			TEST_FAIL("alert %u is not stored", i);
	}
	CHECK_INT(store_close(s), 0);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	seconds = (double)(t1.tv_sec - t0.tv_sec) +
		  (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
	printf("%u alerts in %.3f s\n", many, seconds);
#ifndef __SANITIZE_ADDRESS__
	CHECK(seconds < 0.5 * 3); /* the machine may be busy */
#endif
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts"), many);
}

/* ---- what cannot be opened ---- */

static void
check_refused(const char *path, const char *says)
{
	struct store_config cfg = {.path = path};
	char err[512] = "";
	struct store *s;

	CHECK_INT(store_open(&s, &cfg, err, sizeof(err)), STORE_FAILED);
	CHECK(s == NULL);
	if (strstr(err, says) == NULL)
		TEST_FAIL("'%s' does not say '%s'", err, says);
	if (strchr(err, '\n') != NULL)
		TEST_FAIL("'%s' is more than a sentence", err);
	if (strncmp(err, path, strlen(path)) != 0)
		TEST_FAIL("'%s' does not name the file", err);
}

/* A hash of a file's bytes, 0 if it is not there. */
static uint64_t
file_hash(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint64_t h = 1469598103934665603u;
	int c;

	if (f == NULL)
		return 0;
	while ((c = getc(f)) != EOF)
		h = (h ^ (unsigned)c) * 1099511628211u;
	fclose(f);
	return h;
}

static void
check_untouched(const char *path, const char *says)
{
	uint64_t before = file_hash(path);

	check_refused(path, says);
	CHECK(file_hash(path) == before);
}

DB_TEST(a_missing_folder_is_named)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/no/such/x.db", dir);
	check_refused(path, "/no/such does not exist");
	check_refused(dir, "is a folder");
	check_refused("/dev/null", "is not a database");
	CHECK_INT(access(db, F_OK), -1);
}

DB_TEST(text_is_not_a_database)
{
	FILE *f = fopen(db, "w");

	for (unsigned i = 0; i < 1000; i++)
		fputs("Dear diary, ", f);
	fclose(f);
	check_untouched(db, "is not a database");
	f = fopen(db, "w");
	fputs("x", f);
	fclose(f);
	check_untouched(db, "is not a database");
	/* the right beginning and nothing behind */
	f = fopen(db, "w");
	fwrite("SQLite format 3", 16, 1, f);
	for (unsigned i = 0; i < 4096; i++)
		putc('x', f);
	fclose(f);
	check_untouched(db, "is not a database");
}

DB_TEST(a_database_of_others_is_left_alone)
{
	char wal[PATH_MAX + 64];
	uint64_t before;
	sqlite3 *other;

	sample_exec(db, "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
	check_untouched(db, "of another program");
	sample_exec(db, "PRAGMA application_id=77; PRAGMA user_version=1");
	check_untouched(db, "of another program");
	/* also one whose last writes are in its log only */
	CHECK_INT(sqlite3_open(db, &other), SQLITE_OK);
	sqlite3_db_config(other, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_exec(other, "PRAGMA journal_mode=WAL; INSERT INTO t VALUES(2)",
	    NULL, NULL, NULL);
	sqlite3_close(other);
	snprintf(wal, sizeof(wal), "%s-wal", db);
	before = file_hash(wal);
	CHECK(before != 0);
	check_untouched(db, "of another program");
	CHECK(file_hash(wal) == before);
}

DB_TEST(a_newer_database_is_left_alone)
{
	struct store *s = sample_open(db, false);

	store_close(s);
	sample_exec(db, "PRAGMA user_version=7");
	check_untouched(db, "written by a newer version (schema 7, this "
			    "program knows 6)");
}

DB_TEST(empty_and_unversioned_files_become_databases)
{
	int fd = open(db, O_CREAT | O_WRONLY, 0600);
	struct store *s;

	close(fd);
	s = sample_open(db, false);
	CHECK_INT(store_close(s), 0);
	CHECK_INT(sample_ask(db, "PRAGMA user_version"), 6);
	unlink(db);
	/* made by a program that was killed before the schema was in */
	sample_exec(db, "PRAGMA application_id=1400140407; CREATE TABLE t(x); "
			"DROP TABLE t");
	CHECK_INT(sample_ask(db, "PRAGMA application_id"), 0x53747277);
	s = sample_open(db, false);
	CHECK_INT(store_close(s), 0);
	CHECK_INT(sample_ask(db, "PRAGMA user_version"), 6);
	CHECK(sample_ask(db, "SELECT count(*) FROM sqlite_master") > 8);
}

/* Runs fn as a user without rights; returns whether its checks held. */
static void
as_nobody(void (*fn)(const char *), const char *path)
{
	int status;
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) == 0) {
		if (geteuid() == 0 &&
		    (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(99);
		test_bad_checks = 0;
		fn(path);
		fflush(NULL);
		_exit(test_bad_checks != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
refused_for_rights(const char *path)
{
	check_refused(path, "cannot be written");
}

static int
count_row(void *ctx, const struct query_row *row)
{
	(void)row;
	++*(int *)ctx;
	return 0;
}

static void
readable(const char *path)
{
	struct query_filter f;
	char err[256] = "";
	int n = 0;

	query_filter_init(&f);
	CHECK_INT(query_alerts(path, &f, count_row, &n, err, sizeof(err)), 1);
	CHECK_STR(err, "");
	CHECK_INT(n, 1);
}

DB_TEST(without_rights_it_says_so_and_reading_still_works)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0);

	store_alert(s, &a, "x");
	store_close(s);
	chmod(dir, 0755);
	chmod(db, 0444);
	as_nobody(refused_for_rights, db); /* the file */
	chmod(db, 0666);
	as_nobody(refused_for_rights, db); /* the folder */
	as_nobody(readable, db);
	chmod(dir, 0700);
}

DB_TEST(a_second_writer_is_told_to_wait)
{
	struct store *s = sample_open(db, false);
	struct timespec t0, t1;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	check_refused(db, "another stripwire is writing to it");
	clock_gettime(CLOCK_MONOTONIC, &t1);
	CHECK(t1.tv_sec - t0.tv_sec >= 4 && t1.tv_sec - t0.tv_sec < 15);
	store_close(s);
	s = sample_open(db, false);
	CHECK_INT(store_close(s), 0);
}

DB_TEST(a_lock_of_another_program_is_named)
{
	struct store *s = sample_open(db, false);
	sqlite3 *other;

	store_close(s);
	CHECK_INT(sqlite3_open(db, &other), SQLITE_OK);
	CHECK_INT(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	check_refused(db, "is locked by another program");
	sqlite3_close(other);
	CHECK(sample_is_whole(db));
}

TEST_MAIN
