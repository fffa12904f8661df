/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rules/history_table.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/table_use.h"
#include "rules/server_key.h"

struct undo { /* facts follow */
	struct undo *next;
	bool was_dirty;
};

static void *
undo_facts(struct undo *u)
{
	return u + 1;
}

static size_t
in_one(const struct table *t)
{
	return sizeof(struct history_entry) + t->size;
}

/* ---- lists ---- */

static void
list_remove(struct table *t, struct history_entry *e)
{
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		t->oldest[e->old] = e->newer;
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		t->newest[e->old] = e->older;
}

/* It is awake. */
static void
list_append(struct table *t, struct history_entry *e)
{
	e->old = t->is_old(e->facts);
	e->newer = NULL;
	e->older = t->newest[e->old];
	if (e->older != NULL)
		e->older->newer = e;
	else
		t->oldest[e->old] = e;
	t->newest[e->old] = e;
}

static void
set_dirty(struct table *t, struct history_entry *e)
{
	if (e->dirty)
		return;
	e->dirty = true;
	e->behind = NULL;
	e->before = t->last_dirty;
	*(e->before != NULL ? &e->before->behind : &t->first_dirty) = e;
	t->last_dirty = e;
	t->ndirty++;
}

static void
set_clean(struct table *t, struct history_entry *e)
{
	if (!e->dirty)
		return;
	e->dirty = false;
	*(e->before != NULL ? &e->before->behind : &t->first_dirty) = e->behind;
	*(e->behind != NULL ? &e->behind->before : &t->last_dirty) = e->before;
	t->ndirty--;
}

void
table_clean(struct table *t, uint64_t max)
{
	for (uint64_t n = 0; n < max && t->first_dirty != NULL; n++)
		set_clean(t, t->first_dirty);
}

/* ---- whole and packed ---- */

/* Stays whole where it would be no smaller, or without memory. */
static void
put_to_rest(const struct table *t, struct history_entry *e)
{
	const struct table_packing *how = t->packing;
	struct table_aside *a = t->aside;
	uint8_t *packed;
	size_t len;

	if (!a->has_like)
		memcpy(a->like, e->facts, t->size);
	a->has_like = true;
	len = how->pack(a->room, e->facts, a->like);
	packed = len <= UINT8_MAX ? blocks_get(&a->blocks, len) : NULL;
	if (packed == NULL)
		return;
	memcpy(packed, a->room, len);
	blocks_put(&a->blocks, e->facts, t->size);
	e->facts = packed;
	e->len = (uint8_t)len;
	e->rests = true;
	if (a->found == e)
		a->found = NULL;
}

/* Another is awake: the one goes to rest that was not asked for since the hand
 * was there last, and is not the latest answer. */
static void
add_awake(const struct table *t, struct history_entry *e)
{
	struct table_aside *a = t->aside;
	struct history_entry **turn;

	if (!t->packing->may_rest(e->facts))
		return;
	while ((turn = &a->awake[a->hand]),
	    *turn != NULL && ((*turn)->asked || *turn == a->found)) {
		(*turn)->asked = false;
		a->hand = (a->hand + 1) % TABLE_AWAKE;
	}
	if (*turn != NULL)
		put_to_rest(t, *turn);
	*turn = e;
	e->place = (uint8_t)a->hand;
	e->asked = true;
	a->hand = (a->hand + 1) % TABLE_AWAKE;
}

_Static_assert(TABLE_AWAKE - 1 <= UINT8_MAX, "struct history_entry.place");

/* Returns false without memory. */
static bool
wake(const struct table *t, struct history_entry *e)
{
	struct table_aside *a = t->aside;
	uint8_t *packed = e->facts;
	void *facts = blocks_get(&a->blocks, t->size);

	if (facts == NULL)
		return false;
	t->packing->unpack(facts, packed, a->like);
	blocks_put(&a->blocks, packed, e->len);
	e->facts = facts;
	e->rests = false;
	add_awake(t, e);
	return true;
}

const void *
table_facts(const struct table *t, const struct history_entry *e)
{
	if (!e->rests)
		return e->facts;
	t->packing->unpack(t->aside->one, e->facts, t->aside->like);
	return t->aside->one;
}

