/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Observations: what was on the wire. This is the one contract between the
 * half that sees packets and the half that judges.
 *
 * An observation is flat and self-contained: no pointers, every string inline
 * and capped, so that it can cross a process boundary as bytes, packed
 * (sensor/obs_pack.h). Only the first obs.size bytes of a struct obs are
 * meaningful; unused fields are zero. Strings are NUL-terminated and hold
 * printable ASCII: other bytes arrive as \xNN (obs_set_text() and
 * obs_copy_string() see to that). What stands behind the NUL of obs.text may be
 * anything.
 *
 * Secrets never enter an observation. Where a line carried one, its bytes are
 * replaced by OBS_MASK before the text is copied.
 *
 * Decoders know nothing of guilt: the names here say what was seen, never
 * what it means.
 */
#ifndef STRIPWIRE_OBS_H
#define STRIPWIRE_OBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/packet.h"
#include "decoders/slice.h"

#define OBS_TEXT_MAX 256 /* bytes of the wire shown with an observation */
#define OBS_NAME_MAX 256 /* host and user names, RFC 5321 4.5.3.1 */
#define OBS_WORDS_MAX 1024 /* a capability list; real ones are < 500 */
#define OBS_VERB_MAX 32
#define OBS_LINE_MAX 1008 /* LINE_KEEP and a NUL */
#define OBS_MASK "********" /* stands for a secret of any length */

enum dir { DIR_C2S = 0, DIR_S2C = 1 };

enum proto { /* what the bytes speak, found by content as well as by port */
	PROTO_UNKNOWN = 0,
	PROTO_SMTP,
	PROTO_IMAP,
	PROTO_POP3,
	PROTO_SIEVE, /* ManageSieve, RFC 5804 */
	PROTO_OTHER, /* not mail */
	PROTO_COUNT
};

/*
 * How far encryption has come on a flow. Decoder and TCP tracker stamp each
 * observation with the phase at its time.
 */
enum phase {
	PHASE_SYN = 0, /* TCP handshake not complete */
	PHASE_TEXT, /* plaintext dialogue */
	PHASE_TLS_ASKED, /* STARTTLS/STLS sent, no final reply yet */
	PHASE_TLS_READY, /* go-ahead seen, no TLS record yet */
	PHASE_TLS_HELLO, /* TLS handshake under way */
	PHASE_TLS_DONE, /* handshake complete, opaque */
	PHASE_OPAQUE, /* not followed any more (COMPRESS, not mail) */
	PHASE_CLOSING /* a FIN was seen, or QUIT/LOGOUT answered */
};

/* Times of packets lie in 0..OBS_TIME_MAX (the year 2116), so that a span of
 * time can be added to one, or taken from it, without care. */
#define OBS_TIME_MAX (INT64_MAX / 2)

/* The packet behind an observation. What `show` prints and --pcap rebuilds. */
struct pkt_ref {
	int64_t time; /* ns since the epoch */
	uint64_t ordinal; /* 0: none */
	uint32_t file, frame_no;
	uint32_t seq, ack; /* as on the wire */
	uint32_t len; /* payload bytes on the wire */
	uint16_t window;
	uint16_t ip_id;
	uint8_t ttl;
	uint8_t tcp_flags;
	uint8_t dir; /* enum dir */
	uint8_t pad;
	uint8_t fill[4]; /* 0: no byte of it is unset */
};

