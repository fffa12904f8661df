/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a flow's segments to the order in which its hosts read and wrote: the
 * normalizer in front of libnids, in two layers.
 *
 * 1. Each direction by itself (normalize.c, pending.c): sequence numbers become 64-bit
 *    stream offsets, what was delivered already or is pending already is
 *    trimmed (the first version wins), what lies outside any window is
 *    refused. A segment that is next goes on; one that is ahead waits in
 *    libnids, while an interval list of our own remembers which packet carried
 *    which byte. A hole that the receiver has acknowledged is a loss of the
 *    sensor: after NORM_WAIT or NORM_WAIT_SEGMENTS it is closed by a gap.
 *
 * 2. Both directions together (causal.c): bytes go to the decoder only when
 *    the opposite direction has delivered what their ACK acknowledges, so that
 *    a dialogue stays a dialogue on taps that show an ACK before its data.
 *    What has to wait is copied, within the same bounds.
 *
 * With reassembly "always" in-order segments take the way through libnids too;
 * both ways deliver the same pieces. Memory: a flow with nothing waiting has
 * only its struct norm; all that waits is capped per flow and in all.
 */
#ifndef STRIPWIRE_NORMALIZE_H
#define STRIPWIRE_NORMALIZE_H

#include "sensor/stream.h"

#define NORM_WAIT 1000000000LL /* ns; skew between tap ports is < 100 ms */
#define NORM_WAIT_SEGMENTS 64 /* or this many segments of the flow later */
#define NORM_HELD_MAX (256u << 10) /* bytes of a flow waiting in order */
#define NORM_HELD_SEGS 64
#define NORM_PEND_MAX (1u << 20) /* bytes of a flow waiting behind a hole */
#define NORM_PEND_SEGS 1024
#define NORM_DOUBT_SEGS 16 /* doubtful segments kept, per direction */
#define NORM_AHEAD (256u << 20) /* ahead of next, where no window is known */
#define NORM_SLACK (1u << 20) /* beyond a known window: ACKs can be late */
#define NORM_STALE 200000000LL /* ns; longer than a path's round trip */
#define NORM_NONE UINT64_MAX

enum norm_what { NORM_BYTES, NORM_GAP, NORM_EOF };

struct norm_piece { /* what goes to the decoder next */
	enum norm_what what;
	enum dir dir;
	struct slice bytes; /* NORM_BYTES; lives until the call returns */
	uint64_t at; /* stream offset */
	uint64_t len; /* bytes, also those of a gap */
	const struct pkt_ref *ref; /* the packet that carried it */
};

struct norm_dir { /* one cache line: most packets touch both, and no more */
	uint64_t next; /* first offset that was not put in order yet */
	uint64_t done; /* first offset that was not delivered yet */
	uint64_t acked; /* highest offset the peer acknowledged */
	uint64_t top; /* end of all that was sent within the window */
	int64_t since; /* top is ahead of acked, which does not move */
	uint64_t edge; /* right edge of the peer's window, 0 unknown */
	uint64_t fin_at; /* offset of the FIN, NORM_NONE without */
	uint32_t base; /* sequence number of offset 0 */
	bool known : 1; /* base is set */
	bool soft : 1; /* base was guessed from the peer's ACK */
	bool seen : 1; /* a packet of this direction was seen */
	bool off : 1; /* the decoder wants nothing of it */
	bool eof : 1; /* NORM_EOF was delivered */
	bool stale : 1; /* the peer spoke on, and acknowledged no more */
	bool fin : 1; /* its FIN, which norm.fins has, is to be delivered */
	bool waiting : 1; /* of both: the flow has a wait or fins */
};

struct norm_gap { /* of one direction */
	uint64_t sum; /* bytes never seen */
	uint64_t to; /* the last one ends here */
};

struct norm_wait; /* what waits: pending intervals and held pieces */

struct norm_fins { /* FINs that are not acknowledged yet */
	struct pkt_ref ref[2];
};

struct norm {
	struct norm_dir d[2]; /* by enum dir */
	struct norm_wait *wait; /* NULL: nothing waits */
	struct norm_fins *fins; /* NULL: no FIN does */
	struct norm_gap gap[2];
	uint32_t gap_len[2]; /* of the last one; more if it is UINT32_MAX */
	uint32_t slot;
	uint32_t generation : 30;
	uint32_t one_way : 1; /* the silent side is not waited for any more */
	uint32_t unsure : 1; /* the hosts may have read something else */
};

