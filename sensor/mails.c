/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Those awake are a list by last use; the coldest makes room. What sleeps lies
 * in pools of a few sizes.
 */
#include "sensor/mails.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/pack.h"
#include "sensor/pool.h"

#define SIZES 12

struct awake {
	struct awake *colder, *warmer;
	struct mail_place *at;
	uint64_t words[]; /* struct mail */
};

struct mails {
	uint32_t max, used, nawake;
	size_t nwords; /* of a decoder */
	struct awake *coldest, *warmest;
	struct pool *awake;
	struct pool *asleep[SIZES];
	uint64_t *room; /* to pack into */
};

/* Words that fit into a pool; the last holds any decoder. */
static size_t
size_of(const struct mails *m, unsigned i)
{
	static const uint16_t size[SIZES - 1] = {
	    24, 32, 40, 48, 56, 64, 80, 96, 128, 192, 320};

	return i < SIZES - 1 ? size[i] : PACK_ROOM(m->nwords);
}

static struct pool *
pool_for(const struct mails *m, size_t words)
{
	unsigned i = 0;

	while (size_of(m, i) < words)
		i++;
	return m->asleep[i];
}

struct mails *
mails_new(uint32_t max)
{
	struct mails *m = calloc(1, sizeof(*m));
	bool ok;

	if (m == NULL)
		return NULL;
	m->max = max;
	m->nwords = (mail_size() + 7) / 8;
	m->awake = pool_new(sizeof(struct awake) + m->nwords * 8, MAILS_AWAKE);
	m->room = malloc(PACK_ROOM(m->nwords) * 8);
	ok = m->awake != NULL && m->room != NULL;
	for (unsigned i = 0; i < SIZES; i++) {
		m->asleep[i] = pool_new(size_of(m, i) * 8, max);
		ok = ok && m->asleep[i] != NULL;
	}
	if (ok)
		return m;
	mails_free(m);
	return NULL;
}

void
mails_free(struct mails *m)
{
	if (m == NULL)
		return;
	for (unsigned i = 0; i < SIZES; i++)
		pool_free(m->asleep[i]);
	pool_free(m->awake);
	free(m->room);
	free(m);
}

static struct awake *
awake_of(struct mail *mail)
{
	return (struct awake *)((char *)mail - offsetof(struct awake, words));
}

static void
warm_remove(struct mails *m, struct awake *w)
{
	*(w->colder != NULL ? &w->colder->warmer : &m->coldest) = w->warmer;
	*(w->warmer != NULL ? &w->warmer->colder : &m->warmest) = w->colder;
}

static void
warm_append(struct mails *m, struct awake *w)
{
	w->warmer = NULL;
	w->colder = m->warmest;
	*(w->colder != NULL ? &w->colder->warmer : &m->coldest) = w;
	m->warmest = w;
}

/* Returns false, and all is as before, if there is no memory. */
static bool
put_to_sleep(struct mails *m, struct awake *w)
{
	struct mail_place *at = w->at;
	size_t n = pack_words(m->room, w->words, m->nwords);
	uint64_t *p = pool_get(pool_for(m, n));

	if (p == NULL)
		return false;
	memcpy(p, m->room, n * 8);
	at->asleep = p;
	at->words = (uint16_t)n;
	at->mail = NULL;
	warm_remove(m, w);
	explicit_bzero(m->room, n * 8);
	return true;
}

static struct awake *
take_room(struct mails *m)
{
	struct awake *w = m->coldest;

	if (pool_used(m->awake) < MAILS_AWAKE)
		return pool_get(m->awake);
	return put_to_sleep(m, w) ? w : NULL;
}

static struct mail *
settle(struct mails *m, struct awake *w, struct mail_place *at)
{
	w->at = at;
	at->mail = (struct mail *)w->words;
	warm_append(m, w);
	return at->mail;
}

struct mail *
mails_get(struct mails *m, struct mail_place *at)
{
	struct awake *w = m->used < m->max ? take_room(m) : NULL;

	if (w == NULL)
		return NULL;
	m->used++;
	return settle(m, w, at);
}

static void
drop_asleep(struct mails *m, struct mail_place *at)
{
	explicit_bzero(at->asleep, at->words * (size_t)8);
	pool_put(pool_for(m, at->words), at->asleep);
	at->asleep = NULL;
}

struct mail *
mails_wake(struct mails *m, struct mail_place *at)
{
	struct awake *w;

	if (at->mail != NULL) {
		w = awake_of(at->mail);
		if (w != m->warmest) {
			warm_remove(m, w);
			warm_append(m, w);
		}
		return at->mail;
	}
	w = take_room(m);
	if (w == NULL)
		return NULL;
	(void)unpack_words(w->words, m->nwords, at->asleep);
	drop_asleep(m, at);
	mail_moved((struct mail *)w->words);
	return settle(m, w, at);
}

void
mails_put(struct mails *m, struct mail_place *at)
{
	if (at->mail != NULL) {
		warm_remove(m, awake_of(at->mail));
		pool_put(m->awake, awake_of(at->mail));
		at->mail = NULL;
	} else if (at->asleep != NULL)
		drop_asleep(m, at);
	else
		return;
	m->used--;
}

uint32_t
mails_used(const struct mails *m)
{
	return m->used;
}

/* At most: all asleep in the pool that takes any of them, and those awake. What
 * the smaller pools grew to before counts as well. */
struct table_use
mails_use(const struct mails *m)
{
	struct table_use use = pool_use(m->awake);

	for (unsigned i = 0; i < SIZES; i++) {
		struct table_use asleep = pool_use(m->asleep[i]);

		use.bytes += asleep.bytes;
		use.max_bytes += asleep.max_bytes;
	}
	use.entries = m->used;
	use.max_entries = m->max;
	return use;
}
