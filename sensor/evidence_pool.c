/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory of payload evidence: windows and rings, lent to directions on
 * demand, a worker's share of EVIDENCE_POOL_BYTES in all. It is one mapping in
 * pages of EV_PAGE bytes, each cut into blocks of one kind; a page none of
 * whose blocks is lent can become one of another kind.
 *
 * When all is spent, what has been idle the longest goes, looked for among the
 * few that were lent first (a second chance moves the others to the end): a
 * block of the kind that is wanted, or all of a page. What was used within
 * EVIDENCE_STEAL is left alone: a flood of new flows does not blind those that
 * are talking.
 */
#include "sensor/evidence.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sensor/evidence_private.h"
#include "sensor/harden.h"

#define RETRY 10000000LL /* ns until idle ones are looked for again */
#define LOOKED_AT 8 /* blocks, for one to take away */

static const uint16_t sizes[EV_KINDS] = {EV_SIZES};

struct ev_page {
	uint32_t older, newer; /* of those that are empty: index + 1 */
	uint8_t kind, lent; /* its blocks */
};

int
evidence_pool_init(struct evidence_ctx *c)
{
	size_t bytes;

	c->max_pages = (uint32_t)(c->pool_max / EV_PAGE);
	bytes = (size_t)c->max_pages * EV_PAGE;
	c->pages = calloc(c->max_pages, sizeof(*c->pages));
	c->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (c->memory == MAP_FAILED)
		c->memory = NULL;
	if (c->pages == NULL || c->memory == NULL)
		return -1;
	harden_memory(c->memory, bytes);
	return 0;
}

void
evidence_pool_fini(struct evidence_ctx *c)
{
	if (c->memory != NULL)
		(void)munmap(c->memory, (size_t)c->max_pages * EV_PAGE);
	free(c->pages);
}

/* ---- lists ---- */

static void
unlink_block(struct ev_list *l, struct ev_block *b)
{
	*(b->older != NULL ? &b->older->newer : &l->oldest) = b->newer;
	*(b->newer != NULL ? &b->newer->older : &l->newest) = b->older;
}

static void
append_block(struct ev_list *l, struct ev_block *b)
{
	b->newer = NULL;
	b->older = l->newest;
	*(b->older != NULL ? &b->older->newer : &l->oldest) = b;
	l->newest = b;
}

static struct ev_page *
page_of(const struct evidence_ctx *c, const struct ev_block *b)
{
	return &c->pages[((const uint8_t *)b - c->memory) / EV_PAGE];
}

static struct ev_block *
block_at(const struct evidence_ctx *c, const struct ev_page *p, unsigned i)
{
	size_t page = (size_t)(p - c->pages);

	return (void *)(c->memory + page * EV_PAGE + i * sizes[p->kind]);
}

static unsigned
blocks_of(const struct ev_page *p)
{
	return EV_PAGE / sizes[p->kind];
}

static void
page_is_empty(struct evidence_ctx *c, struct ev_page *p)
{
	uint32_t i = (uint32_t)(p - c->pages) + 1;

	p->newer = 0;
	p->older = c->newest_empty;
	*(p->older != 0 ? &c->pages[p->older - 1].newer : &c->oldest_empty) = i;
	c->newest_empty = i;
}

static void
page_is_used(struct evidence_ctx *c, struct ev_page *p)
{
	*(p->older != 0 ? &c->pages[p->older - 1].newer : &c->oldest_empty) =
	    p->newer;
	*(p->newer != 0 ? &c->pages[p->newer - 1].older : &c->newest_empty) =
	    p->older;
}

/* ---- lending ---- */

void
evidence_return(struct evidence_ctx *c, void *window_or_ring)
{
	struct ev_block *b = window_or_ring;
	struct ev_page *p;

	if (b == NULL)
		return;
	if (b->kind >= EV_RING_FEW)
		b->owner->ring = NULL;
	else
		b->owner->window = NULL;
	b->owner = NULL;
	unlink_block(&c->lent_blocks, b);
	c->lent--;
	if (b->kind < EV_RING_FEW) /* passwords among it */
		evidence_window_wipe(window_or_ring);
	append_block(&c->free_blocks[b->kind], b);
	p = page_of(c, b);
	if (--p->lent == 0)
		page_is_empty(c, p);
}

