/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one file outside of the certificate code that knows OpenSSL, so that a
 * decoder can name a chain without it.
 *
 * Algorithms are fetched once and kept for the life of the process: finding
 * one takes longer than hashing a hello with it.
 */
#include "decoders/hash.h"

#include <stdatomic.h>
#include <string.h>

#include <openssl/evp.h>

enum algorithm { SHA256, SHA1, MD5, ALGORITHMS };

/* NULL: not offered here. */
static const EVP_MD *
algorithm(enum algorithm which)
{
	static const char *const names[] = {"SHA2-256", "SHA1", "MD5"};
	static _Atomic(EVP_MD *) kept[ALGORITHMS];
	EVP_MD *md = atomic_load(&kept[which]), *none = NULL;

	if (md != NULL)
		return md;
	md = EVP_MD_fetch(NULL, names[which], NULL);
	if (md == NULL ||
	    atomic_compare_exchange_strong(&kept[which], &none, md))
		return md;
	EVP_MD_free(md); /* another thread was faster */
	return none;
}

static int
digest(struct slice s, enum algorithm which, uint8_t *out, unsigned len)
{
	const EVP_MD *md = algorithm(which);
	unsigned n = 0;

	if (md != NULL && EVP_Digest(s.p, s.len, out, &n, md, NULL) == 1 &&
	    n == len)
		return 0;
	memset(out, 0, len);
	return -1;
}

int
hash_sha256(struct slice s, uint8_t out[HASH_SHA256_LEN])
{
	return digest(s, SHA256, out, HASH_SHA256_LEN);
}

int
hash_sha1(struct slice s, uint8_t out[HASH_SHA1_LEN])
{
	return digest(s, SHA1, out, HASH_SHA1_LEN);
}

int
hash_md5(struct slice s, uint8_t out[HASH_MD5_LEN])
{
	return digest(s, MD5, out, HASH_MD5_LEN);
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
