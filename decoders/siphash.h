/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of 64 bits for
 * things that an attacker may choose or may want to guess.
 */
#ifndef STRIPWIRE_SIPHASH_H
#define STRIPWIRE_SIPHASH_H

#include "decoders/slice.h"

#define SIPHASH_KEY 16 /* bytes */

uint64_t siphash(const uint8_t key[SIPHASH_KEY], struct slice s);

#endif
