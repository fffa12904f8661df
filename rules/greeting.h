/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the text of a greeting tells of the server that gives it. A server
 * greets everybody alike, but for the time: what was read before is remembered
 * by its bytes. Not for several threads at once.
 */
#ifndef STRIPWIRE_GREETING_H
#define STRIPWIRE_GREETING_H

#include "decoders/obs.h"

struct greeting_text {
	uint32_t shape; /* hash of it without names and numbers */
	uint32_t unlisted; /* the same without an IMAP list of capabilities */
	uint8_t masked; /* A4: mostly asterisks */
	uint8_t esmtp; /* says ESMTP */
	uint8_t old_imap; /* A18: IMAP2, no IMAP4rev1 or rev2 */
};

void greeting_read(struct greeting_text *to, const char *text);
/* Of the machine behind it, by what whoever strips a list leaves as it is;
 * 0: not known. */
uint32_t greeting_machine(
    const struct greeting_text *t, const struct obs *o, enum proto proto);

#endif
