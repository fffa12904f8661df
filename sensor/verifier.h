/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Says what the trust store thinks of a chain, once per chain: the cache is
 * keyed by the SHA-256 of the chain as sent (least recently used goes, the
 * cap is VERIFIER_CACHE). Time is left out of the path check and kept beside
 * it (valid_from, valid_to), so that one verdict serves every session; the
 * detectors hold it against packet time. Intermediates seen in earlier chains
 * complete later ones, and the verdict says so.
 */
#ifndef STRIPWIRE_VERIFIER_H
#define STRIPWIRE_VERIFIER_H

#include "decoders/table_use.h"
#include "rules/interceptors.h"

#define VERIFIER_CACHE 4096 /* verdicts, about 7 KiB each */

struct verifier;

struct verifier_counters {
	uint64_t chains, verified, cache_hits, malformed, evicted;
	uint64_t too_long; /* chains of more than X509_CHAIN_MAX */
	uint64_t staples; /* verified, not known from the one before */
	uint64_t known_full; /* intermediates not remembered */
};

/* extra: PEM files or NULL; nextra of them. The system store is loaded unless
 * no_system. Returns NULL with a sentence in err (which file, what, how to
 * mend it). */
struct verifier *verifier_new(const char *const *extra, unsigned nextra,
    bool no_system, char *err, size_t errlen);
void verifier_free(struct verifier *v);

/* Issuers of chains verified from now on are looked up in the list, which
 * outlives v. Without one no product is known. */
void verifier_use_interceptors(
    struct verifier *v, const struct interceptors *list);

/* Verifies if not known yet. The result stays valid until the next call. */
const struct chain_verdict *verifier_chain(struct verifier *v,
    const uint8_t chain_id[32], const struct slice *der, unsigned n);

/*
 * A stapled OCSP response that came with a chain given before; now: seconds of
 * packet time. What it says stands in the verdict from then on, also where
 * later sessions show the chain without one: a certificate is revoked for all.
 * One seen before is not verified again. Returns enum staple_status, STAPLE_NONE
 * if the chain is not known (evicted).
 */
uint8_t verifier_staple(struct verifier *v, const uint8_t chain_id[32],
    struct slice response, int64_t now);

/* An intermediate that an earlier run remembered: it may complete chains, and
 * is trusted no more for it. der is borrowed. */
void verifier_know(struct verifier *v, struct slice der);

/* NULL if that chain was never given or was evicted. */
const struct chain_verdict *verifier_lookup(
    struct verifier *v, const uint8_t chain_id[32]);

const struct verifier_counters *verifier_counters(const struct verifier *v);
struct table_use verifier_verdicts(const struct verifier *v);
/* Intermediates remembered, 512 at most; bytes are not known. */
struct table_use verifier_known(const struct verifier *v);

#endif
