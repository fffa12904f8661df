/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Only what can matter to a worker is handed out: TCP, and fragments. The end
 * of a file is told with the next packet, or at the very end: see pipeline.c.
 *
 * Before this process waits for room in one worker's queue, all others are
 * told how far the input has been handed out. Else one that gets nothing would
 * hold up the judge, which would not make room for the one that is waited for.
 */
#include "sensor/capture_share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decoders/link.h"
#include "sensor/fanout.h"

#define MARK_EACH 64 /* packets */
#define ROOM_MS 20
#define PROGRESS_EACH 1024

struct share {
	const struct share_config *cfg;
	struct capture *capture;
	struct ip_ctx *ip;
	struct frontend_totals n;
	struct tracker_clock clock;
	uint32_t era;
	uint64_t ordinal;
	pid_t parent;
	struct capture_file ended; /* noted, not yet told */
	uint32_t ended_number;
	bool has_ended, is_over;
	uint32_t named; /* files whose name was told */
	uint64_t said_links;
};

static struct ring_key
key_now(const struct share *s)
{
	return (struct ring_key){.era = s->era,
	    .phase = TRACKER_PACKET,
	    .time = s->clock.now == INT64_MIN ? 0 : s->clock.now,
	    .tie = s->ordinal};
}

static void
tell_marks(const struct share *s)
{
	struct ring_key k = key_now(s);

	for (unsigned i = 0; i < s->cfg->workers; i++)
		ring_set_mark(s->cfg->worker[i], &k);
	ring_set_mark(s->cfg->judge, &k);
}

static void
put(struct share *s, struct ring *r, struct ring_record *head,
    const struct slice part[2])
{
	while (!ring_put(r, head, part, 2, 0)) {
		if (getppid() != s->parent)
			_exit(1);
		tell_marks(s);
		ring_wait_room(r, ROOM_MS);
	}
}

static void
tell_judge(struct share *s, enum record_type type, const void *what,
    size_t size, const char *text)
{
	struct ring_record r = {.type = type, .key = key_now(s)};
	const struct slice part[2] = {
	    {what, size}, {(const uint8_t *)text, strlen(text) + 1}};

	if (type == REC_FILE && s->is_over)
		r.key.era = UINT32_MAX;
	put(s, s->cfg->judge, &r, part);
}

static void
tell_end(struct share *s)
{
	struct record_file f = {.file = s->ended, .number = s->ended_number};

	if (s->has_ended)
		tell_judge(s, REC_FILE, &f, sizeof(f), s->ended.path);
	s->has_ended = false;
}

static void
on_problem(void *ctx, int severity, const char *sentence)
{
	uint32_t n = (uint32_t)severity;

	tell_judge(ctx, REC_PROBLEM, &n, sizeof(n), sentence);
}

static void
on_file_end(void *ctx, const struct capture_file *f)
{
	struct share *s = ctx;

	tell_end(s);
	s->ended = *f;
	s->has_ended = true;
}

/* ---- packets ---- */

/* The clock stepped back: what is due by the old one has to run before. */
static void
step_back(struct share *s, const struct tracker_clock *before)
{
	struct record_packet p = {.clock = *before};
	struct ring_record r = {.type = REC_TICK, .key = key_now(s)};
	const struct slice part[2] = {
	    {(const uint8_t *)&p, sizeof(p)}, {(const uint8_t *)"", 0}};

	p.pkt.ordinal = s->ordinal;
	r.key.time = before->now;
	for (unsigned i = 0; i < s->cfg->workers; i++)
		put(s, s->cfg->worker[i], &r, part);
	s->era++;
}

static void
send_frame(struct share *s, const struct packet *pkt, unsigned worker)
{
	struct record_packet p = {.pkt = *pkt, .clock = s->clock};
	struct ring_record r = {.type = REC_PACKET, .key = key_now(s)};
	const struct slice part[2] = {
	    {(const uint8_t *)&p, sizeof(p)}, {pkt->frame, pkt->caplen}};

	r.key.tie = pkt->ordinal;
	if (pkt->caplen <= RING_RECORD_MAX - sizeof(p))
		put(s, s->cfg->worker[worker], &r, part);
}

