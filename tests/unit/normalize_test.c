/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The normalizer by itself: what goes to the decoder in which order, and what
 * happens when its caps are reached. Delivered pieces are written down as
 * `>text`, `<text`, `>[n]` for a gap of n and `>.` for an end.
 */
#include "sensor/norm_next.h"

#include "tests/test.h"

#define MS 1000000LL

static struct norm_env env;
static struct norm n;
static struct pkt_ref ref;
static char log_text[1 << 20];
static size_t log_len;
static uint64_t got_bytes, got_gaps;

static void
on_piece(void *user, struct norm *norm, const struct norm_piece *p)
{
	char mark = p->dir == DIR_C2S ? '>' : '<';

	(void)user;
	CHECK(norm == &n);
	CHECK(p->ref != NULL);
	got_bytes += p->bytes.len;
	got_gaps += p->what == NORM_GAP ? p->len : 0;
	if (log_len + p->bytes.len + 32 > sizeof(log_text))
		return;
	if (p->what == NORM_GAP)
		log_len += (size_t)sprintf(log_text + log_len, "%c[%llu]", mark,
		    (unsigned long long)p->len);
	else
		log_len += (size_t)sprintf(log_text + log_len, "%c%.*s", mark,
		    p->what == NORM_EOF ? 1 : (int)p->bytes.len,
		    p->what == NORM_EOF ? "." : (const char *)p->bytes.p);
}

static void
begin(void)
{
	struct stream_config sc = {
	    .capacity = 4, .streams = 3, .fn = norm_stream_bytes, .ctx = &env};
	char err[256] = "";

	memset(&env, 0, sizeof(env));
	env.max_pending = 16u << 20;
	env.deliver = on_piece;
	env.ref = &ref;
	env.stream = stream_new(&sc, err, sizeof(err));
	CHECK_STR(err, "");
	memset(&ref, 0, sizeof(ref));
	memset(&n, 0, sizeof(n));
	norm_init(&n, 1, 1);
	norm_base(&n, DIR_C2S, 1000);
	norm_base(&n, DIR_S2C, 1000);
	n.d[0].seen = n.d[1].seen = true;
	log_len = 0;
	log_text[0] = '\0';
	got_bytes = got_gaps = 0;
}

static void
finish(void)
{
	norm_end(&env, &n);
	CHECK_INT(env.pending, 0);
	CHECK_INT(env.n.stuck, 0);
	CHECK_INT(stream_counters(env.stream)->warnings, 0);
	stream_free(env.stream);
}

static unsigned
put(enum dir dir, uint32_t at, uint32_t ack, const char *text)
{
	struct norm_seg s = {.dir = dir,
	    .seq = 1000 + at,
	    .ack = 1000 + ack,
	    .has_ack = true,
	    .bytes = {(const uint8_t *)text, strlen(text)},
	    .wire_len = (uint32_t)strlen(text)};

	ref.ordinal++;
	return norm_segment(&env, &n, &s);
}

static void
put_fin(enum dir dir, uint32_t at, uint32_t ack)
{
	struct norm_seg s = {.dir = dir,
	    .seq = 1000 + at,
	    .ack = 1000 + ack,
	    .has_ack = true,
	    .fin = true};

	(void)norm_segment(&env, &n, &s);
}

static void
later(int64_t ms)
{
	env.now += ms * MS;
	if (norm_deadline(&n) <= env.now)
		norm_timeout(&env, &n);
}

TEST(in_order_goes_straight)
{
	begin();
	CHECK_INT(put(DIR_C2S, 0, 0, "abc"), NORM_NEW);
	CHECK_INT(put(DIR_S2C, 0, 3, "xy"), NORM_NEW | NORM_NEW_ACK);
	CHECK_STR(log_text, ">abc<xy");
	CHECK(n.wait == NULL);
	CHECK_INT(stream_counters(env.stream)->opened, 0);
	finish();
}

