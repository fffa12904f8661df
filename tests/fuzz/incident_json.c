/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An incident out of a database that somebody else wrote: refused, or taken
 * up, told in words and joined by alerts as any other, and what is given out
 * again is the same.
 */
#include "db/incident_json.h"

#include <stdlib.h>
#include <string.h>

#include "db/feed_eve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
join(const struct incident *i)
{
	static const struct incidents_config cfg = {.fold_after = 2};
	static const struct incident_known nothing;
	struct incidents *in = incidents_new(&cfg);
	struct alert a;

	if (in == NULL || incidents_load(in, i) == -1)
		abort();
	memset(&a, 0, sizeof(a));
	a.finding.id = FIND_STARTTLS_STRIPPED;
	a.finding.time = i->last;
	a.severity = SEV_HIGH;
	a.flow.client = i->client[0];
	a.flow.server = i->server[0];
	for (int n = 0; n < 4; n++)
		(void)incidents_add(in, &a, &nothing);
	incidents_advance(in, INT64_MAX);
	incidents_free(in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct incident i, again;
	static char line[EVE_LINE_MAX];
	char *text = strndup((const char *)data, size), *out, *twice;

	if (text != NULL && incident_from_json(&i, text) == 0) {
		(void)eve_format_incident(
		    line, sizeof(line), &i, INCIDENT_OPENED, "host");
		out = incident_to_json(&i);
		if (out == NULL || incident_from_json(&again, out) == -1)
			abort();
		twice = incident_to_json(&again);
		if (twice == NULL || strcmp(out, twice) != 0)
			abort();
		join(&i);
		free(out);
		free(twice);
	}
	free(text);
	return 0;
}
