/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of TLS is judged too old or too weak, and on whose word: one table of
 * versions, one of weaknesses of suites, one of sizes (tls_policy.c). The
 * operator may draw the lines elsewhere.
 */
#ifndef STRIPWIRE_TLS_POLICY_H
#define STRIPWIRE_TLS_POLICY_H

#include "decoders/obs.h"
#include "rules/weak_suites.h"

struct tls_policy {
	uint16_t min_version; /* what is below is a finding */
	uint16_t min_dh_bits; /* also of the RSA keys of EXPORT suites */
	uint16_t min_curve_bits;
	uint32_t accepted; /* 1 << enum weakness: no finding */
};

extern const struct tls_policy tls_policy_default;

struct tls_grade {
	uint8_t weight; /* confidence that it adds, 0: no finding */
	const char *why; /* with its source, for a sentence */
};

struct tls_grade tls_grade_version(const struct tls_policy *p, uint16_t v);
struct tls_grade tls_grade_suite(
    const struct tls_policy *p, const struct weak_suite *w);
struct tls_grade tls_grade_key_exchange(
    const struct tls_policy *p, const struct obs_kex *k);

#endif