TEST(the_first_version_of_a_byte_wins)
{
	begin();
	(void)put(DIR_C2S, 2, 0, "CD");
	(void)put(DIR_C2S, 6, 0, "GH");
	(void)put(DIR_C2S, 1, 0, "bcdefgh");
	CHECK_STR(log_text, "");
	(void)put(DIR_C2S, 0, 0, "a");
	CHECK_STR(log_text, ">a>b>CD>ef>GH");
	CHECK_INT(put(DIR_C2S, 0, 0, "abcdefgh"), NORM_OLD);
	CHECK(n.wait == NULL);
	CHECK(!stream_is_open(env.stream, 1));
	finish();
}

TEST(a_reply_waits_for_its_command)
{
	begin();
	(void)put(DIR_S2C, 0, 5, "reply");
	CHECK_STR(log_text, "");
	(void)put(DIR_C2S, 2, 0, "and");
	(void)put(DIR_C2S, 0, 0, "co");
	CHECK_STR(log_text, ">co>and<reply");
	finish();
}

TEST(a_command_that_never_comes_is_a_gap_after_a_second)
{
	begin();
	(void)put(DIR_S2C, 0, 5, "reply");
	later(999);
	CHECK_STR(log_text, "");
	later(1);
	CHECK_STR(log_text, ">[5]<reply");
	finish();
}

TEST(and_taken_back_if_it_comes_after_all)
{
	begin();
	(void)put(DIR_S2C, 0, 5, "reply");
	later(1000);
	(void)put(DIR_C2S, 0, 0, "comma");
	CHECK_STR(log_text, ">[5]<reply>comma");
	CHECK_INT(n.gap[DIR_C2S].sum, 0);
	finish();
}

TEST(a_hole_nobody_acknowledged_stays_open)
{
	begin();
	(void)put(DIR_C2S, 5, 0, "later");
	later(60000);
	CHECK_STR(log_text, "");
	(void)put(DIR_S2C, 0, 3, "");
	later(999);
	CHECK_STR(log_text, "");
	later(1);
	CHECK_STR(log_text, ">[3]");
	(void)put(DIR_C2S, 3, 0, "xx");
	CHECK_STR(log_text, ">[3]>xx>later");
	finish();
}

TEST(or_until_sixty_four_segments_later)
{
	begin();
	(void)put(DIR_S2C, 0, 900, "");
	for (uint32_t i = 0; i < 70; i++)
		(void)put(DIR_C2S, 5 + i, 0, "x");
	CHECK_INT(got_gaps, 5);
	CHECK_INT(got_bytes, 70);
	finish();
}

/* Only forged segments do that. */
TEST(two_that_wait_for_each_other_go_in_the_order_of_capture)
{
	begin();
	(void)put(DIR_S2C, 0, 5, "reply");
	(void)put(DIR_C2S, 0, 5, "comma");
	CHECK_STR(log_text, "<reply>comma");
	finish();
}

TEST(a_fin_waits_for_its_ack)
{
	begin();
	(void)put(DIR_C2S, 0, 0, "quit");
	put_fin(DIR_C2S, 4, 0);
	CHECK_STR(log_text, ">quit");
	(void)put(DIR_S2C, 0, 4, "bye");
	CHECK_STR(log_text, ">quit<bye");
	(void)put(DIR_S2C, 3, 5, "");
	CHECK_STR(log_text, ">quit<bye>.");
	put_fin(DIR_S2C, 3, 5);
	(void)put(DIR_C2S, 5, 4, "");
	CHECK_STR(log_text, ">quit<bye>.<.");
	CHECK(norm_fin_acked(&n, DIR_C2S) && norm_fin_acked(&n, DIR_S2C));
	finish();
}

TEST(the_caps_of_a_flow_close_its_hole)
{
	static char big[60001];

	memset(big, 'x', 60000);
	begin();
	for (uint32_t i = 0; i < 17; i++)
		(void)put(DIR_C2S, 1 + i * 60000, 0, big);
	CHECK_INT(env.n.pending_full, 0);
	CHECK_INT(got_bytes, 0);
	(void)put(DIR_C2S, 1 + 17 * 60000, 0, big);
	CHECK_INT(env.n.pending_full, 1);
	CHECK_INT(got_bytes, 18 * 60000);
	CHECK_INT(got_gaps, 1);
	finish();
}

