/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Events: in the transaction of their alerts, with ids that are the same
 * wherever they are met, read by feeds, and retired.
 */
#include "db/store.h"

#include <time.h>

#include "db/event_id.h"
#include "db/feed_eve.h"
#include "db/outbox.h"
#include "rules/incident.h"
#include "tests/alert_sample.h"

#define DAY (INT64_C(86400) * 1000000000)

static const struct store_feed both = {
    "siem", 1u << EVENT_ALERT | 1u << EVENT_INCIDENT};
static const struct store_feed incidents_only = {"inc", 1u << EVENT_INCIDENT};
static unsigned problems;

static void
on_problem(void *ctx, const char *text)
{
	(void)ctx, (void)text;
	problems++;
}

static struct store *
open_with(const char *db, const struct store_feed *feeds, unsigned n)
{
	struct store_config cfg = {.path = db,
	    .sensor = "lab",
	    .feeds = feeds,
	    .nfeeds = n,
	    .on_problem = on_problem};
	char err[512] = "";
	struct store *s;

	if (store_open(&s, &cfg, err, sizeof(err)) != STORE_OK) {
		TEST_FAIL("%s", err);
		exit(1);
	}
	store_run_begin(s, "x", "");
	return s;
}

static void
put(struct store *s, unsigned from, unsigned n, const char *file)
{
	for (unsigned i = from; i < from + n; i++) {
		struct alert a = sample_alert(i);

		CHECK(store_alert(s, &a, file) != 0);
	}
}

static int64_t
count(const char *db, const char *what)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM events %s", what);
	return sample_ask(db, sql);
}

DB_TEST(without_feeds_there_are_no_events)
{
	struct store *s = open_with(db, NULL, 0);

	put(s, 0, 10, NULL);
	store_close(s);
	CHECK_INT(count(db, ""), 0);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM feeds"), 0);
}

DB_TEST(an_alert_and_its_event_are_of_one_transaction)
{
	struct store *s = open_with(db, &both, 1);
	struct alert a = sample_alert(3);
	char line[EVE_LINE_MAX], id[EVENT_ID_MAX], sql[300];

	put(s, 0, 10, "x.pcap");
	CHECK_INT(count(db, ""), 0); /* neither is there */
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM alerts"), 0);
	store_flush(s);
	CHECK_INT(count(db, "e JOIN alerts a ON a.id=e.ref WHERE "
			    "e.type='alert' AND e.time=a.time"),
	    10);
	CHECK(store_alert(s, &a, "y.pcap") != 0); /* known */
	store_close(s);
	CHECK_INT(count(db, ""), 10);
	/* its line and its id are those of EVE */
	CHECK(eve_format(line, sizeof(line), &a, "lab", "x.pcap") > 0);
	event_alert_id(id, "lab", &a);
	CHECK(strstr(line, id) != NULL);
	CHECK_INT(strlen(id), 32);
	snprintf(sql, sizeof(sql), "WHERE id='%s' AND instr(eve, id) > 0", id);
	CHECK_INT(count(db, sql), 1);
	line[strlen(line) - 1] = '\0';
	CHECK_INT(sample_ask(db, "SELECT max(length(eve)) FROM events"),
	    (int64_t)strlen(line));
	CHECK_INT(count(db, "WHERE json_valid(eve)"), 10);
}

TEST(ids_tell_apart_what_differs)
{
	static struct incident i;
	struct alert a = sample_alert(1), b = sample_alert(2);
	char one[EVENT_ID_MAX], two[EVENT_ID_MAX];

	event_alert_id(one, "lab", &a);
	CHECK(strcmp(one, event_alert_id(two, "lab", &a)) == 0);
	CHECK(strcmp(one, event_alert_id(two, "lab", &b)) != 0);
	CHECK(strcmp(one, event_alert_id(two, "other", &a)) != 0);
	CHECK(strcmp(one, event_alert_id(two, NULL, &a)) != 0);
	i.id = 5;
	i.first = T0;
	event_incident_id(one, "lab", &i, INCIDENT_OPENED);
	CHECK(strcmp(one, event_incident_id(two, "lab", &i, INCIDENT_CLOSED)) !=
	      0);
	i.severity++;
	CHECK(strcmp(one, event_incident_id(two, "lab", &i, INCIDENT_OPENED)) !=
	      0);
	i.severity--;
	i.first++; /* number 5 of another database */
	CHECK(strcmp(one, event_incident_id(two, "lab", &i, INCIDENT_OPENED)) !=
	      0);
}

