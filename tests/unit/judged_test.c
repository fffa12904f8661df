/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flows in judgement: what is known of one is the same after it slept. */
#include "rules/judged.h"

#include <stdlib.h>

#include "tests/test.h"

#define MANY (JUDGED_AWAKE + JUDGED_AWAKE / 4)

/* Of one kind, all else by chance; texts are short. */
static void
by_chance(struct obs *o, enum obs_kind kind)
{
	uint8_t *bytes = (uint8_t *)o;
	uint16_t size = obs_size(kind);

	for (size_t i = 0; i < size; i++)
		bytes[i] = i % 16 < 12 ? (uint8_t)(rand() % 255 + 1) : 0;
	o->kind = (uint16_t)kind;
	o->size = size;
	o->time = rand() + 1;
	o->proto = PROTO_SMTP;
	o->dir = (uint8_t)rand() % 2;
}

static void
fold_some(struct facts *f, unsigned n)
{
	static struct obs o;
	struct chain_verdict v = {.trust = TRUST_OK, .leaf.not_after = 1};

	while (n-- > 0) {
		by_chance(&o, (enum obs_kind)(rand() % OBS_KIND_COUNT));
		facts_fold(f, &o, &v);
	}
}

static bool
is_zero(const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((const uint8_t *)p)[i] != 0)
			return false;
	return true;
}

TEST(facts_come_out_as_they_were)
{
	static uint64_t packed[FACTS_PACKED_MAX];
	static struct facts f, was;

	for (unsigned round = 0; round < 3000; round++) {
		size_t n;

		fold_some(&f, round % 12);
		f.raised = (uint64_t)rand();
		f.confidence[round % FIND_COUNT] = 1;
		was = f;
		n = facts_pack(packed, &f);
		CHECK(n <= FACTS_PACKED_MAX);
		CHECK(is_zero(&f, sizeof(f)));
		CHECK_INT(facts_unpack(&f, packed), n);
		CHECK(memcmp(&f, &was, sizeof(f)) == 0);
		facts_clear(&f);
		CHECK(is_zero(&f, sizeof(f)));
	}
}

/* Each kind alone, so that no other one has named its part. */
TEST(each_kind_names_its_part)
{
	static uint64_t packed[FACTS_PACKED_MAX];
	static struct facts f, was;
	static struct obs o;

	for (unsigned i = 0; i < 40 * OBS_KIND_COUNT; i++) {
		by_chance(&o, (enum obs_kind)(i % OBS_KIND_COUNT));
		facts_fold(&f, &o, NULL);
		was = f;
		(void)facts_pack(packed, &f);
		CHECK(is_zero(&f, sizeof(f)));
		(void)facts_unpack(&f, packed);
		CHECK(memcmp(&f, &was, sizeof(f)) == 0);
		memset(&f, 0, sizeof(f));
	}
}

static void
say(struct judged *w, unsigned i)
{
	static struct obs o;

	obs_init(&o, OBS_QUIT);
	o.flow = i;
	o.time = i;
	for (unsigned n = 0; n < 1 + i % 30; n++) {
		(void)snprintf(o.text, sizeof(o.text), "step %u of %u", n, i);
		ladder_add(&w->ladder, &o);
	}
	w->alerts = i;
	w->incident = i * 2;
	w->f.caps.lists = (uint8_t)i;
	w->f.parts |= FACTS_CAPS;
}

static void
check_said(struct judged *w, unsigned i)
{
	static struct alert a;
	char text[32];
	unsigned n = 1 + i % 30;

	CHECK(w->f.flow == i && w->alerts == i && w->incident == i * 2);
	CHECK_INT(w->f.caps.lists, (uint8_t)i);
	ladder_fill(&w->ladder, &a);
	CHECK_INT(a.nsteps, n < LADDER_STEPS ? n : LADDER_STEPS);
	(void)snprintf(text, sizeof(text), "step %u of %u", n - 1, i);
	CHECK_STR(a.steps[a.nsteps - 1].text, text);
	(void)snprintf(text, sizeof(text), "step 0 of %u", i);
	CHECK_STR(a.steps[0].text, text);
}

/* More than may be awake, asked for by turns and by chance. */
TEST(flows_sleep_and_wake)
{
	struct judged_table t = {0};
	struct obs o;

	CHECK_INT(judged_init(&t, 0), 0);
	for (unsigned i = 1; i <= MANY; i++) {
		obs_init(&o, OBS_FLOW_OPEN);
		o.flow = i;
		CHECK_INT(judged_open(&t, &o), 0);
		say(judged_find(&t, i), i);
		if (i % 3 == 0)
			judged_rest(&t, judged_find(&t, i));
	}
	CHECK_INT(t.nawake, JUDGED_AWAKE);
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 1; i <= MANY; i++)
			check_said(judged_find(&t, i), i);
	for (unsigned n = 0; n < 3 * MANY; n++) {
		unsigned i = (unsigned)rand() % MANY + 1;

		check_said(judged_find(&t, i), i);
	}
	for (unsigned i = 1; i <= MANY; i += 2)
		judged_forget(&t, judged_find(&t, i));
	for (unsigned i = 2; i <= MANY; i += 2)
		check_said(judged_find(&t, i), i);
	CHECK(judged_find(&t, 1) == NULL);
	CHECK_INT(t.count, MANY / 2);
	judged_fini(&t);
}

/* Of a flow that takes the place of another nothing is known. */
TEST(a_room_is_clean)
{
	struct judged_table t = {0};
	static const struct judged clean;
	struct obs o;

	CHECK_INT(judged_init(&t, 0), 0);
	for (unsigned i = 1; i <= MANY; i++) {
		struct judged *w;

		obs_init(&o, OBS_FLOW_OPEN);
		o.flow = i;
		(void)judged_open(&t, &o);
		w = judged_find(&t, i);
		CHECK(
		    memcmp(&w->f.greeting, &clean.f.greeting,
			sizeof(w->f) - offsetof(struct facts, greeting)) == 0);
		CHECK(w->ladder.n == 0 && w->alerts == 0 && w->incident == 0);
		fold_some(&w->f, 5);
		say(w, i);
		if (i % 5 == 0)
			judged_forget(&t, w);
	}
	judged_fini(&t);
}

TEST_MAIN
