/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: a dialogue on port 4190. See mail_fuzz.h for the input.
 */
#include "tests/fuzz/mail_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_both_ways(data, size, 4190, 0);
	return 0;
}
