/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/ahead.h"

#include "sensor/conn.h"

#define LINE 64 /* bytes of a cache line */
#define MAIL 320 /* bytes of a decoder; beyond are rare parts */

/* The one that the bucket names first mostly is it. */
static inline const struct flow *
flow_of(const struct tracker *t, const struct flow_place *place)
{
	uint32_t slot = flow_first(t->flows, place->hash);

	return slot == FLOW_NONE ? NULL : flow_at(t->flows, slot);
}

void
ahead_flow(const struct tracker *t, const struct flow_place *place)
{
	const struct flow *f = flow_of(t, place);

	if (f != NULL)
		__builtin_prefetch(f, 1);
}

void
ahead_conn(const struct tracker *t, const struct flow_place *place)
{
	const struct flow *f = flow_of(t, place);

	if (f == NULL || f->conn == NULL)
		return;
#pragma GCC unroll 16
	for (size_t i = 0; i < sizeof(struct conn); i += LINE)
		__builtin_prefetch((const char *)f->conn + i, 1);
}

void
ahead_parts(const struct tracker *t, const struct flow_place *place)
{
	const struct flow *f = flow_of(t, place);
	const char *mail;

	if (f == NULL || f->conn == NULL)
		return;
	mail = (const char *)f->conn->mail;
	evidence_fetch(
	    &f->conn->ev, f->client_is_b == place->from_b ? DIR_C2S : DIR_S2C);
	if (mail == NULL)
		return;
#pragma GCC unroll 8
	for (size_t i = 0; i < MAIL; i += LINE)
		__builtin_prefetch(mail + i, 1);
}
