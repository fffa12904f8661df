/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration from any text: each mistake has a line of its own with a
 * place inside the text, and what is taken holds what the table allows.
 */
#include "sensor/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned told, lines;
};

static void
on_error(void *ctx, const char *line)
{
	struct seen *s = ctx;
	unsigned at = 0, column = 0;

	s->told++;
	if (sscanf(line, "fuzz:%u:%u: ", &at, &column) != 2 || at == 0 ||
	    at > s->lines + 1 || column == 0)
		abort();
	for (const char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			abort();
}

static void
check(const struct config *c)
{
	char buf[64];

	for (unsigned i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];
		const uint64_t *n =
		    (const uint64_t *)(const void *)((const char *)c + k->at);

		if ((k->type == CONFIG_NUMBER || k->type == CONFIG_BYTES) &&
		    (*n < k->min || *n > k->max))
			abort();
		for (unsigned e = 0;; e++)
			if (config_value(c, k, e, buf, sizeof(buf)) == NULL)
				break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {data, size};
	struct seen s = {0, 1};
	struct config c;
	unsigned mistakes;

	/* libyaml ends lines at CR, LF, NEL, LS and PS */
	for (size_t i = 0; i < size; i++)
		s.lines += data[i] == '\n' || data[i] == '\r' ||
			   data[i] == 0x85 || data[i] == 0xa8 ||
			   data[i] == 0xa9;
	if (config_init(&c) == -1)
		abort();
	mistakes = config_parse(&c, "fuzz", text, false, on_error, &s);
	if ((mistakes == 0) != (s.told == 0))
		abort();
	if (mistakes == 0)
		check(&c);
	config_fini(&c);
	return 0;
}
