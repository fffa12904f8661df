/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of a file that the operator writes: rules, or the list of
 * intercepting products.
 */
#ifndef STRIPWIRE_RULE_FILE_H
#define STRIPWIRE_RULE_FILE_H

#include <stddef.h>

#define RULE_FILE_MAX (8u << 20) /* bytes; all rule sets in use are smaller */

/* All of path, to be freed by the caller; `what` is expected in it, for the
 * message. NULL with a sentence in err. */
char *rule_file_read(
    const char *path, const char *what, size_t *len, char *err, size_t errlen);

#endif
