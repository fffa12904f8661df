/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * content, pcre and what changes them. As in Suricata a modifier stands behind
 * the content it changes, and content behind the sticky buffer it looks at.
 */
#include "rules/rule_value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE_MAX 65535 /* of offset, depth, distance, within, bsize */

/* ---- the buffer ---- */

bool
value_select(struct lex *l, struct rule_draft *d, enum rule_buffer b, size_t at)
{
	struct rule *r = &d->rule;

	for (unsigned i = 0; i < r->nlooks; i++)
		if (r->looks[i].buffer == b && r->looks[i].transform == 0) {
			d->look = (int)i;
			return true;
		}
	if (r->nlooks == RULE_LOOKS_MAX) {
		lex_error(
		    l, at, "more than %u buffers in one rule", RULE_LOOKS_MAX);
		return false;
	}
	d->look = r->nlooks;
	d->look_at[r->nlooks] = at;
	r->looks[r->nlooks++] = (struct rule_look){.buffer = (uint8_t)b};
	return true;
}

static void
transform(struct lex *l, struct rule_draft *d, struct lex_word v, uint8_t bit)
{
	struct rule *r = &d->rule;
	bool used = false;

	if (d->look == -1 || r->looks[d->look].buffer == BUF_LINE) {
		lex_error(l, v.at,
		    "this changes a sticky buffer and stands behind its name");
		return;
	}
	for (unsigned i = 0; i < d->nchecks; i++)
		used |= d->check_look[i] == d->look;
	if (used) {
		lex_error(l, v.at,
		    "this changes the whole buffer: it stands before the "
		    "first content");
		return;
	}
	r->looks[d->look].transform |= bit;
}

void
value_strip(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	transform(l, d, v, TRANSFORM_STRIP);
}

void
value_lower(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	transform(l, d, v, TRANSFORM_LOWER);
}

void
value_upper(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	transform(l, d, v, TRANSFORM_UPPER);
}

void
value_dot(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	transform(l, d, v, TRANSFORM_DOT);
}

/* ---- a check ---- */

/* A mistake in what is looked for is not told a second time. */
static void
tried(struct rule_draft *d)
{
	if (d->look != -1)
		d->tried |= (uint8_t)(1u << d->look);
}

/* A new one of the buffer at hand; NULL: reported. */
static struct check *
check_add(struct lex *l, struct rule_draft *d, enum check_kind kind, size_t at)
{
	struct check *c;

	if (d->look == -1 && !value_select(l, d, BUF_LINE, at))
		return NULL;
	if (d->nchecks == CHECKS_MAX) {
		lex_error(
		    l, at, "more than %u conditions in one rule", CHECKS_MAX);
		return NULL;
	}
	c = &d->checks[d->nchecks];
	memset(c, 0, sizeof(*c));
	c->kind = (uint8_t)kind;
	d->check_look[d->nchecks] = (uint8_t)d->look;
	d->check_at[d->nchecks++] = at;
	return c;
}

/* The content that a modifier belongs to; NULL: reported. */
static struct check *
last_content(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	for (unsigned i = d->nchecks; i > 0; i--)
		if (d->checks[i - 1].kind == CHECK_CONTENT &&
		    d->check_look[i - 1] == d->look)
			return &d->checks[i - 1];
	lex_error(l, v.at, "this stands behind the content that it is about");
	return NULL;
}

/* ---- bytes of a content ---- */

struct bytes {
	uint8_t b[CONTENT_MAX];
	size_t n;
};

