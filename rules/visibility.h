/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words for what a flow was missing (enum vis), the same in rules, feeds and
 * on the terminal.
 */
#ifndef STRIPWIRE_VISIBILITY_H
#define STRIPWIRE_VISIBILITY_H

#include <stddef.h>
#include <stdint.h>

#define VIS_WORDS_MAX 128 /* all words of vis_format() fit */

/* The bit's word, e.g. "gap-server"; NULL if there is no such bit. */
const char *vis_name(uint32_t bit);
uint32_t vis_by_name(const char *name); /* 0 unknown */

/* "complete", or the words of all bits with ", " between. Returns buf. */
char *vis_format(char *buf, size_t cap, uint32_t vis);

#endif
