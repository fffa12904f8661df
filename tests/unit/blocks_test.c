/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks of many sizes: none lies in another, and what is given back serves
 * again, whatever size is wanted then. */
#include "rules/blocks.h"

#include <stdlib.h>

#include "tests/test.h"

#define MANY 4000u

struct held {
	uint8_t *p;
	uint16_t size;
	uint8_t mark;
};

static struct held held[MANY];

static void
take(struct blocks *b, struct held *h, size_t size)
{
	h->size = (uint16_t)size;
	h->mark = (uint8_t)rand();
	h->p = blocks_get(b, size);
	CHECK(h->p != NULL && (uintptr_t)h->p % BLOCKS_STEP == 0);
	CHECK(blocks_room(b, size) >= size);
	memset(h->p, h->mark, size);
}

static void
give(struct blocks *b, struct held *h)
{
	for (unsigned i = 0; i < h->size; i++)
		if (h->p[i] != h->mark)
			TEST_FAIL("byte %u of %u is another's", i, h->size);
	blocks_put(b, h->p, h->size);
	h->p = NULL;
}

TEST(none_lies_in_another)
{
	struct blocks b;

	srand(1);
	blocks_init(&b);
	for (unsigned n = 0; n < 20 * MANY; n++) {
		struct held *h = &held[(unsigned)rand() % MANY];

		if (h->p != NULL)
			give(&b, h);
		else
			take(&b, h,
			    1 + (unsigned)rand() %
				    (n % 7 == 0 ? BLOCKS_MAX : 500));
	}
	for (unsigned i = 0; i < MANY; i++)
		if (held[i].p != NULL)
			give(&b, &held[i]);
	blocks_put(&b, NULL, 100);
	blocks_fini(&b);
}

/* Many small ones, then as many bytes in larger ones. */
TEST(what_is_given_back_serves_any_size)
{
	struct blocks b;
	uint64_t most = 0, bytes = 0;

	blocks_init(&b);
	for (size_t size = 32; size <= 2048; size *= 2) {
		unsigned n = MANY * 32 / (unsigned)size;

		for (unsigned i = 0; i < n; i++)
			take(&b, &held[i], size);
		most = blocks_use(&b) > most ? blocks_use(&b) : most;
		bytes = n * size > bytes ? n * size : bytes;
		for (unsigned i = 0; i < n; i++)
			give(&b, &held[i]);
	}
	CHECK(most >= bytes && most <= blocks_most(bytes));
	blocks_fini(&b);
	CHECK_INT(blocks_use(&b), 0);
}

/* Rooms are used to the full: little is lost by the sizes there are. */
TEST(little_is_lost)
{
	struct blocks b;

	blocks_init(&b);
	for (size_t size = 97; size <= 5120; size++)
		CHECK(blocks_room(&b, size) <= size + size / 4 + 16);
	CHECK_INT(blocks_room(&b, BLOCKS_MAX), BLOCKS_MAX);
	CHECK(blocks_room(&b, 1) >= sizeof(void *));
	blocks_fini(&b);
}

TEST_MAIN
