/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flows in judgement: each keeps what was said of it, and nothing of others. */
#include "rules/judged.h"

#include <stdlib.h>

#include "tests/test.h"

#define MANY 1280

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
	if (kind == OBS_CAPS) { /* shorter, and longer */
		o->u.caps.after_auth = 0;
		memset(o->u.caps.words, 'w', (size_t)rand() % 1000);
	}
}

static void
fold_some(struct facts *f, struct blocks *b, unsigned seed)
{
	static struct obs o;
	struct chain_verdict v = {.trust = TRUST_OK, .leaf.not_after = 1};

	srand(seed);
	for (unsigned n = seed % 12; n > 0; n--) {
		by_chance(&o, (enum obs_kind)(rand() % OBS_KIND_COUNT));
		facts_fold(f, b, &o, &v);
	}
}

#define SAME(a, b, member)                                \
	CHECK(offsetof(struct facts_##member, at) == 0 && \
	      memcmp(&(a)->member->at, &(b)->member->at,  \
		  sizeof((a)->member->at)) == 0)

static void
check_same(const struct facts *a, const struct facts *b)
{
	struct facts_tls t = *a->tls, u = *b->tls;
	const struct facts_rare *r = a->rare, *s = b->rare;

	CHECK(memcmp(a, b, offsetof(struct facts, greeting)) == 0);
	SAME(a, b, greeting);
	SAME(a, b, caps);
	CHECK_STR(a->greeting->host, b->greeting->host);
	CHECK_STR(a->caps->name, b->caps->name);
	CHECK_STR(a->caps->words, b->caps->words);
	CHECK_INT(a->caps->mechs, b->caps->mechs);
	CHECK_STR(t.sni, u.sni);
	t.sni = u.sni = NULL;
	CHECK(memcmp(&t, &u, sizeof(t)) == 0);
	CHECK(memcmp(a->clear, b->clear, sizeof(*a->clear)) == 0);
	CHECK(memcmp(a->auth, b->auth, sizeof(*a->auth)) == 0);
	CHECK(memcmp(r->rst, s->rst, 2 * sizeof(*r->rst)) == 0);
	CHECK(memcmp(r->odd, s->odd, sizeof(*r->odd)) == 0);
	CHECK(memcmp(r->proxied, s->proxied, sizeof(*r->proxied)) == 0);
	CHECK(memcmp(r->refused, s->refused, sizeof(*r->refused)) == 0);
	CHECK(memcmp(r->gap, s->gap, sizeof(r->gap)) == 0);
	CHECK(memcmp(r->confidence, s->confidence, FIND_COUNT) == 0);
}

/* Of flows side by side the same is known as of each alone. */
TEST(facts_are_their_own)
{
	static struct facts f[300], alone;
	struct blocks b, other;

	blocks_init(&b);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 300; i++) {
			if (round % 2 == 1 && i % 3 != 0)
				continue;
			if (round > 0)
				facts_fini(&f[i], &b);
			facts_init(&f[i]);
			fold_some(&f[i], &b, i + round / 2 * 2 * 1000);
		}
		for (unsigned i = 0; i < 300; i++) {
			blocks_init(&other);
			facts_init(&alone);
			fold_some(&alone, &other, i + round / 2 * 2 * 1000);
			check_same(&f[i], &alone);
			facts_fini(&alone, &other);
			blocks_fini(&other);
		}
	}
	for (unsigned i = 0; i < 300; i++)
		facts_fini(&f[i], &b);
	blocks_fini(&b);
}

/* No observation may write to what nothing is known of: it is the same for
 * all flows. */
