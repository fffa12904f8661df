/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Detectors: pure functions of an observation, the facts of its flow (the
 * observation is folded in already), the history of the server and of the
 * pair as of the observation's time, and what happened lately between the two
 * hosts. They say yes by detect_find(), and keep no state.
 *
 * Each file opens with the benign causes of what it looks for. Each function
 * has one row in the table in detectors.c; what a row does not ask for, its
 * function does not see.
 */
#ifndef STRIPWIRE_DETECT_H
#define STRIPWIRE_DETECT_H

#include "rules/facts.h"
#include "rules/history.h"
#include "rules/pair.h"
#include "rules/resetters.h"
#include "rules/tls_policy.h"

#define DETECT_MAX 16 /* findings on one observation; more are counted */

enum past {
	PAST_SERVER,
	PAST_NAMED,
	PAST_PAIR,
	PAST_NETWORK,
	PAST_PIN,
	PAST_RECENT
};

struct secret_seen { /* a secret that crossed the wire before */
	uint64_t id; /* obs_auth.secret_id */
	int64_t time;
	char user[OBS_NAME_MAX];
};

/*
 * What is known from before, as of the observation's time. Most detectors see
 * by the facts that there is nothing to find: each of these is asked for when
 * it is wanted first. NULL: nothing known.
 */
struct detect_past {
	const struct server_facts *server;
	const struct server_facts *named; /* of the name it goes by, where
					     nothing is known of the address */
	const struct pair_facts *pair;
	const struct pair_facts *network; /* the client's, where a list was
					     given without STARTTLS */
	const struct pin *pin; /* what is said of the server */
	const struct pair_recent *recent; /* lately */
	unsigned asked; /* 1 << enum past: of which the above is known */
	/* whom to ask; NULL: nobody */
	const struct history *history;
	struct pairs *pairs;
};

struct detect_ctx {
	/* the question */
	const struct obs *o;
	const struct facts *f;
	struct detect_past *past; /* NULL: nothing is known */
	const struct chain_verdict *verdict; /* the server's chain in this
						flow; NULL: none, not known */
	const struct secret_seen *same_secret; /* NULL: a new one */
	const struct resetters *resetters; /* NULL: none is authorised */
	const struct tls_policy *tls; /* NULL: the default */
	/* the answers */
	struct finding out[DETECT_MAX];
	unsigned nout, overflow;
	bool authorised; /* a reset that would have been a finding is the
			    operator's own */
};

typedef void detect_fn(
    const struct obs *o, const struct facts *f, struct detect_ctx *c);

struct detector {
	const char *name;
	detect_fn *fn;
	uint32_t kinds; /* DETECT_ON() of each kind it is asked about */
	uint8_t protos; /* 1 << enum proto of those it is about; 0: all */
	uint8_t of_tls; /* says nothing before something of TLS is known */
	uint8_t of_helo; /* of an OBS_CAPS: only of CAPS_HELO */
};

#define DETECT_ON(kind) (1u << (kind))
_Static_assert(OBS_KIND_COUNT <= 32, "kinds are bits of a 32 bit mask");

extern const struct detector detectors[];
extern const unsigned detector_count; /* 32 at most */

/* Nothing was asked yet. The accessors ask for it (past.c). */
void past_begin(
    struct detect_past *p, const struct history *h, struct pairs *pairs);
/* It changed: it has to be asked for again. */
void past_is_new(struct detect_past *p, enum past what);
const struct server_facts *past_server(const struct detect_ctx *c);
const struct server_facts *past_named(const struct detect_ctx *c);
const struct pair_facts *past_pair(const struct detect_ctx *c);
const struct pair_facts *past_network(const struct detect_ctx *c);
const struct pin *past_pin(const struct detect_ctx *c);
const struct pair_recent *past_recent(const struct detect_ctx *c);

/*
 * A new finding of the observation at hand: time, packet, flow and visibility
 * are filled in, confidence is 0; pieces of evidence are added by
 * finding_add(). Returns NULL if a finding of this kind was raised on this
 * flow before (one a flow is enough) or there is no room. One whose confidence
 * stays 0 is forgotten.
 */