/* With nothing known. NULL: no memory. */
static struct history_entry *
new_entry(struct table *t)
{
	struct blocks *b = &t->aside->blocks;
	struct history_entry *e;

	if (t->packing == NULL) {
		e = calloc(1, in_one(t));
		if (e != NULL)
			e->facts = e + 1;
		return e;
	}
	e = blocks_get(b, sizeof(*e));
	if (e == NULL)
		return NULL;
	memset(e, 0, sizeof(*e));
	e->facts = blocks_get(b, t->size);
	if (e->facts == NULL) {
		blocks_put(b, e, sizeof(*e));
		return NULL;
	}
	memset(e->facts, 0, t->size);
	return e;
}

static void
free_entry(struct table *t, struct history_entry *e)
{
	struct table_aside *a = t->aside;

	if (t->packing == NULL) {
		free(e);
		return;
	}
	if (a->awake[e->place] == e)
		a->awake[e->place] = NULL;
	blocks_put(&a->blocks, e->facts, e->rests ? e->len : t->size);
	blocks_put(&a->blocks, e, sizeof(*e));
}

/* ---- finding ---- */

/* What differs most often, the end of the address: a look at it. */
static inline bool
is_near(const struct history_entry *e, const void *key)
{
	const size_t end = sizeof(struct addr) - sizeof(uint64_t);
	uint64_t a, b;

	memcpy(&a, (const uint8_t *)e->facts + end, sizeof(a));
	memcpy(&b, (const uint8_t *)key + end, sizeof(b));
	return a == b;
}

static inline bool
is_it(const struct table *t, const struct history_entry *e, const void *key)
{
	return memcmp(e->facts, key, t->key_size) == 0;
}

/* What is looked at is learned of next. */
struct history_entry *
table_find(const struct table *t, const void *key)
{
	struct history_entry *e = t->aside->found;
	uint32_t h, at;

	if (e != NULL && is_near(e, key) && is_it(t, e, key))
		return e;
	h = at = key_hash(key, t->key_size);
	while ((e = hash_index_next(&t->index, h, &at)) != NULL)
		if ((!e->rests || wake(t, e)) && is_it(t, e, key))
			break;
	if (e == NULL)
		return NULL;
	t->aside->found = e;
	e->asked = true;
	return e;
}

/* Of all facts, or of the key. */
static struct history_entry *
insert(struct table *t, const void *facts, size_t size)
{
	struct history_entry *e = new_entry(t);

	if (e == NULL)
		return NULL;
	memcpy(e->facts, facts, size);
	e->hash = key_hash(facts, t->key_size);
	if (!hash_index_add(&t->index, e->hash, e)) {
		free_entry(t, e);
		return NULL;
	}
	list_append(t, e);
	if (t->packing != NULL)
		add_awake(t, e);
	t->count++;
	return e;
}

void
table_remove(struct table *t, struct history_entry *e)
{
	hash_index_remove(&t->index, e->hash, e);
	if (t->aside->found == e)
		t->aside->found = NULL;
	list_remove(t, e);
	t->count--;
	set_clean(t, e);
	free_entry(t, e);
}

/* ---- taking back ---- */

/* As it was at the mark. */
static inline bool
is_saved(const struct table *t, const struct history_entry *e)
{
	return e->mark == t->mark;
}

/* Keeps the state of one that is not saved, before its first change since
 * the mark. Returns false if there is no memory: then the change is not made. */
static bool
undo_save(struct table *t, struct history_entry *e)
{
	struct undo *u = malloc(sizeof(*u) + t->size);

	if (u == NULL)
		return false;
	memcpy(undo_facts(u), table_facts(t, e), t->size);
	t->undo_bytes += table_alloc(sizeof(*u) + t->size);
	u->was_dirty = e->dirty;
	u->next = t->undo;
	t->undo = u;
	t->nundo++;
	e->mark = t->mark;
	e->born = false;
	return true;
}

