/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A ring of runs. See queue.h for what being unsure means.
 */
#include "decoders/queue.h"

static struct queue_entry *
at(struct queue *q, unsigned i)
{
	return q->e != NULL ? &q->e[(q->head + i) % QUEUE_MAX] : &q->one;
}

void
queue_room(struct queue *q, struct queue_entry *e)
{
	e[0] = q->one;
	q->head = 0;
	q->e = e;
}

void
queue_clear(struct queue *q)
{
	*q = (struct queue){.e = q->e};
}

void
queue_unsure(struct queue *q)
{
	queue_clear(q);
	q->unsure = 1;
}

bool
queue_push(struct queue *q, uint8_t verb, uint8_t mark, bool in_step)
{
	struct queue_entry *last;

	if (q->unsure && q->turned && in_step)
		queue_clear(q);
	q->turned = 0;
	if (q->unsure)
		return false;
	last = q->n > 0 ? at(q, q->n - 1u) : NULL;
	if (last != NULL && last->verb == verb && last->mark == mark &&
	    mark == 0 && last->count < UINT16_MAX) {
		last->count++;
		return true;
	}
	if (q->n == (q->e != NULL ? QUEUE_MAX : 1)) {
		queue_unsure(q);
		return false;
	}
	*at(q, q->n++) = (struct queue_entry){verb, mark, 1};
	return true;
}

void
queue_set_head_count(struct queue *q, uint16_t count)
{
	if (q->n > 0)
		at(q, 0)->count = count;
}

struct queue_entry
queue_pop(struct queue *q)
{
	struct queue_entry e = queue_head(q);

	if (q->n == 0)
		return e;
	if (at(q, 0)->count > 1) {
		at(q, 0)->count--;
		return e;
	}
	q->head = (uint8_t)((q->head + 1) % QUEUE_MAX);
	q->n--;
	return e;
}

bool
queue_seek(struct queue *q, uint8_t verb)
{
	unsigned i;

	for (i = 0; i < q->n && at(q, i)->verb != verb; i++)
		;
	if (i == q->n)
		return false;
	q->head = (uint8_t)((q->head + i) % QUEUE_MAX);
	q->n = (uint8_t)(q->n - i);
	return true;
}
