/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Variables of rules: what they hold, how they build on each other, and what
 * is said of those that cannot be read.
 */
#include "rules/rule_vars.h"

#include <stdio.h>

#include "tests/unit/rule_help.h"

struct heard {
	unsigned n, column;
	char message[200];
};

static void
on_mistake(void *ctx, const struct rule_error *e)
{
	struct heard *h = ctx;

	if (h->n++ > 0)
		return;
	h->column = e->column;
	snprintf(h->message, sizeof(h->message), "%s", e->message);
}

static void
on_match(void *ctx, const struct alert *a)
{
	(void)ctx;
	(void)a;
}

static int
get(const struct rule_vars *v, const char *name, struct range_set *out)
{
	struct lex_word w = {name, strlen(name), 0};
	struct nearest near;

	memset(out, 0, sizeof(*out));
	return rule_vars_get(v, w, rule_var_kind(name), out, &near);
}

TEST(known_ones_are_any_until_they_are_set)
{
	struct rule_vars *v = rule_vars_new();
	struct addr in = v4(10, 1, 2, 3), out = v4(192, 0, 2, 1);
	struct range_set s;

	CHECK_INT(get(NULL, "HOME_NET", &s), 0);
	CHECK(s.all);
	CHECK_INT(rule_vars_set(v, "HOME_NET", "10.0.0.0/8", NULL, NULL), 0);
	CHECK_INT(get(v, "HOME_NET", &s), 0);
	CHECK(!s.all && range_set_has(&s, &in) && !range_set_has(&s, &out));
	range_set_free(&s);
	CHECK_INT(get(v, "MAIL_SERVERS", &s), 0);
	CHECK(s.all);
	CHECK_INT(get(v, "OTHERS", &s), 1);
	rule_vars_free(v);
}

TEST(one_is_made_of_another)
{
	struct rule_vars *v = rule_vars_new();
	struct addr in = v4(10, 1, 2, 3), out = v4(192, 0, 2, 1);
	struct range_set s;

	CHECK_INT(rule_vars_set(
		      v, "HOME_NET", "[10.0.0.0/8,2001:db8::/32]", NULL, NULL),
	    0);
	CHECK_INT(
	    rule_vars_set(v, "EXTERNAL_NET", "!$HOME_NET", NULL, NULL), 0);
	CHECK_INT(get(v, "EXTERNAL_NET", &s), 0);
	CHECK(!range_set_has(&s, &in) && range_set_has(&s, &out));
	range_set_free(&s);
	CHECK_INT(rule_vars_set(v, "MY_PORTS", "[25,587:588]", NULL, NULL), 0);
	CHECK_INT(get(v, "MY_PORTS", &s), 0);
	CHECK(range_set_has_port(&s, 588) && !range_set_has_port(&s, 26));
	range_set_free(&s);
	rule_vars_free(v);
}

TEST(rules_use_them)
{
	static const char text[] =
	    "alert mail any any -> $MAIL_SERVERS $MAIL_PORTS (msg:\"m\"; "
	    "severity:low; sid:1;)\n";
	struct rule_vars *v = rule_vars_new();
	struct alert a = {.proto = PROTO_SMTP};
	struct ruleset *set;

	CHECK_INT(
	    rule_vars_set(v, "MAIL_SERVERS", "192.0.2.25", NULL, NULL), 0);
	CHECK_INT(rule_vars_set(v, "MAIL_PORTS", "[25,587]", NULL, NULL), 0);
	set = ruleset_parse("t", text, v, NULL, NULL);
	rule_vars_free(v);
	a.finding.id = FIND_STARTTLS_STRIPPED;
	a.flow.server = v4(192, 0, 2, 25);
	a.flow.server_port = 587;
	CHECK_INT(ruleset_match(set, &a, on_match, NULL), 1);
	a.flow.server_port = 26;
	CHECK_INT(ruleset_match(set, &a, on_match, NULL), 0);
	ruleset_free(set);
}

TEST(mistakes_have_a_place)
{
	static const struct {
		const char *name, *text, *message;
		unsigned column;
	} t[] = {
	    {"HOME_NET", "10.0.0.0/33", "'33' is not a prefix length (0 to 32)",
		10},
	    {"HOME_NET", "[10.0.0.1, mail]", "'mail' is not an address", 12},
	    {"MAIL_PORTS", "[25,66000]", "'66000' is not a port", 5},
	    {"HOME_NET", "10.0.0.1 10.0.0.2", "one entry is expected", 10},
	    {"HOME_NET", "", "is missing", 1},
	    {"HOME_NET", "# no", "is missing", 1},
	    {"HOME_NET", "$HOEM_NET", "did you mean 'HOME_NET'", 2},
	    {"EXTERNAL_NET", "!$HOME_NET",
		"$HOME_NET is any, so this matches no address at all", 1},
	    {"HOME_NET", "[10.0.0.1", "no closing ']'", 1},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct heard h = {0};

		CHECK_INT(
		    rule_vars_try(NULL, t[i].name, t[i].text, on_mistake, &h),
		    -1);
		if (strstr(h.message, t[i].message) == NULL)
			TEST_FAIL("%s: %s", t[i].text, h.message);
		CHECK_INT(h.column, t[i].column);
	}
}

TEST(names)
{
	static char many[80];

	CHECK(rule_var_name_ok("HOME_NET2") && !rule_var_name_ok("home"));
	CHECK(!rule_var_name_ok("") && !rule_var_name_ok("2X"));
	CHECK(!rule_var_name_ok("$X") && !rule_var_name_ok("A-B"));
	memset(many, 'A', RULE_VAR_NAME_MAX);
	CHECK(!rule_var_name_ok(many));
	CHECK(rule_var_nearest("HOME_NET") == NULL);
	CHECK(rule_var_nearest("HOME_NET2") == NULL);
	CHECK(rule_var_nearest("BRANCH_OFFICES") == NULL);
	CHECK_STR(rule_var_nearest("HOM_NET"), "HOME_NET");
}

TEST(there_is_an_end_of_them)
{
	struct rule_vars *v = rule_vars_new();
	struct heard h = {0};
	char name[16];

	for (unsigned i = 0; i < RULE_VARS_MAX; i++) {
		snprintf(name, sizeof(name), "V%u", i);
		CHECK_INT(rule_vars_set(v, name, "any", on_mistake, &h), 0);
	}
	CHECK_INT(rule_vars_set(v, "V0", "10.0.0.1", on_mistake, &h), 0);
	CHECK_INT(h.n, 0);
	CHECK_INT(rule_vars_set(v, "MORE", "any", on_mistake, &h), -1);
	CHECK(strstr(h.message, "more than 256") != NULL);
	rule_vars_free(v);
}

TEST_MAIN
