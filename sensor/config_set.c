/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One small function per type of value. Each says what is wrong with a value,
 * and what would be right; none leaves half a value behind that anybody uses,
 * because a file with a mistake is refused as a whole.
 */
#include "sensor/config_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/rule_vars.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SHOWN 80 /* bytes of a wrong value repeated in a message */

const char *
config_show(char *buf, size_t cap, const struct config_node *n)
{
	struct lex_word w = {n->text, strlen(n->text), 0};

	return lex_show(buf, cap, w);
}

static void
nomem(struct config_reader *r, const struct config_node *n)
{
	config_mistake(r, n, "out of memory");
}

/* ---- words ---- */

static void
not_a_word(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	struct lex_word w = {n->text, strlen(n->text), 0};
	struct nearest near;
	char shown[SHOWN];

	nearest_init(&near, w);
	for (unsigned i = 0; k->words != NULL && k->words[i] != NULL; i++)
		if (k->words[i][0] != '\0')
			nearest_try(&near, k->words[i]);
	config_show(shown, sizeof(shown), n);
	if (near.name != NULL)
		config_mistake(r, n, "%s: '%s': did you mean '%s'?", k->name,
		    shown, near.name);
	else
		config_mistake(r, n, "%s: '%s' is not %s%s", k->name, shown,
		    k->type == CONFIG_WORDS ? "in the " : "", k->range);
}

/* Which of the words it is, or -1 having said so. */
static int
word_index(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	for (int i = 0; n->text[0] != '\0' && k->words[i] != NULL; i++)
		if (strcmp(n->text, k->words[i]) == 0)
			return i;
	not_a_word(r, k, n);
	return -1;
}

static void
set_word(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	int i = word_index(r, k, n);

	if (i != -1)
		*(unsigned *)config_field(r->fields, k) = (unsigned)i;
}

static void
add_word(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	int i = word_index(r, k, n);

	if (i != -1)
		*(unsigned *)config_field(r->fields, k) |= 1u << i;
}

static void
set_switch(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	static const char *const words[] = {
	    "no", "yes", "false", "true", "off", "on"};
	bool *out = config_field(r->fields, k);

	for (unsigned i = 0; i < COUNT(words); i++)
		if (strcmp(n->text, words[i]) == 0) {
			*out = i % 2 != 0;
			return;
		}
	not_a_word(r, k, n);
}

/* ---- numbers ---- */

/* Digits, and for bytes a unit. False: it is something else. */
static bool
parse_number(const char *s, bool bytes, uint64_t *out)
{
	static const struct {
		const char *unit;
		unsigned shift;
	} units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"K", 10},
	    {"M", 20}, {"G", 30}};
	size_t digits = strspn(s, "0123456789");

	errno = 0;
	*out = strtoull(s, NULL, 10);
	if (digits == 0 || errno != 0)
		return false;
	for (unsigned i = 0; i < COUNT(units); i++) {
		if (strcmp(s + digits, units[i].unit) != 0)
			continue;
		if (*out > UINT64_MAX >> units[i].shift)
			return false;
		*out <<= units[i].shift;
		return i == 0 || bytes;
	}
	return false;
}

static void
set_number(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	uint64_t *out = config_field(r->fields, k), value;
	char shown[SHOWN];

	config_show(shown, sizeof(shown), n);
	if (!parse_number(n->text, k->type == CONFIG_BYTES, &value))
		config_mistake(r, n, "%s: '%s' is not a number%s: %s", k->name,
		    shown,
		    k->type == CONFIG_BYTES ? " of bytes, KiB, MiB or GiB" : "",
		    k->range);
	else if (value < k->min || value > k->max)
		config_mistake(r, n, "%s: %s is too %s: %s", k->name, shown,
		    value < k->min ? "small" : "large", k->range);
	else if (k->power_of_two)
		for (*out = 1; *out < value;)
			*out *= 2;
	else
		*out = value;
}

/* ---- texts ---- */

static bool
text_ok(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	size_t len = strlen(n->text),
	       max = k->max != 0 ? k->max : CONFIG_TEXT_MAX - 1;

	if (len == 0)
		config_mistake(
		    r, n, "%s: the value is empty: %s", k->name, k->range);
	else if (len > max)
		config_mistake(r, n,
		    "%s: the value is longer than %zu characters", k->name,
		    max);
	else if (strcspn(n->text, "\r\n") != len)
		config_mistake(r, n, "%s: the value must be one line", k->name);
	else
		return true;
	return false;
}

static bool
file_ok(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	char shown[SHOWN];

	if (!r->files || access(n->text, R_OK) == 0)
		return true;
	config_mistake(r, n, "%s: %s cannot be read: %s", k->name,
	    config_show(shown, sizeof(shown), n), strerror(errno));
	return false;
}

