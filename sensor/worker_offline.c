/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Offline: packets come from the reader, with the clock of the whole input, so
 * that timers run as if one worker had seen all of it. A worker that is given
 * nothing takes the time from the mark of its queue.
 */
#include <stdlib.h>
#include <string.h>

#include "sensor/fanout.h"
#include "sensor/worker_private.h"

#define MARK_EACH 64 /* packets */

#include <poll.h>
#include <unistd.h>

bool
worker_is_ours(void *ctx, const struct packet *pkt)
{
	const struct worker *w = ctx;

	return fanout_worker(&pkt->src, &pkt->dst, w->cfg.of) == w->cfg.number;
}

static void
take_packet(struct worker *w, const struct ring_record *r, uint8_t *bytes)
{
	struct record_packet p;
	struct packet pkt;

	if (r->size < sizeof(p))
		return;
	memcpy(&p, bytes, sizeof(p));
	memset(&pkt, 0, sizeof(pkt));
	pkt.time = p.pkt.time;
	pkt.ordinal = p.pkt.ordinal;
	pkt.file = p.pkt.file;
	pkt.frame_no = p.pkt.frame_no;
	pkt.wirelen = p.pkt.wirelen;
	pkt.linktype = p.pkt.linktype;
	pkt.interface = p.pkt.interface;
	pkt.frame = bytes + sizeof(p);
	pkt.caplen = (uint32_t)(r->size - sizeof(p));
	w->era = r->key.era;
	w->ordinal = pkt.ordinal;
	tracker_set_clock(frontend_tracker(w->front), &p.clock);
	if (r->type == REC_PACKET)
		frontend_packet(w->front, &pkt);
}

/* All that came before the mark was handed to somebody. */
static void
take_mark(struct worker *w, const struct ring_key *mark, int64_t started)
{
	struct tracker_clock c = {started, mark->time};

	if (mark->phase != TRACKER_PACKET || mark->tie <= w->ordinal)
		return;
	w->era = mark->era;
	w->ordinal = mark->tie;
	tracker_set_clock(frontend_tracker(w->front), &c);
	worker_set_mark(w, mark->time);
}

static void
wait_packet(struct worker *w)
{
	struct pollfd p = {ring_data_fd(w->cfg.in), POLLIN, 0};

	if (ring_sleep(w->cfg.in))
		(void)poll(&p, 1, RING_BATCH_MS);
	ring_wake(w->cfg.in);
	if (getppid() != w->parent)
		_exit(1);
}

static void
show_totals(struct worker *w)
{
	frontend_totals(w->front, &w->cfg.board->totals);
}

/* The counts stand before the end is said: once all have said it, nobody waits
 * for them. */
void
worker_end(struct worker *w, void (*show)(struct worker *w))
{
	frontend_flush(w->front);
	show(w);
	w->era = UINT32_MAX;
	(void)worker_put(w, REC_END, NULL, 0, 0);
	worker_set_mark(w, INT64_MAX);
}

int
worker_offline(struct worker *w)
{
	uint8_t *bytes = malloc(RING_RECORD_MAX);
	struct ring_record r;
	struct ring_key mark;
	int64_t started = 0;
	unsigned n = 0;

	for (bool end = bytes == NULL; !end;) {
		ring_mark(w->cfg.in, &mark);
		if (!ring_peek(w->cfg.in, &r, bytes)) {
			take_mark(w, &mark, started);
			wait_packet(w);
			continue;
		}
		ring_take(w->cfg.in);
		end = r.type == REC_END;
		take_packet(w, &r, bytes);
		if (r.size >= sizeof(struct record_packet))
			started =
			    ((struct record_packet *)bytes)->clock.started;
		if (++n % MARK_EACH == 0)
			worker_set_mark(w, r.key.time);
	}
	worker_end(w, show_totals);
	free(bytes);
	return 0;
}
