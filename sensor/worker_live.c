/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Live: the mark follows the packets while they come, and the clock when they
 * do not; it stays LAG behind the clock, since a block of packets reaches us
 * later than it was captured.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "decoders/siphash.h"
#include "sensor/log.h"
#include "sensor/worker_private.h"

#define BATCH 256 /* packets before looking up */
#define IDLE_MS 20
#define LAG (60 * INT64_C(1000000)) /* ns; thrice a block of the capture */
#define PUBLISH (100 * INT64_C(1000000)) /* ns between looks at the counters */
#define PUBLISH_MEMORY (10 * PUBLISH)
#define HEADERS 66 /* Ethernet, IPv4, TCP with timestamps */

uint64_t
worker_fingerprint(const uint8_t key[16], const uint8_t *frame, size_t len)
{
	size_t skip = len >= HEADERS + 32 ? HEADERS : 0;

	return siphash(key, (struct slice){frame + skip, len - skip});
}

#ifdef STRIPWIRE_TEST_HOOKS
/* The machine's clock, as far as this process sees it, is set: back by an hour,
 * or forward. */
static volatile int64_t clock_step;

static void
set_clock(int sig)
{
	clock_step += (sig == SIGUSR1 ? -3600 : 3600) * INT64_C(1000000000);
}
#else
#define clock_step INT64_C(0)
#endif

static int64_t
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec + clock_step;
}

static int64_t
steady_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool
is_poison(const struct board *b, const struct packet *pkt)
{
	uint32_t n = atomic_load_explicit(&b->npoison, memory_order_acquire);
	size_t len = pkt->caplen < BOARD_FRAME ? pkt->caplen : BOARD_FRAME;
	uint64_t h;

	if (n == 0)
		return false;
	h = worker_fingerprint(b->poison_key, pkt->frame, len);
	for (uint32_t i = 0; i < n && i < POISON_MAX; i++)
		if (b->poison[i] == h)
			return true;
	return false;
}

/* So that it is known which one it was. */
static void
show_packet(struct board *b, const struct packet *pkt)
{
	uint32_t len = pkt->caplen < BOARD_FRAME ? pkt->caplen : BOARD_FRAME;

	memcpy(b->frame, pkt->frame, len);
	b->time = pkt->time;
	b->wirelen = pkt->wirelen;
	b->linktype = pkt->linktype;
	atomic_store_explicit(&b->len, len, memory_order_release);
}

static void
on_packet(void *ctx, struct packet *pkt)
{
	struct worker *w = ctx;
	struct board *b = w->cfg.board;

	pkt->ordinal = ++w->ordinal;
	pkt->interface = b->interface;
	pkt->time += clock_step;
	w->now = pkt->time;
	atomic_store_explicit(&b->beat,
	    atomic_load_explicit(&b->beat, memory_order_relaxed) + 1,
	    memory_order_relaxed);
	if (is_poison(b, pkt)) {
		b->skipped++;
		return;
	}
	show_packet(b, pkt);
#ifdef STRIPWIRE_TEST_HOOKS
	if (memmem(pkt->frame, pkt->caplen, "X-KILL-WORKER", 13) != NULL)
		abort();
	if (memmem(pkt->frame, pkt->caplen, "X-HANG-WORKER", 13) != NULL)
		for (;;)
			(void)0;
#endif
	frontend_packet(w->front, pkt);
	atomic_store_explicit(&b->len, 0, memory_order_relaxed);
}

static void
publish_memory(struct worker *w)
{
	struct table_use *m = w->cfg.board->memory;
	uint64_t queue = ring_size(w->cfg.out), capture = 0;

	frontend_memory(w->front, m);
	for (unsigned i = 0; i < w->cfg.nlive; i++)
		capture += live_buffer(w->cfg.live[i]);
	m[MEM_CAPTURE] = (struct table_use){0, 0, capture, capture};
	m[MEM_QUEUE] = (struct table_use){0, 0, queue, queue};
	m[MEM_HEAP_FREE] = memory_heap_free();
}

