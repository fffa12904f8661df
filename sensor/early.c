/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Observations as they are, cut to the kinds that TCP evidence makes: the
 * largest of them is a content conflict.
 */
#include "sensor/early.h"

#include <string.h>

#define KEPT_MAX \
	(offsetof(struct obs, u) + sizeof(((struct obs *)0)->u.conflict))

struct early {
	unsigned n;
	uint8_t obs[EARLY_OBS][KEPT_MAX];
};

struct pool *
early_pool(unsigned workers)
{
	unsigned flows = workers > 1 ? EARLY_FLOWS / workers : EARLY_FLOWS;

	return pool_new(
	    sizeof(struct early), flows > EARLY_LEAST ? flows : EARLY_LEAST);
}

bool
early_keep(struct pool *p, struct early **e, const struct obs *o)
{
	if (o->size > KEPT_MAX)
		return false;
	if (*e == NULL) {
		*e = pool_get(p);
		if (*e == NULL)
			return false;
		(*e)->n = 0;
	}
	if ((*e)->n == EARLY_OBS)
		return false;
	memcpy((*e)->obs[(*e)->n++], o, o->size);
	return true;
}

unsigned
early_count(const struct early *e)
{
	return e == NULL ? 0 : e->n;
}

void
early_get(const struct early *e, unsigned i, struct obs *o)
{
	uint16_t size;

	memcpy(&size, e->obs[i] + offsetof(struct obs, size), sizeof(size));
	memcpy(o, e->obs[i], size);
}
