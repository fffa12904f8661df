/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A list and a lock.
 */
#include "db/feed_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
feed_queue_init(struct feed_queue *q, size_t max)
{
	memset(q, 0, sizeof(*q));
	(void)pthread_mutex_init(&q->lock, NULL);
	q->last = &q->first;
	q->max = max;
}

void
feed_queue_fini(struct feed_queue *q)
{
	struct queued *e;

	while ((e = feed_queue_take(q)) != NULL)
		free(e);
	(void)pthread_mutex_destroy(&q->lock);
}

static size_t
cost(const struct queued *e)
{
	return sizeof(*e) + e->event.len + 1;
}

static struct queued *
copy_of(const struct event *e, const char *id)
{
	struct queued *n = malloc(sizeof(*n) + e->len + 1);

	if (n == NULL)
		return NULL;
	n->next = NULL;
	n->event = *e;
	n->event.eve = n->text;
	memcpy(n->text, e->eve, e->len);
	n->text[e->len] = '\0';
	(void)snprintf(n->id, sizeof(n->id), "%s", id);
	return n;
}

bool
feed_queue_put(struct feed_queue *q, const struct event *e, const char *id)
{
	struct queued *n = NULL;
	bool fits;

	(void)pthread_mutex_lock(&q->lock);
	fits = q->bytes + sizeof(*n) + e->len + 1 <= q->max;
	if (fits)
		n = copy_of(e, id);
	if (n != NULL) {
		q->bytes += cost(n);
		*q->last = n;
		q->last = &n->next;
	} else {
		q->dropped++;
	}
	(void)pthread_mutex_unlock(&q->lock);
	return n != NULL;
}

struct queued *
feed_queue_take(struct feed_queue *q)
{
	struct queued *e;

	(void)pthread_mutex_lock(&q->lock);
	e = q->first;
	if (e != NULL) {
		q->bytes -= cost(e);
		q->first = e->next;
		if (q->first == NULL)
			q->last = &q->first;
	}
	(void)pthread_mutex_unlock(&q->lock);
	return e;
}

uint64_t
feed_queue_dropped(struct feed_queue *q)
{
	uint64_t n;

	(void)pthread_mutex_lock(&q->lock);
	n = q->dropped;
	(void)pthread_mutex_unlock(&q->lock);
	return n;
}
