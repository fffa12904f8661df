/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files: folders, includes, classifications, thresholds. And what a line of
 * threshold.config does.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "rules/rule_view.h"
#include "tests/unit/engine_kit.h"

#define RULE "alert smtp any any -> any any (smtp.command; content:\"QUIT\"; "

static char dir[64];

static void
put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0)
		abort();
}

static void
begin(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/rule_load_XXXXXX");
	if (mkdtemp(dir) == NULL)
		abort();
}

static void
end(void)
{
	char cmd[100];

	(void)snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	if (system(cmd) != 0)
		abort();
}

struct loaded {
	struct ruleset *set;
	struct report r;
	char err[400];
	int sys;
};

static char at[4][256];

static const char *
path(unsigned i, const char *name)
{
	if (name == NULL)
		return NULL;
	(void)snprintf(at[i], sizeof(at[i]), "%s/%s", dir, name);
	return at[i];
}

static struct loaded
load(const char *rules, const char *thresholds, const char *classes)
{
	static struct loaded l;
	struct rule_sources s = {.path = path(0, rules),
	    .thresholds = path(1, thresholds),
	    .classification = path(2, classes),
	    .on_error = on_error,
	    .ctx = &l.r};

	memset(&l, 0, sizeof(l));
	l.set = ruleset_load(&s, &l.sys, l.err, sizeof(l.err));
	return l;
}

TEST(a_folder_is_read_in_order_of_names)
{
	struct rule_view v;
	struct loaded l;

	begin();
	put("b.rules", RULE "sid:2;)\n");
	put("a.rules", RULE "sid:1;)\n");
	put("c.txt", "nonsense\n");
	l = load("", NULL, NULL);
	CHECK(l.set != NULL);
	if (l.set != NULL) {
		CHECK_INT(ruleset_count(l.set), 2);
		ruleset_view(l.set, 1, &v);
		CHECK_INT(v.sid, 2);
		CHECK(strstr(v.file, "/b.rules") != NULL);
		CHECK_INT(ruleset_find(l.set, 0, 1), 0);
		CHECK_INT(ruleset_find(l.set, 1, 9), -1);
	}
	ruleset_free(l.set);
	end();
}

TEST(includes_are_found_beside_their_file)
{
	struct loaded l;

	begin();
	put("main.rules", RULE "sid:1;)\ninclude more.inc\n" RULE "sid:3;)\n");
	put("more.inc", RULE "sid:2;)\ninclude \"deep.inc\"\n");
	put("deep.inc", RULE "sid:4;)\n");
	l = load("main.rules", NULL, NULL);
	CHECK(l.set != NULL);
	if (l.set != NULL)
		CHECK_INT(ruleset_count(l.set), 4);
	ruleset_free(l.set);
	end();
}

TEST(mistakes_of_all_files_come_in_one_run)
{
	struct loaded l;

	begin();
	put("main.rules",
	    RULE "sid:1;)\ninclude more.inc\ninclude none.inc\n" RULE
		 "sid:x;)\ninclude main.rules\ninclude\n");
	put("more.inc", "xyzzy\n" RULE "sid:1;)\n");
	l = load("main.rules", NULL, NULL);
	CHECK(l.set == NULL);
	CHECK_INT(l.sys, 0);
	CHECK_INT(l.r.n, 6);
	CHECK_STR(l.r.e[0].message, "unknown action 'xyzzy'");
	CHECK(strstr(l.r.e[1].message, "sid 1 is taken by the rule in line 1 "
				       "of ") != NULL);
	CHECK_INT(l.r.e[2].line, 3);
	CHECK(strstr(l.r.e[2].message, "No such file") != NULL);
	CHECK_INT(l.r.e[3].line, 4);
	CHECK(strstr(l.r.e[4].message, "it would include itself") != NULL);
	CHECK_STR(l.r.e[5].message, "include wants the path of a file");
	end();
}

TEST(includes_are_not_endless)
{
	struct loaded l;
	char name[16], text[32];

	begin();
	for (unsigned i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof(name), "%u.rules", i);
		(void)snprintf(text, sizeof(text), "include %u.rules\n", i + 1);
		put(name, text);
	}
	l = load("0.rules", NULL, NULL);
	CHECK(l.set == NULL);
	CHECK_INT(l.r.n, 1);
	CHECK_STR(l.r.e[0].message, "includes are nested more than 8 deep");
	end();
}

