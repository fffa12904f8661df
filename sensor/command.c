/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the command of a table, or says which one may have been meant.
 */
#include "sensor/command.h"

#include <string.h>

#include "rules/rule_words.h"

static void
usage(const struct command_group *g, FILE *out)
{
	int width = 8;

	for (const struct command *c = g->commands; c->name != NULL; c++)
		if ((int)strlen(c->name) > width)
			width = (int)strlen(c->name);
	fprintf(
	    out, "%s\n\nusage: %s COMMAND [options]\n\n", g->about, g->name);
	for (const struct command *c = g->commands; c->name != NULL; c++)
		fprintf(out, "  %-*s %s\n", width, c->name, c->what);
	fprintf(out, "\n  %s COMMAND --help   options of a command\n%s",
	    g->name, g->more != NULL ? g->more : "");
}

static int
unknown(const struct command_group *g, const char *name)
{
	struct lex_word w = {name, strlen(name), 0};
	struct nearest near;

	nearest_init(&near, w);
	for (const struct command *c = g->commands; c->name != NULL; c++)
		nearest_try(&near, c->name);
	fprintf(stderr, "%s: there is no command '%s'", g->name, name);
	if (near.name != NULL)
		fprintf(stderr, "; did you mean '%s'?\n", near.name);
	else
		fprintf(stderr, "; %s --help lists them\n", g->name);
	return 2;
}

int
command_run(const struct command_group *g, int argc, char **argv)
{
	if (argc < 2) {
		usage(g, stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		usage(g, stdout);
		return 0;
	}
	for (const struct command *c = g->commands; c->name != NULL; c++)
		if (strcmp(argv[1], c->name) == 0)
			return c->run(argc - 1, argv + 1);
	return unknown(g, argv[1]);
}
