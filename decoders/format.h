/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts that are made for each finding: snprintf(3), which takes some 800
 * instructions for a sentence of three parts. %s, %.Ns, %u, %d, %zu, %lu, %llu,
 * %% and two digits by %02d or %02u are done here; of anything else, the C library does all of it.
 */
#ifndef STRIPWIRE_FORMAT_H
#define STRIPWIRE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* As vsnprintf(3): cut to cap - 1 bytes and a NUL; returns how many there
 * would have been, or below 0. */
int format_text_list(char *buf, size_t cap, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));
int format_text(char *buf, size_t cap, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
