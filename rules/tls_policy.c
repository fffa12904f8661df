/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sources: RFC 6176 (SSL 2), RFC 7568 (SSL 3), RFC 8996 (TLS 1.0 and 1.1),
 * RFC 7465 (RC4), RFC 5469 (DES), RFC 9325 (recommendations of 2022: no NULL,
 * no export, nothing below 112 bits, rather nothing below 128; DH from 2048
 * bits), NIST SP 800-52r2 (TLS 1.2 at least, no 3DES, no anonymous suites).
 */
#include "rules/tls_policy.h"

#include "decoders/tls_hello.h"
#include "rules/weights.h"

#define OWN_LINE "below what the configuration asks for"
#define BREAKABLE_DH 1024 /* bits: below it has been done in public (Logjam) */

const struct tls_policy tls_policy_default = {
    .min_version = TLS_12, .min_dh_bits = 2048, .min_curve_bits = 224};

static const struct {
	uint16_t version;
	struct tls_grade grade;
} versions[] = {
    {TLS_SSL2, {W_SSL, "forbidden by RFC 6176"}},
    {TLS_SSL3, {W_SSL, "forbidden by RFC 7568"}},
    {TLS_10, {W_OLD_TLS, "obsolete by RFC 8996"}},
    {TLS_11, {W_OLD_TLS, "obsolete by RFC 8996"}},
    {TLS_12, {W_CONFIGURED, OWN_LINE}},
};

static const struct tls_grade weaknesses[] = {
    [WEAK_NULL] = {W_WEAK_SUITE, "no encryption at all (RFC 9325)"},
    [WEAK_ANON] = {W_WEAK_SUITE, "nobody is authenticated (NIST SP 800-52r2)"},
    [WEAK_EXPORT] = {W_WEAK_SUITE, "made to be breakable (RFC 9325)"},
    [WEAK_RC2] = {W_WEAK_SUITE, "RC2 is broken (RFC 9325)"},
    [WEAK_RC4] = {W_WEAK_SUITE, "RC4 is broken (RFC 7465)"},
    [WEAK_DES] = {W_WEAK_SUITE, "DES keys can be searched (RFC 5469)"},
    [WEAK_3DES] = {W_WEAK_SUITE,
	"3DES has too small a block (NIST SP 800-52r2)"},
};

static const struct tls_grade fine = {0, ""};

struct tls_grade
tls_grade_version(const struct tls_policy *p, uint16_t v)
{
	if (v >= p->min_version)
		return fine;
	for (unsigned i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].version == v)
			return versions[i].grade;
	return fine; /* 0, or a number that nobody knows */
}

struct tls_grade
tls_grade_suite(const struct tls_policy *p, const struct weak_suite *w)
{
	if (w == NULL || (p->accepted >> w->why & 1) != 0)
		return fine;
	return weaknesses[w->why];
}

struct tls_grade
tls_grade_key_exchange(const struct tls_policy *p, const struct obs_kex *k)
{
	const struct tls_policy *usual = &tls_policy_default;
	bool curve = k->how == KEX_ECDH;

	if (k->bits == 0 || k->how == 0 || k->how > KEX_RSA ||
	    k->bits >= (curve ? p->min_curve_bits : p->min_dh_bits))
		return fine;
	if (k->bits >= (curve ? usual->min_curve_bits : usual->min_dh_bits))
		return (struct tls_grade){W_CONFIGURED, OWN_LINE};
	if (curve)
		return (struct tls_grade){
		    W_SHORT_CURVE, "too short a curve (RFC 9325)"};
	if (k->bits < BREAKABLE_DH)
		return (struct tls_grade){
		    W_SHORT_EXCHANGE, "such keys have been broken"};
	/* Nobody has shown to break these: a fact, not an alarm. */
	return (struct tls_grade){
	    W_SMALL_DH, "2048 bits are the least (RFC 9325)"};
}
