/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loop of a feed over a receiver that does what a test wants, and a list
 * of events; the clock is the test's.
 */
#include "db/feed.h"

#include "db/feed_queue.h"
#include "db/feed_window.h"
#include "tests/test.h"

#define EVENTS_MAX 4000
#define HOUR 3600000

/* ---- where events come from ---- */

static struct {
	int64_t n; /* events 1 .. n */
	int64_t incident_every; /* 0: all are alerts */
	struct outbox_row row; /* as stored */
	int64_t moved; /* the store retired up to there */
	unsigned saves;
	int locked; /* times that it cannot be written */
} from;

static int
source_read(
    void *ctx, int64_t after, struct outbox_batch *b, char *err, size_t errlen)
{
	char text[80], id[EVENT_ID_MAX];
	struct event e = {.eve = text};

	(void)ctx, (void)err, (void)errlen;
	b->n = 0;
	b->used = 0;
	for (int64_t i = after + 1; i <= from.n; i++) {
		e.seq = i;
		e.type =
		    from.incident_every != 0 && i % from.incident_every == 0
			? EVENT_INCIDENT
			: EVENT_ALERT;
		e.len = (size_t)snprintf(
		    text, sizeof(text), "{\"n\":%lld}", (long long)i);
		snprintf(id, sizeof(id), "%032llx", (unsigned long long)i);
		if (!outbox_batch_add(b, &e, id))
			break;
	}
	return 0;
}

static int
source_lag(void *ctx, int64_t position, struct outbox_lag *lag, char *err,
    size_t errlen)
{
	(void)ctx, (void)err, (void)errlen;
	*lag = (struct outbox_lag){from.n, (uint64_t)(from.n - position), 0};
	return 0;
}

static int
source_load(void *ctx, const char *name, struct outbox_row *row, char *err,
    size_t errlen)
{
	(void)ctx, (void)name, (void)err, (void)errlen;
	*row = from.row;
	if (from.moved > row->cursor)
		row->cursor = from.moved;
	return 0;
}

static int
source_save(void *ctx, const char *name, const struct outbox_row *row,
    char *err, size_t errlen)
{
	uint64_t expired = from.row.expired; /* the store's */

	(void)ctx, (void)name;
	if (from.locked > 0) {
		from.locked--;
		snprintf(err, errlen, "the database is locked");
		return -1;
	}
	CHECK(row->cursor >= from.row.cursor);
	from.row = *row;
	from.row.expired = expired;
	from.saves++;
	return 0;
}

static void
source_close(void *ctx)
{
	(void)ctx;
}

static const struct outbox_source source = {
    source_read, source_lag, source_load, source_save, source_close};

/* ---- the receiver ---- */

static struct {
	unsigned got[EVENTS_MAX + 1]; /* how often each was received */
	int64_t last;
	bool in_order; /* within a connection */
	int64_t streamed; /* without a number */
	/* what it does */
	int refuse; /* connections, -1: all */
	int break_after; /* messages of a connection, -1: never */
	int lose; /* of the messages before a break, the last so many */
	int full_after; /* 1 is returned after so many without a flush */
	int drop; /* datagrams that fail, -1: all */
	bool lazy; /* acknowledges nothing until `ack` */
	int64_t ack;
	/* its state */
	int64_t sent[EVENTS_MAX * 4], nsent; /* of the connection */
	int unflushed;
	unsigned connects, reopened;
	bool connected;
	const char *why;
} rx;

static struct transport *
rx_open(const struct transport_config *c, char *err)
{
	(void)c, (void)err;
	return (struct transport *)(void *)&rx;
}

static int
rx_connect(struct transport *t, char *err)
{
	(void)t;
	if (rx.refuse != 0) {
		rx.refuse -= rx.refuse > 0;
		snprintf(err, TRANSPORT_ERROR_MAX, "%s", rx.why);
		return -1;
	}
	CHECK(!rx.connected);
	rx.connected = true;
	rx.connects++;
	rx.nsent = 0;
	rx.last = 0;
	rx.unflushed = 0;
	return 0;
}

