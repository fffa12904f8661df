/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys of what is put only ever grow: what timers say too late stands where it
 * was said. Live, the mark follows the packets while they come, and the clock
 * when they do not; it stays LAG behind the clock, since a block of packets
 * reaches us later than it was captured.
 */
#include "sensor/worker.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "decoders/siphash.h"
#include "sensor/harden.h"
#include "sensor/log.h"

#define BATCH 256 /* packets before looking up */
#define IDLE_MS 20
#define LAG (60 * INT64_C(1000000)) /* ns; thrice a block of the capture */
#define PUBLISH (100 * INT64_C(1000000)) /* ns between looks at the counters */
#define HEADERS 66 /* Ethernet, IPv4, TCP with timestamps */
#define SHED_BITS (1u << 20)
#define NICE 4 /* what is nice to have leaves 1/4 of the queue free */

struct worker {
	struct worker_config cfg;
	struct frontend *front;
	struct ring_key last; /* of what was put */
	uint64_t ordinal;
	int64_t now, published;
	uint64_t shed_key[2];
	bool any_shed;
	uint8_t shed[SHED_BITS / 8]; /* flows, by hash of their number */
};

static void on_obs(void *, const struct obs *);
static void on_chain(void *, const uint8_t[32], const struct slice *, unsigned);
static void on_staple(void *, const uint8_t[32], struct slice, int64_t);

uint64_t
worker_first_flow(unsigned number, unsigned epoch)
{
	return (uint64_t)(number + 1) << 56 | (uint64_t)(epoch & 0xffff) << 40;
}

struct worker *
worker_new(const struct worker_config *cfg, char *err, size_t errlen)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct frontend_config fc = cfg->front;

	if (w == NULL)
		return NULL;
	w->cfg = *cfg;
	fc.sink = (struct obs_sink){on_obs, on_chain, on_staple, w};
	fc.ctx = w;
	w->front = frontend_new(&fc, err, errlen);
	if (w->front == NULL) {
		worker_free(w);
		return NULL;
	}
	return w;
}

void
worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	frontend_free(w->front);
	free(w);
}

/* ---- what goes out ---- */

static struct ring_key
next_key(struct worker *w)
{
	struct tracker_moment m = tracker_moment(frontend_tracker(w->front));
	struct ring_key k = {.time = m.time, .phase = (uint32_t)m.phase};

	k.tie = m.phase == TRACKER_PACKET ? w->ordinal : m.flow;
	if (ring_compare(&k, &w->last) < 0)
		k = w->last;
	w->last = k;
	return k;
}

static bool
put(struct worker *w, enum record_type type, const struct slice *part,
    unsigned n, size_t reserve)
{
	struct ring_record r = {.type = type, .key = next_key(w)};

	return ring_put(w->cfg.out, &r, part, n, reserve);
}

static uint32_t
shed_bit(uint64_t flow)
{
	return (uint32_t)(flow * UINT64_C(0x9e3779b97f4a7c15) >> 40) &
	       (SHED_BITS - 1);
}

static void
mark_shed(struct worker *w, uint64_t flow)
{
	uint32_t bit = shed_bit(flow);

	w->any_shed = true;
	w->shed[bit / 8] |= (uint8_t)(1u << bit % 8);
}

static bool
was_shed(const struct worker *w, uint64_t flow)
{
	uint32_t bit = shed_bit(flow);

	return w->any_shed && (w->shed[bit / 8] >> bit % 8 & 1) != 0;
}

/* No finding is lost with these, or a weak one. */
static bool
is_nice_to_have(enum obs_kind kind)
{
	switch (kind) {
	case OBS_MAIL_CONTENT:
	case OBS_TLS_APPDATA:
	case OBS_QUIT:
	case OBS_PROXY:
	case OBS_VERB_UNKNOWN:
	case OBS_TLS_KEY_EXCHANGE:
		return true;
	default:
		return false;
	}
}

static void
on_obs(void *ctx, const struct obs *o)
{
	struct worker *w = ctx;
	size_t size = ring_size(w->cfg.out), reserve = size / 64;
	struct obs copy;
	struct slice part;

	if (is_nice_to_have((enum obs_kind)o->kind))
		reserve = size / NICE;
	else if (o->kind == OBS_FLOW_END)
		reserve = 0;
	memcpy(&copy, o, o->size);
	if (was_shed(w, o->flow))
		copy.vis |= VIS_GAP_C2S | VIS_GAP_S2C;
	part = (struct slice){(const uint8_t *)&copy, o->size};
	if (put(w, REC_OBS, &part, 1, reserve))
		return;
	w->cfg.board->shed[o->kind]++;
	mark_shed(w, o->flow);
}

