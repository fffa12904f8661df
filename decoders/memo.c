/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "decoders/memo.h"

#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define SETS (MEMO_PLACES / WAYS)
#define SAMPLES 32 /* words that decide on the set */
#define MIX UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio */

/* Spread over the key, so that a long one costs no more than a short one. */
static struct memo_place *
set_of(struct memo *m, struct slice key)
{
	uint64_t h = key.len * MIX, word;
	size_t step = key.len / SAMPLES > 8 ? key.len / SAMPLES : 8;

	for (size_t at = 0; at + 8 <= key.len; at += step) {
		memcpy(&word, key.p + at, 8);
		h = (h ^ word) * MIX;
		h ^= h >> 29;
	}
	return &m->place[(h >> 32) % SETS * WAYS];
}

bool
memo_get(struct memo *m, struct slice key, void *value, size_t size)
{
	struct memo_place *set = set_of(m, key);

	for (unsigned i = 0; i < WAYS; i++) {
		struct memo_place *p = &set[i];

		if (p->key == NULL || p->len != key.len ||
		    memcmp(p->key, key.p, key.len) != 0)
			continue;
		p->used = ++m->clock;
		memcpy(value, p->value, size);
		return true;
	}
	return false;
}

void
memo_put(struct memo *m, struct slice key, const void *value, size_t size)
{
	struct memo_place *set = set_of(m, key), *p = set;
	uint8_t *copy;

	if (key.len == 0 || key.len > MEMO_KEY_MAX)
		return;
	for (unsigned i = 1; i < WAYS; i++)
		if (set[i].used < p->used)
			p = &set[i];
	copy = realloc(p->key, key.len);
	if (copy == NULL)
		return;
	memcpy(copy, key.p, key.len);
	p->key = copy;
	p->len = key.len;
	p->used = ++m->clock;
	memcpy(p->value, value, size);
}
