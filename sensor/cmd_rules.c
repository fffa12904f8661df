/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules seen from outside: what is wrong with them, which there are, and what
 * one of them means.
 */
#include "sensor/cmd_rules.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "rules/multi.h"
#include "sensor/command.h"
#include "sensor/rules_private.h"
#include "sensor/text.h"

static const char check_help[] =
    "usage: stripwire rules check [options] [FILE|FOLDER]...\n\n"
    "Says what is wrong with rules, all mistakes at once with place and\n"
    "line, and which rules are left out, since they are not about mail,\n"
    "change traffic, or want nobody while a variable is not set.\n"
    "Without a name: the rules that `stripwire read` would take.\n\n"
    "  -c, --config FILE     configuration, for variables and paths\n"
    "      --thresholds FILE, --classification FILE\n"
    "                        checked with them\n"
    "      --json            for programs\n"
    "  -q, --quiet           mistakes only\n"
    "  -h, --help            this text\n\n"
    "exit status: 0 they load; 2 they do not, or wrong usage\n";

static const char list_help[] =
    "usage: stripwire rules list [options] [FILE|FOLDER]\n\n"
    "Lists rules: number, severity, what it selects or looks at, message.\n"
    "Options as of stripwire rules check.\n";

static const char explain_help[] =
    "usage: stripwire rules explain [options] SID [FILE|FOLDER]\n\n"
    "Says in sentences what a rule asks for and what it does.\n"
    "SID may be GID:SID. Options as of stripwire rules check.\n";

enum { OPT_THRESHOLDS = 256, OPT_CLASSIFICATION, OPT_JSON };

static const char short_options[] = "c:qh";
static const struct option options[] = {
    OPTION_CONFIG,
    {"thresholds", required_argument, NULL, OPT_THRESHOLDS},
    {"classification", required_argument, NULL, OPT_CLASSIFICATION},
    {"json", no_argument, NULL, OPT_JSON},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* ---- options ---- */

static int
one_option(struct rules_options *o, int c, const char *help)
{
	switch (c) {
	case 'c':
		return -1; /* read already */
	case OPT_THRESHOLDS:
		options_text(&o->config.thresholds, optarg);
		return -1;
	case OPT_CLASSIFICATION:
		options_text(&o->config.classification, optarg);
		return -1;
	case OPT_JSON:
		o->json = true;
		return -1;
	case 'q':
		o->quiet = true;
		return -1;
	case 'h':
		fputs(help, stdout);
		return 0;
	default:
		fputs("stripwire rules --help lists the commands\n", stderr);
		return 2;
	}
}

int
rules_options(struct rules_options *o, int argc, char **argv, const char *help)
{
	int c, status = options_config(
		   &o->config, argc, argv, short_options, options);

	if (status != 0)
		return status;
	optind = 1;
	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		status = one_option(o, c, help);
		if (status != -1)
			return status;
	}
	return -1;
}

void
rules_options_fini(struct rules_options *o)
{
	config_fini(&o->config);
}

/* ---- loading ---- */

struct telling {
	const struct rules_options *o;
	json_t *mistakes, *skipped; /* for --json, else NULL */
	unsigned n;
};

static json_t *
mistake_json(const struct rule_error *e)
{
	return json_pack("{s:s, s:i, s:i, s:s}", "file", e->file, "line",
	    (int)e->line, "column", (int)e->column, "message", e->message);
}

static void
on_error(void *ctx, const struct rule_error *e)
{
	struct telling *t = ctx;
	bool skipped = e->level == RULE_SKIPPED;
	char buf[700];

	t->n += !skipped;
	if (t->mistakes != NULL)
		(void)json_array_append_new(
		    skipped ? t->skipped : t->mistakes, mistake_json(e));
	else if (!skipped || !t->o->quiet)
		fputs(rule_error_format(buf, sizeof(buf), e), stderr);
}

static const char *
or_null(const char *s)
{
	return s != NULL && s[0] != '\0' ? s : NULL;
}

const char *
rules_path(struct rules_options *o, const char *path)
{
	if (path == NULL)
		path = or_null(o->config.rules);
	if (path == NULL)
		path = options_data_file(
		    o->found, "sensor.rules", "rules", "a file");
	return path;
}

static struct ruleset *
load(struct rules_options *o, const char *path, struct telling *t, char *err,
    size_t errlen)
{
	struct rule_sources s = {.path = path,
	    .thresholds = or_null(o->config.thresholds),
	    .classification = or_null(o->config.classification),
	    .vars = o->config.vars,
	    .on_error = on_error,
	    .ctx = t};
	int sys = 0;

	err[0] = '\0';
	return ruleset_load(&s, &sys, err, errlen);
}

