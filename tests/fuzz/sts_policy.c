/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Policies, and pins made of them: what is held is found again. */
#include <stdlib.h>

#include "rules/sts_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct server_key any = {.port = 25, .proto = PROTO_SMTP};
	struct slice text = {data, size};
	struct sts_policy p;
	struct pins *pins = pins_new();
	char err[256];

	if (pins == NULL ||
	    sts_policy_parse(&p, text, err, sizeof(err)) == -1 ||
	    sts_set_domain(&p, "example.net", err, sizeof(err)) == -1) {
		pins_free(pins);
		return 0;
	}
	if (sts_policy_apply(&p, pins, 1) < 0)
		abort();
	for (unsigned i = 0; i < p.nmx && pins_count(pins) != 0; i++) {
		const char *const names[2] = {p.mx[i], ""};

		if (pins_find(pins, &any, names, 2) == NULL)
			abort();
	}
	pins_free(pins);
	return 0;
}