TEST(classifications_of_a_file)
{
	struct rule_view v;
	struct loaded l;

	begin();
	put("c", "# comment\nconfig classification: own-class,A class of "
		 "ours,1\nconfig classification: misc-attack,Other words,4\n");
	put("r", RULE "classtype:own-class; sid:1;)\n" RULE
		      "classtype:misc-attack; sid:2;)\n");
	l = load("r", NULL, "c");
	CHECK(l.set != NULL);
	if (l.set != NULL) {
		ruleset_view(l.set, 0, &v);
		CHECK_INT(v.severity, SEV_HIGH);
		CHECK_STR(v.category, "A class of ours");
		ruleset_view(l.set, 1, &v);
		CHECK_INT(v.severity, SEV_INFO);
		CHECK_STR(v.category, "Other words");
	}
	ruleset_free(l.set);
	put("c", "config classification own,b,1\nconfig classification: "
		 ",b,1\nconfig classification: a,b,x\n");
	l = load("r", NULL, "c");
	CHECK(l.set == NULL);
	CHECK(l.r.n >= 3);
	end();
}

/* ---- threshold.config ---- */

static struct kit k;

/* The kit with rules 1 and 2 of group 1, 1 of group 7, and these lines. */
static void
with(const char *thresholds)
{
	struct loaded l;
	struct ruleset *old;

	begin();
	put("r", RULE "severity:high; sid:1;)\n" RULE
		      "severity:high; threshold:type limit, track by_src, "
		      "count 2, seconds 60; sid:2;)\n" RULE
		      "severity:high; gid:7; sid:1;)\n");
	put("t", thresholds);
	l = load("r", "t", NULL);
	for (unsigned i = 0; i < l.r.n; i++)
		TEST_FAIL("%u:%u %s", l.r.e[i].line, l.r.e[i].column,
		    l.r.e[i].message);
	kit_init(&k, RULE "sid:1;)\n");
	old = k.set;
	engine_free(k.e);
	ruleset_free(old);
	k.set = l.set;
	k.e = l.set != NULL ? engine_new(l.set, false) : NULL;
	end();
}

static unsigned
quits(unsigned n)
{
	(void)kit_new(&k);
	for (unsigned i = 0; i < n; i++)
		kit_command(&k, "QUIT");
	return k.n;
}

TEST(suppress_is_for_rules_and_hosts)
{
	with("suppress gen_id 1, sig_id 1\n");
	CHECK_INT(quits(1), 2);
	kit_fini(&k);
	with("suppress gen_id 1, sig_id 0\n");
	CHECK_INT(quits(1), 1);
	kit_fini(&k);
	with("suppress gen_id 0, sig_id 0, track by_src, ip 10.1.0.0/24\n");
	CHECK_INT(quits(1), 0);
	k.who.client = v4(10, 1, 1, 1);
	CHECK_INT(quits(1), 3);
	CHECK_INT(engine_counters(k.e)->suppressed, 3);
	kit_fini(&k);
	with("suppress gen_id 1, sig_id 1, track by_dst, ip "
	     "[10.9.0.0/16,10.2.0.20] # list\n");
	CHECK_INT(quits(1), 2);
	kit_fini(&k);
	with("suppress gen_id 1, sig_id 1, track by_either, ip 10.2.0.20\n");
	CHECK_INT(quits(1), 2);
	kit_fini(&k);
	with("suppress gen_id 1, sig_id 1, track by_src, ip 10.2.0.20\n");
	CHECK_INT(quits(1), 3);
	kit_fini(&k);
}

TEST(thresholds_beside_the_rules)
{
	with("threshold gen_id 1, sig_id 1, type limit, track by_src, count "
	     "1, seconds 60\n");
	(void)quits(5);
	CHECK_INT(kit_of(&k, 1), 1 + 5); /* group 7 is not meant */
	CHECK_INT(kit_of(&k, 2), 2);
	kit_fini(&k);
	/* the very rule: instead of its own; all: for those without */
	with("event_filter gen_id 1, sig_id 2, type limit, track by_src, "
	     "count 4, seconds 60\n"
	     "threshold gen_id 1, sig_id 0, type limit, track by_src, count "
	     "3, seconds 60\n");
	(void)quits(5);
	CHECK_INT(kit_of(&k, 1), 3 + 5);
	CHECK_INT(kit_of(&k, 2), 4);
	kit_fini(&k);
}

