/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets of addresses or ports as sorted ranges that do not touch, so that a
 * list with negations inside negations costs one binary search. A port is the
 * address ::port; IPv4 lies at ::ffff:0:0/96 as everywhere.
 */
#ifndef STRIPWIRE_RULE_RANGE_H
#define STRIPWIRE_RULE_RANGE_H

#include <stdbool.h>

#include "decoders/packet.h"

struct range {
	struct addr lo, hi;
};

struct range_set {
	struct range *r;
	unsigned n, cap;
	bool all; /* holds everything; r is NULL */
};

void range_set_free(struct range_set *s);

/* Adds lo to hi; the set is normal only after range_set_settle(). -1: no
 * memory. */
int range_set_add(struct range_set *s, const struct addr *lo,
    const struct addr *hi) __attribute__((warn_unused_result));
int range_set_add_all(struct range_set *s, const struct range_set *other)
    __attribute__((warn_unused_result));
/* Sorts and joins what overlaps or touches. */
void range_set_settle(struct range_set *s);
/* Takes what is in b out of a; both are settled. -1: no memory. */
int range_set_subtract(struct range_set *a, const struct range_set *b)
    __attribute__((warn_unused_result));

bool range_set_has(const struct range_set *s, const struct addr *a);
bool range_set_has_port(const struct range_set *s, uint16_t port);

struct addr addr_of_port(uint16_t port);

#endif
