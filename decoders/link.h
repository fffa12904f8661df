/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the frame to the IP header: Ethernet with any stack of VLAN tags
 * (0x8100, 0x88a8, 0x9100), MPLS label stacks with IP or Ethernet in them,
 * PPPoE sessions, LLC/SNAP, Linux cooked v1 and v2, PPP, Cisco HDLC, raw IP,
 * BSD loopback (either byte order). What tunnels over IP carry begins here
 * anew (tunnel.h).
 */
#ifndef STRIPWIRE_LINK_H
#define STRIPWIRE_LINK_H

#include "decoders/packet.h"
#include "decoders/slice.h"

/* The EtherType that announces a whole Ethernet frame (RFC 1701). */
#define LINK_ETHER_IN_TUNNEL 0x6558

/* Link types by their number in pcap and pcapng files. Raw IP has several:
 * libpcap on Linux turns 101 into 12, OpenBSD's number for it is 14. */
enum link_type {
	LINK_NULL = 0,
	LINK_EN10MB = 1,
	LINK_PPP = 9,
	LINK_RAW = 12,
	LINK_RAW_BSD = 14,
	LINK_PPP_SERIAL = 50,
	LINK_PPP_ETHER = 51,
	LINK_RAW_FILE = 101,
	LINK_C_HDLC = 104,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276
};

enum link_result {
	LINK_IP, /* pkt->ip and pkt->ip_caplen are set */
	LINK_OTHER, /* ARP and all else */
	LINK_TRUNCATED, /* the capture ends before the IP header */
	LINK_UNKNOWN /* this link type is not known */
};

/* Needs the frame fields of pkt; fills the link fields. */
enum link_result link_decode(struct packet *pkt);
/* What a tunnel says it carries: fills the same fields from there on. */
enum link_result link_decode_inner(
    struct packet *pkt, uint16_t ether_type, struct slice in);
bool link_known(int linktype);
/* e.g. "DLT 105 (IEEE802_11)" for messages; static storage, one call's text
 * lives until the next for numbers without a name. */
const char *link_name(int linktype);

#endif
