/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A keyed hash for bulk data, fast enough for every byte of mail: NH in blocks
 * of 2 KiB, joined by a polynomial over 2^61 - 1 (Black, Halevi, Krawczyk,
 * Krovetz, Rogaway, "UMAC: Fast and Secure Message Authentication", CRYPTO
 * 1999; Krovetz, "Message Authentication on 64-Bit Architectures", SAC 2006), and
 * a last multiplication that spreads what differs over all bits: NH alone
 * leaves the low ones alike where only high ones of a word differ.
 * Who does not know the key makes two contents of one length that agree with a
 * chance of about 2^-28. Lengths are compared by the caller: a content and the
 * same with zeros behind it agree. For memory, never for the wire or the disk:
 * values depend on the machine's byte order.
 */
#ifndef STRIPWIRE_BULK_HASH_H
#define STRIPWIRE_BULK_HASH_H

#include "decoders/slice.h"

#define BULK_HASH_BLOCK 2048 /* bytes: one for all of a usual segment */

struct bulk_key {
	uint32_t nh[BULK_HASH_BLOCK / 4];
	uint64_t point, last;
};

struct bulk_hash { /* all zero at the beginning */
	uint64_t poly, block;
	uint32_t len; /* bytes taken in */
	uint8_t tail[8]; /* fewer than 8 bytes that wait */
};

/* A new key, from the kernel's random numbers if they are to be had. */
void bulk_key_init(struct bulk_key *k);

/* The same value at the end however the bytes are cut into pieces. */
void bulk_hash_add(
    const struct bulk_key *k, struct bulk_hash *h, struct slice s);
uint64_t bulk_hash_end(const struct bulk_key *k, const struct bulk_hash *h);

/* Of one piece. */
uint64_t bulk_hash_of(const struct bulk_key *k, struct slice s);

#endif
