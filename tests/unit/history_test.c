/* SPDX-License-Identifier: GPL-3.0-or-later */
/* History: as of a time, taken back to a mark, bounded. */
#include "rules/history.h"

#include "rules/history_table.h"
#include "tests/test.h"

#define SECOND INT64_C(1000000000)
#define DAY (86400 * SECOND)
#define NOW (1000 * DAY)

static struct server_key
key(uint32_t n)
{
	struct server_key k;

	memset(&k, 0, sizeof(k));
	memcpy(k.addr.b, &n, sizeof(n));
	k.port = 25;
	k.proto = PROTO_SMTP;
	return k;
}

static struct server_facts *
teach(struct history *h, uint32_t n, int64_t first, int64_t last)
{
	struct server_key k = key(n);
	struct server_facts *s = history_touch_server(h, &k);

	if (s == NULL)
		abort();
	s->first = s->first_offer = first;
	s->last = s->last_offer = last;
	s->sessions = s->offered = 12;
	s->days = s->offered_days = 3;
	return s;
}

static const struct server_facts *
ask(const struct history *h, uint32_t n, int64_t now)
{
	struct server_key k = key(n);

	return history_server(h, &k, now);
}

TEST(what_was_learned_later_does_not_answer)
{
	struct history *h = history_new();
	const struct server_facts *s;

	teach(h, 1, NOW, NOW + 5 * DAY);
	CHECK(ask(h, 1, NOW - 1) == NULL);
	CHECK(ask(h, 2, NOW) == NULL);
	s = ask(h, 1, NOW + 6 * DAY);
	CHECK(s != NULL && s->offered == 12 && s->offered_days == 3);
	s = ask(h, 1, NOW + DAY);
	CHECK(s != NULL && s->offered == 1 && s->offered_days == 1);
	CHECK(s != NULL && s->last == NOW + DAY);
	history_free(h);
}

TEST(overlapping_flows_are_no_future)
{
	struct history *h = history_new();
	const struct server_facts *s;

	teach(h, 1, NOW - 5 * DAY, NOW);
	s = ask(h, 1, NOW - SECOND);
	CHECK(s != NULL && s->offered == 12);
	history_free(h);
}

TEST(certificates_of_later_are_cut)
{
	struct history *h = history_new();
	struct server_facts *f = teach(h, 1, NOW, NOW + 9 * DAY);
	const struct server_facts *s;

	f->ncerts = 2;
	f->certs[0].first = f->certs[0].last = NOW + 8 * DAY;
	f->certs[1].first = NOW;
	f->certs[1].last = NOW + 8 * DAY;
	f->certs[1].spki[0] = 9;
	s = ask(h, 1, NOW + DAY);
	CHECK(s != NULL && s->ncerts == 1 && s->certs[0].spki[0] == 9);
	CHECK_INT(f->ncerts, 2);
	history_free(h);
}

TEST(a_drop_restores_the_mark)
{
	struct history *h = history_new();
	const struct server_facts *s;

	teach(h, 1, NOW, NOW);
	history_mark(h);
	teach(h, 1, NOW, NOW)->offered = 99;
	teach(h, 1, NOW, NOW)->offered = 100;
	teach(h, 2, NOW, NOW);
	history_drop(h);
	s = ask(h, 1, NOW);
	CHECK(s != NULL && s->offered == 12);
	CHECK(ask(h, 2, NOW) == NULL);
	CHECK_INT(history_counters(h)->servers, 1);
	history_mark(h);
	teach(h, 2, NOW, NOW);
	history_keep(h);
	history_drop(h);
	CHECK(ask(h, 2, NOW) != NULL);
	history_free(h);
}

struct saved {
	unsigned servers, pairs;
};

static void
save_server(void *ctx, const struct server_facts *s)
{
	(void)s;
	((struct saved *)ctx)->servers++;
}

static void
save_pair(void *ctx, const struct history_entry *p)
{
	(void)p;
	((struct saved *)ctx)->pairs++;
}

/* It works. */
static void
save(struct history *h, uint64_t max,
    void (*server)(void *, const struct server_facts *),
    void (*pair)(void *, const struct history_entry *), void *ctx)
{
	history_each_dirty(h, max, server, pair, ctx);
	history_saved(h, max);
}

TEST(what_could_not_be_saved_waits_on)
{
	struct history *h = history_new();
	struct saved n = {0, 0};

	for (unsigned i = 0; i < 5; i++)
		teach(h, i, NOW, NOW);
	history_each_dirty(h, 3, save_server, save_pair, &n);
	CHECK_INT(n.servers, 3);
	CHECK_INT(history_dirty(h), 5);
	save(h, 3, save_server, save_pair, &n);
	CHECK_INT(history_dirty(h), 2);
	history_free(h);
}

