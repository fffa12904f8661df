/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the commands' options have in common: the configuration file behind
 * them. Options win over the file, whatever their order.
 */
#ifndef STRIPWIRE_OPTIONS_H
#define STRIPWIRE_OPTIONS_H

#include <getopt.h>

#include "sensor/config.h"

#define OPTION_CONFIG                                  \
	{                                              \
		"config", required_argument, NULL, 'c' \
	}

#ifndef STRIPWIRE_DATADIR
#define STRIPWIRE_DATADIR "/usr/local/share/stripwire"
#endif

/* A file that is shipped: beside the program, in the install prefix, or in the
 * working folder. Returns path, or NULL having said so: command and the option
 * (or "a file") that names one. path has PATH_MAX bytes. */
const char *options_data_file(
    char *path, const char *name, const char *command, const char *option);

/* Before the options are read: fills c from the file that -c or --config
 * names among argv, or else from CONFIG_PATH if that is there. shorts and longs
 * are the command's own and hold 'c'. Returns 0; or 2, the exit status, with
 * the mistakes told on standard error. config_fini(c) either way. */
int options_config(struct config *c, int argc, char **argv, const char *shorts,
    const struct option *longs) __attribute__((warn_unused_result));

/* The file that -c names, or the usual one if it is there, or NULL. */
const char *options_config_path(
    int argc, char **argv, const char *shorts, const struct option *longs);

/* Values of options that commands share. -1: said on standard error as
 * "stripwire COMMAND: OPTION VALUE: what is wrong". */
/* A time as text_parse_time() reads it. */
int options_since(const char *command, const char *value, int64_t *ns)
    __attribute__((warn_unused_result));
/* A number above 0. */
int options_number(const char *command, const char *option, const char *value,
    uint64_t *n) __attribute__((warn_unused_result));

/* Replaces a text of the configuration by the one of an option; exits if there
 * is no memory. */
void options_text(char **field, const char *value);

/* Words with commas between, any of those of a key of the configuration, as
 * bits. -1: told. */
int options_words(const char *command, const char *option, const char *value,
    const char *key, unsigned *bits);

#endif
