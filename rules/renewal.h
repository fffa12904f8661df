/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Another certificate than before: is it the next one of the same server? What
 * speaks for it, beside trust, which is the verifier's matter.
 */
#ifndef STRIPWIRE_RENEWAL_H
#define STRIPWIRE_RENEWAL_H

#include "decoders/x509.h"
#include "rules/history.h"

/* ACME's (RFC 8555) live for 90 days or less, and are replaced by a program
 * that begins when a third of that is left. Longer ones are replaced by
 * people, weeks before their end. */
#define RENEWAL_SHORT_LIFE (100 * INT64_C(86400)) /* seconds */

/*
 * The domains that a certificate is for, in 64 bits: each sets one, so that two
 * sets that share no bit have no domain in common, and two that do may have
 * one. A name of three labels and more counts as what is behind its first
 * (mail.example.org, mx.example.org and *.example.org are one). 0, 0: it has no
 * names, or there were too many to keep.
 */
void renewal_domains(uint32_t out[2], const struct x509_facts *leaf);

struct renewal {
	bool same_issuer; /* by name: anybody can write that */
	bool twin; /* of a kind of key not seen here: beside the known one */
	bool same_domains, other_domains; /* neither: not known */
	bool short_lived; /* as the one before, and as long: ACME's habit */
	bool due, early; /* by what is left of the one before; neither: not
			    known */
	int64_t left; /* seconds that it is valid still, if due or early */
};

/* now: seconds. */
void renewal_compare(const struct server_facts *s,
    const struct x509_facts *leaf, int64_t now, struct renewal *out);

#endif