static bool
put(struct lex *l, struct lex_word v, struct bytes *out, uint8_t c)
{
	if (out->n == CONTENT_MAX) {
		lex_error(
		    l, v.at, "content is longer than %u bytes", CONTENT_MAX);
		return false;
	}
	out->b[out->n++] = c;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* |0D 0A|; *i stands behind the first bar, and then on the last. */
static bool
hex_run(struct lex *l, struct lex_word v, size_t *i, struct bytes *out)
{
	size_t start = *i;
	int hi, lo;

	for (; *i < v.len && v.p[*i] != '|'; ++*i) {
		if (v.p[*i] == ' ')
			continue;
		hi = hex_digit(v.p[*i]);
		lo = *i + 1 < v.len ? hex_digit(v.p[*i + 1]) : -1;
		if (hi == -1 || lo == -1) {
			lex_error(l, v.at + *i,
			    "between bars stand pairs of hexadecimal digits: "
			    "|0D 0A|");
			return false;
		}
		if (!put(l, v, out, (uint8_t)(hi << 4 | lo)))
			return false;
		++*i;
	}
	if (*i == v.len)
		lex_error(l, v.at + start - 1,
		    "the hexadecimal digits have no closing '|'");
	return *i < v.len;
}

static bool
escaped(struct lex *l, struct lex_word v, size_t *i, struct bytes *out)
{
	if (*i + 1 == v.len || strchr("\";\\:|", v.p[*i + 1]) == NULL) {
		lex_error(l, v.at + *i,
		    "unknown escape: there are \\\" \\; \\: \\| and \\\\; "
		    "other bytes are written |0D|");
		return false;
	}
	++*i;
	return put(l, v, out, (uint8_t)v.p[*i]);
}

static bool
content_bytes(struct lex *l, struct lex_word v, struct bytes *out)
{
	bool ok = true;

	for (size_t i = 0; ok && i < v.len; i++) {
		if (v.p[i] == '|') {
			i++;
			ok = hex_run(l, v, &i, out);
		} else if (v.p[i] == '\\') {
			ok = escaped(l, v, &i, out);
		} else {
			ok = put(l, v, out, (uint8_t)v.p[i]);
		}
	}
	if (ok && out->n == 0)
		lex_error(l, v.at, "content is empty");
	return ok && out->n > 0;
}

/* A content of the buffer at hand; NULL: reported. */
static struct check *
content_add(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct bytes b = {.n = 0};
	struct check *c;

	tried(d);
	if (!content_bytes(l, v, &b))
		return NULL;
	c = check_add(l, d, CHECK_CONTENT, v.at);
	if (c == NULL)
		return NULL;
	c->negated = d->negated;
	c->len = (uint16_t)b.n;
	c->bytes = malloc(b.n);
	if (c->bytes == NULL)
		lex_nomem(l);
	else
		memcpy(c->bytes, b.b, b.n);
	return c;
}

void
value_content(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	(void)content_add(l, d, v);
}

void
value_buffer(
    struct lex *l, struct rule_draft *d, enum rule_buffer b, struct lex_word v)
{
	struct check *c;

	if (!value_select(l, d, b, v.at))
		return;
	c = content_add(l, d, v);
	if (c != NULL && b == BUF_TLS_VERSION)
		c->starts = c->ends = true;
	d->look = -1;
}

/* ---- modifiers of content ---- */

void
value_nocase(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct check *c = last_content(l, d, v);

	if (c == NULL || c->bytes == NULL)
		return;
	c->nocase = true;
	for (unsigned i = 0; i < c->len; i++)
		c->bytes[i] = (uint8_t)tolower(c->bytes[i]);
}

static bool
is_place(struct lex *l, struct lex_word v, bool may_be_negative, int32_t *out)
{
	struct lex_word digits = v;
	bool minus = may_be_negative && v.len > 1 && v.p[0] == '-';
	unsigned long n;

	if (minus) {
		digits.p++;
		digits.len--;
	}
	if (!lex_word_number(digits, PLACE_MAX, &n)) {
		lex_error(l, v.at, "this is a number from %d to %d",
		    may_be_negative ? -PLACE_MAX : 0, PLACE_MAX);
		return false;
	}
	*out = minus ? -(int32_t)n : (int32_t)n;
	return true;
}

static void
clash(struct lex *l, struct lex_word v, const char *a, const char *b)
{
	lex_error(l, v.at, "%s and %s of one content do not go together", a, b);
}

/* How long a window is must hold the content. */
static bool
fits(struct lex *l, struct lex_word v, const struct check *c, int32_t n)
{
	if (n >= (int32_t)c->len)
		return true;
	lex_error(l, v.at, "the content has %u bytes and never stands in %d",
	    c->len, n);
	return false;
}

void
value_offset(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct check *c = last_content(l, d, v);
	int32_t n;

	if (c == NULL || !is_place(l, v, false, &n))
		return;
	if (c->has_distance || c->has_within)
		clash(l, v, "offset", "distance or within");
	else if (c->starts || c->ends)
		clash(l, v, "offset", "startswith or endswith");
	c->has_offset = true;
	c->offset = n;
}

void
value_depth(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct check *c = last_content(l, d, v);
	int32_t n;

	if (c == NULL || !is_place(l, v, false, &n) || !fits(l, v, c, n))
		return;
	if (c->has_distance || c->has_within)
		clash(l, v, "depth", "distance or within");
	else if (c->starts)
		clash(l, v, "depth", "startswith");
	c->has_depth = true;
	c->depth = n;
}

/* Is there one before c, in the same buffer, whose end it counts from? */
static bool
has_base(struct lex *l, const struct rule_draft *d, const struct check *c,
    struct lex_word v)
{
	for (unsigned i = 0; &d->checks[i] < c; i++)
		if (d->check_look[i] == d->look && !d->checks[i].negated &&
		    (d->checks[i].kind == CHECK_CONTENT ||
			d->checks[i].kind == CHECK_PCRE))
			return true;
	lex_error(l, v.at,
	    "this counts from the end of the content before, and there is "
	    "none in this buffer");
	return false;
}

void
value_distance(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct check *c = last_content(l, d, v);
	int32_t n;

	if (c == NULL || !is_place(l, v, true, &n) || !has_base(l, d, c, v))
		return;
	if (c->has_offset || c->has_depth)
		clash(l, v, "distance", "offset or depth");
	else if (c->starts || c->ends)
		clash(l, v, "distance", "startswith or endswith");
	c->has_distance = c->relative = true;
	c->distance = n;
}

void
value_within(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct check *c = last_content(l, d, v);
	int32_t n;

	if (c == NULL || !is_place(l, v, false, &n) || !fits(l, v, c, n) ||
	    !has_base(l, d, c, v))
		return;
	if (c->has_offset || c->has_depth)
		clash(l, v, "within", "offset or depth");
	else if (c->starts || c->ends)
		clash(l, v, "within", "startswith or endswith");
	c->has_within = c->relative = true;
	c->within = n;
}

void
value_startswith(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct check *c = last_content(l, d, v);

	if (c == NULL)
		return;
	if (c->has_offset || c->has_depth || c->relative)
		clash(l, v, "startswith", "offset, depth, distance or within");
	c->starts = true;
}

void
value_endswith(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct check *c = last_content(l, d, v);

	if (c == NULL)
		return;
	if (c->has_offset || c->relative)
		clash(l, v, "endswith", "offset, distance or within");
	c->ends = true;
}

void
value_fast_pattern(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct check *c = last_content(l, d, v);

	if (c == NULL)
		return;
	if (c->negated) {
		lex_error(l, v.at,
		    "what must not be there is not searched for first");
		return;
	}
	for (unsigned i = 0; i < d->nchecks; i++)
		d->checks[i].fast = false;
	c->fast = true;
}

void
value_rawbytes(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	(void)last_content(l, d, v); /* there are no others here */
}

/* ---- bsize, isdataat, pcre ---- */

static bool
bsize_range(struct lex_word v, uint32_t *lo, uint32_t *hi)
{
	struct lex_word rest = v, head = lex_split(&rest, '<');
	unsigned long a, b;

	if (head.len == 0 || rest.len == 0 || rest.p[0] != '>')
		return value_compare(v, PLACE_MAX, lo, hi);
	rest.p++;
	rest.len--;
	if (!lex_word_number(head, PLACE_MAX, &a) ||
	    !lex_word_number(lex_trim(rest), PLACE_MAX, &b) || a + 1 >= b)
		return false;
	*lo = (uint32_t)a + 1;
	*hi = (uint32_t)b - 1;
	return true;
}

void
value_bsize(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct lex_word w = v;
	bool negated = value_take_not(&w);
	uint32_t lo, hi;
	struct check *c;

	tried(d);
	if (d->look == -1) {
		lex_error(l, v.at,
		    "bsize is the size of a sticky buffer and stands behind "
		    "its name");
		return;
	}
	if (!bsize_range(w, &lo, &hi)) {
		lex_error(l, v.at, "bsize is N, >N, >=N, <N, <=N, !N or A<>B");
		return;
	}
	c = check_add(l, d, CHECK_BSIZE, v.at);
	if (c == NULL)
		return;
	c->negated = negated;
	c->lo = lo;
	c->hi = hi;
}

void
value_isdataat(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	struct lex_word rest = v, w = lex_split(&rest, ',');
	bool negated = value_take_not(&w), relative = false, more = true;
	unsigned long n;
	struct check *c;

	tried(d);
	if (!lex_word_number(w, PLACE_MAX, &n)) {
		lex_error(l, v.at, "isdataat is N or !N, then ,relative");
		return;
	}
	while (rest.len > 0 && more) {
		more = value_item(&rest, &w);
		relative |= lex_word_is(w, "relative");
		if (!lex_word_is(w, "relative") && !lex_word_is(w, "rawbytes"))
			lex_error(l, w.at,
			    "isdataat is N or !N, then "
			    ",relative");
	}
	c = check_add(l, d, CHECK_ISDATAAT, v.at);
	if (c == NULL)
		return;
	c->negated = negated;
	c->relative = relative;
	c->lo = (uint32_t)n;
	if (relative)
		(void)has_base(l, d, c, v);
}

/* Takes off the escapes that the grammar of rules asks for; all others are
 * the pattern's own. */
static size_t
pattern_text(struct lex_word v, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < v.len; i++) {
		if (v.p[i] == '\\' && i + 1 < v.len &&
		    (v.p[i + 1] == ';' || v.p[i + 1] == '"' ||
			v.p[i + 1] == '/'))
			i++;
		else if (v.p[i] == '\\' && i + 1 < v.len)
			out[n++] = (uint8_t)v.p[i++];
		out[n++] = (uint8_t)v.p[i];
	}
	return n;
}

