/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets to observations: flow table (flow.c), TCP evidence (evidence.c),
 * normalizer (normalize.c), reassembly (stream_nids.c), session (session.c),
 * mail decoder (decoders/mail.c). One tracker per worker.
 *
 * Time is packet time. Timers run when a packet with a later time arrives, at
 * tracker_tick() (live) and at tracker_flush() (end of input); an observation
 * made by a timer carries its deadline. At tracker_flush() all that is
 * withheld is judged at once, in order: most forged resets are the last packet
 * of their capture.
 *
 * An observation's time is that of the event that completed it, also where the
 * packet that carried the bytes (obs.pkt) had to wait for another one.
 *
 * While a tracker lives, env->sink is the tracker's own (flow number, order,
 * visibility and OBS_FLOW_OPEN are put in there); what the caller had set is
 * called from it and put back by tracker_free(). libnids keeps its state in
 * globals: one tracker at a time in a process.
 */
#ifndef STRIPWIRE_TRACKER_H
#define STRIPWIRE_TRACKER_H

#include "decoders/ip.h"
#include "decoders/mail.h"
#include "sensor/evidence.h"
#include "sensor/flow.h"
#include "sensor/normalize.h"

enum reassembly {
	REASSEMBLY_ON_DEMAND, /* in-order segments go straight through */
	REASSEMBLY_ALWAYS /* every segment goes through libnids */
};

struct tracker_config {
	uint32_t max_flows; /* default 262144, power of two */
	uint32_t max_sessions; /* flows being decoded, default 65536; when
				  all are in use the idlest loses its own */
	uint64_t max_pending; /* bytes waiting behind holes, all flows */
	enum reassembly reassembly;
	int64_t rest_after; /* ns without a packet until a connection is kept
			       packed; 0: conn_rest.h says, REST_ALWAYS */
	uint64_t first_number; /* of flows: what tells workers apart */
	unsigned workers; /* that share the memory of evidence and of what is
			     kept early; 0, 1: this one has all of it */
};

/* When in the order of things the observation at hand was made. What timers
 * make comes before the packet that let them run. */
enum tracker_phase {
	TRACKER_EVIDENCE = 0, /* settled by its deadline */
	TRACKER_TIMER,
	TRACKER_PACKET,
	TRACKER_FLUSH_RESETS, /* at the end of the input */
	TRACKER_FLUSH_FLOWS
};

struct tracker_moment {
	int64_t time; /* of the clock, or the timer's deadline */
	enum tracker_phase phase;
	uint64_t settling; /* ordinal of what evidence settles */
};

/* The clock of an input of which this tracker sees only a part. */
struct tracker_clock {
	int64_t started, now;
};

struct tracker_counters {
	uint64_t packets, tcp_packets, flows, mail_flows[PROTO_COUNT];
	uint64_t evicted, timed_out, midstream, one_way;
	uint64_t closed_early; /* both sides had, and too many were kept */
	uint64_t legs; /* flows on the four-tuple of another, elsewhere */
	uint64_t in_order, reordered, retrans, dup_frames, holes, hole_bytes;
	uint64_t rst, rst_after_data, conflicts, pending_full;
	uint64_t bad_csum_ignored, out_of_window, sessions_full;
	uint64_t not_mail;
	/* evidence noted before a flow was known to be mail: in time told, or
	 * of a flow that was not, or without room (early.h) */
	uint64_t early_told, early_dropped, early_full;
	uint64_t stuck; /* libnids complained or kept bytes: our mistake */
	uint64_t observed[OBS_KIND_COUNT]; /* observations that went out */
	uint64_t ends[END_REUSED + 1]; /* connections, by enum end_how */
};

struct tracker;

/* env is shared with the decoders and outlives the tracker; observations of
 * tracker and decoders alike go to env->sink. NULL with a sentence in err. */
struct tracker *tracker_new(const struct tracker_config *cfg,
    struct mail_env *env, struct ip_ctx *ip, char *err, size_t errlen);
void tracker_free(struct tracker *t);

/* Before its first packet: see tracker_config.first_number. */
void tracker_number_from(struct tracker *t, uint64_t first);

/* A packet for which ip_decode() said IP_TCP. */
void tracker_packet(struct tracker *t, struct packet *pkt);
/* Likewise, at the place that was worked out before its turn (ahead.h). */
void tracker_packet_at(
    struct tracker *t, struct packet *pkt, const struct flow_place *place);
/* Of a packet that comes some packets later. */
void tracker_expect(const struct tracker *t, const struct packet *pkt,
    struct flow_place *place);
void tracker_tick(struct tracker *t, int64_t now);
/* Up to a later time, if it is one: what is due till then. */
void tracker_run_to(struct tracker *t, int64_t time);
/* Time as given from now on, whatever the packets' own: runs the timers up to
 * it. Called before each packet. */
void tracker_set_clock(struct tracker *t, const struct tracker_clock *c);
/* As tracker_packet() does it, for whoever hands out packets to several. */
void tracker_clock_packet(struct tracker_clock *c, int64_t time, bool *back);
struct tracker_moment tracker_moment(const struct tracker *t);
/* Slots in use: flows, connections that are decoded. */
void tracker_used(const struct tracker *t, uint32_t *flows, uint32_t *mails);
struct tracker_memory {
	struct table_use flows, connections, decoders, early, evidence, resets,
	    pending, streams;
};
void tracker_memory(const struct tracker *t, struct tracker_memory *out);
/* Who hears the observations is another than before (any number but the last)
 * and knows of no flow: those that have more to say are opened to it again, as
 * joined late, with what was said before missing. */
void tracker_set_listener(struct tracker *t, uint32_t listener);
/* Live: the interface that the next packets come from, by its place in the
 * list. Those of files tell their place themselves. */
void tracker_set_vantage(struct tracker *t, uint32_t vantage);
void tracker_flush(struct tracker *t);

void tracker_config_default(struct tracker_config *cfg);
const struct tracker_counters *tracker_counters(struct tracker *t);
const struct norm_counters *tracker_norm_counters(const struct tracker *t);
const struct evidence_counters *tracker_evidence_counters(
    const struct tracker *t);

#endif
