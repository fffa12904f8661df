/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A finding: a detector's yes, with its evidence, a confidence and what could
 * not be seen. The names are those of the catalogue; finding.c holds one table
 * with name, title, whose side the cause may sit on, and what to do next.
 */
#ifndef STRIPWIRE_FINDING_H
#define STRIPWIRE_FINDING_H

#include "decoders/obs.h"

enum finding_id {
	FIND_NONE = 0,
	FIND_STARTTLS_STRIPPED,
	FIND_STARTTLS_MANGLED,
	FIND_STARTTLS_REFUSED,
	FIND_STARTTLS_IGNORED,
	FIND_STARTTLS_COMMAND_INJECTION,
	FIND_STARTTLS_RESPONSE_INJECTION,
	FIND_TLS_ABORTED_AFTER_STARTTLS,
	FIND_PLAINTEXT_FALLBACK,
	FIND_EHLO_REFUSED,
	FIND_CAPABILITY_REFUSED,
	FIND_PROTOCOL_DOWNGRADE,
	FIND_AUTH_DOWNGRADE,
	FIND_IMAP_PREAUTH,
	FIND_IMAP_DATA_BEFORE_AUTH,
	FIND_IMAP_UNSOLICITED_REPLY,
	FIND_IMAP_REFERRAL,
	FIND_IMAP_ALERT_IN_CLEAR,
	FIND_RST_INJECTED,
	FIND_FIN_INJECTED,
	FIND_TCP_CONTENT_CONFLICT,
	FIND_HANDSHAKE_HIJACK,
	FIND_CERT_SELF_SIGNED,
	FIND_CERT_CHANGED,
	FIND_CERT_NAME_MISMATCH,
	FIND_CERT_EXPIRED,
	FIND_CERT_NOT_YET_VALID,
	FIND_CERT_INCOMPLETE_CHAIN,
	FIND_CERT_UNTRUSTED,
	FIND_CERT_WEAK_KEY,
	FIND_CERT_WEAK_SIGNATURE,
	FIND_CERT_BAD_USAGE,
	FIND_CERT_INTERCEPTOR,
	FIND_CERT_REVOKED,
	FIND_CERT_BAD_ACCEPTED,
	FIND_CERT_REJECTED_BY_CLIENT,
	FIND_TLS_OLD_VERSION,
	FIND_TLS_WEAK_CIPHER,
	FIND_TLS_DOWNGRADE,
	FIND_TLS_FINGERPRINT_CHANGED,
	FIND_PLAINTEXT_CREDENTIALS,
	FIND_CHALLENGE_RESPONSE_IN_CLEAR,
	FIND_PLAINTEXT_MAIL,
	FIND_TLS_PORT_MISMATCH,
	/* the sensor itself: no connection (judge_sensor()) */
	FIND_SENSOR_RESTARTED,
	FIND_SENSOR_PACKETS_LOST,
	FIND_SENSOR_ALERTS_LOST,
	FIND_COUNT
};

enum severity { SEV_INFO = 0, SEV_LOW, SEV_MEDIUM, SEV_HIGH, SEV_CRITICAL };

/* Named pieces of evidence that rules can ask for (`evidence:`). */
enum evidence_tag {
	EVT_DURING_TLS_HANDSHAKE = 1 << 0,
	EVT_INVALID_REPLY = 1 << 1,
	EVT_SELECTIVE = 1 << 2,
	EVT_FIRST_SIGHT = 1 << 3, /* so since the server was first seen */
	EVT_WAS_TRUSTED = 1 << 4, /* the server had a trusted one before */
	EVT_AFTER_FORGED_RST = 1 << 5,
	EVT_KNOWN_TOOL = 1 << 6,
	EVT_SAME_CONNECTION = 1 << 7,
	EVT_NO_HISTORY = 1 << 8,
	EVT_NO_SNI = 1 << 9,
	EVT_OPPORTUNISTIC = 1 << 10, /* server-to-server mail, port 25 */
	EVT_AFTER_ATTACK = 1 << 11, /* a stripping, refusal or reset came
				       before on this pair (E5) */
	EVT_WAS_TLS = 1 << 12, /* history says TLS here */
	/* bytes that hosts read in different ways, enum oddity */
	EVT_BARE_LF = 1 << 13,
	EVT_NUL = 1 << 14,
	EVT_ODD_DOT = 1 << 15,
	EVT_ALL_CLIENTS = 1 << 16, /* so for all clients of the server */
	EVT_STARTTLS_IS_NEW = 1 << 17, /* never offered before */
	EVT_PINNED = 1 << 18 /* not what the operator pinned */
};

#define FINDING_EVIDENCE_MAX 10
#define FINDING_SENTENCE_MAX 200

struct evidence {
	int16_t weight; /* what it added to the confidence; 0: says only */
	char text[FINDING_SENTENCE_MAX]; /* a sentence for people */
};

struct finding {
	uint16_t id; /* enum finding_id */
	uint8_t confidence; /* 0-100; >= 85 high, 50-84 medium, < 50 low */
	uint8_t nevidence;
	uint8_t quiet; /* counted; an earlier alert speaks for it */
	uint32_t tags; /* enum evidence_tag */
	uint32_t vis; /* enum vis, inherited from the flow */
	uint64_t flow;
	int64_t time; /* ns: when it happened (not when it settled) */
	struct pkt_ref pkt; /* the packet that was wrong, ordinal 0: none */
	struct evidence evidence[FINDING_EVIDENCE_MAX];
	char advice[256]; /* "": the table's */
	char where[160]; /* where the cause may sit; "": the table's */
	/* what a rule or a reader may want by name */
	char user[OBS_NAME_MAX];
	char mech[OBS_VERB_MAX];
	char cert_sha256[65]; /* hex, "" if none */
};

struct finding_info {
	const char *name; /* "starttls-stripped" */
	const char *title; /* "STARTTLS stripped from the capability list" */
	const char *where; /* where the cause may sit */
	const char *advice; /* what to do next */
};

const struct finding_info *finding_info(enum finding_id id);
enum finding_id finding_by_name(const char *name); /* FIND_NONE: unknown */
const char *severity_name(enum severity s);
int severity_by_name(const char *name); /* -1 unknown */
const char *evidence_tag_name(uint32_t tag); /* "during-tls-handshake" */
uint32_t evidence_tag_by_name(const char *name); /* 0 unknown */

/* Pieces of evidence that there are none of stay as they were. */
void finding_init(struct finding *f, enum finding_id id, const struct obs *o);
void finding_copy(struct finding *to, const struct finding *f);
/* The sentence that weighs most, which says best what was seen; "": none. */
const char *finding_best_evidence(const struct finding *f);
/* Adds weight to the confidence (clamped to 0..100) and, if there is room, the
 * sentence. printf-like. */
void finding_add(struct finding *f, int weight, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