TEST(only_changes_are_saved_once)
{
	struct history *h = history_new();
	struct server_facts loaded;
	struct pair_key pk;
	struct saved n = {0, 0};

	memset(&loaded, 0, sizeof(loaded));
	memset(&pk, 0, sizeof(pk));
	loaded.key = key(5);
	history_load_server(h, &loaded);
	save(h, UINT64_MAX, save_server, save_pair, &n);
	CHECK_INT(n.servers, 0);
	teach(h, 1, NOW, NOW);
	CHECK(history_touch_pair(h, &pk) != NULL);
	save(h, UINT64_MAX, save_server, save_pair, &n);
	save(h, UINT64_MAX, save_server, save_pair, &n);
	CHECK_INT(n.servers, 1);
	CHECK_INT(n.pairs, 1);
	history_free(h);
}

static void
note_server(void *ctx, const struct server_facts *s)
{
	memcpy(ctx, s->key.addr.b, sizeof(uint32_t));
}

/* What waited for longest is saved first, also if it changed since. */
TEST(a_part_of_the_changes_is_saved)
{
	struct history *h = history_new();
	uint32_t last = 0;

	for (uint32_t n = 1; n <= 5; n++)
		teach(h, n, NOW, NOW);
	teach(h, 1, NOW, NOW + 1);
	CHECK_INT(history_dirty(h), 5);
	save(h, 1, note_server, save_pair, &last);
	CHECK_INT(last, 1);
	teach(h, 1, NOW, NOW + 2); /* now behind the others */
	save(h, 2, note_server, save_pair, &last);
	CHECK_INT(last, 3);
	CHECK_INT(history_dirty(h), 3);
	save(h, UINT64_MAX, note_server, save_pair, &last);
	CHECK_INT(last, 1);
	CHECK_INT(history_dirty(h), 0);
	history_free(h);
}

TEST(an_entry_that_goes_waits_no_more)
{
	struct history *h = history_new();
	struct saved n = {0, 0};
	struct server_key k = key(2);

	for (uint32_t i = 1; i <= 3; i++)
		teach(h, i, NOW, NOW);
	CHECK_INT(history_forget(h, &k), 1);
	CHECK_INT(history_dirty(h), 2);
	save(h, UINT64_MAX, save_server, save_pair, &n);
	CHECK_INT(n.servers, 2);
	history_free(h);
}

/* A live sensor marks nothing: whatever comes, the tables are all there is. */
TEST(memory_is_bounded)
{
	struct history *h = history_new();
	struct history_memory m;
	uint64_t full = 0;

	history_limit(h, 1024, 4096);
	for (uint32_t n = 0; n < 5000; n++) {
		teach(h, n, NOW, NOW);
		history_memory(h, &m);
		CHECK(m.servers.entries <= 1024 && m.undo.bytes == 0);
		CHECK(m.servers.bytes <= m.servers.max_bytes);
		if (n == 1024)
			full = m.servers.bytes;
		CHECK(n < 1024 || m.servers.bytes == full);
	}
	CHECK_INT(m.servers.max_entries, 1024);
	CHECK_INT(m.pairs.max_entries, 4096);
	CHECK_INT(m.servers.bytes, m.servers.max_bytes);
	CHECK_INT(history_dirty(h), 1024);
	history_mark(h);
	teach(h, 1, NOW, NOW);
	history_memory(h, &m);
	CHECK_INT(m.undo.entries, 1); /* the one that went */
	history_keep(h);
	history_memory(h, &m);
	CHECK_INT(m.undo.bytes, 0);
	history_free(h);
}

TEST(what_a_drop_takes_back_is_not_saved)
{
	struct history *h = history_new();
	struct saved n = {0, 0};

	history_mark(h);
	teach(h, 1, NOW, NOW);
	history_drop(h);
	save(h, UINT64_MAX, save_server, save_pair, &n);
	CHECK_INT(n.servers, 0);
	history_free(h);
}

/* A flood of servers seen once goes over the cap; what is well known stays. */
TEST(young_entries_go_first)
{
	struct history *h = history_new();
	struct server_key k;

	teach(h, 1, NOW, NOW);
	/* its age is looked at when it is next used */
	teach(h, 1, NOW, NOW);
	for (uint32_t i = 10; i < HISTORY_SERVERS_MAX + 20; i++) {
		k = key(i);
		CHECK(history_touch_server(h, &k) != NULL);
	}
	CHECK(ask(h, 1, NOW) != NULL);
	CHECK(ask(h, 10, NOW) == NULL);
	CHECK_INT(history_counters(h)->servers, HISTORY_SERVERS_MAX);
	CHECK(history_counters(h)->evicted_servers > 0);
	history_free(h);
}

