/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hyperscan compiles the patterns into one automaton, whatever their number;
 * below FEW the loop is as fast, and starts at once. The scratch space is
 * shared by all searches: rules are asked one observation at a time.
 */
#include "rules/multi.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_HYPERSCAN
#include <hs/hs.h>
#endif

#define FEW 6

struct pattern {
	uint8_t *bytes; /* folded if nocase */
	size_t len;
	bool nocase;
};

struct multi {
	struct pattern *p;
	unsigned n;
#ifdef HAVE_HYPERSCAN
	hs_database_t *db;
	hs_scratch_t *scratch;
	bool tried; /* to make them */
#endif
};

/* ---- one by one ---- */

static bool
has_folded(struct slice in, const struct pattern *p)
{
	for (size_t i = 0; i + p->len <= in.len; i++) {
		size_t j = 0;

		while (j < p->len && tolower(in.p[i + j]) == p->bytes[j])
			j++;
		if (j == p->len)
			return true;
	}
	return false;
}

static bool
has(struct slice in, const struct pattern *p)
{
	if (p->len > in.len)
		return false;
	if (p->nocase)
		return has_folded(in, p);
	return memmem(in.p, in.len, p->bytes, p->len) != NULL;
}

static bool
keep(struct pattern *to, const struct multi_pattern *from)
{
	to->bytes = malloc(from->len);
	if (to->bytes == NULL)
		return false;
	to->len = from->len;
	to->nocase = from->nocase;
	for (size_t i = 0; i < from->len; i++)
		to->bytes[i] = from->nocase ? (uint8_t)tolower(from->bytes[i])
					    : from->bytes[i];
	return true;
}

/* ---- Hyperscan ---- */

#ifdef HAVE_HYPERSCAN
static bool
is_usable(void)
{
	static int usable = -1;

	if (usable == -1)
		usable = hs_valid_platform() == HS_SUCCESS;
	return usable == 1;
}

static void
compile(struct multi *m, const char **texts, size_t *lens, unsigned *flags,
    unsigned *ids)
{
	hs_compile_error_t *why = NULL;

	for (unsigned i = 0; i < m->n; i++) {
		texts[i] = (const char *)m->p[i].bytes;
		lens[i] = m->p[i].len;
		flags[i] = HS_FLAG_SINGLEMATCH |
			   (m->p[i].nocase ? HS_FLAG_CASELESS : 0);
		ids[i] = i;
	}
	if (hs_compile_lit_multi(texts, flags, ids, lens, m->n, HS_MODE_BLOCK,
		NULL, &m->db, &why) == HS_SUCCESS &&
	    hs_alloc_scratch(m->db, &m->scratch) != HS_SUCCESS) {
		hs_free_database(m->db);
		m->db = NULL;
	}
	hs_free_compile_error(why);
}

static void
prepare(struct multi *m)
{
	const char **texts;
	size_t *lens;
	unsigned *flags;

	m->tried = true;
	if (m->n < FEW || !is_usable())
		return;
	texts = calloc(m->n, sizeof(*texts));
	lens = calloc(m->n, sizeof(*lens));
	flags = calloc(m->n, 2 * sizeof(*flags));
	if (texts != NULL && lens != NULL && flags != NULL)
		compile(m, texts, lens, flags, flags + m->n);
	free(texts);
	free(lens);
	free(flags);
}

struct hit {
	void (*fn)(void *ctx, unsigned pattern);
	void *ctx;
};

static int
on_hit(unsigned id, unsigned long long from, unsigned long long to,
    unsigned flags, void *ctx)
{
	const struct hit *h = ctx;

	(void)from;
	(void)to;
	(void)flags;
	h->fn(h->ctx, id);
	return 0;
}

static bool
search_all(struct multi *m, struct slice in,
    void (*fn)(void *ctx, unsigned pattern), void *ctx)
{
	struct hit h = {fn, ctx};

	if (!m->tried)
		prepare(m);
	if (m->db == NULL)
		return false;
	(void)hs_scan(m->db, (const char *)in.p, (unsigned)in.len, 0,
	    m->scratch, on_hit, &h);
	return true;
}

static void
release(struct multi *m)
{
	hs_free_scratch(m->scratch);
	hs_free_database(m->db);
}

const char *
multi_engine(void)
{
	static char text[64];

	if (!is_usable())
		return "one by one";
	(void)snprintf(text, sizeof(text), "hyperscan %.20s", hs_version());
	return text;
}
#else
static bool
search_all(struct multi *m, struct slice in,
    void (*fn)(void *ctx, unsigned pattern), void *ctx)
{
	(void)m;
	(void)in;
	(void)fn;
	(void)ctx;
	return false;
}

static void
release(struct multi *m)
{
	(void)m;
}

const char *
multi_engine(void)
{
	return "one by one";
}
#endif

/* ---- both ---- */

struct multi *
multi_new(const struct multi_pattern *p, unsigned n)
{
	struct multi *m = calloc(1, sizeof(*m));

	if (m != NULL)
		m->p = calloc(n + 1, sizeof(*m->p));
	while (m != NULL && m->p != NULL && m->n < n &&
	       keep(&m->p[m->n], &p[m->n]))
		m->n++;
	if (m != NULL && m->n == n)
		return m;
	multi_free(m);
	return NULL;
}

void
multi_free(struct multi *m)
{
	if (m == NULL)
		return;
	release(m);
	for (unsigned i = 0; m->p != NULL && i < m->n; i++)
		free(m->p[i].bytes);
	free(m->p);
	free(m);
}

void
multi_search(struct multi *m, struct slice in,
    void (*fn)(void *ctx, unsigned pattern), void *ctx)
{
	if (in.len == 0 || search_all(m, in, fn, ctx))
		return;
	for (unsigned i = 0; i < m->n; i++)
		if (has(in, &m->p[i]))
			fn(ctx, i);
}
