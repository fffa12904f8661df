/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bounded table of what is known: of servers, or of pairs. Entries are in an
 * index and in one of two lists by last use: young ones go first when room is
 * needed, well-known ones only when there are no young ones left, so that a
 * flood of made-up servers cannot wash out what a long time has taught. Private
 * to history.c.
 *
 * Where the table can pack, TABLE_AWAKE entries are whole at a time, and those
 * that were not asked for lately are kept as the bytes in which they differ
 * from the first of them: most pairs have one session a day.
 *
 * While a mark is set, the state of each entry before its first change is kept,
 * so that a whole capture's lessons can be taken back.
 */
#ifndef STRIPWIRE_HISTORY_TABLE_H
#define STRIPWIRE_HISTORY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/blocks.h"
#include "rules/hash_index.h"

#define TABLE_AWAKE 256

enum table_age { AGE_YOUNG, AGE_OLD, AGES };

struct history_entry {
	struct history_entry *older, *newer; /* list by last use */
	struct history_entry *before, *behind; /* among the dirty, first come
						  first */
	void *facts; /* the key leads them; of one that rests: packed */
	uint32_t hash; /* of the key */
	bool old : 1; /* which list */
	bool dirty : 1;
	bool rests : 1;
	bool asked : 1; /* since the hand passed: see table_aside */
	bool born : 1; /* after that mark: nothing to go back to */
	uint8_t mark; /* at which it is as if it were kept; 0: none */
	uint8_t place; /* of one awake: in table_aside */
	uint8_t len; /* of one that rests: bytes */
};

struct table_packing {
	bool (*may_rest)(const void *facts);
	/* Returns bytes, room at most. */
	size_t (*pack)(uint8_t *dst, const void *facts, const void *like);
	void (*unpack)(void *facts, const uint8_t *src, const void *like);
	size_t room;
};

struct table_aside { /* what also a look changes */
	struct history_entry *found; /* the last one asked for; or NULL */
	struct blocks blocks; /* of what can be packed, all */
	struct history_entry *awake[TABLE_AWAKE]; /* in turns */
	uint32_t hand; /* the next one, unless it was asked for */
	uint8_t *room; /* for one packed */
	void *like, *one; /* facts */
	bool has_like;
};

struct undo; /* what an entry was like at the mark */

struct table {
	struct hash_index index;
	struct history_entry *oldest[AGES], *newest[AGES];
	struct history_entry *first_dirty, *last_dirty;
	struct undo *undo;
	uint64_t nundo, undo_bytes;
	size_t key_size, size; /* the key leads the facts */
	uint64_t count, max, evicted, ndirty;
	bool (*is_old)(const void *facts);
	const struct table_packing *packing; /* NULL: all are whole */
	struct table_aside *aside;
	uint8_t mark; /* the current one, never 0 */
};

/* -1: no memory. */
int table_init(struct table *t, const struct table_packing *packing)
    __attribute__((warn_unused_result));
void table_fini(struct table *t);

/* NULL: not there. It is whole until others than the next one were asked for;
 * mostly until TABLE_AWAKE were. */
struct history_entry *table_find(const struct table *t, const void *key);
/* What is known, to look at; of one that rests until the next call. */
const void *table_facts(const struct table *t, const struct history_entry *e);
/* For learning: finds or makes room; NULL: none, or no memory. */
void *table_touch(struct table *t, const void *key, bool marked);
/* Puts facts in as they are, clean; what is known already is replaced. */
void table_load(struct table *t, const void *facts);
void table_remove(struct table *t, struct history_entry *e);
/* The first max of those that are dirty are so no more. */
void table_clean(struct table *t, uint64_t max);

/* Nothing is taken back any more; or all since the mark. */
void table_undo_forget(struct table *t);
void table_undo(struct table *t);

/* Bytes of what is there, and of max at most. */
uint64_t table_bytes(const struct table *t);
uint64_t table_bytes_most(const struct table *t);

#endif
