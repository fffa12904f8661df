/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A short list of named range sets; rule files look at it while they are read
 * and never again, so it is searched from end to end.
 */
#include "rules/rule_vars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct var {
	char name[RULE_VAR_NAME_MAX];
	struct range_set set;
};

struct rule_vars {
	struct var v[RULE_VARS_MAX];
	unsigned n;
};

static const char *const known[] = {"HOME_NET", "EXTERNAL_NET", "MAIL_SERVERS",
    "SMTP_SERVERS", "IMAP_SERVERS", "POP3_SERVERS", "MAIL_CLIENTS",
    "HTTP_SERVERS", "DNS_SERVERS", "SQL_SERVERS", "TELNET_SERVERS",
    "AIM_SERVERS", "DC_SERVERS", "MAIL_PORTS", "SMTP_PORTS", "IMAP_PORTS",
    "POP3_PORTS", "HTTP_PORTS", "SSH_PORTS", "FTP_PORTS", "FILE_DATA_PORTS",
    "SHELLCODE_PORTS", "ORACLE_PORTS"};

struct rule_vars *
rule_vars_new(void)
{
	return calloc(1, sizeof(struct rule_vars));
}

void
rule_vars_free(struct rule_vars *v)
{
	for (unsigned i = 0; v != NULL && i < v->n; i++)
		range_set_free(&v->v[i].set);
	free(v);
}

bool
rule_var_name_ok(const char *name)
{
	static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = strlen(name);

	return len > 0 && len < RULE_VAR_NAME_MAX &&
	       strchr(capitals, name[0]) != NULL &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == len;
}

enum rule_addr_kind
rule_var_kind(const char *name)
{
	size_t len = strlen(name), tail = sizeof("PORTS") - 1;

	return len >= tail && strcmp(name + len - tail, "PORTS") == 0
		   ? RULE_PORT
		   : RULE_ADDRESS;
}

/* HOME_NET2 is a name of its own, HOME_NTE is not. */
const char *
rule_var_nearest(const char *name)
{
	struct lex_word w = {name, strlen(name), 0};
	struct nearest near;

	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(name, known[i]) == 0)
			return NULL;
	if (w.len == 0 || (name[w.len - 1] >= '0' && name[w.len - 1] <= '9'))
		return NULL;
	nearest_init(&near, w);
	for (size_t i = 0; i < COUNT(known); i++)
		nearest_try(&near, known[i]);
	return near.best <= 1 ? near.name : NULL;
}

static struct var *
find(const struct rule_vars *v, struct lex_word name)
{
	for (unsigned i = 0; v != NULL && i < v->n; i++)
		if (lex_word_is(name, v->v[i].name))
			return (struct var *)&v->v[i];
	return NULL;
}

/* Everything that stands in text, and nothing behind it. */
static void
parse_all(struct lex *l, enum rule_addr_kind kind, struct range_set *out)
{
	lex_skip_space(l);
	if (rule_addr_parse(l, kind, out) == -1)
		return;
	lex_skip_space(l);
	if (lex_peek(l) != '\0')
		lex_error(l, l->at,
		    "one entry is expected; several go into a list: [a, b]");
}

static int
keep(struct rule_vars *v, const char *name, struct range_set *set)
{
	struct lex_word w = {name, strlen(name), 0};
	struct var *var = find(v, w);

	if (var == NULL && v->n == RULE_VARS_MAX)
		return -1;
	if (var == NULL) {
		var = &v->v[v->n++];
		memcpy(var->name, name, w.len + 1);
	}
	range_set_free(&var->set);
	var->set = *set;
	memset(set, 0, sizeof(*set));
	return 0;
}

/* A mistake that has no place in the text. */
static int
say(const struct lex *l, const char *message)
{
	struct rule_error e = {.file = l->file, .line = 1, .column = 1};

	(void)snprintf(e.message, sizeof(e.message), "%s", message);
	if (l->on_error != NULL)
		l->on_error(l->ctx, &e);
	return -1;
}

static int
set_text(struct rule_vars *into, struct lex *l)
{
	struct range_set set = {0};
	int rc = -1;

	if (!lex_next_rule(l))
		return say(l, "an address, port or list is missing");
	parse_all(l, rule_var_kind(l->file), &set);
	if (l->errors == 0)
		rc = into == NULL ? 0 : keep(into, l->file, &set);
	if (l->errors == 0 && rc == -1)
		lex_error(l, 0, "more than %u variables", RULE_VARS_MAX);
	range_set_free(&set);
	return rc;
}

static int
read_text(const struct rule_vars *v, struct rule_vars *into, struct lex *l,
    const char *name, const char *text)
{
	struct slice s = {(const uint8_t *)text, strlen(text)};
	struct lex given = *l;
	bool room = lex_init(l, name, s) == 0;
	int rc;

	l->on_error = given.on_error;
	l->ctx = given.ctx;
	l->vars = v;
	rc = room ? set_text(into, l) : say(l, "out of memory");
	lex_fini(l);
	return rc;
}

int
rule_vars_set(struct rule_vars *v, const char *name, const char *text,
    void (*on_error)(void *ctx, const struct rule_error *e), void *ctx)
{
	struct lex l = {.on_error = on_error, .ctx = ctx};

	return read_text(v, v, &l, name, text);
}

int
rule_vars_try(const struct rule_vars *v, const char *name, const char *text,
    void (*on_error)(void *ctx, const struct rule_error *e), void *ctx)
{
	struct lex l = {.on_error = on_error, .ctx = ctx};

	return read_text(v, NULL, &l, name, text);
}

int
rule_vars_get(const struct rule_vars *v, struct lex_word name,
    enum rule_addr_kind kind, struct range_set *out, struct nearest *near)
{
	struct var *var = find(v, name);

	nearest_init(near, name);
	if (var != NULL && rule_var_kind(var->name) == kind) {
		out->all = var->set.all;
		return range_set_add_all(out, &var->set);
	}
	for (size_t i = 0; i < COUNT(known); i++) {
		if (rule_var_kind(known[i]) != kind)
			continue;
		if (lex_word_is(name, known[i])) {
			out->all = true;
			return 0;
		}
		nearest_try(near, known[i]);
	}
	for (unsigned i = 0; v != NULL && i < v->n; i++)
		if (rule_var_kind(v->v[i].name) == kind)
			nearest_try(near, v->v[i].name);
	return 1;
}
