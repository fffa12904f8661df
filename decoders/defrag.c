/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A datagram is a sorted list of pieces that never overlap: a new fragment is
 * cut down to the gaps it fills. Its memory is what its pieces hold, so that a
 * fragment at the far end of a datagram costs no more than one at its start.
 * Datagrams hang in a hash table for finding and in a list by last use for
 * giving up. Fragments are rare; this file is about bounds, not speed.
 */
#include "decoders/defrag.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024
#define NONE UINT16_MAX
#define NS_PER_S INT64_C(1000000000)

struct piece {
	struct piece *next;
	uint32_t off, len;
	uint8_t data[];
};

struct range {
	uint32_t off, len;
};

struct datagram {
	struct addr src, dst;
	uint32_t id;
	bool v6;
	uint8_t proto; /* of the fragment at offset 0 once that was seen */
	bool have_end, have_start;
	bool unsure;
	uint16_t way; /* of its first fragment */
	uint16_t chain; /* next in bucket, or next free */
	uint16_t newer, older; /* by last use */
	uint32_t total; /* payload bytes, if have_end */
	uint32_t held; /* bytes in pieces */
	uint32_t npieces;
	uint32_t nfrags; /* fragments taken, for the counter */
	int64_t first; /* packet time */
	struct piece *pieces, *last;
};

struct defrag {
	struct defrag_counters n;
	size_t bytes; /* held in pieces, with their headers */
	bool unsure; /* the last whole one */
	uint16_t bucket[BUCKETS];
	uint16_t free, newest, oldest;
	struct datagram dg[DEFRAG_DATAGRAMS];
	uint8_t out[DEFRAG_MAX];
};

struct defrag *
defrag_new(void)
{
	struct defrag *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	for (unsigned i = 0; i < BUCKETS; i++)
		d->bucket[i] = NONE;
	for (unsigned i = 0; i < DEFRAG_DATAGRAMS; i++)
		d->dg[i].chain = (uint16_t)(i + 1);
	d->dg[DEFRAG_DATAGRAMS - 1].chain = NONE;
	d->newest = d->oldest = NONE;
	return d;
}

static void
pieces_free(struct defrag *d, struct datagram *g)
{
	struct piece *p, *next;

	for (p = g->pieces; p != NULL; p = next) {
		next = p->next;
		d->bytes -= sizeof(*p) + p->len;
		explicit_bzero(p, sizeof(*p) + p->len);
		free(p);
	}
	g->pieces = g->last = NULL;
}

void
defrag_free(struct defrag *d)
{
	if (d == NULL)
		return;
	for (unsigned i = 0; i < DEFRAG_DATAGRAMS; i++)
		pieces_free(d, &d->dg[i]);
	free(d);
}

const struct defrag_counters *
defrag_counters(const struct defrag *d)
{
	return &d->n;
}

/* The protocol belongs to the key in IPv4 but not in IPv6, where only the
 * first fragment's counts; TCP is all we keep, so it is left out. */
static uint16_t
bucket_of(const struct frag *f)
{
	uint64_t h = f->id * UINT64_C(0x9e3779b97f4a7c15);

	for (unsigned i = 0; i < sizeof(f->src.b); i++)
		h = (h ^ f->src.b[i] ^ (unsigned)(f->dst.b[i] << 8)) *
		    UINT64_C(0x9e3779b97f4a7c15);
	return (h >> 40) % BUCKETS;
}

static bool
same_datagram(const struct datagram *g, const struct frag *f)
{
	return g->id == f->id && g->v6 == f->v6 &&
	       memcmp(&g->src, &f->src, sizeof(f->src)) == 0 &&
	       memcmp(&g->dst, &f->dst, sizeof(f->dst)) == 0;
}

static void
use_unlink(struct defrag *d, uint16_t i)
{
	struct datagram *g = &d->dg[i];

	*(g->newer == NONE ? &d->newest : &d->dg[g->newer].older) = g->older;
	*(g->older == NONE ? &d->oldest : &d->dg[g->older].newer) = g->newer;
}

