/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A ladder taken apart, as it is packed when its flow rests. Private to the
 * judge.
 */
#ifndef STRIPWIRE_LADDER_REST_H
#define STRIPWIRE_LADDER_REST_H

#include "decoders/slice.h"
#include "rules/ladder.h"

struct step_image { /* words of 8 bytes */
	int64_t time;
	struct pkt_ref pkt;
	uint8_t kind, dir, has_pkt, pad[5];
};

/* Texts are the ladder's own. Returns how many steps there are. */
unsigned ladder_take_image(struct step_image steps[LADDER_STEPS],
    struct slice texts[LADDER_STEPS], const struct ladder *l);
/* Makes *l anew, of n steps; nothing was skipped. Returns false without memory:
 * then it is empty. */
bool ladder_from_image(struct ladder *l, struct blocks *b,
    const struct step_image *steps, const struct slice *texts, unsigned n);

/* Packets replaced by how far they are from what the one before lets expect: of
 * a connection that began at start; and back. */
void ladder_image_fold(struct step_image *steps, unsigned n, int64_t start);
void ladder_image_unfold(struct step_image *steps, unsigned n, int64_t start);

#endif
