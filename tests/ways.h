/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The short way (decoders/usual.h) held against the long one: each frame goes
 * both, to a context of its own, and comes out the same or is not usual.
 */
#ifndef STRIPWIRE_WAYS_H
#define STRIPWIRE_WAYS_H

#include <string.h>

#include "decoders/ip.h"
#include "decoders/link.h"
#include "decoders/usual.h"

struct ways {
	struct ip_ctx *quick, *at_length;
	enum link_result link;
	enum ip_result ip; /* of the last one, if it was LINK_IP */
	bool usual;
};

static inline bool
ways_same(const struct packet *a, const struct packet *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* From the IP header on; pkt is as link_decode() left it. */
static inline bool
ways_agree_ip(struct ways *w, struct packet *pkt, const struct packet *quick)
{
	struct packet by_ip;
	bool plain;

	memcpy(&by_ip, pkt, sizeof(by_ip));
	w->ip = ip_decode_any(w->at_length, pkt);
	if (w->usual)
		return w->ip == IP_TCP && ways_same(quick, pkt) &&
		       usual_ip(&by_ip) && ways_same(&by_ip, pkt);
	plain = ip_decode(w->quick, &by_ip) == w->ip;
	/* what was put together from fragments lies elsewhere */
	if (!plain || w->ip != IP_TCP ||
	    (uintptr_t)pkt->tcp - (uintptr_t)pkt->frame >= pkt->caplen)
		return plain;
	return ways_same(&by_ip, pkt);
}

/* pkt has its frame fields set, all else is zero; it goes the long way. */
static inline bool
ways_agree(struct ways *w, struct packet *pkt)
{
	struct packet quick, fresh;

	memcpy(&quick, pkt, sizeof(quick));
	memcpy(&fresh, pkt, sizeof(fresh));
	w->usual = ip_decode_frame(w->quick, &quick);
	w->link = link_decode(pkt);
	if (!w->usual && !ways_same(&quick, &fresh))
		return false;
	if (w->link != LINK_IP)
		return !w->usual;
	return ways_agree_ip(w, pkt, &quick) &&
	       memcmp(ip_counters(w->quick), ip_counters(w->at_length),
		   sizeof(struct ip_counters)) == 0;
}

#endif
