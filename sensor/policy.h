/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rules in force: read at the start, read again on SIGHUP. What does not
 * load leaves the ones before in force, and says so once.
 */
#ifndef STRIPWIRE_POLICY_H
#define STRIPWIRE_POLICY_H

#include "decoders/obs.h"
#include "rules/rule.h"

struct policy;

enum policy_say { POLICY_DETAIL, POLICY_NOTE, POLICY_PROBLEM };

struct policy_config {
	const char *rules; /* a file or folder; outlives the policy */
	const char *thresholds, *classification; /* likewise, or NULL */
	const struct rule_vars *vars; /* likewise */
	void (*say)(void *ctx, enum policy_say how, const char *text);
	void *ctx;
};

/* NULL: mistakes were told through say; a closing sentence is in err. */
struct policy *policy_open(
    const struct policy_config *cfg, char *err, size_t errlen);
void policy_close(struct policy *p);
const struct ruleset *policy_rules(const struct policy *p);

/*
 * Reads the files again. true: policy_rules() are others now; those before
 * live until policy_settle(), by when nobody may hold them any more.
 */
bool policy_reload(struct policy *p);
void policy_settle(struct policy *p);

/* Which lines rules look at, for the decoders. */
void policy_want_lines(const struct ruleset *rules, uint8_t lines[PROTO_COUNT]);

#endif