TEST(an_eviction_is_taken_back_too)
{
	struct history *h = history_new();

	for (uint32_t i = 0; i < HISTORY_SERVERS_MAX; i++) {
		struct server_key k = key(i);

		(void)history_touch_server(h, &k);
	}
	history_mark(h);
	teach(h, HISTORY_SERVERS_MAX, NOW, NOW);
	CHECK(ask(h, 0, NOW) == NULL);
	history_drop(h);
	CHECK(ask(h, 0, NOW) != NULL);
	CHECK(ask(h, HISTORY_SERVERS_MAX, NOW) == NULL);
	history_free(h);
}

TEST(how_well_servers_are_known)
{
	struct history *h = history_new();
	struct history_knowledge k;

	history_knowledge(h, &k);
	CHECK_INT(k.once + k.some + k.well, 0);
	CHECK_INT(k.first, 0);
	for (unsigned i = 1; i <= 4; i++) {
		struct server_facts s;

		memset(&s, 0, sizeof(s));
		s.key.addr.b[15] = (uint8_t)i;
		s.key.port = 25;
		s.sessions = i == 3 ? 10 : i == 4 ? 2 : i;
		s.days = i == 4 ? 2 : 1;
		s.first = 100 - i;
		history_load_server(h, &s);
	}
	history_knowledge(h, &k);
	CHECK_INT(k.once, 1);
	CHECK_INT(k.some, 1);
	CHECK_INT(k.well, 2);
	CHECK_INT(k.first, 96);
	history_free(h);
}

/* ---- pairs that rest ---- */

#define PAIRS 2000 /* of them TABLE_AWAKE are whole */

