/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The short way for nearly every packet: IPv4 without options, right, whole and
 * no fragment, or IPv6 without extension headers, and TCP in it; on Ethernet,
 * with one VLAN tag or none. Headers are read once.
 *
 * Nothing is decided here that link_decode() and ip_decode_any() would decide
 * otherwise: true means that the fields of pkt are what these would make them,
 * with LINK_IP and IP_TCP, and false that nothing was touched.
 */
#ifndef STRIPWIRE_USUAL_H
#define STRIPWIRE_USUAL_H

#include "decoders/packet.h"

/* From the frame; the frame fields of pkt are set, all others are zero. */
__attribute__((noinline)) bool usual_frame(struct packet *pkt);
/* From the IP header: link_decode() said LINK_IP. */
bool usual_ip(struct packet *pkt);

#endif
