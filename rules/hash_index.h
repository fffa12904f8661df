/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An index from hashes to what has them: open addressing with linear probing
 * (Knuth, The Art of Computer Programming, vol. 3, 6.4, algorithms L and R).
 * It grows with what it holds, so that a small run costs little and a full
 * table is found in one place; hashes stand in the index, so that only what has
 * the very hash is looked at. All zero is an empty one.
 */
#ifndef STRIPWIRE_HASH_INDEX_H
#define STRIPWIRE_HASH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_slot {
	void *p; /* NULL: free */
	uint32_t hash;
};

struct hash_index {
	struct hash_slot *slots; /* NULL: nothing was ever added */
	uint32_t mask; /* slots, a power of two, less one */
	uint32_t n;
};

/* Several may have one hash, and one several. Returns false, and nothing was added, if there is
 * no memory. */
bool hash_index_add(struct hash_index *x, uint32_t hash, void *p)
    __attribute__((warn_unused_result));
/* It is there. */
void hash_index_remove(struct hash_index *x, uint32_t hash, const void *p);
void hash_index_fini(struct hash_index *x);
/* Bytes of one that holds n. */
size_t hash_index_size(uint64_t n);

/* The next one that has this hash, or NULL; *at is the hash at first. */
static inline void *
hash_index_next(const struct hash_index *x, uint32_t hash, uint32_t *at)
{
	if (x->slots == NULL)
		return NULL;
	for (;;) {
		const struct hash_slot *s = &x->slots[(*at)++ & x->mask];

		if (s->p == NULL || s->hash == hash)
			return s->p;
	}
}

#endif