static void
ip_packet(struct share *s, struct packet *pkt)
{
	struct tracker_clock before = s->clock;
	uint64_t fragments = ip_counters(s->ip)->fragments;
	enum ip_result what = ip_decode(s->ip, pkt);
	bool back = false;

	/* of any layer: all workers hold the same fragments at all times */
	fragments = ip_counters(s->ip)->fragments - fragments;

	if (what == IP_TCP)
		tracker_clock_packet(&s->clock, pkt->time, &back);
	if (back)
		step_back(s, &before);
	if (fragments > 0)
		for (unsigned i = 0; i < s->cfg->workers; i++)
			send_frame(s, pkt, i);
	else if (what == IP_TCP)
		send_frame(s, pkt,
		    fanout_worker(&pkt->src, &pkt->dst, s->cfg->workers));
}

static void
tell_link(struct share *s, const struct packet *pkt)
{
	char text[400];

	s->n.link_unknown++;
	if ((s->said_links >> (pkt->linktype & 63) & 1) != 0)
		return;
	s->said_links |= 1ull << (pkt->linktype & 63);
	(void)snprintf(text, sizeof(text),
	    "%s: link type %s is not supported, its packets are skipped",
	    capture_file_path(s->capture, pkt->file), link_name(pkt->linktype));
	on_problem(s, 0, text);
}

static void
tell_name(struct share *s, const struct packet *pkt)
{
	struct record_file f = {.number = pkt->file};

	if (pkt->file < s->named)
		return;
	s->named = pkt->file + 1;
	tell_judge(s, REC_NAME, &f, sizeof(f),
	    capture_file_path(s->capture, pkt->file));
}

static void
one_packet(struct share *s, struct packet *pkt)
{
	tell_end(s);
	tell_name(s, pkt);
	s->n.packets++;
	s->n.bytes += pkt->caplen;
	if (s->cfg->board->first == 0)
		s->cfg->board->first = pkt->time;
	s->cfg->board->last = pkt->time;
	switch (link_decode(pkt)) {
	case LINK_IP:
		ip_packet(s, pkt);
		break;
	case LINK_OTHER:
		s->n.link_other++;
		break;
	case LINK_TRUNCATED:
		s->n.link_truncated++;
		break;
	case LINK_UNKNOWN:
		tell_link(s, pkt);
		break;
	}
	s->ordinal = pkt->ordinal;
	if (s->n.packets % MARK_EACH == 0)
		tell_marks(s);
}

static void
show_progress(struct share *s)
{
	struct share_board *b = s->cfg->board;
	uint64_t done, total;

	if (s->n.packets % PROGRESS_EACH != 0)
		return;
	capture_progress(s->capture, &done, &total);
	atomic_store(&b->done, done);
	atomic_store(&b->total, total);
	atomic_store(&b->packets, s->n.packets);
}

static void
finish(struct share *s)
{
	struct record_packet p = {.clock = s->clock};
	struct ring_record r = {.type = REC_END, .key = key_now(s)};
	const struct slice part[2] = {
	    {(const uint8_t *)&p, sizeof(p)}, {(const uint8_t *)"", 0}};
	struct ring_key end = {.era = UINT32_MAX, .time = INT64_MAX};

	p.pkt.ordinal = s->ordinal;
	if (s->clock.now == INT64_MIN)
		p.clock = (struct tracker_clock){0, 0};
	for (unsigned i = 0; i < s->cfg->workers; i++)
		put(s, s->cfg->worker[i], &r, part);
	s->n.ip = *ip_counters(s->ip);
	s->cfg->board->totals = s->n;
	s->is_over = true; /* what is told now comes last of all */
	tell_end(s);
	capture_close(s->capture);
	ring_set_mark(s->cfg->judge, &end);
}

int
share_run(const struct share_config *cfg)
{
	struct share s = {.cfg = cfg,
	    .clock = {.now = INT64_MIN},
	    .parent = getppid(),
	    .ip = ip_new()};
	struct capture_config cc = {
	    .on_problem = on_problem, .on_file_end = on_file_end, .ctx = &s};
	struct packet pkt;
	char err[512] = "out of memory";

	if (s.ip != NULL)
		s.capture =
		    capture_open(cfg->paths, cfg->n, &cc, err, sizeof(err));
	if (s.capture == NULL) {
		on_problem(&s, 1, err);
	} else {
		while (!*cfg->stop && capture_next(s.capture, &pkt) == 1) {
			one_packet(&s, &pkt);
			show_progress(&s);
		}
	}
	if (s.ip != NULL)
		finish(&s);
	ip_free(s.ip);
	return 0;
}