static void
publish(struct worker *w, int64_t now)
{
	struct board *b = w->cfg.board;

	w->published = now;
	frontend_totals(w->front, &b->totals);
	b->lag = w->now != 0 ? now - w->now : 0;
	for (unsigned i = 0; i < w->cfg.nlive; i++)
		(void)live_counters(w->cfg.live[i], &b->live[i]);
	if (now - w->weighed < PUBLISH_MEMORY && now >= w->weighed)
		return;
	w->weighed = now;
	publish_memory(w);
}

/* One look at each capture. -1: one of them has failed, which is said. */
static int
read_round(struct worker *w, int *got)
{
	char err[300];
	int n;

	*got = 0;
	for (unsigned i = 0; i < w->cfg.nlive; i++) {
		w->cfg.board->interface = i;
		tracker_set_vantage(frontend_tracker(w->front), i);
		n = live_read(
		    w->cfg.live[i], BATCH, on_packet, w, err, sizeof(err));
		if (n == -1) {
			log_line(LOG_LEVEL_ERROR, "capture: %s", err);
			return -1;
		}
		*got += n;
	}
	return 0;
}

static void
wait_for_packets(const struct worker *w, int ms)
{
	struct pollfd p[INTERFACES_MAX];

	for (unsigned i = 0; i < w->cfg.nlive; i++)
		p[i] = (struct pollfd){live_fd(w->cfg.live[i]), POLLIN, 0};
	(void)poll(p, w->cfg.nlive, ms);
}

static void
idle(struct worker *w, int64_t now)
{
	tracker_tick(frontend_tracker(w->front), now - LAG);
	worker_set_mark(w, now - LAG);
	wait_for_packets(w, IDLE_MS);
}

static void
begin(struct worker *w)
{
	struct record_epoch e = {w->cfg.number, w->cfg.epoch};
	struct slice part = {(const uint8_t *)&e, sizeof(e)};

	while (!worker_put(w, REC_EPOCH, &part, 1, 0) && !*w->cfg.stop) {
		atomic_fetch_add(&w->cfg.board->beat, 1);
		ring_wait_room(w->cfg.out, IDLE_MS);
	}
	atomic_store(&w->cfg.board->ready, 1);
}

/* What was on the wire already: the kernel gives a block out when it is full,
 * or LIVE_BLOCK_MS after its first packet. */
static void
drain(struct worker *w)
{
	int64_t end = steady_now() + 3 * LIVE_BLOCK_MS * INT64_C(1000000);
	int got;

	do {
		if (read_round(w, &got) == -1)
			break;
		if (got == 0)
			wait_for_packets(w, LIVE_BLOCK_MS);
	} while (steady_now() < end);
}

static void
finish(struct worker *w)
{
	drain(w);
	frontend_flush(w->front);
	worker_set_mark(w, INT64_MAX); /* nobody is to wait for more */
	publish(w, clock_now());
}

int
worker_live(struct worker *w)
{
	int got, status = 0;
	int64_t now;

#ifdef STRIPWIRE_TEST_HOOKS
	(void)signal(SIGUSR1, set_clock);
	(void)signal(SIGUSR2, set_clock);
#endif
	begin(w);
	while (!*w->cfg.stop && status == 0) {
		tracker_set_listener(frontend_tracker(w->front),
		    atomic_load_explicit(
			&w->cfg.board->judge, memory_order_relaxed));
		status = read_round(w, &got);
		now = clock_now();
		if (got == 0)
			idle(w, now);
		else
			worker_set_mark(w, w->now);
		worker_tell_ended(w);
		if (now - w->published > PUBLISH || now < w->published)
			publish(w, now);
		atomic_fetch_add_explicit(
		    &w->cfg.board->beat, 1, memory_order_relaxed);
	}
	finish(w);
	return status == 0 ? 0 : 1;
}
