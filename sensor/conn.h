/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One connection that is mail or may be: what the tracker keeps beside the
 * flow's table entry, and the tracker itself. Private to tracker.c, conn.c and
 * session.c.
 *
 *	tracker.c	packets in, timers, which flow, who goes
 *	conn.c		handshakes, FIN and RST, reuse of a four-tuple, the end
 *	conn_next.c	the packets that are nothing of these, in short
 *	conn_rest.c	those that rest, made small
 *	legs.c		which of two connections on one four-tuple
 *	session.c	the mail decoder, and the observations on their way out
 */
#ifndef STRIPWIRE_CONN_H
#define STRIPWIRE_CONN_H

#include <assert.h>
#include <stddef.h>

#include "sensor/conn_rest.h"
#include "sensor/early.h"
#include "sensor/evidence.h"
#include "sensor/flow.h"
#include "sensor/mails.h"
#include "sensor/normalize.h"
#include "sensor/pool.h"
#include "sensor/timers.h"
#include "sensor/tracker.h"

#define SECOND 1000000000LL /* ns */

/* Idle times. A half-open one: three SYN retries take 7 s, a greylisting or
 * tarpitting host rarely more. */
#define IDLE_HALF (30 * SECOND)
#define IDLE_QUIET (600 * SECOND) /* open, nothing said: slow greetings */
#define IDLE_MAIL (3900 * SECOND) /* IMAP IDLE: 29 min, RFC 2177; and slack */
#define IDLE_FIN (60 * SECOND) /* one side has closed */
#define IDLE_CLOSING (10 * SECOND) /* both have, the last ACK was not seen */
#define IDLE_CLOSED (2 * SECOND) /* all is acknowledged: EVIDENCE_RST_WAIT */
#define IDLE_PASSED (300 * SECOND) /* not mail */

#define ELSEWHERE (1 << 20) /* bytes: further off is another connection */

enum conn_state {
	CONN_HALF, /* handshake not complete */
	CONN_OPEN
};

enum conn_use {
	USE_UNDECIDED, /* no payload yet */
	USE_MAIL, /* being decoded */
	USE_OPAQUE /* nothing to decode any more */
};

#define CONN_PLACES 4 /* two for each direction: before a router and behind */

struct conn {
	_Alignas(64) struct norm norm;
	struct mail *mail; /* of tracker.mails while USE_MAIL, else NULL */
	struct early *early; /* noted before it was known to be mail */
	struct packet *again; /* a SYN after a reset, waits for its answer; its
				 bytes are among those that wait */
	uint64_t number;
	int64_t start, last, last_obs;
	uint32_t vis, vis_told; /* enum vis; what the decoder knows of it */
	_Alignas(64) struct evidence_flow ev;
	uint64_t packets[2], frame_bytes[2]; /* by enum dir */
	uint32_t bad_csum, dup, retrans;
	struct obs_gap gap[2]; /* told as gaps so far */
	uint32_t place[CONN_PLACES]; /* where it was seen: legs.c */
	uint32_t listener; /* to whom it was opened */
	uint32_t vantage; /* see obs_flow */
	uint32_t cand_isn[2]; /* see cand */
	uint16_t port[2]; /* of the sender in that direction */
	uint16_t vlan[2];
	uint16_t syn_len[2], cand_len; /* data of a SYN */
	uint8_t nplaces;
	uint8_t state, use; /* enum conn_state, conn_use */
	bool opened; /* OBS_FLOW_OPEN went out */
	bool proven; /* both hosts take part */
	uint8_t nvlan : 2;
	bool v6 : 1;
	bool mail_port : 1; /* one of the ports is a mail port */
	bool mute : 1; /* not mail: nothing goes out */
	bool dead : 1; /* a reset stands */
	bool fed : 1; /* the decoder may be done with: session_settle() */
	bool closed : 1; /* a FIN or RST was seen; closed_by says whose */
	uint8_t closed_by : 1;
	bool cand_wild : 1; /* see cand */
	uint8_t cand_dir : 1; /* who sent the packet that it was seen by */
	uint8_t cand_client : 1;
	uint8_t ttl[2]; /* first seen */
	uint8_t tcp_flags[2]; /* of all packets */
	int8_t scale[2]; /* -1: its SYN was not seen; -2: no option in it */
	bool reset[2]; /* a RST of this side is withheld */
	bool rst[2]; /* this side sent one, at the end of rst_top */
	struct mail_state known; /* of the decoder, which may be gone */
	/* a handshake seen on a living connection, not proven yet; without
	 * one (wild), numbers that are none of this connection's */
	bool cand[2];
	int8_t cand_scale[2];
	int64_t cand_time;
	uint64_t rst_top[2];
};

