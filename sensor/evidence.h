/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TCP evidence: what a flow's segments say about the honesty of the path,
 * noted before anything is reassembled. Two things are watched for: resets
 * that the named sender did not send (Weaver, Sommer, Paxson, "Detecting
 * Forged TCP Reset Packets", NDSS 2009) and segments that carry other bytes
 * for numbers already used. Here is noted and told apart what was seen; what
 * it means is for the detectors (rules/detect_reset.c, detect_inject.c).
 *
 * One evidence_ctx per tracker. It owns what is kept of payload, borrowed on
 * demand, EVIDENCE_POOL_BYTES in all: 4 KiB a direction, byte by byte, while
 * the dialogue is text; of message bodies and within TLS number, length and a
 * keyed hash of the last EVIDENCE_SEGMENTS segments. It also owns what waits
 * to be settled, so that the tracker needs no timer of its own for that: groups
 * of resets (EVIDENCE_GROUPS) and conflicts of which the receiver has not said
 * yet which version it used (EVIDENCE_WAITS). Each flow embeds one struct
 * evidence_flow of fixed size, and keeps its address until evidence_end().
 *
 * How the tracker uses it, for each TCP packet of a flow, before it is
 * normalised:
 *
 *	evidence_tick(ctx, pkt->time);		(once a packet, cheap)
 *	ip_check_tcp(ip, pkt);			(while the flow is text)
 *	hints = evidence_packet(ctx, &flow->ev, pkt, &view);
 *	if (hints & EVID_DOUBT) ...		see there
 *	if (hints & EVID_RST) ...		withheld: go on with the flow
 *	mail_data(...);				and, for delivered text,
 *	evidence_public(&flow->ev, dir, seq, len);
 *
 * evidence_tick(ctx, INT64_MAX) at the end of input, before flows are closed,
 * and evidence_end() when the flow ends for whatever reason, before its slot
 * is used again. A flow that saw a RST is kept for at least
 * EVIDENCE_RST_WAIT, also one that never got beyond its SYN: what comes after
 * the reset is the proof.
 */
#ifndef STRIPWIRE_EVIDENCE_H
#define STRIPWIRE_EVIDENCE_H

#include <stddef.h>
#include <string.h>

#include "decoders/obs.h"
#include "decoders/table_use.h"

#define EVIDENCE_RST_WAIT 2000000000LL /* ns; data after a RST comes sooner */
#define EVIDENCE_IDLE 60000000000LL /* ns; C15: time-outs of middleboxes */
#define EVIDENCE_ANSWERS 3000000000LL /* ns; C12: to one SYN */
#define EVIDENCE_WINDOW 4096 /* payload bytes kept a direction */
#define EVIDENCE_SEGMENTS \
	32 /* of bodies and TLS, kept a direction: 45 KiB of full ones, and \
	      2 KiB of memory, which bounds what busy flows push out of the \
	      cache. Loss is repaired within a round trip. */
#define EVIDENCE_POOL_BYTES (16u << 20) /* all of these, of all workers */
#define EVIDENCE_POOL_LEAST (1u << 20) /* of one of them */
#define EVIDENCE_STEAL 5000000000LL /* ns without a segment: may be taken */
#define EVIDENCE_FORGET \
	30000000000LL /* ns: so long hashes of TLS wait for
					 their acknowledgement, see
					 evidence_sleep() */
#define EVIDENCE_WAITS 256 /* conflicts waiting; told at once if full */
#define EVIDENCE_USED_WAIT 1000000000LL /* ns; an ACK comes sooner */
#define EVIDENCE_GROUPS 4096 /* resets waiting; the oldest settles early */
#define EVIDENCE_CONFLICTS 4 /* told per flow and direction, then counted */
#define EVIDENCE_TOLD 8 /* OBS_RST told per flow and direction */

enum evidence_hint { /* from evidence_packet() and settled() */
	EVID_RST = 1 << 0, /* a RST: withheld, to be settled later */
	EVID_DOUBT = 1 << 1, /* wrong checksum where this sender's are right:
				a host drops it, unless the capture was
				edited; deliver it only once the receiver
				acknowledged it and nothing else came */
	EVID_LIVES = 1 << 2, /* the flow goes on: proof after a withheld RST,
				or no host obeys a RST of that number */
	EVID_DEAD = 1 << 3, /* settled: the reset stands, the flow is over */
	EVID_CONFLICT = 1 << 4, /* other bytes than before; both are noted */
	EVID_DUP = 1 << 5 /* this very frame was seen before (mirrored) */
};

struct ev_window;
struct ev_ring;

struct evidence_dir { /* one cache line: what each packet looks at */
	struct ev_window *window; /* borrowed: payload as text */
	struct ev_ring *ring; /* and by hash */
	int64_t last; /* time of its last packet that was no RST */
	uint32_t next; /* one past the highest number it sent */
	uint32_t ack; /* highest it acknowledged */
	uint32_t edge; /* highest number it allows its peer to send */
	uint32_t last_mark; /* hash of the headers of that packet */
	uint32_t tsval; /* last timestamp */
	uint16_t flags; /* private to evidence.c */
	uint16_t group : 13; /* resets that wait: index + 1, 0 none */
	uint16_t asked : 1; /* a conflict of its peer waits for its word */
	uint16_t ip_id; /* of its last packet that was no RST */
	uint16_t raw_window; /* last one it advertised, unscaled */
	uint8_t mac[6]; /* source of its frames, the first seen */
	uint8_t ttl, ttl_alt_n; /* usual one; another one seen, so often */
	uint8_t seen, id_step; /* packets; small steps of their IP ids */
	uint8_t csum_good; /* saturating counts */
	uint8_t wscale : 4; /* of its windows, but in a SYN */
	uint8_t side : 1; /* enum dir: see evidence_rest() */
	uint8_t ack_noted : 1; /* ack and raw_window are of that packet, which
				  had no SYN: all that they say is known */
};

struct evidence_rest { /* of a direction: what few packets look at */
	uint64_t acks[2][2]; /* Bloom filters of its ACK numbers, in turns:
				the last 24 to 48 of them */
	struct pkt_ref mark; /* its SYN; once there is one, its first FIN */
	int64_t kept_alive; /* time of its last keep-alive of one byte */
	uint32_t isn; /* number of its SYN */
	uint32_t syn_signature; /* hash of its SYN's options, 0 no SYN seen */
	uint8_t nacks; /* in the current filter */
	uint8_t ttl_alt, id_zero, csum_bad;
	uint8_t told_conflicts : 4, told_rsts : 4;
	uint8_t ring_n, ring_at, ring_part; /* private to evidence_ring.c */
};

struct evidence_flow {
	struct evidence_dir d[2]; /* by enum dir */
	struct evidence_rest rest[2];
	uint32_t rtt[2]; /* us from here to that side and back, by enum dir of
			    its answer in the handshake; 0 not known */
	uint32_t slot; /* the tracker's name for the flow */
	uint8_t later; /* enum dir of the last packet that was no RST */
};

/* What the tracker knows when the packet arrives. */
struct evidence_view {
	uint8_t dir; /* enum dir of the packet */
	uint8_t phase; /* enum phase before it */
	uint8_t quit; /* QUIT/LOGOUT was seen */
	uint8_t opaque; /* no text any more: hashes do */
	uint8_t body; /* its direction is within a message, likewise */
};

struct evidence_sink {
	/* OBS_RST, _CONFLICT, _TWO_ANSWERS or _FIN_UNDONE; kind, dir, phase, time and pkt are set,
	 * the tracker adds flow, proto, implicit_tls and vis. */
	void (*emit)(void *user, uint32_t slot, struct obs *o);
	/* A withheld RST of that direction was settled by time: EVID_DEAD or
	 * EVID_LIVES. May call evidence_end() for that flow. */
	void (*settled)(
	    void *user, uint32_t slot, enum dir dir, unsigned hints);
	void *user;
};

struct evidence_counters {
	uint64_t rst, rst_groups, rst_stale; /* of no number of this flow */
	uint64_t rst_forced; /* settled early: table full */
	uint64_t rst_bad_csum, rst_untold;
	uint64_t two_answers, fins_undone;
	uint64_t conflicts, conflicts_untold, corrupted, compared;
	uint64_t uncompared; /* bytes sent again, cut in other places than the
				hashes that are kept of them */
	uint64_t waits_full; /* conflicts told before their receiver spoke */
	uint64_t keepalives, dup_frames;
	uint64_t windows, windows_short; /* lent; refused: pool empty */
	uint64_t windows_taken; /* from idle flows, for others */
};

struct evidence_ctx;

/* workers: that share the pool; 0, 1: this one has all of it. */
struct evidence_ctx *evidence_new(
    const struct evidence_sink *sink, unsigned workers);
void evidence_free(struct evidence_ctx *c);
const struct evidence_counters *evidence_counters(const struct evidence_ctx *c);

void evidence_use(const struct evidence_ctx *c, struct table_use *windows,
    struct table_use *resets);

/* All of *ev is 0. */
void evidence_init(struct evidence_flow *ev, uint32_t slot);

/* What an observation says of the packet it rests on. */
static inline void
evidence_ref(struct pkt_ref *r, const struct packet *pkt, unsigned dir)
{
	/* Where it stands in the input, and what its headers say, is laid out
	 * in one way there and here. */
	memcpy(r, pkt, offsetof(struct pkt_ref, seq));
	memcpy((uint8_t *)r + offsetof(struct pkt_ref, seq),
	    (const uint8_t *)pkt + offsetof(struct packet, seq),
	    offsetof(struct pkt_ref, dir) - offsetof(struct pkt_ref, seq));
	r->dir = (uint8_t)dir;
	r->pad = 0;
	memset(r->fill, 0, sizeof(r->fill));
}

/* Notes a packet of the flow; returns enum evidence_hint bits. */
unsigned evidence_packet(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view);

/* The same in short for some. Both return false, and have done nothing, where
 * it takes more; else there is nothing to hint at. The first packet of a
 * direction, if it is a SYN without data; */
bool evidence_open(
    struct evidence_flow *ev, const struct packet *pkt, enum dir dir);
/* one without data, with ACK and no SYN or RST, that is the next of its sender,
 * with the headers that its sender's packets have. */
bool evidence_close(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, enum dir dir);

/* These bytes were given to the decoder, and it says that they hold no secret
 * (mail_text_is_public()). Only such text is ever shown in clear. */
void evidence_public(
    struct evidence_flow *ev, enum dir dir, uint32_t seq, uint32_t len);

/* No text any more: the windows go back, for others to borrow. */
void evidence_opaque(struct evidence_ctx *c, struct evidence_flow *ev);

/* *ev may be kept elsewhere after evidence_sleep() and until evidence_wake(),
 * where nothing waits to be settled. What was borrowed goes back, if all that
 * it was lent for is acknowledged (see EVIDENCE_STEAL); or is kept, and is not
 * to be taken away meanwhile.
 *
 * Hashes also go back where nobody acknowledged for EVIDENCE_FORGET what they
 * are of: an acknowledgement that the sensor missed, or a host that is gone.
 * Given up is this: other bytes for the last segments of a silent session, so
 * late, are not noted, and within TLS no host would take them; whoever sends
 * again because nothing was acknowledged does so sooner. Text waits on. Nor is the
 * last packet known again then: what comes so late is no mirrored frame. */
bool evidence_may_sleep(const struct evidence_flow *ev, bool keep, int64_t now);
void evidence_sleep(
    struct evidence_ctx *c, struct evidence_flow *ev, bool keep, int64_t now);
void evidence_wake(struct evidence_flow *ev);

/* Settles all resets and conflicts whose deadline is at or before now, in order. */
void evidence_tick(struct evidence_ctx *c, int64_t now);
/* Ordinal of the packet (the first reset, the second version) that is being
 * settled so. */
uint64_t evidence_settling(const struct evidence_ctx *c);
/* Deadline of the next one, INT64_MAX if none waits. */
int64_t evidence_deadline(const struct evidence_ctx *c);

/* The flow ends: its resets are judged now, what it borrowed goes back. An
 * observation carries min(deadline, now). */
void evidence_end(
    struct evidence_ctx *c, struct evidence_flow *ev, int64_t now);

#endif
