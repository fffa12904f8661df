/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Offline: packets come from the worker that reads (capture_share.h), taken
 * apart, with the clock of the whole input, so that timers run as if one worker
 * had seen all of it. One that is given no packets is given the time.
 */
#include <string.h>
#include <unistd.h>

#include "sensor/fanout.h"
#include "sensor/worker_private.h"

#define MARK_EACH 64 /* packets */

bool
worker_is_ours(void *ctx, const struct packet *pkt)
{
	const struct worker *w = ctx;

	return fanout_reader(&pkt->src, &pkt->dst, w->cfg.of) == w->cfg.number;
}

/* Nobody is to wait for what happens up to here; also where no TCP has set the
 * clock yet. */
static void
take_time(struct worker *w, const struct handed *h)
{
	bool runs = h->clock.now != INT64_MIN;

	if (runs)
		tracker_set_clock(frontend_tracker(w->front), &h->clock);
	worker_set_mark(w, runs ? h->clock.now : 0);
}

/* A fragment, of which perhaps only the last tells whose they are. */
static void
take_frame(struct worker *w, struct handed *h)
{
	if (h->clock.now != INT64_MIN)
		tracker_set_clock(frontend_tracker(w->front), &h->clock);
	frontend_packet(w->front, &h->pkt);
}

void
worker_take(struct worker *w, struct handed *h)
{
	w->era = h->era;
	w->ordinal = h->pkt.ordinal;
	switch ((enum handed_what)h->what) {
	case HANDED_TCP:
		tracker_set_clock(frontend_tracker(w->front), &h->clock);
		frontend_tcp(w->front, &h->pkt);
		break;
	case HANDED_FRAME:
		take_frame(w, h);
		break;
	case HANDED_TIME:
	case HANDED_END:
		take_time(w, h);
		break;
	}
	if (++w->taken % MARK_EACH == 0)
		worker_set_mark(w, h->clock.now);
}

void
worker_show(struct worker *w)
{
	ring_show(w->cfg.out);
}

static void
wait_packet(struct worker *w)
{
	worker_show(w);
	handout_sleep(w->cfg.in, RING_BATCH_MS);
	if (getppid() != w->parent)
		_exit(1);
}

/* The counts stand before the end is said: once all have said it, nobody waits
 * for them. */
void
worker_end(struct worker *w)
{
	frontend_flush(w->front);
	frontend_totals(w->front, &w->cfg.board->totals);
	w->era = UINT32_MAX;
	(void)worker_put(w, REC_END, NULL, 0, 0);
	worker_set_mark(w, INT64_MAX);
}

int
worker_offline(struct worker *w)
{
	struct handed *h;

	for (bool over = false; !over;) {
		h = handout_next(w->cfg.in);
		if (h == NULL) {
			wait_packet(w);
			continue;
		}
		worker_take(w, h);
		over = h->what == HANDED_END;
	}
	worker_end(w);
	return 0;
}
