/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The judge's view of the verifier: verdicts on chains, kept by their hash.
 * Either the verifier of this process (tests, one worker), or one in a process
 * of its own (verifier_process.h): hostile certificates are hostile bytes, and
 * whoever holds the database parses none. Then a chain is sent over once for
 * its hash; where no answer comes in time, nothing is known of the chain.
 */
#ifndef STRIPWIRE_VERIFY_H
#define STRIPWIRE_VERIFY_H

#include "sensor/verifier.h"

#define VERIFY_WAIT_MS 3000 /* for an answer; hostile chains took 53 ms */

struct verify;

/* v: used and not owned. NULL: no memory. */
struct verify *verify_inline(struct verifier *v);
/* fd: a SOCK_SEQPACKET to the verifier process, owned. */
struct verify *verify_remote(int fd);
void verify_free(struct verify *v);
/* A new verifier process has taken the place of the old one. */
void verify_reconnect(struct verify *v, int fd);

/* Called again and again while an answer does not come: what must not wait for
 * it. */
void verify_on_wait(struct verify *v, void (*fn)(void *ctx), void *ctx);

/* All verdicts are void. */
void verify_forget(struct verify *v);

void verify_chain(struct verify *v, const uint8_t chain_id[32],
    const struct slice *der, unsigned n);
void verify_staple(struct verify *v, const uint8_t chain_id[32],
    struct slice response, int64_t seconds);
void verify_know(struct verify *v, struct slice der);
/* NULL: not known. Lives until the next call. */
const struct chain_verdict *verify_lookup(
    struct verify *v, const uint8_t chain_id[32]);
/* Chains for which no answer came. */
uint64_t verify_unanswered(const struct verify *v);
/* Of the verdicts kept here. Looks at all places. */
struct table_use verify_use(const struct verify *v);

/* ---- the wire between the two; both ends are of the same program ---- */

#define VERIFY_MESSAGE_MAX (96u << 10)

enum verify_ask { VERIFY_CHAIN = 1, VERIFY_STAPLE, VERIFY_KNOW };

struct verify_request {
	uint32_t what; /* enum verify_ask */
	uint32_t number; /* comes back with the answer */
	uint8_t chain_id[32];
	int64_t seconds; /* VERIFY_STAPLE */
	uint32_t count; /* of the parts behind it */
	uint32_t len[X509_CHAIN_MAX];
};

struct verify_answer {
	uint32_t number;
	uint32_t known; /* 0: no verdict */
	struct chain_verdict verdict;
};

#endif
