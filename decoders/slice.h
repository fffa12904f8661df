/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A borrowed run of bytes. Whoever hands out a slice says how long it lives;
 * nobody frees one.
 */
#ifndef STRIPWIRE_SLICE_H
#define STRIPWIRE_SLICE_H

#include <stddef.h>
#include <stdint.h>

struct slice {
	const uint8_t *p;
	size_t len;
};

#endif
