/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Only the keys that have a meaning for the type of a feed are shown.
 */
#include "sensor/config_print.h"

#include <stdio.h>
#include <string.h>

#define VALUE_MAX 64

static bool
has_meaning(const struct config_feed *f, const struct config_feed_key *k)
{
	return (k->kinds & 1u << f->type) != 0;
}

/* "name=value" of librdkafka; the name goes to name. Returns the value. */
static const char *
take_apart(const char *option, char *name, size_t cap)
{
	size_t len = strcspn(option, "=");

	(void)snprintf(name, cap, "%.*s", (int)len, option);
	return option + len + 1;
}

static void
print_options(const struct config_feed *f)
{
	char name[80];

	if (f->noptions == 0)
		return;
	puts("    options:");
	for (unsigned i = 0; i < f->noptions; i++) {
		const char *value =
		    take_apart(f->option[i], name, sizeof(name));

		if (config_option_is_secret(name)) {
			printf("      # %s: set, not shown\n", name);
			continue;
		}
		printf("      %s: ", name);
		config_print_text(value);
		putchar('\n');
	}
}

static void
print_words(const struct config_feed *f, const struct config_key *k)
{
	const char *word;

	printf("    %s: [", k->name);
	for (unsigned i = 0;
	     (word = config_feed_value(f, k, i, NULL, 0)) != NULL; i++)
		printf("%s%s", i > 0 ? ", " : "", word);
	puts("]");
}

static void
print_key(const struct config_feed *f, const struct config_key *k)
{
	char buf[VALUE_MAX];
	const char *value;

	if (k->type == CONFIG_OPTIONS) {
		print_options(f);
		return;
	}
	if (k->type == CONFIG_WORDS) {
		print_words(f, k);
		return;
	}
	value = config_feed_value(f, k, 0, buf, sizeof(buf));
	if (value[0] == '\0' || k->type == CONFIG_SECRET) {
		printf("    # %s: %s\n", k->name,
		    value[0] == '\0' ? "not set" : "set, not shown");
		return;
	}
	printf("    %s: ", k->name);
	config_print_text(value);
	putchar('\n');
}

void
config_feeds_print(const struct config *c)
{
	puts("feeds:");
	for (unsigned i = 0; i < c->nfeeds; i++) {
		printf("  ");
		config_print_text(c->feed[i]->name);
		puts(":");
		for (unsigned k = 0; k < config_feed_key_count; k++)
			if (has_meaning(c->feed[i], &config_feed_keys[k]))
				print_key(c->feed[i], &config_feed_keys[k].key);
	}
}

static json_t *
options_json(const struct config_feed *f)
{
	json_t *o = json_object();
	char name[80];

	for (unsigned i = 0; i < f->noptions; i++) {
		const char *value =
		    take_apart(f->option[i], name, sizeof(name));

		json_object_set_new(o, name,
		    json_string(config_option_is_secret(name)
				    ? "(set, not shown)"
				    : value));
	}
	return o;
}

static json_t *
value_json(const struct config_feed *f, const struct config_key *k)
{
	const void *field = (const char *)f + k->at;
	char buf[VALUE_MAX];
	const char *s;
	json_t *list;

	if (k->type == CONFIG_NUMBER || k->type == CONFIG_BYTES)
		return json_integer((json_int_t) * (const uint64_t *)field);
	if (k->type == CONFIG_OPTIONS)
		return options_json(f);
	if (k->type != CONFIG_WORDS) {
		s = config_feed_value(f, k, 0, buf, sizeof(buf));
		return s[0] != '\0' ? json_string(s) : json_null();
	}
	list = json_array();
	for (unsigned i = 0; (s = config_feed_value(f, k, i, NULL, 0)) != NULL;
	     i++)
		json_array_append_new(list, json_string(s));
	return list;
}

json_t *
config_feeds_json(const struct config *c)
{
	json_t *all = json_object();

	for (unsigned i = 0; i < c->nfeeds; i++) {
		json_t *o = json_object();

		for (unsigned k = 0; k < config_feed_key_count; k++)
			if (has_meaning(c->feed[i], &config_feed_keys[k]))
				json_object_set_new(o,
				    config_feed_keys[k].key.name,
				    value_json(
					c->feed[i], &config_feed_keys[k].key));
		json_object_set_new(all, c->feed[i]->name, o);
	}
	return all;
}

/* Of which types a key is, for the sample. */
static void
kinds_text(char *buf, size_t cap, const struct config_feed_key *k)
{
	const char *const *name = config_feed_keys[0].key.words;
	size_t used = 0;

	buf[0] = '\0';
	if (k->kinds == (1u << TRANSPORT_COUNT) - 1)
		return;
	for (unsigned i = 0; i < TRANSPORT_COUNT && used < cap; i++)
		if ((k->kinds & 1u << i) != 0)
			used += (size_t)snprintf(buf + used, cap - used, "%s%s",
			    used == 0 ? " (type " : ", ", name[i]);
	if (used < cap)
		(void)snprintf(buf + used, cap - used, ")");
}

void
config_feeds_sample(void)
{
	char kinds[80], text[300];

	puts("feeds:\n"
	     "#  siem:");
	for (unsigned i = 0; i < config_feed_key_count; i++) {
		const struct config_feed_key *k = &config_feed_keys[i];

		kinds_text(kinds, sizeof(kinds), k);
		(void)snprintf(
		    text, sizeof(text), "Value: %s%s", k->key.range, kinds);
		puts("");
		config_print_comment("    ", k->key.help);
		config_print_comment("    ", text);
		printf("#    %s:%s%s\n", k->key.name,
		    k->key.initial[0] != '\0' ? " " : "", k->key.initial);
	}
}
