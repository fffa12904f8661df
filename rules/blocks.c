/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A chunk is aligned to its size, so that a block finds it by its address.
 * Blocks that were never taken stand behind `fresh`: memory that is not needed
 * is not touched. Under AddressSanitizer each block is an allocation of its
 * own, so that the use of one that was given back is seen.
 */
#include "rules/blocks.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define BLOCKS_PLAIN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCKS_PLAIN 1
#endif
#endif
#ifndef BLOCKS_PLAIN
#define BLOCKS_PLAIN 0
#endif

/* A block is too large by a tenth or less, on average. */
static const uint16_t sizes[] = {32, 48, 64, 80, 96, 112, 128, 144, 160, 192,
    224, 256, 288, 352, 400, 448, 512, 576, 640, 768, 896, 1024, 1280, 1536,
    1792, 2048, 2560, 3072, 3584, 4096, 5120, BLOCKS_MAX};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

struct free_block {
	struct free_block *next;
};

struct block_chunk {
	struct block_chunk *before, *behind; /* in the list that it is in */
	struct free_block *free;
	uint32_t fresh, used; /* bytes; blocks */
	uint8_t size; /* place in sizes */
	uint8_t listed; /* it is among the open ones */
};

#define HEAD 64 /* bytes: blocks begin behind the chunk's first line */
#define END (BLOCKS_CHUNK - 64) /* room for malloc()'s own words */

_Static_assert(sizeof(struct block_chunk) <= HEAD, "the first line");
_Static_assert(SIZES <= sizeof(((struct blocks *)NULL)->open) / sizeof(void *),
    "a list for each size");

void
blocks_init(struct blocks *b)
{
	unsigned place = 0;

	memset(b, 0, sizeof(*b));
	for (unsigned i = 0; i <= BLOCKS_MAX / BLOCKS_STEP; i++) {
		if (i * BLOCKS_STEP > sizes[place])
			place++;
		b->size_of[i] = (uint8_t)place;
	}
}

static unsigned
place_of(const struct blocks *b, size_t size)
{
	return b->size_of[(size + BLOCKS_STEP - 1) / BLOCKS_STEP];
}

size_t
blocks_room(const struct blocks *b, size_t size)
{
	return sizes[place_of(b, size)];
}

/* ---- chunks ---- */

static void
list_add(struct block_chunk **list, struct block_chunk *c)
{
	c->before = NULL;
	c->behind = *list;
	if (c->behind != NULL)
		c->behind->before = c;
	*list = c;
	c->listed = 1;
}

static void
list_remove(struct block_chunk **list, struct block_chunk *c)
{
	*(c->before != NULL ? &c->before->behind : list) = c->behind;
	if (c->behind != NULL)
		c->behind->before = c->before;
	c->listed = 0;
}

/* One for blocks of that size. NULL: no memory. */
__attribute__((noinline)) static struct block_chunk *
open_chunk(struct blocks *b, unsigned place)
{
	struct block_chunk *c = b->empty;
	void *p;

	if (c != NULL) {
		b->empty = c->behind;
	} else {
		if (posix_memalign(&p, BLOCKS_CHUNK, END) != 0)
			return NULL;
		b->chunks++;
		c = p;
	}
	c->free = NULL;
	c->fresh = HEAD;
	c->used = 0;
	c->size = (uint8_t)place;
	list_add(&b->open[place], c);
	return c;
}

static struct block_chunk *
chunk_of(void *block)
{
	uint8_t *p = block;

	return (struct block_chunk *)(void *)(p - ((uintptr_t)p &
						      (BLOCKS_CHUNK - 1)));
}

/* Nothing of it is in use. The only open one of its size stays: it is wanted
 * again at once. */
static void
close_chunk(struct blocks *b, struct block_chunk *c)
{
	struct block_chunk **list = &b->open[c->size];

	if (*list == c && c->behind == NULL)
		return;
	list_remove(list, c);
	c->behind = b->empty;
	b->empty = c;
}

static void
free_all(struct block_chunk *c)
{
	while (c != NULL) {
		struct block_chunk *next = c->behind;

		free(c);
		c = next;
	}
}

void
blocks_fini(struct blocks *b)
{
	free_all(b->empty);
	for (unsigned i = 0; i < SIZES; i++)
		free_all(b->open[i]);
	memset(b, 0, sizeof(*b));
}

/* ---- blocks ---- */

/* One that was never taken. NULL: no memory. */
static __attribute__((noinline)) void *
fresh_block(struct blocks *b, unsigned place)
{
	struct block_chunk *c = b->open[place];
	uint8_t *p;

	if (c == NULL && (c = open_chunk(b, place)) == NULL)
		return NULL;
	p = (uint8_t *)c + c->fresh;
	c->fresh += sizes[place];
	c->used++;
	if (c->fresh + sizes[place] > END)
		list_remove(&b->open[place], c);
	return p;
}

/* The last one that its chunk had. */
static __attribute__((noinline)) void *
last_block(struct blocks *b, struct block_chunk *c, void *p)
{
	list_remove(&b->open[c->size], c);
	return p;
}

static void *
plain_block(struct blocks *b, size_t size)
{
	void *p;

	if (b->fail_in != 0 && --b->fail_in == 0)
		return NULL;
	p = malloc(size);
	b->plain += p != NULL ? blocks_room(b, size) : 0;
	return p;
}

void *
blocks_get(struct blocks *b, size_t size)
{
	unsigned place = place_of(b, size);
	struct block_chunk *c = b->open[place];
	struct free_block *p;

	if (BLOCKS_PLAIN)
		return plain_block(b, size);
	if (c == NULL || c->free == NULL)
		return fresh_block(b, place);
	p = c->free;
	c->free = p->next;
	c->used++;
	if (c->free == NULL && c->fresh + sizes[place] > END)
		return last_block(b, c, p);
	return p;
}

void
blocks_put(struct blocks *b, void *p, size_t size)
{
	struct block_chunk *c;
	struct free_block *block = p;

	if (p == NULL)
		return;
	c = chunk_of(p);
	if (BLOCKS_PLAIN) {
		b->plain -= blocks_room(b, size);
		free(p);
		return;
	}
	block->next = c->free;
	c->free = block;
	if (!c->listed)
		list_add(&b->open[c->size], c);
	if (--c->used == 0)
		close_chunk(b, c);
}

uint64_t
blocks_use(const struct blocks *b)
{
	return b->plain + b->chunks * BLOCKS_CHUNK;
}

uint64_t
blocks_most(uint64_t bytes)
{
	return bytes + bytes / 4 + SIZES * BLOCKS_CHUNK;
}
