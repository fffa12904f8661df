/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks hold one after the other; a relative one begins where the one before
 * ended. If it fails, the one before is tried at its next place: content that
 * comes twice must not hide what follows its second. PCRE2 is asked in the
 * same way, with limits on its own search. All of it is bounded: a pattern of
 * a rule must not make a line of an attacker expensive.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "rules/content.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

/* About 1 ms in the worst case; Suricata's own are 3500 and 1500. */
#define MATCH_LIMIT 3500
#define DEPTH_LIMIT 1500
#define HEAP_LIMIT 256 /* KiB */

struct span {
	size_t begin, end;
};

struct look {
	const struct check *c;
	unsigned n;
	struct slice in;
	unsigned steps;
	struct content_counters *counters;
};

void
checks_free(struct check *c, unsigned n)
{
	for (unsigned i = 0; c != NULL && i < n; i++) {
		free(c[i].bytes);
		pcre2_code_free(c[i].code);
	}
	free(c);
}

/* ---- PCRE2 ---- */

static pcre2_match_context *
match_context(void)
{
	static pcre2_match_context *ctx;

	if (ctx == NULL) {
		ctx = pcre2_match_context_create(NULL);
		if (ctx == NULL)
			return NULL;
		(void)pcre2_set_match_limit(ctx, MATCH_LIMIT);
		(void)pcre2_set_depth_limit(ctx, DEPTH_LIMIT);
		(void)pcre2_set_heap_limit(ctx, HEAP_LIMIT);
	}
	return ctx;
}

static pcre2_match_data *
match_data(void)
{
	static pcre2_match_data *data;

	if (data == NULL)
		data = pcre2_match_data_create(1, NULL);
	return data;
}

/* One letter; false if there is no such one. */
static bool
modifier(struct check *c, uint8_t letter, uint32_t *options)
{
	switch (letter) {
	case 'i':
		*options |= PCRE2_CASELESS;
		return true;
	case 's':
		*options |= PCRE2_DOTALL;
		return true;
	case 'm':
		*options |= PCRE2_MULTILINE;
		return true;
	case 'x':
		*options |= PCRE2_EXTENDED;
		return true;
	case 'A':
		*options |= PCRE2_ANCHORED;
		return true;
	case 'E':
		*options |= PCRE2_DOLLAR_ENDONLY;
		return true;
	case 'G':
		*options |= PCRE2_UNGREEDY;
		return true;
	case 'R':
		c->relative = true;
		return true;
	case 'O': /* limits of one's own: ours stay */
	case 'B': /* raw bytes: all are */
		return true;
	default:
		return false;
	}
}

bool
check_pcre(struct check *c, struct slice pattern, struct slice modifiers,
    size_t *at, char *err, size_t errlen)
{
	uint32_t options = PCRE2_NEVER_BACKSLASH_C;
	PCRE2_SIZE place = 0;
	int code;

	*at = pattern.len;
	for (size_t i = 0; i < modifiers.len; i++) {
		if (modifier(c, modifiers.p[i], &options))
			continue;
		(void)snprintf(err, errlen,
		    "'%c' is no modifier here: i, s, m, x, A, E, G and R are",
		    isprint(modifiers.p[i]) ? modifiers.p[i] : '?');
		*at = pattern.len + 1 + i;
		return false;
	}
	c->code =
	    pcre2_compile(pattern.p, pattern.len, options, &code, &place, NULL);
	if (c->code == NULL) {
		char said[128] = "";

		(void)pcre2_get_error_message(
		    code, (PCRE2_UCHAR *)said, sizeof(said));
		(void)snprintf(
		    err, errlen, "the pattern is wrong here: %s", said);
		*at = place;
		return false;
	}
	/* without a compiler at hand the interpreter does it */
	(void)pcre2_jit_compile(c->code, PCRE2_JIT_COMPLETE);
	return true;
}

/* The first match from `from` on. What is relative sees
 * the bytes from base on only, so that ^ stands there, as in Suricata. A search
 * that hits a limit has found nothing. */
static bool
pcre_find(struct look *k, const struct check *c, size_t base, size_t from,
    struct span *found)
{
	pcre2_match_data *data = match_data();
	const PCRE2_SIZE *v;
	int n;

	if (data == NULL || from > k->in.len)
		return false;
	n = pcre2_match(c->code, k->in.p + base, k->in.len - base, from - base,
	    0, data, match_context());
	if (n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT ||
	    n == PCRE2_ERROR_HEAPLIMIT || n == PCRE2_ERROR_JIT_STACKLIMIT)
		k->counters->pcre_limits++;
	if (n < 0)
		return false;
	v = pcre2_get_ovector_pointer(data);
	*found = (struct span){base + v[0], base + v[1]};
	return true;
}

/* ---- content ---- */

static bool
equal_folded(const uint8_t *p, const uint8_t *lower, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (tolower(p[i]) != lower[i])
			return false;
	return true;
}