TEST(rate_filter_changes_the_action_for_a_time)
{
	with("rate_filter gen_id 1, sig_id 1, track by_src, count 2, seconds "
	     "60, new_action pass, timeout 100\n"
	     "suppress gen_id 1, sig_id 2\nsuppress gen_id 7, sig_id 1\n");
	CHECK_INT(quits(5), 2);
	k.now += 101 * KIT_SECOND;
	CHECK_INT(quits(5), 2);
	CHECK(engine_counters(k.e)->rated == 6);
	kit_fini(&k);
	with("rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds "
	     "60, new_action log, timeout 100\n"
	     "suppress gen_id 1, sig_id 2\nsuppress gen_id 7, sig_id 1\n");
	CHECK_INT(quits(2), 2);
	CHECK_INT(k.alerts[0].severity, SEV_HIGH);
	CHECK_INT(k.alerts[1].severity, SEV_INFO);
	kit_fini(&k);
}

TEST(severity_differs_by_network)
{
	with("severity gen_id 1, sig_id 0, track by_dst, ip 10.2.0.0/16, "
	     "new_severity info\n");
	CHECK_INT(quits(1), 3);
	for (unsigned i = 0; i < 3; i++)
		CHECK_INT(k.alerts[i].severity,
		    k.alerts[i].gid == 1 ? SEV_INFO : SEV_HIGH);
	k.who.server = v4(10, 3, 0, 1);
	CHECK_INT(quits(1), 3);
	CHECK_INT(k.alerts[0].severity, SEV_HIGH);
	kit_fini(&k);
}

TEST(mistakes_in_thresholds)
{
	static const struct {
		const char *line;
		unsigned column;
		const char *message;
	} rows[] = {
	    {"supress gen_id 1, sig_id 1", 1,
		"unknown line of thresholds 'supress': did you mean "
		"'suppress'?"},
	    {"suppress gen_id 1", 1,
		"gen_id and sig_id say which rule is "
		"meant"},
	    {"suppress gen_id 0, sig_id 1", 1,
		"gen_id 0 is every group, and goes with sig_id 0"},
	    {"suppress gen_id 1, sig_id 1, track by_src", 1,
		"track and ip go together"},
	    {"suppress gen_id 1, sig_id 1, track by_rule, ip any", 36,
		"track is by_src, by_dst or by_either here"},
	    {"suppress gen_id 1, sig_id 1, track by_src, ip 10.0.0", 47,
		"'10.0.0' is not an address: any, IPv4, IPv6, a/len, a-b, !a, "
		"[a,b] or $NAME is expected"},
	    {"suppress gen_id x, sig_id 1", 17,
		"this is a number from 0 to 4294967295"},
	    {"suppress gen_id 1, gen_id 1", 20, "this was said already"},
	    {"suppress gen_id 1, sig_id 1, count 1", 30,
		"suppress takes gen_id, sig_id, track and ip"},
	    {"threshold gen_id 1, sig_id 1, type limit, track by_src, count 1",
		1, "threshold lacks seconds"},
	    {"rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds "
	     "1, new_action drop, timeout 1",
		78,
		"new_action is pass, log or alert: Stripwire only listens "
		"and cannot drop or reject"},
	    {"severity gen_id 1, sig_id 1", 1, "severity lacks new_severity"},
	    {"severity gen_id 1, sig_id 1, new_severity bad", 43,
		"new_severity is info, low, medium, high or critical"},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct loaded l;

		begin();
		put("r", RULE "sid:1;)\n");
		put("t", rows[i].line);
		l = load("r", "t", NULL);
		if (l.set != NULL || l.r.n != 1)
			TEST_FAIL("%u mistakes in %s: %s", l.r.n, rows[i].line,
			    l.r.e[1].message);
		CHECK_STR(l.r.e[0].message, rows[i].message);
		if (l.r.e[0].column != rows[i].column)
			TEST_FAIL(
			    "column %u: %s", l.r.e[0].column, rows[i].line);
		ruleset_free(l.set);
		end();
	}
}

TEST_MAIN
