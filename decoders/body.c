/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two readers over the same bytes: one finds the end (memchr for the dot, then
 * what lies around it), the other reads header lines until it knows whether
 * the content is encrypted (RFC 3156, RFC 8551) and then stops.
 *
 * Where lines of the dialogue end with CRLF, only CRLF after the dot ends a
 * body, and to a strict reader only CRLF before it. Any other dot that stands
 * alone (LF.LF, LF.CRLF, CR.CRLF, CRLF.CR ...) is noted: some servers take it
 * for the end and others do not (SMTP smuggling, Longin 2023), and the reply
 * tells.
 */
#include "decoders/body.h"

#include <string.h>

#define DENSE 8 /* dots nearer than this: not each, but on to the next line */

enum dot_at {
	DOT_LINE_START = 0, /* next byte begins a line */
	DOT_IN_LINE,
	DOT_SEEN, /* a dot at the start of a line */
	DOT_CR /* and CR after it */
};

enum line_start { START_LF = 0, START_CRLF, START_CR };

enum body_stage { BODY_HEADER = 0, BODY_FIRST_LINE, BODY_REST };

void
body_start(struct body *b, bool bare_lf)
{
	memset(b, 0, sizeof(*b));
	b->bare = bare_lf;
	b->start = bare_lf ? START_LF : START_CRLF;
}

bool
body_at_line_start(const struct body *b)
{
	return b->at == DOT_LINE_START && b->start != START_CR;
}

bool
body_reads_lines(const struct body *b)
{
	return b->stage != BODY_REST;
}

/* Content-Type, or the continuation of a header that may be one. */
static bool
may_say_type(struct slice s)
{
	return s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t' ||
				slice_starts(s, "Content-Type"));
}

static void
note_type(struct body *b, struct slice s)
{
	if (slice_has(s, "application/pgp-encrypted"))
		b->protected_ = BODY_PGP;
	else if (slice_has(s, "application/pkcs7-mime") ||
		 slice_has(s, "application/x-pkcs7-mime"))
		b->protected_ = BODY_SMIME;
}

static void
header_line(struct body *b, struct slice s)
{
	if (may_say_type(s) && memchr(s.p, '/', s.len) != NULL &&
	    slice_has(s, "application/"))
		note_type(b, s);
	if (++b->lines >= BODY_HEADER_LINES)
		b->stage = BODY_REST;
	if (s.len == 0)
		b->stage = BODY_FIRST_LINE;
}

static void
first_line(struct body *b, struct slice s)
{
	if (s.len == 0 && b->lines++ < BODY_HEADER_LINES)
		return;
	if (slice_starts(s, "-----BEGIN PGP MESSAGE-----"))
		b->protected_ = BODY_PGP;
	b->stage = BODY_REST;
}

static void
look(struct body *b, struct line_buf *lines, struct slice in)
{
	struct line l;
	bool done;

	while (in.len > 0 && b->stage != BODY_REST) {
		in = slice_from(in, line_read(lines, in, &l, &done));
		if (!done)
			continue;
		if (b->stage == BODY_HEADER)
			header_line(b, l.text);
		else
			first_line(b, l.text);
	}
	if (b->stage == BODY_REST)
		line_wipe(lines);
}

/* The line that begins at p, in in or just behind it; b is what was known
 * before in. Returns false if none does. */
static bool
line_starts(struct body *b, struct slice in, const uint8_t *p)
{
	uint8_t last = p > in.p ? p[-1] : 0;
	bool cr = p - in.p >= 2 ? p[-2] == '\r' : b->cr != 0;

	if (p == in.p)
		return b->at == DOT_LINE_START;
	if (last == '\n')
		b->start = cr ? START_CRLF : START_LF;
	else if (last == '\r')
		b->start = START_CR;
	return last == '\n' || last == '\r';
}

/* The first CR or LF at or after p, or end. */
static const uint8_t *
line_end(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
	const uint8_t *stop = lf != NULL ? lf : end;
	const uint8_t *cr = memchr(p, '\r', (size_t)(stop - p));

	return cr != NULL ? cr : stop;
}

/* From within a line: on to just behind the next dot that begins one. */
static size_t
find_dot(struct body *b, struct slice in)
{
	const uint8_t *p = in.p, *end = in.p + in.len;
	const uint8_t *dot;

	while ((dot = memchr(p, '.', (size_t)(end - p))) != NULL) {
		if (line_starts(b, in, dot)) {
			b->at = DOT_SEEN;
			return (size_t)(dot - in.p) + 1;
		}
		p = dot + 1 - p < DENSE ? line_end(dot, end) : dot;
		if (p == end || ++p == end)
			break;
	}
	b->at = line_starts(b, in, end) ? DOT_LINE_START : DOT_IN_LINE;
	b->cr = end[-1] == '\r';
	return in.len;
}

/* Is a dot and this end of line, at which the next line starts, the end? */
static bool
is_end(const struct body *b, enum line_start next)
{
	if (b->start == START_CR ||
	    (b->strict && !b->bare && b->start != START_CRLF))
		return false;
	return next == START_CRLF || (next == START_LF && b->bare);
}

/* One byte behind a dot that began a line. Returns true at the end. */
static bool
after_dot(struct body *b, uint8_t c)
{
	bool behind_cr = b->at == DOT_CR;
	enum line_start next = behind_cr ? START_CRLF : START_LF;

	b->cr = c == '\r';
	if (c == '\r' && !behind_cr) {
		b->at = DOT_CR;
		return false;
	}
	if (c == '\n' && is_end(b, next))
		return true;
	b->odd_dot |= c == '\n' || behind_cr;
	b->at = DOT_IN_LINE;
	if (c == '\n' || c == '\r')
		b->at = DOT_LINE_START;
	else if (c == '.' && behind_cr) /* CR . CR . */
		b->at = DOT_SEEN;
	b->start = c == '\n' ? next : START_CR;
	return false;
}

static size_t
find_end(struct body *b, struct slice in, bool *end)
{
	size_t n = 0;

	*end = false;
	while (n < in.len && !*end) {
		if (b->at == DOT_SEEN || b->at == DOT_CR)
			*end = after_dot(b, in.p[n++]);
		else
			n += find_dot(b, slice_from(in, n));
	}
	return n;
}

size_t
body_dotted(struct body *b, struct line_buf *lines, struct slice in, bool *end)
{
	size_t n = find_end(b, in, end);

	b->bytes += n;
	if (b->stage != BODY_REST)
		look(b, lines, (struct slice){in.p, n});
	if (*end)
		b->bytes -= b->at == DOT_CR ? 3 : 2;
	return n;
}

void
body_counted(struct body *b, struct line_buf *lines, struct slice in)
{
	b->bytes += in.len;
	if (b->stage != BODY_REST)
		look(b, lines, in);
}

void
body_gap(struct body *b, struct line_buf *lines, uint64_t n)
{
	b->bytes += n;
	b->gapped = 1;
	b->stage = BODY_REST;
	b->at = DOT_IN_LINE;
	b->cr = 0;
	line_wipe(lines);
}