/* The first place in [from, to) + length where it stands; in.len: none. */
static size_t
find_bytes(struct slice in, const struct check *c, size_t from, size_t to)
{
	const uint8_t *p;

	if (to > in.len)
		to = in.len;
	if (c->len > to || from > to - c->len)
		return in.len + 1;
	if (!c->nocase) {
		p = memmem(in.p + from, to - from, c->bytes, c->len);
		return p != NULL ? (size_t)(p - in.p) : in.len + 1;
	}
	for (size_t i = from; i + c->len <= to; i++)
		if (tolower(in.p[i]) == c->bytes[0] &&
		    equal_folded(in.p + i, c->bytes, c->len))
			return i;
	return in.len + 1;
}

static size_t
clamp(int64_t v, size_t max)
{
	if (v < 0)
		return 0;
	return (uint64_t)v > max ? max : (size_t)v;
}

/* Where it may stand: its first byte at *from or later, its last before *to.
 * last: the end of the match before. */
static void
window(const struct look *k, const struct check *c, size_t last, size_t *from,
    size_t *to)
{
	size_t max = k->in.len;

	*from = 0;
	*to = max;
	if (c->starts)
		*to = c->len;
	if (c->ends)
		*from = max > c->len ? max - c->len : 0;
	if (c->has_offset)
		*from = clamp(c->offset, max + 1);
	if (c->has_depth)
		*to = clamp((int64_t)c->offset + c->depth, max);
	if (c->has_distance || c->has_within) {
		int64_t base = (int64_t)last + c->distance;

		*from = clamp(base, max + 1);
		if (c->has_within)
			*to = clamp(base + c->within, max);
	}
}

static bool holds_from(struct look *k, unsigned i, size_t last);

/* The positive content i at each of its places until the rest holds too. */
static bool
content_holds_at(struct look *k, unsigned i, size_t last)
{
	const struct check *c = &k->c[i];
	size_t from, to, at;

	window(k, c, last, &from, &to);
	for (;;) {
		at = find_bytes(k->in, c, from, to);
		if (at > k->in.len)
			return false;
		if (c->ends && at + c->len != k->in.len) {
			from = at + 1;
			continue;
		}
		if (holds_from(k, i + 1, at + c->len))
			return true;
		if (k->steps == 0)
			return false;
		k->steps--;
		from = at + 1;
	}
}

static bool
pcre_holds_at(struct look *k, unsigned i, size_t last)
{
	const struct check *c = &k->c[i];
	size_t base = c->relative ? last : 0, from = base;
	struct span found;

	while (pcre_find(k, c, base, from, &found)) {
		if (holds_from(k, i + 1, found.end))
			return true;
		if (k->steps == 0)
			return false;
		k->steps--;
		from = found.begin + 1;
	}
	return false;
}

/* Checks that leave no place to go on from. */
static bool
plain_holds(struct look *k, const struct check *c, size_t last)
{
	size_t from, to;
	struct span found;
	uint64_t need;

	switch (c->kind) {
	case CHECK_BSIZE:
		return (k->in.len >= c->lo && k->in.len <= c->hi) != c->negated;
	case CHECK_ISDATAAT: /* a byte at that place, counted from 0 */
		need = (uint64_t)c->lo + (c->relative ? last : 0);
		/* "at 1 behind the match" is the next byte, as Suricata's */
		if (c->relative && need > 0)
			need--;
		return (need < k->in.len) != c->negated;
	case CHECK_PCRE:
		from = c->relative ? last : 0;
		return !pcre_find(k, c, from, from, &found);
	default:
		window(k, c, last, &from, &to);
		return find_bytes(k->in, c, from, to) > k->in.len;
	}
}

static bool
holds_from(struct look *k, unsigned i, size_t last)
{
	const struct check *c;

	for (; i < k->n; i++) {
		c = &k->c[i];
		if (k->steps == 0) {
			k->counters->steps++;
			return false;
		}
		if (c->kind == CHECK_CONTENT && !c->negated)
			return content_holds_at(k, i, last);
		if (c->kind == CHECK_PCRE && !c->negated)
			return pcre_holds_at(k, i, last);
		if (!plain_holds(k, c, last))
			return false;
	}
	return true;
}

/* ---- transforms ---- */

static struct slice
transformed(uint8_t transform, struct slice in, uint8_t out[CONTENT_BUFFER_MAX])
{
	size_t n = 0;

	if ((transform & TRANSFORM_DOT) != 0)
		out[n++] = '.';
	for (size_t i = 0; i < in.len && n < CONTENT_BUFFER_MAX; i++) {
		uint8_t c = in.p[i];

		if ((transform & TRANSFORM_STRIP) != 0 && isspace(c))
			continue;
		if ((transform & TRANSFORM_LOWER) != 0)
			c = (uint8_t)tolower(c);
		if ((transform & TRANSFORM_UPPER) != 0)
			c = (uint8_t)toupper(c);
		out[n++] = c;
	}
	return (struct slice){out, n};
}

bool
content_holds(const struct check *c, unsigned n, uint8_t transform,
    struct slice bytes, struct content_counters *counters)
{
	uint8_t buf[CONTENT_BUFFER_MAX];
	struct look k = {c, n, bytes, CONTENT_STEPS_MAX, counters};

	if (transform != 0)
		k.in = transformed(transform, bytes, buf);
	if (k.in.p == NULL)
		k.in.p = (const uint8_t *)"";
	return holds_from(&k, 0, 0);
}
