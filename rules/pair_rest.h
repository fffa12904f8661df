/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of a client and a server, packed: for pairs that were not asked
 * for lately. Of networks there are few, and what is known of them they have in
 * common with nothing: they stay whole. Private to history.c.
 */
#ifndef STRIPWIRE_PAIR_REST_H
#define STRIPWIRE_PAIR_REST_H

#include "rules/history_table.h"

extern const struct table_packing pair_packing;

#endif