/* Times of captures also step back. Not lent: as if. */
static bool
is_idle(const struct ev_block *b, int64_t now)
{
	int64_t last;

	if (b->owner == NULL)
		return true;
	if (b->busy)
		return false;
	last = b->owner->last;
	return now - last >= EVIDENCE_STEAL || last - now >= EVIDENCE_STEAL;
}

static void
take(struct evidence_ctx *c, struct ev_block *b)
{
	if (b->owner == NULL)
		return;
	evidence_return(c, b);
	c->n.windows_taken++;
}

/* Takes all of the block's page, or nothing. */
static bool
take_page(struct evidence_ctx *c, const struct ev_block *b, int64_t now)
{
	const struct ev_page *p = page_of(c, b);

	for (unsigned i = 0; i < blocks_of(p); i++)
		if (!is_idle(block_at(c, p, i), now))
			return false;
	for (unsigned i = 0; i < blocks_of(p); i++)
		take(c, block_at(c, p, i));
	return true;
}

/* Returns false if none of those looked at is idle. */
static bool
take_idle(struct evidence_ctx *c, enum ev_kind kind, int64_t now)
{
	struct ev_list *l = &c->lent_blocks;

	for (unsigned i = 0; i < LOOKED_AT && l->oldest != NULL; i++) {
		struct ev_block *b = l->oldest;

		if (b->kind == kind && is_idle(b, now)) {
			take(c, b);
			return true;
		}
		if (b->kind != kind && take_page(c, b, now))
			return true;
		unlink_block(l, b);
		append_block(l, b);
	}
	return false;
}

/* Cuts a page into blocks of that kind: one that is empty, or a new one. */
static bool
cut_page(struct evidence_ctx *c, enum ev_kind kind)
{
	struct ev_page *p;

	if (c->newest_empty != 0) {
		p = &c->pages[c->newest_empty - 1];
		for (unsigned i = 0; i < blocks_of(p); i++)
			unlink_block(
			    &c->free_blocks[p->kind], block_at(c, p, i));
		page_is_used(c, p);
		memset(block_at(c, p, 0), 0, EV_PAGE);
	} else if (c->npages < c->max_pages) {
		p = &c->pages[c->npages++];
		c->pool_used += EV_PAGE;
	} else
		return false;
	p->kind = (uint8_t)kind;
	for (unsigned i = blocks_of(p); i-- > 0;) {
		struct ev_block *b = block_at(c, p, i);

		b->kind = (uint8_t)kind;
		append_block(&c->free_blocks[kind], b);
	}
	page_is_empty(c, p);
	return true;
}

static struct ev_block *
get_block(struct evidence_ctx *c, enum ev_kind kind, int64_t now)
{
	struct ev_list *l = &c->free_blocks[kind];
	struct ev_block *b;

	while ((b = l->newest) == NULL) {
		int64_t since = now - c->failed;

		if (cut_page(c, kind))
			continue;
		if (since > -RETRY && since < RETRY)
			return NULL;
		if (!take_idle(c, kind, now)) {
			c->failed = now;
			return NULL;
		}
	}
	unlink_block(l, b);
	if (page_of(c, b)->lent++ == 0)
		page_is_used(c, page_of(c, b));
	return b;
}

void *
evidence_lend(struct evidence_ctx *c, struct evidence_dir *d, enum ev_kind kind,
    int64_t now)
{
	struct ev_block *b = get_block(c, kind, now);

	if (b == NULL) {
		c->n.windows_short++;
		return NULL;
	}
	b->owner = d;
	b->busy = false;
	append_block(&c->lent_blocks, b);
	c->lent++;
	return b;
}
