/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the text of a rule to the rule: what its options say together, and
 * what does not go together.
 */
#include "rules/rule_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rule_header.h"
#include "rules/rule_option.h"

/* ---- numbers ---- */

static size_t
sid_slot(const struct rule_parser *p, uint32_t gid, uint32_t sid)
{
	uint64_t h = ((uint64_t)gid << 32 | sid) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(h >> 32) & (p->sids_cap - 1);

	while (p->sids[i].line != 0 &&
	       (p->sids[i].gid != gid || p->sids[i].sid != sid))
		i = (i + 1) & (p->sids_cap - 1);
	return i;
}

static int
sids_grow(struct rule_parser *p)
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
check_sid(struct rule_parser *p, struct lex *l, const struct rule_draft *d)
{
	const struct rule *r = &d->rule;
	struct sid_use *use;

	if (p->nsids * 2 >= p->sids_cap && sids_grow(p) == -1) {
		lex_nomem(l);
		return;
	}
	use = &p->sids[sid_slot(p, r->gid, r->sid)];
	if (use->line != 0 && use->file == r->file) {
		lex_error(l, d->sid_at,
		    "sid %u is taken by the rule in line %u", r->sid,
		    use->line);
	} else if (use->line != 0) {
		lex_error(l, d->sid_at,
		    "sid %u is taken by the rule in line %u of %s", r->sid,
		    use->line, p->set->files[use->file]);
	} else {
		*use = (struct sid_use){r->sid, r->gid, r->line, r->file};
		p->nsids++;
	}
}

/* ---- what its options say together ---- */

/* As Suricata's priorities are shown in EVE: 1 is the gravest. */
static uint8_t
severity_of(unsigned priority)
{
	static const uint8_t grades[] = {
	    SEV_LOW, SEV_HIGH, SEV_MEDIUM, SEV_LOW};

	return priority < sizeof(grades) ? grades[priority] : SEV_INFO;
}

static void
settle_severity(struct lex *l, struct rule_draft *d)
{
	struct rule *r = &d->rule;
	bool given = rule_option_seen(d, "severity");

	if (r->action == RULE_LOG && given && r->severity != SEV_INFO)
		lex_error(l, d->start,
		    "'log' records and never alarms: its severity is info, "
		    "or write 'alert'");
	if (r->action == RULE_LOG)
		r->severity = SEV_INFO;
	else if (!given)
		r->severity = severity_of(
		    d->priority != 0 ? d->priority : d->class_priority);
}

static const char *
proto_of_rule(const struct rule *r)
{
	static const char *const names[] = {
	    [RULE_PROTO_TCP] = "tcp",
	    [RULE_PROTO_TLS] = "tls",
	    [RULE_PROTO_MAIL] = "mail",
	    [RULE_PROTO_SMTP] = "smtp",
	    [RULE_PROTO_IMAP] = "imap",
	    [RULE_PROTO_POP3] = "pop3",
	    [RULE_PROTO_SIEVE] = "managesieve",
	};

	return r->proto <= RULE_PROTO_SIEVE && names[r->proto] != NULL
		   ? names[r->proto]
		   : "?";
}

static bool
proto_has_buffer(const struct rule *r, const struct buffer_info *b)
{
	switch (r->proto) {
	case RULE_PROTO_TLS:
		return b->tls;
	case RULE_PROTO_SMTP:
		return b->proto == PROTO_UNKNOWN || b->proto == PROTO_SMTP;
	case RULE_PROTO_IMAP:
		return b->proto == PROTO_UNKNOWN || b->proto == PROTO_IMAP;
	case RULE_PROTO_POP3:
		return b->proto == PROTO_UNKNOWN || b->proto == PROTO_POP3;
	case RULE_PROTO_SIEVE:
		return b->proto == PROTO_UNKNOWN || b->proto == PROTO_SIEVE;
	default:
		return true;
	}
}

/* "content" of a rule without a buffer has no name of its own. */
static const char *
look_name(const struct rule_look *look)
{
	const char *name = buffer_info((enum rule_buffer)look->buffer)->name;

	return name[0] != '\0' ? name : "content without a buffer";
}

static void
check_look(struct lex *l, struct rule_draft *d, unsigned i)
{
	struct rule *r = &d->rule;
	const struct rule_look *k = &r->looks[i];
	const struct buffer_info *b = buffer_info((enum rule_buffer)k->buffer);
	unsigned n = 0;

	for (unsigned c = 0; c < d->nchecks; c++)
		n += d->check_look[c] == i;
	if (n == 0 && (d->tried >> i & 1) == 0)
		lex_error(l, d->look_at[i],
		    "behind %s no content or pcre says what to look for",
		    look_name(k));
	else if (r->proto != 0 && !proto_has_buffer(r, b))
		lex_error(l, d->look_at[i],
		    "%s is nothing that a rule for %s can look at",
		    look_name(k), proto_of_rule(r));
	else if (r->flow != 0 && (b->dirs & r->flow) == 0)
		lex_error(l, d->flow_at,
		    "%s is what the %s says, and flow asks for the other side",
		    look_name(k),
		    b->dirs == RULE_TO_SERVER ? "client" : "server");
	else
		r->dirs |= r->flow != 0 ? b->dirs & r->flow : b->dirs;
}

