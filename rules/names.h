/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * User names in what leaves the judge: as they are, as a keyed hash, by which
 * the same user is known again, or not at all. The part before '@' is the
 * name; the domain after it stays. This is done to observations before anything
 * else sees them, so that no finding, sentence or step of a ladder, of
 * this flow or another, can hold the name.
 */
#ifndef STRIPWIRE_NAMES_H
#define STRIPWIRE_NAMES_H

#include "decoders/obs.h"
#include "decoders/siphash.h"

enum names_mode { NAMES_CLEAR = 0, NAMES_HASHED, NAMES_NONE };

struct names {
	uint8_t mode; /* enum names_mode */
	uint8_t key[SIPHASH_KEY]; /* for NAMES_HASHED */
};

/* NAMES_CLEAR changes nothing. Else the user of OBS_AUTH becomes
 * "user-" and 12 hexadecimal digits, or "", and so does the part before '@' of
 * each mail address in a text of the wire ("…" for NAMES_NONE). */
void names_hide(const struct names *n, struct obs *o);

#endif