static void
set_text(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	char **out = config_field(r->fields, k);
	char *copy;

	if (!text_ok(r, k, n) || (k->type == CONFIG_INPUT && !file_ok(r, k, n)))
		return;
	copy = strdup(n->text);
	if (copy == NULL) {
		nomem(r, n);
		return;
	}
	free(*out);
	*out = copy;
}

/* ---- lists ---- */

static void
add_input(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	struct config *c = r->c;

	if (!text_ok(r, k, n) || !file_ok(r, k, n))
		return;
	if (c->ntrust == CONFIG_TRUST_MAX) {
		config_mistake(r, n,
		    "%s: more than %u files: put several certificates into one",
		    k->name, CONFIG_TRUST_MAX);
		return;
	}
	c->trust[c->ntrust] = strdup(n->text);
	if (c->trust[c->ntrust] == NULL)
		nomem(r, n);
	else
		c->ntrust++;
}

static void
not_a_resetter(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	char shown[SHOWN];
	uint8_t addr[16];

	config_show(shown, sizeof(shown), n);
	if (r->c->resetters.nmac == RESETTERS_MAX)
		config_mistake(
		    r, n, "%s: more than %u addresses", k->name, RESETTERS_MAX);
	else if (inet_pton(AF_INET, n->text, addr) == 1 ||
		 inet_pton(AF_INET6, n->text, addr) == 1)
		config_mistake(r, n,
		    "%s: %s is an IP address, which such a device does not "
		    "write into its resets: name the MAC address of its frames",
		    k->name, shown);
	else
		config_mistake(r, n,
		    "%s: '%s' is neither a MAC address (00:1b:2c:3d:4e:5f) nor "
		    "tcpkill, libnids, ips-reject, syn-copy or train-1460",
		    k->name, shown);
}

static void
add_resetter(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	struct config *c = r->c;

	if (c->nresetters == COUNT(c->resetter) ||
	    resetters_add(&c->resetters, n->text) == -1) {
		not_a_resetter(r, k, n);
		return;
	}
	c->resetter[c->nresetters] = strdup(n->text);
	if (c->resetter[c->nresetters] == NULL)
		nomem(r, n);
	else
		c->nresetters++;
}

static bool
is_empty(const struct config_node *n)
{
	return n->kind == NODE_TEXT && n->text[0] == '\0';
}

static void
set_list(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	void (*add)(struct config_reader *, const struct config_key *,
	    const struct config_node *) = k->type == CONFIG_INPUTS ? add_input
					  : k->type == CONFIG_WORDS
					      ? add_word
					      : add_resetter;

	if (is_empty(n))
		return;
	if (n->kind == NODE_MAP) {
		config_mistake(
		    r, n, "%s: a list is expected: [one, two]", k->name);
		return;
	}
	if (n->kind == NODE_TEXT) {
		add(r, k, n);
		return;
	}
	for (n = n->first; n != NULL; n = n->next)
		if (n->kind == NODE_TEXT)
			add(r, k, n);
		else
			config_mistake(r, n,
			    "%s: the entries of this list are words", k->name);
}

/* ---- variables ---- */

struct place { /* for a mistake within a text */
	struct config_reader *r;
	const struct config_node *n;
	const char *name;
};

static void
on_rule_error(void *ctx, const struct rule_error *e)
{
	const struct place *p = ctx;
	unsigned column = p->n->column;

	if (p->n->text_column != 0)
		column = p->n->text_column + e->column - 1;
	config_mistake_at(
	    p->r, p->n->line, column, "variables.%s: %s", p->name, e->message);
}

/* Appends s to *text; -1: no memory. */
static int
append(char **text, const char *s)
{
	size_t used = *text != NULL ? strlen(*text) : 0, len = strlen(s);
	char *p = realloc(*text, used + len + 1);

	if (p == NULL)
		return -1;
	memcpy(p + used, s, len + 1);
	*text = p;
	return 0;
}

/* "[a,b]" of a list whose entries are each good for themselves. To be freed;
 * NULL: mistakes were told. */
static char *
list_text(
    struct config_reader *r, const char *name, const struct config_node *list)
{
	struct place p = {r, NULL, name};
	unsigned before = r->mistakes;
	char *text = NULL;
	size_t used = 0, room = 3;

