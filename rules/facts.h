/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of one flow so far: observations folded into one struct, and
 * parts that are there once something is known of them. Detectors read it and
 * never write it. Times are ns of packet time, 0 where it did not happen;
 * packets have ordinal 0 where there was none.
 *
 * Detectors are asked AFTER the observation was folded: at the first
 * OBS_CLEAR_USE, f->clear.count is 1.
 */
#ifndef STRIPWIRE_FACTS_H
#define STRIPWIRE_FACTS_H

#include "decoders/x509.h"
#include "rules/blocks.h"
#include "rules/finding.h"

#define FACTS_AUTHS 8 /* different (mechanism, user) pairs told apart */

/* Something that happened: when, and in which packet. */
struct moment {
	int64_t time; /* 0: it did not */
	struct pkt_ref pkt;
};

/* The same of which nobody asks the packet. */
struct instant {
	int64_t time; /* 0: it did not */
};

struct facts_greeting {
	struct moment at;
	uint32_t shape; /* hash of it without names and numbers */
	uint32_t machine; /* of shape and host without a list; 0 unknown */
	uint16_t code;
	uint8_t kind; /* enum greeting_kind, 0: not seen */
	uint8_t masked; /* A4: mostly asterisks */
	uint8_t esmtp; /* says ESMTP */
	uint8_t old_imap; /* A18: IMAP2, no IMAP4rev1 or rev2 */
	const char *host; /* name the server gave itself, or "" */
};

/* The last capability list in clear and before authentication. */
struct facts_caps {
	struct moment at;
	uint8_t source; /* enum caps_source, 0: none seen */
	uint8_t complete; /* seen whole: absence may be argued from it */
	uint8_t starttls, logindisabled;
	uint8_t demanded; /* server: "issue STARTTLS first" */
	uint8_t lists; /* how many so far, capped */
	/* over all lists of the flow */
	uint8_t ever_starttls, ever_logindisabled;
	/* the command itself */
	uint8_t refused; /* EHLO/CAPA/CAPABILITY refused (last one) */
	uint8_t refused_for_now; /* [SYS/TEMP], [UNAVAILABLE] */
	uint8_t helo; /* HELO accepted */
	uint16_t refused_code;
	uint32_t mechs; /* 1 << enum sasl_mech */
	uint16_t room; /* bytes for these two */
	const char *name; /* EHLO argument */
	const char *words; /* '\n' between */
};

struct facts_tls {
	uint8_t known; /* something of all this */
	struct instant asked, client_hello, done, appdata, broken;
	struct moment answered, server_hello, alert;
	struct moment text; /* first use in clear after the go-ahead */
	uint8_t answer; /* enum answer_kind, 0: none yet */
	uint8_t anonymous; /* asked for by X-ANONYMOUSTLS */
	uint16_t answer_code;
	/* client */
	uint16_t offered; /* highest version */
	uint8_t offers_13, fallback_scsv, has_sni, ech, early_data;
	uint8_t client_hellos;
	uint8_t brought_ticket; /* or a key of an earlier session (PSK) */
	const char *sni; /* first ClientHello, as the next two; or "" */
	char ja3[OBS_JA3_MAX], ja4[OBS_JA4_MAX]; /* "": not known */
	/* server */
	char ja3s[OBS_JA3_MAX]; /* holds the order of its extensions */
	uint16_t version, suite, group; /* chosen, 0: not seen */
	uint8_t sentinel, resumed;
	uint8_t said; /* enum tls_said, once done */
	uint16_t kex_bits; /* of DH, curve or short RSA key; 0: not seen */
	uint32_t flight; /* bytes of the server's flight, 0: not known */
	/* the first fatal or certificate alert before completion */
	uint8_t alert_dir, alert_level, alert_code;
	/* plaintext where TLS was due */
	uint8_t text_c2s, text_s2c;
	/* the server's chain */
	uint8_t has_chain;
	uint8_t have_leaf; /* a verdict was there: the rest holds */
	uint8_t leaf_trusted, leaf_self_signed;
	uint8_t leaf_key_type; /* enum key_type */
	int64_t leaf_not_before, leaf_not_after; /* s since the epoch */
	uint32_t leaf_domains[2]; /* see renewal_domains() */
	uint8_t chain_id[32], leaf_spki[32], leaf_issuer[32];
};

struct facts_clear { /* use of the mail service without TLS */
	struct instant at; /* first */
	struct instant accepted; /* first that the server accepted */
	uint16_t count;
	char verb[OBS_VERB_MAX]; /* first */
};

struct facts_auth {
	struct instant secret; /* first reusable secret in clear */
	struct instant ok; /* first success */
	uint64_t user[FACTS_AUTHS]; /* those seen, nseen of them: hash */
	uint8_t mech[FACTS_AUTHS]; /* likewise */
	uint16_t exchanges;
	uint8_t nseen;
	uint8_t fresh; /* the one just folded is not among earlier ones */
};

struct facts_rst {
	struct moment at; /* first one */
	uint32_t tests; /* of all, enum rst_test */
	uint8_t phase; /* enum phase at the first */
	uint8_t forged; /* confidence of rst-injected on one of them, or 0 */
};

struct facts_odd { /* a verb nobody has, refused by the server */
	struct moment at; /* first that may be a spoilt STARTTLS */
	uint8_t damage; /* enum word_damage */
	char verb[OBS_VERB_MAX];
};

