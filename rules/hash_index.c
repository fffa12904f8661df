/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rules/hash_index.h"

#include <stdlib.h>

#define SLOTS_FIRST 256

/* A quarter stays free, so that runs stay short. */
static bool
is_full(uint64_t n, uint64_t slots)
{
	return n * 4 > slots * 3;
}

static void
put(struct hash_index *x, struct hash_slot s)
{
	uint32_t at = s.hash & x->mask;

	while (x->slots[at].p != NULL)
		at = (at + 1) & x->mask;
	x->slots[at] = s;
}

static bool
grow(struct hash_index *x)
{
	struct hash_index old = *x;
	uint32_t slots = old.slots != NULL ? (old.mask + 1) * 2 : SLOTS_FIRST;

	if (slots == 0)
		return false;
	x->slots = calloc(slots, sizeof(*x->slots));
	if (x->slots == NULL) {
		*x = old;
		return false;
	}
	x->mask = slots - 1;
	for (uint32_t i = 0; old.slots != NULL && i <= old.mask; i++)
		if (old.slots[i].p != NULL)
			put(x, old.slots[i]);
	free(old.slots);
	return true;
}

bool
hash_index_add(struct hash_index *x, uint32_t hash, void *p)
{
	if ((x->slots == NULL ||
		is_full((uint64_t)x->n + 1, (uint64_t)x->mask + 1)) &&
	    !grow(x))
		return false;
	put(x, (struct hash_slot){p, hash});
	x->n++;
	return true;
}

/* What stands behind it moves up, unless it stands before its own place then. */
static void
close_gap(struct hash_index *x, uint32_t gap)
{
	for (uint32_t at = gap;;) {
		at = (at + 1) & x->mask;
		if (x->slots[at].p == NULL)
			break;
		if (((at - x->slots[at].hash) & x->mask) <
		    ((at - gap) & x->mask))
			continue;
		x->slots[gap] = x->slots[at];
		gap = at;
	}
	x->slots[gap].p = NULL;
}

void
hash_index_remove(struct hash_index *x, uint32_t hash, const void *p)
{
	uint32_t at = hash & x->mask;

	while (x->slots[at].p != p || x->slots[at].hash != hash)
		at = (at + 1) & x->mask;
	close_gap(x, at);
	x->n--;
}

void
hash_index_fini(struct hash_index *x)
{
	free(x->slots);
	*x = (struct hash_index){0};
}

size_t
hash_index_size(uint64_t n)
{
	uint64_t slots = n != 0 ? SLOTS_FIRST : 0;

	while (is_full(n, slots))
		slots *= 2;
	return slots * sizeof(struct hash_slot);
}
