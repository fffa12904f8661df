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
#include <time.h>
#include <unistd.h>

#include "sensor/text.h"

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

static int
bad_value(const char *command, const char *option, const char *value,
    const char *what)
{
	fprintf(
	    stderr, "stripwire %s: %s %s: %s\n", command, option, value, what);
	return -1;
}

int
options_since(const char *command, const char *value, int64_t *ns)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (text_parse_time(
		value, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, ns) == 0)
		return 0;
	return bad_value(command, "--since", value,
	    "is no time; 2026-11-22, '2026-11-22 10:03', 2h or 3d are");
}

int
options_number(
    const char *command, const char *option, const char *value, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(value, &end, 10);
	if (value[0] >= '0' && value[0] <= '9' && *end == '\0' && errno == 0 &&
	    *n != 0)
		return 0;
	return bad_value(command, option, value, "is no number above 0");
}

static int
word_bit(const char *const *words, const char *word, size_t n)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strlen(words[i]) == n && n > 0 &&
		    strncmp(words[i], word, n) == 0)
			return i;
	return -1;
}

static const struct config_key *
key_named(const char *name)
{
	unsigned i = 0;

	while (strcmp(config_keys[i].name, name) != 0)
		i++;
	return &config_keys[i];
}

int
options_words(const char *command, const char *option, const char *value,
    const char *key, unsigned *bits)
{
	const struct config_key *k = key_named(key);
	char what[200];

	*bits = 0;
	for (const char *w = value; *w != '\0';) {
		size_t n = strcspn(w, ",");
		int bit = word_bit(k->words, w, n);

		if (bit == -1) {
			(void)snprintf(what, sizeof(what),
			    "must be a %s, with "
			    "commas between",
			    k->range);
			return bad_value(command, option, value, what);
		}
		*bits |= 1u << bit;
		w += n + (w[n] == ',');
	}
	return 0;
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
