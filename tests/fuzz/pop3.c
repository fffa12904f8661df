/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: a dialogue on port 110. See mail_fuzz.h for the input.
 */
#include "tests/fuzz/mail_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_both_ways(data, size, 110, 0);
	return 0;
}
