/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private to worker.c, worker_live.c, worker_offline.c and worker_parts.c.
 */
#ifndef STRIPWIRE_WORKER_PRIVATE_H
#define STRIPWIRE_WORKER_PRIVATE_H

#include "sensor/ahead.h"
#include "sensor/capture_tell.h"
#include "sensor/worker.h"

#define WORKER_SHED_BITS (1u << 20)
#define WORKER_ENDED_MAX \
	65536 /* of more the judge finds out by their silence */
/* of the clock, where the input ends */
#define WORKER_ERA_LAST (UINT32_MAX - TELL_ERAS)

struct worker {
	struct worker_config cfg;
	struct frontend *front;
	bool offline; /* the queue blocks */
	struct ring_key last; /* of what was put */
	uint64_t ordinal;
	uint64_t flow; /* of the observation at hand */
	int64_t now, published, weighed;
	pid_t parent;
	/* offline */
	uint32_t era;
	unsigned part;
	uint32_t end_era; /* behind which that stands what the end brings */
	unsigned taken;
	struct coming {
		struct handed *h;
		struct flow_place place; /* of HANDED_TCP */
	} coming[AHEAD];
	uint32_t first, ncoming;
	uint64_t done, packets; /* of parts that are over; done: bytes */
	/* live */
	uint32_t nended; /* flows whose end was shed, to be told yet */
	uint64_t ended[WORKER_ENDED_MAX];
	bool any_shed;
	uint8_t shed[WORKER_SHED_BITS / 8]; /* flows, by hash of their number */
};

/* False: there was no room, and live it is shed. */
bool worker_put(struct worker *w, enum record_type type,
    const struct slice *part, unsigned n, size_t reserve);
/* Live: tells of the flows that ended while there was no room to say so, or
 * the judge would keep them until others need their place. */
void worker_tell_ended(struct worker *w);
/* All up to time, and up to the packet at hand, was said. */
void worker_set_mark(struct worker *w, int64_t time);
void worker_link_unknown(void *ctx, const struct packet *pkt);
bool worker_is_ours(void *ctx, const struct packet *pkt);

#endif
