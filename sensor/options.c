/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options are looked through twice: here for -c only, silently, and then
 * by the command itself, which lays the others over what the file said.
 */
#include "sensor/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
on_error(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "%s\n", line);
}

/* The file that is asked for, or NULL. */
static const char *
named(int argc, char **argv, const char *shorts, const struct option *longs)
{
	const char *path = NULL;
	int c;

	opterr = 0;
	optind = 0; /* GNU: start over */
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		if (c == 'c')
			path = optarg;
	opterr = 1;
	optind = 0;
	return path;
}

const char *
options_config_path(
    int argc, char **argv, const char *shorts, const struct option *longs)
{
	const char *path = named(argc, argv, shorts, longs);

	if (path == NULL && access(CONFIG_PATH, F_OK) == 0)
		path = CONFIG_PATH;
	return path;
}

int
options_config(struct config *c, int argc, char **argv, const char *shorts,
    const struct option *longs)
{
	const char *path = options_config_path(argc, argv, shorts, longs);

	if (config_init(c) == -1) {
		fprintf(stderr, "stripwire %s: out of memory\n", argv[0]);
		return 2;
	}
	if (path == NULL)
		return 0;
	return config_load(c, path, false, on_error, NULL) == 0 ? 0 : 2;
}

void
options_text(char **field, const char *value)
{
	char *copy = strdup(value);

	if (copy == NULL) {
		fputs("stripwire: out of memory\n", stderr);
		exit(2);
	}
	free(*field);
	*field = copy;
}

static bool
try_folder(char *path, const char *folder, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s/%s", folder, name);

	return n > 0 && n < PATH_MAX && access(path, R_OK) == 0;
}

const char *
options_data_file(
    char *path, const char *name, const char *command, const char *option)
{
	char self[PATH_MAX];
	ssize_t n;
	char *slash;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash != NULL)
			*slash = '\0';
		if (try_folder(path, self, name))
			return path;
	}
	if (try_folder(path, STRIPWIRE_DATADIR, name) ||
	    try_folder(path, ".", name))
		return path;
	fprintf(stderr,
	    "stripwire %s: no %s beside the program, in " STRIPWIRE_DATADIR
	    " or here; name one with %s\n",
	    command, name, option);
	return NULL;
}