struct finding *detect_find(struct detect_ctx *c, enum finding_id id);
/* Likewise, but also if there was one before: for what differs materially. */
struct finding *detect_find_again(struct detect_ctx *c, enum finding_id id);

/* Raised on this flow before, or just now on this observation. */
bool detect_has(const struct detect_ctx *c, enum finding_id id);
/* The one raised just now, or NULL. */
const struct finding *detect_got(
    const struct detect_ctx *c, enum finding_id id);

/* Moves a finding to when it happened. */
void detect_at(struct finding *f, const struct moment *m);

/*
 * What is known of TLS on this server (known.c): nothing, one earlier session
 * (worth medium confidence), some (or the history of its name alone), or ten,
 * two days, the operator's word or a policy (high).
 */
enum known_tls { KNOWN_NOTHING = 0, KNOWN_ONCE, KNOWN_SOME, KNOWN_WELL };
#define KNOWN_LEVELS 4
enum known_tls detect_known_tls(const struct detect_ctx *c);
/* Adds the sentence ("STARTTLS was offered in 12 earlier sessions since ...")
 * with the weight of that level; EVT_WAS_TLS or EVT_NO_HISTORY is set. */
enum known_tls detect_add_history(struct finding *f, const struct detect_ctx *c,
    const int weight[KNOWN_LEVELS]);
/* Sessions that offered or used TLS, whichever are more. */
uint32_t known_count(const struct server_facts *s);
/* "STARTTLS was offered in 12 earlier sessions since 2026-10-02", or that they
 * used TLS. Returns buf. */
char *known_text(char *buf, size_t cap, const struct server_facts *s);
/* The server's history, or that of the name it goes by; NULL: neither. */
const struct server_facts *detect_server(const struct detect_ctx *c);

/* The key or the certificate is the one pinned. p may be NULL. */
bool pin_has_key(const struct pin *p, const struct x509_facts *leaf);

/* For sentences: "2026-10-02", 3.4 s as "3.4 s" (or ms, min), and 1214 as
 * "1 214". Return buf. */
char *detect_date(char *buf, size_t cap, int64_t ns);
char *detect_span(char *buf, size_t cap, int64_t ns);
char *detect_count(char *buf, size_t cap, uint64_t n);

/* Findings that mean interference: the flow does not teach, and what follows
 * between the two hosts is looked at with more care. */
bool finding_is_attack(enum finding_id id);
/* Does it keep its flow from teaching? A change for the better, said in
 * retrospect, does not, nor a client that is only perhaps not itself, or a
 * server whose new certificate is only perhaps not its own. Nor does an unknown
 * server that refuses EHLO and does not claim to know it: that it always does
 * would otherwise never be learned (A10). */
bool finding_is_suspicion(const struct finding *f);
/* How much was missing, and where: an operator may find out why. */
void finding_say_gaps(struct finding *n, const struct facts *f);

/* the rows */
detect_fn detect_strip, detect_mangled, detect_demanded, detect_verb; /* A */
detect_fn detect_refused, detect_aborted, detect_ehlo, detect_capability;
detect_fn detect_old_imap, detect_old_smtp, detect_ignored;
detect_fn detect_unlike_before, detect_auth_list; /* A11, A19 */
detect_fn detect_new_offer; /* A21 */
detect_fn detect_injected_text, detect_imap; /* B */
detect_fn detect_reset; /* C1-C7, C14: detect_reset.c */
detect_fn detect_conflict; /* C11: detect_inject.c */
detect_fn detect_hijack, detect_fin; /* C12, C13: detect_twice.c */
detect_fn detect_tls; /* D11-D13: detect_tls.c */
detect_fn detect_stack; /* D14: detect_stack.c */
detect_fn detect_port; /* D16: detect_port.c */
detect_fn detect_pinned; /* what the operator said of it */
detect_fn detect_cert; /* D1-D10: detect_cert.c */
detect_fn detect_creds, detect_plain_mail; /* E */
detect_fn detect_fallback; /* A7, A9, C9, C10 */

#endif