enum obs_kind {
	OBS_NONE = 0,
	/* the flow (TCP tracker) */
	OBS_FLOW_OPEN, /* .flow, always the first of its flow */
	OBS_FLOW_END, /* .end, always the last */
	OBS_RST, /* .rst, once settled */
	OBS_CONFLICT, /* .conflict, once settled */
	OBS_TWO_ANSWERS, /* .answers: SYN/ACKs that differ, pkt the later */
	OBS_FIN_UNDONE, /* .fin: pkt is a FIN that its sender contradicts */
	/* the dialogue (mail decoders) */
	OBS_PROXY, /* .proxy: a PROXY header came before it */
	OBS_GREETING, /* .greeting */
	OBS_CAPS, /* .caps: a list, or a refusal to give one */
	OBS_TLS_ASKED, /* .verb: client asked for TLS */
	OBS_TLS_ANSWERED, /* .answer: final reply to it */
	OBS_TEXT_BEFORE_TLS, /* .inject: bytes between asking and records */
	OBS_CLEAR_USE, /* .verb: MAIL, or a login command, in clear */
	OBS_AUTH, /* .auth: one exchange, with outcome if seen */
	OBS_VERB_UNKNOWN, /* .answer: server rejected a verb nobody has */
	OBS_TLS_DEMANDED, /* .answer: 530/NO "issue STARTTLS first" */
	OBS_MAIL_CONTENT, /* .content: a message went by in clear */
	OBS_IMAP_EARLY, /* .verb: data before authentication (B4) */
	OBS_IMAP_UNSOLICITED, /* .verb: tagged reply to an unsent tag (B5) */
	OBS_IMAP_CODE, /* .verb: REFERRAL or ALERT response code (B6); also
			  the REFERRAL of ManageSieve */
	OBS_QUIT, /* .verb: QUIT/LOGOUT */
	/* TLS */
	OBS_TLS_CLIENT_HELLO, /* .hello */
	OBS_TLS_SERVER_HELLO, /* .hello */
	OBS_TLS_CERT, /* .cert; the chain itself goes by .chain() */
	OBS_TLS_ALERT, /* .alert, plaintext alerts only */
	OBS_TLS_DONE, /* handshake complete; .done */
	OBS_TLS_APPDATA, /* first application data of the client */
	OBS_TLS_BROKEN, /* .verb: records do not parse, why */
	OBS_TLS_KEY_EXCHANGE, /* .kex: the server's, up to TLS 1.2 */
	/* the dialogue, line by line: only what mail_env.lines asks for */
	OBS_LINE, /* .line */
	OBS_KIND_COUNT
};

/* ---- the flow ---- */

enum vis { /* what was missing; 0 is "seen whole" */
	VIS_MIDSTREAM = 1 << 0, /* no handshake */
	VIS_ONE_WAY = 1 << 1, /* one direction never seen */
	VIS_GAP_C2S = 1 << 2, /* bytes of the client missing */
	VIS_GAP_S2C = 1 << 3,
	VIS_TRUNCATED = 1 << 4, /* frames cut by the snap length */
	VIS_AMBIGUOUS = 1 << 5, /* hosts may have seen other bytes */
	VIS_CUT = 1 << 6, /* ended by eviction or end of input */
	VIS_OVERLONG = 1 << 7 /* a line or list was longer than we keep */
};

struct obs_gap { /* payload of one direction that was not captured */
	uint32_t bytes; /* so far, in all; saturates */
	uint32_t at; /* bytes of that direction before the first; likewise */
};

struct obs_flow {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint16_t vlan[2];
	uint8_t nvlan;
	uint8_t v6;
	uint8_t client_ttl, server_ttl; /* 0: not seen yet */
	uint32_t vantage; /* where its first packet was seen: place of the
			     file in the input, or of the interface */
	int64_t start; /* time of its first packet */
	uint64_t public_id; /* EVE flow_id: obs_flow_id(), once somebody asked
			       for it, else 0 */
};

enum end_how {
	END_FIN = 1,
	END_RST,
	END_TIMEOUT,
	END_EVICTED,
	END_INPUT, /* end of input or shutdown */
	END_REUSED /* a new connection on the same four-tuple */
};

struct obs_end {
	uint8_t how; /* enum end_how */
	uint8_t closed_by; /* enum dir of the first FIN or RST */
	uint8_t quit; /* QUIT/LOGOUT was seen before */
	uint8_t client_ttl, server_ttl;
	uint64_t packets[2], bytes[2]; /* by enum dir; payload bytes */
	uint64_t gap[2]; /* payload bytes never seen */
	uint64_t unacked[2]; /* given to the decoder, and not acknowledged
				although the receiver spoke on */
	uint32_t bad_csum, dup, retrans;
	int64_t last; /* time of its last packet */
	uint32_t
	    rtt[2]; /* us from the sensor to that side and back; 0 unknown */
	uint32_t syn_signature[2]; /* hash of its SYN's options; 0 unknown */
	/* not judged, for who compares vantage points */
	uint64_t frame_bytes[2]; /* of whole frames, as on the wire */
	uint32_t isn[2]; /* initial sequence number of that side */
	uint8_t isn_known[2]; /* its SYN was seen, and this is it */
	uint8_t tcp_flags[2]; /* of all its packets, together */
};

