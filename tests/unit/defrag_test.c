/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The defragmenter's bounds, and what it makes of overlaps: a datagram is
 * given as a list of fragments, the result as text.
 */
#include "decoders/defrag.h"

#include "tests/test.h"

static struct defrag *d;

#define S(n) (INT64_C(n) * 1000000000)

struct part {
	uint32_t off;
	const char *data;
	int more;
	const char *want; /* NULL: held; "": refused; else the datagram */
};

static enum defrag_result
add(const struct part *p, uint32_t id, int64_t time, struct slice *whole)
{
	struct frag f = {.id = id,
	    .proto = 6,
	    .more = p->more != 0,
	    .off = p->off,
	    .len = (uint32_t)strlen(p->data),
	    .data = (const uint8_t *)p->data,
	    .time = time};
	uint8_t proto = 0;
	enum defrag_result r = defrag_add(d, &f, whole, &proto);

	if (r == DEFRAG_DONE)
		CHECK_INT(proto, 6);
	return r;
}

static void
renew(void)
{
	defrag_free(d);
	d = defrag_new();
}

#define A8 "aaaaaaaa"
#define B8 "bbbbbbbb"
#define C8 "cccccccc"
#define D8 "dddddddd"

static const struct story {
	const char *name;
	uint64_t dropped, overlap;
	struct part part[6];
} stories[] = {
    {"in order", 0, 0,
	{{0, A8, 1, NULL}, {8, B8, 1, NULL}, {16, "c", 0, A8 B8 "c"}}},
    {"last first", 0, 0,
	{{16, "c", 0, NULL}, {8, B8, 1, NULL}, {0, A8, 1, A8 B8 "c"}}},
    {"exact copies are no overlap", 0, 0,
	{{0, A8, 1, NULL}, {0, A8, 1, NULL}, {8, B8, 1, NULL}, {8, B8, 1, NULL},
	    {16, "c", 0, A8 B8 "c"}}},
    {"first come stays, at the end", 0, 1,
	{{0, A8 A8, 1, NULL}, {8, B8 B8, 1, NULL}, {24, "c", 0, A8 A8 B8 "c"}}},
    {"first come stays, at the start", 0, 1,
	{{8, B8 B8, 1, NULL}, {0, A8 A8, 1, NULL}, {24, "c", 0, A8 B8 B8 "c"}}},
    {"first come stays, in the middle", 0, 1,
	{{8, B8, 1, NULL}, {0, A8 A8 A8, 1, NULL}, {24, "c", 0, A8 B8 A8 "c"}}},
    {"same place, other bytes", 0, 1,
	{{0, A8, 1, NULL}, {0, B8, 1, NULL}, {8, "c", 0, A8 "c"}}},
    {"over three pieces and two gaps", 0, 1,
	{{0, A8, 1, NULL}, {16, B8, 1, NULL}, {32, "b", 0, NULL},
	    {0, C8 C8 C8 C8, 1, A8 C8 B8 C8 "b"}}},
    {"two ends: the first stands", 1, 1,
	{{8, "b", 0, NULL}, {8, "bb", 0, ""}, {0, A8, 1, A8 "b"}}},
    {"beyond the end", 1, 1,
	{{8, "b", 0, NULL}, {16, C8, 1, ""}, {0, A8, 1, A8 "b"}}},
    {"an end before what is held", 1, 1,
	{{16, C8, 1, NULL}, {8, "b", 0, ""}, {0, A8, 1, NULL}, {8, B8, 1, NULL},
	    {24, "d", 0, A8 B8 C8 "d"}}},
    {"empty", 1, 0, {{0, "", 1, ""}}},
    {"empty last", 1, 0, {{0, A8, 1, NULL}, {8, "", 0, ""}}},
    {"length no multiple of eight", 1, 0, {{0, "abc", 1, ""}}},
    {"past 64 KiB", 1, 0, {{65528, A8, 0, ""}}},
    {"up to 64 KiB", 0, 0, {{65528, "1234567", 0, NULL}}},
};

