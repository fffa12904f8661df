/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a tree of words to the configuration: finds each key in the table and
 * hands its value to config_set.c. A key within a map has the name of the map
 * before its own: limits.flows.
 */
#include "sensor/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/rule_vars.h"
#include "sensor/config_private.h"

#define KEY_MAX 64 /* bytes of a key's name */
#define MISTAKE_MAX 512 /* bytes of a line about a mistake */

bool
config_is_list(const struct config_key *k)
{
	return k->type == CONFIG_INPUTS || k->type == CONFIG_RESETTERS ||
	       k->type == CONFIG_WORDS || k->type == CONFIG_VARIABLES ||
	       k->type == CONFIG_FEEDS || k->type == CONFIG_OPTIONS;
}

void
config_mistake_at(struct config_reader *r, unsigned line, unsigned column,
    const char *fmt, ...)
{
	char out[2 * MISTAKE_MAX], what[MISTAKE_MAX];
	va_list ap;

	if (++r->mistakes > CONFIG_MISTAKES_MAX + 1)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (r->mistakes > CONFIG_MISTAKES_MAX)
		(void)snprintf(what, sizeof(what),
		    "more than %u mistakes: the rest is not told",
		    CONFIG_MISTAKES_MAX);
	(void)snprintf(
	    out, sizeof(out), "%.256s:%u:%u: %s", r->file, line, column, what);
	if (r->error != NULL)
		r->error(r->ctx, out);
}

/* ---- keys ---- */

static const struct config_key *
find_key(const char *name)
{
	for (unsigned i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].name, name) == 0)
			return &config_keys[i];
	return NULL;
}

/* Is there a key "name.something"? */
static bool
is_section(const char *name)
{
	size_t len = strlen(name);

	for (unsigned i = 0; i < config_key_count; i++)
		if (strncmp(config_keys[i].name, name, len) == 0 &&
		    config_keys[i].name[len] == '.')
			return true;
	return false;
}

/* Words that may stand where this one stood: keys of that section, and at the
 * top the sections themselves. */
static void
unknown_key(
    struct config_reader *r, const struct config_node *key, const char *section)
{
	struct lex_word w = {key->text, strlen(key->text), 0};
	char shown[KEY_MAX], word[KEY_MAX];
	size_t len = strlen(section);
	const char *elsewhere = NULL;
	struct nearest near;

	nearest_init(&near, w);
	for (unsigned i = 0; i < config_key_count; i++) {
		const char *name = config_keys[i].name;
		const char *dot = strchr(name, '.');

		if (dot != NULL && strcmp(dot + 1, key->text) == 0)
			elsewhere = name;
		if (strncmp(name, section, len) != 0)
			continue;
		(void)snprintf(word, sizeof(word), "%.*s",
		    (int)strcspn(name + len, "."), name + len);
		nearest_try(&near, word);
		if (near.name == word) /* the table's own outlives word */
			near.name = name + len;
	}
	config_show(shown, sizeof(shown), key);
	if (near.name != NULL)
		config_mistake(r, key,
		    "unknown key '%s%s': did you mean '%s%.*s'?", section,
		    shown, section, (int)strcspn(near.name, "."), near.name);
	else if (elsewhere != NULL)
		config_mistake(r, key,
		    "unknown key '%s%s': it belongs below '%.*s:', indented",
		    section, shown, (int)strcspn(elsewhere, "."), elsewhere);
	else
		config_mistake(r, key,
		    "unknown key '%s%s': stripwire config keys lists them all",
		    section, shown);
}

static void
one_key(struct config_reader *r, const struct config_key *k,
    const struct config_node *key)
{
	unsigned *line = &r->line[k - config_keys];

	if (*line != 0) {
		config_mistake(
		    r, key, "%s is set in line %u already", k->name, *line);
		return;
	}
	*line = key->line;
	config_set(r, k, key->next);
}

static void read_map(
    struct config_reader *, const struct config_node *, const char *);

