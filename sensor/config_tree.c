/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Events of libyaml to a tree. Nodes lie in one array that never moves, their
 * texts are strings of their own; both are freed with the tree. Depth and
 * number are checked as the events come, so that a hostile file ends early.
 */
#include "sensor/config_tree.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct config_tree {
	struct config_node *node;
	unsigned n;
	bool rooted;
};

struct builder {
	struct config_tree *tree;
	yaml_parser_t parser;
	struct slice text;
	struct config_node *open[CONFIG_DEPTH_MAX]; /* lists and maps */
	struct config_node *last[CONFIG_DEPTH_MAX]; /* child of each so far */
	unsigned depth;
	bool stopped;
	config_mistake_fn *mistake;
	void *ctx;
};

static void wrong(struct builder *, const yaml_mark_t *, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static void
wrong(struct builder *b, const yaml_mark_t *at, const char *fmt, ...)
{
	char message[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	b->mistake(
	    b->ctx, (unsigned)at->line + 1, (unsigned)at->column + 1, message);
	b->stopped = true;
}

/* ---- nodes ---- */

static struct config_node *
new_node(struct builder *b, const yaml_event_t *e, enum node_kind kind)
{
	struct config_tree *t = b->tree;
	struct config_node *n;

	if (t->n == CONFIG_NODES_MAX) {
		wrong(b, &e->start_mark,
		    "the file has more than %u entries: the rest was not read",
		    CONFIG_NODES_MAX);
		return NULL;
	}
	n = &t->node[t->n++];
	n->kind = (uint8_t)kind;
	n->line = (unsigned)e->start_mark.line + 1;
	n->column = (unsigned)e->start_mark.column + 1;
	if (b->depth > 0) {
		if (b->last[b->depth - 1] != NULL)
			b->last[b->depth - 1]->next = n;
		else
			b->open[b->depth - 1]->first = n;
		b->last[b->depth - 1] = n;
	}
	return n;
}

/* Where the first character stands, if all of them stand there as they are. */
static unsigned
text_column(const yaml_event_t *e)
{
	size_t chars = 0, quotes;

	for (size_t i = 0; i < e->data.scalar.length; i++)
		chars += (e->data.scalar.value[i] & 0xc0) != 0x80;
	quotes = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? 0 : 1;
	if (e->start_mark.line != e->end_mark.line ||
	    e->end_mark.column - e->start_mark.column != chars + 2 * quotes)
		return 0;
	return (unsigned)(e->start_mark.column + quotes) + 1;
}

static void
add_text(struct builder *b, const yaml_event_t *e)
{
	const char *value = (const char *)e->data.scalar.value;
	struct config_node *n;

	if (memchr(value, '\0', e->data.scalar.length) != NULL) {
		wrong(b, &e->start_mark, "a NUL character is no text");
		return;
	}
	n = new_node(b, e, NODE_TEXT);
	if (n == NULL)
		return;
	n->text_column = text_column(e);
	n->text = strdup(value);
	if (n->text == NULL)
		wrong(b, &e->start_mark, "out of memory");
}

static void
open_node(struct builder *b, const yaml_event_t *e, enum node_kind kind)
{
	struct config_node *n;

	if (b->depth == CONFIG_DEPTH_MAX) {
		wrong(b, &e->start_mark,
		    "lists and maps are nested more than %u deep",
		    CONFIG_DEPTH_MAX);
		return;
	}
	n = new_node(b, e, kind);
	if (n == NULL)
		return;
	b->open[b->depth] = n;
	b->last[b->depth++] = NULL;
}

/* ---- what is not YAML ---- */

/* libyaml's words for the mistakes that people make, in ours. */
static const struct {
	const char *problem, *ours;
} phrases[] = {
    {"could not find expected ':'",
	"':' is missing: write `key: value`, with a blank after ':'"},
    {"mapping values are not allowed in this context",
	"a second ':' in this line: put quotes around the value, or look at "
	"the indentation"},
    {"did not find expected ',' or ']'",
	"the list is not closed: ',' or ']' is missing"},
    {"did not find expected ',' or '}'",
	"the map is not closed: ',' or '}' is missing"},
    {"found unexpected end of stream", "a quote is not closed"},
    {"did not find expected key",
	"a key is expected here: is the indentation that of the lines above?"},
    {"did not find expected '-' indicator",
	"'- ' is expected here: is the indentation that of the lines above?"},
    {"block sequence entries are not allowed in this context",
	"a list does not begin here: put '- ' at the beginning of a line"},
    {"found character that cannot start any token",
	"a word that begins with '@', '`' or '%' needs quotes"},
    {"did not find expected node content",
	"a value is expected here; one that begins with ':' needs quotes"},
    {"did not find expected <document start>",
	"nothing more is expected here: write `key: value`, a key a line"},
    {"did not find expected whitespace or line break",
	"a word that begins with '!' needs quotes: \"!...\""},
    {"did not find expected alphabetic or numeric character",
	"a word that begins with '*' or '&' needs quotes"},
};

/* The byte at a place, '\n' behind the end. */
static char
byte_at(const struct builder *b, const yaml_mark_t *at)
{
	size_t line = 0, column = 0;

	for (size_t i = 0; i < b->text.len; i++) {
		bool starts = (b->text.p[i] & 0xc0) != 0x80;

		if (line == at->line && column == at->column && starts)
			return (char)b->text.p[i];
		column += starts;
		if (b->text.p[i] == '\n') {
			line++;
			column = 0;
		}
	}
	return '\n';
}

static const char *
phrase(const struct builder *b, const yaml_mark_t *at)
{
	const char *problem = b->parser.problem;

	if (byte_at(b, at) == '\t')
		return "a tab: indent with blanks";
	if (problem == NULL)
		return "this is not YAML";
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (strcmp(problem, phrases[i].problem) == 0)
			return phrases[i].ours;
	return problem;
}

static yaml_mark_t
place_of_byte(const struct builder *b, size_t offset)
{
	yaml_mark_t at = {offset, 0, 0};

	for (size_t i = 0; i < offset && i < b->text.len; i++) {
		at.column += (b->text.p[i] & 0xc0) != 0x80;
		if (b->text.p[i] == '\n') {
			at.line++;
			at.column = 0;
		}
	}
	return at;
}

static void
not_yaml(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;
	yaml_mark_t at = p->problem_mark;
	const char *what;

	if (p->error == YAML_MEMORY_ERROR) {
		wrong(b, &at, "out of memory");
		return;
	}
	if (p->error == YAML_READER_ERROR) {
		at = place_of_byte(b, p->problem_offset);
		wrong(b, &at,
		    "a byte that is no text (UTF-8, no control characters)");
		return;
	}
	what = phrase(b, &at);
	if (p->error == YAML_SCANNER_ERROR && p->problem != NULL &&
	    strcmp(p->problem, "found unexpected end of stream") == 0)
		at = p->context_mark; /* the quote */
	if (p->context != NULL && p->context_mark.line != at.line)
		wrong(b, &at, "%s (what begins in line %u)", what,
		    (unsigned)p->context_mark.line + 1);
	else
		wrong(b, &at, "%s", what);
}

/* ---- events ---- */

/* Tags and anchors, which people write when they mean text. */
static bool
is_plain(struct builder *b, const yaml_event_t *e, const yaml_char_t *tag,
    const yaml_char_t *anchor)
{
	if (tag != NULL || anchor != NULL)
		wrong(b, &e->start_mark,
		    "a word that begins with '%c' needs quotes: \"%c...\"",
		    tag != NULL ? '!' : '&', tag != NULL ? '!' : '&');
	return tag == NULL && anchor == NULL;
}

static void
one_event(struct builder *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		if (is_plain(b, e, e->data.scalar.tag, e->data.scalar.anchor))
			add_text(b, e);
		break;
	case YAML_SEQUENCE_START_EVENT:
		if (is_plain(b, e, e->data.sequence_start.tag,
			e->data.sequence_start.anchor))
			open_node(b, e, NODE_LIST);
		break;
	case YAML_MAPPING_START_EVENT:
		if (is_plain(b, e, e->data.mapping_start.tag,
			e->data.mapping_start.anchor))
			open_node(b, e, NODE_MAP);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		break;
	case YAML_ALIAS_EVENT:
		wrong(b, &e->start_mark,
		    "a word that begins with '*' needs quotes");
		break;
	case YAML_DOCUMENT_START_EVENT:
		if (b->tree->rooted)
			wrong(b, &e->start_mark,
			    "a second document: one file, one configuration");
		b->tree->rooted = true;
		break;
	case YAML_STREAM_END_EVENT:
		b->stopped = true;
		break;
	default:
		break;
	}
}

static void
build(struct builder *b)
{
	yaml_event_t e;

	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	/* there may be no file at all, and libyaml takes no NULL */
	yaml_parser_set_input_string(&b->parser,
	    b->text.p != NULL ? b->text.p : (const uint8_t *)"", b->text.len);
	while (!b->stopped) {
		if (!yaml_parser_parse(&b->parser, &e)) {
			not_yaml(b);
			return;
		}
		one_event(b, &e);
		yaml_event_delete(&e);
	}
}

struct config_tree *
config_tree_parse(struct slice text, config_mistake_fn *mistake, void *ctx)
{
	struct builder b = {.text = text, .mistake = mistake, .ctx = ctx};

	if (text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		b.text = (struct slice){
		    text.p + 3, text.len - 3}; /* byte order mark */
	b.tree = calloc(1, sizeof(*b.tree));
	if (b.tree == NULL)
		return NULL;
	b.tree->node = calloc(CONFIG_NODES_MAX, sizeof(*b.tree->node));
	if (b.tree->node == NULL || !yaml_parser_initialize(&b.parser)) {
		config_tree_free(b.tree);
		return NULL;
	}
	build(&b);
	yaml_parser_delete(&b.parser);
	return b.tree;
}

void
config_tree_free(struct config_tree *t)
{
	if (t == NULL)
		return;
	for (unsigned i = 0; t->node != NULL && i < t->n; i++)
		free((char *)t->node[i].text);
	free(t->node);
	free(t);
}

const struct config_node *
config_tree_root(const struct config_tree *t)
{
	return t->n > 0 ? &t->node[0] : NULL;
}