static int
rx_send(struct transport *t, const struct message *m, char *err)
{
	(void)t;
	CHECK(rx.connected && m->len > 0);
	if (rx.drop != 0) {
		rx.drop -= rx.drop > 0;
		snprintf(err, TRANSPORT_ERROR_MAX, "nobody listens");
		return -1;
	}
	if (rx.full_after > 0 && rx.unflushed == rx.full_after)
		return 1;
	if (rx.break_after >= 0 && rx.nsent >= rx.break_after) {
		for (int i = 0; i < rx.lose && i < rx.nsent; i++)
			if (rx.sent[rx.nsent - 1 - i] > 0)
				rx.got[rx.sent[rx.nsent - 1 - i]]--;
		snprintf(err, TRANSPORT_ERROR_MAX, "connection reset");
		return -1;
	}
	rx.unflushed++;
	rx.sent[rx.nsent++] = m->seq;
	if (m->seq == 0) {
		rx.streamed++;
		return 0;
	}
	rx.in_order &= m->seq > rx.last;
	rx.last = m->seq;
	rx.got[m->seq]++;
	return 0;
}

static int
rx_flush(struct transport *t, int wait_ms, int64_t *arrived, char *err)
{
	(void)t, (void)wait_ms, (void)err;
	rx.unflushed = 0;
	*arrived = rx.lazy ? rx.ack : rx.last;
	return 0;
}

static int
rx_reopen(struct transport *t, char *err)
{
	(void)t, (void)err;
	rx.reopened++;
	return 0;
}

static void
rx_disconnect(struct transport *t)
{
	(void)t;
	rx.connected = false;
}

static struct transport_ops ops = {"fake", MEMORY_CERTAIN, rx_open, rx_connect,
    rx_send, rx_flush, rx_reopen, rx_disconnect, rx_disconnect};

/* ---- a feed and its clock ---- */

static struct feed_config config;
static struct feed_clock clk;
static struct feed_status st;
static unsigned said_bad, said_good;
static char said[600];

static void
on_say(void *ctx, bool bad, const char *text)
{
	(void)ctx;
	said_bad += bad;
	said_good += !bad;
	snprintf(said, sizeof(said), "%s", text);
}

static struct feed *
begin(enum transport_memory memory)
{
	struct feed_env env = {
	    &ops, (struct transport *)(void *)&rx, &source, NULL, on_say, NULL};
	char err[200];
	struct feed *f;

	ops.memory = memory;
	rx.connected = false;
	f = feed_new(&config, &env, err, sizeof(err));
	CHECK(f != NULL);
	return f;
}

static void
reset(int64_t events)
{
	memset(&rx, 0, sizeof(rx));
	memset(&from, 0, sizeof(from));
	rx.break_after = -1;
	rx.in_order = true;
	rx.why = "connection refused";
	from.n = events;
	config = (struct feed_config){.name = "x",
	    .format = FORMAT_EVE,
	    .events =
		1u << EVENT_ALERT | 1u << EVENT_INCIDENT | 1u << EVENT_FLOW,
	    .resend_bytes = 1 << 20,
	    .resend_ms = 60000,
	    .queue_bytes = 65536};
	clk = (struct feed_clock){1000, 1};
	said_bad = said_good = 0;
}

/* For so long, waiting as it asks. */
static void
run(struct feed *f, int64_t ms)
{
	int64_t until = clk.ms + ms;

	while (clk.ms < until) {
		int wait = feed_step(f, &clk);

		CHECK(wait >= 0 && wait <= FEED_SAVE_MS);
		clk.ms += wait > 0 ? wait : 1;
	}
	feed_get_status(f, &clk, &st);
}

static int64_t
missing(void)
{
	int64_t n = 0;

	for (int64_t i = 1; i <= from.n; i++)
		n += rx.got[i] == 0;
	return n;
}

/* ---- what it does ---- */

TEST(all_arrive_once_and_in_order)
{
	struct feed *f;

	reset(1000);
	f = begin(MEMORY_CERTAIN);
	run(f, 3000);
	CHECK_INT(missing(), 0);
	CHECK(rx.in_order);
	CHECK_INT(st.sent, 1000);
	CHECK_INT(st.again + st.failed + st.breaks, 0);
	CHECK_INT(st.state, FEED_UP);
	CHECK_INT(st.waiting, 0);
	CHECK_INT(from.row.cursor, 1000);
	from.n = 1010;
	run(f, 2000);
	CHECK_INT(missing(), 0);
	CHECK_INT(st.sent, 1010);
	CHECK_INT(said_bad + said_good, 0);
	feed_free(f);
}