TEST(so_do_many_small_segments)
{
	begin();
	for (uint32_t i = 0; i < NORM_PEND_SEGS + 1; i++)
		(void)put(DIR_C2S, 1 + i * 2, 0, "x");
	CHECK_INT(env.n.pending_full, 1);
	CHECK_INT(got_bytes, NORM_PEND_SEGS + 1);
	finish();
}

TEST(so_does_the_cap_of_all_flows)
{
	static char big[60001];

	memset(big, 'x', 60000);
	begin();
	env.max_pending = 200000;
	for (uint32_t i = 0; i < 10; i++)
		(void)put(DIR_C2S, 1 + i * 60000, 0, big);
	CHECK(env.n.pending_full > 0);
	CHECK_INT(got_bytes, 10 * 60000);
	(void)put(DIR_S2C, 0, 9000000, big);
	CHECK(env.pending <= 200000);
	finish();
}

TEST(a_full_pool_of_streams_is_survived)
{
	static const uint64_t next[2] = {0, 0};

	begin();
	for (uint32_t i = 0; i < 4; i++)
		if (i != 1)
			CHECK_INT(stream_open(env.stream, i, 1, next), 0);
	(void)put(DIR_C2S, 1, 0, "b");
	(void)put(DIR_C2S, 0, 0, "a");
	CHECK_STR(log_text, ">[1]>b");
	CHECK_INT(env.n.pending_full, 1);
	CHECK_INT(stream_counters(env.stream)->refused, 1);
	finish();
}

TEST(what_was_acknowledged_and_never_seen_counts_at_the_end)
{
	begin();
	(void)put(DIR_C2S, 0, 0, "abc");
	(void)put(DIR_S2C, 0, 50, "");
	norm_end(&env, &n);
	CHECK_STR(log_text, ">abc>[47]");
	finish();
}

TEST(a_direction_that_is_off_is_only_counted)
{
	begin();
	(void)put(DIR_C2S, 5, 0, "later");
	(void)put(DIR_S2C, 0, 0, "text");
	norm_off(&n, DIR_C2S);
	norm_tidy(&env, &n);
	CHECK(n.wait == NULL);
	(void)put(DIR_C2S, 100, 4, "more");
	(void)put(DIR_S2C, 4, 5000, "text");
	CHECK_STR(log_text, "<text<text");
	CHECK_INT(n.d[DIR_C2S].next, 104);
	finish();
}

static void
check_same(const struct norm *followed)
{
	for (int d = 0; d < 2; d++) {
		CHECK_INT(followed->d[d].next, n.d[d].next);
		CHECK_INT(followed->d[d].done, n.d[d].done);
		CHECK_INT(followed->d[d].acked, n.d[d].acked);
		CHECK_INT(followed->d[d].edge, n.d[d].edge);
	}
}

/* What was followed makes what the segment makes, and delivers the same. */
static void
step_as_segment(const struct norm_step *s, const struct norm *before)
{
	struct norm followed = n;
	size_t told = log_len;
	struct norm_seg seg = {.dir = s->dir,
	    .seq = s->seq,
	    .ack = s->ack,
	    .has_ack = true,
	    .bytes = {s->bytes, s->len},
	    .wire_len = s->len,
	    .window = s->window};

	n = *before;
	(void)norm_segment(&env, &n, &seg);
	check_same(&followed);
	CHECK_INT(log_len % 2, 0);
	CHECK(memcmp(log_text + told - (log_len - told), log_text + told,
		  log_len - told) == 0);
}

static void
steps(void)
{
	unsigned taken = 0, left = 0;

	for (uint32_t i = 0; i < 2000; i++) {
		enum dir dir = i * 7 % 5 < 2 ? DIR_C2S : DIR_S2C;
		uint32_t ahead = i % 11 == 0, over = i % 13 == 0;
		struct norm before = n;
		struct norm_step s = {dir,
		    1000 + (uint32_t)n.d[dir].next + ahead,
		    1000 + (uint32_t)n.d[!dir].next - i % 3 + over * 5, i % 10,
		    (const uint8_t *)"0123456789", i % 4 * 1000};

		if (norm_is_next(&env, &n, &s)) {
			norm_follow(&env, &n, &s);
			taken++;
			step_as_segment(&s, &before);
			continue;
		}
		left++;
		CHECK(memcmp(&n, &before, sizeof(n)) == 0);
	}
	CHECK(taken > 1000 && left > 200);
}