static const char *
last_slash(struct lex_word v)
{
	for (size_t i = v.len; i > 1; i--)
		if (v.p[i - 1] == '/')
			return v.p + i - 1;
	return NULL;
}

static void
pcre_compile(
    struct lex *l, struct check *c, struct lex_word v, const char *slash)
{
	struct lex_word body = {v.p + 1, (size_t)(slash - v.p) - 1, v.at + 1};
	struct slice mods = {(const uint8_t *)slash + 1, v.len - body.len - 2};
	uint8_t *text = malloc(body.len + 1);
	char why[160];
	size_t at, n;

	if (text == NULL) {
		lex_nomem(l);
		return;
	}
	n = pattern_text(body, text);
	if (!check_pcre(
		c, (struct slice){text, n}, mods, &at, why, sizeof(why))) {
		at += body.len - n; /* about: escapes were taken off */
		lex_error(
		    l, v.at + 1 + (at < v.len ? at : v.len - 1), "%s", why);
	}
	free(text);
}

void
value_pcre(struct lex *l, struct rule_draft *d, struct lex_word v)
{
	const char *slash = v.len > 0 && v.p[0] == '/' ? last_slash(v) : NULL;
	struct check *c;

	tried(d);
	if (slash == NULL) {
		lex_error(l, v.at,
		    "pcre stands between slashes: pcre:\"/pattern/i\"");
		return;
	}
	c = check_add(l, d, CHECK_PCRE, v.at);
	if (c == NULL)
		return;
	c->negated = d->negated;
	pcre_compile(l, c, v, slash);
	if (c->relative)
		(void)has_base(l, d, c, v);
}
