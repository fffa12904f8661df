/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How full a table is, and how full it may become: what each table tells, and
 * `stripwire status` shows. Bytes are those that malloc() needs for what the
 * table holds now, free entries that it keeps for later included.
 */
#ifndef STRIPWIRE_TABLE_USE_H
#define STRIPWIRE_TABLE_USE_H

#include <malloc.h>
#include <stddef.h>
#include <stdint.h>

/* Members are uint64_t alone: uses of the same table of several processes can
 * be added up as numbers. */
struct table_use {
	uint64_t entries, max_entries; /* max: 0 where only bytes are capped */
	uint64_t bytes, max_bytes; /* max: 0 where only entries are capped */
};

/* What malloc(size) takes of the heap: 8 bytes more, in steps of 16 (glibc on
 * 64 bits). */
static inline uint64_t
table_alloc(size_t size)
{
	return ((uint64_t)size + 8 + 15) & ~UINT64_C(15);
}

/* The same of what is there; NULL: nothing. */
static inline uint64_t
table_held(void *p)
{
	return p != NULL ? malloc_usable_size(p) + 8 : 0;
}

/* A table of count entries of one size, max of them at most, and of what it
 * has besides, such as its buckets. */
static inline struct table_use
table_use(uint64_t count, uint64_t max, size_t size, uint64_t besides)
{
	return (struct table_use){.entries = count,
	    .max_entries = max,
	    .bytes = besides + count * table_alloc(size),
	    .max_bytes = besides + max * table_alloc(size)};
}

#endif
