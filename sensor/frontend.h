/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The half that sees packets: link, IP, flows, mail, TLS; observations out. A
 * worker process is this behind a queue; with one input and one worker it runs
 * in the same process as the half that judges (backend.h).
 *
 * libnids keeps its state in globals: one frontend at a time in a process.
 */
#ifndef STRIPWIRE_FRONTEND_H
#define STRIPWIRE_FRONTEND_H

#include "decoders/ip.h"
#include "sensor/capture.h"
#include "sensor/memory.h"
#include "sensor/tracker.h"

struct frontend;

struct frontend_config {
	struct tracker_config tracker;
	uint64_t tls_bytes; /* of handshakes in progress; 0: 64 MiB */
	/* keys the hash that tells equal secrets: the same in all workers */
	const uint8_t *secret_key;
	/* PROTO_COUNT bytes, see mail_env.lines; may change at any time; NULL:
	 * none are wanted */
	const uint8_t *lines;
	struct obs_sink sink;
	/* the first packet of a link type that is not supported, in a part; or
	 * NULL */
	void (*on_link_unknown)(void *ctx, const struct packet *pkt);
	/* is this packet ours? After IP; NULL: all are */
	bool (*is_ours)(void *ctx, const struct packet *pkt);
	void *ctx;
};

/* All members are uint64_t or arrays of them, see frontend_totals_add(). */
struct frontend_totals {
	uint64_t packets, bytes; /* frame bytes held */
	uint64_t link_other, link_unknown, link_truncated;
	struct ip_counters ip;
	struct tracker_counters tracker;
	struct norm_counters norm;
	struct evidence_counters evidence;
	struct mail_counters mail;
	uint64_t flows_now, mails_now; /* slots in use */
};

/* NULL with a sentence in err. */
struct frontend *frontend_new(
    const struct frontend_config *cfg, char *err, size_t errlen);
void frontend_free(struct frontend *f);

void frontend_packet(struct frontend *f, struct packet *pkt);
/* One that was taken apart already: ip_decode() said IP_TCP. Its place is worked
 * out some packets before; those of packets behind it (ahead.h), or NULL, are
 * what is fetched meanwhile. */
struct frontend_ahead {
	const struct flow_place *flow, *conn, *parts;
};
void frontend_expect(const struct frontend *f, const struct packet *pkt,
    struct flow_place *place);
void frontend_tcp(struct frontend *f, struct packet *pkt,
    const struct flow_place *place, const struct frontend_ahead *ahead);
/*
 * Likewise, a few packets at a time, so that the next ones come from memory
 * while one is worked on (ahead.h): frontend_fill() takes those apart that are
 * at hand, as far as there is room, and one in any case; frontend_pop() deals
 * with the one that came first, NULL: there is none.
 */
void frontend_fill(struct frontend *f, struct capture *from);
const struct packet *frontend_pop(struct frontend *f);
/* Are any under way? */
bool frontend_is_busy(const struct frontend *f);
/* The tracker, for its clock. */
struct tracker *frontend_tracker(struct frontend *f);
/* End of the input: all that is withheld is judged. */
void frontend_flush(struct frontend *f);
/* Likewise of a part of the input (capture.h); next: the time of the first packet
 * of the next one, up to which timers run. */
void frontend_end_part(struct frontend *f, int64_t next);
/* What comes is of part `number`, and nothing of another one is known to it.
 * False: no memory, and nothing more can be followed. frontend_fill() does
 * both by itself. */
bool frontend_begin_part(struct frontend *f, unsigned number)
    __attribute__((warn_unused_result));
bool frontend_failed(const struct frontend *f);

void frontend_totals(struct frontend *f, struct frontend_totals *out);
/* By enum memory_table; the rows that it has. Looks at some lists. */
void frontend_memory(
    const struct frontend *f, struct table_use memory[MEM_COUNT]);
void frontend_totals_add(
    struct frontend_totals *sum, const struct frontend_totals *more);

#endif
