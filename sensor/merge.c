/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A mark is read before its queue is found empty: what is put afterwards has a
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
	bool full; /* head and bytes are its next record */
	bool ended;
	const uint8_t *bytes; /* in buf, or in the ring */
	uint8_t *buf; /* NULL: in batches, stays there until it was used */
};

struct merge {
	struct lane lane[MERGE_MAX];
	unsigned n;
	int given; /* lane whose record is with the caller, or -1 */
	struct ring_key bound; /* no other lane has or will have less */
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
		if (ring_is_in_batches(rings[i]))
			continue;
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
	struct lane *l = m->given == -1 ? NULL : &m->lane[m->given];

	m->given = -1;
	if (l == NULL)
		return;
	l->full = false;
	if (l->buf == NULL)
		ring_take(l->ring);
}

static void
look(struct lane *l)
{
	if (l->full)
		return;
	l->bytes = ring_look(l->ring, &l->head);
	if (l->bytes == NULL) {
		ring_mark(l->ring, &l->mark);
		l->bytes = ring_look(l->ring, &l->head);
	}
	l->full = l->bytes != NULL;
	if (!l->full || l->buf == NULL)
		return;
	memcpy(l->buf, l->bytes, l->head.size);
	l->bytes = l->buf;
	ring_take(l->ring);
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

/* Sets m->bound, of all but the best. */
static bool
is_due(struct merge *m, const struct lane *best)
{
	const struct ring_key *k;

	m->bound = (struct ring_key){.era = UINT32_MAX, .time = INT64_MAX};
	for (unsigned i = 0; i < m->n; i++) {
		const struct lane *l = &m->lane[i];

		if (l == best || (l->ended && !l->full))
			continue;
		k = l->full ? &l->head.key : &l->mark;
		if (ring_compare(k, &m->bound) < 0)
			m->bound = *k;
		if (!l->full && ring_compare(&best->head.key, &l->mark) > 0)
			return m->live && ring_now_ms() - best->head.put >=
					      MERGE_PATIENCE_MS;
	}
	return true;
}

/* The lane that the last one came from, if its next one comes before all that
 * the others have or will have. */
static struct lane *
same_lane(struct merge *m)
{
	struct lane *l = m->given == -1 ? NULL : &m->lane[m->given];

	give_back(m);
	if (l == NULL)
		return NULL;
	look(l);
	return l->full && ring_compare(&l->head.key, &m->bound) < 0 ? l : NULL;
}

bool
merge_next(struct merge *m, struct ring_record *head, const uint8_t **bytes,
    unsigned *from)
{
	struct lane *l = same_lane(m);

	if (l == NULL) {
		l = least(m);
		if (l == NULL || !is_due(m, l))
			return false;
	}
	*head = l->head;
	*bytes = l->bytes;
	*from = (unsigned)(l - m->lane);
	m->given = (int)*from;
	return true;
}

bool
merge_end(struct merge *m, unsigned from)
{
	bool first = !m->lane[from].ended;

	m->lane[from].ended = true;
	return first;
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
