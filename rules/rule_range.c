/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Set algebra on 128-bit numbers in network order, so that memcmp() is the
 * order and only the steps by one need arithmetic.
 */
#include "rules/rule_range.h"

#include <stdlib.h>
#include <string.h>

static int
addr_cmp(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

/* a + 1; false if it wraps round. */
static bool
addr_next(struct addr *a)
{
	for (int i = 15; i >= 0; i--)
		if (++a->b[i] != 0)
			return true;
	return false;
}

/* a - 1, for a that is not zero. */
static void
addr_prev(struct addr *a)
{
	for (int i = 15; i >= 0; i--)
		if (a->b[i]-- != 0)
			return;
}

void
range_set_free(struct range_set *s)
{
	free(s->r);
	*s = (struct range_set){0};
}

int
range_set_add(struct range_set *s, const struct addr *lo, const struct addr *hi)
{
	if (s->n == s->cap) {
		unsigned cap = s->cap == 0 ? 4 : s->cap * 2;
		struct range *r = realloc(s->r, cap * sizeof(*r));

		if (r == NULL)
			return -1;
		s->r = r;
		s->cap = cap;
	}
	s->r[s->n++] = (struct range){*lo, *hi};
	return 0;
}

int
range_set_add_all(struct range_set *s, const struct range_set *other)
{
	for (unsigned i = 0; i < other->n; i++)
		if (range_set_add(s, &other->r[i].lo, &other->r[i].hi) == -1)
			return -1;
	return 0;
}

static int
range_cmp(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	int c = addr_cmp(&x->lo, &y->lo);

	return c != 0 ? c : addr_cmp(&x->hi, &y->hi);
}

void
range_set_settle(struct range_set *s)
{
	unsigned n = 0;

	if (s->n > 1)
		qsort(s->r, s->n, sizeof(*s->r), range_cmp);
	for (unsigned i = 0; i < s->n; i++) {
		struct addr after;

		if (n > 0) {
			after = s->r[n - 1].hi;
			if (!addr_next(&after) ||
			    addr_cmp(&s->r[i].lo, &after) <= 0) {
				if (addr_cmp(&s->r[i].hi, &s->r[n - 1].hi) > 0)
					s->r[n - 1].hi = s->r[i].hi;
				continue;
			}
		}
		s->r[n++] = s->r[i];
	}
	s->n = n;
}

/* What is left of one range of a without those of b, from b's place *j on. */
static int
subtract_one(struct range_set *out, struct range left,
    const struct range_set *b, unsigned *j)
{
	while (*j < b->n && addr_cmp(&b->r[*j].hi, &left.lo) < 0)
		++*j;
	for (; *j < b->n && addr_cmp(&b->r[*j].lo, &left.hi) <= 0; ++*j) {
		const struct range *cut = &b->r[*j];

		if (addr_cmp(&cut->lo, &left.lo) > 0) {
			struct addr end = cut->lo;

			addr_prev(&end);
			if (range_set_add(out, &left.lo, &end) == -1)
				return -1;
		}
		if (addr_cmp(&cut->hi, &left.hi) >= 0)
			return 0; /* cut may reach into the next one too */
		left.lo = cut->hi;
		(void)addr_next(&left.lo);
	}
	return range_set_add(out, &left.lo, &left.hi);
}

int
range_set_subtract(struct range_set *a, const struct range_set *b)
{
	struct range_set out = {0};
	unsigned j = 0;

	for (unsigned i = 0; i < a->n; i++) {
		if (subtract_one(&out, a->r[i], b, &j) == -1) {
			range_set_free(&out);
			return -1;
		}
	}
	range_set_free(a);
	*a = out;
	return 0;
}

bool
range_set_has(const struct range_set *s, const struct addr *a)
{
	unsigned lo = 0, hi = s->n;

	if (s->all)
		return true;
	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;

		if (addr_cmp(a, &s->r[mid].lo) < 0)
			hi = mid;
		else if (addr_cmp(a, &s->r[mid].hi) > 0)
			lo = mid + 1;
		else
			return true;
	}
	return false;
}

struct addr
addr_of_port(uint16_t port)
{
	struct addr a = {{0}};

	a.b[14] = (uint8_t)(port >> 8);
	a.b[15] = (uint8_t)port;
	return a;
}

bool
range_set_has_port(const struct range_set *s, uint16_t port)
{
	struct addr a = addr_of_port(port);

	return range_set_has(s, &a);
}