/* What was found about a RST (tests: Weaver, Sommer, Paxson, NDSS 2009). */
enum rst_test {
	RST_DATA_AFTER = 1 << 0, /* C1: sender went on at or beyond it */
	RST_BEHIND_DATA = 1 << 1, /* C2: number behind data already sent */
	RST_SEQ_CHANGE = 1 << 2, /* C3: later RST with a higher number */
	RST_ACK_CHANGE = 1 << 3, /* C4 */
	RST_SYN_RACE = 1 << 4, /* C5: SYN/ACK after a RST to the SYN */
	RST_BLIND = 1 << 5, /* C6: in window, not exact; flow goes on */
	RST_TTL = 1 << 6, /* C14: TTL off the sender's base */
	RST_UNASKED = 1 << 7, /* C14: no ACK flag, answers no segment */
	RST_IP_ID = 1 << 8, /* C14: IP id unlike this host's */
	RST_OLD_TTL = 1 << 9, /* C14: second RST with the old TTL */
	/* circumstances that speak for a lawful RST */
	RST_AFTER_FIN = 1 << 10, /* a FIN of either side before it */
	RST_ANSWERS_ACK = 1 << 11, /* no ACK flag, seq is an ACK seen */
	RST_IDLE = 1 << 12, /* C15: idle for over 60 s before */
	RST_AFTER_QUIT = 1 << 13,
	RST_CROSSED = 1 << 14, /* peer's data was in flight (unread data) */
	RST_EXACT = 1 << 15, /* number is exactly the next expected */
	/* more about the sender */
	RST_ALIVE = 1 << 16, /* it acknowledged what came after its reset */
	RST_SAME_AFTER = 1 << 17, /* it sent on: next segment, or again */
	RST_TRAIN = 1 << 18, /* 3 or more numbers that nobody acknowledged */
	/* and one more that speaks for a lawful RST */
	RST_SILENT = 1 << 19 /* C15: a side had said nothing for over 60 s */
};

/* Where a reset's number lies for its receiver, which obeys it or not by that
 * (rules/rst_truth.h). The further down, the more receivers obey. */
enum rst_place {
	RST_AT_UNKNOWN = 0, /* nothing of the receiver was seen */
	RST_AT_OUTSIDE, /* below what it has, or beyond its window */
	RST_AT_SYN_OTHER, /* it sent a SYN, which this does not acknowledge */
	RST_AT_OVER, /* next, and both had closed and knew of it */
	RST_AT_FIN, /* of the FIN that it has acknowledged */
	RST_AT_SENT, /* not yet acknowledged, and more had been sent */
	RST_AT_WINDOW, /* in its window, and not the next one */
	RST_AT_SYN_RECEIVED, /* likewise, its handshake is not complete */
	RST_AT_NEXT, /* exactly the next one */
	RST_AT_SYN, /* it sent a SYN, which this acknowledges */
	RST_AT_COUNT
};

enum rst_tool { /* C7: known fingerprints */
	TOOL_NONE = 0,
	TOOL_TCPKILL,
	TOOL_LIBNIDS_KILL,
	TOOL_IPS_REJECT,
	TOOL_RAE,
	TOOL_TRAIN_1460
};

struct obs_rst {
	uint32_t tests; /* enum rst_test */
	uint32_t count; /* RSTs of this sender within 2 s of the first */
	int32_t seq_off; /* first RST's number - sender's next number */
	uint8_t tool; /* enum rst_tool */
	uint8_t ttl_base; /* sender's usual TTL, 0 unknown */
	uint8_t ttl_rst;
	uint8_t first_phase; /* enum phase when the first RST arrived */
	uint8_t place; /* enum rst_place, the furthest of all of them */
	int32_t place_off; /* that one's number - the next its receiver has */
	uint8_t has_mac;
	uint8_t mac[6]; /* source of the frame of obs.pkt */
	uint8_t odd_mac; /* all other frames of the sender come from mac_base */
	uint8_t mac_base[6];
	uint32_t data_after; /* bytes the sender sent on at or beyond it */
	int64_t idle; /* ns since the flow's packet before it */
	struct pkt_ref next; /* packet that proves: data, SYN/ACK, 2nd RST */
};

