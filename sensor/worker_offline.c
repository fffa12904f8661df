/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Offline: packets come from the process that reads (capture_share.h), taken
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

/* A part of the input is over: nothing of it is known to the next one. */
static void
take_part(struct worker *w, const struct handed *h)
{
	take_time(w, h);
	w->end_era = h->era;
	frontend_end_part(w->front, INT64_MIN);
	if (!frontend_begin_part(w->front, ++w->part))
		_exit(2); /* no memory: the judge says that one died */
	w->era = h->era + TELL_ERAS;
	worker_set_mark(w, 0);
}

/* A fragment, of which perhaps only the last tells whose they are. */
static void
take_frame(struct worker *w, struct handed *h)
{
	if (h->clock.now != INT64_MIN)
		tracker_set_clock(frontend_tracker(w->front), &h->clock);
	frontend_packet(w->front, &h->pkt);
}

static const struct coming *
coming_at(const struct worker *w, uint32_t i)
{
	return &w->coming[(w->first + i) % AHEAD];
}

/* Where the packet goes that comes so many later; NULL: none does. */
static const struct flow_place *
place_at(const struct worker *w, uint32_t i)
{
	const struct coming *c = coming_at(w, i);

	return i < w->ncoming && c->h->what == HANDED_TCP ? &c->place : NULL;
}

static void
take_tcp(struct worker *w, struct handed *h)
{
	const struct frontend_ahead ahead = {.flow = place_at(w, AHEAD_FLOW),
	    .conn = place_at(w, AHEAD_CONN),
	    .parts = place_at(w, AHEAD_PARTS)};

	tracker_set_clock(frontend_tracker(w->front), &h->clock);
	frontend_tcp(w->front, &h->pkt, &coming_at(w, 0)->place, &ahead);
}

/* What a timer that was due before it says later stands behind it. */
static void
note_packet(struct worker *w, const struct handed *h)
{
	struct ring_key k = {.era = h->era,
	    .time = h->clock.now,
	    .phase = TRACKER_PACKET,
	    .tie = h->pkt.ordinal};

	if (ring_compare(&k, &w->last) > 0)
		w->last = k;
}

static void
take(struct worker *w, struct handed *h)
{
	w->era = h->era;
	w->ordinal = h->pkt.ordinal;
	switch ((enum handed_what)h->what) {
	case HANDED_TCP:
		take_tcp(w, h);
		break;
	case HANDED_FRAME:
		take_frame(w, h);
		break;
	case HANDED_PART:
		take_part(w, h);
		break;
	case HANDED_TIME:
	case HANDED_END:
		take_time(w, h);
		break;
	}
	if (h->what == HANDED_TCP || h->what == HANDED_FRAME)
		note_packet(w, h);
	if (++w->taken % MARK_EACH == 0 && h->what != HANDED_PART)
		worker_set_mark(w, h->clock.now);
}

/* Nothing behind it can be looked at yet. */
static bool
part_ends(const struct worker *w)
{
	return w->ncoming > 0 &&
	       coming_at(w, w->ncoming - 1)->h->what == HANDED_PART;
}

/* As many as there are, and may be, under way. */
static void
fill(struct worker *w)
{
	struct handed *h;

	while (w->ncoming < AHEAD && !part_ends(w) &&
	       (h = handout_next(w->cfg.in)) != NULL) {
		struct coming *c =
		    &w->coming[(w->first + w->ncoming++) % AHEAD];

		c->h = h;
		if (h->what == HANDED_TCP)
			frontend_expect(w->front, &h->pkt, &c->place);
	}
}

/* The one that came first. Returns false if nothing comes behind it. */
static bool
one(struct worker *w)
{
	struct handed *h = coming_at(w, 0)->h;
	bool more = h->what != HANDED_END;

	take(w, h);
	w->first = (w->first + 1) % AHEAD;
	w->ncoming--;
	handout_done(w->cfg.in);
	return more;
}

static void
wait_packet(struct worker *w)
{
	ring_show(w->cfg.out);
	handout_sleep(w->cfg.in, RING_BATCH_MS);
	if (getppid() != w->parent)
		_exit(1);
}

/* The counts stand before the end is said: once all have said it, nobody waits
 * for them. */
static void
end(struct worker *w)
{
	w->end_era = WORKER_ERA_LAST;
	frontend_flush(w->front);
	frontend_totals(w->front, &w->cfg.board->totals);
	w->era = UINT32_MAX;
	(void)worker_put(w, REC_END, NULL, 0, 0);
	worker_set_mark(w, INT64_MAX);
	ring_wake_reader(w->cfg.out);
}

int
worker_offline(struct worker *w)
{
	do {
		fill(w);
		while (w->ncoming == 0) {
			wait_packet(w);
			fill(w);
		}
	} while (one(w));
	end(w);
	return 0;
}
