/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Handshake buffers: most flows need none, a few need 64 KiB, all together no
 * more than the limit. Plain memory with a tally, because messages differ in
 * size by three powers of ten and fixed buffers would waste most of it.
 */
#include "decoders/tls_pool.h"

#include <stdlib.h>

struct tls_pool {
	size_t limit, lent;
	uint32_t buffers;
};

struct tls_pool *
tls_pool_new(size_t bytes)
{
	struct tls_pool *p = calloc(1, sizeof(*p));

	if (p != NULL)
		p->limit = bytes;
	return p;
}

void
tls_pool_free(struct tls_pool *p)
{
	free(p);
}

uint8_t *
tls_pool_grow(struct tls_pool *p, uint8_t *buf, uint32_t oldcap, uint32_t cap)
{
	uint8_t *grown;

	if (p == NULL || cap - oldcap > p->limit - p->lent)
		return NULL;
	grown = realloc(buf, cap);
	if (grown != NULL) {
		p->lent += cap - oldcap;
		p->buffers += buf == NULL;
	}
	return grown;
}

void
tls_pool_return(struct tls_pool *p, uint8_t *buf, uint32_t cap)
{
	if (buf == NULL)
		return;
	free(buf);
	p->lent -= cap;
	p->buffers--;
}

struct table_use
tls_pool_use(const struct tls_pool *p)
{
	return (struct table_use){
	    .entries = p->buffers, .bytes = p->lent, .max_bytes = p->limit};
}
