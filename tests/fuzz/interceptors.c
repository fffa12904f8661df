/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The list of intercepting products from any text: either mistakes or a list,
 * and what is in a list can be printed.
 */
#include "rules/interceptors.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_error(void *ctx, const struct rule_error *e)
{
	unsigned *errors = ctx;

	++*errors;
	if (e->line == 0 || e->column == 0 || e->message[0] == '\0' ||
	    e->caret > strlen(e->source))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct x509_facts leaf;
	struct slice text = {data, size};
	const struct interceptor *i;
	struct interceptors *l;
	unsigned errors = 0;
	size_t n = size < sizeof(leaf.issuer) ? size : sizeof(leaf.issuer) - 1;

	l = interceptors_parse("fuzz", text, on_error, &errors);
	if ((l == NULL) != (errors > 0))
		abort();
	memcpy(leaf.issuer, data, n);
	leaf.issuer[n] = '\0';
	i = interceptors_find(l, &leaf);
	if (i != NULL && (i->words[0] == '\0' || i->product[0] == '\0' ||
			     i->kind == ICPT_NONE || i->kind > ICPT_ENDPOINT))
		abort();
	interceptors_free(l);
	return 0;
}
