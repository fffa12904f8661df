/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values out of an event and into another form of it, by dotted path
 * ("alert.signature"; "vlan.0" is the first of a list). What is missing or of
 * another type than it is asked for is left out, so that a format never holds
 * a type that its schema does not know.
 */
#ifndef STRIPWIRE_FEED_MAP_H
#define STRIPWIRE_FEED_MAP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAP_PATH_MAX 96
#define RFC3339_MAX 40

/* Borrowed; NULL: there is none. */
json_t *map_get(const json_t *o, const char *path);
const char *map_text(const json_t *o, const char *path); /* "": none */
json_int_t map_number(const json_t *o, const char *path, json_int_t otherwise);

/* Takes value over (NULL: nothing happens) and makes the objects on the way. */
void map_put(json_t *o, const char *path, json_t *value);
/* Left out where s is empty. */
void map_put_text(json_t *o, const char *path, const char *s);
/* Adds to the list at path, unless it is there already or empty. */
void map_add_text(json_t *o, const char *path, const char *s);

enum map_as {
	MAP_TEXT = 0, /* a string stays one */
	MAP_NUMBER, /* an integer */
	MAP_BOOL,
	MAP_WORD, /* an integer becomes a string */
	MAP_LIST, /* a string becomes a list of it; a list stays one */
	MAP_TIME, /* RFC 3339 */
	MAP_MS /* ms since the epoch */
};

struct map_row {
	const char *from, *to;
	enum map_as as;
};

void map_rows(
    json_t *to, const json_t *from, const struct map_row *row, size_t n);
#define MAP_ROWS(to, from, rows) \
	map_rows(to, from, rows, sizeof(rows) / sizeof((rows)[0]))

/* EVE's 2026-11-22T10:03:14.512345+0000 as 2026-11-22T10:03:14.512345Z; also
 * without fraction and zone, as EVE has it in certificates, which is UTC. NULL:
 * it is no such time. */
const char *map_rfc3339(char buf[RFC3339_MAX], const char *eve);
/* ns since the epoch; -1: it is none, or lies before. */
int64_t map_ns(const char *eve);
/* All such times anywhere in o under the keys that EVE has them: in place. */
void map_times(json_t *o);

#endif
