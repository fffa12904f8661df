/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of a certificate, for x509.c only.
 */
#ifndef STRIPWIRE_X509_NAMES_H
#define STRIPWIRE_X509_NAMES_H

#include <stddef.h>

#include "decoders/x509.h"

struct x509_st; /* OpenSSL's X509 */

/* subject, issuer, common_name, names and the flags that go with them. */
void x509_read_names(struct x509_st *x, struct x509_facts *f);

/* Text that is ours or OpenSSL's own; cut to fit. NULL is "". */
void x509_copy_ascii(char *dst, size_t cap, const char *src);

#endif
