/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is in the index is found, what was taken out is not, whatever else has
 * the same hash, or the same place. */
#include "rules/hash_index.h"

#include <stdlib.h>

#include "tests/test.h"

#define MAX 3000

static uint32_t hashes[MAX];

static unsigned
times_found(const struct hash_index *x, unsigned i)
{
	uint32_t at = hashes[i];
	unsigned n = 0;
	const uint32_t *p;

	while ((p = hash_index_next(x, hashes[i], &at)) != NULL) {
		CHECK_INT(*p, hashes[i]);
		n += p == &hashes[i];
	}
	return n;
}

/* All of them come and go; hashes crowd in `space` values. */
static void
come_and_go(uint32_t space)
{
	static bool is_in[MAX];
	struct hash_index x = {0};

	memset(is_in, 0, sizeof(is_in));
	for (unsigned i = 0; i < MAX; i++)
		hashes[i] = (uint32_t)rand() % space - 7;
	for (unsigned step = 0; step < 4 * MAX; step++) {
		unsigned i = (unsigned)rand() % MAX;

		if (is_in[i])
			hash_index_remove(&x, hashes[i], &hashes[i]);
		else
			CHECK(hash_index_add(&x, hashes[i], &hashes[i]));
		is_in[i] = !is_in[i];
	}
	for (unsigned i = 0; i < MAX; i++)
		CHECK_INT(times_found(&x, i), is_in[i]);
	CHECK_INT(hash_index_size(x.n) <= (x.mask + 1) * sizeof(*x.slots), 1);
	hash_index_fini(&x);
}

TEST(found_until_taken_out)
{
	srand(1);
	come_and_go(RAND_MAX);
	come_and_go(MAX);
	come_and_go(MAX / 10);
	come_and_go(30);
}

TEST(empty_holds_nothing)
{
	struct hash_index x = {0};
	uint32_t at = 0;

	CHECK(hash_index_next(&x, 0, &at) == NULL);
	CHECK_INT(hash_index_size(0), 0);
	CHECK(hash_index_add(&x, 0, &x));
	hash_index_remove(&x, 0, &x);
	at = 0;
	CHECK(hash_index_next(&x, 0, &at) == NULL);
	hash_index_fini(&x);
}

TEST_MAIN
