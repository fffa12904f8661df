/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What operators do with alerts and incidents: acknowledge, close, reopen,
 * comment. Each is one short transaction beside whatever else is writing: a
 * sensor that runs need not be stopped for it. All of it is kept in the table
 * of notes, with who and when.
 */
#ifndef STRIPWIRE_TRIAGE_H
#define STRIPWIRE_TRIAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRIAGE_TEXT_MAX 2000 /* bytes of a comment */
#define TRIAGE_AUTHOR_MAX 64

enum triage_kind { TRIAGE_ALERT = 0, TRIAGE_INCIDENT };
enum triage_status { TRIAGE_NEW = 0, TRIAGE_ACKNOWLEDGED, TRIAGE_CLOSED };
enum triage_verb {
	TRIAGE_ACK = 0,
	TRIAGE_CLOSE,
	TRIAGE_REOPEN,
	TRIAGE_COMMENT
};

struct triage {
	enum triage_kind kind;
	enum triage_verb verb;
	const char *closed_as; /* of TRIAGE_CLOSE, one of triage_reasons */
	const char *author; /* UTF-8, at most TRIAGE_AUTHOR_MAX - 1 bytes */
	const char *text; /* "" none; UTF-8, at most TRIAGE_TEXT_MAX bytes */
	int64_t now; /* wall clock, ns */
};

/* attack, not-an-attack, resolved; NULL at the end */
extern const char *const triage_reasons[];
const char *triage_verb_name(enum triage_verb v); /* "ack" */
int triage_verb_by_name(const char *name); /* -1 unknown */
const char *triage_status_name(enum triage_status s); /* "acknowledged" */

/* Does it to each of the n ids, or to none. An incident takes its alerts with
 * it. -1 with a sentence in err, also if one of them does not exist. */
int triage_write(const char *db, const struct triage *t, const int64_t *ids,
    unsigned n, char *err, size_t errlen) __attribute__((warn_unused_result));

#endif
