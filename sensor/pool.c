/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Free objects are chained through their first bytes; chunks are chained so
 * that they can be freed. Under AddressSanitizer each object is an allocation
 * of its own, so that the use of a freed one is seen.
 *
 * Objects whose size is a whole number of cache lines begin at one.
 */
#include "sensor/pool.h"

#include <stdlib.h>

#include "sensor/harden.h"

#define CHUNK_BYTES (64u << 10)
#define LINE 64 /* bytes of a cache line */
#define ALIGN 16

#if defined(__SANITIZE_ADDRESS__)
#define POOL_PLAIN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_PLAIN 1
#endif
#endif
#ifndef POOL_PLAIN
#define POOL_PLAIN 0
#endif

struct link {
	struct link *next;
};

struct pool {
	size_t size;
	uint32_t max, used, per_chunk, nchunks;
	struct link *free, *chunks;
};

struct pool *
pool_new(size_t size, uint32_t max)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	if (size < sizeof(struct link))
		size = sizeof(struct link);
	p->size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	p->max = max;
	p->per_chunk = (uint32_t)(CHUNK_BYTES / p->size) + 1;
	return p;
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	while (p->chunks != NULL) {
		struct link *chunk = p->chunks;

		p->chunks = chunk->next;
		free(chunk);
	}
	free(p);
}

static size_t
chunk_bytes(const struct pool *p)
{
	size_t bytes = LINE + p->per_chunk * p->size;

	return (bytes + LINE - 1) & ~(size_t)(LINE - 1);
}

static int
grow(struct pool *p)
{
	struct link *chunk = aligned_alloc(LINE, chunk_bytes(p));

	if (chunk == NULL)
		return -1;
	harden_memory(chunk, chunk_bytes(p));
	chunk->next = p->chunks;
	p->chunks = chunk;
	p->nchunks++;
	for (uint32_t i = p->per_chunk; i-- > 0;) {
		struct link *object =
		    (struct link *)((char *)chunk + LINE + i * p->size);

		object->next = p->free;
		p->free = object;
	}
	return 0;
}

void *
pool_get(struct pool *p)
{
	struct link *object;

	if (p->used == p->max)
		return NULL;
	if (POOL_PLAIN) {
		object =
		    aligned_alloc(p->size % LINE == 0 ? LINE : ALIGN, p->size);
		p->used += object != NULL;
		return object;
	}
	if (p->free == NULL && grow(p) != 0)
		return NULL;
	object = p->free;
	if (object == NULL)
		return NULL;
	p->free = object->next;
	p->used++;
	return object;
}

void
pool_put(struct pool *p, void *object)
{
	struct link *link = object;

	if (link == NULL)
		return;
	p->used--;
	if (POOL_PLAIN) {
		free(link);
		return;
	}
	link->next = p->free;
	p->free = link;
}

uint32_t
pool_used(const struct pool *p)
{
	return p->used;
}

struct table_use
pool_use(const struct pool *p)
{
	uint64_t chunk = table_alloc(chunk_bytes(p));
	uint64_t most = (p->max + p->per_chunk - 1) / p->per_chunk;

	return (struct table_use){.entries = p->used,
	    .max_entries = p->max,
	    .bytes = POOL_PLAIN ? p->used * table_alloc(p->size)
				: p->nchunks * chunk,
	    .max_bytes = most * chunk};
}
