/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the text of a rule file to a set of rules. A file with any mistake
 * gives no rules at all, so that a typing error never silently narrows what
 * is watched; all mistakes are reported in one go.
 */
#include "rules/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rule_file.h"
#include "rules/rule_header.h"
#include "rules/rule_option.h"

struct sid_use { /* 0 in line: free */
	uint32_t sid, gid;
	unsigned line;
};

struct parser {
	struct lex lex;
	struct ruleset *set;
	struct sid_use *sids; /* open addressing, cap a power of two */
	size_t nsids, sids_cap;
};

/* ---- the whole rule ---- */

static size_t
sid_slot(const struct parser *p, uint32_t gid, uint32_t sid)
{
	uint64_t h = ((uint64_t)gid << 32 | sid) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(h >> 32) & (p->sids_cap - 1);

	while (p->sids[i].line != 0 &&
	       (p->sids[i].gid != gid || p->sids[i].sid != sid))
		i = (i + 1) & (p->sids_cap - 1);
	return i;
}

static int
sids_grow(struct parser *p)
{
	struct sid_use *old = p->sids;
	size_t n = p->sids_cap;

	p->sids_cap = n == 0 ? 256 : n * 2;
	p->sids = calloc(p->sids_cap, sizeof(*p->sids));
	if (p->sids == NULL) {
		p->sids = old;
		p->sids_cap = n;
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (old[i].line != 0)
			p->sids[sid_slot(p, old[i].gid, old[i].sid)] = old[i];
	free(old);
	return 0;
}

static void
check_sid(struct parser *p, const struct rule_draft *d)
{
	const struct rule *r = &d->rule;
	struct sid_use *use;

	if (p->nsids * 2 >= p->sids_cap && sids_grow(p) == -1) {
		lex_nomem(&p->lex);
		return;
	}
	use = &p->sids[sid_slot(p, r->gid, r->sid)];
	if (use->line != 0) {
		lex_error(&p->lex, d->sid_at,
		    "sid %u is taken by the rule in line %u", r->sid,
		    use->line);
		return;
	}
	*use = (struct sid_use){r->sid, r->gid, r->line};
	p->nsids++;
}

static void
check_rule(struct parser *p, const struct rule_draft *d)
{
	struct lex *l = &p->lex;

	if (!rule_option_seen(d, "sid"))
		lex_error(l, d->start,
		    "the rule has no sid: give it a number of its own, "
		    "sid:1000001;");
	else if (d->rule.sid != 0)
		check_sid(p, d);
	if (!rule_option_seen(d, "severity"))
		lex_error(l, d->start,
		    "the rule has no severity: severity:info, low, medium, "
		    "high or critical");
}

static size_t
put_string(char *text, size_t at, const char *s, const char **where)
{
	size_t n = strlen(s) + 1;

	memcpy(text + at, s, n);
	*where = text + at;
	return at + n;
}

static int
set_strings(struct rule *r, const struct rule_draft *d)
{
	size_t at = 0;

	r->text = malloc(strlen(d->msg) + strlen(d->classtype) +
			 strlen(d->reference) + strlen(d->metadata) + 4);
	if (r->text == NULL)
		return -1;
	at = put_string(r->text, at, d->msg, &r->msg);
	at = put_string(r->text, at, d->classtype, &r->classtype);
	at = put_string(r->text, at, d->reference, &r->reference);
	(void)put_string(r->text, at, d->metadata, &r->metadata);
	return 0;
}

static void
rule_fini(struct rule *r)
{
	range_set_free(&r->src);
	range_set_free(&r->sport);
	range_set_free(&r->dst);
	range_set_free(&r->dport);
	free(r->text);
}

/* Takes over what the draft holds. */
static int
add_rule(struct ruleset *set, struct rule_draft *d)
{
	if (set->n == set->cap) {
		unsigned cap = set->cap == 0 ? 64 : set->cap * 2;
		struct rule *p = realloc(set->rules, cap * sizeof(*p));

		if (p == NULL)
			return -1;
		set->rules = p;
		set->cap = cap;
	}
	if (set_strings(&d->rule, d) == -1)
		return -1;
	set->rules[set->n++] = d->rule;
	return 0;
}

static void
read_rule(struct parser *p)
{
	struct lex *l = &p->lex;
	struct rule_draft d = {.rule = {.gid = 1,
				   .line = lex_line(l),
				   .conf_max = 100,
				   .any_finding = true}};
	unsigned errors = l->errors;

	lex_skip_space(l);
	d.start = l->at;
	if (rule_header(l, &d.rule)) {
		rule_options(l, &d);
		check_rule(p, &d);
	} else if (l->errors == errors) {
		lex_error(l, d.start, "this is not a rule");
	}
	if (l->errors == errors && p->set->n == RULE_COUNT_MAX) {
		lex_error(l, d.start, "more than %u rules", RULE_COUNT_MAX);
		l->stopped = true;
	}
	if (l->errors == errors && add_rule(p->set, &d) == 0)
		return;
	if (l->errors == errors)
		lex_nomem(l);
	rule_fini(&d.rule);
}

/* ---- the whole file ---- */

void
ruleset_free(struct ruleset *r)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; i < r->n; i++)
		rule_fini(&r->rules[i]);
	free(r->rules);
	free(r->of);
	free(r);
}

unsigned
ruleset_count(const struct ruleset *r)
{
	return r->n;
}

static struct ruleset *
parse(struct parser *p)
{
	p->set = calloc(1, sizeof(*p->set));
	if (p->set == NULL) {
		lex_nomem(&p->lex);
		return NULL;
	}
	while (lex_next_rule(&p->lex))
		read_rule(p);
	if (p->lex.errors == 0 && ruleset_index(p->set) == -1)
		lex_nomem(&p->lex);
	if (p->lex.errors == 0)
		return p->set;
	ruleset_free(p->set);
	return NULL;
}

static struct ruleset *
parse_text(const char *name, struct slice text, const struct rule_vars *vars,
    void (*on_error)(void *ctx, const struct rule_error *e), void *ctx)
{
	struct parser p = {0};
	struct ruleset *set = NULL;

	if (lex_init(&p.lex, name, text) == 0) {
		p.lex.on_error = on_error;
		p.lex.ctx = ctx;
		p.lex.vars = vars;
		set = parse(&p);
	}
	lex_fini(&p.lex);
	free(p.sids);
	return set;
}

struct ruleset *
ruleset_parse(const char *name, const char *text, const struct rule_vars *vars,
    void (*on_error)(void *ctx, const struct rule_error *e), void *ctx)
{
	struct slice s = {(const uint8_t *)text, strlen(text)};

	return parse_text(name, s, vars, on_error, ctx);
}

struct ruleset *
ruleset_load(const char *path, const struct rule_vars *vars,
    void (*on_error)(void *ctx, const struct rule_error *e), void *ctx,
    int *sys, char *err, size_t errlen)
{
	struct ruleset *set;
	size_t len;
	char *text = rule_file_read(path, "rules", &len, err, errlen);

	*sys = text == NULL ? -1 : 0;
	if (text == NULL)
		return NULL;
	set = parse_text(
	    path, (struct slice){(uint8_t *)text, len}, vars, on_error, ctx);
	free(text);
	return set;
}