static void
check_looks(struct lex *l, struct rule_draft *d)
{
	for (unsigned i = 0; i < d->rule.nlooks; i++)
		check_look(l, d, i);
	if (d->rule.nlooks > 0 && d->rule.by_finding)
		lex_error(l, d->finding_at,
		    "a rule selects findings or looks at buffers: set a "
		    "flowbit in one rule and ask for it in the other");
}

static void
check_rule(struct rule_parser *p, struct lex *l, struct rule_draft *d)
{
	if (!rule_option_seen(d, "sid"))
		lex_error(l, d->start,
		    "the rule has no sid: give it a number of its own, "
		    "sid:1000001;");
	else if (d->rule.sid != 0)
		check_sid(p, l, d);
	settle_severity(l, d);
	check_looks(l, d);
}

/* ---- taking it over ---- */

static size_t
put_string(char *text, size_t at, const char *s, const char **where)
{
	size_t n = strlen(s) + 1;

	memcpy(text + at, s, n);
	*where = text + at;
	return at + n;
}

static int
set_strings(struct rule *r, const struct rule_draft *d, const char *source)
{
	size_t at = 0;

	r->text = malloc(strlen(d->msg) + strlen(d->classtype) +
			 strlen(d->category) + strlen(d->reference) +
			 strlen(d->metadata) + strlen(source) + 6);
	if (r->text == NULL)
		return -1;
	at = put_string(r->text, at, d->msg, &r->msg);
	at = put_string(r->text, at, d->classtype, &r->classtype);
	at = put_string(r->text, at, d->category, &r->category);
	at = put_string(r->text, at, d->reference, &r->reference);
	at = put_string(r->text, at, d->metadata, &r->metadata);
	(void)put_string(r->text, at, source, &r->source);
	return 0;
}

/* What is searched for before the rule is looked at: the one that was asked
 * for, or the longest. What is changed beforehand cannot be found so. */
static void
choose_fast(struct rule_look *k, const struct check *checks)
{
	unsigned best = 0;

	k->fast = -1;
	if ((k->transform & (TRANSFORM_STRIP | TRANSFORM_DOT)) != 0)
		return;
	for (unsigned i = k->first; i < k->first + k->n; i++) {
		const struct check *c = &checks[i];
		unsigned worth = c->len + (c->fast ? CONTENT_MAX : 0u);

		if (c->kind != CHECK_CONTENT || c->negated || worth <= best)
			continue;
		best = worth;
		k->fast = (int16_t)i;
	}
}

/* The checks, those of each buffer together. */
static int
set_checks(struct rule *r, struct rule_draft *d)
{
	struct check *to;

	if (d->nchecks == 0)
		return 0;
	to = calloc(d->nchecks, sizeof(*to));
	if (to == NULL)
		return -1;
	for (unsigned k = 0; k < r->nlooks; k++) {
		r->looks[k].first = (uint16_t)r->nchecks;
		for (unsigned i = 0; i < d->nchecks; i++)
			if (d->check_look[i] == k)
				to[r->nchecks++] = d->checks[i];
		r->looks[k].n = (uint16_t)(r->nchecks - r->looks[k].first);
		choose_fast(&r->looks[k], to);
	}
	r->checks = to;
	d->nchecks = 0;
	return 0;
}

/* The same rule has the same key wherever it stands (FNV-1a). */
static uint64_t
key_of(const char *source)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (const char *s = source; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * UINT64_C(1099511628211);
	return h;
}

static void
rule_fini(struct rule *r)
{
	range_set_free(&r->src);
	range_set_free(&r->sport);
	range_set_free(&r->dst);
	range_set_free(&r->dport);
	checks_free(r->checks, r->nchecks);
	free(r->text);
}

/* Takes over what the draft holds. */
static int
add_rule(struct ruleset *set, struct rule_draft *d, const char *source)
{
	if (set->n == set->cap) {
		unsigned cap = set->cap == 0 ? 64 : set->cap * 2;
		struct rule *p = realloc(set->rules, cap * sizeof(*p));

		if (p == NULL)
			return -1;
		set->rules = p;
		set->cap = cap;
	}
	if (set_strings(&d->rule, d, source) == -1 ||
	    set_checks(&d->rule, d) == -1)
		return -1;
	d->rule.key = key_of(source);
	set->rules[set->n++] = d->rule;
	return 0;
}

