/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TCP header and options (RFC 9293 3.1 and 3.2, RFC 7323, RFC 2018), and the
 * checksum over a segment.
 */
#ifndef STRIPWIRE_TCP_HDR_H
#define STRIPWIRE_TCP_HDR_H

#include "decoders/be.h"
#include "decoders/ip.h"
#include "decoders/slice.h"

/* What IP carries: held bytes of wire bytes that were sent. */
struct ip_payload {
	const uint8_t *p;
	uint32_t held, wire;
};

/* Fills the TCP fields of pkt. Returns IP_TCP, IP_TRUNCATED (the fixed header
 * is not whole) or IP_MALFORMED. A header whose options were cut by the
 * capture is IP_TCP with PKT_TRUNCATED: its sequence numbers are still good. */
enum ip_result tcp_decode(struct packet *pkt, struct ip_payload in);

/* Its parts, for those who have looked at the lengths: 20 bytes; and options,
 * of which there may be none. cut: the capture ends inside of them, so that a
 * last one may be short. */
static inline void
tcp_fixed_header(struct packet *pkt, const uint8_t *p)
{
	uint32_t ports = be32(p);

	pkt->tcp = p;
	pkt->sport = (uint16_t)(ports >> 16);
	pkt->dport = (uint16_t)ports;
	pkt->seq = be32(p + 4);
	pkt->ack = be32(p + 8);
	pkt->tcp_flags = p[13];
	pkt->window = be16(p + 14);
	pkt->urgent = be16(p + 18);
}

void tcp_read_options(
    struct packet *pkt, const uint8_t *p, uint32_t len, bool cut);

static inline __attribute__((always_inline)) void
tcp_options(struct packet *pkt, const uint8_t *p, uint32_t len, bool cut)
{
	/* What nearly every segment of an open connection carries. */
	if (len == 12 && be32(p) == 0x0101080a) {
		pkt->tsval = be32(p + 4);
		pkt->tsecr = be32(p + 8);
		pkt->flags |= PKT_TS;
	} else if (len > 0) {
		tcp_read_options(pkt, p, len, cut);
	}
}

/* The Internet checksum (RFC 1071) of a decoded, complete segment with its
 * pseudo-header (RFC 9293 3.1, RFC 8200 8.1): is it right? */
bool tcp_checksum_ok(const struct packet *pkt);

/* Is it the sum over the pseudo-header alone? Hosts leave it so for a network
 * card to finish, and Linux when it joins segments that it received. */
bool tcp_checksum_open(const struct packet *pkt);

/*
 * The same in two parts, so that a checksum can be held against a payload that
 * came in another segment: what is added up over the header as it was sent,
 * its checksum among it, and over the payload. pkt is any packet of the
 * direction, for its addresses.
 */
uint16_t tcp_sum_header(const struct packet *pkt);
uint16_t tcp_sum_payload(struct slice s);
bool tcp_sum_is_right(
    const struct packet *pkt, uint16_t header, uint16_t payload, uint32_t len);

/* The first SACK block (RFC 2018): the one that can report a duplicate (RFC
 * 2883 4). Returns false if there is none. */
bool tcp_sack_first(const struct packet *pkt, uint32_t block[2]);

#endif