static void
use_newest(struct defrag *d, uint16_t i)
{
	struct datagram *g = &d->dg[i];

	g->newer = NONE;
	g->older = d->newest;
	*(d->newest == NONE ? &d->oldest : &d->dg[d->newest].newer) = i;
	d->newest = i;
}

/* dropped: it was given up, not finished. */
static void
datagram_end(struct defrag *d, uint16_t i, bool dropped)
{
	struct datagram *g = &d->dg[i];
	struct frag key = {.src = g->src, .dst = g->dst, .id = g->id};
	uint16_t *at = &d->bucket[bucket_of(&key)];

	while (*at != i)
		at = &d->dg[*at].chain;
	*at = g->chain;
	use_unlink(d, i);
	pieces_free(d, g);
	if (dropped)
		d->n.dropped += g->nfrags;
	g->chain = d->free;
	d->free = i;
}

static bool
too_old(const struct datagram *g, int64_t now)
{
	return now - g->first > DEFRAG_SECONDS * NS_PER_S;
}

static uint16_t
datagram_open(struct defrag *d, const struct frag *f)
{
	if (d->free == NONE)
		datagram_end(d, d->oldest, true);
	uint16_t i = d->free, *bucket = &d->bucket[bucket_of(f)];
	struct datagram *g = &d->dg[i];

	d->free = g->chain;
	*g = (struct datagram){.src = f->src,
	    .dst = f->dst,
	    .id = f->id,
	    .v6 = f->v6,
	    .proto = f->proto,
	    .way = f->way,
	    .first = f->time,
	    .chain = *bucket};
	*bucket = i;
	use_newest(d, i);
	return i;
}

/* Finds the datagram or opens one; what is too old is given up on the way. */
static uint16_t
datagram_get(struct defrag *d, const struct frag *f)
{
	while (d->oldest != NONE && too_old(&d->dg[d->oldest], f->time))
		datagram_end(d, d->oldest, true);

	uint16_t i = d->bucket[bucket_of(f)];
	while (i != NONE && !same_datagram(&d->dg[i], f))
		i = d->dg[i].chain;
	if (i != NONE && too_old(&d->dg[i], f->time)) {
		datagram_end(d, i, true); /* an id used again */
		i = NONE;
	}
	if (i == NONE)
		return datagram_open(d, f);
	use_unlink(d, i);
	use_newest(d, i);
	return i;
}

/* Copies a range of the fragment into a new piece behind prev. */
static struct piece *
piece_insert(struct defrag *d, struct datagram *g, struct piece *prev,
    const struct frag *f, struct range range)
{
	struct piece *p = malloc(sizeof(*p) + range.len);

	if (p == NULL)
		return NULL;
	p->off = range.off;
	p->len = range.len;
	memcpy(p->data, f->data + (range.off - f->off), range.len);
	struct piece **at = prev == NULL ? &g->pieces : &prev->next;
	p->next = *at;
	*at = p;
	if (p->next == NULL)
		g->last = p;
	g->held += p->len;
	g->npieces++;
	d->bytes += sizeof(*p) + p->len;
	return p;
}

static bool
exact_copy(const struct piece *p, const struct frag *f)
{
	return p->off == f->off && p->len == f->len &&
	       memcmp(p->data, f->data, f->len) == 0;
}

/* Where both have bytes, are they others? */
static bool
differs(const struct piece *p, const struct frag *f)
{
	uint32_t from = p->off > f->off ? p->off : f->off;
	uint32_t end = p->off + p->len, f_end = f->off + f->len;

	if (end > f_end)
		end = f_end;
	return from < end && memcmp(p->data + (from - p->off),
				 f->data + (from - f->off), end - from) != 0;
}

/* Fills the gaps of the datagram that f covers; first come stays. Returns -1
 * if there is no memory. */
