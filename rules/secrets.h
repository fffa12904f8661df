/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Secrets that were sent in clear lately, by the number that the decoder gave
 * each, to say "the same one again". Nothing of what they are is known here.
 */
#ifndef STRIPWIRE_SECRETS_H
#define STRIPWIRE_SECRETS_H

#include "rules/detect.h"

#define SECRETS_MAX 256 /* the oldest goes */

struct secrets { /* all 0: none */
	struct secret_seen seen[SECRETS_MAX];
	unsigned next;
};

/* The one of this observation, if it was sent before. Lives until the next
 * secrets_remember(). */
const struct secret_seen *secrets_same(
    const struct secrets *s, const struct obs *o);
/* of an OBS_AUTH */
void secrets_remember(struct secrets *s, const struct obs *o);

#endif
