/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feedformat FORMAT [header]: EVE lines in, the same events in that format
 * out, one a line; "-" for what is refused. For tests/feeds.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/feed_format.h"

static int
format_by_name(const char *name)
{
	for (int f = 0; f < FORMAT_COUNT; f++)
		if (strcmp(name, feed_format_name((enum feed_format)f)) == 0)
			return f;
	return -1;
}

int
main(int argc, char **argv)
{
	static char out[FEED_MESSAGE_MAX];
	struct feed_identity me = {"sensor1", 4711, 16, false};
	int f = argc < 2 ? -1 : format_by_name(argv[1]);
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	if (f == -1) {
		fprintf(stderr, "usage: feedformat FORMAT [header]\n");
		return 2;
	}
	me.header = argc > 2 && strcmp(argv[2], "header") == 0;
	while ((len = getline(&line, &cap, stdin)) > 0) {
		struct event e = {.eve = line, .len = (size_t)len};

		if (feed_format(
			out, sizeof(out), (enum feed_format)f, &e, &me) == 0)
			strcpy(out, "-");
		puts(out);
	}
	free(line);
	return 0;
}
