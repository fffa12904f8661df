/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Observations as they go through a queue between two processes: the bytes of
 * struct obs up to obs.size, in their order, without those that say nothing:
 *
 *	head    up to obs.text; in it, used only here:
 *	        text_len, name_len: bytes of the two strings below
 *	        has_gap: 0 or 1
 *	text    text_len bytes of obs.text
 *	gap     obs.gap, if has_gap
 *	member  that of the kind in obs.u, in which are as long as their use:
 *	        a name of name_len bytes: host of a greeting, name of
 *	        capabilities, user of a login, sni of a hello
 *	        a hello's lists, by nsuites and nexts
 *
 * Numbers are as in memory: both processes are the same program.
 */
#ifndef STRIPWIRE_OBS_PACK_H
#define STRIPWIRE_OBS_PACK_H

#include "decoders/obs.h"

#define OBS_PACK_PARTS 5

/* Sets the parts, which lie in *o, and returns how many there are. */
unsigned obs_pack(struct obs *o, struct slice part[OBS_PACK_PARTS]);

/* The observation of all these bytes. They may be in memory that another
 * process can change meanwhile: each of them is read once. False: they are
 * none; else obs_check() has held. Of *o is set what lies below its size, but
 * behind the NUL of its text. */
bool obs_unpack(struct obs *o, const uint8_t *bytes, size_t len)
    __attribute__((warn_unused_result));

#endif
