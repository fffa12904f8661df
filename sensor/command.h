/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands by name: `stripwire read`, and those that are a word themselves,
 * `stripwire config check`. A table is all that a new command needs: its row
 * gives the name, the function and the line of the help.
 */
#ifndef STRIPWIRE_COMMAND_H
#define STRIPWIRE_COMMAND_H

#include <stddef.h>
#include <stdio.h>

struct command {
	const char *name; /* NULL ends the table */
	/* argv[0] is the command's name; returns the exit status */
	int (*run)(int argc, char **argv);
	const char *what; /* one line for the help */
};

struct command_group {
	const char *name; /* as typed: "stripwire", "stripwire config" */
	const char *about; /* stands above the list */
	const struct command *commands;
	const char *more; /* stands below it; NULL: nothing */
};

/* Runs the command that argv[1] names with the words from there on. Answers
 * --help, -h and help itself (0); no word or an unknown one gets a sentence,
 * with the name that is near, and 2. */
int command_run(const struct command_group *g, int argc, char **argv);

#endif
