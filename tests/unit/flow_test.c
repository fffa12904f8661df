/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The flow table: both directions find one flow, removal leaves its bucket
 * whole, and the right one goes when it is full.
 */
#include "sensor/flow.h"

#include "tests/test.h"

static struct packet
packet(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport)
{
	struct packet p = {.sport = sport, .dport = dport};

	memcpy(p.src.b + 12, &src, 4);
	memcpy(p.dst.b + 12, &dst, 4);
	return p;
}

static uint32_t
add(struct flow_table *t, uint32_t src, uint16_t sport, enum flow_age age)
{
	struct packet p = packet(src, sport, 99, 25);
	struct flow_key k;

	(void)flow_key_of(&k, &p);
	return flow_add(t, &k, age);
}

static uint32_t
find(struct flow_table *t, uint32_t src, uint16_t sport)
{
	struct packet p = packet(src, sport, 99, 25);
	struct flow_key k;

	(void)flow_key_of(&k, &p);
	return flow_find(t, &k);
}

TEST(an_entry_is_one_cache_line)
{
	CHECK_INT(sizeof(struct flow), 64);
}

TEST(both_directions_have_one_key)
{
	struct packet there = packet(1, 1000, 2, 25);
	struct packet back = packet(2, 25, 1, 1000);
	struct packet self = packet(3, 7, 3, 8), self_back = packet(3, 8, 3, 7);
	struct flow_key a, b;
	bool from_b = flow_key_of(&a, &there);

	CHECK(flow_key_of(&b, &back) != from_b);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	from_b = flow_key_of(&a, &self);
	CHECK(flow_key_of(&b, &self_back) != from_b);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0);
}

TEST(found_until_removed)
{
	struct flow_table *t = flow_table_new(1024);

	for (uint16_t i = 0; i < 1024; i++)
		CHECK_INT(add(t, 1, i, FLOW_YOUNG), i);
	CHECK_INT(add(t, 2, 1, FLOW_YOUNG), FLOW_NONE);
	for (uint16_t i = 0; i < 1024; i += 2)
		flow_remove(t, find(t, 1, i));
	for (uint16_t i = 0; i < 1024; i++)
		CHECK_INT(find(t, 1, i), i % 2 ? i : FLOW_NONE);
	CHECK_INT(flow_count(t), 512);
	flow_table_free(t);
}

/* Two of one key stay in their order. */
TEST(buckets_grow_with_the_flows)
{
	struct flow_table *t = flow_table_new(65536);
	uint64_t few = flow_use(t).bytes;

	for (uint32_t i = 0; i < 60000; i++)
		CHECK_INT(add(t, i == 101 ? 100 : i, 7, FLOW_LIVE), i);
	CHECK(flow_use(t).bytes > few + UINT64_C(60000) * 64 + 65536 * 4);
	for (uint32_t i = 102; i < 60000; i++)
		CHECK_INT(find(t, i, 7), i);
	CHECK_INT(find(t, 100, 7), 101);
	CHECK_INT(flow_next(t, 101), 100);
	CHECK_INT(flow_next(t, 100), FLOW_NONE);
	CHECK_INT(find(t, 101, 7), FLOW_NONE);
	flow_table_free(t);
}

TEST(half_open_flows_go_first_and_oldest_first)
{
	struct flow_table *t = flow_table_new(8);

	(void)add(t, 1, 1, FLOW_LIVE);
	(void)add(t, 1, 2, FLOW_PASSED);
	(void)add(t, 1, 3, FLOW_YOUNG);
	(void)add(t, 1, 4, FLOW_YOUNG);
	CHECK_INT(flow_victim(t), find(t, 1, 3));
	flow_remove(t, flow_victim(t));
	CHECK_INT(flow_victim(t), find(t, 1, 4));
	flow_set_age(t, flow_victim(t), FLOW_LIVE);
	CHECK_INT(flow_victim(t), find(t, 1, 2));
	flow_table_free(t);
}

TEST(half_open_flows_have_a_quarter_of_the_table)
{
	struct flow_table *t = flow_table_new(16);
	uint16_t port = 0;

	while (!flow_is_crowded(t, FLOW_YOUNG))
		(void)add(t, 1, port++, FLOW_YOUNG);
	CHECK_INT(flow_count(t), 4);
	CHECK(!flow_is_crowded(t, FLOW_LIVE));
	flow_set_age(t, find(t, 1, 2), FLOW_LIVE);
	CHECK(!flow_is_crowded(t, FLOW_YOUNG));
	while (!flow_is_crowded(t, FLOW_LIVE))
		(void)add(t, 1, port++, FLOW_LIVE);
	CHECK_INT(flow_count(t), 16);
	CHECK_INT(flow_victim(t), find(t, 1, 0));
	flow_table_free(t);
}

TEST(two_of_one_key_are_found_one_after_the_other)
{
	struct flow_table *t = flow_table_new(8);
	uint32_t a = add(t, 1, 7, FLOW_LIVE), b = add(t, 1, 7, FLOW_LIVE);
	uint32_t first;

	(void)add(t, 1, 8, FLOW_LIVE);
	first = find(t, 1, 7);
	CHECK(a != b && (first == a || first == b));
	CHECK_INT(flow_next(t, first), first == a ? b : a);
	CHECK_INT(flow_next(t, first == a ? b : a), FLOW_NONE);
	flow_remove(t, first);
	CHECK_INT(find(t, 1, 7), first == a ? b : a);
	CHECK_INT(flow_next(t, find(t, 1, 7)), FLOW_NONE);
	flow_table_free(t);
}

TEST(the_idlest_of_the_living_goes)
{
	struct flow_table *t = flow_table_new(8);

	for (uint16_t i = 0; i < 8; i++)
		flow_at(t, add(t, 1, i, FLOW_LIVE))->last = i == 5 ? 3 : 10 + i;
	CHECK_INT(flow_victim(t), find(t, 1, 5));
	flow_remove(t, find(t, 1, 5));
	CHECK_INT(flow_victim(t), find(t, 1, 0));
	CHECK_INT(flow_count(t), 7);
	flow_table_free(t);
}

TEST_MAIN
