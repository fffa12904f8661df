/* SPDX-License-Identifier: GPL-3.0-or-later */
/* History: as of a time, taken back to a mark, bounded. */
#include "rules/history.h"

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
save_pair(void *ctx, const struct pair_facts *p)
{
	(void)p;
	((struct saved *)ctx)->pairs++;
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
	history_each_dirty(h, save_server, save_pair, &n);
	CHECK_INT(n.servers, 0);
	teach(h, 1, NOW, NOW);
	CHECK(history_touch_pair(h, &pk) != NULL);
	history_each_dirty(h, save_server, save_pair, &n);
	history_each_dirty(h, save_server, save_pair, &n);
	CHECK_INT(n.servers, 1);
	CHECK_INT(n.pairs, 1);
	history_free(h);
}

TEST(what_a_drop_takes_back_is_not_saved)
{
	struct history *h = history_new();
	struct saved n = {0, 0};

	history_mark(h);
	teach(h, 1, NOW, NOW);
	history_drop(h);
	history_each_dirty(h, save_server, save_pair, &n);
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

TEST_MAIN
