/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Base64 (RFC 4648 4) as mail clients send it: padding may be missing.
 */
#ifndef STRIPWIRE_BASE64_H
#define STRIPWIRE_BASE64_H

#include <stdbool.h>

#include "decoders/slice.h"

/* Decodes into out (at most cap bytes, the rest is dropped), *len bytes.
 * Returns false if in is not base64; out may hold a part of it then. */
bool base64_decode(struct slice in, uint8_t *out, size_t cap, size_t *len);

#endif
