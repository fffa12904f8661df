/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is taken away when it was kept long enough, what stays, and a copy made
 * while rows come and go.
 */
#include "db/store.h"

#include <sys/stat.h>

#include "db/backup.h"
#include "tests/alert_sample.h"

#define DAYS(n) ((n)*INT64_C(86400) * 1000000000)

static char dir[PATH_MAX], db[PATH_MAX + 32];

static struct store *
begin(void)
{
	struct store *s;

	sample_folder(dir);
	s = sample_open(sample_path(db, dir, "x.db"), false);
	store_run_begin(s, "x", "");
	return s;
}

/* n alerts of four a flow, the i-th of day + i ms. */
static void
store_day(struct store *s, int64_t day, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++) {
		struct alert a = sample_alert(i);

		a.finding.time += DAYS(day);
		CHECK(store_alert(s, &a, NULL) != 0);
	}
	store_flush(s);
}

static int64_t
rows(const char *table)
{
	char sql[100];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	return sample_ask(db, sql);
}

static unsigned
retain_all(struct store *s, const struct store_retention *r, int64_t now)
{
	unsigned steps = 1;

	while (store_retain(s, r, now) == 1 && steps < 10000)
		steps++;
	return steps;
}

/* The run that stored them is as old as they are. */
static void
age_runs(void)
{
	char sql[100];

	snprintf(
	    sql, sizeof(sql), "UPDATE runs SET started=%lld", (long long)T0);
	sample_exec(db, sql);
}

TEST(nothing_goes_unless_it_is_asked_for)
{
	struct store *s = begin();
	const struct store_retention none = {0};

	store_day(s, 0, 0, 100);
	age_runs();
	CHECK_INT(retain_all(s, &none, T0 + DAYS(5000)), 1);
	CHECK_INT(rows("alerts"), 100);
	CHECK_INT(rows("sqlite_master WHERE name='alerts_by_flow'"), 0);
	CHECK_INT(store_close(s), 0);
	sample_remove(dir);
}

TEST(what_is_too_old_goes_with_what_belongs_to_it)
{
	struct store *s = begin();
	const struct store_retention month = {.days = 30};

	store_day(s, 0, 0, 1002); /* the last flow has alerts of two days */
	store_day(s, 40, 1002, 98);
	sample_exec(db,
	    "INSERT INTO notes (time, kind, ref, what, closed_as, author, text)"
	    " SELECT 1, 'alert', id, 'ack', '', 'x', '' FROM alerts");
	sample_exec(db,
	    "INSERT INTO incidents (id, run, saved, ended, last) VALUES "
	    "(1,1,1,1,5), (2,1,1,0,5), (3,1,1,1,9000000000000000000)");
	sample_exec(db,
	    "INSERT INTO notes (time, kind, ref, what, closed_as, author, text)"
	    " SELECT 1, 'incident', id, 'ack', '', 'x', '' FROM incidents");
	age_runs();
	CHECK(retain_all(s, &month, T0 + DAYS(41)) >= 5);
	CHECK_INT(rows("alerts"), 98);
	CHECK_INT(rows("alerts WHERE flow NOT IN (SELECT id FROM flows)"), 0);
	CHECK_INT(rows("flows"), 25);
	CHECK_INT(rows("notes WHERE kind='alert'"), 98);
	/* one that is open, one that is young */
	CHECK_INT(rows("incidents"), 2);
	CHECK_INT(rows("notes WHERE kind='incident'"), 2);
	CHECK_INT(store_counters(s)->retired, 1002);
	CHECK_INT(store_close(s), 0);
	CHECK(sample_is_whole(db));
	sample_remove(dir);
}

/* A capture of years ago, read a moment ago. */
TEST(what_was_stored_lately_is_not_old)
{
	struct store *s = begin();
	const struct store_retention month = {.days = 30};
	int64_t now = INT64_C(1900000000) * 1000000000;
	char sql[100];

	store_day(s, 0, 0, 50);
	snprintf(sql, sizeof(sql), "UPDATE runs SET started=%lld",
	    (long long)(now - DAYS(29)));
	sample_exec(db, sql);
	retain_all(s, &month, now);
	CHECK_INT(rows("alerts"), 50);
	CHECK_INT(store_close(s), 0);
	sample_remove(dir);
}

/* It never holds much more, whatever comes, and gives back what is free. */
TEST(the_oldest_go_when_it_is_too_large)
{
	struct store *s = begin();
	const struct store_retention small = {.bytes = 1 << 20};
	const struct store_retention tiny = {.bytes = 300 << 10};
	struct stat st;

	for (unsigned i = 0; i < 20; i++) {
		store_day(s, 0, i * 200, 200);
		retain_all(s, &small, T0);
	}
	CHECK(rows("alerts") > 100 && rows("alerts") < 2000);
	CHECK_INT(sample_ask(db, "SELECT max(id) FROM alerts"), 4000);
	CHECK_INT(rows("alerts") + (int64_t)store_counters(s)->retired, 4000);
	CHECK_INT(rows("flows WHERE id NOT IN (SELECT flow FROM alerts)"), 0);
	retain_all(s, &tiny, T0);
	CHECK_INT(store_close(s), 0);
	CHECK_INT(stat(db, &st), 0);
	CHECK(st.st_size < 700 << 10);
	CHECK(sample_is_whole(db));
	sample_remove(dir);
}

/* Less than the tables take without an alert: it does what it can and ends. */
TEST(a_size_that_cannot_be)
{
	struct store *s = begin();
	const struct store_retention none = {.bytes = 1};

	store_day(s, 0, 0, 500);
	CHECK(retain_all(s, &none, T0) < 100);
	CHECK_INT(rows("alerts"), 0);
	store_day(s, 0, 500, 10);
	CHECK_INT(store_close(s), 0);
	sample_remove(dir);
}

TEST(a_copy_of_one_moment_while_rows_come)
{
	char copy[PATH_MAX + 32], err[600] = "", mode[16];
	struct store *s = begin();
	struct query *q;
	struct stat st;

	store_day(s, 0, 0, 500);
	q = query_open(db, err, sizeof(err));
	CHECK(q != NULL);
	sample_path(copy, dir, "copy.db");
	CHECK(backup_make(q, copy, 0, err, sizeof(err)) > 100000);
	CHECK_STR(err, "");
	store_day(s, 0, 500, 500);
	CHECK_INT(sample_ask(copy, "SELECT count(*) FROM alerts"), 500);
	CHECK(sample_is_whole(copy));
	CHECK_INT(stat(copy, &st), 0);
	snprintf(mode, sizeof(mode), "%o", st.st_mode & 0777);
	CHECK_STR(mode, "600");
	/* one that is there is not touched unless asked to */
	CHECK_INT(backup_make(q, copy, 0, err, sizeof(err)), -1);
	CHECK(strstr(err, "is there already") != NULL);
	CHECK_INT(sample_ask(copy, "SELECT count(*) FROM alerts"), 500);
	query_close(q);
	q = query_open(db, err, sizeof(err));
	CHECK(backup_make(q, copy, 1, err, sizeof(err)) > 0);
	CHECK_INT(sample_ask(copy, "SELECT count(*) FROM alerts"), 1000);
	query_close(q);
	CHECK_INT(store_close(s), 0);
	/* it is a database like any other */
	s = sample_open(copy, false);
	CHECK(s != NULL);
	CHECK_INT(store_close(s), 0);
	sample_remove(dir);
}

TEST_MAIN
