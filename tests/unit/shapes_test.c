/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The corpus of published shapes, tests/rules/shapes.rules: each is read, is
 * what was meant, fires on what it is for and on nothing else.
 */
#include "rules/rule_view.h"
#include "tests/unit/rule_feed.h"

#define CORPUS "tests/rules/shapes.rules"
#define LINES_MAX 16

struct shape {
	char lines[LINES_MAX][2048]; /* of = + - ~ */
	unsigned n;
};

static struct kit k;
static struct shape shape;
static unsigned shapes, skipped, fired, silent;

static unsigned
port_of(const char *rule)
{
	if (strstr(rule, " 143 (") != NULL)
		return 143;
	return strstr(rule, " 110 (") != NULL ? 110 : 25;
}

/* ---- one shape ---- */

static void
expect(const char *words)
{
	struct rule_view v;
	const char *value = strchr(words, ' ');

	ruleset_view(k.set, 0, &v);
	if (strncmp(words, "severity ", 9) == 0)
		CHECK_STR(severity_name(v.severity), value + 1);
	else if (strncmp(words, "protocol ", 9) == 0)
		CHECK_STR(v.proto, value + 1);
	else if (strncmp(words, "action ", 7) == 0)
		CHECK_STR(v.action, value + 1);
	else if (strcmp(words, "noalert") == 0)
		CHECK(v.noalert);
	else
		TEST_FAIL("what is = %s?", words);
}

static void
check_line(const char *line, const char *rule)
{
	unsigned want = line[0] == '+', got;

	kit_init(&k, rule);
	if (k.set == NULL || ruleset_count(k.set) != 1) {
		TEST_FAIL("not read: %s", rule);
	} else if (line[0] == '=') {
		expect(line + 2);
	} else {
		k.who.server_port = (uint16_t)port_of(rule);
		feed(&k, line + 2);
		got = kit_new(&k);
		if (got != want)
			TEST_FAIL("%u alerts on '%s' of %s", got, line, rule);
		fired += want;
		silent += !want;
	}
	kit_fini(&k);
}

static void
check_skipped(const char *word, const char *rule)
{
	static struct report r;
	struct ruleset *set = parse(rule, &r);

	if (set == NULL || ruleset_count(set) != 0 || r.skipped != 1)
		TEST_FAIL("not skipped because of %s: %s", word, rule);
	ruleset_free(set);
	skipped++;
}

static void
check_shape(const char *rule)
{
	static struct report r;
	struct ruleset *set = parse(rule, &r);
	char *text;

	shapes++;
	if (set == NULL)
		TEST_FAIL("%u: %s: %s", r.e[0].column, r.e[0].message, rule);
	if (set != NULL && ruleset_count(set) == 1) {
		text = ruleset_explain(set, 0);
		CHECK(text != NULL && strlen(text) > 20);
		free(text);
	}
	ruleset_free(set);
	for (unsigned i = 0; i < shape.n; i++)
		if (shape.lines[i][0] == '~')
			check_skipped(shape.lines[i] + 2, rule);
		else
			check_line(shape.lines[i], rule);
	shape.n = 0;
}

TEST(published_shapes_are_read_as_documented)
{
	static char line[8192];
	FILE *f = fopen(CORPUS, "r");

	CHECK(f != NULL);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (strchr("=+-~", line[0]) == NULL)
			check_shape(line);
		else if (shape.n < LINES_MAX)
			feed_put(shape.lines[shape.n++], sizeof(shape.lines[0]),
			    line);
	}
	if (f != NULL)
		(void)fclose(f);
	CHECK(shapes - skipped >= 200);
	CHECK(fired >= 180 && silent >= 180 && skipped >= 20);
}

TEST_MAIN
