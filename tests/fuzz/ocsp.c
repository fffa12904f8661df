/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stapled OCSP responses: the first byte says which serial number is asked
 * for, the rest is the response. None of them is signed by the issuer, so that
 * none may be believed.
 */
#include <stdlib.h>

#include "decoders/x509_ocsp.h"
#include "tests/certs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const serials[] = {
	    "1234", "", "00", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"};
	static struct cert *issuer;
	struct staple s;

	if (issuer == NULL)
		issuer = cert_make(
		    &(struct mould){.cn = "Root", .key = CK_CA_EC, .ca = 1});
	if (size == 0)
		return 0;
	x509_read_staple((struct slice){data + 1, size - 1}, issuer->x,
	    serials[data[0] & 3], T2026, &s);
	if (s.status == STAPLE_NONE || s.status > STAPLE_MALFORMED ||
	    s.status == STAPLE_GOOD || s.status == STAPLE_REVOKED ||
	    s.status == STAPLE_UNKNOWN)
		abort();
	return 0;
}
