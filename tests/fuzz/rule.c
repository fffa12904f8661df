/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rule parser on any text, and the matcher on whatever parses: a rule file
 * may come from anybody. Every mistake is formatted too, and must name a place
 * inside the text.
 */
#include "rules/engine.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned errors, lines;
};

static void
on_error(void *ctx, const struct rule_error *e)
{
	struct seen *s = ctx;
	char buf[1024];

	s->errors += e->level == RULE_MISTAKE;
	if (e->line == 0 || e->line > s->lines || e->column == 0 ||
	    e->message[0] == '\0' || e->caret > strlen(e->source))
		abort();
	(void)rule_error_format(buf, sizeof(buf), e);
	for (const char *p = buf; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' && *p != '\n' && *p != '\t')
			abort();
}

static void
on_match(void *ctx, const struct alert *a)
{
	unsigned *n = ctx;

	if (a->sid == 0 || a->severity > SEV_CRITICAL || a->msg[0] == '\0')
		abort();
	++*n;
}

static void
match_all(const struct ruleset *set)
{
	static struct alert a;
	unsigned n = 0;
	struct engine_flow flow = {.bits = NULL};
	struct engine_about about = {
	    .flow = &flow, .emit = on_match, .ctx = &n};
	struct engine *e = engine_new(set, false);

	if (e == NULL)
		abort();
	for (unsigned id = FIND_NONE + 1; id < FIND_COUNT; id++) {
		memset(&a, 0, sizeof(a));
		a.finding.id = (uint16_t)id;
		a.finding.confidence = (uint8_t)(id * 7 % 101);
		a.finding.tags = id * 2654435761u;
		a.proto = (uint8_t)(id % PROTO_COUNT);
		a.flow.server_port = id % 2 ? 25 : 587;
		memset(a.flow.client.b, (int)id, sizeof(a.flow.client.b));
		about.now = id;
		(void)engine_finding(e, &about, &a);
	}
	if (engine_counters(e)->alerts != n)
		abort();
	engine_flow_fini(&flow);
	engine_free(e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen s = {0, 1};
	struct ruleset *set;
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (const char *p = text; *p != '\0'; p++)
		s.lines += *p == '\n';
	set = ruleset_parse("fuzz", text, NULL, on_error, &s);
	if ((set == NULL) != (s.errors > 0))
		abort();
	if (set != NULL)
		match_all(set);
	ruleset_free(set);
	free(text);
	return 0;
}
