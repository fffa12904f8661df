/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the commands of `stripwire rules` share.
 */
#ifndef STRIPWIRE_RULES_PRIVATE_H
#define STRIPWIRE_RULES_PRIVATE_H

#include <limits.h>

#include "rules/rule_view.h"
#include "sensor/options.h"

struct rules_options {
	struct config config; /* file and options */
	char found[PATH_MAX];
	bool json, quiet, stop;
	int status; /* with stop */
};

/* Reads the options all of them have, and -h with that help; -1 to go on, or
 * the exit status. optind stands at the words. */
int rules_options(
    struct rules_options *o, int argc, char **argv, const char *help);
void rules_options_fini(struct rules_options *o);

/* The rules of path, or of the configuration, or those shipped if path is
 * NULL. Mistakes are told on standard error, rules that are skipped as well
 * unless quiet. NULL: it was told why. */
struct ruleset *rules_open(struct rules_options *o, const char *path);
/* Where they are read from; NULL: told. */
const char *rules_path(struct rules_options *o, const char *path);

int rules_test(int argc, char **argv);
int rules_profile(int argc, char **argv);

#endif