static void
tell(const struct story *s)
{
	renew();
	for (size_t i = 0; i < 6 && s->part[i].data != NULL; i++) {
		const struct part *p = &s->part[i];
		struct slice whole = {NULL, 0};
		enum defrag_result r = add(p, 1, 0, &whole);
		enum defrag_result want = p->want == NULL      ? DEFRAG_HELD
					  : p->want[0] == '\0' ? DEFRAG_REFUSED
							       : DEFRAG_DONE;
		if (r != want)
			TEST_FAIL(
			    "%s, part %zu: %d, not %d", s->name, i, r, want);
		if (r == DEFRAG_DONE && want == DEFRAG_DONE &&
		    (whole.len != strlen(p->want) ||
			memcmp(whole.p, p->want, whole.len) != 0))
			TEST_FAIL("%s: %.*s", s->name, (int)whole.len,
			    (const char *)whole.p);
	}
	CHECK_INT(defrag_counters(d)->dropped, s->dropped);
	CHECK_INT(defrag_counters(d)->overlap, s->overlap);
}

TEST(stories_of_one_datagram)
{
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		tell(&stories[i]);
}

static const struct {
	const char *name;
	struct part part[3];
	uint16_t way[3];
	bool v6, unsure, whole;
} doubts[] = {
    {"one way, no overlap", {{0, A8, 1, NULL}, {8, "b", 0, NULL}}, {64, 64}, 0,
	false, true},
    {"copies and overlaps that agree",
	{{0, A8 A8, 1, NULL}, {8, A8, 1, NULL}, {16, "b", 0, NULL}},
	{64, 64, 64}, 0, false, true},
    {"an overlap that differs by its last byte",
	{{0, A8 A8, 1, NULL}, {8, "aaaaaaab", 1, NULL}, {16, "b", 0, NULL}},
	{64, 64, 64}, 0, true, true},
    {"another TTL", {{0, A8, 1, NULL}, {8, "b", 0, NULL}}, {64, 1}, 0, true,
	true},
    {"cut to a multiple of 8", {{0, A8 "aa", 1, NULL}, {8, "b", 0, NULL}},
	{64, 64}, 0, true, true},
    {"in IPv6 refused", {{0, A8 "aa", 1, NULL}, {8, "b", 0, NULL}}, {64, 64}, 1,
	false, false},
};

/* What hosts may put together differently is told, and nothing else. */
TEST(doubts_about_a_datagram)
{
	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		enum defrag_result r = DEFRAG_HELD;
		struct slice whole;
		uint8_t proto;

		renew();
		for (size_t k = 0; k < 3 && doubts[i].part[k].data; k++) {
			const struct part *p = &doubts[i].part[k];
			struct frag f = {.v6 = doubts[i].v6,
			    .proto = 6,
			    .more = p->more != 0,
			    .way = doubts[i].way[k],
			    .off = p->off,
			    .len = (uint32_t)strlen(p->data),
			    .data = (const uint8_t *)p->data};

			r = defrag_add(d, &f, &whole, &proto);
		}
		if ((r == DEFRAG_DONE) != doubts[i].whole ||
		    defrag_unsure(d) != doubts[i].unsure)
			TEST_FAIL("%s", doubts[i].name);
	}
}

static const struct part head = {0, A8, 1, NULL};
static const struct part tail = {8, "t", 0, NULL};

TEST(datagrams_are_told_apart)
{
	struct slice whole;

	renew();
	for (uint32_t id = 0; id < 100; id++)
		CHECK_INT(add(&head, id, 0, &whole), DEFRAG_HELD);
	for (uint32_t id = 0; id < 100; id++)
		CHECK_INT(add(&tail, id, 0, &whole), DEFRAG_DONE);
	CHECK_INT(defrag_counters(d)->reassembled, 100);
}

TEST(families_are_told_apart)
{
	struct frag f = {
	    .proto = 6, .more = true, .len = 8, .data = (const uint8_t *)A8};
	struct slice whole;
	uint8_t proto;

	renew();
	CHECK_INT(defrag_add(d, &f, &whole, &proto), DEFRAG_HELD);
	f.v6 = true;
	f.more = false;
	f.off = 8;
	CHECK_INT(defrag_add(d, &f, &whole, &proto), DEFRAG_HELD);
	f.v6 = false;
	f.src.b[3] = 1;
	CHECK_INT(defrag_add(d, &f, &whole, &proto), DEFRAG_HELD);
	f.src.b[3] = 0;
	CHECK_INT(defrag_add(d, &f, &whole, &proto), DEFRAG_DONE);
}