DB_TEST(incidents_are_events_too)
{
	static struct incident i;
	struct store *s = open_with(db, &both, 1);

	i.id = store_incident_id(s);
	i.first = i.last = T0;
	store_incident_event(s, &i, INCIDENT_OPENED);
	i.severity = 3;
	store_incident_event(s, &i, INCIDENT_WORSE);
	store_close(s);
	CHECK_INT(count(db, "WHERE type='incident' AND json_valid(eve)"), 2);
	CHECK_INT(sample_ask(db, "SELECT count(DISTINCT id) FROM events"), 2);
}

DB_TEST(a_known_capture_leaves_no_event)
{
	struct store *s = open_with(db, &both, 1);
	char earlier[256];
	int64_t last;

	put(s, 0, 5, "a");
	CHECK_INT(sample_file_end(s, "a", 77, NULL, earlier), STORE_OK);
	put(s, 100, 3, "b");
	CHECK_INT(sample_file_end(s, "b", 77, NULL, earlier), STORE_KNOWN);
	CHECK_INT(count(db, ""), 5);
	last = sample_ask(
	    db, "SELECT seq FROM sqlite_sequence WHERE name='events'");
	put(s, 200, 1, "c");
	store_close(s);
	/* its numbers are not used again: a feed may have passed them */
	CHECK_INT(sample_ask(db, "SELECT max(seq) FROM events"), last + 1);
}

DB_TEST(a_new_feed_begins_with_what_comes)
{
	struct store_feed two[2] = {both, incidents_only};
	struct store *s = open_with(db, &both, 1);

	put(s, 0, 5, NULL);
	store_flush(s);
	CHECK_INT(store_use_feeds(s, two, 2), 0);
	put(s, 10, 5, NULL);
	store_close(s);
	CHECK_INT(
	    sample_ask(db, "SELECT cursor FROM feeds WHERE name='siem'"), 0);
	CHECK_INT(
	    sample_ask(db, "SELECT cursor FROM feeds WHERE name='inc'"), 5);
	/* known already: it goes on where it was */
	s = open_with(db, two, 2);
	store_close(s);
	CHECK_INT(
	    sample_ask(db, "SELECT cursor FROM feeds WHERE name='siem'"), 0);
}

/* ---- the feeds' side ---- */

DB_TEST(a_feed_reads_batches_and_keeps_its_row)
{
	static struct outbox_batch b;
	struct store *s = open_with(db, &both, 1);
	struct outbox_row row = {.cursor = 300, .sent = 7};
	struct outbox_lag lag;
	char err[300];
	struct outbox *o;

	put(s, 0, 600, NULL);
	store_flush(s);
	o = outbox_open(db, err, sizeof(err));
	CHECK(o != NULL);
	CHECK_INT(outbox_read(o, 0, &b, err, sizeof(err)), 0);
	CHECK_INT(b.n, OUTBOX_BATCH);
	CHECK_INT(b.event[0].seq, 1);
	CHECK(strstr(b.event[9].eve, b.id[9]) != NULL);
	CHECK_INT(b.event[9].len, strlen(b.event[9].eve));
	CHECK_INT(outbox_read(o, 590, &b, err, sizeof(err)), 0);
	CHECK_INT(b.n, 10);
	CHECK_INT(outbox_read(o, 600, &b, err, sizeof(err)), 0);
	CHECK_INT(b.n, 0);
	CHECK_INT(outbox_lag(o, 100, &lag, err, sizeof(err)), 0);
	CHECK_INT(lag.events, 500);
	CHECK(lag.oldest > T0);
	CHECK_INT(outbox_lag(o, 600, &lag, err, sizeof(err)), 0);
	CHECK_INT(lag.events, 0);
	CHECK_INT(lag.oldest, 0);

	/* while the judge writes */
	put(s, 1000, 10, NULL);
	store_flush(s);
	snprintf(row.error, sizeof(row.error), "why");
	CHECK_INT(outbox_save(o, "siem", &row, err, sizeof(err)), 0);
	row.cursor = 200; /* never goes back */
	CHECK_INT(outbox_save(o, "siem", &row, err, sizeof(err)), 0);
	CHECK_INT(outbox_load(o, "siem", &row, err, sizeof(err)), 0);
	CHECK_INT(row.cursor, 300);
	CHECK_INT(row.sent, 7);
	CHECK_STR(row.error, "why");
	CHECK_INT(outbox_load(o, "nobody", &row, err, sizeof(err)), 1);
	outbox_batch_free(&b);
	outbox_close(o);
	store_close(s);
}

