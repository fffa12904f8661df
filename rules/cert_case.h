/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One certificate under judgement, shared by detect_cert.c (whose it is and
 * what the client made of it) and cert_form.c (what it says by itself).
 */
#ifndef STRIPWIRE_CERT_CASE_H
#define STRIPWIRE_CERT_CASE_H

#include "rules/detect.h"

struct cert_case {
	const struct obs *o;
	const struct facts *f;
	struct detect_ctx *c;
	const struct chain_verdict *v; /* NULL: hidden, only for alerts */
	int64_t now; /* seconds */
	bool mta; /* server-to-server mail */
	bool first_sight; /* never seen anything better here */
	bool was_trusted;
};

/* A finding about it, with fingerprint and tags; NULL as detect_find(). */
struct finding *cert_find(const struct cert_case *k, enum finding_id id);

/* "2026-11-22"; returns buf. */
const char *cert_date(char buf[24], int64_t seconds);

/* D5, D7, D8: dates, strength, usage, an interceptor's name. */
void cert_judge_form(const struct cert_case *k);

#endif
