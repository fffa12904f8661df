/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the IP header to the TCP payload: IPv4 (RFC 791), IPv6 with extension
 * headers (RFC 8200), fragments of both put together within bounds (a pool of
 * DEFRAG_BYTES, 30 s, least recently used goes), TCP header and options
 * (RFC 9293, 7323); tunnels on the way are taken off (tunnel.h), and what they
 * carried is the packet. Checksums are verified and counted, never a reason to
 * drop: span ports and offloading hosts produce wrong ones all the time.
 */
#ifndef STRIPWIRE_IP_H
#define STRIPWIRE_IP_H

#include "decoders/packet.h"

#define DEFRAG_BYTES (4u << 20) /* fragments held, all datagrams together */
#define DEFRAG_DATAGRAMS 1024

enum ip_result {
	IP_TCP, /* TCP fields are set */
	IP_NOT_TCP, /* another protocol, or ICMP about one */
	IP_FRAGMENT, /* held; nothing to do yet */
	IP_TRUNCATED, /* the capture cut the headers */
	IP_MALFORMED /* lengths or fields contradict each other */
};

enum tunnel_kind {
	TUNNEL_IN_IP,
	TUNNEL_GRE,
	TUNNEL_ERSPAN,
	TUNNEL_VXLAN,
	TUNNEL_GENEVE,
	TUNNEL_ETHERIP,
	TUNNEL_MPLS,
	TUNNEL_KINDS
};

/* v4, v6: IP headers, those in tunnels too. tunnels: layers taken off;
 * tunnel_deep: packets with more of them than TUNNEL_DEPTH, left alone. */
struct ip_counters {
	uint64_t v4, v6, tcp, other, fragments, reassembled, frag_dropped,
	    frag_overlap, truncated, malformed, bad_ip_csum, bad_tcp_csum,
	    open_tcp_csum, tunnels, tunnel_deep;
	uint64_t tunnel[TUNNEL_KINDS]; /* the same layers by their kind */
};

struct ip_ctx; /* the defragmenter and the counters */

struct ip_ctx *ip_new(void);
void ip_free(struct ip_ctx *c);
const struct ip_counters *ip_counters(const struct ip_ctx *c);
/* Of the fragments held. */
struct table_use ip_use(const struct ip_ctx *c);

/* pkt->ip must be set. A put-together datagram borrows from the context and
 * lives until the next call. */
enum ip_result ip_decode(struct ip_ctx *c, struct packet *pkt);
/* Nearly every frame in one go, from its first byte (usual.h). True: as if
 * link_decode() had said LINK_IP and ip_decode() IP_TCP. False: nothing has
 * happened, they have to be asked. */
bool ip_decode_frame(struct ip_ctx *c, struct packet *pkt);
/* What ip_decode() does without the short way, for tests to hold it against. */
enum ip_result ip_decode_any(struct ip_ctx *c, struct packet *pkt);

/* TCP checksum of a decoded packet, on demand: reading every payload byte is
 * not free, and opaque flows do not need it. Sets PKT_CSUM_CHECKED and
 * PKT_BAD_TCP_CSUM; counts. Packets that were cut are left alone, and those
 * that say that a network card was to do it get PKT_OPEN_TCP_CSUM instead. */
void ip_check_tcp(struct ip_ctx *c, struct packet *pkt);

#endif