TEST(a_step_is_a_segment)
{
	for (int off = 0; off < 4; off++) {
		begin();
		if (off & 1)
			norm_off(&n, DIR_C2S);
		if (off & 2)
			norm_off(&n, DIR_S2C);
		steps();
		CHECK_INT(log_len == 0, off == 3);
		finish();
	}
}

struct digest { /* of what a step left behind */
	uint64_t next[2], acked[2], top[2], edge[2], fin_at[2];
	size_t told;
	unsigned eof, fins;
};

static struct digest
digest(void)
{
	struct digest g = {
	    .told = log_len, .eof = n.d[0].eof, .fins = n.fins != NULL};

	g.eof |= (unsigned)n.d[1].eof << 1;
	for (int i = 0; i < 2; i++) {
		g.next[i] = n.d[i].next;
		g.acked[i] = n.d[i].acked;
		g.top[i] = n.d[i].top;
		g.edge[i] = n.d[i].edge;
		g.fin_at[i] = n.d[i].fin_at;
	}
	return g;
}

static uint32_t
turn(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 16;
}

/* An end of a dialogue, or what is not quite one. */
static void
ending_step(uint32_t *x, bool in_short, unsigned *taken)
{
	enum dir dir = turn(x) % 2 ? DIR_C2S : DIR_S2C;
	bool fin = turn(x) % 3 == 0;
	uint32_t over = n.d[dir].fin_at != NORM_NONE, odd = turn(x) % 8;
	uint32_t acks_fin = n.d[!dir].fin_at != NORM_NONE && turn(x) % 2;
	uint32_t len = turn(x) % 6 == 0 ? 3 : 0;
	struct norm_step s = {dir,
	    1000 + (uint32_t)n.d[dir].next + over + (odd == 1),
	    1000 + (uint32_t)n.d[!dir].next + acks_fin + (odd == 2) -
		(odd == 3),
	    len, (const uint8_t *)"abc", turn(x) % 3 * 500};
	struct norm_seg seg = {.dir = dir,
	    .seq = s.seq,
	    .ack = s.ack,
	    .has_ack = true,
	    .fin = fin,
	    .bytes = {s.bytes, s.len},
	    .wire_len = s.len,
	    .window = s.window};

	if (turn(x) % 20 == 0)
		norm_off(&n, dir);
	ref.ordinal++;
	env.now += MS;
	if (in_short && norm_is_closing(&env, &n, &s, fin)) {
		norm_close(&env, &n, &s, fin);
		++*taken;
	} else
		(void)norm_segment(&env, &n, &seg);
}

TEST(a_close_is_a_segment)
{
	static struct digest left[12];
	unsigned taken = 0;

	for (uint32_t seed = 0; seed < 2000; seed++)
		for (int in_short = 0; in_short < 2; in_short++) {
			uint32_t x = seed;

			begin();
			(void)put(DIR_C2S, 0, 0, "QUIT");
			for (unsigned i = 0; i < 12; i++) {
				struct digest g;

				ending_step(&x, in_short, &taken);
				g = digest();
				if (in_short)
					CHECK(memcmp(&g, &left[i], sizeof(g)) ==
					      0);
				left[i] = g;
			}
			finish();
		}
	CHECK(taken > 5000);
}

TEST(a_step_is_left_where_something_waits_or_libnids_is_asked)
{
	struct norm_step s = {
	    DIR_C2S, 1000, 1000, 3, (const uint8_t *)"abc", 0};

	begin();
	env.always = true;
	CHECK(!norm_is_next(&env, &n, &s));
	env.always = false;
	(void)put(DIR_S2C, 4, 0, "text");
	CHECK(!norm_is_next(&env, &n, &s));
	(void)put(DIR_S2C, 0, 0, "next");
	CHECK(norm_is_next(&env, &n, &s));
	norm_follow(&env, &n, &s);
	CHECK_STR(log_text, "<next<text>abc");
	finish();
}

TEST_MAIN
