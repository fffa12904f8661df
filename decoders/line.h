/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines out of ordered bytes. A line ends with LF; a CR before it belongs to
 * the end. What is in one piece is handed out where it lies; only what was cut
 * by a segment is copied. Of a line longer than its buffer the beginning is
 * kept and the rest counted, so a line of 1 GiB costs a search for its end.
 */
#ifndef STRIPWIRE_LINE_H
#define STRIPWIRE_LINE_H

#include <stdbool.h>
#include <string.h>

#include "decoders/slice.h"

#define LINE_KEEP 1000 /* at most; RFC 5321 4.5.3.1.6, IMAP lists fit too */
#define LINE_TAIL 24 /* the end of it is kept too: IMAP's {123} */
#define LINE_ROOM(cap) ((cap) + LINE_TAIL) /* bytes of a buffer */

struct line_buf {
	uint64_t seen; /* bytes of this line so far */
	uint8_t *buf; /* the owner's; behind its cap bytes the last ones of the
			 line, CR included. NULL: nothing is held */
	uint16_t len; /* of seen, in buf */
	uint16_t cap;
	uint8_t lost; /* something is missing: drop all to the next LF */
	uint8_t ntail;
};

struct line {
	struct slice text; /* without its end, at most cap bytes */
	struct slice tail; /* its last bytes, less than LINE_TAIL */
	uint64_t total; /* bytes without the end, kept or not */
	bool overlong, bare_lf, has_nul;
};

/* buf has LINE_ROOM(cap) bytes, cap is LINE_KEEP at most. It may be NULL, and
 * b->buf may be set and taken away at any time while b->seen is 0; it has to be
 * there where bytes are stored that no LF follows. */
void line_init(struct line_buf *b, uint8_t *buf, size_t cap);

/*
 * Takes bytes up to and including the next LF; returns how many, at least 1
 * unless in is empty. *done says whether *out holds a line; it borrows from in
 * or from b and lives until the next call on b.
 */
size_t line_read(
    struct line_buf *b, struct slice in, struct line *out, bool *done);

/* The same where it is known that in, which is not empty, goes up to the first
 * LF in it: takes all of it. Returns *done. */
bool line_take(struct line_buf *b, struct slice in, struct line *out);

/* The same where it ends with LF and b is fresh, which it stays. */
void line_whole(const struct line_buf *b, struct slice in, struct line *out);

#define LINE_USUAL 64 /* bytes, no more than any buffer has */

/* Not zero where one of these eight bytes is LF or NUL. */
static inline uint64_t
line_has_odd(uint64_t a)
{
	const uint64_t each = 0x0101010101010101ull;
	uint64_t b = a ^ each * '\n';

	return (((a - each) & ~a) | ((b - each) & ~b)) & each * 0x80;
}

/* All of it is one line, ended by CR LF, and in it neither LF nor NUL? Says no
 * of lines that are very short or long: most of a dialogue are neither. */
static inline bool
line_is_usual(struct slice in)
{
	const uint8_t *p = in.p, *last;
	uint32_t head, tail;
	uint64_t word, odd;

	if (in.len < 6 || in.len > LINE_USUAL)
		return false;
	last = p + in.len - 2;
	if (last[0] != '\r' || last[1] != '\n')
		return false;
	if (in.len < 10) {
		memcpy(&head, p, sizeof(head));
		memcpy(&tail, last - 4, sizeof(tail));
		return !line_has_odd((uint64_t)head << 32 | tail);
	}
	memcpy(&word, last - 8, sizeof(word));
	for (odd = line_has_odd(word); p < last - 8; p += 8) {
		memcpy(&word, p, sizeof(word));
		odd |= line_has_odd(word);
	}
	return odd == 0;
}

/* The line that it is, as line_whole() has it. */
static inline void
line_usual(struct slice in, struct line *out)
{
	in.len -= 2;
	*out = (struct line){.text = in, .tail = in, .total = in.len};
	if (in.len > LINE_TAIL - 1)
		out->tail = (struct slice){
		    in.p + in.len - (LINE_TAIL - 1), LINE_TAIL - 1};
}

/* Keeps bytes that are no line (as many as there is room for). */
void line_store(struct line_buf *b, struct slice in);

/* Forgets (and overwrites) what is held of a line. */
void line_wipe(struct line_buf *b);

/* Bytes are missing: forgets, and drops what comes up to the next LF. */
void line_lose(struct line_buf *b);

/* At the beginning of a line, nothing missing? */
static inline bool
line_is_fresh(const struct line_buf *b)
{
	return b->seen == 0 && !b->lost;
}

/* What is held of a line that has not ended. */
struct slice line_partial(const struct line_buf *b);

/* A literal announced at the end of a line (RFC 3501 4.3, 7888, 5804 4):
 * {12}, {12+}, {12-}, ~{12}. */
struct literal {
	bool have, sync; /* sync: no + or -, the sender waits */
	uint64_t len;
};
struct literal line_literal(const struct line *l);

/* ---- words and case, for protocols made of lines ---- */

bool slice_is_word(struct slice s, const char *word);
bool slice_starts_word(struct slice s, const char *word);

/* Most comparisons end at the first letter. */
static inline bool
slice_may_be(struct slice s, const char *word)
{
	return s.len == 0 || ((s.p[0] ^ (uint8_t)word[0]) & 0xdf) == 0;
}

/* Where a CR stands with more behind it: bytes before it, or s.len. It ends no
 * line here, but may do so for whoever is spoken to: what follows it is another
 * command then, and may hold a secret. */
static inline size_t
slice_before_cr(struct slice s)
{
	const uint8_t *cr = s.len > 0 ? memchr(s.p, '\r', s.len) : NULL;

	for (const uint8_t *p = cr; p != NULL && p < s.p + s.len; p++)
		if (*p != '\r')
			return (size_t)(cr - s.p);
	return s.len;
}

static inline bool
slice_is(struct slice s, const char *word) /* any case */
{
	return slice_may_be(s, word) && slice_is_word(s, word);
}

static inline bool
slice_starts(struct slice s, const char *word) /* any case */
{
	return slice_may_be(s, word) && slice_starts_word(s, word);
}

bool slice_has(struct slice s, const char *word); /* any case, anywhere */

/* Without the first n. */
static inline struct slice
slice_from(struct slice s, size_t n)
{
	if (n > s.len)
		n = s.len;
	if (n > 0)
		s.p += n;
	s.len -= n;
	return s;
}

struct slice slice_trim(struct slice s); /* no blanks at either end */

/* Takes the first word (up to a blank) off *s, with the blanks after it. */
struct slice slice_word(struct slice *s);

/* Decimal number at the start of s; returns digits read, 0 if there is none.
 * Values beyond 2^58 stay there. */
size_t slice_number(struct slice s, uint64_t *value);

#endif
