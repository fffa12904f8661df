/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fields of servers and pairs as they are stored: one list for the tables
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
	F_TEXT, /* char[size] */
	F_HASHES /* uint32_t[size / 4] */
};

struct history_field {
	const char *name;
	uint16_t at, size; /* in the struct */
	uint8_t kind; /* enum field_kind */
};

extern const struct history_field server_fields[], pair_fields[];
extern const size_t server_nfields, pair_nfields;

#endif
