/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How not to hear of it again: for what an operator closed as no attack, the
 * narrowest means that fits. What the server or a device really does is
 * better told than silenced, since all else about it is then still watched.
 */
#ifndef STRIPWIRE_SUPPRESSION_H
#define STRIPWIRE_SUPPRESSION_H

#include <stdio.h>

#include "db/triage.h"

#define SUPPRESSIONS_TOLD 12 /* of one call; alike ones count once */

/* Prints what to do so that these alerts, or those of these incidents, are
 * not raised again. -1 with a sentence: the database cannot be read. */
int suppression_offer(FILE *out, const char *db, enum triage_kind kind,
    const int64_t *ids, unsigned n, char *err, size_t errlen)
    __attribute__((warn_unused_result));

#endif