TEST(the_cursor_is_written_once_a_second)
{
	struct feed *f;

	reset(100);
	f = begin(MEMORY_CERTAIN);
	run(f, 10000);
	CHECK(from.saves >= 8 && from.saves <= 12);
	feed_free(f);
}

TEST(what_is_not_acknowledged_is_sent_again)
{
	struct feed *f;

	reset(300);
	rx.lazy = true;
	rx.ack = 100;
	f = begin(MEMORY_CERTAIN);
	run(f, 3000);
	CHECK_INT(from.row.cursor, 100);
	CHECK_INT(st.waiting, 200);
	rx.break_after = 0; /* with the next one */
	rx.lose = 200;
	from.n = 301;
	run(f, 500);
	CHECK_INT(st.state, FEED_DOWN);
	rx.break_after = -1;
	rx.lazy = false;
	run(f, 5000);
	CHECK_INT(missing(), 0);
	CHECK_INT(st.again, 200);
	CHECK_INT(from.row.cursor, 301);
	CHECK_INT(rx.got[100], 1);
	feed_free(f);
}

TEST(a_stream_sends_its_window_again)
{
	struct feed *f;

	reset(1000);
	f = begin(MEMORY_NONE);
	run(f, 3000);
	CHECK_INT(from.row.cursor, 0); /* all of it is in the window */
	CHECK_INT(st.waiting, 0); /* and was sent */
	rx.break_after = 0;
	rx.lose = 700;
	from.n = 1001;
	run(f, 100);
	rx.break_after = -1;
	run(f, 3000);
	CHECK_INT(missing(), 0);
	CHECK_INT(st.again, 1000);
	/* a minute later the window is empty */
	run(f, 62000);
	CHECK_INT(from.row.cursor, 1001);
	rx.break_after = 0;
	from.n = 1002;
	run(f, 100);
	rx.break_after = -1;
	run(f, 5000);
	CHECK_INT(st.again, 1000);
	CHECK_INT(rx.got[1002], 1);
	feed_free(f);
}

/* It takes up to three times its patience until a break is noticed. */
TEST(the_window_waits_for_breaks_to_be_noticed)
{
	struct feed *f;

	reset(1000);
	config.resend_ms = 10000;
	config.transport.timeout_ms = 20000;
	f = begin(MEMORY_NONE);
	run(f, 60000);
	CHECK_INT(from.row.cursor, 0);
	rx.break_after = 0;
	rx.lose = 1000;
	from.n = 1001;
	run(f, 100);
	rx.break_after = -1;
	run(f, 5000);
	CHECK_INT(missing(), 0);
	run(f, 70000);
	CHECK_INT(from.row.cursor, 1001);
	feed_free(f);
}

TEST(a_window_of_nothing_sends_nothing_again)
{
	struct feed *f;

	reset(100);
	config.resend_bytes = 0;
	f = begin(MEMORY_NONE);
	run(f, 2000);
	CHECK_INT(from.row.cursor, 100);
	feed_free(f);
}

TEST(datagrams_that_fail_are_counted)
{
	struct feed *f;

	reset(100);
	rx.drop = 3;
	f = begin(MEMORY_DATAGRAM);
	run(f, 3000);
	CHECK_INT(st.failed, 3);
	CHECK_INT(st.sent, 97);
	CHECK_INT(missing(), 3);
	CHECK_INT(st.state, FEED_UP);
	CHECK_INT(from.row.cursor, 100);
	CHECK_INT(said_bad, 0);
	feed_free(f);
}

TEST(events_wait_while_nobody_takes_datagrams)
{
	struct feed *f;

	reset(100);
	rx.drop = -1;
	f = begin(MEMORY_DATAGRAM);
	run(f, 500);
	CHECK_INT(st.state, FEED_DOWN);
	CHECK_INT(st.failed, 8);
	CHECK_INT(said_bad, 1);
	rx.drop = 0;
	run(f, 5000);
	CHECK_INT(missing(), 8);
	CHECK_INT(st.sent, 92);
	CHECK_INT(said_good, 1);
	feed_free(f);
}