static void
read_section(struct config_reader *r, const struct config_node *key)
{
	const struct config_node *value = key->next;
	char section[KEY_MAX + 1];

	if (value->kind == NODE_TEXT && value->text[0] == '\0')
		return; /* all of it is commented out */
	(void)snprintf(section, sizeof(section), "%s.", key->text);
	if (value->kind != NODE_MAP)
		config_mistake(r, value,
		    "%s: lines of the form `key: value` are expected below "
		    "it, indented",
		    key->text);
	else
		read_map(r, value, section);
}

static void
read_map(
    struct config_reader *r, const struct config_node *map, const char *section)
{
	const struct config_key *k;
	char name[KEY_MAX];
	int n;

	for (const struct config_node *key = map->first;
	     key != NULL && key->next != NULL; key = key->next->next) {
		if (key->kind != NODE_TEXT) {
			config_mistake(r, key, "a key is one word");
			continue;
		}
		n = snprintf(name, sizeof(name), "%s%s", section, key->text);
		k = n > 0 && (size_t)n < sizeof(name) ? find_key(name) : NULL;
		if (k != NULL)
			one_key(r, k, key);
		else if (section[0] == '\0' && is_section(name))
			read_section(r, key);
		else
			unknown_key(r, key, section);
	}
}

/* ---- defaults and files ---- */

static int
set_default(struct config_reader *r, const struct config_key *k)
{
	struct config_node n = {.kind = NODE_TEXT, .text = k->initial};
	char **text;

	if (config_is_list(k))
		return 0;
	if (k->initial[0] != '\0') {
		config_set(r, k, &n);
		return r->mistakes == 0 ? 0 : -1;
	}
	text = config_field(r->c, k);
	*text = strdup("");
	return *text != NULL ? 0 : -1;
}

int
config_init(struct config *c)
{
	struct config_reader r = {.c = c, .fields = c, .file = "default"};

	memset(c, 0, sizeof(*c));
	for (unsigned i = 0; i < config_key_count; i++)
		if (set_default(&r, &config_keys[i]) == -1)
			return -1;
	return 0;
}

void
config_fini(struct config *c)
{
	free(c->database);
	free(c->rules);
	free(c->thresholds);
	free(c->classification);
	free(c->interceptors);
	free(c->eve);
	free(c->sensor_name);
	free(c->interfaces);
	free(c->timestamps);
	free(c->filter);
	free(c->user);
	free(c->socket);
	free(c->log);
	free(c->crash_folder);
	for (unsigned i = 0; i < c->ntrust; i++)
		free(c->trust[i]);
	for (unsigned i = 0; i < c->nresetters; i++)
		free(c->resetter[i]);
	for (unsigned i = 0; i < c->nvars; i++)
		free(c->var_text[i]);
	free(c->var_text);
	rule_vars_free(c->vars);
	for (unsigned i = 0; i < c->nfeeds; i++)
		config_feed_free(c->feed[i]);
	memset(c, 0, sizeof(*c));
}

/* What breaks the language ends the tree, so it is told last: places ascend. */
struct broken {
	unsigned line, column;
	char message[256];
};

static void
note_broken(void *ctx, unsigned line, unsigned column, const char *message)
{
	struct broken *b = ctx;

	b->line = line;
	b->column = column;
	(void)snprintf(b->message, sizeof(b->message), "%s", message);
}

unsigned
config_parse(struct config *c, const char *file, struct slice text, bool files,
    config_error_fn *error, void *ctx)
{
	struct config_reader r = {.c = c,
	    .fields = c,
	    .file = file,
	    .files = files,
	    .error = error,
	    .ctx = ctx,
	    .line = calloc(config_key_count, sizeof(*r.line))};
	struct broken broken = {0, 0, ""};
	struct config_tree *t = config_tree_parse(text, note_broken, &broken);
	const struct config_node *root = NULL;

	if (t == NULL || r.line == NULL)
		config_mistake_at(&r, 1, 1, "out of memory");
	else
		root = config_tree_root(t);
	if (root != NULL && root->kind == NODE_MAP)
		read_map(&r, root, "");
	else if (root != NULL && broken.line == 0)
		config_mistake(&r, root,
		    "lines of the form `key: value` are expected, with a blank "
		    "after ':'");
	if (broken.line != 0)
		config_mistake_at(
		    &r, broken.line, broken.column, "%s", broken.message);
	config_tree_free(t);
	free(r.line);
	return r.mistakes;
}

