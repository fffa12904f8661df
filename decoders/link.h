/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the frame to the IP header: Ethernet with any stack of VLAN tags
 * (0x8100, 0x88a8, 0x9100), Linux cooked v1 and v2, raw IP, BSD loopback
 * (either byte order), PPPoE sessions. Tunnels have their place in ip.c.
 */
#ifndef STRIPWIRE_LINK_H
#define STRIPWIRE_LINK_H

#include "decoders/packet.h"

enum link_result {
	LINK_IP, /* pkt->ip and pkt->ip_caplen are set */
	LINK_OTHER, /* ARP and all else */
	LINK_TRUNCATED, /* the capture ends before the IP header */
	LINK_UNKNOWN /* this link type is not known */
};

enum link_result link_decode(struct packet *pkt);
bool link_known(int linktype);
/* e.g. "DLT 105 (IEEE802_11)" for messages; static storage. */
const char *link_name(int linktype);

#endif
