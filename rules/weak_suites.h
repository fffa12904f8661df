/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cipher suites that do not protect (D11).
 */
#ifndef STRIPWIRE_WEAK_SUITES_H
#define STRIPWIRE_WEAK_SUITES_H

#include <stdbool.h>
#include <stdint.h>

enum weakness {
	WEAK_NULL = 1, /* no encryption */
	WEAK_ANON, /* nobody is authenticated */
	WEAK_EXPORT,
	WEAK_RC2,
	WEAK_RC4,
	WEAK_DES,
	WEAK_3DES
};

struct weak_suite {
	uint16_t id;
	uint8_t why; /* enum weakness, the worst */
	const char *name; /* IANA's, without TLS_ */
};

/* NULL: not a weak one. SSLv2 kinds are 0xff00 | first byte. */
const struct weak_suite *weak_suite(uint16_t id);

#endif