	for (const struct config_node *n = list->first; n != NULL;
	     n = n->next) {
		p.n = n;
		if (n->kind != NODE_TEXT)
			config_mistake(r, n,
			    "variables.%s: a list holds addresses or ports; "
			    "one that ends in ':' needs quotes",
			    name);
		else if (rule_vars_try(
			     r->c->vars, name, n->text, on_rule_error, &p) == 0)
			room += strlen(n->text) + 1;
	}
	if (r->mistakes != before)
		return NULL;
	text = malloc(room);
	if (text == NULL) {
		nomem(r, list);
		return NULL;
	}
	text[used++] = '[';
	for (const struct config_node *n = list->first; n != NULL;
	     n = n->next) {
		memcpy(text + used, n->text, strlen(n->text));
		used += strlen(n->text);
		if (n->next != NULL)
			text[used++] = ',';
	}
	memcpy(text + used, "]", 2);
	return text;
}

static void
keep_variable(
    struct config_reader *r, const struct config_node *key, const char *text)
{
	struct config *c = r->c;
	char **list = realloc(c->var_text, (c->nvars + 1) * sizeof(*list));
	char *line = NULL;

	if (list == NULL || append(&line, key->text) == -1)
		nomem(r, key);
	if (list != NULL)
		c->var_text = list;
	if (list == NULL || line == NULL)
		return;
	if (append(&line, ": ") == -1 || append(&line, text) == -1)
		nomem(r, key);
	c->var_text[c->nvars++] = line;
}

static bool
variable_name_ok(struct config_reader *r, const struct config_node *key,
    const struct config_node *first)
{
	char shown[SHOWN];
	const char *near;

	if (key->kind != NODE_TEXT || !rule_var_name_ok(key->text)) {
		config_mistake(r, key,
		    "variables: %s is no name: capital letters, digits and _",
		    key->kind == NODE_TEXT
			? config_show(shown, sizeof(shown), key)
			: "this");
		return false;
	}
	near = rule_var_nearest(key->text);
	if (near != NULL) {
		config_mistake(r, key,
		    "unknown variable '%s': did you mean '%s'?", key->text,
		    near);
		return false;
	}
	for (const struct config_node *n = first; n != key; n = n->next->next)
		if (n->kind == NODE_TEXT && strcmp(n->text, key->text) == 0) {
			config_mistake(r, key,
			    "variables.%s is set in line %u already", key->text,
			    n->line);
			return false;
		}
	return true;
}

static void
set_variable(struct config_reader *r, const struct config_node *key,
    const struct config_node *value)
{
	struct place p = {r, value, key->text};
	char *text = NULL;

	if (value->kind == NODE_MAP) {
		config_mistake(r, value,
		    "variables.%s: an address, a port or a list is expected; "
		    "one that ends in ':' needs quotes",
		    key->text);
		return;
	}
	if (value->kind == NODE_LIST &&
	    (text = list_text(r, key->text, value)) == NULL)
		return;
	if (rule_vars_set(r->c->vars, key->text,
		text != NULL ? text : value->text, on_rule_error, &p) == 0)
		keep_variable(r, key, text != NULL ? text : value->text);
	free(text);
}

static void
set_variables(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	unsigned count = 0;

	if (is_empty(n))
		return;
	if (n->kind != NODE_MAP) {
		config_mistake(r, n,
		    "%s: lines of the form `NAME: value` are expected below "
		    "it, indented",
		    k->name);
		return;
	}
	if (r->c->vars == NULL)
		r->c->vars = rule_vars_new();
	if (r->c->vars == NULL) {
		nomem(r, n);
		return;
	}
	for (const struct config_node *key = n->first;
	     key != NULL && key->next != NULL; key = key->next->next) {
		if (count++ == RULE_VARS_MAX) {
			config_mistake(r, key, "%s: more than %u variables",
			    k->name, RULE_VARS_MAX);
			return;
		}
		if (variable_name_ok(r, key, n->first))
			set_variable(r, key, key->next);
	}
}

/* ---- all of them ---- */

static void
set_scalar(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	if (n->kind != NODE_TEXT) {
		config_mistake(r, n, "%s: one value is expected, not a %s: %s",
		    k->name, n->kind == NODE_LIST ? "list" : "map", k->range);
		return;
	}
	switch (k->type) {
	case CONFIG_SWITCH:
		set_switch(r, k, n);
		break;
	case CONFIG_WORD:
		set_word(r, k, n);
		break;
	case CONFIG_NUMBER:
	case CONFIG_BYTES:
		set_number(r, k, n);
		break;
	default:
		set_text(r, k, n);
	}
}

void
config_set(struct config_reader *r, const struct config_key *k,
    const struct config_node *n)
{
	if (k->type == CONFIG_VARIABLES)
		set_variables(r, k, n);
	else if (k->type == CONFIG_FEEDS)
		config_set_feeds(r, n);
	else if (config_is_list(k))
		set_list(r, k, n);
	else if (is_empty(n))
		config_mistake(r, n,
		    "%s has no value: %s; or put '#' before the line", k->name,
		    k->range);
	else
		set_scalar(r, k, n);
}
