/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A certificate as text (RFC 7468), as other programs take it.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "decoders/x509.h"

char *
x509_to_pem(struct slice der)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text = NULL, *p;
	long n;

	if (b != NULL && der.len > 0 && der.len <= X509_DER_MAX &&
	    PEM_write_bio(b, PEM_STRING_X509, "", der.p, (long)der.len) > 0 &&
	    (n = BIO_get_mem_data(b, &p)) > 0)
		text = strndup(p, (size_t)n);
	BIO_free(b);
	ERR_clear_error();
	return text;
}