struct ruleset *
rules_open(struct rules_options *o, const char *path)
{
	struct telling t = {.o = o};
	struct ruleset *set;
	char err[600];

	path = rules_path(o, path);
	if (path == NULL)
		return NULL;
	set = load(o, path, &t, err, sizeof(err));
	if (set != NULL)
		return set;
	if (err[0] != '\0')
		fprintf(stderr, "stripwire rules: %s\n", err);
	else
		fprintf(stderr, "%s: %u mistake%s\n", path, t.n,
		    t.n == 1 ? "" : "s");
	return NULL;
}

/* ---- check ---- */

static void
print_checked(const struct telling *t, const char *path,
    const struct ruleset *set, const char *err)
{
	if (err[0] != '\0')
		fprintf(stderr, "stripwire rules: %s\n", err);
	else if (set == NULL)
		fprintf(stderr, "%s: %u mistake%s\n", path, t->n,
		    t->n == 1 ? "" : "s");
	else if (!t->o->quiet)
		printf("%s: %u rule%s, %u skipped (patterns: %s)\n", path,
		    ruleset_count(set), ruleset_count(set) == 1 ? "" : "s",
		    ruleset_skipped(set), multi_engine());
}

static void
print_checked_json(const struct telling *t, const char *path,
    const struct ruleset *set, const char *err)
{
	json_t *o = json_pack("{s:s, s:b, s:i, s:O, s:O}", "rules", path, "ok",
	    set != NULL, "count", set != NULL ? (int)ruleset_count(set) : 0,
	    "mistakes", t->mistakes, "skipped", t->skipped);

	if (err[0] != '\0')
		(void)json_object_set_new(o, "error", json_string(err));
	(void)json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

static int
check_one(struct rules_options *o, const char *path)
{
	struct telling t = {.o = o};
	struct ruleset *set;
	char err[600];

	path = rules_path(o, path);
	if (path == NULL)
		return 2;
	if (o->json) {
		t.mistakes = json_array();
		t.skipped = json_array();
	}
	set = load(o, path, &t, err, sizeof(err));
	if (o->json)
		print_checked_json(&t, path, set, err);
	else
		print_checked(&t, path, set, err);
	json_decref(t.mistakes);
	json_decref(t.skipped);
	ruleset_free(set);
	return set != NULL ? 0 : 2;
}

static int
check(int argc, char **argv)
{
	struct rules_options o = {.json = false};
	int status = rules_options(&o, argc, argv, check_help), worst = 0;

	if (status == -1 && optind == argc)
		worst = check_one(&o, NULL);
	for (int i = optind; status == -1 && i < argc; i++)
		if (check_one(&o, argv[i]) != 0)
			worst = 2;
	rules_options_fini(&o);
	return status == -1 ? worst : status;
}

/* ---- list ---- */

static void
add_names(json_t *o, const char *key, const struct ruleset *set, unsigned i,
    const char *(*name)(const struct ruleset *, unsigned, unsigned))
{
	json_t *list = json_array();
	const char *s;

	for (unsigned n = 0; (s = name(set, i, n)) != NULL; n++)
		(void)json_array_append_new(list, json_string(s));
	if (json_array_size(list) > 0)
		(void)json_object_set_new(o, key, list);
	else
		json_decref(list);
}

static void
print_rule_json(const struct ruleset *set, unsigned i)
{
	struct rule_view v;
	json_t *o;

	ruleset_view(set, i, &v);
	o = json_pack("{s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:i}",
	    "sid", (json_int_t)v.sid, "gid", (json_int_t)v.gid, "rev",
	    (json_int_t)v.rev, "action", v.action, "protocol", v.proto,
	    "severity", severity_name(v.severity), "msg", v.msg, "classtype",
	    v.classtype, "noalert", v.noalert, "file", v.file, "line",
	    (int)v.line);
	add_names(o, "findings", set, i, ruleset_finding);
	add_names(o, "buffers", set, i, ruleset_buffer);
	(void)json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

static void
print_rule(const struct ruleset *set, unsigned i)
{
	struct rule_view v;
	const char *what;

	ruleset_view(set, i, &v);
	what = v.by_content ? ruleset_buffer(set, i, 0)
			    : ruleset_finding(set, i, 0);
	if (v.gid != 1)
		printf("%u:", v.gid);
	printf("%-9u %-8s %-7s %-11s %-34s %s\n", v.sid,
	    strcmp(v.action, "alert") == 0 ? severity_name(v.severity)
					   : v.action,
	    v.proto, v.noalert ? "noalert" : "",
	    what != NULL ? what : "any finding", v.msg);
}

static int
list(int argc, char **argv)
{
	struct rules_options o = {.quiet = true};
	int status = rules_options(&o, argc, argv, list_help);
	struct ruleset *set = NULL;

	if (status == -1)
		set = rules_open(&o, optind < argc ? argv[optind] : NULL);
	for (unsigned i = 0; set != NULL && i < ruleset_count(set); i++)
		if (o.json)
			print_rule_json(set, i);
		else
			print_rule(set, i);
	if (set != NULL && !o.json)
		printf("%u rule%s, %u skipped\n", ruleset_count(set),
		    ruleset_count(set) == 1 ? "" : "s", ruleset_skipped(set));
	rules_options_fini(&o);
	if (status == -1)
		status = set != NULL ? 0 : 2;
	ruleset_free(set);
	return status;
}

/* ---- explain ---- */

static void
print_lines(const char *text)
{
	const char *last = "";

	while (*text != '\0') {
		size_t word = strcspn(text, "\t"), n = strcspn(text, "\n");
		bool same = strncmp(last, text, word + 1) == 0;

		printf("  %-11.*s %.*s\n", same ? 0 : (int)word, text,
		    (int)(n - word - 1), text + word + 1);
		last = text;
		text += n + 1;
	}
}

static void
print_finding(const struct ruleset *set, unsigned i)
{
	const char *name;
	const struct finding_info *info;

	for (unsigned n = 0; (name = ruleset_finding(set, i, n)) != NULL; n++) {
		info = finding_info(finding_by_name(name));
		printf("\n%s: %s\n  where       %s\n  next        %s\n", name,
		    info->title, info->where, info->advice);
	}
}

static void
print_references(const char *list)
{
	while (*list != '\0') {
		size_t n = strcspn(list, "\n");

		printf("  reference   %.*s\n", (int)n, list);
		list += n + (list[n] == '\n');
	}
}

static int
explain_rule(const struct ruleset *set, unsigned i)
{
	struct rule_view v;
	char *text = ruleset_explain(set, i);

	if (text == NULL) {
		fputs("stripwire rules: out of memory\n", stderr);
		return 2;
	}
	ruleset_view(set, i, &v);
	printf("%u:%u rev %u  %s\n  stands in   %s, line %u\n", v.gid, v.sid,
	    v.rev, v.msg[0] != '\0' ? v.msg : "(the finding's own title)",
	    v.file, v.line);
	print_lines(text);
	print_references(v.reference);
	printf("\n%s\n", v.source);
	print_finding(set, i);
	free(text);
	return 0;
}

/* "SID" or "GID:SID". */
static bool
parse_id(const char *s, uint32_t *gid, uint32_t *sid)
{
	unsigned long a, b = 0;
	char *end;

	errno = 0;
	a = strtoul(s, &end, 10);
	*gid = 0;
	if (*end == ':' && isdigit((unsigned char)end[1])) {
		*gid = (uint32_t)a;
		b = strtoul(end + 1, &end, 10);
		a = b;
	}
	*sid = (uint32_t)a;
	return isdigit((unsigned char)s[0]) && *end == '\0' && errno == 0 &&
	       a <= UINT32_MAX;
}

static int
explain_words(struct rules_options *o, int argc, char **argv)
{
	uint32_t gid, sid;
	struct ruleset *set;
	int i, status = 2;

	if (optind == argc || !parse_id(argv[optind], &gid, &sid)) {
		fputs("stripwire rules explain: which rule? Give its sid "
		      "(stripwire rules list)\n",
		    stderr);
		return 2;
	}
	set = rules_open(o, optind + 1 < argc ? argv[optind + 1] : NULL);
	if (set == NULL)
		return 2;
	i = ruleset_find(set, gid, sid);
	if (i == -1)
		fprintf(stderr,
		    "stripwire rules explain: there is no rule %s "
		    "(stripwire rules list)\n",
		    argv[optind]);
	else if (o->json)
		print_rule_json(set, (unsigned)i);
	if (i != -1)
		status = o->json ? 0 : explain_rule(set, (unsigned)i);
	ruleset_free(set);
	return status;
}

static int
explain(int argc, char **argv)
{
	struct rules_options o = {.quiet = true};
	int status = rules_options(&o, argc, argv, explain_help);

	if (status == -1)
		status = explain_words(&o, argc, argv);
	rules_options_fini(&o);
	return status;
}

/* ---- the command ---- */

int
cmd_rules(int argc, char **argv)
{
	static const struct command commands[] = {
	    {"check", check, "all mistakes at once, with place and line"},
	    {"list", list, "which rules there are"},
	    {"explain", explain, "what one of them means, in sentences"},
	    {"test", rules_test, "which fire on captures, and what each cost"},
	    {"profile", rules_profile, "time per rule on captures"},
	    {NULL, NULL, NULL},
	};
	static const struct command_group group = {
	    .name = "stripwire rules",
	    .about = "rules: which findings become alerts, and what else is "
		     "looked for",
	    .commands = commands,
	    .more = NULL,
	};

	return command_run(&group, argc, argv);
}
