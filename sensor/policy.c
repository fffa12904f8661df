/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A set of rules and, for a moment, the one that takes its place.
 */
#include "sensor/policy.h"

#include <stdio.h>
#include <stdlib.h>

struct policy {
	struct policy_config cfg;
	struct ruleset *now, *before;
};

static void
on_error(void *ctx, const struct rule_error *e)
{
	const struct policy *p = ctx;
	char buf[700];

	(void)rule_error_format(buf, sizeof(buf), e);
	p->cfg.say(p->cfg.ctx,
	    e->level == RULE_SKIPPED ? POLICY_DETAIL : POLICY_PROBLEM, buf);
}

static void
say_skipped(const struct policy *p, const struct ruleset *set)
{
	char buf[700];
	unsigned n = ruleset_skipped(set);

	if (n == 0)
		return;
	(void)snprintf(buf, sizeof(buf),
	    "%.500s: %u rule%s not about mail skipped (stripwire rules check "
	    "names them)",
	    p->cfg.rules, n, n == 1 ? "" : "s");
	p->cfg.say(p->cfg.ctx, POLICY_NOTE, buf);
}

static struct ruleset *
load(struct policy *p, char *err, size_t errlen)
{
	struct rule_sources s = {.path = p->cfg.rules,
	    .thresholds = p->cfg.thresholds,
	    .classification = p->cfg.classification,
	    .vars = p->cfg.vars,
	    .on_error = on_error,
	    .ctx = p};
	struct ruleset *set;
	int sys = 0;

	set = ruleset_load(&s, &sys, err, errlen);
	if (set == NULL && sys == 0)
		(void)snprintf(err, errlen, "%s: not loaded", p->cfg.rules);
	if (set != NULL)
		say_skipped(p, set);
	return set;
}

struct policy *
policy_open(const struct policy_config *cfg, char *err, size_t errlen)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)snprintf(err, errlen, "out of memory for rules");
		return NULL;
	}
	p->cfg = *cfg;
	p->now = load(p, err, errlen);
	if (p->now != NULL)
		return p;
	policy_close(p);
	return NULL;
}

void
policy_close(struct policy *p)
{
	if (p == NULL)
		return;
	ruleset_free(p->now);
	ruleset_free(p->before);
	free(p);
}

const struct ruleset *
policy_rules(const struct policy *p)
{
	return p->now;
}

bool
policy_reload(struct policy *p)
{
	char err[600] = "", text[800];
	struct ruleset *set = load(p, err, sizeof(err));

	if (set == NULL) {
		(void)snprintf(text, sizeof(text),
		    "%s; the rules from before stay in force", err);
		p->cfg.say(p->cfg.ctx, POLICY_PROBLEM, text);
		return false;
	}
	policy_settle(p);
	p->before = p->now;
	p->now = set;
	(void)snprintf(text, sizeof(text), "%.600s: read again, %u rules",
	    p->cfg.rules, ruleset_count(set));
	p->cfg.say(p->cfg.ctx, POLICY_NOTE, text);
	return true;
}

void
policy_settle(struct policy *p)
{
	ruleset_free(p->before);
	p->before = NULL;
}

void
policy_want_lines(const struct ruleset *rules, uint8_t lines[PROTO_COUNT])
{
	for (unsigned i = 0; i < PROTO_COUNT; i++)
		lines[i] =
		    rules != NULL ? ruleset_lines(rules, (enum proto)i) : 0;
}
