/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One alert for people: who, what happened step by step, why that is wrong,
 * where the cause may sit, what to do (DESIGN section 6). Nobody needs to know
 * TCP to read it.
 */
#ifndef STRIPWIRE_SHOW_LADDER_H
#define STRIPWIRE_SHOW_LADDER_H

#include "db/query.h"
#include "sensor/text.h"

void show_ladder(
    FILE *out, const struct text_style *st, const struct query_row *row);

#endif
