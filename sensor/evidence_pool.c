/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory of payload evidence: windows and rings, lent to directions on
 * demand, a worker's share of EVIDENCE_POOL_BYTES in all. When that is spent, what has been idle
 * the longest goes, looked for among the few that were lent first (a second
 * chance moves the others to the end). What was used within EVIDENCE_STEAL is
 * left alone: a flood of new flows does not blind those that are talking.
 */
#include "sensor/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/evidence_private.h"
#include "sensor/harden.h"

#define LINE 64 /* bytes: of a cache */
#define RETRY 10000000LL /* ns until idle ones are looked for again */
#define LOOKED_AT 8 /* blocks, for one to take away */

static void
unlink_block(struct evidence_ctx *c, struct ev_block *b)
{
	*(b->older != NULL ? &b->older->newer : &c->oldest_block) = b->newer;
	*(b->newer != NULL ? &b->newer->older : &c->newest_block) = b->older;
}

static void
append_block(struct evidence_ctx *c, struct ev_block *b)
{
	b->newer = NULL;
	b->older = c->newest_block;
	*(b->older != NULL ? &b->older->newer : &c->oldest_block) = b;
	c->newest_block = b;
}

void
evidence_return(struct evidence_ctx *c, void *window_or_ring)
{
	struct ev_block *b = window_or_ring;

	if (b == NULL)
		return;
	if (b->is_ring)
		b->owner->ring = NULL;
	else
		b->owner->window = NULL;
	unlink_block(c, b);
	c->lent--;
	if (!b->is_ring) /* passwords among it */
		evidence_window_wipe(window_or_ring);
	b->newer = c->free_blocks[b->is_ring];
	c->free_blocks[b->is_ring] = b;
}

/* Times of captures also step back. */
static bool
is_far(int64_t a, int64_t b, int64_t by)
{
	return a - b >= by || b - a >= by;
}

/* Returns false if none of those looked at is idle. */
static bool
take_idle(struct evidence_ctx *c, int64_t now)
{
	for (unsigned i = 0; i < LOOKED_AT && c->oldest_block != NULL; i++) {
		struct ev_block *b = c->oldest_block;

		if (is_far(now, b->owner->last, EVIDENCE_STEAL)) {
			evidence_return(c, b);
			c->n.windows_taken++;
			return true;
		}
		unlink_block(c, b);
		append_block(c, b);
	}
	return false;
}

/* Makes room for a new block: free ones of the other kind, then idle ones. */
static bool
make_room(struct evidence_ctx *c, size_t size, int64_t now)
{
	while (c->pool_used + size > c->pool_max) {
		int i = c->free_blocks[0] != NULL ? 0 : 1;
		struct ev_block *b = c->free_blocks[i];

		if (b == NULL && !is_far(now, c->failed, RETRY))
			return false;
		if (b == NULL && !take_idle(c, now)) {
			c->failed = now;
			return false;
		}
		if (b == NULL)
			continue;
		c->free_blocks[i] = b->newer;
		c->pool_used -= b->size;
		free(b);
	}
	return true;
}

static struct ev_block *
get_block(struct evidence_ctx *c, size_t size, bool is_ring, int64_t now)
{
	struct ev_block *b = c->free_blocks[is_ring];

	if (b != NULL) {
		c->free_blocks[is_ring] = b->newer;
		return b;
	}
	size = (size + LINE - 1) / LINE * LINE;
	if (!make_room(c, size, now))
		return NULL;
	b = aligned_alloc(LINE, size);
	if (b == NULL)
		return NULL;
	harden_memory(b, size);
	memset(b, 0, size);
	b->size = size;
	c->pool_used += size;
	return b;
}

void *
evidence_lend(struct evidence_ctx *c, struct evidence_dir *d, size_t size,
    bool is_ring, int64_t now)
{
	struct ev_block *b = get_block(c, size, is_ring, now);

	if (b == NULL) {
		c->n.windows_short++;
		return NULL;
	}
	c->n.windows++;
	b->is_ring = is_ring;
	b->owner = d;
	append_block(c, b);
	c->lent++;
	return b;
}

static void
free_list(struct ev_block *b)
{
	while (b != NULL) {
		struct ev_block *next = b->newer;

		free(b);
		b = next;
	}
}

void
evidence_pool_fini(struct evidence_ctx *c)
{
	free_list(c->oldest_block);
	free_list(c->free_blocks[0]);
	free_list(c->free_blocks[1]);
}