static int
datagram_fill(struct defrag *d, struct datagram *g, const struct frag *f)
{
	struct piece *prev = NULL, *p = g->pieces;
	uint32_t at = f->off, end = f->off + f->len;
	bool overlap = false;

	if (g->last != NULL && g->last->off + g->last->len <= at) {
		prev = g->last; /* in order: the common case */
		p = NULL;
	}
	while (at < end) {
		while (p != NULL && p->off + p->len <= at)
			prev = p, p = p->next;
		if (p != NULL && p->off <= at) {
			overlap |= !exact_copy(p, f);
			g->unsure |= differs(p, f);
			at = p->off + p->len;
			continue;
		}
		uint32_t stop = p != NULL && p->off < end ? p->off : end;
		struct range range = {at, stop - at};
		prev = piece_insert(d, g, prev, f, range);
		if (prev == NULL)
			return -1;
		at = stop;
	}
	d->n.overlap += overlap;
	return 0;
}

/* Offset 0 tells the protocol, the last fragment the length. Returns false if
 * the fragment lies beyond an end that is known, or ends it before what is
 * held: the first word stands. */
static bool
datagram_edges(struct defrag *d, struct datagram *g, const struct frag *f)
{
	uint32_t end = f->off + f->len;
	uint32_t top = g->last == NULL ? 0 : g->last->off + g->last->len;

	if ((g->have_end && (end > g->total || (!f->more && end < g->total))) ||
	    (!f->more && end < top)) {
		d->n.overlap++;
		g->unsure = true;
		return false;
	}
	if (!f->more) {
		g->have_end = true;
		g->total = end;
	}
	if (f->off == 0 && !g->have_start) {
		g->have_start = true;
		g->proto = f->proto;
	}
	return true;
}

static struct slice
datagram_join(struct defrag *d, const struct datagram *g)
{
	const struct piece *p;

	for (p = g->pieces; p != NULL; p = p->next)
		memcpy(d->out + p->off, p->data, p->len);
	return (struct slice){d->out, g->total};
}

/* Room for one more fragment, at the cost of the least recently used. */
static void
make_room(struct defrag *d, uint16_t keep, uint32_t len)
{
	size_t need = (size_t)len + sizeof(struct piece) * 2;

	while (d->bytes + need > DEFRAG_BYTES && d->oldest != keep)
		datagram_end(d, d->oldest, true);
}

static bool
acceptable(const struct frag *f)
{
	if (f->len == 0 || f->len > DEFRAG_MAX || f->off > DEFRAG_MAX ||
	    f->off + f->len > DEFRAG_MAX)
		return false;
	return !f->more || f->len % 8 == 0;
}

/* Linux cuts it, others refuse it. */
static bool
cut_to_8(struct frag *f)
{
	bool odd = f->more && !f->v6 && f->len % 8 != 0;

	if (odd)
		f->len -= f->len % 8;
	return odd;
}

bool
defrag_unsure(const struct defrag *d)
{
	return d->unsure;
}

enum defrag_result
defrag_add(struct defrag *d, const struct frag *in, struct slice *whole,
    uint8_t *proto)
{
	struct frag cut = *in, *f = &cut;
	bool odd = cut_to_8(&cut);

	d->n.fragments++;
	if (!acceptable(f)) {
		d->n.dropped++;
		return DEFRAG_REFUSED;
	}
	uint16_t i = datagram_get(d, f);
	struct datagram *g = &d->dg[i];

	g->unsure |= odd || f->way != g->way;
	make_room(d, i, f->len);
	if (g->npieces >= DEFRAG_PIECES || !datagram_edges(d, g, f)) {
		d->n.dropped++;
		return DEFRAG_REFUSED;
	}
	if (datagram_fill(d, g, f) < 0) {
		d->n.dropped++;
		datagram_end(d, i, true);
		return DEFRAG_REFUSED;
	}
	g->nfrags++;
	if (!g->have_end || g->held < g->total)
		return DEFRAG_HELD;
	*whole = datagram_join(d, g);
	*proto = g->proto;
	d->unsure = g->unsure;
	d->n.reassembled++;
	datagram_end(d, i, false);
	return DEFRAG_DONE;
}

struct table_use
defrag_use(const struct defrag *d)
{
	struct table_use use = {.max_entries = DEFRAG_DATAGRAMS,
	    .bytes = sizeof(*d) + d->bytes,
	    .max_bytes = sizeof(*d) + DEFRAG_BYTES};

	for (uint16_t i = d->oldest; i != NONE; i = d->dg[i].newer)
		use.entries++;
	return use;
}
