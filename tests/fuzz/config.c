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

/* What a feed holds is in its range, and a secret is not shown. */
static void
check_feed(const struct config_feed *f)
{
	char buf[64];

	for (unsigned i = 0; i < config_feed_key_count; i++) {
		const struct config_key *k = &config_feed_keys[i].key;
		const uint64_t *n =
		    (const uint64_t *)(const void *)((const char *)f + k->at);
		const char *value =
		    config_feed_value(f, k, 0, buf, sizeof(buf));

		if ((k->type == CONFIG_NUMBER || k->type == CONFIG_BYTES) &&
		    (*n < k->min || *n > k->max))
			abort();
		if (k->type == CONFIG_SECRET && value[0] != '\0' &&
		    strcmp(value, "(set, not shown)") != 0)
			abort();
		if (config_feed_keys[i].needed &&
		    (config_feed_keys[i].kinds & 1u << f->type) != 0 &&
		    (value == NULL || value[0] == '\0'))
			abort();
		for (unsigned e = 0;; e++)
			if (config_feed_value(f, k, e, buf, sizeof(buf)) ==
			    NULL)
				break;
	}
	if (f->events == 0 || f->name[0] == '\0' ||
	    ((f->host != NULL) != (f->address[0] != '\0')))
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
	if (c->nfeeds > CONFIG_FEEDS_MAX || !config_feeds_are_same(c, c))
		abort();
	for (unsigned i = 0; i < c->nfeeds; i++)
		check_feed(c->feed[i]);
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