/* Also what was stored before there were feeds, and what is left of alerts
 * that were retired. */
DB_TEST(history_has_all_of_a_time_in_order)
{
	struct store *s = open_with(db, NULL, 0);
	struct outbox_item *list;
	char err[300];
	struct outbox *o;
	int64_t n;

	put(s, 0, 10, NULL);
	CHECK_INT(store_use_feeds(s, &both, 1), 0);
	put(s, 10, 10, NULL);
	store_close(s);
	sample_exec(db, "DELETE FROM alert_rows WHERE id=15");
	o = outbox_open(db, err, sizeof(err));
	n = outbox_history(
	    o, T0 + 5 * MS, T0 + 16 * MS, &list, err, sizeof(err));
	CHECK_INT(n, 12);
	for (int64_t i = 0; i < n; i++) {
		CHECK_INT(list[i].time, T0 + (5 + i) * MS);
		CHECK_INT(list[i].alert, 6 + i);
		CHECK_INT(list[i].seq, i < 5 ? 0 : i - 4);
	}
	free(list);
	outbox_close(o);
}

/* ---- retirement ---- */

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
retire_all(struct store *s, const struct store_retention *r, int64_t now)
{
	for (int i = 0; i < 1000; i++)
		if (store_retire_events(s, r, now) == 0)
			return;
	TEST_FAIL("retiring does not end");
}

DB_TEST(what_all_have_passed_goes_when_it_is_old)
{
	const struct store_retention r = {
	    .event_days = 7, .max_events = 100000};
	struct store_feed two[2] = {both, incidents_only};
	struct store *s = open_with(db, two, 2);

	put(s, 0, 1200, NULL);
	store_flush(s);
	sample_exec(db, "UPDATE feeds SET cursor=1200 WHERE name='siem'; "
			"UPDATE feeds SET cursor=700 WHERE name='inc'");
	retire_all(s, &r, now_ns());
	CHECK_INT(count(db, ""), 1200); /* young */
	retire_all(s, &r, now_ns() + 8 * DAY);
	CHECK_INT(count(db, ""), 500);
	CHECK_INT(sample_ask(db, "SELECT min(seq) FROM events"), 701);
	CHECK_INT(sample_ask(db, "SELECT sum(expired) FROM feeds"), 0);
	CHECK_INT(problems, 0);
	store_close(s);
}

DB_TEST(too_many_go_unsent_and_are_counted)
{
	const struct store_retention r = {.event_days = 7, .max_events = 1000};
	struct store_feed two[2] = {both, incidents_only};
	struct store *s = open_with(db, two, 2);

	problems = 0;
	put(s, 0, 3000, NULL);
	store_flush(s);
	sample_exec(db, "UPDATE feeds SET cursor=1500 WHERE name='siem'");
	retire_all(s, &r, now_ns());
	CHECK_INT(count(db, ""), 1000);
	CHECK_INT(
	    sample_ask(db, "SELECT expired FROM feeds WHERE name='siem'"), 500);
	/* it wants no alerts: nothing of its own is gone */
	CHECK_INT(
	    sample_ask(db, "SELECT expired FROM feeds WHERE name='inc'"), 0);
	CHECK_INT(sample_ask(db, "SELECT min(cursor) FROM feeds"), 2000);
	CHECK_INT(problems, 1); /* said once */
	store_close(s);
}

DB_TEST(events_go_with_the_alerts_of_their_time)
{
	const struct store_retention r = {
	    .days = 30, .event_days = 7, .max_events = 100000};
	struct store *s = open_with(db, &both, 1);

	put(s, 0, 10, NULL);
	store_flush(s);
	retire_all(s, &r, now_ns() + 29 * DAY);
	CHECK_INT(count(db, ""), 10);
	retire_all(s, &r, now_ns() + 31 * DAY);
	CHECK_INT(count(db, ""), 0);
	CHECK_INT(sample_ask(db, "SELECT expired FROM feeds"), 10);
	store_close(s);
}

DB_TEST(without_feeds_events_are_retired_all_the_same)
{
	const struct store_retention r = {.event_days = 7, .max_events = 1000};
	struct store *s = open_with(db, &both, 1);

	put(s, 0, 10, NULL);
	CHECK_INT(store_use_feeds(s, NULL, 0), 0);
	store_flush(s);
	retire_all(s, &r, now_ns() + 8 * DAY);
	CHECK_INT(count(db, ""), 0);
	store_close(s);
}

TEST_MAIN
