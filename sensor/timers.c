/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A heap and not a wheel: observations made by a timer carry their deadline
 * and go out in its order, so the order has to be exact. Positions are kept in
 * an array of their own, so that moving an entry does not touch its flow.
 */
#include "sensor/timers.h"

#include <stdbool.h>
#include <stdlib.h>

#define ARITY 4

struct entry {
	int64_t deadline;
	uint32_t slot;
	uint32_t tie;
};

struct timers {
	struct entry *heap;
	uint32_t *place; /* by slot: index into heap + 1, 0 none */
	uint32_t count, capacity;
};

static bool
is_before(const struct entry *a, const struct entry *b)
{
	if (a->deadline != b->deadline)
		return a->deadline < b->deadline;
	if (a->tie != b->tie)
		return (int32_t)(a->tie - b->tie) < 0;
	return a->slot < b->slot;
}

struct timers *
timers_new(uint32_t capacity)
{
	struct timers *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->capacity = capacity;
	t->heap = calloc(capacity, sizeof(*t->heap));
	t->place = calloc(capacity, sizeof(*t->place));
	if (t->heap == NULL || t->place == NULL) {
		timers_free(t);
		return NULL;
	}
	return t;
}

void
timers_free(struct timers *t)
{
	if (t == NULL)
		return;
	free(t->heap);
	free(t->place);
	free(t);
}

static void
put(struct timers *t, uint32_t i, struct entry e)
{
	t->heap[i] = e;
	t->place[e.slot] = i + 1;
}

static void
sift_up(struct timers *t, uint32_t i, struct entry e)
{
	while (i > 0) {
		uint32_t parent = (i - 1) / ARITY;

		if (!is_before(&e, &t->heap[parent]))
			break;
		put(t, i, t->heap[parent]);
		i = parent;
	}
	put(t, i, e);
}

static uint32_t
least_child(const struct timers *t, uint32_t i)
{
	uint32_t first = i * ARITY + 1, best = first;

	for (uint32_t c = first + 1; c < first + ARITY && c < t->count; c++)
		if (is_before(&t->heap[c], &t->heap[best]))
			best = c;
	return best;
}

static void
sift_down(struct timers *t, uint32_t i, struct entry e)
{
	while (i * ARITY + 1 < t->count) {
		uint32_t child = least_child(t, i);

		if (!is_before(&t->heap[child], &e))
			break;
		put(t, i, t->heap[child]);
		i = child;
	}
	put(t, i, e);
}

/* Finds the place of e from i on, up or down. */
static void
settle(struct timers *t, uint32_t i, struct entry e)
{
	if (i > 0 && is_before(&e, &t->heap[(i - 1) / ARITY]))
		sift_up(t, i, e);
	else
		sift_down(t, i, e);
}

void
timers_set(struct timers *t, uint32_t slot, int64_t deadline)
{
	timers_set_tie(t, slot, deadline, 0);
}

void
timers_set_tie(struct timers *t, uint32_t slot, int64_t deadline, uint32_t tie)
{
	struct entry e = {.deadline = deadline, .slot = slot, .tie = tie};

	if (t->place[slot] == 0)
		sift_up(t, t->count++, e);
	else
		settle(t, t->place[slot] - 1, e);
}

void
timers_clear(struct timers *t, uint32_t slot)
{
	uint32_t i = t->place[slot];
	struct entry last;

	if (i-- == 0)
		return;
	t->place[slot] = 0;
	last = t->heap[--t->count];
	if (i < t->count)
		settle(t, i, last);
}

int64_t
timers_get(const struct timers *t, uint32_t slot)
{
	uint32_t i = t->place[slot];

	return i == 0 ? INT64_MAX : t->heap[i - 1].deadline;
}

int64_t
timers_first(const struct timers *t, uint32_t *slot)
{
	if (t->count == 0)
		return INT64_MAX;
	*slot = t->heap[0].slot;
	return t->heap[0].deadline;
}

uint64_t
timers_bytes(const struct timers *t, uint32_t slots)
{
	return (uint64_t)slots * (sizeof(*t->heap) + sizeof(*t->place));
}
