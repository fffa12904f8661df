/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one file outside of the certificate code that knows OpenSSL, so that a
 * decoder can name a chain without it.
 */
#include "decoders/hash.h"

#include <string.h>

#include <openssl/evp.h>

static int
digest(struct slice s, const EVP_MD *md, uint8_t *out, unsigned len)
{
	unsigned n = 0;

	if (EVP_Digest(s.p, s.len, out, &n, md, NULL) == 1 && n == len)
		return 0;
	memset(out, 0, len);
	return -1;
}

int
hash_sha256(struct slice s, uint8_t out[HASH_SHA256_LEN])
{
	return digest(s, EVP_sha256(), out, HASH_SHA256_LEN);
}

int
hash_sha1(struct slice s, uint8_t out[HASH_SHA1_LEN])
{
	return digest(s, EVP_sha1(), out, HASH_SHA1_LEN);
}

int
hash_md5(struct slice s, uint8_t out[HASH_MD5_LEN])
{
	return digest(s, EVP_md5(), out, HASH_MD5_LEN);
}

void
hash_hex(char *out, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}
