/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records from another process: what is believed, what is refused, and what is
 * put right before it is used.
 */
#include "sensor/records.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/worker.h"
#include "tests/packed.h"
#include "tests/test.h"

#define WORKER 3

static struct backend *b;
static unsigned observed;

static void
on_obs(void *ctx, const struct obs *o)
{
	(void)ctx;
	(void)o;
	observed++;
}

static void
begin(void)
{
	struct pipeline_config cfg = {
	    .no_system_trust = true, .on_obs = on_obs};
	char err[300] = "";

	observed = 0;
	b = backend_new(&cfg, -1, err, sizeof(err));
	CHECK_STR(err, "");
}

/* Exactly these bytes, so that an over-read is seen. */
static bool
take(uint32_t type, const void *bytes, size_t len, struct obs *out)
{
	struct ring_record r = {.type = type, .size = (uint32_t)len};
	uint8_t *exact = malloc(len + 1);
	bool taken;

	memcpy(exact, bytes, len);
	taken = records_take(b, &r, exact, out, WORKER);
	free(exact);
	return taken;
}

/* Its packed bytes; `less` of them are held back. */
static bool
take_obs(struct obs o, size_t less, struct obs *out)
{
	size_t len;
	uint8_t *bytes = packed_bytes(&o, &len);
	bool taken = take(REC_OBS, bytes, len - less, out);

	free(bytes);
	return taken;
}

static struct obs
an_obs(enum obs_kind kind)
{
	struct obs o;

	memset(&o, 0, sizeof(o));
	obs_init(&o, kind);
	o.flow = worker_first_flow(WORKER, 0) + 1;
	return o;
}

TEST(an_observation_is_believed_if_it_is_one)
{
	struct obs o, out;

	begin();
	for (int k = OBS_NONE + 1; k < OBS_KIND_COUNT; k++) {
		o = an_obs((enum obs_kind)k);
		if (k == OBS_CAPS)
			obs_init_caps(&o, "SIZE", 4);
		o.flow = worker_first_flow(WORKER, 0) + 1;
		CHECK(take_obs(o, 0, &out));
		CHECK_INT(out.kind, k);
		/* a byte less, a byte more, another size within */
		CHECK(!take_obs(o, 1, &out));
		CHECK(!take(REC_OBS, &o, 0, &out));
		o.size++;
		CHECK(!take_obs(o, 1, &out));
	}
	CHECK_INT(observed, OBS_KIND_COUNT - 1);
	backend_free(b);
}

TEST(kinds_that_are_none_and_flows_of_others)
{
	struct obs o = an_obs(OBS_QUIT), out;

	begin();
	o.flow = worker_first_flow(WORKER + 1, 0);
	CHECK(!take_obs(o, 0, &out));
	o.flow = 7;
	CHECK(!take_obs(o, 0, &out));
	o = an_obs(OBS_QUIT);
	o.kind = OBS_NONE;
	CHECK(!take_obs(o, 0, &out));
	CHECK(!take(0, &o, sizeof(o), &out));
	CHECK(!take(REC_NAME, &o, sizeof(o), &out));
	CHECK(!take(UINT32_MAX, &o, sizeof(o), &out));
	CHECK_INT(observed, 0);
	backend_free(b);
}

TEST(strings_end_and_indexes_lie_in_their_tables)
{
	struct obs o = an_obs(OBS_AUTH), out;
	uint16_t size = o.size;
	uint64_t flow = o.flow;

	begin();
	memset(&o, 0xff, sizeof(o));
	o.kind = OBS_AUTH;
	o.size = size;
	o.flow = flow;
	memset(&o.u, 1, sizeof(o.u)); /* what is true or false is 1 */
	memset(o.u.auth.user, 'x', sizeof(o.u.auth.user));
	o.u.auth.mech = 200;
	o.implicit_tls = true;
	CHECK(take_obs(o, 0, &out));
	CHECK(memchr(out.text, 0, sizeof(out.text)) != NULL);
	CHECK(memchr(out.u.auth.user, 0, sizeof(out.u.auth.user)) != NULL);
	CHECK(out.dir < 2 && out.proto < PROTO_COUNT && out.pkt.dir < 2);
	CHECK(out.u.auth.mech < 32);
	backend_free(b);
}

TEST(chains_and_staples_that_lie_about_their_lengths)
{
	struct {
		struct record_chain c;
		uint8_t der[64];
	} r;
	struct record_staple s;
	struct obs out;

	begin();
	memset(&r, 0, sizeof(r));
	r.c.n = 2;
	r.c.len[0] = 32;
	r.c.len[1] = 32;
	CHECK(take(REC_CHAIN, &r, sizeof(r.c) + 64, &out));
	CHECK_INT(out.kind, OBS_NONE);
	CHECK(!take(REC_CHAIN, &r, sizeof(r.c) + 63, &out));
	CHECK(!take(REC_CHAIN, &r, sizeof(r.c) - 1, &out));
	r.c.len[1] = UINT32_MAX;
	CHECK(!take(REC_CHAIN, &r, sizeof(r.c) + 64, &out));
	r.c.n = X509_CHAIN_MAX + 1;
	CHECK(!take(REC_CHAIN, &r, sizeof(r.c) + 64, &out));
	r.c.n = UINT32_MAX;
	CHECK(!take(REC_CHAIN, &r, sizeof(r.c) + 64, &out));
	memset(&s, 0, sizeof(s));
	CHECK(take(REC_STAPLE, &s, sizeof(s), &out));
	CHECK(!take(REC_STAPLE, &s, sizeof(s) - 1, &out));
	backend_free(b);
}

TEST_MAIN
