/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fields of servers, of what is known of their keys and of how they
 * answer, and of pairs as they are stored: one list for the tables
 * (by position, so the order is that of schema.sql) and for JSON (by name).
 */
#ifndef STRIPWIRE_HISTORY_FIELDS_H
#define STRIPWIRE_HISTORY_FIELDS_H

#include <stddef.h>

#include "rules/history.h"

enum field_kind {
	F_TIME, /* int64_t, ns */
	F_COUNT, /* uint32_t */
	F_BYTE, /* uint8_t */
	F_FLAG, /* uint8_t, 0 or 1 */
	F_TEXT, /* char[size] */
	F_SHA256, /* uint8_t[32] */
	F_HASHES /* uint32_t[size / 4] */
};

struct history_field {
	const char *name;
	uint16_t at, size; /* in the struct */
	uint8_t kind; /* enum field_kind */
};

extern const struct history_field server_fields[], pair_fields[];
extern const size_t server_nfields, pair_nfields;
/* Those that most pairs have; the columns of the others have defaults, which
 * stand for zeros. */
extern const size_t pair_nusual;
/* of a known_cert and of a known_stack */
extern const struct history_field cert_fields[], stack_fields[];
extern const size_t cert_nfields, stack_nfields;

#endif