/* Fills buf with the file. Returns what is wrong with it, or NULL. */
static const char *
slurp(int fd, uint8_t *buf, struct slice *text)
{
	struct stat st;
	ssize_t n = 0;

	if (fd == -1 || fstat(fd, &st) == -1)
		return strerror(errno);
	if (S_ISDIR(st.st_mode))
		return "it is a folder";
	for (text->len = 0; text->len <= CONFIG_FILE_MAX;
	     text->len += (size_t)n) {
		n = read(fd, buf + text->len, CONFIG_FILE_MAX + 1 - text->len);
		if (n == -1)
			return strerror(errno);
		if (n == 0)
			break;
	}
	text->p = buf;
	return text->len <= CONFIG_FILE_MAX
		   ? NULL
		   : "it is longer than 256 KiB, which no configuration is";
}

unsigned
config_load(struct config *c, const char *path, bool files,
    config_error_fn *error, void *ctx)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *buf = malloc(CONFIG_FILE_MAX + 1);
	struct slice text = {NULL, 0};
	const char *why =
	    buf != NULL ? slurp(fd, buf, &text) : "there is no memory for it";
	char line[MISTAKE_MAX];
	unsigned mistakes = 1;

	if (why == NULL) {
		mistakes = config_parse(c, path, text, files, error, ctx);
	} else {
		(void)snprintf(line, sizeof(line),
		    "%.256s: the configuration cannot be read: %s", path, why);
		if (error != NULL)
			error(ctx, line);
	}
	free(buf);
	if (fd != -1)
		(void)close(fd);
	return mistakes;
}

/* ---- back to text ---- */

static const char *
bytes_text(uint64_t n, char *buf, size_t cap)
{
	static const char *const unit[] = {"", "KiB", "MiB", "GiB"};
	unsigned u = 0;

	while (u < 3 && n != 0 && n % 1024 == 0) {
		n /= 1024;
		u++;
	}
	(void)snprintf(buf, cap, "%llu%s", (unsigned long long)n, unit[u]);
	return buf;
}

/* The word of the i-th bit that is set. */
const char *
config_word(const void *fields, const struct config_key *k, unsigned i)
{
	unsigned set = *(const unsigned *)config_field(fields, k);

	for (unsigned w = 0; k->words[w] != NULL; w++)
		if ((set >> w & 1) != 0 && i-- == 0)
			return k->words[w];
	return NULL;
}

static const char *
list_entry(const struct config *c, const struct config_key *k, unsigned i)
{
	if (k->type == CONFIG_INPUTS)
		return i < c->ntrust ? c->trust[i] : NULL;
	if (k->type == CONFIG_RESETTERS)
		return i < c->nresetters ? c->resetter[i] : NULL;
	if (k->type == CONFIG_WORDS)
		return config_word(c, k, i);
	if (k->type == CONFIG_FEEDS)
		return i < c->nfeeds ? c->feed[i]->name : NULL;
	return i < c->nvars ? c->var_text[i] : NULL;
}

const char *
config_scalar(
    const void *fields, const struct config_key *k, char *buf, size_t cap)
{
	const void *field = config_field(fields, k);

	switch (k->type) {
	case CONFIG_SWITCH:
		return *(const bool *)field ? "yes" : "no";
	case CONFIG_WORD:
		return k->words[*(const unsigned *)field];
	case CONFIG_NUMBER:
		(void)snprintf(buf, cap, "%llu",
		    (unsigned long long)*(const uint64_t *)field);
		return buf;
	case CONFIG_BYTES:
		return bytes_text(*(const uint64_t *)field, buf, cap);
	default:
		return *(char *const *)field;
	}
}

const char *
config_value(const struct config *c, const struct config_key *k, unsigned i,
    char *buf, size_t cap)
{
	if (config_is_list(k))
		return list_entry(c, k, i);
	return i == 0 ? config_scalar(c, k, buf, cap) : NULL;
}
