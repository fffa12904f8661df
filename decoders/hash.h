/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SHA-256, and SHA-1 or MD5 where a format of others demands it, by OpenSSL.
 */
#ifndef STRIPWIRE_HASH_H
#define STRIPWIRE_HASH_H

#include "decoders/slice.h"

#define HASH_SHA256_LEN 32
#define HASH_SHA1_LEN 20
#define HASH_MD5_LEN 16

/* Returns 0, or -1 if there is no memory for it; then out is zero. */
int hash_sha256(struct slice s, uint8_t out[HASH_SHA256_LEN])
    __attribute__((warn_unused_result));
/* Only for names (community_id), never to judge or to protect anything. */
int hash_sha1(struct slice s, uint8_t out[HASH_SHA1_LEN])
    __attribute__((warn_unused_result));
/* Likewise (JA3); -1 also where the system's policy forbids it. */
int hash_md5(struct slice s, uint8_t out[HASH_MD5_LEN])
    __attribute__((warn_unused_result));

/* n bytes as 2 * n hexadecimal digits and a NUL. */
void hash_hex(char *out, const uint8_t *p, size_t n);

#endif
