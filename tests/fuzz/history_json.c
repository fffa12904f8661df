/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any JSON as a history: refused, or what was taken in can be given out and
 * taken in again. */
#include <stdlib.h>

#include "db/history_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *o = json_loadb((const char *)data, size, 0, NULL), *again;
	struct history *h = o != NULL ? history_new() : NULL;
	struct history_imported n;
	char err[256];

	if (h != NULL && history_from_json(h, o, &n, err, sizeof(err)) == 0) {
		again = history_to_json(h);
		if (history_from_json(h, again, &n, err, sizeof(err)) == -1)
			abort();
		json_decref(again);
	}
	json_decref(o);
	history_free(h);
	return 0;
}