/* Which version its receiver used, and how that is known. */
enum used_by {
	USED_UNKNOWN = 0,
	USED_FIRST_ACKED, /* acknowledged before the second came */
	USED_FIRST_SUM, /* the second has a wrong checksum: hosts drop it */
	USED_FIRST_END, /* acknowledged just to the end of the first */
	USED_FIRST_ECHO, /* the acknowledgement echoes its timestamp */
	USED_FIRST_DUP, /* the second was reported as a duplicate */
	USED_SECOND_SUM, /* the first has a wrong checksum */
	USED_SECOND_END /* acknowledged just to the end of the second */
};

struct obs_conflict { /* C11 */
	uint32_t seq; /* absolute number of the first differing byte */
	uint32_t len; /* bytes compared */
	uint32_t diff; /* bytes that differ; 0 if hashed */
	uint8_t used_first; /* 1: what was delivered is the first version */
	uint8_t used_by; /* enum used_by: what the receiver took */
	uint8_t acked_between; /* receiver acked the first before the second */
	uint8_t csum_bad; /* the second had a wrong checksum */
	uint8_t masked; /* texts are masked by class, not clear */
	/* 1: the first version, 2: the second one */
	uint8_t odd_mac; /* not from where the sender's frames come */
	uint8_t odd_ts; /* without the timestamps agreed on, or others */
	uint8_t hashed; /* compared by hash: seq is where the bytes that were
			   compared begin, there are no texts */
	struct pkt_ref other; /* packet with the second version */
	char first[96], second[96]; /* around the first difference */
};

struct obs_answers { /* C12 */
	struct pkt_ref first; /* the SYN/ACK that came first */
	uint8_t again; /* the SYN was sent again, or was not seen */
	uint8_t taken; /* the client had gone on from the first */
};

struct obs_fin { /* C13 */
	struct pkt_ref data; /* what the sender sent beyond its FIN */
	uint32_t beyond; /* bytes of it at and beyond the FIN's number */
	uint8_t acked; /* the receiver had acknowledged the FIN */
	uint8_t behind; /* the data came first */
};

/* ---- the dialogue ---- */

/* Bytes that hosts read in different ways; seen so far in the flow. */
enum oddity {
	ODD_BARE_LF = 1 << 0, /* a line of the dialogue without CR */
	ODD_NUL = 1 << 1, /* a NUL in a line */
	ODD_DOT = 1 << 2 /* in a message, a dot alone that is not its end to
			    all: SMTP smuggling. Then also VIS_AMBIGUOUS */
};

struct obs_proxy { /* what the proxy says; nobody else vouches for it */
	uint8_t version; /* of the header, 1 or 2 */
	uint8_t known; /* it names addresses: the rest holds */
	uint16_t client_port, server_port;
	struct addr client, server;
};

enum greeting_kind {
	GREETING_OK = 1, /* 220, * OK, +OK */
	GREETING_PREAUTH,
	GREETING_REFUSED /* 554/4xx/5xx, * BYE, -ERR */
};

struct obs_greeting {
	uint8_t kind; /* enum greeting_kind */
	uint8_t has_caps; /* IMAP: [CAPABILITY ...] inside, OBS_CAPS follows;
			     ManageSieve: a list, OBS_CAPS before it */
	uint16_t code; /* SMTP */
	char host[OBS_NAME_MAX]; /* name the server gave itself, or "" */
	/* the whole greeting is in obs.text */
};

enum caps_source {
	CAPS_EHLO = 1, /* also LHLO */
	CAPS_HELO, /* no list: words is empty */
	CAPS_GREETING, /* IMAP [CAPABILITY] in it, ManageSieve: before it */
	CAPS_UNTAGGED, /* IMAP * CAPABILITY, asked for or not; ManageSieve */
	CAPS_CODE, /* IMAP [CAPABILITY] in a later reply */
	CAPS_CAPA /* POP3 */
};

