/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one file outside of the certificate code that knows OpenSSL, so that a
 * decoder can name a chain without it.
 */
#include "decoders/hash.h"

#include <string.h>

#include <openssl/evp.h>

int
hash_sha256(struct slice s, uint8_t out[HASH_SHA256_LEN])
{
	unsigned n = 0;

	if (EVP_Digest(s.p, s.len, out, &n, EVP_sha256(), NULL) == 1 &&
	    n == HASH_SHA256_LEN)
		return 0;
	memset(out, 0, HASH_SHA256_LEN);
	return -1;
}
