/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `stripwire alerts`: lists what is stored.
 */
#ifndef STRIPWIRE_CMD_ALERTS_H
#define STRIPWIRE_CMD_ALERTS_H

#include <stdio.h>

#include "db/query.h"

/* argv[0] is the command's name. Returns the exit status: 0, 1 if the
 * database cannot be read, 2 for usage. */
int cmd_alerts(int argc, char **argv);

/* The table alone, as the summary of a run wants it too. Returns how many
 * rows, or -1 with a sentence in err. */
int64_t alerts_table(FILE *out, const char *db, const struct query_filter *f,
    char *err, size_t errlen) __attribute__((warn_unused_result));

#endif
