/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses as people write them.
 */
#ifndef STRIPWIRE_ADDR_HELP_H
#define STRIPWIRE_ADDR_HELP_H

#include "decoders/packet.h"

static inline struct addr
v4(unsigned a, unsigned b, unsigned c, unsigned d)
{
	struct addr out = {{0}};

	out.b[10] = out.b[11] = 0xff;
	out.b[12] = (uint8_t)a;
	out.b[13] = (uint8_t)b;
	out.b[14] = (uint8_t)c;
	out.b[15] = (uint8_t)d;
	return out;
}

#endif
