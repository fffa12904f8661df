/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pool for the decoders, and one for each part that they borrow. */
#include "sensor/mails.h"

#include <stdlib.h>

#include "sensor/pool.h"

struct mails {
	uint32_t max, resting;
	struct pool *decoders;
	struct pool *part[MAIL_PARTS];
};

struct mails *
mails_new(uint32_t max)
{
	struct mails *m = calloc(1, sizeof(*m));
	bool ok;

	if (m == NULL)
		return NULL;
	m->max = max;
	m->decoders = pool_new(mail_size(), max);
	ok = m->decoders != NULL;
	for (unsigned i = 0; i < MAIL_PARTS; i++) {
		m->part[i] = pool_new(mail_part_size((enum mail_part)i), max);
		ok = ok && m->part[i] != NULL;
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
	for (unsigned i = 0; i < MAIL_PARTS; i++)
		pool_free(m->part[i]);
	pool_free(m->decoders);
	free(m);
}

static void *
lend(void *ctx, enum mail_part part)
{
	struct mails *m = ctx;

	return pool_get(m->part[part]);
}

static void
give_back(void *ctx, enum mail_part part, void *p)
{
	struct mails *m = ctx;

	pool_put(m->part[part], p);
}

struct mail_lender
mails_lender(struct mails *m)
{
	return (struct mail_lender){lend, give_back, m};
}

struct mail *
mails_get(struct mails *m)
{
	return mails_used(m) < m->max ? pool_get(m->decoders) : NULL;
}

void
mails_rest(struct mails *m, struct mail *mail)
{
	m->resting++;
	pool_put(m->decoders, mail);
}

struct mail *
mails_wake(struct mails *m)
{
	m->resting--;
	return pool_get(m->decoders);
}

void
mails_put(struct mails *m, struct mail *mail)
{
	if (mail == NULL)
		return;
	mail_drop(mail);
	pool_put(m->decoders, mail);
}

uint32_t
mails_used(const struct mails *m)
{
	return pool_used(m->decoders) + m->resting;
}

struct table_use
mails_use(const struct mails *m)
{
	struct table_use use = pool_use(m->decoders);

	use.entries += m->resting;
	for (unsigned i = 0; i < MAIL_PARTS; i++) {
		struct table_use part = pool_use(m->part[i]);

		use.bytes += part.bytes;
		use.max_bytes += part.max_bytes;
	}
	return use;
}
