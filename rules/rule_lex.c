/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines are joined into one buffer first and parsed then, so that the parser
 * need not know of continuations; a list of segments leads from an offset in
 * the joined rule back to line and column. As Suricata does, a continuation
 * is a backslash with nothing but blanks behind it, which is dropped together
 * with the line's end.
 */
#include "rules/rule_lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/utf8.h"

#define CONTEXT 160 /* bytes of a long line shown before the place */

struct lex_seg {
	size_t off; /* in the joined rule */
	const char *src; /* in the text */
	const char *line_start, *line_end;
	unsigned line;
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

int
lex_init(struct lex *l, const char *file, struct slice text)
{
	const char *p = (const char *)text.p;

	memset(l, 0, sizeof(*l));
	l->file = file;
	l->next = p;
	l->end = p + text.len;
	l->next_line = 1;
	if (text.len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		l->next += 3; /* byte order mark */
	l->rule = malloc(text.len + 1);
	return l->rule == NULL ? -1 : 0;
}

void
lex_fini(struct lex *l)
{
	free(l->rule);
	free(l->segs);
	l->rule = NULL;
	l->segs = NULL;
}

static int
add_seg(struct lex *l, const char *src, const char *line_end)
{
	if (l->nsegs == l->segs_cap) {
		size_t cap = l->segs_cap == 0 ? 16 : l->segs_cap * 2;
		struct lex_seg *p = realloc(l->segs, cap * sizeof(*p));

		if (p == NULL)
			return -1;
		l->segs = p;
		l->segs_cap = cap;
	}
	l->segs[l->nsegs++] =
	    (struct lex_seg){l->len, src, l->next, line_end, l->next_line};
	return 0;
}

/* Where the content of the line ends; *joined: the next one belongs to it. */
static const char *
content_end(const char *p, const char *e, bool *joined)
{
	while (e > p && is_space(e[-1]))
		e--;
	*joined = e > p && e[-1] == '\\';
	return *joined ? e - 1 : e;
}

/* Where the line at p ends, and where the next one starts. */
static const char *
line_end(const char *p, const char *end, const char **next)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	*next = nl == NULL ? end : nl + 1;
	if (nl == NULL)
		return end;
	return nl > p && nl[-1] == '\r' ? nl - 1 : nl;
}

/* Adds the line at l->next to the rule and steps over it. */
static bool
append_line(struct lex *l, bool *joined)
{
	const char *next, *end = line_end(l->next, l->end, &next);
	const char *e = content_end(l->next, end, joined);

	if (add_seg(l, l->next, end) == -1) {
		lex_nomem(l);
		return false;
	}
	memcpy(l->rule + l->len, l->next, (size_t)(e - l->next));
	l->len += (size_t)(e - l->next);
	l->next = next;
	l->next_line++;
	return true;
}

/* Is the line at l->next empty or a comment? Then it is stepped over. */
static bool
skip_line(struct lex *l)
{
	const char *p = l->next, *next;
	const char *end = line_end(p, l->end, &next);

	while (p < end && is_space(*p))
		p++;
	if (p < end && *p != '#')
		return false;
	(void)content_end(p, end, &l->after_joined_comment);
	l->next = next;
	l->next_line++;
	return true;
}

bool
lex_next_rule(struct lex *l)
{
	bool joined = true;

	l->after_joined_comment = false;
	while (l->next < l->end && skip_line(l))
		continue;
	l->len = l->at = l->nsegs = 0;
	if (l->next == l->end || l->stopped)
		return false;
	while (joined && l->next < l->end)
		if (!append_line(l, &joined))
			return false;
	l->rule[l->len] = '\0';
	if (joined)
		lex_error(l, l->len,
		    "the file ends after a backslash that promises another "
		    "line");
	return !l->stopped;
}

unsigned
lex_line(const struct lex *l)
{
	return l->segs[0].line;
}

char
lex_peek(const struct lex *l)
{
	return l->at < l->len ? l->rule[l->at] : '\0';
}

static const struct lex_seg *
seg_of(const struct lex *l, size_t at)
{
	size_t lo = 0, hi = l->nsegs;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->segs[mid].off <= at)
			lo = mid;
		else
			hi = mid;
	}
	return &l->segs[lo];
}

void
lex_skip_line(struct lex *l)
{
	const struct lex_seg *next = seg_of(l, l->at) + 1;

	l->at = next < l->segs + l->nsegs ? next->off : l->len;
}

void
lex_skip_space(struct lex *l)
{
	while (l->at < l->len && is_space(l->rule[l->at]))
		l->at++;
}

bool
lex_accept(struct lex *l, char c)
{
	if (lex_peek(l) != c || l->at == l->len)
		return false;
	l->at++;
	return true;
}

struct lex_word
lex_word(struct lex *l, const char *stops)
{
	struct lex_word w = {l->rule + l->at, 0, l->at};

	while (
	    l->at < l->len && !is_space(l->rule[l->at]) &&
	    (l->rule[l->at] == '\0' || strchr(stops, l->rule[l->at]) == NULL))
		l->at++;
	w.len = l->at - w.at;
	return w;
}

