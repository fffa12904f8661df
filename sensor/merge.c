/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A mark is read before its queue is looked into: what is put afterwards has a
 * key that is not below it.
 */
#include "sensor/merge.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct lane {
	struct ring *ring;
	struct ring_record head;
	struct ring_key mark;
	bool full; /* head and buf hold its next record */
	bool ended;
	uint8_t *buf;
};

struct merge {
	struct lane lane[MERGE_MAX];
	unsigned n;
	int given; /* lane whose record is with the caller, or -1 */
	bool live;
};

struct merge *
merge_new(struct ring *const *rings, unsigned n, bool live)
{
	struct merge *m = calloc(1, sizeof(*m));

	if (m == NULL || n > MERGE_MAX) {
		free(m);
		return NULL;
	}
	m->n = n;
	m->live = live;
	m->given = -1;
	for (unsigned i = 0; i < n; i++) {
		m->lane[i].ring = rings[i];
		m->lane[i].buf = malloc(RING_RECORD_MAX);
		if (m->lane[i].buf == NULL) {
			merge_free(m);
			return NULL;
		}
	}
	return m;
}

void
merge_free(struct merge *m)
{
	if (m == NULL)
		return;
	for (unsigned i = 0; i < m->n; i++)
		free(m->lane[i].buf);
	free(m);
}

/* The queue is emptied as early as can be: its writer may be waiting. */
static void
give_back(struct merge *m)
{
	if (m->given != -1)
		m->lane[m->given].full = false;
	m->given = -1;
}

static void
look(struct lane *l)
{
	if (l->full)
		return;
	ring_mark(l->ring, &l->mark);
	if (!ring_peek(l->ring, &l->head, l->buf))
		return;
	ring_take(l->ring);
	l->full = true;
}

static struct lane *
least(struct merge *m)
{
	struct lane *best = NULL;

	for (unsigned i = 0; i < m->n; i++) {
		struct lane *l = &m->lane[i];

		look(l);
		if (l->full && (best == NULL || ring_compare(&l->head.key,
						    &best->head.key) < 0))
			best = l;
	}
	return best;
}

static bool
is_due(const struct merge *m, const struct lane *best)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct lane *l = &m->lane[i];

		if (l->full || l->ended)
			continue;
		if (ring_compare(&best->head.key, &l->mark) > 0)
			return m->live && ring_now_ms() - best->head.put >=
					      MERGE_PATIENCE_MS;
	}
	return true;
}

bool
merge_next(struct merge *m, struct ring_record *head, const uint8_t **bytes,
    unsigned *from)
{
	struct lane *l;

	give_back(m);
	l = least(m);
	if (l == NULL || !is_due(m, l))
		return false;
	*head = l->head;
	*bytes = l->buf;
	*from = (unsigned)(l - m->lane);
	m->given = (int)*from;
	return true;
}

void
merge_end(struct merge *m, unsigned from)
{
	m->lane[from].ended = true;
}

bool
merge_is_empty(struct merge *m)
{
	give_back(m);
	for (unsigned i = 0; i < m->n; i++) {
		look(&m->lane[i]);
		if (m->lane[i].full)
			return false;
	}
	return true;
}

bool
merge_wait(struct merge *m, int fd, int ms)
{
	struct pollfd p[MERGE_MAX + 1];
	bool held = false, ready = false;
	unsigned n = 0;

	give_back(m);
	for (unsigned i = 0; i < m->n; i++) {
		struct lane *l = &m->lane[i];

		held |= l->full;
		ready |= !ring_sleep(l->ring) && !l->full;
		p[n++] = (struct pollfd){ring_data_fd(l->ring), POLLIN, 0};
	}
	p[n] = (struct pollfd){fd, POLLIN, 0};
	if (held && ms > 5)
		ms = 5; /* one waits for the others' marks */
	if (poll(p, n + (fd != -1), ready ? 0 : ms) == -1)
		p[n].revents = 0;
	for (unsigned i = 0; i < m->n; i++)
		ring_wake(m->lane[i].ring);
	return fd != -1 && p[n].revents != 0;
}
