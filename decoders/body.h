/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Message bodies: skipped, not stored. The end of a dotted body (RFC 5321
 * 4.5.2, RFC 1939 3) is found by looking for the one byte that can end it, the
 * dot, and back; the first lines are looked at only for what says that the
 * message is PGP or S/MIME.
 */
#ifndef STRIPWIRE_BODY_H
#define STRIPWIRE_BODY_H

#include <stdbool.h>

#include "decoders/line.h"

#define BODY_HEADER_LINES 200 /* looked at; longer headers are just skipped */

enum body_protected { BODY_CLEAR = 0, BODY_PGP, BODY_SMIME };

struct body {
	uint64_t
	    bytes; /* of content so far, the line with the dot not counted */
	uint8_t at; /* enum dot_at, body.c */
	uint8_t bare; /* the dialogue ends lines with bare LF */
	uint8_t strict; /* only CRLF . CRLF ends it */
	uint8_t start; /* enum line_start, body.c */
	uint8_t cr; /* the last byte was CR */
	uint8_t odd_dot; /* a dot alone, some end of line not CRLF */
	uint8_t stage; /* enum body_stage, body.c */
	uint8_t protected_; /* enum body_protected */
	uint8_t gapped; /* bytes were missing */
	uint16_t lines; /* of the header, looked at */
};

/* bare_lf: how the line before the body ended. The owner may set strict. */
void body_start(struct body *b, bool bare_lf);

/* Bytes up to and including the line with the dot; *end says whether it was
 * there. lines is the direction's line buffer, free while in a body. */
size_t body_dotted(
    struct body *b, struct line_buf *lines, struct slice in, bool *end);

/* Bytes of a body whose end is known by count. */
void body_counted(struct body *b, struct line_buf *lines, struct slice in);

/* Does it look at lines yet? Then `lines` needs its memory. */
bool body_reads_lines(const struct body *b);

/* n bytes were never seen. */
void body_gap(struct body *b, struct line_buf *lines, uint64_t n);

/* Is the next byte the first of a line? */
bool body_at_line_start(const struct body *b);

#endif