TEST(thirty_seconds)
{
	struct slice whole;

	renew();
	CHECK_INT(add(&head, 1, S(100), &whole), DEFRAG_HELD);
	CHECK_INT(add(&tail, 1, S(130), &whole), DEFRAG_DONE);
	CHECK_INT(add(&head, 1, S(200), &whole), DEFRAG_HELD);
	CHECK_INT(add(&tail, 1, S(231), &whole), DEFRAG_HELD);
	CHECK_INT(defrag_counters(d)->dropped, 1);
	CHECK_INT(add(&head, 1, S(10), &whole), DEFRAG_DONE); /* clock back */
}

TEST(least_recently_used_goes)
{
	struct slice whole;

	renew();
	for (uint32_t id = 0; id < DEFRAG_DATAGRAMS; id++)
		CHECK_INT(add(&head, id, 0, &whole), DEFRAG_HELD);
	CHECK_INT(add(&head, 0, 0, &whole), DEFRAG_HELD); /* used again */
	CHECK_INT(add(&head, 999999, 0, &whole), DEFRAG_HELD);
	CHECK_INT(add(&tail, 0, 0, &whole), DEFRAG_DONE);
	CHECK_INT(defrag_counters(d)->dropped, 1);
	CHECK_INT(add(&tail, 2, 0, &whole), DEFRAG_DONE);
	CHECK_INT(add(&tail, 1, 0, &whole), DEFRAG_HELD); /* it went */
}

TEST(bytes_are_bounded)
{
	static char data[65520];
	struct part p = {0, data, 1, NULL};
	struct slice whole;

	renew();
	memset(data, 'x', 60000);
	for (uint32_t id = 0; id < 200; id++)
		CHECK_INT(add(&p, id, 0, &whole), DEFRAG_HELD);
	/* 69 of them fit in 4 MiB */
	CHECK_INT(defrag_counters(d)->dropped, 200 - 69);
	struct part end = {60000, "z", 0, NULL};
	CHECK_INT(add(&end, 199, 0, &whole), DEFRAG_DONE);
	CHECK_INT(whole.len, 60001);
	CHECK_INT(add(&end, 100, 0, &whole), DEFRAG_HELD);
}

TEST(pieces_are_bounded)
{
	struct slice whole;
	unsigned refused = 0;

	renew();
	for (uint32_t i = 0; i < 2000; i++) {
		struct part p = {i * 16, A8, 1, NULL};
		refused += add(&p, 1, 0, &whole) == DEFRAG_REFUSED;
	}
	CHECK_INT(refused, 2000 - DEFRAG_PIECES);
	CHECK_INT(defrag_counters(d)->dropped, refused);
}

/* Random fragments of random datagrams against a model that keeps first. */
TEST(random_fragments_against_a_model)
{
	static char model[4][512], text[512];
	uint32_t seed = 1;
	unsigned done = 0;

	renew();
	for (unsigned round = 0; round < 200000; round++) {
		seed = seed * 1664525u + 1013904223u;
		uint32_t id = seed >> 30, off = (seed >> 24 & 15) * 8;
		uint32_t len = ((seed >> 20 & 3) + 1) * 8;
		int more = off + len < 128;
		if (off + len > 128)
			len = 128 - off;
		memset(text, 'a' + (int)(seed >> 10 & 15), len);
		text[len] = '\0';
		for (uint32_t i = off; i < off + len; i++)
			if (model[id][i] == '\0')
				model[id][i] = text[i - off];
		struct part p = {off, text, more, NULL};
		struct slice whole;
		enum defrag_result r = add(&p, id, 0, &whole);
		CHECK(r != DEFRAG_REFUSED);
		if (r != DEFRAG_DONE)
			continue;
		done++;
		CHECK_INT(whole.len, 128);
		CHECK(memcmp(whole.p, model[id], 128) == 0);
		memset(model[id], 0, sizeof(model[id]));
	}
	CHECK(done > 1000);
	CHECK_INT(defrag_counters(d)->reassembled, done);
}

TEST(teardown)
{
	defrag_free(d);
	d = NULL;
}

TEST_MAIN
