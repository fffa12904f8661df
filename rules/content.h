/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * content, pcre, bsize and isdataat on the bytes of one buffer, as Suricata
 * documents them: offset and depth count from the buffer's start, distance and
 * within from the end of the match before; a match that leads nowhere is given
 * up for the next one (bounded). A negated check holds where nothing is found.
 */
#ifndef STRIPWIRE_CONTENT_H
#define STRIPWIRE_CONTENT_H

#include <stdbool.h>

#include "decoders/slice.h"

#define CONTENT_MAX 255 /* bytes of one content, as in Suricata */
#define CHECKS_MAX 32 /* of one rule */
#define CONTENT_STEPS_MAX 2000 /* tries for one rule on one buffer */
#define CONTENT_BUFFER_MAX 4096 /* bytes that transforms look at */

enum check_kind { CHECK_CONTENT = 1, CHECK_PCRE, CHECK_BSIZE, CHECK_ISDATAAT };

enum transform { /* bits; done in this order */
	TRANSFORM_STRIP = 1 << 0, /* without white space */
	TRANSFORM_LOWER = 1 << 1,
	TRANSFORM_UPPER = 1 << 2,
	TRANSFORM_DOT = 1 << 3 /* a dot in front of a name */
};

struct check {
	uint8_t kind; /* enum check_kind */
	bool negated, nocase, relative;
	bool has_offset, has_depth, has_distance, has_within;
	bool starts, ends, fast;
	int32_t offset, depth, distance, within;
	uint32_t lo, hi; /* CHECK_BSIZE, CHECK_ISDATAAT (lo): inclusive */
	uint16_t len;
	uint8_t *bytes; /* owned; folded to lower case if nocase */
	void *code; /* a pcre2_code, owned */
};

void checks_free(struct check *c, unsigned n);

/* Compiles "pattern" with Suricata's modifier letters into c. false: err says
 * what is wrong, *at where in the pattern. */
bool check_pcre(struct check *c, struct slice pattern, struct slice modifiers,
    size_t *at, char *err, size_t errlen);

/* Limits that were hit; added to. */
struct content_counters {
	uint64_t steps, pcre_limits;
};

/* Do all n checks hold? */
bool content_holds(const struct check *c, unsigned n, uint8_t transform,
    struct slice bytes, struct content_counters *counters);

#endif