bool
lex_word_is(struct lex_word w, const char *s)
{
	if (w.len > 0 && w.p[0] != s[0])
		return false; /* most are told by it, and there are many */
	return strlen(s) == w.len && memcmp(w.p, s, w.len) == 0;
}

bool
lex_word_number(struct lex_word w, unsigned long max, unsigned long *out)
{
	unsigned long n = 0;

	if (w.len == 0)
		return false;
	for (size_t i = 0; i < w.len; i++) {
		unsigned d = (unsigned)(w.p[i] - '0');

		if (w.p[i] < '0' || d > 9 || n > (max - d) / 10)
			return false;
		n = n * 10 + d;
	}
	*out = n;
	return true;
}

struct lex_word
lex_trim(struct lex_word w)
{
	while (w.len > 0 && is_space(w.p[0])) {
		w.p++;
		w.at++;
		w.len--;
	}
	while (w.len > 0 && is_space(w.p[w.len - 1]))
		w.len--;
	return w;
}

struct lex_word
lex_split(struct lex_word *w, char c)
{
	const char *e = w->len == 0 ? NULL : memchr(w->p, c, w->len);
	struct lex_word head = *w;
	size_t taken = w->len;

	if (e != NULL) {
		head.len = (size_t)(e - w->p);
		taken = head.len + 1;
	}
	w->p += taken;
	w->at += taken;
	w->len -= taken;
	return lex_trim(head);
}

const char *
lex_show(char *buf, size_t cap, struct lex_word w)
{
	size_t used = 0;

	for (size_t i = 0; i < w.len && used + 4 < cap; i++)
		buf[used++] = w.p[i] >= ' ' && w.p[i] <= '~' ? w.p[i] : '?';
	if (used < w.len && cap >= 8) {
		memcpy(buf + used - 1, "...", 3);
		used += 2;
	}
	buf[used] = '\0';
	return buf;
}

/* Not for a terminal: control characters, C1 among them, and bad UTF-8. */
static bool
is_shown(const char *p, unsigned n)
{
	const unsigned char *u = (const unsigned char *)p;

	if (n == 1)
		return (u[0] >= ' ' && u[0] != 0x7f) || u[0] == '\t';
	return n > 1 && !(u[0] == 0xc2 && u[1] < 0xa0);
}

/* The line, or as much of it around the place as there is room for. */
static void
set_source(struct rule_error *e, const struct lex_seg *s, const char *place)
{
	const char *from = s->line_start, *p;
	size_t used = 0, cap = sizeof(e->source);

	if ((size_t)(place - from) > cap - 64)
		from = place - CONTEXT;
	while (from > s->line_start && ((unsigned char)*from & 0xc0) == 0x80)
		from--;
	for (p = from; p < s->line_end;) {
		unsigned n = utf8_char(p, (size_t)(s->line_end - p));

		if (used + n + 2 > cap)
			break;
		if (p <= place)
			e->caret = (unsigned)used;
		if (is_shown(p, n))
			memcpy(e->source + used, p, n);
		else
			e->source[used] = '?';
		used += is_shown(p, n) ? n : 1;
		p += n == 0 ? 1 : n;
	}
	if (p <= place)
		e->caret = (unsigned)used;
	e->source[used] = '\0';
}

/* Tells what is in e->message, at the place. */
static void
tell(struct lex *l, size_t at, struct rule_error *e)
{
	const struct lex_seg *s = seg_of(l, at);
	const char *place = s->src + (at - s->off);

	e->file = l->file;
	if (place > s->line_end)
		place = s->line_end;
	e->line = s->line;
	e->column = (unsigned)(place - s->line_start) + 1;
	set_source(e, s, place);
	if (l->on_error != NULL)
		l->on_error(l->ctx, e);
}

void
lex_error(struct lex *l, size_t at, const char *fmt, ...)
{
	struct rule_error e = {.level = RULE_MISTAKE};
	va_list ap;

	if (l->stopped)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(e.message, sizeof(e.message), fmt, ap);
	va_end(ap);
	if (++l->errors > RULE_ERRORS_MAX) {
		l->stopped = true;
		(void)snprintf(e.message, sizeof(e.message),
		    "more than %u mistakes: the rest of the file was not read",
		    RULE_ERRORS_MAX);
	}
	tell(l, at, &e);
}

void
lex_skipped(struct lex *l, size_t at, const char *fmt, ...)
{
	struct rule_error e = {.level = RULE_SKIPPED};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e.message, sizeof(e.message), fmt, ap);
	va_end(ap);
	l->skipped = true;
	tell(l, at, &e);
}

void
lex_nomem(struct lex *l)
{
	struct rule_error e = {.file = l->file, .line = 1, .column = 1};

	(void)snprintf(e.message, sizeof(e.message), "out of memory");
	if (!l->stopped && l->on_error != NULL)
		l->on_error(l->ctx, &e);
	l->stopped = true;
	l->errors++;
}
