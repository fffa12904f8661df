/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Offline, from files: every worker reads all of the input and follows what is
 * its own. To look at the headers of a frame takes less than to hand it from
 * one process to another. All keep the same clock and the same fragments; the
 * first tells the judge what there is to say about the files.
 */
#include <string.h>

#include "sensor/fanout.h"
#include "sensor/worker_private.h"

#define MARK_EACH 64 /* packets */
#define LINE 64 /* bytes of a cache line */

/* Of a TCP packet, ours or not. When the clock stepped back, what is due by
 * the old one runs before. */
bool
worker_takes(void *ctx, const struct packet *pkt)
{
	struct worker *w = ctx;
	struct tell *t = &w->tell;
	struct tracker *tracker = frontend_tracker(w->front);
	struct tracker_clock before = t->clock;
	bool back;

	tracker_clock_packet(&t->clock, pkt->time, &back);
	if (back) {
		tracker_set_clock(tracker, &before);
		w->era = ++t->era;
	}
	if (fanout_worker(&pkt->src, &pkt->dst, w->cfg.of) != w->cfg.number)
		return false;
	w->ordinal = t->ordinal = pkt->ordinal;
	tracker_set_clock(tracker, &t->clock);
	return true;
}

void
worker_link_unknown(void *ctx, const struct packet *pkt)
{
	struct worker *w = ctx;

	tell_link(&w->tell, pkt);
}

/* Nobody is to wait for what happens up to here; also where no TCP has set the
 * clock yet. */
static void
catch_up(void *ctx)
{
	struct worker *w = ctx;
	bool runs = w->tell.clock.now != INT64_MIN;

	w->ordinal = w->tell.ordinal;
	if (runs)
		tracker_set_clock(frontend_tracker(w->front), &w->tell.clock);
	worker_set_mark(w, runs ? w->tell.clock.now : 0);
	tell_mark(&w->tell);
}

/* What every worker has seen is told once; but for checksums, which are looked
 * at where a connection is followed. */
static void
show_totals(struct worker *w)
{
	struct frontend_totals *mine = &w->cfg.board->totals, *all;

	frontend_totals(w->front, mine);
	if (w->cfg.files->board == NULL)
		return;
	all = &w->cfg.files->board->totals;
	memset(all, 0, sizeof(*all));
	all->packets = mine->packets;
	all->bytes = mine->bytes;
	all->link_other = mine->link_other;
	all->link_unknown = mine->link_unknown;
	all->link_truncated = mine->link_truncated;
	all->ip = mine->ip;
	all->ip.bad_tcp_csum = all->ip.open_tcp_csum = 0;
}

/* In a file the next record lies behind this frame. Most of what is walked over
 * is another's, and then there is no work that would hide the wait for it. */
static void
fetch_next(const struct packet *pkt)
{
	const uint8_t *p = pkt->frame + pkt->caplen;

	__builtin_prefetch(p);
	__builtin_prefetch(p + LINE);
}

int
worker_files(struct worker *w)
{
	struct tell_config tc = *w->cfg.files;
	struct packet pkt;
	unsigned n = 0;

	tc.on_wait = catch_up;
	tc.ctx = w;
	tell_init(&w->tell, &tc);
	while (tell_next(&w->tell, &pkt)) {
		fetch_next(&pkt);
		frontend_packet(w->front, &pkt);
		w->tell.ordinal = pkt.ordinal;
		if (++n % MARK_EACH == 0)
			catch_up(w);
	}
	catch_up(w);
	tell_over(&w->tell);
	worker_end(w, show_totals);
	tell_fini(&w->tell);
	return 0;
}
