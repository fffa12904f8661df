/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets of one interface, for one worker, by libpcap. Opened by the
 * supervisor, which alone may; read by the worker that inherits it.
 *
 * Several workers on one interface share its packets by PACKET_FANOUT
 * (fanout.h). To replace a worker, the supervisor opens its successor's
 * handle, which joins the group and is given nothing yet, and then closes the
 * old one: the successor takes over its place, and no other's share changes.
 */
#ifndef STRIPWIRE_CAPTURE_LIVE_H
#define STRIPWIRE_CAPTURE_LIVE_H

#include <stddef.h>

#include "decoders/packet.h"

/* The kernel gives a block of packets out when it is full or so old. */
#define LIVE_BLOCK_MS 20

struct live;

struct live_config {
	const char *interface;
	uint64_t buffer; /* bytes, of the kernel's ring of each worker */
	uint32_t snaplen;
	bool promiscuous;
	const char *timestamps; /* as in pcap-tstamp(7), or "" */
	const char *filter; /* "": all that comes */
	unsigned workers, group; /* of this interface; fanout group id */
};

struct live_counters { /* since it was opened */
	uint64_t received, dropped, if_dropped;
};

/* NULL with a sentence in err. A warning that it works all the same, or "",
 * is in err otherwise. */
struct live *live_open(const struct live_config *cfg, char *err, size_t errlen);
void live_close(struct live *l);

int live_fd(const struct live *l);
uint64_t live_buffer(const struct live *l); /* bytes, of the kernel's ring */
const char *live_link_name(const struct live *l);

/* Hands at most max packets to fn, without waiting. Frame fields are set,
 * ordinal is not. Returns how many came, -1 with a sentence in err if the
 * interface has gone. */
int live_read(struct live *l, int max,
    void (*fn)(void *ctx, struct packet *pkt), void *ctx, char *err,
    size_t errlen);
void live_counters_add(
    struct live_counters *sum, const struct live_counters *more);
/* Cheap; false: not known. Called by the one that reads. */
bool live_counters(struct live *l, struct live_counters *out);

#endif