static void
on_chain(
    void *ctx, const uint8_t chain_id[32], const struct slice *der, unsigned n)
{
	struct worker *w = ctx;
	struct record_chain c = {.n = n < X509_CHAIN_MAX ? n : X509_CHAIN_MAX};
	struct slice part[1 + X509_CHAIN_MAX] = {
	    {(const uint8_t *)&c, sizeof(c)}};

	memcpy(c.chain_id, chain_id, sizeof(c.chain_id));
	for (unsigned i = 0; i < c.n; i++) {
		part[1 + i] = der[i];
		c.len[i] = (uint32_t)der[i].len;
	}
	if (!put(w, REC_CHAIN, part, 1 + c.n, ring_size(w->cfg.out) / NICE))
		w->cfg.board->shed[OBS_KIND_COUNT]++;
}

static void
on_staple(
    void *ctx, const uint8_t chain_id[32], struct slice response, int64_t time)
{
	struct worker *w = ctx;
	struct record_staple s = {.time = time};
	const struct slice part[2] = {
	    {(const uint8_t *)&s, sizeof(s)}, response};

	memcpy(s.chain_id, chain_id, sizeof(s.chain_id));
	if (!put(w, REC_STAPLE, part, 2, ring_size(w->cfg.out) / NICE))
		w->cfg.board->shed[OBS_KIND_COUNT]++;
}

static void
set_mark(struct worker *w, int64_t time)
{
	struct ring_key k = {
	    .time = time, .phase = TRACKER_PACKET, .tie = w->ordinal};

	if (ring_compare(&k, &w->last) < 0)
		k = w->last;
	w->last = k;
	ring_set_mark(w->cfg.out, &k);
}

/* ---- packets ---- */

uint64_t
worker_fingerprint(const uint8_t key[16], const uint8_t *frame, size_t len)
{
	size_t skip = len >= HEADERS + 32 ? HEADERS : 0;

	return siphash(key, (struct slice){frame + skip, len - skip});
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

static int64_t
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
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
		n = live_read(w->cfg.live[i], BATCH, on_packet, w, err,
		    sizeof(err));
		if (n == -1) {
			log_line(LOG_LEVEL_ERROR, "capture: %s", err);
			return -1;
		}
		*got += n;
	}
	return 0;
}

static void
idle(struct worker *w, int64_t now)
{
	struct pollfd p[INTERFACES_MAX];

	tracker_tick(frontend_tracker(w->front), now - LAG);
	set_mark(w, now - LAG);
	for (unsigned i = 0; i < w->cfg.nlive; i++)
		p[i] = (struct pollfd){live_fd(w->cfg.live[i]), POLLIN, 0};
	(void)poll(p, w->cfg.nlive, IDLE_MS);
}

static void
begin(struct worker *w)
{
	struct record_epoch e = {w->cfg.number, w->cfg.epoch};
	struct slice part = {(const uint8_t *)&e, sizeof(e)};

	while (!put(w, REC_EPOCH, &part, 1, 0) && !*w->cfg.stop) {
		atomic_fetch_add(&w->cfg.board->beat, 1);
		ring_wait_room(w->cfg.out, IDLE_MS);
	}
	atomic_store(&w->cfg.board->ready, 1);
}

static void
finish(struct worker *w)
{
	for (unsigned i = 0; i < 16; i++) { /* what is there already */
		int got;

		if (read_round(w, &got) == -1 || got == 0)
			break;
	}
	frontend_flush(w->front);
	set_mark(w, INT64_MAX); /* nobody is to wait for more */
	publish(w, clock_now());
}

int
worker_live(struct worker *w)
{
	int got, status = 0;
	int64_t now;

	begin(w);
	while (!*w->cfg.stop && status == 0) {
		status = read_round(w, &got);
		now = clock_now();
		if (got == 0)
			idle(w, now);
		else
			set_mark(w, w->now);
		if (now - w->published > PUBLISH || now < w->published)
			publish(w, now);
		atomic_fetch_add_explicit(
		    &w->cfg.board->beat, 1, memory_order_relaxed);
	}
	finish(w);
	return status == 0 ? 0 : 1;
}
