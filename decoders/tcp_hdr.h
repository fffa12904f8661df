/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TCP header and options (RFC 9293 3.1 and 3.2, RFC 7323, RFC 2018), and the
 * checksum over a segment.
 */
#ifndef STRIPWIRE_TCP_HDR_H
#define STRIPWIRE_TCP_HDR_H

#include "decoders/ip.h"

/* What IP carries: held bytes of wire bytes that were sent. */
struct ip_payload {
	const uint8_t *p;
	uint32_t held, wire;
};

/* Fills the TCP fields of pkt. Returns IP_TCP, IP_TRUNCATED (the fixed header
 * is not whole) or IP_MALFORMED. A header whose options were cut by the
 * capture is IP_TCP with PKT_TRUNCATED: its sequence numbers are still good. */
enum ip_result tcp_decode(struct packet *pkt, struct ip_payload in);

/* The Internet checksum (RFC 1071) of a decoded, complete segment with its
 * pseudo-header (RFC 9293 3.1, RFC 8200 8.1): is it right? */
bool tcp_checksum_ok(const struct packet *pkt);

/* Is it the sum over the pseudo-header alone? Hosts leave it so for a network
 * card to finish, and Linux when it joins segments that it received. */
bool tcp_checksum_open(const struct packet *pkt);

#endif
