/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Objects of one size, up to a cap, from chunks that grow on demand and are
 * used again. What pool_get() returns is not cleared.
 */
#ifndef STRIPWIRE_POOL_H
#define STRIPWIRE_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "decoders/table_use.h"

struct pool;

struct pool *pool_new(size_t size, uint32_t max);
void pool_free(struct pool *p);

/* NULL at the cap or when memory is short. Aligned to 16 bytes. */
void *pool_get(struct pool *p);
void pool_put(struct pool *p, void *object);
uint32_t pool_used(const struct pool *p);
/* Bytes are those of all chunks: what was needed at most so far. */
struct table_use pool_use(const struct pool *p);

#endif
