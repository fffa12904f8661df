/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Live, a full queue sheds, and what was shed marks its flow: whatever is said
 * of it later says that bytes are missing, so that nothing is concluded from
 * what the judge was not told.
 */
#include <sys/types.h>

#include "sensor/worker_private.h"

#include "tests/test.h"

#define PACKETS 4096
#define FILLER 99

static struct packet pkts[PACKETS];
static unsigned npkts;
static uint8_t buf[RING_RECORD_MAX];

static void
read_packets(const char *path)
{
	struct capture_config cc = {0};
	struct packet p;
	char err[256];
	struct capture *c = capture_open(&path, 1, &cc, err, sizeof(err));

	npkts = 0;
	CHECK(c != NULL);
	while (npkts < PACKETS && capture_next(c, &p) == 1) {
		uint8_t *copy = malloc(p.caplen);

		memcpy(copy, p.frame, p.caplen);
		pkts[npkts] = p;
		pkts[npkts++].frame = copy;
	}
	capture_close(c);
}

static void
feed(struct worker *w, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		struct packet p = pkts[i];

		w->ordinal = p.ordinal;
		frontend_packet(w->front, &p);
	}
}

static void
fill(struct ring *r)
{
	static const uint8_t nothing[64];
	struct ring_record h = {.type = FILLER};
	const struct slice part = {nothing, sizeof(nothing)};

	while (ring_put(r, &h, &part, 1, 0))
		continue;
}

/* Returns how many observations there were; *marked: of flows with a gap in
 * both directions. */
static unsigned
drain(struct ring *r, unsigned *marked)
{
	struct ring_record h;
	struct obs o;
	unsigned n = 0;

	*marked = 0;
	for (; ring_peek(r, &h, buf); ring_take(r)) {
		if (h.type != REC_OBS)
			continue;
		memcpy(&o, buf, h.size < sizeof(o) ? h.size : sizeof(o));
		*marked += (o.vis & VIS_GAP_C2S) && (o.vis & VIS_GAP_S2C);
		n++;
	}
	return n;
}

static uint64_t
shed(const struct board *b)
{
	uint64_t n = 0;

	for (unsigned i = 0; i <= OBS_KIND_COUNT; i++)
		n += b->shed[i];
	return n;
}

/* The queue is full for the middle of the dialogue. */
static void
run(struct worker *w, struct ring *r, struct board *b)
{
	unsigned n, marked;

	feed(w, 0, npkts / 3);
	n = drain(r, &marked);
	CHECK(n > 0);
	CHECK_INT(marked, 0);
	fill(r);
	feed(w, npkts / 3, npkts * 2 / 3);
	CHECK_INT(drain(r, &marked), 0);
	CHECK(shed(b) > 0);
	feed(w, npkts * 2 / 3, npkts);
	frontend_flush(w->front);
	n = drain(r, &marked);
	CHECK(n > 0);
	CHECK_INT(marked, n);
}

TEST(what_was_shed_marks_its_flow)
{
	static const uint8_t key[16];
	struct board *b = calloc(1, sizeof(*b));
	struct worker_config c = {.front = {.secret_key = key}, .of = 1};
	char err[256];
	struct worker *w;

	read_packets("pcaps/B-keepalive.client.pcap");
	tracker_config_default(&c.front.tracker);
	c.board = b;
	c.out = ring_new(1u << 20, err, sizeof(err));
	w = worker_new(&c, err, sizeof(err));
	CHECK(w != NULL && c.out != NULL);
	run(w, c.out, b);
	worker_free(w);
	ring_free(c.out);
	free(b);
	for (unsigned i = 0; i < npkts; i++)
		free((void *)(uintptr_t)pkts[i].frame);
}

TEST_MAIN
