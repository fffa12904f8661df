/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A few words for building JSON objects. jansson keeps the order in which keys
 * were set and refuses strings that are not UTF-8, so every string is made
 * UTF-8 first: file names and what comes from the wire or from a rule may hold
 * anything.
 */
#ifndef STRIPWIRE_JSON_SET_H
#define STRIPWIRE_JSON_SET_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/packet.h"

json_t *json_text(const char *s);
/* Left out where s is NULL or empty. */
void json_set_text(json_t *o, const char *key, const char *s);
void json_set_number(json_t *o, const char *key, uint64_t n);
/* As Suricata writes it: 2026-11-22T10:03:14.512345+0000 */
void json_set_time(json_t *o, const char *key, int64_t ns);
/* The lines of a text, without empty ones, as a list. */
json_t *json_lines(const char *text);
/* A list of them as text. */
json_t *json_addresses(const struct addr *a, uint32_t n);
/* EVE knows four grades, 1 the worst; severity is enum severity. */
unsigned eve_severity(unsigned severity);
/* o (which is given up), compact, with a NUL. Its length, 0 if it does not fit
 * into cap or there was no memory. */
size_t json_write(char *buf, size_t cap, json_t *o);
/* o (which is given up) as one line with a newline and NUL. Its length, 0 if
 * it does not fit or there was no memory. */
size_t json_line(char *buf, size_t cap, json_t *o);

#endif