struct norm_counters {
	uint64_t in_order, reordered, retrans, overlaps, holes, hole_bytes;
	uint64_t held, forced, pending_full, out_of_window, rewound;
	uint64_t after_fin, doubted, doubt_used;
	uint64_t stuck; /* libnids kept bytes back: a mistake of ours */
};

struct norm_env { /* one per tracker */
	struct stream *stream;
	bool always;
	uint64_t max_pending; /* bytes waiting, all flows */
	uint64_t pending;
	uint64_t waits; /* flows that have a norm_wait */
	uint64_t fins; /* flows that have a norm_fins */
	/* May not call norm_*() for the same flow, but norm_off(). */
	void (*deliver)(void *user, struct norm *n, const struct norm_piece *p);
	void *user;
	int64_t now; /* time of the event being handled */
	const struct pkt_ref *ref; /* its packet */
	struct norm *cur; /* whose segment libnids has just now */
	struct norm_counters n;
};

struct norm_seg { /* a segment as it comes from the wire */
	enum dir dir;
	uint32_t seq, ack;
	bool has_ack;
	bool fin, syn;
	struct slice bytes;
	uint32_t wire_len; /* more than bytes.len if the capture cut it */
	uint64_t window; /* offered by its sender, scaled; 0 unknown */
};

enum norm_result { /* bits */
	NORM_NEW = 1 << 0, /* carried bytes or a FIN not seen before */
	NORM_NEW_ACK = 1 << 1, /* acknowledged more than before */
	NORM_OLD = 1 << 2, /* carried only bytes seen before */
	NORM_REFUSED = 1 << 3 /* outside any window; ignored */
};

/* All of *n is 0. */
void norm_init(struct norm *n, uint32_t slot, uint32_t generation);

/* The number of the first payload byte, from a SYN or SYN/ACK. Only where
 * nothing was delivered in that direction. */
void norm_base(struct norm *n, enum dir dir, uint32_t seq);

/* Takes a segment (env->now and env->ref are its own) and delivers what became
 * ready. Returns enum norm_result bits. */
unsigned norm_segment(
    struct norm_env *env, struct norm *n, const struct norm_seg *s);

struct norm_step; /* norm_next.h */

/* The same for one that norm_is_closing(). */
void norm_close(
    struct norm_env *env, struct norm *n, const struct norm_step *s, bool fin);

/* A segment that a host drops if it does what it should (wrong checksum where
 * its sender's are right). It is kept, and delivered only where otherwise a
 * gap would be: the receiver took it, or the capture was edited; then the flow
 * is unsure. Data of a SYN are kept likewise; they are sure, and delivered, as
 * soon as they are acknowledged (RFC 9293 3.10.7.4, RFC 7413). */
void norm_doubt(struct norm_env *env, struct norm *n, const struct norm_seg *s);

/* Closes what has waited long enough at env->now. */
void norm_timeout(struct norm_env *env, struct norm *n);
int64_t norm_deadline(const struct norm *n); /* INT64_MAX: nothing waits */

/* The decoder wants nothing more of this direction; safe inside deliver(). */
void norm_off(struct norm *n, enum dir dir);
/* Frees what waits for a direction that is off. */
void norm_tidy(struct norm_env *env, struct norm *n);

/* End of flow: all that waits is delivered, holes as gaps, then what was
 * acknowledged and never seen, then the ends of both directions. */
void norm_end(struct norm_env *env, struct norm *n);
/* Frees what waits without delivering it. */
void norm_drop(struct norm_env *env, struct norm *n);

/* For stream_new(); ctx is the norm_env. */
void norm_stream_bytes(
    void *ctx, uint32_t slot, enum dir dir, struct slice bytes);

/* Bytes that were taken for the stream, and their receiver, which went on to
 * speak, did not acknowledge: it may never have had them. 0 where it was not
 * heard for NORM_STALE, as at the end of most captures. */
uint64_t norm_unacked(const struct norm *n, enum dir dir);
bool norm_fin_acked(const struct norm *n, enum dir dir);
/* A FIN was seen, or its peer acknowledged one number more than there were
 * bytes: the sensor missed the FIN, or a single byte. */
bool norm_has_ended(const struct norm *n, enum dir dir);

/* Of all that waits: in entries, the flows that have something, flows at
 * most. */
struct table_use norm_use(const struct norm_env *env, uint32_t flows);

#endif
