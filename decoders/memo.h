/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Results by the bytes that they follow from: a busy server shows the same
 * chain, and its clients the same hello, on every connection. Bytes are
 * compared in full, so that nobody can make one pass for another; of those
 * that fall together the one not asked for longest goes. Whoever sends other
 * bytes each time makes it useless, and costs what it cost without.
 *
 * Not for several threads at once. At most MEMO_PLACES * MEMO_KEY_MAX bytes.
 */
#ifndef STRIPWIRE_MEMO_H
#define STRIPWIRE_MEMO_H

#include <stdbool.h>

#include "decoders/slice.h"

#define MEMO_KEY_MAX 8192 /* longer ones are not kept */
#define MEMO_VALUE_MAX 96
#define MEMO_PLACES 64

struct memo { /* zeros: empty */
	uint64_t clock;
	struct memo_place {
		uint8_t *key; /* NULL: free */
		size_t len;
		uint64_t used;
		uint8_t value[MEMO_VALUE_MAX];
	} place[MEMO_PLACES];
};

/* size: of the value, at most MEMO_VALUE_MAX, the same for all of a memo.
 * False: not known, and *value is as it was. */
bool memo_get(struct memo *m, struct slice key, void *value, size_t size);
/* Of what memo_get() did not know. */
void memo_put(struct memo *m, struct slice key, const void *value, size_t size);

#endif
