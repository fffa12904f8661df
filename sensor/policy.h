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

/* Where they are; needed while they are read only. */
struct policy_files {
	const char *rules; /* a file or folder */
	const char *thresholds, *classification; /* or NULL */
	const struct rule_vars *vars; /* or NULL */
	const struct rule_reader *reader; /* NULL: the disk */
};

struct policy_config {
	struct policy_files files;
	void (*say)(void *ctx, enum policy_say how, const char *text);
	void *ctx;
};

/* NULL: mistakes were told through say; a closing sentence is in err. */
struct policy *policy_open(
    const struct policy_config *cfg, char *err, size_t errlen);
void policy_close(struct policy *p);
const struct ruleset *policy_rules(const struct policy *p);

/*
 * Reads them again, from other places too. true: policy_rules() are others now;
 * those before live until policy_settle(), by when nobody may hold them any
 * more. false: said, and nothing has changed.
 */
bool policy_reload(struct policy *p, const struct policy_files *files);
void policy_settle(struct policy *p);

/* Would they load? Mistakes are told; of a file that cannot be read a sentence
 * is in err, else nothing. */
bool policy_check(const struct policy_config *cfg, char *err, size_t errlen);

/* Which lines rules look at, for the decoders. */
void policy_want_lines(const struct ruleset *rules, uint8_t lines[PROTO_COUNT]);

#endif
