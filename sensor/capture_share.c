/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Only what can matter to a worker is handed out: TCP, taken apart, to the one
 * whose it is; and fragments, as they are, to all, since what they are parts of
 * is put together by each. The input is read into blocks that all can see, each
 * of which is used again when all are past what lies in it.
 *
 * Before this process waits for anybody, all are told how far the input has been
 * handed out.
 */
#include "sensor/capture_share.h"

#include <stdlib.h>

#include "decoders/link.h"
#include "sensor/fanout.h"
#include "sensor/worker.h"

#define SHOW_EACH 64 /* packets of a worker */
#define ROOM_MS 20

struct share {
	const struct share_config *cfg;
	struct tell tell;
	struct packet at; /* at hand */
	struct ip_ctx *ip;
	struct frontend_totals n;
	struct frontend_totals past; /* of parts that are over */
	unsigned block; /* that is being filled */
	/* how many packets each worker had been given when it was full */
	uint64_t given[BLOCKS][WORKERS_MAX];
};

/* ---- what all wait for ---- */

static void
put_time(const struct share *s, struct handed *h, enum handed_what what)
{
	h->clock = s->tell.clock;
	h->era = s->tell.era;
	h->what = what;
}

/* To all that have room: the others have work. */
static void
show_all(struct share *s, bool now)
{
	for (unsigned i = 0; i < s->cfg->workers; i++) {
		struct handout *to = s->cfg->worker[i];
		struct handed *h = handout_slot(to);

		if (h != NULL) {
			h->pkt.ordinal = s->tell.ordinal;
			put_time(s, h, HANDED_TIME);
			handout_add(to);
		}
		handout_show(to, now);
	}
}

static void
on_wait(void *ctx)
{
	show_all(ctx, true);
}

static struct handed *
slot_of(struct share *s, unsigned worker)
{
	struct handout *to = s->cfg->worker[worker];
	struct handed *h;

	while ((h = handout_slot(to)) == NULL) {
		tell_wait(&s->tell);
		handout_wait(
		    to, handout_added(to) - HANDOUT_SLOTS / 2, ROOM_MS);
	}
	return h;
}

static void
add(struct share *s, unsigned worker)
{
	struct handout *to = s->cfg->worker[worker];

	handout_add(to);
	if (handout_added(to) % SHOW_EACH == 0)
		handout_show(to, false);
}

static void
time_to_all(struct share *s, enum handed_what what)
{
	for (unsigned i = 0; i < s->cfg->workers; i++) {
		struct handed *h = slot_of(s, i);

		h->pkt.ordinal = s->tell.ordinal;
		put_time(s, h, what);
		handout_add(s->cfg->worker[i]);
		handout_show(s->cfg->worker[i], true);
	}
}

/* ---- blocks ---- */

static bool
is_free(struct share *s, unsigned block)
{
	for (unsigned i = 0; i < s->cfg->workers; i++)
		if (!handout_is_past(s->cfg->worker[i], s->given[block][i]))
			return false;
	return true;
}

/* Until half of them are free: who has to wait does so seldom. */
static void
wait_block(struct share *s)
{
	unsigned half = (s->block + BLOCKS / 2) % BLOCKS;

	while (!is_free(s, half)) {
		tell_wait(&s->tell);
		for (unsigned i = 0; i < s->cfg->workers; i++)
			handout_wait(
			    s->cfg->worker[i], s->given[half][i], ROOM_MS);
	}
}

static uint8_t *
next_block(void *ctx)
{
	struct share *s = ctx;

	for (unsigned i = 0; i < s->cfg->workers; i++)
		s->given[s->block][i] = handout_added(s->cfg->worker[i]);
	show_all(s, false);
	tell_mark(&s->tell);
	s->block = (s->block + 1) % BLOCKS;
	if (!is_free(s, s->block))
		wait_block(s);
	return frame_blocks_at(s->cfg->blocks, s->block);
}

/* ---- packets ---- */

static void
put_packet(struct share *s, unsigned worker, enum handed_what what)
{
	struct handed *h = slot_of(s, worker);

	h->pkt = s->at;
	put_time(s, h, what);
	add(s, worker);
}

