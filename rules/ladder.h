/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ladder: the steps of a dialogue that a person needs to understand an
 * alert. The first LADDER_FIRST and the last LADDER_LAST steps of a flow are
 * kept; text is what the decoders masked.
 */
#ifndef STRIPWIRE_LADDER_H
#define STRIPWIRE_LADDER_H

#include "rules/alert.h"

#define LADDER_FIRST 8
#define LADDER_LAST (LADDER_STEPS - LADDER_FIRST)

struct ladder { /* all zero is empty */
	struct step *step; /* grown up to LADDER_STEPS */
	uint8_t n, room;
	uint8_t next; /* of the last ones: where the ring goes on */
	uint32_t skipped; /* between the first and the last */
};

void ladder_fini(struct ladder *l);
/* Adds the steps of an observation, if it is one that people want to see. */
void ladder_add(struct ladder *l, const struct obs *o);
/* Fills the alert's steps; marks the one of the finding's packet, and adds it
 * if it is none of them. */
void ladder_fill(const struct ladder *l, struct alert *a);

/* The last steps of a flow, at most max; returns how many. */
unsigned ladder_tail(const struct ladder *l, struct step *out, unsigned max);
/* Puts steps of another connection where their times are; those in the middle
 * give way if there is no room. */
void ladder_merge(struct alert *a, const struct step *s, unsigned n);

#endif
