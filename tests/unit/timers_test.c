/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Deadlines come out in order whatever was set, moved and cleared.
 */
#include "sensor/timers.h"

#include "tests/test.h"

#define SLOTS 200

static uint32_t lcg_state = 1;

static uint32_t
lcg(void)
{
	lcg_state = lcg_state * 1103515245 + 12345;
	return lcg_state >> 8;
}

TEST(empty_has_no_deadline)
{
	struct timers *t = timers_new(4);
	uint32_t slot = 7;

	CHECK(timers_first(t, &slot) == INT64_MAX);
	CHECK(timers_get(t, 2) == INT64_MAX);
	timers_clear(t, 2);
	timers_free(t);
}

TEST(ties_go_to_the_lower_slot)
{
	struct timers *t = timers_new(8);
	uint32_t slot = 0;

	for (uint32_t i = 8; i-- > 0;)
		timers_set(t, i, 5);
	for (uint32_t i = 0; i < 8; i++) {
		CHECK_INT(timers_first(t, &slot), 5);
		CHECK_INT(slot, i);
		timers_clear(t, slot);
	}
	timers_free(t);
}

static int64_t
least(const int64_t want[SLOTS])
{
	int64_t min = INT64_MAX;

	for (unsigned i = 0; i < SLOTS; i++)
		if (want[i] < min)
			min = want[i];
	return min;
}

TEST(random_changes_keep_the_order)
{
	struct timers *t = timers_new(SLOTS);
	int64_t want[SLOTS];
	uint32_t slot = 0;

	for (unsigned i = 0; i < SLOTS; i++)
		want[i] = INT64_MAX;
	for (unsigned step = 0; step < 20000; step++) {
		uint32_t s = lcg() % SLOTS;

		if (lcg() % 4 == 0) {
			timers_clear(t, s);
			want[s] = INT64_MAX;
		} else {
			want[s] = lcg() % 1000;
			timers_set(t, s, want[s]);
		}
		CHECK(timers_get(t, s) == want[s]);
		CHECK(timers_first(t, &slot) == least(want));
	}
	timers_free(t);
}

TEST_MAIN
