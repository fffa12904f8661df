/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables that are filled beyond their caps say what they hold, and it stays
 * below what they said they could. */
#include "decoders/table_use.h"

#include <malloc.h>

#include "decoders/defrag.h"
#include "decoders/tls_pool.h"
#include "rules/judged.h"
#include "rules/pair.h"
#include "rules/rule_state.h"
#include "sensor/flow.h"
#include "sensor/pool.h"
#include "tests/test.h"

#define CAP 64u
#define MANY 1000u

static void
check_full(struct table_use use)
{
	CHECK_INT(use.entries, use.max_entries);
	CHECK(use.bytes > 0 && use.bytes <= use.max_bytes);
}

static struct addr
host(unsigned n)
{
	struct addr a = {{0}};

	memcpy(a.b + 12, &n, sizeof(n));
	return a;
}

TEST(what_malloc_takes)
{
	for (size_t size = 1; size < 10000; size += 7) {
		void *p = malloc(size);

		if (p == NULL)
			abort();
#if !defined(__SANITIZE_ADDRESS__)
		CHECK(malloc_usable_size(p) + 8 >= table_alloc(size) ||
		      size < 24);
		CHECK(malloc_usable_size(p) >= size);
#endif
		free(p);
	}
	CHECK_INT(table_alloc(24), 32);
	CHECK_INT(table_alloc(25), 48);
}

TEST(a_pool)
{
	struct pool *p = pool_new(1000, CAP);
	void *held[CAP];

	CHECK_INT(pool_use(p).bytes, 0);
	for (unsigned i = 0; i < CAP; i++)
		held[i] = pool_get(p);
	CHECK(pool_get(p) == NULL);
	check_full(pool_use(p));
	for (unsigned i = 0; i < CAP; i++)
		pool_put(p, held[i]);
	CHECK_INT(pool_use(p).entries, 0);
	pool_free(p);
}

TEST(flows)
{
	struct flow_table *t = flow_table_new(CAP);
	uint64_t empty = flow_use(t).bytes;

	for (unsigned i = 0; i < MANY; i++) {
		struct flow_key k;

		memset(&k, 0, sizeof(k));
		k.a = host(i);
		(void)flow_add(t, &k, FLOW_YOUNG);
	}
	check_full(flow_use(t));
	CHECK(flow_use(t).bytes > empty);
	flow_table_free(t);
}

TEST(limits_of_rules)
{
	struct rule_states *t = rule_states_new(CAP);

	for (unsigned i = 0; i < MANY; i++) {
		struct rule_state_key k = {.what = i, .a = host(i)};

		rule_xbit_set(t, &k, i, 60);
	}
	CHECK_INT(rule_states_use(t).entries, CAP);
	CHECK_INT(rule_states_use(t).max_entries, CAP);
	rule_states_free(t);
	t = rule_states_new(0);
	for (unsigned i = 0; i < 2 * RULE_STATES_MAX; i++) {
		struct rule_state_key k = {.what = i, .a = host(i)};

		rule_xbit_set(t, &k, i, 60);
	}
	check_full(rule_states_use(t));
	rule_states_free(t);
}

TEST(pairs_with_their_stories)
{
	struct pairs *p = pairs_new(CAP);
	struct pair_event e = {.finding = FIND_RST_INJECTED};
	struct ladder steps = {0};
	struct blocks b;
	uint64_t without;
	struct obs o;

	for (unsigned i = 0; i < MANY; i++) {
		struct obs_flow who = {.client = host(i), .server = host(0)};

		e.time = i + 1;
		pairs_note_event(p, &who, &e);
	}
	check_full(pairs_use(p));
	without = pairs_use(p).bytes;
	obs_init(&o, OBS_VERB_UNKNOWN);
	blocks_init(&b);
	for (unsigned i = 0; i < PAIR_STEPS; i++)
		ladder_add(&steps, &b, &o);
	for (unsigned i = MANY - CAP; i < MANY; i++) {
		struct obs_flow who = {.client = host(i), .server = host(0)};

		pairs_note_story(p, &who, 1, &steps);
	}
	check_full(pairs_use(p));
	CHECK(pairs_use(p).bytes - without >= CAP * steps.used / 2);
	ladder_fini(&steps, &b);
	blocks_fini(&b);
	pairs_free(p);
}

/* With as many steps as are kept. */
TEST(judged_flows)
{
	struct judged_table t = {0};
	struct obs o;

	CHECK_INT(judged_init(&t, CAP, 0), 0);
	for (unsigned i = 1; i <= MANY; i++) {
		struct judged *w;

		obs_init(&o, OBS_FLOW_OPEN);
		o.flow = i;
		o.time = i;
		(void)judged_open(&t, &o);
		w = judged_wake(&t, judged_find(&t, i));
		obs_init(&o, OBS_VERB_UNKNOWN);
		for (unsigned n = 0; w != NULL && n < 100; n++)
			ladder_add(&w->ladder, &t.blocks, &o);
	}
	check_full(judged_use(&t));
	CHECK(judged_use(&t).bytes >
	      CAP * (sizeof(struct judged) + sizeof(struct step)));
	judged_fini(&t);
}

TEST(handshakes)
{
	struct tls_pool *p = tls_pool_new(4096);
	uint8_t *a = tls_pool_grow(p, NULL, 0, 1024);
	uint8_t *b = tls_pool_grow(p, NULL, 0, 1024);

	a = tls_pool_grow(p, a, 1024, 3072);
	CHECK(a != NULL && tls_pool_grow(p, b, 1024, 1025) == NULL);
	CHECK_INT(tls_pool_use(p).bytes, 4096);
	CHECK_INT(tls_pool_use(p).entries, 2);
	CHECK_INT(tls_pool_use(p).max_bytes, 4096);
	tls_pool_return(p, a, 3072);
	tls_pool_return(p, b, 1024);
	CHECK_INT(tls_pool_use(p).entries, 0);
	CHECK_INT(tls_pool_use(p).bytes, 0);
	tls_pool_free(p);
}

TEST(fragments)
{
	struct defrag *d = defrag_new();
	uint64_t empty = defrag_use(d).bytes;
	static const uint8_t bytes[8000];
	struct slice whole;
	uint8_t proto;

	for (unsigned i = 0; i < 5000; i++) {
		struct frag f = {.src = host(i),
		    .id = i,
		    .proto = 6,
		    .more = true,
		    .data = bytes,
		    .len = sizeof(bytes),
		    .time = i};

		(void)defrag_add(d, &f, &whole, &proto);
		CHECK(defrag_use(d).bytes <= defrag_use(d).max_bytes);
		CHECK(defrag_use(d).entries <= defrag_use(d).max_entries);
	}
	CHECK(defrag_use(d).bytes > empty && defrag_use(d).entries > 100);
	defrag_free(d);
}

TEST_MAIN
