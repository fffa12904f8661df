/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/shown.h"

#include <string.h>

void
shown_copy(struct shown *to, const uint8_t chain_id[32],
    const struct slice *der, unsigned n)
{
	size_t used = 0;

	memcpy(to->id, chain_id, 32);
	for (to->n = 0; to->n < n && to->n < X509_CHAIN_MAX; to->n++) {
		struct slice s = der[to->n];

		if (s.len > sizeof(to->bytes) - used)
			break;
		to->der[to->n] = (struct slice){to->bytes + used, s.len};
		if (s.len > 0)
			memcpy(to->bytes + used, s.p, s.len);
		used += s.len;
	}
}
