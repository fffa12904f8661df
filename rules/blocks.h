/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory for what is known of flows: many small blocks of many sizes, taken and
 * given back several times a connection. malloc() keeps few of them at hand;
 * here taking one is a look at a list (the slabs of Bonwick, "The Slab
 * Allocator", USENIX 1994). Blocks of one size share chunks; a chunk of which
 * nothing is in use serves any size again.
 */
#ifndef STRIPWIRE_BLOCKS_H
#define STRIPWIRE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#define BLOCKS_MAX 6144 /* bytes of the largest */
#define BLOCKS_STEP 16 /* all begin at a multiple of it */
#define BLOCKS_CHUNK 65536

struct block_chunk;

struct blocks {
	struct block_chunk *open[32]; /* by size: those with a free block */
	struct block_chunk *empty;
	uint64_t chunks; /* all of them */
	uint64_t plain; /* bytes outside of them (AddressSanitizer) */
	uint32_t fail_in; /* for tests: blocks until there is no memory for
			     one; 0: never. Under AddressSanitizer only */
	uint8_t size_of[BLOCKS_MAX / BLOCKS_STEP + 1]; /* place in open */
};

void blocks_init(struct blocks *b);
/* All were given back. */
void blocks_fini(struct blocks *b);
/* At least size bytes, BLOCKS_MAX at most, not cleared; NULL: no memory. */
void *blocks_get(struct blocks *b, size_t size)
    __attribute__((malloc, warn_unused_result));
/* What blocks_get() gave for this size. p may be NULL. */
void blocks_put(struct blocks *b, void *p, size_t size);
/* Bytes that a block of this size takes. */
size_t blocks_room(const struct blocks *b, size_t size);
/* Bytes that blocks of so many bytes in all mostly take, by their sizes and by
 * chunks that are not full. No upper bound: where one of each chunk lives on
 * and all others went, another size needs chunks of its own. */
uint64_t blocks_most(uint64_t bytes);
/* Bytes held, free blocks included. */
uint64_t blocks_use(const struct blocks *b);

#endif
