/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/capture_tell.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "decoders/link.h"
#include "sensor/worker.h"

#define ROOM_MS 20
#define PROGRESS_EACH 1024

struct ring_key
tell_key(const struct tell *t)
{
	return (struct ring_key){.era = t->era,
	    .phase = TRACKER_PACKET,
	    .time = t->clock.now == INT64_MIN ? 0 : t->clock.now,
	    .tie = t->ordinal};
}

void
tell_mark(struct tell *t)
{
	struct ring_key k = tell_key(t);

	if (!t->is_over)
		ring_set_mark(t->cfg.judge, &k);
}

void
tell_wait(struct tell *t)
{
	if (getppid() != t->parent)
		_exit(1); /* nobody will ever take it */
	tell_mark(t);
	t->cfg.on_wait(t->cfg.ctx);
}

static void
on_wait(void *ctx)
{
	tell_wait(ctx);
}

static uint8_t *
room(void *ctx)
{
	const struct tell *t = ctx;

	return t->cfg.room(t->cfg.ctx);
}

static void
tell_judge(struct tell *t, enum record_type type, const struct slice *what,
    const char *text)
{
	struct ring_record r = {.type = type, .key = tell_key(t)};
	const struct slice part[2] = {
	    *what, {(const uint8_t *)text, strlen(text) + 1}};

	if (type == REC_FILE && t->is_over)
		r.key.era = UINT32_MAX;
	while (!ring_put(t->cfg.judge, &r, part, 2, 0)) {
		tell_wait(t);
		ring_wait_room(t->cfg.judge, ROOM_MS);
	}
}

static void
tell_file(struct tell *t, enum record_type type, const struct record_file *f,
    const char *path)
{
	struct slice what = {(const uint8_t *)f, sizeof(*f)};

	tell_judge(t, type, &what, path);
}

static void
tell_end(struct tell *t)
{
	struct record_file f = {.file = t->ended, .number = t->ended_number};

	if (t->has_ended)
		tell_file(t, REC_FILE, &f, t->ended.path);
	t->has_ended = false;
}

static void
on_problem(void *ctx, int severity, const char *sentence)
{
	uint32_t n = (uint32_t)severity;
	struct slice what = {(const uint8_t *)&n, sizeof(n)};

	tell_judge(ctx, REC_PROBLEM, &what, sentence);
}

static void
on_file_end(void *ctx, const struct capture_file *f)
{
	struct tell *t = ctx;

	tell_end(t);
	t->ended = *f;
	t->has_ended = true;
}

void
tell_init(struct tell *t, const struct tell_config *cfg)
{
	struct capture_config cc = {.on_problem = on_problem,
	    .on_file_end = on_file_end,
	    .on_wait = on_wait,
	    .room = room,
	    .ctx = t};
	char err[512];

	*t = (struct tell){
	    .cfg = *cfg, .clock = {.now = INT64_MIN}, .parent = getppid()};
	t->capture = capture_open(cfg->paths, cfg->n, &cc, err, sizeof(err));
	if (t->capture == NULL)
		on_problem(t, 1, err);
}

void
tell_fini(struct tell *t)
{
	capture_close(t->capture);
	t->capture = NULL;
}

static void
tell_name(struct tell *t, const struct packet *pkt)
{
	struct record_file f = {.number = pkt->file};

	if (pkt->file < t->named)
		return;
	t->named = pkt->file + 1;
	tell_file(t, REC_NAME, &f, capture_file_path(t->capture, pkt->file));
}

static void
show_progress(struct tell *t)
{
	struct share_board *b = t->cfg.board;
	uint64_t done, total;

	if (++t->packets % PROGRESS_EACH != 0)
		return;
	capture_progress(t->capture, &done, &total);
	atomic_store(&b->done, done);
	atomic_store(&b->total, total);
	atomic_store(&b->packets, t->packets);
}

bool
tell_next(struct tell *t, struct packet *pkt)
{
	if (t->capture == NULL || *t->cfg.stop ||
	    capture_next(t->capture, pkt) != 1)
		return false;
	if (!tell_part_begins(t))
		tell_end(t);
	tell_name(t, pkt);
	show_progress(t);
	return true;
}

void
tell_link(struct tell *t, const struct packet *pkt)
{
	char text[400];

	if ((t->said_links >> (pkt->linktype & 63) & 1) != 0)
		return;
	t->said_links |= 1ull << (pkt->linktype & 63);
	(void)snprintf(text, sizeof(text),
	    "%s: link type %s is not supported, its packets are skipped",
	    capture_file_path(t->capture, pkt->file), link_name(pkt->linktype));
	on_problem(t, 0, text);
}

bool
tell_part_begins(const struct tell *t)
{
	return capture_part_begins(t->capture);
}

void
tell_part_ends(struct tell *t, int64_t next)
{
	if (t->clock.now != INT64_MIN && next > t->clock.now)
		t->clock.now = next;
}

void
tell_part(struct tell *t)
{
	t->era += TELL_ERAS;
	t->clock = (struct tracker_clock){.now = INT64_MIN};
	tell_end(t);
}

void
tell_over(struct tell *t)
{
	struct ring_key end = {.era = UINT32_MAX, .time = INT64_MAX};

	tell_mark(t);
	t->is_over = true; /* what is told now comes last of all */
	tell_end(t);
	ring_set_mark(t->cfg.judge, &end);
	ring_wake_reader(t->cfg.judge);
}
