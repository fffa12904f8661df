/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ladder: the steps of a dialogue that a person needs to understand an
 * alert. The first LADDER_FIRST and the last LADDER_LAST steps of a flow are
 * kept; text is what the decoders masked.
 */
#ifndef STRIPWIRE_LADDER_H
#define STRIPWIRE_LADDER_H

#include "rules/alert.h"
#include "rules/blocks.h"

#define LADDER_FIRST 8
#define LADDER_LAST (LADDER_STEPS - LADDER_FIRST)

struct ladder { /* all zero is empty */
	uint8_t *bytes; /* the steps, each as long as its text */
	uint16_t used, room; /* bytes */
	uint8_t n; /* LADDER_STEPS at most */
	bool skipped; /* some, between the first and the last */
};

#define LADDER_BYTES_MAX (LADDER_STEPS * sizeof(struct step))

/* blocks: what they are made of, the same ones always. */
void ladder_fini(struct ladder *l, struct blocks *b);
/* Adds the steps of an observation, if it is one that people want to see. */
void ladder_add(struct ladder *l, struct blocks *b, const struct obs *o);
/* Before it is filled in: from memory meanwhile. */
static inline void
ladder_ahead(const struct ladder *l)
{
	for (unsigned at = 0; at < l->used; at += 64)
		__builtin_prefetch(l->bytes + at);
}
/* Fills the alert's steps; marks the one of the finding's packet, and adds it
 * if it is none of them. */
void ladder_fill(const struct ladder *l, struct alert *a);

/* Makes `to` the last steps of a flow, at most max. Without memory it stays
 * empty. */
void ladder_tail(
    struct ladder *to, struct blocks *b, const struct ladder *l, unsigned max);
/* Puts the steps of another connection where their times are; those in the
 * middle give way if there is no room. like: what they have in common. */
void ladder_merge(
    struct alert *a, const struct ladder *l, const struct step *like);

#endif