struct obs_caps {
	uint8_t source; /* enum caps_source */
	uint8_t complete; /* seen whole, no gap, nothing left out */
	uint8_t refused; /* the command was refused */
	uint8_t after_auth;
	uint16_t code; /* SMTP reply code */
	uint8_t starttls; /* STARTTLS or STLS stands in it, any case */
	uint8_t logindisabled;
	uint32_t mechs; /* 1 << enum sasl_mech, see sasl.h */
	uint16_t nwords;
	uint16_t nlines;
	char name[OBS_NAME_MAX]; /* EHLO/HELO argument */
	char words[OBS_WORDS_MAX]; /* one capability a line, '\n' between;
				      ends with the observation */
};

struct obs_verb {
	char verb[OBS_VERB_MAX]; /* upper case, e.g. "MAIL", "LOGIN" */
	uint16_t code; /* reply code where one belongs to it, else 0 */
	uint8_t ok; /* the server accepted it */
	uint8_t repeated; /* not the first of its kind in this flow */
};

enum answer_kind {
	ANSWER_POSITIVE = 1, /* 220, tag OK, +OK */
	ANSWER_TEMPFAIL, /* 4xx */
	ANSWER_PERMFAIL, /* 5xx, NO, BAD, -ERR */
	ANSWER_INVALID /* a code the command does not know (A8) */
};

struct obs_answer {
	uint8_t kind; /* enum answer_kind */
	uint8_t in_tls; /* asked inside TLS already */
	uint16_t code; /* SMTP */
	char verb[OBS_VERB_MAX]; /* the command it answers */
	uint8_t hidden; /* VERB_UNKNOWN: verb shows classes, not letters */
};

struct obs_inject { /* B1, B2: obs.dir says who sent it */
	uint32_t bytes; /* how many, before the answer or the records */
	uint8_t before_answer; /* client's: came before the positive reply */
	uint8_t tls_followed; /* a TLS record followed in that direction */
	uint8_t is_tls; /* they are themselves a TLS record (eager) */
	uint8_t lines; /* complete lines among them */
};

enum auth_outcome {
	AUTH_UNKNOWN = 0, /* no reply seen */
	AUTH_OK,
	AUTH_FAILED,
	AUTH_ABORTED /* "*", empty, or refused before the secret was sent */
};

struct obs_auth {
	uint8_t mech; /* enum sasl_mech */
	uint8_t outcome; /* enum auth_outcome */
	uint8_t secret_sent; /* a reusable secret crossed the wire in clear */
	uint8_t response_sent; /* challenge-response proof was sent */
	uint16_t code;
	uint16_t secret_len; /* bytes */
	uint64_t secret_id; /* keyed hash, key of this process; 0 none */
	struct pkt_ref secret_pkt; /* packet that completed the secret */
	char mech_name[OBS_VERB_MAX]; /* "LOGIN", "PLAIN", "USER/PASS", ... */
	char user[OBS_NAME_MAX];
};

enum obs_line_what {
	LINE_COMMAND = 0, /* of the client */
	LINE_REPLY, /* of the server; of a reply in several lines each */
	LINE_HELO, /* the argument of HELO, EHLO or LHLO */
	LINE_MAIL_FROM, /* <address>, as it was sent */
	LINE_RCPT_TO,
	LINE_WHAT_COUNT
};

/* A line as it was on the wire, without its end. What is or may be a secret
 * is overwritten: what is known by OBS_MASK, what is not by its class. */
struct obs_line {
	uint8_t what; /* enum obs_line_what */
	uint8_t cut; /* it was longer */
	uint8_t names; /* a user's name may be in it */
	uint16_t len;
	char bytes[OBS_LINE_MAX]; /* any byte; also ended by a NUL */
};

struct obs_content { /* E6 */
	uint64_t bytes;
	uint8_t protected_; /* 1 PGP, 2 S/MIME, 0 neither seen */
};

/* ---- TLS ---- */

