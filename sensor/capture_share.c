/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Only what can matter to a worker is handed out: TCP, and fragments.
 *
 * Before this process waits for room in one worker's queue, all others are
 * told how far the input has been handed out.
 */
#include "sensor/capture_share.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "decoders/link.h"
#include "sensor/fanout.h"
#include "sensor/worker.h"

#define MARK_EACH 64 /* packets */
/* Written to so lately (s), a file may have another end for each who reads it. */
#define GROWS 1

struct share {
	const struct share_config *cfg;
	struct tell tell;
	struct ip_ctx *ip;
	struct frontend_totals n;
};

/* ---- is it needed? ---- */

/* at: the folder's descriptor, or AT_FDCWD. Pipes are not opened: their
 * writer would notice. */
static bool
file_needs_it(int at, const char *path)
{
	static const uint8_t gzip[2] = {0x1f, 0x8b};
	uint8_t head[2] = {0, 0};
	struct stat st;
	int fd;

	if (fstatat(at, path, &st, 0) == -1 || S_ISDIR(st.st_mode))
		return false; /* whoever reads says why it cannot */
	if (!S_ISREG(st.st_mode))
		return true;
	fd = openat(at, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return false;
	(void)!read(fd, head, sizeof(head));
	(void)close(fd);
	return memcmp(head, gzip, sizeof(head)) == 0 ||
	       st.st_mtime + GROWS >= time(NULL);
}

static bool
path_needs_it(const char *path)
{
	const struct dirent *e;
	bool needed = strcmp(path, "-") == 0 || file_needs_it(AT_FDCWD, path);
	DIR *dir = needed ? NULL : opendir(path);

	if (dir == NULL)
		return needed;
	while (!needed && (e = readdir(dir)) != NULL)
		needed = file_needs_it(dirfd(dir), e->d_name);
	(void)closedir(dir);
	return needed;
}

bool
share_is_needed(const char *const *paths, unsigned n)
{
	bool needed = false;

	for (unsigned i = 0; i < n && !needed; i++)
		needed = path_needs_it(paths[i]);
	return needed;
}

/* ---- packets ---- */

static void
tell_marks(void *ctx)
{
	struct share *s = ctx;
	struct ring_key k = tell_key(&s->tell);

	for (unsigned i = 0; i < s->cfg->workers; i++)
		ring_set_mark(s->cfg->worker[i], &k);
	tell_mark(&s->tell);
}

static void
put_to(struct share *s, unsigned worker, struct ring_record *r,
    const struct slice part[2])
{
	tell_put(&s->tell, s->cfg->worker[worker], r, part);
}

/* The clock stepped back: what is due by the old one has to run before. */
static void
step_back(struct share *s, const struct tracker_clock *before)
{
	struct record_packet p = {.clock = *before};
	struct ring_record r = {.type = REC_TICK, .key = tell_key(&s->tell)};
	const struct slice part[2] = {
	    {(const uint8_t *)&p, sizeof(p)}, {(const uint8_t *)"", 0}};

	p.pkt.ordinal = s->tell.ordinal;
	r.key.time = before->now;
	for (unsigned i = 0; i < s->cfg->workers; i++)
		put_to(s, i, &r, part);
	s->tell.era++;
}

static void
send_frame(struct share *s, const struct packet *pkt, unsigned worker)
{
	struct record_packet p = {.pkt = *pkt, .clock = s->tell.clock};
	struct ring_record r = {.type = REC_PACKET, .key = tell_key(&s->tell)};
	const struct slice part[2] = {
	    {(const uint8_t *)&p, sizeof(p)}, {pkt->frame, pkt->caplen}};

	r.key.tie = pkt->ordinal;
	if (pkt->caplen <= RING_RECORD_MAX - sizeof(p))
		put_to(s, worker, &r, part);
}

static void
ip_packet(struct share *s, struct packet *pkt)
{
	struct tracker_clock before = s->tell.clock;
	uint64_t fragments = ip_counters(s->ip)->fragments;
	enum ip_result what = ip_decode(s->ip, pkt);
	bool back = false;

	/* of any layer: all workers hold the same fragments at all times */
	fragments = ip_counters(s->ip)->fragments - fragments;

	if (what == IP_TCP)
		tracker_clock_packet(&s->tell.clock, pkt->time, &back);
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
one_packet(struct share *s, struct packet *pkt)
{
	s->n.packets++;
	s->n.bytes += pkt->caplen;
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
		s->n.link_unknown++;
		tell_link(&s->tell, pkt);
		break;
	}
	s->tell.ordinal = pkt->ordinal;
	if (s->n.packets % MARK_EACH == 0)
		tell_marks(s);
}

static void
finish(struct share *s)
{
	struct record_packet p = {.clock = s->tell.clock};
	struct ring_record r = {.type = REC_END, .key = tell_key(&s->tell)};
	const struct slice part[2] = {
	    {(const uint8_t *)&p, sizeof(p)}, {(const uint8_t *)"", 0}};

	p.pkt.ordinal = s->tell.ordinal;
	if (s->tell.clock.now == INT64_MIN)
		p.clock = (struct tracker_clock){0, 0};
	for (unsigned i = 0; i < s->cfg->workers; i++)
		put_to(s, i, &r, part);
	s->n.ip = *ip_counters(s->ip);
	s->cfg->input.board->totals = s->n;
	tell_over(&s->tell);
}

int
share_run(const struct share_config *cfg)
{
	struct share s = {.cfg = cfg, .ip = ip_new()};
	struct tell_config tc = cfg->input;
	struct packet pkt;

	if (s.ip == NULL)
		return 2;
	tc.on_wait = tell_marks;
	tc.ctx = &s;
	tell_init(&s.tell, &tc);
	while (tell_next(&s.tell, &pkt))
		one_packet(&s, &pkt);
	finish(&s);
	tell_fini(&s.tell);
	ip_free(s.ip);
	return 0;
}
