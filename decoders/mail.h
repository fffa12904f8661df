/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The decoder of one mail connection: ordered bytes of both directions in,
 * observations out. It finds out which protocol it is, hands the bytes to
 * smtp.c, imap.c, pop3.c or sieve.c, and after STARTTLS/STLS (or at once, where the
 * first byte is a TLS record) to tls_record.c. It knows nothing of packets
 * beyond the pkt_ref that comes with each run of bytes, nothing of flows, and
 * nothing of guilt.
 *
 * Contract: the observations are the same however the bytes are cut, as long
 * as the order between the directions is the same. State is of fixed size and
 * small; what is under way (a line that was cut, a list, an exchange) borrows
 * parts of fixed size from mail_env.lender, a TLS handshake in progress one
 * buffer from mail_env.pool.
 */
#ifndef STRIPWIRE_MAIL_H
#define STRIPWIRE_MAIL_H

#include "decoders/obs.h"

struct mail; /* sizeof by mail_size() */

struct tls_pool; /* buffers for handshakes in progress, see tls_record.h */

/* What a decoder needs for a while only, and borrows meanwhile. */
enum mail_part {
	PART_GREET = 0, /* a greeting that goes on, or is not believed yet */
	PART_CAPS, /* a list of capabilities */
	PART_NAME, /* the argument of EHLO */
	PART_LONG_NAME, /* a longer one */
	PART_INJECT, /* text between asking for TLS and the records */
	PART_CLEAR_USE, /* a command whose use in clear is to be told */
	PART_SASL, /* an authentication */
	PART_OWED, /* a reply that came before its command */
	PART_TAGS, /* IMAP: commands without a reply */
	PART_STRAY, /* IMAP: a reply that came before its command */
	PART_STATUS, /* ManageSieve: a reply with a literal */
	PART_PROXY, /* a PROXY header */
	PART_TLS,
	PART_QUEUE, /* commands without a reply, more than one */
	PART_C2S_LINE, /* the beginning of a line */
	PART_S2C_LINE,
	MAIL_PARTS
};

/* Of each part a flow borrows one at a time. The memory need not be cleared;
 * what was a secret is overwritten before it is given back. */
struct mail_lender {
	void *(*lend)(void *ctx, enum mail_part part); /* NULL: no memory */
	void (*give_back)(void *ctx, enum mail_part part, void *p);
	void *ctx;
};

size_t mail_part_size(enum mail_part part);

/* Shared by all flows of a worker. Counters are added to, never reset. */
struct mail_env {
	struct obs_sink sink;
	struct mail_lender lender; /* .lend NULL: malloc() */
	struct tls_pool *pool;
	uint8_t secret_key[16]; /* SipHash key for obs_auth.secret_id */
	/* which lines are wanted as OBS_LINE: 1 << enum obs_line_what. May
	 * change at any time. */
	uint8_t lines[PROTO_COUNT];
	struct mail_counters {
		uint64_t flows[PROTO_COUNT];
		uint64_t lines, overlong_lines, bare_lf, nul_bytes;
		uint64_t bodies, body_bytes, literals;
		uint64_t messages; /* that came to an end, or were cut */
		uint64_t gaps, resyncs;
		uint64_t tls_records, tls_handshakes, tls_pool_empty,
		    tls_broken;
	} n;
};

struct mail_flow { /* what the tracker knows when decoding starts */
	uint64_t flow;
	uint16_t client_port, server_port;
	uint32_t vis; /* enum vis */
};

/* What the decoder still wants from one direction. */
enum mail_want {
	MAIL_BYTES, /* go on feeding */
	MAIL_NOTHING /* opaque: never feed this direction again */
};

size_t mail_size(void);
void mail_init(
    struct mail *m, struct mail_env *env, const struct mail_flow *flow);

enum mail_fed {
	MAIL_CHANGED = 1 << 0, /* without it mail_state() and mail_wants() are
				  what they were, for certain */
	MAIL_PUBLIC = 1 << 1 /* mail_text_is_public() */
};

/* Ordered bytes of one direction; pkt is the packet that carried them. The
 * bytes are not kept: a partial line is copied, a body is only scanned.
 * Returns bits of enum mail_fed. */
unsigned mail_data(struct mail *m, enum dir dir, struct slice bytes,
    const struct pkt_ref *pkt);

/* n bytes of this direction were acknowledged but never seen. The decoder
 * resynchronises at the next line, record or literal end. */
void mail_gap(
    struct mail *m, enum dir dir, uint64_t n, const struct pkt_ref *pkt);

/* The direction is closed by FIN: nothing more will come. Returns false where
 * mail_state() and mail_wants() are what they were, for certain. */
bool mail_eof(struct mail *m, enum dir dir, const struct pkt_ref *pkt);

/* The connection is over (any reason); pending units are emitted, and what was
 * borrowed is given back. */
void mail_end(struct mail *m, int64_t time);
/* The same without a word. */
void mail_drop(struct mail *m);

enum mail_want mail_wants(const struct mail *m, enum dir dir);

/* vis bits that the tracker learned of meanwhile. */
void mail_add_vis(struct mail *m, uint32_t vis);

struct mail_state {
	uint8_t proto; /* enum proto */
	uint8_t phase; /* enum phase */
	bool implicit_tls, quit;
	bool starved; /* opaque because there was nothing to borrow */
	uint8_t wants[2]; /* enum mail_want, by enum dir */
	bool in_body[2]; /* the bytes to come are those of a message */
};
void mail_state(const struct mail *m, struct mail_state *out);

/* A decoder made small, while it rests: what it borrowed stays borrowed. Not
 * while it holds bytes that are not read yet. Kept is how it differs from
 * `like`, which mail_like() made of another one, and stays as it is. dst has
 * room for MAIL_PACKED_MAX. Returns how many bytes were written. */
#define MAIL_PACKED_MAX 1024
bool mail_may_rest(const struct mail *m);
void mail_like(struct mail *like, const struct mail *m);
size_t mail_pack(uint8_t *dst, const struct mail *m, const struct mail *like);
void mail_unpack(struct mail *m, struct mail_env *env, const struct mail *like,
    const uint8_t *src);

/*
 * Is this range of the flow's bytes known to hold no secret? For evidence of
 * conflicting segments: text is shown only where this says yes. Asked for the
 * bytes last delivered in dir; conservative (false when in doubt).
 */
bool mail_text_is_public(const struct mail *m, enum dir dir);

/* Cheap first look: could this payload be the start of a mail dialogue, or
 * this port be a mail port? Used before a struct mail is spent on a flow. */
bool mail_port(uint16_t port);
bool mail_looks_like(enum dir dir, struct slice first_bytes);

#endif
