/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a mistake is shown: place and message as compilers write them, the
 * line, and a caret below the place. Tabs are kept in the caret's line and
 * characters counted instead of bytes, so that it points where it should.
 */
#include "rules/rule.h"

#include <stdio.h>
#include <string.h>

char *
rule_error_format(char *buf, size_t cap, const struct rule_error *e)
{
	char pad[sizeof(e->source)];
	size_t used = 0;

	for (unsigned i = 0; i < e->caret && i < sizeof(pad) - 1; i++)
		if (((unsigned char)e->source[i] & 0xc0) != 0x80)
			pad[used++] = e->source[i] == '\t' ? '\t' : ' ';
	pad[used] = '\0';
	(void)snprintf(buf, cap, "%s:%u:%u: %s\n    %s\n    %s^\n", e->file,
	    e->line, e->column, e->message, e->source, pad);
	return buf;
}