TEST(each_kind_makes_its_own_part)
{
	static const struct chain_verdict v = {.trust = TRUST_OK};
	static const struct finding found = {.id = 1, .confidence = 90};
	static struct facts f, none;
	static struct obs o;
	struct blocks b;

	blocks_init(&b);
	facts_init(&none);
	for (unsigned i = 0; i < 40 * OBS_KIND_COUNT; i++) {
		facts_init(&f);
		by_chance(&o, (enum obs_kind)(i % OBS_KIND_COUNT));
		facts_fold(&f, &b, &o, &v);
		facts_forge(&f, (enum dir)o.dir, 90);
		if (i % 2 == 0)
			facts_raise(&f, &b, &found);
		facts_fini(&f, &b);
		facts_init(&f);
		check_same(&f, &none);
		CHECK(none.rare->rst[0].forged == 0 &&
		      none.rare->rst[1].forged == 0);
	}
	blocks_fini(&b);
}

static void
fold_greeting_of(struct facts *f, struct blocks *b, unsigned i)
{
	static struct obs o;

	obs_init(&o, OBS_GREETING);
	o.time = i;
	o.u.greeting.kind = GREETING_OK;
	(void)snprintf(o.u.greeting.host, sizeof(o.u.greeting.host), "h%u", i);
	facts_fold(f, b, &o, NULL);
}

static void
say(struct judged_table *t, struct judged *w, unsigned i)
{
	static struct obs o;

	obs_init(&o, OBS_QUIT);
	o.flow = i;
	o.time = i;
	for (unsigned n = 0; n < 1 + i % 30; n++) {
		(void)snprintf(o.text, sizeof(o.text), "step %u of %u", n, i);
		ladder_add(&w->ladder, &t->blocks, &o);
	}
	w->alerts = i;
	w->incident = i * 2;
	w->ladder.skipped |= i % 3 == 0;
	w->rules.passed = i % 2;
	fold_greeting_of(&w->f, &t->blocks, i);
}

static void
check_said(const struct judged *w, unsigned i)
{
	static struct alert a;
	char text[32];
	unsigned n = 1 + i % 30;

	CHECK(w->f.flow == i && w->alerts == i && w->incident == i * 2);
	CHECK_INT(w->rules.passed, i % 2);
	CHECK_INT(w->ladder.skipped, i % 3 == 0 || n > LADDER_STEPS);
	(void)snprintf(text, sizeof(text), "h%u", i);
	CHECK_STR(w->f.greeting->host, text);
	ladder_fill(&w->ladder, &a);
	CHECK_INT(a.nsteps, n < LADDER_STEPS ? n : LADDER_STEPS);
	(void)snprintf(text, sizeof(text), "step %u of %u", n - 1, i);
	CHECK_STR(a.steps[a.nsteps - 1].text, text);
	(void)snprintf(text, sizeof(text), "step 0 of %u", i);
	CHECK_STR(a.steps[0].text, text);
}

static struct judged *
open_one(struct judged_table *t, unsigned i)
{
	struct obs o;

	obs_init(&o, OBS_FLOW_OPEN);
	o.flow = i;
	CHECK_INT(judged_open(t, &o), 0);
	return judged_wake(t, judged_find(t, i));
}

TEST(flows_come_and_go)
{
	struct judged_table t = {0};

	CHECK_INT(judged_init(&t, 0, 0), 0);
	for (unsigned i = 1; i <= MANY; i++)
		say(&t, open_one(&t, i), i);
	for (unsigned i = 1; i <= MANY; i++)
		check_said(judged_wake(&t, judged_find(&t, i)), i);
	for (unsigned i = 1; i <= MANY; i += 2)
		judged_forget(&t, judged_find(&t, i));
	for (unsigned i = 2; i <= MANY; i += 2)
		check_said(judged_wake(&t, judged_find(&t, i)), i);
	CHECK(judged_find(&t, 1) == NULL);
	CHECK_INT(t.count, MANY / 2);
	judged_fini(&t);
}