/* A direction's part of each is one cache line. */
static_assert(offsetof(struct conn, norm) % 64 == 0, "norm.d");
static_assert(offsetof(struct conn, ev) % 64 == 0, "ev.d");
static_assert(sizeof(struct conn) == 768, "a line less");
static_assert(sizeof(struct norm_dir) == 64, "norm.d");
static_assert(sizeof(struct evidence_dir) == 64, "ev.d");

struct tracker {
	struct tracker_config cfg;
	struct flow_table *flows;
	struct timers *timers;
	struct pool *conns, *early;
	struct mails *mails;
	struct evidence_ctx *evidence;
	struct norm_env norm;
	struct ip_ctx *ip;
	struct mail_env *env;
	struct obs_sink out; /* the caller's; env->sink is ours meanwhile */
	struct conn *cur; /* whose observations are coming */
	int64_t now, started; /* packet time */
	bool clock_is_given; /* tracker_set_clock() */
	bool clock_runs; /* or it is that of the packets, and has begun */
	uint64_t ordinal; /* of the packet at hand */
	int64_t moment; /* deadline of what runs in phase */
	enum tracker_phase phase;
	uint64_t next_number;
	uint32_t listener; /* tracker_set_listener() */
	uint32_t vantage; /* tracker_set_vantage() */
	uint32_t hand; /* where the search for an idle decoder goes on */
	uint32_t busy; /* slot whose packet is being handled */
	struct pkt_ref ref;
	uint64_t unacked[2]; /* of the connection that ends just now */
	struct tracker_counters n;
	struct conn_rest rest; /* large */
};

static inline uint32_t
conn_slot(const struct conn *c)
{
	return c->norm.slot;
}

/* Time as flow.last counts it, in 2^26 ns, 67 ms. */
#define TRACKER_CLOCK_UNIT 26

static inline uint32_t
tracker_clock(const struct tracker *t, int64_t time)
{
	return (uint32_t)((time - t->started) >> TRACKER_CLOCK_UNIT);
}

/* Numbers no further apart than a connection's may be. */
static inline bool
conn_is_near(uint32_t a, uint32_t b)
{
	int32_t off = (int32_t)(a - b);

	return off >= -ELSEWHERE && off <= ELSEWHERE;
}

/* Neither number is of this connection: there is another on its ports, whose
 * handshake the tap missed, or somebody guesses. */
