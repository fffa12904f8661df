/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What may be wrong with a span port, judged from what it shows for a while:
 * beside what the frontend counts, a table of conversations that says who was
 * heard, in which VLAN, and what came twice.
 */
#ifndef STRIPWIRE_SPAN_H
#define STRIPWIRE_SPAN_H

#include "sensor/capture_live.h"
#include "sensor/frontend.h"

#define SPAN_CHECKS 10
#define SPAN_TEXT 400

enum span_grade {
	SPAN_OK,
	SPAN_NOTE, /* worth knowing; nothing is missed for it */
	SPAN_WRONG /* attacks may be missed for it */
};

struct span_check { /* what was looked at, and how it is */
	const char *name; /* one word with '-', for programs */
	enum span_grade grade;
	double percent; /* how much is concerned, 0 where it has no measure */
	char text[SPAN_TEXT]; /* a sentence */
	const char *advice; /* what to do; NULL: nothing */
};

struct span;

struct span *span_new(void); /* NULL: no memory */
void span_free(struct span *s);
/* After frontend_packet(). */
void span_packet(struct span *s, const struct packet *pkt);
/* Fills all checks, in order. live: what the kernel dropped; NULL: a file. */
unsigned span_judge(const struct span *s, const struct frontend_totals *t,
    const struct live_counters *live, struct span_check out[SPAN_CHECKS]);
/* Conversations with three packets or more. */
uint64_t span_talks(const struct span *s);

#endif