TEST(waiting_doubles_up_to_a_minute_and_is_said_once)
{
	struct feed *f;

	reset(10);
	rx.refuse = -1;
	f = begin(MEMORY_CERTAIN);
	run(f, 500);
	CHECK_INT(said_bad, 1);
	CHECK(strstr(said, "feed x: connection refused") != NULL);
	CHECK_INT(st.state, FEED_DOWN);
	CHECK_INT(st.waiting, 10);
	CHECK_STR(st.error, "connection refused");
	run(f, HOUR);
	CHECK_INT(said_bad, 1);
	rx.why = "certificate has expired";
	run(f, 61000);
	CHECK_INT(said_bad, 2);
	rx.refuse = 0;
	run(f, 61000);
	CHECK_INT(said_good, 1);
	CHECK_INT(missing(), 0);
	CHECK(strstr(said, "works again after") != NULL);
	/* and begins with a second again */
	rx.break_after = 0;
	from.n = 11;
	run(f, 300);
	CHECK_INT(said_bad, 3);
	rx.break_after = -1;
	run(f, 1500);
	CHECK_INT(missing(), 0);
	feed_free(f);
}

/* In an hour of that no more than sixty and some connections. */
TEST(a_receiver_that_accepts_and_closes_fills_no_log)
{
	struct feed *f;

	reset(10);
	rx.break_after = 0;
	f = begin(MEMORY_NONE);
	run(f, HOUR);
	CHECK_INT(said_bad, 1);
	CHECK_INT(said_good, 0);
	CHECK(rx.connects > 55 && rx.connects < 75);
	feed_free(f);
}

/* Its side of the connection takes some, and it none. */
TEST(a_receiver_that_never_reads_does_not_work_again)
{
	struct feed *f;

	reset(10);
	rx.refuse = 1;
	rx.lazy = true;
	f = begin(MEMORY_NONE);
	run(f, 10000);
	CHECK_INT(st.state, FEED_UP);
	CHECK_INT(said_bad, 1);
	CHECK_INT(said_good, 0);
	rx.ack = 10;
	run(f, 1000);
	CHECK_INT(said_good, 1);
	feed_free(f);
}

/* That the database was busy is no news, above all not when there is some. */
TEST(what_the_receiver_said_stays)
{
	struct feed *f;

	reset(10);
	rx.refuse = -1;
	from.locked = 100;
	f = begin(MEMORY_CERTAIN);
	run(f, 20000);
	CHECK(from.locked < 90);
	CHECK_STR(st.error, "connection refused");
	rx.refuse = 0;
	from.locked = 2;
	run(f, 61000);
	CHECK_INT(from.locked, 0);
	CHECK_STR(st.error, "connection refused");
	from.locked = 100;
	run(f, 20000);
	CHECK_STR(st.error, "the database is locked");
	feed_free(f);
}

/* Killed: the next process begins at the cursor, and knows that it does. */
TEST(what_was_sent_before_a_kill_is_sent_again)
{
	struct feed *f;

	reset(1000);
	f = begin(MEMORY_NONE);
	run(f, 3000);
	CHECK_INT(from.row.cursor, 0);
	CHECK_INT(from.row.highest, 1000);
	feed_free(f);
	from.n = 1100;
	f = begin(MEMORY_NONE);
	run(f, 3000);
	CHECK_INT(st.sent, 2100);
	CHECK_INT(st.again, 1000);
	feed_free(f);
}

TEST(one_that_finds_no_room_comes_again)
{
	struct feed *f;

	reset(1000);
	rx.full_after = 7;
	f = begin(MEMORY_CERTAIN);
	run(f, 3000);
	CHECK_INT(missing(), 0);
	CHECK_INT(st.sent, 1000);
	CHECK(rx.in_order);
	feed_free(f);
}

TEST(what_is_not_wanted_is_passed)
{
	struct feed *f;

	reset(1000);
	from.incident_every = 100;
	config.events = 1u << EVENT_INCIDENT;
	f = begin(MEMORY_CERTAIN);
	run(f, 3000);
	CHECK_INT(st.sent, 10);
	CHECK_INT(missing(), 990);
	CHECK_INT(from.row.cursor, 1000);
	feed_free(f);
}