/* Of a flow that takes the place of another nothing is known. */
TEST(a_new_one_is_clean)
{
	static struct facts none;
	struct judged_table t = {0};

	facts_init(&none);
	CHECK_INT(judged_init(&t, 0, 0), 0);
	for (unsigned i = 1; i <= MANY; i++) {
		struct judged *w = open_one(&t, i);

		none.flow = i;
		check_same(&w->f, &none);
		CHECK(w->ladder.n == 0 && w->alerts == 0 && w->incident == 0);
		CHECK(w->talk == NULL && w->rules.nparts == 0);
		say(&t, w, i);
		if (i % 5 == 0)
			judged_forget(&t, &w->link);
	}
	judged_fini(&t);
}

/* The one not used for longest gives way. */
TEST(a_full_table)
{
	struct judged_table t = {0};
	struct obs o;

	CHECK_INT(judged_init(&t, 3, 0), 0);
	for (unsigned i = 1; i <= 3; i++)
		(void)open_one(&t, i);
	judged_touch(&t, judged_wake(&t, judged_find(&t, 1)));
	obs_init(&o, OBS_FLOW_OPEN);
	o.flow = 4;
	CHECK_INT(judged_open(&t, &o), 1);
	CHECK(judged_find(&t, 2) == NULL && judged_find(&t, 1) != NULL);
	CHECK_INT(judged_open(&t, &o), 0); /* told again */
	CHECK_INT(t.count, 3);
	judged_fini(&t);
}

/* ---- at rest ---- */

/* All of them, of which nothing was said since time 0. */
static void
let_all_rest(struct judged_table *t)
{
	for (unsigned i = 0; i < t->max && t->tired != NULL; i++)
		judged_let_rest(t, OBS_TIME_MAX);
}

static unsigned
resting(const struct judged_table *t)
{
	unsigned n = 0;

	for (const struct judged_link *l = t->oldest; l != NULL; l = l->newer)
		n += judged_rests(l);
	return n;
}

/* In order, each linked both ways and found by its number. */
static void
check_lists(const struct judged_table *t)
{
	const struct judged_link *before = NULL;
	uint32_t n = 0;

	for (struct judged_link *l = t->oldest; l != NULL; l = l->newer) {
		CHECK(l->older == before);
		CHECK(judged_find(t, judged_number(l)) == l);
		before = l;
		n++;
	}
	CHECK(t->newest == before && t->count == n);
}

/* Whatever is known of a flow, it is known after it rested; likewise of those
 * whose model it was, and whose it had. */
TEST(rest_changes_nothing)
{
	static struct facts alone;
	struct judged_table t = {0};
	struct blocks b;

	CHECK_INT(judged_init(&t, 0, 0), 0);
	for (unsigned i = 1; i <= MANY; i++) {
		struct judged *w = open_one(&t, i);

		w->f.who.server.b[15] = (uint8_t)(i % 7);
		say(&t, w, i);
		fold_some(&w->f, &t.blocks, i);
	}
	for (unsigned round = 0; round < 3; round++) {
		let_all_rest(&t);
		check_lists(&t);
		CHECK(resting(&t) > MANY * 9 / 10);
		for (unsigned i = 1 + round; i <= MANY; i += 2) {
			struct judged *w = judged_wake(&t, judged_find(&t, i));

			check_said(w, i);
			blocks_init(&b);
			facts_init(&alone);
			alone.flow = i;
			alone.who.server.b[15] = (uint8_t)(i % 7);
			fold_greeting_of(&alone, &b, i);
			fold_some(&alone, &b, i);
			check_same(&w->f, &alone);
			facts_fini(&alone, &b);
			blocks_fini(&b);
			judged_touch(&t, w);
		}
		check_lists(&t);
	}
	judged_fini(&t);
}

/* Also the latest of all, which has its place already. */
TEST(one_that_woke_rests_again)
{
	struct judged_table t = {0};

	CHECK_INT(judged_init(&t, 0, 0), 0);
	say(&t, open_one(&t, 1), 1);
	for (unsigned round = 0; round < 3; round++) {
		struct judged_link *l;

		let_all_rest(&t);
		CHECK_INT(resting(&t), 1);
		l = judged_find(&t, 1);
		CHECK(judged_find(&t, 1 | JUDGED_RESTS) == NULL);
		judged_touch(&t, judged_wake(&t, l));
	}
	judged_fini(&t);
}