void
table_undo_forget(struct table *t)
{
	struct undo *u;

	while ((u = t->undo) != NULL) {
		t->undo = u->next;
		free(u);
	}
	t->nundo = t->undo_bytes = 0;
	if (++t->mark != 0)
		return;
	t->mark = 1;
	for (int age = AGE_YOUNG; age < AGES; age++)
		for (struct history_entry *e = t->oldest[age]; e != NULL;
		     e = e->newer)
			e->mark = 0;
}

static void
remove_born(struct table *t)
{
	struct history_entry *e, *next;

	for (int age = AGE_YOUNG; age < AGES; age++)
		for (e = t->oldest[age]; e != NULL; e = next) {
			next = e->newer;
			if (is_saved(t, e) && e->born)
				table_remove(t, e);
		}
}

void
table_undo(struct table *t)
{
	struct history_entry *e;

	remove_born(t);
	for (struct undo *u = t->undo; u != NULL; u = u->next) {
		e = table_find(t, undo_facts(u));
		if (e != NULL)
			table_remove(t, e);
		e = insert(t, undo_facts(u), t->size);
		if (e != NULL && u->was_dirty)
			set_dirty(t, e);
	}
	table_undo_forget(t);
}

/* ---- room ---- */

static bool
evict_one(struct table *t, bool marked)
{
	struct history_entry *e = t->oldest[AGE_YOUNG];

	if (e == NULL)
		e = t->oldest[AGE_OLD];
	if (e == NULL || (marked && !is_saved(t, e) && !undo_save(t, e)))
		return false;
	table_remove(t, e);
	t->evicted++;
	return true;
}

static struct history_entry *
add(struct table *t, const void *key, bool marked)
{
	struct history_entry *e;

	if (t->count >= t->max && !evict_one(t, marked))
		return NULL;
	e = insert(t, key, t->key_size);
	if (e != NULL && marked) {
		e->mark = t->mark;
		e->born = true;
	}
	return e;
}

void *
table_touch(struct table *t, const void *key, bool marked)
{
	struct history_entry *e = table_find(t, key);

	if (e == NULL)
		e = add(t, key, marked);
	else if (marked && !is_saved(t, e) && !undo_save(t, e))
		return NULL;
	if (e == NULL)
		return NULL;
	list_remove(t, e);
	list_append(t, e);
	set_dirty(t, e);
	return e->facts;
}

void
table_load(struct table *t, const void *facts)
{
	struct history_entry *e = table_find(t, facts);

	if (e != NULL)
		table_remove(t, e);
	else if (t->count >= t->max && !evict_one(t, false))
		return;
	(void)insert(t, facts, t->size);
}

/* ---- the module ---- */

int
table_init(struct table *t, const struct table_packing *packing)
{
	struct table_aside *a = calloc(1, sizeof(*a));

	t->mark = 1;
	t->aside = a;
	t->packing = packing;
	if (a == NULL)
		return -1;
	blocks_init(&a->blocks);
	if (packing == NULL)
		return 0;
	a->room = malloc(packing->room);
	a->like = calloc(1, t->size);
	a->one = calloc(1, t->size);
	return a->room != NULL && a->like != NULL && a->one != NULL ? 0 : -1;
}

void
table_fini(struct table *t)
{
	if (t->aside == NULL)
		return;
	table_undo_forget(t);
	for (int age = AGE_YOUNG; age < AGES; age++)
		while (t->oldest[age] != NULL)
			table_remove(t, t->oldest[age]);
	hash_index_fini(&t->index);
	blocks_fini(&t->aside->blocks);
	free(t->aside->room);
	free(t->aside->like);
	free(t->aside->one);
	free(t->aside);
}

uint64_t
table_bytes(const struct table *t)
{
	return sizeof(*t) + hash_index_size(t->count) +
	       (t->packing == NULL ? t->count * table_alloc(in_one(t))
				   : blocks_use(&t->aside->blocks));
}

uint64_t
table_bytes_most(const struct table *t)
{
	uint64_t all = t->max * in_one(t);

	return sizeof(*t) + hash_index_size(t->max) +
	       (t->packing == NULL ? t->max * table_alloc(in_one(t))
				   : blocks_most(all));
}