TEST(what_goes_past_the_database_is_bounded)
{
	struct event e = {.type = EVENT_FLOW, .eve = "{}", .len = 2};
	unsigned put = 0;
	struct feed *f;

	reset(5);
	rx.refuse = -1;
	f = begin(MEMORY_CERTAIN);
	for (unsigned i = 0; i < 5000; i++)
		put += feed_offer(f, &e, "00");
	CHECK(put > 100 && put < 5000);
	run(f, 1000);
	CHECK_INT(st.dropped, 5000 - put);
	e.type = EVENT_TLS; /* which it does not want */
	CHECK(feed_offer(f, &e, "00"));
	rx.refuse = 0;
	run(f, 10000);
	CHECK_INT(rx.streamed, put);
	CHECK_INT(missing(), 0);
	CHECK_INT(from.row.dropped, 5000 - put);
	feed_free(f);
	/* the count goes on in the next process */
	f = begin(MEMORY_CERTAIN);
	feed_get_status(f, &clk, &st);
	CHECK_INT(st.dropped, 5000 - put);
	feed_free(f);
}

TEST(retired_events_are_passed_and_their_count_is_shown)
{
	struct feed *f;

	reset(1000);
	rx.refuse = -1;
	f = begin(MEMORY_CERTAIN);
	run(f, 2000);
	from.moved = 400;
	from.row.expired = 390;
	run(f, 3000);
	CHECK_INT(st.expired, 390);
	CHECK_INT(st.waiting, 600);
	rx.refuse = 0;
	run(f, 61000);
	CHECK_INT(st.sent, 600);
	CHECK_INT(rx.got[400], 0);
	CHECK_INT(rx.got[401], 1);
	feed_free(f);
}

TEST(a_file_is_opened_anew_when_asked)
{
	struct feed *f;

	reset(1);
	f = begin(MEMORY_CERTAIN);
	run(f, 1000);
	feed_reopen(f);
	run(f, 1000);
	CHECK_INT(rx.reopened, 1);
	feed_free(f);
}

/* Breaks and kills at random moments: nothing is missing where arrival is
 * known, nor where less was lost than the window holds. */
TEST(nothing_is_missing_whatever_breaks)
{
	for (unsigned seed = 1; seed <= 60; seed++) {
		enum transport_memory m =
		    seed % 2 != 0 ? MEMORY_CERTAIN : MEMORY_NONE;
		struct feed *f;

		reset(2000);
		srand(seed);
		f = begin(m);
		for (int round = 0; round < 30; round++) {
			rx.break_after = rand() % 300;
			rx.lose = m == MEMORY_NONE ? rand() % 200 : 0;
			rx.refuse = rand() % 3;
			rx.full_after = rand() % 2 * (1 + rand() % 50);
			run(f, rand() % 3000);
			if (rand() % 2 != 0)
				continue;
			/* kill -9: only what was saved is known */
			rx.connected = false;
			feed_free(f);
			f = begin(m);
		}
		rx.break_after = -1;
		rx.refuse = rx.full_after = 0;
		run(f, 130000);
		if (missing() != 0)
			TEST_FAIL("seed %u: %lld are missing", seed,
			    (long long)missing());
		CHECK(rx.in_order);
		CHECK_INT(from.row.cursor, 2000);
		feed_free(f);
	}
}

TEST(the_window_is_as_large_as_said)
{
	static struct window w;
	int64_t start;

	w.max_bytes = 100000;
	w.max_ms = 60000;
	for (int64_t i = 1; i <= 10000; i++)
		window_note(&w, i - 1, 100, i);
	start = window_start(&w, 10000, 10000);
	/* 1,000 messages, and one part in 256 of them at most too many */
	CHECK(start <= 9000 && start >= 8990);
	CHECK_INT(window_start(&w, 10000, 71000), 10000);
	/* so slow that the time is what counts */
	window_reset(&w);
	for (int64_t i = 1; i <= 1000; i++)
		window_note(&w, i - 1, 10, i * 1000);
	start = window_start(&w, 1000, 1000000);
	CHECK(start <= 940 && start >= 938);
}

TEST_MAIN
