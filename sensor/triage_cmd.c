/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words to a triage. Closing something as no attack is where an operator wants
 * to hear how to be spared the next one: what fits is said then.
 */
#include "sensor/triage_cmd.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "decoders/utf8.h"
#include "sensor/options.h"
#include "sensor/suppression.h"

#define IDS_MAX 1000
#define ERR_MAX 512

struct triage_options {
	struct config config;
	const char *noun, *db;
	struct triage t;
	char author[TRIAGE_AUTHOR_MAX], text[TRIAGE_TEXT_MAX + 1];
	unsigned n;
	int64_t ids[IDS_MAX];
};

static const char short_options[] = "c:d:m:h";
static const struct option options[] = {OPTION_CONFIG,
    {"db", required_argument, NULL, 'd'}, {"as", required_argument, NULL, 'a'},
    {"message", required_argument, NULL, 'm'}, {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

bool
triage_is_verb(int argc, char **argv)
{
	return argc > 1 && triage_verb_by_name(argv[1]) != -1;
}

static int
bad(const struct triage_options *o, const char *what, const char *word)
{
	fprintf(stderr, "stripwire %s %s: %s%s\n", o->noun,
	    triage_verb_name(o->t.verb), what, word);
	fprintf(stderr, "stripwire %s --help shows how\n", o->noun);
	return 2;
}

static const char *
reason(const char *word)
{
	for (unsigned i = 0; triage_reasons[i] != NULL; i++)
		if (strcmp(triage_reasons[i], word) == 0)
			return triage_reasons[i];
	return NULL;
}

/* 0: go on; else the exit status plus 1. */
static int
parse_options(struct triage_options *o, int argc, char **argv)
{
	int c;

	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		if (c == 'd')
			o->db = optarg;
		else if (c == 'm' && strlen(optarg) > TRIAGE_TEXT_MAX)
			return 1 + bad(o, "a text has at most 2000 bytes", "");
		else if (c == 'm')
			(void)utf8_copy(o->text, sizeof(o->text), optarg);
		else if (c == 'a' && (o->t.closed_as = reason(optarg)) == NULL)
			return 1 + bad(o,
				       "--as is attack, not-an-attack or "
				       "resolved, not ",
				       optarg);
		else if (c == 'h')
			return fputs("usage: stripwire alerts|incidents "
				     "ack|close|reopen|comment ID... "
				     "[--as REASON] [-m TEXT]\n",
				   stdout),
			       1;
		else if (c == '?')
			return 1 + bad(o, "an option is wrong", "");
	}
	return 0;
}

/* "17" or "#17" */
static int
add_id(struct triage_options *o, const char *word)
{
	char *end;
	int64_t id;

	errno = 0;
	id = strtoll(word + (*word == '#'), &end, 10);
	if (errno != 0 || *end != '\0' || id <= 0)
		return -1;
	if (o->n < IDS_MAX)
		o->ids[o->n++] = id;
	return 0;
}

static int
parse_ids(struct triage_options *o, int argc, char **argv)
{
	if (optind == argc)
		return bad(o, "which one? give its ID", "");
	if (argc - optind > IDS_MAX)
		return bad(o, "at most 1000 at a time", "");
	for (int i = optind; i < argc; i++)
		if (add_id(o, argv[i]) == -1)
			return bad(o, "this is no ID: ", argv[i]);
	return 0;
}

static int
check(struct triage_options *o)
{
	if (o->t.verb == TRIAGE_CLOSE && o->t.closed_as == NULL)
		return bad(o,
		    "say what it was: --as attack, --as not-an-attack or --as "
		    "resolved",
		    "");
	if (o->t.verb != TRIAGE_CLOSE && o->t.closed_as != NULL)
		return bad(o, "--as belongs to close", "");
	if (o->t.verb == TRIAGE_COMMENT && o->text[0] == '\0')
		return bad(o, "say something: -m TEXT", "");
	return 0;
}

/* Who does it: the one who logged in, also behind sudo. */
static void
find_author(struct triage_options *o)
{
	const char *name = getenv("SUDO_USER");
	const struct passwd *pw = NULL;

	if (name == NULL || name[0] == '\0')
		pw = getpwuid(getuid());
	if (pw != NULL)
		name = pw->pw_name;
	(void)utf8_copy(
	    o->author, sizeof(o->author), name != NULL ? name : "unknown");
}

static int
act(struct triage_options *o)
{
	char err[ERR_MAX] = "";
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	o->t.now = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	o->t.author = o->author;
	o->t.text = o->text;
	if (triage_write(o->db, &o->t, o->ids, o->n, err, sizeof(err)) == -1) {
		fprintf(stderr, "stripwire %s: %s\n", o->noun, err);
		return 1;
	}
	if (o->t.closed_as == NULL ||
	    strcmp(o->t.closed_as, "not-an-attack") != 0)
		return 0;
	if (suppression_offer(
		stdout, o->db, o->t.kind, o->ids, o->n, err, sizeof(err)) == -1)
		fprintf(stderr, "stripwire %s: %s\n", o->noun, err);
	return 0;
}

static int
run(struct triage_options *o, int argc, char **argv)
{
	int status = parse_options(o, argc, argv);

	if (status != 0)
		return status - 1;
	if ((status = parse_ids(o, argc, argv)) != 0 ||
	    (status = check(o)) != 0)
		return status;
	find_author(o);
	return act(o);
}

int
triage_cmd(enum triage_kind kind, int argc, char **argv)
{
	struct triage_options o = {
	    .noun = kind == TRIAGE_ALERT ? "alerts" : "incidents"};
	int status;

	o.t.kind = kind;
	o.t.verb = (enum triage_verb)triage_verb_by_name(argv[1]);
	status = options_config(
	    &o.config, argc - 1, argv + 1, short_options, options);
	o.db = o.config.database;
	if (status == 0)
		status = run(&o, argc - 1, argv + 1);
	config_fini(&o.config);
	return status;
}
