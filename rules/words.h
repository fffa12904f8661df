/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Capability words and how they get spoilt: masked by a run of one character
 * (firewalls write XXXXXXXA), or garbled by a letter or two.
 */
#ifndef STRIPWIRE_WORDS_H
#define STRIPWIRE_WORDS_H

#include <stdbool.h>

#include "decoders/obs.h"

#define WORD_MAX 64 /* longer capability names are not compared */

/* Damerau-Levenshtein distance (one insertion, deletion, substitution or swap
 * of neighbours counts 1), letters compared without case. Words longer than
 * WORD_MAX are far away: returns WORD_MAX. */
unsigned words_distance(struct slice a, struct slice b);

/* A run of at least three X, x, *, #, or another filler, perhaps with one
 * last capital letter that numbers it; or of four of anything else. Real capabilities that begin with X
 * (X-EXPS, XFORWARD, XCLIENT, XVERP) are not. */
bool words_is_mask(struct slice word);

/* The word is `want` with some of its letters masked ("STARTXXX"). */
bool words_is_part_mask(struct slice word, const char *want);

/* A capability that exists, so not another one garbled. */
bool words_is_known(struct slice word);

enum word_damage { WORD_FINE = 0, WORD_MASKED, WORD_GARBLED };

/* Is this what is left of `want` (STARTTLS or STLS)? A mask of any length is
 * WORD_MASKED; garbled means within the distance that a word of this length
 * allows (2 for STARTTLS, 1 for STLS), and no capability that exists. */
enum word_damage words_damage(struct slice word, const char *want);

/* The next line of a '\n'-separated list, and its first token; false at the
 * end. *list moves on. A list is a string. */
bool words_next(const char **list, struct slice *line, struct slice *token);

/* The next line alone. */
bool words_next_line(const char **list, struct slice *line);

/* The list holds a word that is damaged so; *found is it (borrowed from the
 * list). want: a literal. Not for several threads at once. The worst damage for the argument wins: of equal length first. */
enum word_damage words_find_damaged(
    const char *list, const char *want, struct slice *found);

/* `now` is the list `before` line by line, but for one line: where `want`
 * stood there is *found, a word of the same length. */
bool words_replaced(
    const char *before, const char *now, const char *want, struct slice *found);

/* As much of src as fits, with a NUL. The many short texts of a busy sensor
 * are not worth a printf each. */
void words_copy(char *dst, size_t cap, const char *src);

bool words_equal(struct slice a, const char *b); /* without case */
/* Lines of before that now lacks, STARTTLS and LOGINDISABLED left out. */
unsigned words_missing(const char *before, const char *now);

/* Which words of a list another one lacks. */
struct words_lost {
	unsigned n;
	bool as_long; /* one of them has as many letters as were asked for */
	char names[96]; /* "STARTTLS, CHUNKING", as many as fit */
};
void words_lost(
    struct words_lost *lost, const char *before, const char *now, size_t len);

/* The list holds that word as a first token. */
bool words_has(const char *list, const char *word);

#endif
