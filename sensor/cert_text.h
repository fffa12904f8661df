/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One stored certificate for people and for programs.
 */
#ifndef STRIPWIRE_CERT_TEXT_H
#define STRIPWIRE_CERT_TEXT_H

#include <stdio.h>

#include "db/query_cert.h"
#include "sensor/text.h"

/* "trusted", "self-signed"; of an issuer "": chains are judged. */
const char *cert_trust_name(const struct query_cert *c);

/* "server", "client": a leaf of that side; else "issuer". */
const char *cert_role_name(const struct query_cert *c);

/* All that is known, a line each; ends with a newline. */
void cert_print(
    FILE *out, const struct text_style *style, const struct query_cert *c);
/* One line of JSON. -1: it could not be written. */
int cert_print_json(FILE *out, const struct query_cert *c)
    __attribute__((warn_unused_result));

#endif
