/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stored alert as one JSON object: the fields of its EVE line under the same
 * names, and what only the database knows (id, run, ladder).
 */
#ifndef STRIPWIRE_ALERT_JSON_H
#define STRIPWIRE_ALERT_JSON_H

#include <stdio.h>

#include "db/query.h"

/* One line. Returns -1 if writing failed. */
int alert_json_print(FILE *out, const struct query_row *row)
    __attribute__((warn_unused_result));

#endif