struct facts_rare { /* what few flows have; parts as below */
	const struct facts_rst *rst; /* [2], by enum dir of the sender */
	const struct facts_odd *odd;
	const struct moment *refused; /* caps.refused */
	const struct obs_proxy *proxied; /* version 0: no PROXY header */
	struct obs_gap gap[2]; /* by enum dir */
	uint8_t confidence[FIND_COUNT]; /* of the last finding of each kind */
};

struct facts {
	uint64_t flow;
	struct obs_flow who;
	int64_t last; /* time of the last observation */
	int64_t quit;
	int64_t last_packet; /* once ended */
	uint64_t raised; /* 1 << enum finding_id, so far */
	uint32_t vis; /* enum vis, all so far */
	uint32_t retrans; /* segments sent again, once ended */
	uint32_t
	    rtt[2]; /* us from the sensor to that side and back, 0 unknown */
	uint32_t syn_signature[2]; /* hash of its SYN's options, 0 unknown */
	uint32_t alert_text; /* IMAP [ALERT] before TLS, hash; 0 none */

	uint8_t oddities; /* enum oddity, all so far */
	uint8_t proto, phase, implicit_tls;
	uint8_t ended; /* enum end_how, 0: still open */
	uint8_t closed_by; /* enum dir, once ended */
	uint8_t server_ttl;
	uint8_t preauth; /* IMAP: authenticated by the greeting */

	uint8_t suspicious; /* highest confidence of a sign of interference;
			       a flow under suspicion never teaches */
	uint8_t taught; /* it has taught already */
	uint8_t quiet; /* one alert speaks for all clients of the server */

	/* The parts, never NULL: of what nothing is known all is zero. */
	const struct facts_greeting *greeting;
	const struct facts_caps *caps;
	const struct facts_tls *tls;
	const struct facts_clear *clear;
	const struct facts_auth *auth;
	const struct facts_rare *rare;
};

/* Bytes of all that may be known of one, the parts and their texts. */
#define FACTS_MAX                                                      \
	(sizeof(struct facts_greeting) + sizeof(struct facts_caps) +   \
	    sizeof(struct facts_tls) + sizeof(struct facts_clear) +    \
	    sizeof(struct facts_auth) + 2 * sizeof(struct facts_rst) + \
	    sizeof(struct facts_odd) + sizeof(struct obs_proxy) +      \
	    sizeof(struct moment) + sizeof(struct facts_rare) +        \
	    3 * OBS_NAME_MAX + OBS_WORDS_MAX)

/* Of a flow of which nothing is known. */
void facts_init(struct facts *f);
void facts_begin(struct facts *f, const struct obs *open);
/* Folds one observation; where memory is lacking, what it tells is not known.
 * b: what the parts are made of, the same one always.
 * v: verdict of the chain of an OBS_TLS_CERT, or NULL */
void facts_fold(struct facts *f, struct blocks *b, const struct obs *o,
    const struct chain_verdict *v);
/* A finding was raised on it. */
void facts_raise(struct facts *f, struct blocks *b, const struct finding *n);
/* The RST just folded is a forged one, as surely as that. */
void facts_forge(struct facts *f, enum dir dir, uint8_t confidence);
/* Gives the parts back. */
void facts_fini(struct facts *f, struct blocks *b);

/* An alert about the peer's certificate: bad_certificate .. certificate_unknown,
 * unknown_ca (D10). */
bool facts_is_cert_alert(uint8_t description);

/* "STARTTLS"; for POP3 "STLS"; or what else it was asked for by. */
const char *facts_tls_verb(const struct facts *f);

bool facts_raised(const struct facts *f, enum finding_id id);

/* Between the go-ahead (or the first hello of implicit TLS) and the end of the
 * handshake, at that time. */
bool facts_in_handshake(const struct facts *f, int64_t time);

/* How an attempt to get TLS came to nothing. */
enum tls_fail {
	TLS_NO_FAIL = 0, /* not tried, done, or still under way */
	TLS_FAIL_REFUSED, /* the server said no */
	TLS_FAIL_TEXT, /* go-ahead, then plaintext went on */
	TLS_FAIL_ALERT,
	TLS_FAIL_RST,
	TLS_FAIL_FIN,
	TLS_FAIL_SILENCE,
	TLS_FAIL_VERSION, /* an alert: one of them is too old for the other */
	TLS_FAIL_UNANSWERED /* asked for, and then there was an end */
};
/* at: when, and the packet; may be NULL. */
enum tls_fail facts_tls_failed(const struct facts *f, struct moment *at);
const char *tls_fail_name(enum tls_fail how); /* for sentences */

/* Was the attempt broken off (how, at) before any ClientHello by the client's
 * own will, or by a server that waited long for one? A reset of the client is
 * its own unless judged forged. */
bool facts_is_probe(
    const struct facts *f, enum tls_fail how, const struct moment *at);
/* Was it the client that closed or reset, with no sign that somebody else did
 * so in its name? */
bool facts_left_by_client(
    const struct facts *f, enum tls_fail how, const struct moment *at);
/* Did a reset of the server, not of the client, end it? */
bool facts_rst_of_server(const struct facts *f, const struct moment *at);
/* Confidence of the likelier forged reset of the two sides, or 0. */
uint8_t facts_forged_rst(const struct facts *f);

#endif
