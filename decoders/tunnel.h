/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tunnels over IP, one layer at a time: IP in IP (RFC 2003), IPv6 in IPv4 and
 * back (RFC 4213, 2473), MPLS in IP (RFC 4023), EtherIP (RFC 3378), GRE with
 * checksum, key and number (RFC 2784, 2890), carrying IP, MPLS, Ethernet
 * (NVGRE, RFC 7637) or a mirrored frame (ERSPAN I, II and III), VXLAN
 * (RFC 7348) and GENEVE (RFC 8926).
 */
#ifndef STRIPWIRE_TUNNEL_H
#define STRIPWIRE_TUNNEL_H

#include "decoders/ip.h"
#include "decoders/tcp_hdr.h"

#define TUNNEL_DEPTH 4 /* layers taken off; real networks have one or two */

enum tunnel_result {
	TUNNEL_NONE, /* no tunnel, or nothing in it that we follow */
	TUNNEL_IP, /* *in and pkt->ip are at the inner IP header */
	TUNNEL_TRUNCATED,
	TUNNEL_MALFORMED
};

/* May this IP protocol be a tunnel? UDP is not among them: see below. */
bool tunnel_protocol(uint8_t proto);

/* Is this the start of a UDP datagram to a tunnel's port? */
bool tunnel_udp(struct ip_payload in);

/* Looks at what pkt->ip_proto says `in` is. On TUNNEL_IP the link fields are
 * those of the inner frame, if there is one, PKT_TUNNEL and pkt->tunnel are set and pkt->outer
 * keeps the outermost IP header; the network fields are the caller's to fill. */
enum tunnel_result tunnel_enter(struct packet *pkt, struct ip_payload *in);

#endif
