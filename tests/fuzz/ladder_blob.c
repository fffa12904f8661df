/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A ladder out of a database that somebody else wrote: decoded, and made into
 * packets and encoded again, as show does.
 */
#include "db/ladder_blob.h"

#include <stdlib.h>
#include <string.h>

#include "db/evidence_pcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[LADDER_BLOB_MAX];
	static FILE *null;
	struct alert a, b;
	int rc;

	if (null == NULL && (null = fopen("/dev/null", "wb")) == NULL)
		abort();
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	rc = ladder_decode(&a, data, size);
	if (evidence_pcap_write(null, &a) < 0)
		abort();
	if (rc == -1)
		return 0;
	if (ladder_decode(&b, buf, ladder_encode(buf, &a)) == -1 ||
	    b.nsteps != a.nsteps)
		abort();
	return 0;
}
