/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the evidence stage share: evidence.c (the state of the
 * directions), evidence_rst.c and evidence_after.c (resets, and what follows
 * them), evidence_host.c (MAC, timestamps, times), evidence_group.c (the table
 * of resets that wait), evidence_twice.c (second answers and undone FINs),
 * evidence_overlap.c (payload, byte by byte), evidence_ring.c (payload by
 * hash), evidence_mark.c (its packets in short), evidence_pool.c (their memory), evidence_used.c (conflicts that wait
 * for the receiver's word).
 * Nobody else includes this.
 */
#ifndef STRIPWIRE_EVIDENCE_PRIVATE_H
#define STRIPWIRE_EVIDENCE_PRIVATE_H

#include <string.h>

#include "decoders/be.h"
#include "sensor/bulk_hash.h"
#include "sensor/evidence.h"

enum { /* struct evidence_dir.flags */
	EVD_SEEN = 1 << 0, /* isn, next, last_mark hold */
	EVD_SYN = 1 << 1, /* isn is that of a SYN seen */
	EVD_SYN_AGAIN = 1 << 2, /* the SYN was sent more than once */
	EVD_ACKED = 1 << 3, /* ack and edge hold */
	EVD_FIN = 1 << 4,
	EVD_WSCALE = 1 << 5, /* its SYN had the window scale option */
	EVD_UNSCALED = 1 << 6, /* no scaling: one of the SYNs had no option */
	EVD_DISORDER = 1 << 7, /* data came late, early or again */
	EVD_RST = 1 << 8, /* it sent a reset that is not stale */
	EVD_TWICE = 1 << 9, /* OBS_TWO_ANSWERS was told */
	EVD_UNDONE = 1 << 10, /* OBS_FIN_UNDONE was told */
	EVD_MAC = 1 << 11, /* mac holds */
	EVD_MACS = 1 << 12, /* its frames come from several */
	EVD_TS = 1 << 13, /* its SYN had timestamps */
	EVD_FIN_MARK = 1 << 14 /* mark is that of a FIN */
};

static inline struct evidence_rest *
evidence_rest(const struct evidence_dir *d)
{
	const struct evidence_dir *first = d - d->side;

	return &((struct evidence_flow *)first)->rest[d->side];
}

/* Time of the flow's last packet that was no RST, 0 if there was none. */
static inline int64_t
evidence_last(const struct evidence_flow *ev)
{
	return ev->d[ev->later].last;
}

/* Sequence numbers wrap (RFC 9293 3.4). */
static inline int32_t
seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

#define FAR_AHEAD (1 << 20) /* beyond the window by this: not believed */

#define GROUP_NUMBERS 4 /* different numbers that nobody acknowledged */

struct rst_group { /* resets of one sender within EVIDENCE_RST_WAIT */
	struct evidence_flow *ev;
	int64_t deadline, idle;
	struct pkt_ref first, wrong, last, proof;
	uint32_t tests, signs; /* signs: of `wrong` alone */
	uint32_t count, data_after;
	uint32_t next; /* the sender's next number at the first RST */
	uint32_t acked; /* what the sender had acknowledged then */
	uint32_t peer_next; /* the peer's next number then */
	uint32_t numbers[GROUP_NUMBERS];
	uint32_t newer, older; /* in order of deadline: index + 1 */
	int32_t place_off; /* see struct obs_rst */
	int32_t step; /* from the number of the RST before */
	uint8_t nnumbers;
	uint8_t dir, phase, tool, ttl_base, place;
	uint8_t mac[6]; /* source of the frame of `wrong` */
	bool odd_mac; /* and not where the sender's come from */
	bool has_mac;
	bool syn; /* the sender had sent nothing yet */
	bool peer_known; /* peer_next holds */
	bool shaky; /* segments overtake each other here: see took_it_in() */
	bool told; /* settled early: what comes is swallowed */
	bool in_window; /* the receiver obeys one of them */
};

/* What is borrowed: windows, the smallest that does, and rings. A page holds
 * blocks of one kind, and as few bytes to spare as there can be. */
enum ev_kind {
	EV_WINDOW_128,
	EV_WINDOW_256,
	EV_WINDOW_512,
	EV_WINDOW_1K,
	EV_WINDOW_4K, /* EVIDENCE_WINDOW */
	EV_RING_FEW,
	EV_RING, /* EVIDENCE_SEGMENTS */
	EV_KINDS
};
/* multiples of a cache line */
#define EV_SIZES 384, 704, 1088, 1920, 5760, 640, 2176
#define EV_PAGE 6528

struct ev_block { /* what each window and ring begins with */
	struct ev_block *older, *newer; /* as lent, or as free */
	struct evidence_dir *owner; /* NULL: free */
	uint8_t kind; /* enum ev_kind */
	bool busy; /* not to be taken away just now */
};

struct ev_list {
	struct ev_block *oldest, *newest;
};

struct ev_page; /* private to evidence_pool.c */

enum { ODD_MAC = 1 << 0, ODD_TS = 1 << 1 };

struct ev_segment { /* the one that is held against what was kept */
	const struct packet *pkt;
	const struct evidence_view *view;
	const uint8_t *p;
	uint32_t seq, len; /* of the payload held */
	bool doubt; /* wrong checksum where this sender's are right */
	bool near; /* its receiver could take it */
	uint8_t odd; /* ODD_: not as the sender's others */
};

struct ev_first { /* the version that was kept */
	struct pkt_ref ref; /* ordinal 0: not known any more */
	uint32_t tsval; /* 0: none */
	bool doubt;
	uint8_t odd; /* ODD_ */
};

struct conflict_wait { /* until its receiver says which version it used */
	struct evidence_flow *ev; /* NULL: free */
	struct obs obs;
	int64_t deadline;
	uint32_t ts[2];
	unsigned acks; /* that cover it */
};

enum difference { SAME, HARMLESS, SPOILT, CONFLICT };

struct evidence_ctx {
	struct evidence_sink sink;
	struct evidence_counters n;
	/* resets */
	struct rst_group *groups;
	uint32_t free_group, oldest, newest; /* index + 1 */
	/* payload */
	struct ev_list lent_blocks, free_blocks[EV_KINDS];
	uint8_t *memory;
	struct ev_page *pages;
	uint32_t npages, max_pages;
	uint32_t oldest_empty, newest_empty; /* pages: index + 1 */
	size_t pool_used, pool_max; /* bytes of all of these */
	uint32_t lent;
	int64_t failed; /* when none was to be had */
	struct bulk_key key;
	struct conflict_wait *waits;
	int64_t wait_deadline; /* of the first, INT64_MAX without */
	uint64_t settling; /* ordinal of the packet that is judged by time */
};

/* evidence.c */
bool evidence_acked_number(const struct evidence_dir *d, uint32_t number);
bool evidence_is_near(const struct evidence_dir *d,
    const struct evidence_dir *peer, uint32_t end);
/* Nearly all are the next of their sender. */
static inline bool
evidence_is_next(const struct evidence_dir *d, uint32_t seq, uint32_t len)
{
	return (d->flags & EVD_SEEN) != 0 && seq == d->next && len <= FAR_AHEAD;
}
/* Are this sender's checksums mostly wrong, as a network card leaves them? */
bool evidence_sums_unfit(const struct evidence_dir *d);

/* evidence_packet() without its short ways. */
unsigned evidence_any_packet(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view);

/* evidence_rst.c */
unsigned evidence_rst(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view);

/* evidence_after.c: a packet that is no RST, of a sender whose resets wait,
 * before the sender's state takes it in. */
unsigned evidence_rst_after(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view);
/* The first one could be a closed socket's answer to a segment. */
bool evidence_answers(const struct rst_group *g);

/* evidence_group.c */
#define RST_PROOF (RST_DATA_AFTER | RST_ALIVE | RST_SYN_RACE)
int evidence_group_init(struct evidence_ctx *c);
struct rst_group *evidence_group_new(struct evidence_ctx *c,
    struct evidence_flow *ev, const struct packet *pkt,
    const struct evidence_view *view);
void evidence_group_tell(
    struct evidence_ctx *c, struct rst_group *g, int64_t time);
void evidence_group_end(
    struct evidence_ctx *c, struct evidence_dir *d, int64_t now);
/* The oldest one, by time. */
void evidence_group_settle(struct evidence_ctx *c);
int64_t evidence_group_deadline(const struct evidence_ctx *c);

/* evidence_twice.c: what a host does once, and somebody did again. */
void evidence_twice(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view);
void evidence_mark(struct evidence_dir *d, const struct packet *pkt);

/* evidence_host.c: notes a packet that is no RST, before its numbers are. */
void evidence_host(struct evidence_flow *ev, const struct packet *pkt, int dir);
/* ... of which this is what the sender's first acknowledgement tells. */
void evidence_rtt(struct evidence_flow *ev, const struct packet *pkt, int dir);

/* Timestamps drift slowly: 18 h at 1 kHz, a minute at 1 MHz. */
static inline bool
evidence_ts_is_near(const struct evidence_dir *d, const struct packet *pkt)
{
	const int32_t far = 1 << 26;
	int32_t off = seq_diff(pkt->tsval, d->tsval);

	return off > -far && off < far;
}

/* The MAC address its frames come from; NULL: not known. */
static inline const uint8_t *
evidence_mac(const struct packet *pkt)
{
	return (pkt->flags & PKT_HAS_MAC) == 0 || pkt->mac == NULL
		   ? NULL
		   : pkt->mac + 6;
}

static inline bool
evidence_is_from(const struct evidence_dir *d, const uint8_t *mac)
{
	return ((load32(mac) ^ load32(d->mac)) |
		   (load16(mac + 4) ^ load16(d->mac + 4))) == 0;
}

/* After its SYN. */
static inline void
evidence_note_ts(struct evidence_dir *d, const struct packet *pkt)
{
	if ((pkt->flags & PKT_TS) != 0 && (d->flags & EVD_TS) != 0 &&
	    evidence_ts_is_near(d, pkt))
		d->tsval = pkt->tsval;
}

#define MAC_FEW 2 /* frames before an address is the host's */

/* The frame comes from elsewhere than all others of this sender. */
static inline bool
evidence_odd_mac(const struct evidence_dir *d, const struct packet *pkt)
{
	const uint8_t *mac = evidence_mac(pkt);

	return mac != NULL && d->seen >= MAC_FEW &&
	       (d->flags & (EVD_MAC | EVD_MACS)) == EVD_MAC &&
	       !evidence_is_from(d, mac);
}

/* Timestamps that both agreed on are missing, or not of this sender. */
static inline bool
evidence_odd_ts(const struct evidence_dir *d, const struct evidence_dir *peer,
    const struct packet *pkt)
{
	return (d->flags & peer->flags & EVD_TS) != 0 &&
	       ((pkt->flags & PKT_TS) == 0 || !evidence_ts_is_near(d, pkt));
}

/* evidence_overlap.c */
bool evidence_overlap(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view, bool doubt);
/* Keeps the next segment of its sender as text, if that is all there is to do;
 * else returns false. odd: ODD_ bits. */
bool evidence_text_next(struct evidence_ctx *c, struct evidence_dir *d,
    const struct packet *pkt, uint8_t odd);
/* What begins there can be nothing that was kept as text. There is a window. */
bool evidence_is_beyond(const struct evidence_dir *d, uint32_t seq);
/* Its answer may be seen before it, and it may be seen twice. */
bool evidence_is_keepalive(
    const struct evidence_flow *ev, const struct ev_segment *s);

/* evidence_ring.c: holds the segment against the records, and keeps one of
 * it; the ring is lent on demand. */
enum ring_keep { KEEP_NONE, KEEP_ALL, KEEP_SAMPLE };
enum difference evidence_ring(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct ev_segment *s, enum ring_keep keep);
/* The same for what is the next segment of its sender. odd: ODD_ bits. */
static inline void
evidence_ring_is_none(struct evidence_rest *e)
{
	e->ring_n = e->ring_at = e->ring_part = 0;
}
void evidence_ring_next(struct evidence_ctx *c, struct evidence_dir *d,
    const struct packet *pkt, uint8_t odd, enum ring_keep keep);

/* What is kept by hash: of text nothing, as it is kept byte by byte; of bodies
 * and within TLS, where there is more than a window holds, all. A handshake is
 * both. */
static inline enum ring_keep
evidence_keep_of(const struct evidence_view *view)
{
	if (view->opaque || view->phase == PHASE_TLS_DONE ||
	    view->phase == PHASE_OPAQUE)
		return KEEP_SAMPLE;
	return view->body || view->phase == PHASE_TLS_HELLO ? KEEP_ALL
							    : KEEP_NONE;
}

/* ... and as it was when it was lent for the first time. */
void evidence_window_wipe(struct ev_window *w);

/* evidence_pool.c: memory for a window or ring of the direction, aligned to
 * cache lines; a new one is clear. NULL, counted, if there is none. */
int evidence_pool_init(struct evidence_ctx *c);
void evidence_pool_fini(struct evidence_ctx *c);
void *evidence_lend(struct evidence_ctx *c, struct evidence_dir *d,
    enum ev_kind kind, int64_t now);
void evidence_return(struct evidence_ctx *c, void *window_or_ring);

/* evidence_used.c: what an observation of a conflict says in any case. */
void evidence_conflict_init(struct obs *o, const struct evidence_flow *ev,
    const struct ev_segment *s, const struct ev_first *first);
int evidence_used_init(struct evidence_ctx *c);
/* Takes an observation filled in but for used_by, counts it, and emits it when
 * that is known, or will not be. */
void evidence_conflict(struct evidence_ctx *c, struct evidence_flow *ev,
    struct obs *o, const struct ev_segment *s, const struct ev_first *first);
/* A packet of the receiver, before its state takes it in. */
void evidence_used(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view);
/* The first one, by time. */
void evidence_used_settle(struct evidence_ctx *c);
void evidence_used_end(
    struct evidence_ctx *c, struct evidence_flow *ev, int64_t now);

/* ---- evidence_ring.c ---- */
struct ev_record { /* 64 bytes */
	struct pkt_ref ref;
	uint32_t hash;
	uint32_t tsval;
	uint16_t off, held; /* the bytes that were hashed */
	uint16_t sum; /* tcp_sum_header(); 0: cannot be used */
	uint8_t odd; /* ODD_ */
};

/* While all is in order nothing of it is read, and its next record written:
 * with many flows it is in nobody's cache. */
struct ev_ring {
	struct ev_block block;
	struct bulk_hash part; /* of the record that comes again in pieces */
	_Alignas(64) struct ev_record records[];
};
#define EV_RING_FEW_SEGMENTS 8 /* most messages have no more */

#endif
