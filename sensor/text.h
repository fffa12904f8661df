/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words and lines for people: times, widths, colours, wrapping. What comes
 * from the wire or from a database file is cleaned before it reaches a
 * terminal: an escape sequence in a greeting must not steer it.
 */
#ifndef STRIPWIRE_TEXT_H
#define STRIPWIRE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_TIME_MAX 40
#define TEXT_INDENT 5 /* of all below the title of what is shown */
#define TEXT_WIDTH_PLAIN 100 /* lines where there is no terminal */

/* What the output can do. Found once per stream. */
struct text_style {
	bool tty; /* a person is looking */
	bool utf8; /* the locale says so */
	bool colour; /* a terminal, and NO_COLOR is not set */
	unsigned width; /* columns; of what is no terminal: 0, no limit */
};

/* Drawn signs, with their ASCII stand-ins. */
enum text_sign {
	SIGN_RIGHT, /* client to server */
	SIGN_LEFT,
	SIGN_FORGED_RIGHT, /* pretends to come from the client */
	SIGN_FORGED_LEFT,
	SIGN_WRONG, /* points at the wrong packet */
	SIGN_SKIPPED,
	SIGN_DOT, /* between short words */
	SIGN_MORE, /* text was cut */
	SIGN_COUNT
};

enum text_colour {
	COLOUR_NONE,
	COLOUR_BOLD,
	COLOUR_DIM,
	COLOUR_RED,
	COLOUR_BOLD_RED,
	COLOUR_YELLOW,
	COLOUR_CYAN
};

void text_style_init(struct text_style *st, FILE *out);
const char *text_sign(const struct text_style *st, enum text_sign sign);
/* Escape sequences, "" where colours are off. */
const char *text_on(const struct text_style *st, enum text_colour c);
const char *text_off(const struct text_style *st);
enum text_colour text_severity_colour(int severity); /* enum severity */

/* "2026-11-22 10:03:14.512 +0000"; ns since the epoch, UTC */
char *text_time(char buf[TEXT_TIME_MAX], int64_t ns);
char *text_time_seconds(char buf[TEXT_TIME_MAX], int64_t ns); /* no .512 */
/* Of seconds, which may be those of any certificate: the day, or as above. */
char *text_date(char buf[TEXT_TIME_MAX], int64_t seconds);
char *text_date_time(char buf[TEXT_TIME_MAX], int64_t seconds);
char *text_clock(char buf[TEXT_TIME_MAX], int64_t ns); /* "10:03:14.512" */
/* "+0.002" (3 digits, or 6), "-0.100", "+1:02:03", "+3d 04:05:06" */
char *text_delta(char buf[TEXT_TIME_MAX], int64_t ns, unsigned digits);

/*
 * A point in time as people type it: "2026-11-22", "2026-11-22 10:03" (or T
 * between, seconds and a fraction as they please; UTC unless Z, +hh:mm or
 * -hhmm says otherwise), or so long before now: "45s", "30m", "2h", "3d",
 * "1w". Returns -1 if it is none of these.
 */
int text_parse_time(const char *s, int64_t now, int64_t *ns)
    __attribute__((warn_unused_result));

/* Copies what is printable; control characters and signs that turn text
 * around become '?', and so does what the locale cannot show. Cut at a whole
 * character if it does not fit. Returns dst. */
char *text_clean(
    char *dst, size_t cap, const char *src, const struct text_style *st);
/* Columns of cleaned text. */
unsigned text_columns(const char *s);
/* Cleaned text in exactly `columns` columns: padded, or cut with a sign.
 * Returns dst. */
char *text_fit(char *dst, size_t cap, const char *src, unsigned columns,
    const struct text_style *st);

/* Prints cleaned text broken at spaces between column `indent` and the width;
 * the cursor stands at `indent` already. Ends without a newline; returns
 * the column where it ended. */
unsigned text_wrap(
    FILE *out, const struct text_style *st, unsigned indent, const char *text);

/* "     where  on the path, or ..." with what does not fit below the text. */
void text_label(FILE *out, const struct text_style *st, const char *label,
    const char *text);

/* "seen whole", or what was missing (enum vis). Returns buf. */
char *text_visibility(char *buf, size_t cap, uint32_t vis);

#endif