#define OBS_TLS_LIST_MAX 96 /* suites or extensions kept; all are hashed */
#define OBS_TLS_GROUPS_MAX 24
#define OBS_TLS_SHARES_MAX 8
#define OBS_JA3_MAX 33 /* with the NUL */
#define OBS_JA4_MAX 37

enum ticket { /* RFC 5077 */
	TICKET_NONE = 0,
	TICKET_KNOWN, /* client: takes tickets; server: will send one */
	TICKET_SENT /* client: brings one */
};

struct obs_hello {
	uint16_t legacy_version; /* client_version / server_version field */
	uint16_t version; /* highest offered / really chosen */
	uint16_t record_version;
	uint16_t suite; /* server: chosen */
	uint16_t group; /* server: key_share group, 0 none */
	uint8_t sslv2;
	uint8_t sentinel; /* server: 1 = DOWNGRD\x01 (1.2), 2 = \x00 */
	uint8_t retry; /* server: HelloRetryRequest */
	uint8_t resumed; /* server: session id echoed, or PSK chosen */
	uint8_t offers_13; /* client: 1.3 in supported_versions */
	uint8_t fallback_scsv;
	uint8_t has_sni, ech, early_data;
	uint8_t psk; /* client: offered; server: taken */
	uint8_t ticket; /* enum ticket */
	uint8_t grease; /* client: RFC 8701 values among suites, extensions,
			   groups or versions */
	uint8_t session_id_len;
	uint8_t scts; /* server: time stamps of certificate transparency in
			 the handshake (RFC 6962 3.3.1); none in TLS 1.3 */
	uint16_t nsuites, nexts, ngroups, nshares; /* all, also those not
						      kept */
	uint16_t groups[OBS_TLS_GROUPS_MAX]; /* client, in its order */
	uint16_t shares[OBS_TLS_SHARES_MAX]; /* groups of its key shares */
	char sni[OBS_NAME_MAX];
	char alpn[OBS_VERB_MAX]; /* client: its first; server: chosen */
	char ja3[OBS_JA3_MAX]; /* server: JA3S; "": not known */
	char ja4[OBS_JA4_MAX]; /* client */
	uint8_t random[32];
	uint16_t suites[OBS_TLS_LIST_MAX];
	uint16_t exts[OBS_TLS_LIST_MAX];
};

struct obs_cert {
	uint8_t chain_id[32]; /* SHA-256 over the chain as sent */
	uint8_t from_server;
	uint8_t count; /* certificates in the message */
	uint8_t scts; /* as in the ServerHello before it */
	uint32_t bytes;
};

struct obs_alert {
	uint8_t level, description; /* RFC 8446 6 */
};

enum kex_how { KEX_DH = 1, KEX_ECDH, KEX_RSA };

struct obs_kex {
	uint8_t how; /* enum kex_how; KEX_RSA: a short key for export */
	uint16_t group; /* named curve, 0 none */
	uint16_t bits; /* of prime, curve or modulus; 0 not known */
};

enum tls_said { /* messages seen in clear besides; none in TLS 1.3 */
	SAID_STATUS = 1 << 0, /* a stapled OCSP response */
	SAID_CERT_REQUEST = 1 << 1, /* the server asked for a certificate */
	SAID_CLIENT_CERT = 1 << 2, /* and the client has one */
	SAID_TICKET = 1 << 3, /* the server gave a ticket */
	SAID_HELLO_REQUEST = 1 << 4, /* the server wants to renegotiate */
	SAID_HELLO_AGAIN = 1 << 5, /* a second ClientHello, not asked for */
	SAID_COMPRESSED = 1 << 6 /* a certificate in compressed form */
};

/* The server's flight: from the ClientHello to what the client says next. All
 * that TLS 1.3 shows of a chain is its size. */
struct obs_done {
	uint16_t version, suite;
	uint8_t resumed;
	uint8_t said; /* enum tls_said */
	uint16_t flight_records; /* saturates */
	uint32_t flight; /* bytes in them; 0: not known (gap, early data) */
	uint32_t flight_us; /* between first and last of them; saturates */
};

