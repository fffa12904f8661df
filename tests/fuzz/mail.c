/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: the protocol is found by content. The first byte chooses the
 * port and whether the flow was met in its middle; see mail_fuzz.h for the
 * rest.
 */
#include "tests/fuzz/mail_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[] = {
	    25, 143, 110, 465, 993, 995, 587, 2525, 8080, 21, 24, 4190};
	const unsigned n = sizeof(ports) / sizeof(ports[0]);

	if (size == 0)
		return 0;
	(void)mail_looks_like(DIR_C2S, (struct slice){data, size});
	(void)mail_looks_like(DIR_S2C, (struct slice){data, size});
	fuzz_both_ways(data + 1, size - 1, ports[data[0] % n],
	    data[0] >= 128 ? VIS_MIDSTREAM : 0);
	return 0;
}