static void
put_fragment(struct share *s)
{
	const struct packet *pkt = &s->at;
	struct packet plain = {.time = pkt->time,
	    .ordinal = pkt->ordinal,
	    .file = pkt->file,
	    .frame_no = pkt->frame_no,
	    .frame = pkt->frame,
	    .caplen = pkt->caplen,
	    .wirelen = pkt->wirelen,
	    .linktype = pkt->linktype,
	    .interface = pkt->interface};

	s->at = plain;
	for (unsigned i = 0; i < s->cfg->workers; i++)
		put_packet(s, i, HANDED_FRAME);
}

static void
put_tcp(struct share *s)
{
	const struct packet *pkt = &s->at;

	put_packet(s, fanout_reader(&pkt->src, &pkt->dst, s->cfg->workers),
	    HANDED_TCP);
}

/* The clock stepped back: what is due by the old one has to run before. */
static void
step_back(struct share *s, const struct tracker_clock *before)
{
	struct tracker_clock after = s->tell.clock;

	s->tell.clock = *before;
	time_to_all(s, HANDED_TIME);
	s->tell.clock = after;
	s->tell.era++;
}

static void
keep_time(struct share *s)
{
	struct tracker_clock before = s->tell.clock;
	bool back = false;

	tracker_clock_packet(&s->tell.clock, s->at.time, &back);
	if (back)
		step_back(s, &before);
}

static void
ip_packet(struct share *s)
{
	uint64_t fragments = ip_counters(s->ip)->fragments;
	enum ip_result what = ip_decode(s->ip, &s->at);

	/* of any layer: all workers hold the same fragments at all times */
	fragments = ip_counters(s->ip)->fragments - fragments;
	if (what == IP_TCP)
		keep_time(s);
	if (fragments > 0)
		put_fragment(s);
	else if (what == IP_TCP)
		put_tcp(s);
}

static void
any_packet(struct share *s)
{
	struct packet *pkt = &s->at;

	switch (link_decode(pkt)) {
	case LINK_IP:
		ip_packet(s);
		break;
	case LINK_OTHER:
		s->n.link_other++;
		break;
	case LINK_TRUNCATED:
		s->n.link_truncated++;
		break;
	case LINK_UNKNOWN:
		s->n.link_unknown++;
		tell_link(&s->tell, pkt);
		break;
	}
}

/* What lies before it says its last word first. Without memory fragments stay,
 * which nobody can continue. */
static void
next_part(struct share *s)
{
	struct ip_ctx *ip = ip_new();
	struct frontend_totals over = {.ip = *ip_counters(s->ip)};

	tell_part_ends(&s->tell, s->at.time);
	time_to_all(s, HANDED_PART);
	tell_part(&s->tell);
	if (ip == NULL)
		return;
	frontend_totals_add(&s->past, &over);
	ip_free(s->ip);
	s->ip = ip;
}

static void
one_packet(struct share *s)
{
	struct packet *pkt = &s->at;

	if (tell_part_begins(&s->tell))
		next_part(s);
	s->n.packets++;
	s->n.bytes += pkt->caplen;
	if (ip_decode_frame(s->ip, pkt)) {
		keep_time(s);
		put_tcp(s);
	} else {
		any_packet(s);
	}
	s->tell.ordinal = pkt->ordinal;
}

static void
finish(struct share *s)
{
	time_to_all(s, HANDED_END);
	s->n.ip = *ip_counters(s->ip);
	frontend_totals_add(&s->n, &s->past);
	s->cfg->input.board->totals = s->n;
	tell_over(&s->tell);
}

int
share_run(const struct share_config *cfg)
{
	struct share *s = calloc(1, sizeof(*s));
	struct tell_config tc = cfg->input;

	if (s == NULL)
		return 2;
	s->cfg = cfg;
	s->ip = ip_new();
	if (s->ip == NULL) {
		free(s);
		return 2;
	}
	tc.on_wait = on_wait;
	tc.room = next_block;
	tc.ctx = s;
	tell_init(&s->tell, &tc);
	while (tell_next(&s->tell, &s->at))
		one_packet(s);
	finish(s);
	tell_fini(&s->tell);
	ip_free(s->ip);
	free(s);
	return 0;
}
