/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fingerprints of hellos, as others compute them, to compare with theirs:
 *
 *	JA3   version,suites,extensions,groups,point formats -> MD5
 *	JA3S  version,suite,extensions -> MD5, in the order the server sent them
 *	JA4   t<version><d|i><suites><extensions><ALPN>_<SHA-256 of the suites,
 *	      sorted>_<SHA-256 of the extensions, sorted, and the signatures>
 *
 * GREASE (RFC 8701) counts nowhere. They tell programs apart, not people, and
 * prove nothing: anybody can send the hello of another.
 *
 * Cost: a message is gone over once more. Unless one of its kind was seen
 * before (memo.h), its lists are sorted and three digests are made (JA3S:
 * one), on the stack. Lists longer than anybody's
 * have no fingerprint, so that a hostile hello costs no more than a few usual
 * ones.
 */
#ifndef STRIPWIRE_TLS_FINGERPRINT_H
#define STRIPWIRE_TLS_FINGERPRINT_H

#include "decoders/obs.h"

/* Entries of a list; IANA knows of fewer than 400 suites. */
#define FINGERPRINT_LIST_MAX 512

/* body: of a message that read without fault. Sets h->ja3 and h->ja4; they
 * are "" if a list is too long, or the library refuses MD5. */
void tls_fingerprint_client(struct slice body, struct obs_hello *h);
/* Sets h->ja3 to the JA3S. */
void tls_fingerprint_server(struct slice body, struct obs_hello *h);

#endif