/* Whichever block there is no memory for: the flow is whole, or gone. */
TEST(no_memory_to_wake)
{
	struct judged_table t = {0};
	unsigned gone = 0, n = 0;

	CHECK_INT(judged_init(&t, 0, 0), 0);
	for (unsigned i = 1; i <= MANY; i++) {
		struct judged *w = open_one(&t, i);

		say(&t, w, i);
		fold_some(&w->f, &t.blocks, i);
	}
	let_all_rest(&t);
	for (unsigned i = 1; i <= MANY; i++) {
		struct judged *w;

		t.blocks.fail_in = i % 14;
		w = judged_wake(&t, judged_find(&t, i));
		t.blocks.fail_in = 0;
		if (w != NULL)
			check_said(w, i);
		gone += w == NULL;
		n += judged_find(&t, i) != NULL;
	}
	CHECK(gone + n == MANY && t.count == n);
#ifdef __SANITIZE_ADDRESS__
	CHECK(gone > MANY / 4);
#endif
	check_lists(&t);
	judged_fini(&t);
}

/* Without memory for it a flow stays as it is. */
TEST(no_memory_to_rest)
{
	struct judged_table t = {0};

	CHECK_INT(judged_init(&t, 0, 0), 0);
	for (unsigned i = 1; i <= MANY; i++) {
		say(&t, open_one(&t, i), i);
		t.blocks.fail_in = i % 3;
		judged_let_rest(&t, OBS_TIME_MAX);
		t.blocks.fail_in = 0;
		check_lists(&t);
	}
	for (unsigned i = 1; i <= MANY; i++)
		check_said(judged_wake(&t, judged_find(&t, i)), i);
	judged_fini(&t);
}

/* Of a packet all is kept: of a step, and of one that rested. */
TEST(packets_of_steps)
{
	static struct obs o[LADDER_STEPS];
	static struct alert a;
	struct judged_table t = {0};

	srand(5);
	CHECK_INT(judged_init(&t, 0, 0), 0);
	for (unsigned i = 1; i <= 200; i++) {
		struct judged *w = open_one(&t, i);

		for (unsigned n = 0; n < LADDER_STEPS; n++) {
			struct pkt_ref *p = &o[n].pkt;

			obs_init(&o[n], OBS_QUIT);
			by_chance(&o[n], OBS_QUIT);
			o[n].time = (int64_t)n * 1000 + 1;
			memset(o[n].text, 'x', 1);
			o[n].text[1] = '\0';
			p->dir &= 1;
			p->pad = 0;
			if (rand() % 2 == 0) {
				p->ordinal = (uint32_t)p->ordinal;
				p->len = (uint16_t)p->len;
			}
			if (rand() % 2 == 0)
				p->time = o[n].time;
			if (rand() % 2 == 0) {
				p->file = 0;
				p->frame_no = (uint32_t)p->ordinal;
			}
			if (rand() % 4 == 0)
				memset(p, 0, sizeof(*p));
			ladder_add(&w->ladder, &t.blocks, &o[n]);
		}
		for (unsigned round = 0; round < 2; round++) {
			ladder_fill(&w->ladder, &a);
			CHECK_INT(a.nsteps, LADDER_STEPS);
			for (unsigned n = 0; n < LADDER_STEPS; n++)
				CHECK(memcmp(&a.steps[n].pkt, &o[n].pkt,
					  offsetof(struct pkt_ref, pad) + 1) ==
				      0);
			judged_let_rest(&t, OBS_TIME_MAX);
			w = judged_wake(&t, judged_find(&t, i));
		}
	}
	judged_fini(&t);
}

TEST_MAIN
