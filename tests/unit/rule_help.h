/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of the rules share: collected mistakes, and an alert to hold
 * rules against.
 */
#ifndef STRIPWIRE_RULE_HELP_H
#define STRIPWIRE_RULE_HELP_H

#include "rules/rule.h"
#include "tests/test.h"
#include "tests/unit/addr_help.h"

#define ERRORS_MAX 32

struct report {
	unsigned n;
	struct rule_error e[ERRORS_MAX];
};

static inline void
on_error(void *ctx, const struct rule_error *e)
{
	struct report *r = ctx;

	if (r->n < ERRORS_MAX)
		r->e[r->n] = *e;
	r->n++;
}

static inline struct ruleset *
parse(const char *text, struct report *r)
{
	r->n = 0;
	return ruleset_parse("t", text, NULL, on_error, r);
}

/* 10.1.0.10:51514 to 10.2.0.20:25, SMTP, confidence 90. */
static inline struct alert
an_alert(enum finding_id id)
{
	struct alert a = {.proto = PROTO_SMTP};

	a.finding.id = (uint16_t)id;
	a.finding.confidence = 90;
	a.flow.client = v4(10, 1, 0, 10);
	a.flow.server = v4(10, 2, 0, 20);
	a.flow.client_port = 51514;
	a.flow.server_port = 25;
	return a;
}

#endif
