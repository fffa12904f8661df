/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The facts of a flow in one piece, every part at a place of its own, as they
 * are packed when the flow rests. Private to the judge.
 */
#ifndef STRIPWIRE_FACTS_REST_H
#define STRIPWIRE_FACTS_REST_H

#include "decoders/slice.h"
#include "rules/facts.h"

#define FACTS_MOMENTS 10
#define FACTS_INSTANTS 9

enum facts_text { /* the texts of the parts */
	TEXT_HOST,
	TEXT_NAME,
	TEXT_WORDS,
	TEXT_SNI,
	FACTS_TEXTS
};
#define FACTS_TEXT_ROOM (3 * OBS_NAME_MAX + OBS_WORDS_MAX) /* with NULs */

struct facts_image { /* where a text or a part is referred to: NULL */
	struct facts f;
	struct facts_greeting greeting;
	struct facts_caps caps;
	struct facts_clear clear;
	struct facts_auth auth;
	struct facts_rare rare;
	struct facts_rst rst[2];
	struct facts_odd odd;
	struct moment refused;
	struct facts_tls tls;
	struct obs_proxy proxied;
	/* for judged_rest.c, all 0 here: moments, then instants */
	uint8_t of[FACTS_MOMENTS + FACTS_INSTANTS];
	uint16_t parts; /* those that are there; of others all is 0 */
};

/* texts: those of the flow itself. */
void facts_take_image(struct facts_image *to, struct slice texts[FACTS_TEXTS],
    const struct facts *f);
/* Makes *f anew; each text ends with a NUL. Returns false without memory: then
 * nothing is known of it, and nothing is held. */
bool facts_from_image(struct facts *f, struct blocks *b,
    const struct facts_image *from, const struct slice texts[FACTS_TEXTS]);

/* All moments of it, FACTS_MOMENTS, and FACTS_INSTANTS. */
struct moment *facts_image_moment(struct facts_image *i, unsigned n);
struct instant *facts_image_instant(struct facts_image *i, unsigned n);

#endif