static inline bool
conn_is_elsewhere(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	const struct norm_dir *d = &c->norm.d[dir], *peer = &c->norm.d[!dir];

	return !(conn_is_near(pkt->seq, d->base + (uint32_t)d->next) ||
		   conn_is_near(pkt->ack, peer->base + (uint32_t)peer->next)) &&
	       c->state == CONN_OPEN && d->known && peer->known &&
	       (pkt->tcp_flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK;
}

/* The window this packet offers, scaled; 0 where the scale is not known. */
static inline uint64_t
conn_window(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	if (c->scale[dir] == -1 || c->scale[!dir] == -1)
		return 0;
	if (c->scale[dir] < 0 || c->scale[!dir] < 0)
		return pkt->window;
	return (uint64_t)pkt->window << c->scale[dir];
}

/* What evidence is told of a packet. */
static inline struct evidence_view
conn_view(const struct conn *c, enum dir dir, enum phase phase)
{
	return (struct evidence_view){.dir = (uint8_t)dir,
	    .phase = (uint8_t)phase,
	    .quit = c->known.quit,
	    .opaque = c->use == USE_OPAQUE,
	    .body = c->known.in_body[dir]};
}

/* One more packet of it. */
static inline void
conn_count(struct conn *c, const struct packet *pkt, enum dir dir)
{
	c->packets[dir]++;
	c->frame_bytes[dir] += pkt->wirelen;
	c->tcp_flags[dir] |= pkt->tcp_flags;
	c->last = pkt->time > c->last ? pkt->time : c->last;
	if (c->ttl[dir] == 0)
		c->ttl[dir] = pkt->ttl;
}

/* ---- tracker.c ---- */
/* Sets the flow's timer if it has to fire earlier than it would. */
void tracker_arm(struct tracker *t, struct conn *c);
/* Frees the connection and its slot. */
void tracker_forget(struct tracker *t, struct conn *c);

/* ---- legs.c ---- */
/* What a packet says of where it was seen. */
static inline uint32_t
leg_place(const struct packet *pkt)
{
	uint32_t golden = 0x9e3779b1u, h = pkt->interface * golden;

	h ^= pkt->tunnel_id;
	for (unsigned i = 0; i < pkt->nvlan && i < PACKET_VLAN_MAX; i++)
		h = (h ^ (pkt->vlan[i] + 1u)) * golden;
	return h;
}

static inline bool
leg_is_known(const struct conn *c, uint32_t place)
{
	for (unsigned i = 0; i < c->nplaces; i++)
		if (c->place[i] == place)
			return true;
	return false;
}

/* The only flow of its four-tuple, awake, and the packet comes from where its
 * packets do: leg_of() would say that it is of this flow. */
static inline bool
leg_is_plain(const struct flow *f, const struct packet *pkt)
{
	return !f->shared && !f->rests &&
	       (f->conn == NULL || leg_is_known(f->conn, leg_place(pkt)));
}

/* Which flow of this four-tuple a packet is of; slot is the first of them.
 * FLOW_NONE: none, it is the first of one more. */
uint32_t leg_of(
    struct tracker *t, uint32_t slot, const struct packet *pkt, bool from_b);
/* Of a new flow. other: one that has its four-tuple already, or FLOW_NONE. */
void leg_init(
    struct tracker *t, uint32_t slot, uint32_t other, const struct packet *pkt);

/* ---- conn.c ---- */
void conn_init(struct tracker *t, struct conn *c, uint32_t slot,
    const struct packet *pkt, enum dir dir);
/* A packet of the connection. Returns false if it proves that a new one has
 * begun on its four-tuple; then it was not used, conn_end() is due. */
bool conn_any_packet(
    struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir);
/* The window scale of a SYN, as conn.scale has it. */
int8_t conn_scale(const struct packet *pkt);
/* After a packet that is no SYN: do both hosts take part? */
void conn_prove(struct tracker *t, struct conn *c);
/* After its FIN, or a reset. */
void conn_set_age(struct tracker *t, struct conn *c);
/* A withheld RST of that side was not its own. */
void conn_lives(struct tracker *t, struct conn *c, enum dir dir);
/* Starts from a handshake seen on its predecessor. */
void conn_adopt(struct conn *c, const struct conn *old);
/* Both sides have closed. One of the FINs, and one only, may have been missed
 * by the sensor: then its acknowledgement tells. */
bool conn_is_ended(const struct conn *c);
int64_t conn_idle_deadline(const struct conn *c);
void conn_timeout(struct tracker *t, struct conn *c, int64_t deadline);
/* Judges all that is withheld, emits the end, forgets. */
/* The kept SYN, to be freed, or NULL. */
struct packet *conn_take_syn(struct tracker *t, struct conn *c);
void conn_end(struct tracker *t, struct conn *c, enum end_how how, int64_t at);
/* How it ended, if nothing more is known than what was seen. */
enum end_how conn_how(const struct conn *c, enum end_how otherwise);

/* ---- conn_next.c ---- */
/* conn_any_packet(), in short where the packet is a usual one. */
bool conn_packet(
    struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir);

/* ---- session.c ---- */
/* norm_env.deliver */
void session_deliver(
    void *user, struct norm *n, const struct norm_piece *piece);
/* What waited to know whether the flow is mail: it is not, or nothing told. */
void session_drop_early(struct tracker *t, struct conn *c);
/* After packets and timers: a decoder that wants nothing more goes. */
void session_settle(struct tracker *t, struct conn *c);
void session_finish(struct tracker *t, struct conn *c);
void session_flow_end(struct tracker *t, struct conn *c, enum end_how how);
enum phase session_phase(const struct conn *c);
/* mail_env.sink.emit and .chain, evidence_sink.emit */
void session_emit(void *user, struct obs *o);
void session_chain(void *user, const uint8_t chain_id[32],
    const struct slice *der, unsigned n);
void session_staple(void *user, const uint8_t chain_id[32],
    struct slice response, int64_t time);
void session_evidence(void *user, uint32_t slot, struct obs *o);

#endif
