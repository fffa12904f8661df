/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a host is known by beside its numbers: the MAC address its frames come
 * from, the options of its SYN, its timestamps, how long it takes to answer.
 *
 * A direction whose frames come from several MAC addresses (a mirror of both
 * sides of a router, routers that share the load) says nothing about a frame
 * from one more. Timestamps that both SYNs agreed on stand in every segment but
 * a reset (RFC 7323 3.2), and move slowly.
 */
#include <string.h>

#include "sensor/evidence.h"
#include "sensor/evidence_private.h"

static void
note_mac(struct evidence_dir *d, const struct packet *pkt)
{
	const uint8_t *mac = evidence_mac(pkt);

	if (mac == NULL)
		return;
	if ((d->flags & EVD_MAC) == 0) {
		memcpy(d->mac, mac, sizeof(d->mac));
		d->flags |= EVD_MAC;
	} else if (!evidence_is_from(d, mac))
		d->flags |= EVD_MACS;
}

static void
note_ts(struct evidence_dir *d, const struct packet *pkt)
{
	if ((pkt->tcp_flags & TCP_SYN) == 0)
		evidence_note_ts(d, pkt);
	else if ((pkt->flags & PKT_TS) != 0) {
		d->flags |= EVD_TS;
		d->tsval = pkt->tsval;
	}
}

/* Order of the options, and what they say of the stack rather than of the
 * connection. */
static uint32_t
signature(const struct packet *pkt)
{
	uint32_t h = pkt->option_order;

	h = (h ^ pkt->mss) * 0x9e3779b1u;
	h = (h ^ pkt->wscale) * 0x85ebca6bu;
	h ^= h >> 15;
	return h != 0 ? h : 1;
}

/* From the SYN to its answer, from the answer to what the client says to it.
 * Of what was sent more than once nobody knows which was answered. */
void
evidence_rtt(struct evidence_flow *ev, const struct packet *pkt, int dir)
{
	const struct evidence_dir *d = &ev->d[dir], *peer = &ev->d[!dir];
	const struct pkt_ref *asked = &evidence_rest(peer)->mark;
	int64_t us = (pkt->time - asked->time) / 1000;

	if (ev->rtt[dir] != 0 || (d->flags & EVD_ACKED) != 0 ||
	    (pkt->tcp_flags & TCP_ACK) == 0 ||
	    (asked->tcp_flags & TCP_SYN) == 0 ||
	    asked->seq + asked->len + 1 != pkt->ack ||
	    ((d->flags | peer->flags) & EVD_SYN_AGAIN) != 0)
		return;
	if (us >= 0 && us < UINT32_MAX)
		ev->rtt[dir] = us > 0 ? (uint32_t)us : 1;
}

void
evidence_host(struct evidence_flow *ev, const struct packet *pkt, int dir)
{
	struct evidence_dir *d = &ev->d[dir];

	note_mac(d, pkt);
	note_ts(d, pkt);
	if ((pkt->tcp_flags & TCP_SYN) != 0 &&
	    evidence_rest(d)->syn_signature == 0)
		evidence_rest(d)->syn_signature = signature(pkt);
	evidence_rtt(ev, pkt, dir);
}
