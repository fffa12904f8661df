/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The short ways of the evidence stage against the long one: the same
 * dialogues, most of them spoilt at some places, leave the same state, hints
 * and observations, packet by packet.
 */
#include "sensor/evidence_private.h"
#include "tests/test.h"

#define MS 1000000LL
#define SESSIONS 3000
#define STEPS 40

struct way {
	struct evidence_ctx *ctx;
	struct evidence_flow flow;
	uint64_t told; /* a hash of the observations */
	unsigned verdicts;
};

struct side {
	uint32_t next;
	uint16_t id;
};

static struct way ways[2]; /* short, long */
static struct side sides[2];
static struct packet pk;
static struct evidence_view view;
static uint32_t x;
static const uint8_t macs[3][12] = {{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1},
    {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 9, 9}};
static uint8_t text[2048];

static uint32_t
any(uint32_t of)
{
	x = x * 1664525 + 1013904223;
	return (x >> 12) % of;
}

static bool
rarely(void)
{
	return any(24) == 0;
}

static void
on_emit(void *user, uint32_t slot, struct obs *o)
{
	struct way *w = user;
	char line[8192];

	(void)slot;
	obs_format(line, sizeof(line), o, true);
	for (const char *p = line; *p != '\0'; p++)
		w->told = (w->told ^ (uint8_t)*p) * 0x100000001b3u;
	w->told = (w->told ^ o->pkt.ordinal) * 0x100000001b3u;
}

static void
on_settled(void *user, uint32_t slot, enum dir dir, unsigned hints)
{
	struct way *w = user;

	(void)slot;
	w->verdicts = w->verdicts * 31 + hints * 2 + dir;
}

static void
begin(void)
{
	for (int i = 0; i < 2; i++) {
		struct evidence_sink sink = {on_emit, on_settled, &ways[i]};

		ways[i] = (struct way){.ctx = evidence_new(&sink, 1)};
		CHECK(ways[i].ctx != NULL);
	}
	ways[1].ctx->key = ways[0].ctx->key; /* samples at the same places */
}

static void
new_session(int64_t now)
{
	for (int i = 0; i < 2; i++) {
		evidence_tick(ways[i].ctx, INT64_MAX);
		evidence_end(ways[i].ctx, &ways[i].flow, now);
		memset(&ways[i].flow, 0, sizeof(ways[i].flow));
		evidence_init(&ways[i].flow, 5);
	}
	memset(&view, 0, sizeof(view));
	sides[0] = (struct side){any(2) ? 0xffffffe0u : 5000, 7};
	sides[1] = (struct side){90000, 1};
}

static uint8_t
flags_at(unsigned step)
{
	if (step < 2)
		return step == 0 ? TCP_SYN : TCP_SYN | TCP_ACK;
	if (rarely())
		return (uint8_t)any(64);
	return step > STEPS - 6 && any(2) ? TCP_ACK | TCP_FIN : TCP_ACK;
}

static void
make(unsigned step, int64_t now)
{
	enum dir dir = step < 3 ? step % 2 : any(2);
	struct side *me = &sides[dir];
	uint32_t len = step < 3 && !rarely() ? 0 : any(3) ? any(200) : 0;

	pk = (struct packet){.time = now, .ordinal = step + 1};
	pk.tcp_flags = flags_at(step);
	pk.seq = me->next + (rarely() ? any(40) - 20 : 0);
	if ((pk.tcp_flags & TCP_ACK) != 0)
		pk.ack = sides[!dir].next + (rarely() ? any(40) - 20 : 0);
	pk.ttl = rarely() ? 33 : 64;
	pk.ip_id = me->id = (uint16_t)(me->id + (rarely() ? 900 : any(2)));
	pk.window = any(4) ? 502 : (uint16_t)any(65536);
	pk.flags = PKT_HAS_MAC;
	pk.flags |= any(8) ? PKT_CSUM_CHECKED : 0;
	pk.flags |= rarely() ? PKT_BAD_TCP_CSUM : 0;
	pk.flags |= rarely() ? PKT_V6 : 0;
	pk.flags |= any(2) ? PKT_TS : 0;
	pk.flags |= step < 2 && any(2) ? PKT_WSCALE : 0;
	pk.wscale = 7;
	pk.tsval = step * 10 + (rarely() ? 1u << 28 : 0);
	pk.mac = rarely() ? macs[2] : macs[dir];
	pk.wire_len = len * (rarely() ? 9 : 1);
	pk.len = rarely() ? pk.wire_len / 2 : pk.wire_len;
	pk.payload = text + pk.seq % 16 + (rarely() ? 1 : 0);
	if (rarely())
		view.phase = (uint8_t)any(PHASE_CLOSING + 1);
	view.opaque = view.opaque ? !rarely() : any(60) == 0;
	view.body = any(6) == 0 && dir == DIR_C2S;
	view.dir = (uint8_t)dir;
	if (pk.seq == me->next)
		me->next +=
		    pk.wire_len + ((pk.tcp_flags & (TCP_SYN | TCP_FIN)) != 0);
}

/* But for where what is kept of payload lies. */
static struct evidence_flow
plain(const struct way *w)
{
	struct evidence_flow f = w->flow;

	for (int i = 0; i < 2; i++) {
		f.d[i].window = f.d[i].window != NULL ? (void *)text : NULL;
		f.d[i].ring = f.d[i].ring != NULL ? (void *)text : NULL;
	}
	return f;
}

static bool
step_agrees(unsigned *quiet)
{
	struct evidence_flow a, b;
	unsigned hints[2];

	for (int i = 0; i < 2; i++) {
		struct way *w = &ways[i];

		evidence_tick(w->ctx, pk.time);
		hints[i] =
		    i == 0 ? evidence_packet(w->ctx, &w->flow, &pk, &view)
			   : evidence_any_packet(w->ctx, &w->flow, &pk, &view);
		if (pk.len > 0)
			evidence_public(
			    &w->flow, (enum dir)view.dir, pk.seq, pk.len);
	}
	a = plain(&ways[0]);
	b = plain(&ways[1]);
	*quiet += hints[0] == 0;
	return hints[0] == hints[1] && memcmp(&a, &b, sizeof(a)) == 0 &&
	       ways[0].told == ways[1].told &&
	       ways[0].verdicts == ways[1].verdicts &&
	       memcmp(&ways[0].ctx->n, &ways[1].ctx->n,
		   sizeof(ways[0].ctx->n)) == 0;
}

TEST(the_short_ways_make_what_the_long_one_makes)
{
	int64_t now = 1700000000LL * 1000 * MS;
	unsigned quiet = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)('a' + i % 16);
	begin();
	for (x = 1; x < SESSIONS; x++) {
		uint32_t seed = x;

		new_session(now);
		for (unsigned step = 0; step < STEPS; step++) {
			now += any(30) ? MS : 300 * MS;
			make(step, now);
			if (step_agrees(&quiet))
				continue;
			printf("session %u, step %u\n", seed, step);
			CHECK(false);
			return;
		}
		x = seed;
	}
	CHECK(quiet > SESSIONS * STEPS / 2);
	CHECK(ways[0].ctx->n.conflicts > 100);
	CHECK(ways[0].ctx->n.rst > 100);
	new_session(now);
	CHECK(ways[0].told == ways[1].told);
	evidence_free(ways[0].ctx);
	evidence_free(ways[1].ctx);
}

TEST_MAIN
