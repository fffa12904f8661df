/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What rows of alerts refer to: connections and kinds have one row each,
 * whatever is remembered of them.
 */
#include "db/store_priv.h"

#include "tests/alert_sample.h"

/* Alerts of connections that all have the same place in the table of those of
 * late, in no order of time: 0 is first, then all others, then 0 again. */
static struct alert
crowded_alert(unsigned flow, unsigned n)
{
	struct alert a = sample_alert(n);

	a.finding.time = T0 + (int64_t)(flow * 7919 % 1000) * MS + n;
	a.flow.public_id = 7 + (uint64_t)flow * 1024;
	a.flow.start = T0 - (int64_t)(flow * 7919 % 500) * MS;
	return a;
}

static void
store_crowd(const char *db, unsigned n, bool flush)
{
	struct store *s = sample_open(db, false);

	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < 300; i++) {
			struct alert a = crowded_alert(i, n + round);

			CHECK(store_alert(s, &a, NULL) != 0);
			if (flush && i % 37 == 0)
				store_flush(s);
		}
	CHECK_INT(store_close(s), 0);
}

/* Each has one row, which each of its alerts finds. */
DB_TEST(a_connection_has_one_row_however_many_come_between)
{
	store_crowd(db, 0, false);
	store_crowd(db, 3, true);
	store_crowd(db, 0, true); /* all of them are known */
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM flows"), 300);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts"), 1800);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts a JOIN flows f "
				 "ON f.id=a.flow WHERE f.start<=a.time"),
	    1800);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM (SELECT flow FROM "
				 "alerts GROUP BY flow HAVING count(*)=6)"),
	    300);
	CHECK(sample_is_whole(db));
}

/* More kinds than are remembered, each stored once. */
DB_TEST(what_alerts_have_in_common_stands_once)
{
	for (unsigned run = 0; run < 2; run++) {
		struct store *s = sample_open(db, false);

		for (unsigned i = 0; i < 1000; i++) {
			struct alert a = sample_alert(run * 1000 + i);

			a.sid = 1 + i % 50;
			a.severity = (uint8_t)(i % 3);
			a.msg[0] = (char)('A' + i % 7);
			CHECK(store_alert(s, &a, NULL) != 0);
		}
		CHECK_INT(store_close(s), 0);
	}
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alert_kinds"),
	    sample_ask(db, "SELECT count(*) FROM (SELECT DISTINCT sid, "
			   "severity, msg FROM alerts)"));
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts WHERE "
				 "sid=1+(id-1)%1000%50 AND "
				 "severity=(id-1)%1000%3 AND "
				 "unicode(msg)=65+(id-1)%1000%7"),
	    2000);
}

/* What was stored in a batch that failed is stored again by the next. */
DB_TEST(after_a_batch_that_failed_nothing_is_taken_for_stored)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0), b = sample_alert(1);

	CHECK(store_alert(s, &a, NULL) != 0);
	sample_exec(db, "PRAGMA user_version"); /* others may read */
	store_trouble(s, SQLITE_FULL);
	s->down_until = 0;
	CHECK(store_alert(s, &b, NULL) != 0);
	store_close(s);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts a JOIN flows f "
				 "ON f.id=a.flow WHERE sid=1000001"),
	    1);
}

/* Rows that somebody else takes away between two batches move the numbers that
 * SQLite would give: nothing is lost by it. */
DB_TEST(others_take_rows_away_meanwhile)
{
	struct store *s = sample_open(db, false);

	for (unsigned i = 0; i < 60; i++) {
		struct alert a = crowded_alert(i, i);

		CHECK(store_alert(s, &a, NULL) != 0);
		if (i % 10 != 9)
			continue;
		store_flush(s);
		sample_exec(db, "DELETE FROM alert_rows WHERE id>"
				"(SELECT max(id)-3 FROM alert_rows)");
		sample_exec(db, "DELETE FROM flow_rows WHERE n>"
				"(SELECT max(n)-3 FROM flow_rows)");
	}
	CHECK_INT(store_counters(s)->lost, 0);
	CHECK_INT(store_close(s), 0);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alert_rows"), 42);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM flow_rows"), 42);
}

TEST_MAIN
