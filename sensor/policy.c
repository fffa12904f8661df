/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A set of rules and, for a moment, the one that takes its place.
 */
#include "sensor/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct policy {
	struct policy_config cfg; /* its files: not kept */
	struct ruleset *now, *before;
};

static void
on_error(void *ctx, const struct rule_error *e)
{
	const struct policy_config *cfg = ctx;
	char buf[700];

	(void)rule_error_format(buf, sizeof(buf), e);
	cfg->say(cfg->ctx,
	    e->level == RULE_SKIPPED ? POLICY_DETAIL : POLICY_PROBLEM, buf);
}

static void
say_skipped(const struct policy *p, const char *rules)
{
	char buf[700];
	unsigned n = ruleset_skipped(p->now);

	if (n == 0)
		return;
	(void)snprintf(buf, sizeof(buf),
	    "%.500s: %u rule%s not about mail skipped (stripwire rules check "
	    "names them)",
	    rules, n, n == 1 ? "" : "s");
	p->cfg.say(p->cfg.ctx, POLICY_NOTE, buf);
}

static struct ruleset *
load(struct policy_config *cfg, bool check_only, char *err, size_t errlen)
{
	struct rule_sources s = {.path = cfg->files.rules,
	    .thresholds = cfg->files.thresholds,
	    .classification = cfg->files.classification,
	    .vars = cfg->files.vars,
	    .reader = cfg->files.reader,
	    .check_only = check_only,
	    .on_error = on_error,
	    .ctx = cfg};
	int sys = 0;

	err[0] = '\0';
	return ruleset_load(&s, &sys, err, errlen);
}

/* The next in force; NULL: a closing sentence is in err. */
static struct ruleset *
load_next(struct policy *p, const struct policy_files *files, char *err,
    size_t errlen)
{
	struct ruleset *set;

	p->cfg.files = *files;
	set = load(&p->cfg, false, err, errlen);
	memset(&p->cfg.files, 0, sizeof(p->cfg.files));
	if (set == NULL && err[0] == '\0')
		(void)snprintf(err, errlen, "%s: not loaded", files->rules);
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
	p->now = load_next(p, &cfg->files, err, errlen);
	if (p->now != NULL) {
		say_skipped(p, cfg->files.rules);
		return p;
	}
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
policy_reload(struct policy *p, const struct policy_files *files)
{
	char err[600], text[800];
	struct ruleset *set = load_next(p, files, err, sizeof(err));

	if (set == NULL) {
		(void)snprintf(text, sizeof(text),
		    "%s; the rules from before stay in force", err);
		p->cfg.say(p->cfg.ctx, POLICY_PROBLEM, text);
		return false;
	}
	policy_settle(p);
	p->before = p->now;
	p->now = set;
	say_skipped(p, files->rules);
	(void)snprintf(text, sizeof(text), "%.600s: read again, %u rules",
	    files->rules, ruleset_count(set));
	p->cfg.say(p->cfg.ctx, POLICY_NOTE, text);
	return true;
}

bool
policy_check(const struct policy_config *cfg, char *err, size_t errlen)
{
	struct policy_config c = *cfg;
	struct ruleset *set = load(&c, true, err, errlen);

	ruleset_free(set);
	return set != NULL;
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
