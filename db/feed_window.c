/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A ring of marks. Between one mark and the next lies a piece of what was
 * sent; it goes when all of it is out of the window.
 */
#include "db/feed_window.h"

#include <stdbool.h>

static struct window_mark *
at(struct window *w, unsigned i)
{
	return &w->mark[(w->first + i) % WINDOW_MARKS];
}

void
window_reset(struct window *w)
{
	w->first = w->n = 0;
	w->bytes = 0;
}

/* Is everything before the i-th mark, or with i == n everything, outside? */
static bool
is_past(struct window *w, unsigned i, int64_t ms)
{
	if (i == w->n)
		return ms - w->last_ms > w->max_ms;
	return ms - at(w, i)->ms > w->max_ms ||
	       w->bytes - at(w, i)->bytes >= w->max_bytes;
}

static void
trim(struct window *w, int64_t ms)
{
	while (w->n > 0 && is_past(w, 1, ms)) {
		w->first = (w->first + 1) % WINDOW_MARKS;
		w->n--;
	}
}

void
window_note(struct window *w, int64_t before, uint64_t bytes, int64_t ms)
{
	struct window_mark *last = w->n > 0 ? at(w, w->n - 1) : 0;

	if (w->max_bytes == 0 || w->max_ms == 0)
		return;
	if (w->n == WINDOW_MARKS)
		trim(w, ms);
	if (last == 0 ||
	    (w->n < WINDOW_MARKS &&
		(w->bytes - last->bytes >= w->max_bytes / WINDOW_PRECISION ||
		    ms - last->ms >= w->max_ms / WINDOW_PRECISION)))
		*at(w, w->n++) = (struct window_mark){before, w->bytes, ms};
	w->bytes += bytes;
	w->last_ms = ms;
}

int64_t
window_start(struct window *w, int64_t position, int64_t ms)
{
	trim(w, ms);
	return w->n > 0 ? at(w, 0)->seq : position;
}