static void
draft_checks_free(struct rule_draft *d)
{
	struct check *c =
	    d->nchecks > 0 ? malloc(d->nchecks * sizeof(*c)) : NULL;

	if (c == NULL)
		return;
	memcpy(c, d->checks, d->nchecks * sizeof(*c));
	checks_free(c, d->nchecks);
}

static void
read_rule(struct rule_parser *p, struct lex *l)
{
	struct rule_draft d = {.rule = {.gid = 1,
				   .line = lex_line(l),
				   .file = p->file,
				   .conf_max = 100,
				   .any_finding = true},
	    .set = p->set,
	    .classes = p->classes,
	    .look = -1};
	unsigned errors = l->errors;

	d.start = l->at;
	l->in_rule = true;
	l->skipped = false;
	if (rule_header(l, &d.rule)) {
		rule_options(l, &d);
		check_rule(p, l, &d);
	} else if (l->errors == errors) {
		lex_error(l, d.start, "this is not a rule");
	}
	if (l->errors == errors && p->set->n == RULE_COUNT_MAX) {
		lex_error(l, d.start, "more than %u rules", RULE_COUNT_MAX);
		l->stopped = true;
	}
	l->in_rule = false;
	p->set->skipped += l->skipped;
	if (l->errors == errors && !l->skipped) {
		if (add_rule(p->set, &d, l->rule) == 0)
			return;
		lex_nomem(l);
	}
	draft_checks_free(&d);
	rule_fini(&d.rule);
}

/* ---- texts ---- */

static bool
is_include(struct lex *l)
{
	struct lex probe = *l;
	struct lex_word w = lex_word(&probe, "(\"");

	if (!lex_word_is(w, "include"))
		return false;
	l->at = probe.at;
	lex_skip_space(l);
	return true;
}

static void
read_line(struct rule_parser *p, struct lex *l)
{
	lex_skip_space(l);
	if (is_include(l)) {
		if (p->include != NULL)
			p->include(p, l, p->include_ctx);
		else
			lex_error(l, l->at, "nothing can be included here");
	} else if (rule_is_outside(l)) {
		p->set->skipped++;
	} else {
		read_rule(p, l);
	}
}

static int
add_file(struct ruleset *set, const char *name)
{
	char **files = realloc(set->files, (set->nfiles + 1) * sizeof(*files));

	if (files == NULL)
		return -1;
	set->files = files;
	files[set->nfiles] = strdup(name);
	return files[set->nfiles++] == NULL ? -1 : 0;
}

int
rule_parser_lex(
    struct rule_parser *p, struct lex *l, const char *name, struct slice text)
{
	if (lex_init(l, name, text) == -1) {
		l->on_error = p->on_error;
		l->ctx = p->ctx;
		lex_nomem(l);
		p->errors++;
		return -1;
	}
	l->on_error = p->on_error;
	l->ctx = p->ctx;
	l->vars = p->vars;
	l->errors = p->errors;
	return 0;
}

void
rule_parser_unlex(struct rule_parser *p, struct lex *l)
{
	p->errors = l->errors;
	p->stopped |= l->stopped;
	lex_fini(l);
}

void
rule_parse_text(struct rule_parser *p, const char *name, struct slice text)
{
	struct lex l;
	uint16_t before = p->file;

	if (p->stopped || rule_parser_lex(p, &l, name, text) == -1)
		return;
	if (add_file(p->set, name) == -1)
		lex_nomem(&l);
	p->file = (uint16_t)(p->set->nfiles - 1);
	while (!p->stopped && lex_next_rule(&l)) {
		read_line(p, &l);
		l.errors = p->errors > l.errors ? p->errors : l.errors;
		p->errors = l.errors;
	}
	rule_parser_unlex(p, &l);
	p->file = before;
}

void
rule_parser_fini(struct rule_parser *p)
{
	free(p->sids);
	p->sids = NULL;
}

/* ---- the set ---- */

static void
free_names(char **names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

void
ruleset_free(struct ruleset *r)
{
	if (r == NULL)
		return;
	ruleset_index_free(r);
	for (unsigned i = 0; i < r->n; i++)
		rule_fini(&r->rules[i]);
	for (unsigned i = 0; i < r->nfilters; i++)
		range_set_free(&r->filters[i].ip);
	free_names(r->files, r->nfiles);
	free_names(r->bits, r->nbits);
	free(r->filters);
	free(r->rules);
	free(r);
}

unsigned
ruleset_count(const struct ruleset *r)
{
	return r->n;
}

unsigned
ruleset_skipped(const struct ruleset *r)
{
	return r->skipped;
}

uint8_t
ruleset_lines(const struct ruleset *r, enum proto proto)
{
	return (unsigned)proto < PROTO_COUNT ? r->lines[proto] : 0;
}