struct obs {
	uint16_t kind; /* enum obs_kind */
	uint16_t size; /* bytes of this struct in use */
	uint8_t dir; /* enum dir: who sent the bytes */
	uint8_t proto; /* enum proto, as known at that time */
	uint8_t phase; /* enum phase before it */
	uint8_t implicit_tls; /* TLS from the first byte (465, 993, 995) */
	uint32_t vis; /* enum vis so far */
	uint8_t oddities; /* enum oddity so far (mail decoders) */
	uint8_t text_len, name_len, has_gap; /* sensor/obs_pack.h; else 0 */
	uint64_t flow; /* number of the flow, unique in the run */
	int64_t time; /* ns: when it was complete; monotonic in a flow */
	struct pkt_ref pkt; /* packet that completed the unit */
	char text[OBS_TEXT_MAX]; /* bytes of the wire, masked; may be "" */
	struct obs_gap gap[2]; /* by enum dir */
	union {
		struct obs_flow flow_open;
		struct obs_end end;
		struct obs_rst rst;
		struct obs_conflict conflict;
		struct obs_answers answers;
		struct obs_fin fin;
		struct obs_proxy proxy;
		struct obs_greeting greeting;
		struct obs_caps caps;
		struct obs_verb verb;
		struct obs_answer answer;
		struct obs_inject inject;
		struct obs_auth auth;
		struct obs_content content;
		struct obs_hello hello;
		struct obs_cert cert;
		struct obs_alert alert;
		struct obs_done done;
		struct obs_kex kex;
		struct obs_line line;
	} u;
};

/* Clears what OBS kind needs and sets kind and size. */
void obs_init(struct obs *o, enum obs_kind kind);

/* The same for OBS_CAPS with these words, len of them without a NUL. */
void obs_init_caps(struct obs *o, const char *words, size_t len);

/* Size of an observation of this kind: header, text and its union member. Of
 * OBS_LINE and OBS_CAPS, whose last field is long, it is the most; theirs goes
 * up to the NUL that ends it. */
uint16_t obs_size(enum obs_kind kind);

/* One that came from another process, len bytes of it: false if it is none;
 * else strings end, times are such, and what indexes tables lies in them. */
bool obs_check(struct obs *o, size_t len) __attribute__((warn_unused_result));

/* Copies at most cap-1 bytes of printable form of s into dst, NUL-terminated.
 * Bytes outside 0x20..0x7e become \xNN; CR and LF at the end are dropped,
 * inside they become \r and \n. Returns false if it did not all fit. */
bool obs_copy_string(char *dst, size_t cap, struct slice s);

/* A number for the connection, 1 to 2^51 - 1, the same in every run, whoever
 * captured it: of its hosts, ports and first packet's time. */
uint64_t obs_flow_id(const struct obs_flow *f);

/* "192.0.2.1", "2001:db8::1"; returns buf. */
char *obs_addr(char *buf, size_t cap, const struct addr *a);

/* obs.text from bytes of the wire; the caller has masked them. */
void obs_set_text(struct obs *o, struct slice s);

const char *obs_kind_name(enum obs_kind kind);
const char *proto_name(enum proto proto); /* "smtp", "managesieve", ... */
bool proto_is_mail(enum proto proto); /* known, and one that we decode */
const char *phase_name(enum phase phase);

/* One line for logs, tests and `-v`: fixed field order, no addresses of
 * memory, no times unless with_time. Returns buf. Used by the dialogue tests
 * as the form of the expected result, so it shows every judged field. */
char *obs_format(char *buf, size_t cap, const struct obs *o, bool with_time);

/*
 * Where decoders and tracker put observations. The sink copies what it keeps:
 * o and der live until the call returns; on its way out o is stamped with what
 * the decoder does not know (flow, vis, gap, time). chain() is called before the
 * OBS_TLS_CERT with the same chain_id, at least the first time a chain is
 * seen; der[] are the certificates in the order sent, leaf first.
 */
struct obs_sink {
	void (*emit)(void *ctx, struct obs *o);
	void (*chain)(void *ctx, const uint8_t chain_id[32],
	    const struct slice *der, unsigned n);
	/* a stapled OCSP response (RFC 6066 8) about the server's chain of
	 * this flow; NULL: not wanted */
	void (*staple)(void *ctx, const uint8_t chain_id[32],
	    struct slice response, int64_t time);
	void *ctx;
};

#endif