static uint32_t
draw(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Anything, or what most are: one session. */
static void
make_pair(struct pair_facts *p, uint32_t n, uint32_t *state)
{
	uint8_t *b = (uint8_t *)p;

	memset(p, 0, sizeof(*p));
	if (draw(state) % 4 == 0)
		for (size_t i = 0; i < sizeof(*p); i++)
			b[i] = (uint8_t)draw(state);
	memset(&p->key, 0, sizeof(p->key));
	memcpy(p->key.client.b, &n, sizeof(n));
	p->key.server = key(n % 7);
	p->key.of_network = n % 5 == 0;
	p->first = NOW + draw(state);
	p->last = p->first + (draw(state) % 3 == 0 ? draw(state) : 0);
	p->ehlo[3] = draw(state);
	memset(p->ehlo_name, 0, sizeof(p->ehlo_name));
	snprintf(p->ehlo_name, sizeof(p->ehlo_name), "%s%u.example.%0*u",
	    n % 3 == 0 ? "" : "client", draw(state) % 50,
	    (int)(draw(state) % 60), 7);
}

static bool
is_like(const struct pair_facts *a, const struct pair_facts *b)
{
	return a != NULL && memcmp(a, b, sizeof(*a)) == 0;
}

static void
learn_pair(struct history *h, const struct pair_facts *p)
{
	struct pair_facts *to = history_touch_pair(h, &p->key);

	CHECK(to != NULL);
	if (to != NULL)
		*to = *p;
}

static void
check_pairs(const struct history *h, const struct pair_facts *as)
{
	for (uint32_t n = 0; n < PAIRS; n++)
		CHECK(is_like(history_pair(h, &as[n].key, NOW + DAY), &as[n]));
}

struct walk {
	const struct history *h;
	const struct pair_facts *as;
	unsigned n, wrong;
};

static void
see_pair(void *ctx, const struct pair_facts *p)
{
	struct walk *w = ctx;
	uint32_t n;

	memcpy(&n, p->key.client.b, sizeof(n));
	w->wrong += n >= PAIRS || !is_like(p, &w->as[n]);
	w->n++;
}

static void
see_dirty(void *ctx, const struct history_entry *e)
{
	see_pair(ctx, history_entry_pair(((struct walk *)ctx)->h, e));
}

/* Held against copies that never rested. */
TEST(pairs_that_rest_are_what_they_were)
{
	struct history *h = history_new();
	struct pair_facts *as = calloc(PAIRS, sizeof(*as));
	struct walk w = {h, as, 0, 0};
	uint32_t state = 3;

	if (as == NULL)
		abort();
	for (uint32_t n = 0; n < PAIRS; n++) {
		make_pair(&as[n], n, &state);
		learn_pair(h, &as[n]);
	}
	for (uint32_t i = 0; i < 3 * PAIRS; i++) {
		uint32_t n = draw(&state) % PAIRS;

		CHECK(is_like(history_pair(h, &as[n].key, NOW + DAY), &as[n]));
		if (i % 3 == 0) {
			make_pair(&as[n], n, &state);
			learn_pair(h, &as[n]);
		}
	}
	history_each(h, NULL, see_pair, &w);
	CHECK_INT(w.n, PAIRS);
	history_each_dirty(h, UINT64_MAX, save_server, see_dirty, &w);
	CHECK_INT(w.n, 2 * PAIRS);
	CHECK_INT(w.wrong, 0);
	check_pairs(h, as);
	free(as);
	history_free(h);
}

/* What was asked for last stays in its place while others are. */
/* All that are whole were asked for lately: the last of them stays whole when
 * yet another is. */
TEST(an_answer_lives_when_all_were_asked)
{
	struct history *h = history_new();
	struct pair_facts *p;
	struct pair_key k[TABLE_AWAKE + 1];
	const struct pair_facts *a;
	uint32_t state = 5;

	for (uint32_t n = 0; n <= TABLE_AWAKE; n++) {
		struct pair_facts any;

		make_pair(&any, n, &state);
		k[n] = any.key;
		p = history_touch_pair(h, &k[n]);
		p->first = p->last = NOW;
		p->tls = n + 1;
	}
	for (uint32_t n = TABLE_AWAKE; n >= 1; n--)
		(void)history_pair(h, &k[n], NOW + DAY);
	a = history_pair(h, &k[1], NOW + DAY);
	(void)history_pair(h, &k[0], NOW + DAY);
	CHECK_INT(a->tls, 2);
	history_free(h);
}

TEST(an_answer_lives_while_others_are_asked)
{
	struct history *h = history_new();
	struct pair_facts p[PAIRS];
	const struct pair_facts *a;
	uint32_t state = 5;

	for (uint32_t n = 0; n < PAIRS; n++) {
		make_pair(&p[n], n, &state);
		learn_pair(h, &p[n]);
	}
	for (uint32_t n = 0; n + 8 < PAIRS; n++) {
		a = history_pair(h, &p[n].key, NOW + DAY);
		for (uint32_t i = 1; i < 8; i++)
			(void)history_pair(h, &p[n + i].key, NOW + DAY);
		CHECK(is_like(a, &p[n]));
	}
	history_free(h);
}

TEST(pairs_that_rest_are_taken_back_too)
{
	struct history *h = history_new();
	struct pair_facts *as = calloc(PAIRS, sizeof(*as)), other;
	struct history_memory m;
	uint32_t state = 4;

	if (as == NULL)
		abort();
	for (int round = 0; round < 300; round++) { /* marks are 8 bits */
		history_mark(h);
		make_pair(&other, PAIRS + 1, &state);
		learn_pair(h, &other);
		history_drop(h);
		CHECK(history_pair(h, &other.key, NOW + DAY) == NULL);
	}
	for (uint32_t n = 0; n < PAIRS; n++) {
		make_pair(&as[n], n, &state);
		learn_pair(h, &as[n]);
	}
	history_mark(h);
	for (uint32_t n = 0; n < 2 * PAIRS; n++) {
		make_pair(&other, n, &state);
		learn_pair(h, &other);
		learn_pair(h, &other);
	}
	history_memory(h, &m);
	CHECK_INT(m.undo.entries, PAIRS); /* of new ones there is nothing */
	history_drop(h);
	CHECK_INT(history_counters(h)->pairs, PAIRS);
	check_pairs(h, as);
	free(as);
	history_free(h);
}

/* Pairs of one session, as most are, take a third of what they are whole. */
TEST(pairs_that_rest_are_small)
{
	struct history *h = history_new();
	struct history_memory m;
	struct pair_facts p;

	for (uint32_t n = 0; n < 20000; n++) {
		memset(&p, 0, sizeof(p));
		memcpy(p.key.client.b + 12, &n, sizeof(n));
		p.key.server = key(n % 7);
		p.first = p.last = NOW + n * SECOND;
		p.tls = p.offered = p.tls_days = 1;
		p.ehlo[3] = n * 2654435761u;
		snprintf(p.ehlo_name, sizeof(p.ehlo_name),
		    "client%u.example.com", n);
		learn_pair(h, &p);
	}
	history_memory(h, &m);
	CHECK_INT(m.pairs.entries, 20000);
	CHECK(m.pairs.bytes / 20000 < 160);
	CHECK(m.pairs.bytes < m.pairs.max_bytes);
	history_free(h);
}

TEST_MAIN
