/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON as it is written to columns of the database: straight into text. To
 * build a tree of it first (jansson, which reads it back) took as long as
 * SQLite takes for the row.
 *
 * Commas come by themselves. Strings are made UTF-8: they may come from the
 * wire.
 */
#ifndef STRIPWIRE_JSON_TEXT_H
#define STRIPWIRE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_text { /* all zero: empty */
	char *p;
	size_t used, room;
	bool follows; /* a comma is due */
	bool failed; /* no memory, or no room where it is fixed */
	bool fixed; /* p is the caller's, of room bytes */
};

void jt_open(struct json_text *t, char bracket); /* [ or { */
void jt_close(struct json_text *t, char bracket);
/* Name of what comes next: plain ASCII. */
void jt_key(struct json_text *t, const char *name);
/* Likewise, any text. */
void jt_name(struct json_text *t, const char *s);
void jt_int(struct json_text *t, int64_t v);
void jt_word(struct json_text *t, const char *word); /* true, 1.5 ... */
void jt_string(struct json_text *t, const char *s);
/* The text, good until more is written; NULL if there was no memory. */
const char *jt_text(struct json_text *t);
/* Empty, with its memory kept for what is written next. */
void jt_clear(struct json_text *t);
/* The text, to be freed; NULL if there was no memory. t is empty then. */
char *jt_take(struct json_text *t);

#endif
