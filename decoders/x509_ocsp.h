/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stapled OCSP response (RFC 6960, RFC 6066 section 8): what the authority
 * says of a certificate, sent along by the server, signed by the authority.
 */
#ifndef STRIPWIRE_X509_OCSP_H
#define STRIPWIRE_X509_OCSP_H

#include "decoders/x509.h"

#define OCSP_RESPONSE_MAX 65536 /* bytes; real ones have 300 to 3000 */
#define OCSP_CLOCK_SLACK 300 /* seconds that clocks may differ */

struct staple {
	enum staple_status status; /* whatever the time */
	int64_t this_update, next_update; /* seconds since the epoch; 0: it
					     does not say */
	int64_t revoked_at; /* likewise, of STAPLE_REVOKED */
	uint8_t scts; /* time stamps of certificate transparency in it
			 (RFC 6962 3.3), saturates */
};

/*
 * Reads a response about the certificate of that serial number (hex, as in
 * x509_facts) which issuer issued. Signed must it be by the issuer, or by
 * whom it charged with that (RFC 6960 4.2.2.2), at the time now, in seconds:
 * packet time. What is not so signed says nothing. Whether it is of this time
 * is left to x509_staple_at().
 */
void x509_read_staple(struct slice response, struct x509_st *issuer,
    const char *serial, int64_t now, struct staple *out);

/* What it says at that time: STAPLE_OLD before its this_update and after its
 * next_update. */
enum staple_status x509_staple_at(const struct staple *s, int64_t now);

#endif
