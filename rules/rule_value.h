/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the value of a keyword into the draft of a rule; each reports what is
 * wrong with it. v is trimmed and not empty, except for strings, whose quotes
 * are off and whose escapes are still in, and for keywords without a value.
 */
#ifndef STRIPWIRE_RULE_VALUE_H
#define STRIPWIRE_RULE_VALUE_H

#include "rules/rule_option.h"

#define VALUE_NAME_MAX 64 /* names of findings, tags, severities ... */

/* ---- rule_value.c: text, numbers, names of findings ---- */

void value_msg(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_sid(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_gid(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_rev(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_classtype(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_priority(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_reference(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_metadata(struct lex *l, struct rule_draft *d, struct lex_word v);

/* NUL-terminated copy of a name; "" (which is no name) if it is too long. */
const char *value_name(char buf[VALUE_NAME_MAX], struct lex_word w);
/* Takes '!' off the front. */
bool value_take_not(struct lex_word *w);
/* The next of a list with commas; true if more follow. */
bool value_item(struct lex_word *v, struct lex_word *item);
/* Takes a comparison off the front: >=N, >N, <=N, <N, =N or N, at most max.
 * false: it is none, or nothing is like that. */
bool value_compare(
    struct lex_word w, unsigned long max, uint32_t *lo, uint32_t *hi);

/* ---- rule_value_ours.c: what Suricata does not have ---- */

void value_finding(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_confidence(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_evidence(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_severity(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_visibility(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_incident(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_history(struct lex *l, struct rule_draft *d, struct lex_word v);

/* ---- rule_value_match.c: content and what goes with it ---- */

/* Makes b the buffer that the following content belongs to. */
bool value_select(
    struct lex *l, struct rule_draft *d, enum rule_buffer b, size_t at);
/* name:value of older rules: the buffer holds it. */
void value_buffer(
    struct lex *l, struct rule_draft *d, enum rule_buffer b, struct lex_word v);
void value_content(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_nocase(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_offset(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_depth(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_distance(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_within(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_startswith(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_endswith(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_fast_pattern(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_rawbytes(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_bsize(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_isdataat(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_pcre(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_strip(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_lower(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_upper(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_dot(struct lex *l, struct rule_draft *d, struct lex_word v);

/* ---- rule_value_state.c: flow, bits, thresholds ---- */

void value_flow(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_flowbits(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_xbits(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_noalert(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_target(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_threshold(struct lex *l, struct rule_draft *d, struct lex_word v);
void value_detection_filter(
    struct lex *l, struct rule_draft *d, struct lex_word v);
void value_nothing(struct lex *l, struct rule_draft *d, struct lex_word v);

/* The parts of a limit: `type limit, track by_src, count 1, seconds 60`, also
 * of threshold.config. Each may come once; false: reported. */
struct limit_text {
	const char *what; /* "threshold", for messages */
	bool wants_type, is_rate;
	unsigned have; /* bits, private */
	size_t at; /* of the whole */
};
bool limit_part(struct lex *l, struct limit_text *t, struct lex_word item,
    struct rule_limit *out);
bool limit_complete(
    struct lex *l, const struct limit_text *t, const struct rule_limit *lim);

#endif
