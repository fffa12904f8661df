/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The distance between two words. The distance is that of
 * optimal string alignment: typing errors are one letter too many, too few,
 * another, or two in the wrong order. Words longer than WORD_MAX are near to
 * nothing, which bounds the work.
 */
#include "rules/rule_words.h"

#include <string.h>

#define WORD_MAX 48
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const reference_kinds[] = {"url", "cve", "bugtraq", "bid",
    "arachnids", "mcafee", "nessus", "osvdb", "msb", "md5", "et", "etpro",
    "exploitdb", "openpacket", "secunia", "telus", "threatexpert", "xforce"};

bool
reference_kind_known(struct lex_word w)
{
	for (size_t i = 0; i < COUNT(reference_kinds); i++)
		if (lex_word_is(w, reference_kinds[i]))
			return true;
	return false;
}

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool
swapped(struct lex_word a, const char *b, size_t i, size_t j)
{
	return i > 1 && j > 1 && lower(a.p[i - 1]) == lower(b[j - 2]) &&
	       lower(a.p[i - 2]) == lower(b[j - 1]);
}

static unsigned
distance(struct lex_word a, const char *b, size_t blen)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2], *t;

	for (size_t j = 0; j <= blen; j++)
		last[j] = before[j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			unsigned diff = lower(a.p[i - 1]) != lower(b[j - 1]);

			row[j] = min3(
			    last[j] + 1, row[j - 1] + 1, last[j - 1] + diff);
			if (swapped(a, b, i, j) && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		t = before;
		before = last;
		last = row;
		row = t;
	}
	return last[blen];
}

/* A name that was not written to its end is as near as a typing error. */
static bool
starts_with(const char *name, struct lex_word w)
{
	return w.len >= 3 && strncmp(name, w.p, w.len) == 0;
}

void
nearest_init(struct nearest *n, struct lex_word w)
{
	n->w = w;
	n->best = w.len < 3 ? 2 : (unsigned)w.len / 3 + 1;
	n->name = NULL;
}

void
nearest_try(struct nearest *n, const char *name)
{
	size_t len = strlen(name);
	unsigned d;

	if (n->w.len == 0 || n->w.len > WORD_MAX || len > WORD_MAX)
		return;
	d = starts_with(name, n->w) ? 1 : distance(n->w, name, len);
	if (d < n->best) {
		n->best = d;
		n->name = name;
	}
}

void
nearest_reference_kind(struct nearest *n)
{
	for (size_t i = 0; i < COUNT(reference_kinds); i++)
		nearest_try(n, reference_kinds[i]);
}

void
nearest_error(struct lex *l, const struct nearest *n, const char *what)
{
	char shown[64];

	lex_show(shown, sizeof(shown), n->w);
	if (n->w.len == 0)
		lex_error(l, n->w.at, "the name of a %s is missing", what);
	else if (n->name != NULL)
		lex_error(l, n->w.at, "unknown %s '%s': did you mean '%s'?",
		    what, shown, n->name);
	else
		lex_error(l, n->w.at, "unknown %s '%s'", what, shown);
}
