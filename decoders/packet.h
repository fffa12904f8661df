/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One captured frame, taken apart. Filled by link_decode() and ip_decode();
 * pointers borrow from the frame (or from the defragmenter) and live until
 * the next packet is read.
 *
 * Two lengths are kept apart everywhere: what the headers claim was sent
 * ("wire") and what the capture holds. Truncated means that the capture cut
 * the packet (its fault); malformed means that the sender's own lengths or
 * fields contradict each other.
 */
#ifndef STRIPWIRE_PACKET_H
#define STRIPWIRE_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#define PACKET_VLAN_MAX 4 /* deeper stacks are walked, not remembered */

/* IPv4 addresses are held IPv4-mapped (::ffff:a.b.c.d, RFC 4291 2.5.5.2). */
struct addr {
	uint8_t b[16];
};

enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20
};

/* What was odd about a packet; named bits, set while parsing, judged later. */
enum packet_flag {
	PKT_V6 = 1 << 0, /* addresses are IPv6 */
	PKT_TRUNCATED = 1 << 1, /* capture holds less than was sent */
	PKT_BAD_IP_CSUM = 1 << 2, /* IPv4 header checksum wrong */
	PKT_BAD_TCP_CSUM = 1 << 3, /* TCP checksum wrong (complete packets) */
	PKT_CSUM_CHECKED = 1 << 4, /* TCP checksum was verified */
	PKT_LEN_ZERO = 1 << 5, /* IPv4 total length 0 (offload) */
	PKT_FRAGMENT = 1 << 6, /* put together from fragments */
	PKT_IP_DF = 1 << 7,
	PKT_TS = 1 << 8, /* TCP timestamps option present */
	PKT_SACK_OK = 1 << 9,
	PKT_WSCALE = 1 << 10,
	PKT_BAD_OPTIONS = 1 << 11, /* TCP option list is malformed */
	PKT_HAS_MAC = 1 << 12,
	PKT_TUNNEL = 1 << 13, /* came out of a tunnel or a pseudowire */
	PKT_OPEN_TCP_CSUM = 1 << 14, /* left to a network card to finish */
	PKT_UNSURE = 1 << 15 /* a host drops it, or hosts differ */
};

struct packet {
	int64_t time; /* nanoseconds since the epoch, from the capture */
	uint64_t ordinal; /* 1-based place in the whole input */
	uint32_t file; /* 0-based place of its file in the input */
	uint32_t frame_no; /* 1-based place in its file (EVE pcap_cnt) */
	const uint8_t *frame;
	uint32_t caplen; /* bytes held */
	uint32_t wirelen; /* bytes that were on the wire */
	int linktype; /* DLT_ value of its interface */
	uint32_t interface; /* 0-based, of those of the capture or the file */

	/* link */
	const uint8_t *mac; /* dst then src, 12 bytes, if PKT_HAS_MAC */
	uint16_t vlan[PACKET_VLAN_MAX];
	uint8_t nvlan;

	/* network: of the innermost packet. What a tunnel carries tells its own
	 * MAC addresses and VLANs; the VLANs add up, the flags are its own. */
	const uint8_t *outer; /* outermost IP header, if tunnelled over IP */
	const uint8_t *ip; /* start of the IP header */
	uint32_t ip_caplen; /* bytes held from there on */
	struct addr src, dst;
	uint32_t flags; /* enum packet_flag */
	uint32_t tunnel_id; /* VNIs, GRE keys, ERSPAN sessions, mixed */
	uint8_t ip_proto;
	uint8_t tunnel; /* enum tunnel_kind (ip.h) of the layer just entered */

	/* TCP, if ip_proto is 6 and ip_decode() said IP_TCP; but for two fields
	 * of IP, which stand here in the order of struct pkt_ref, so that they
	 * are copied together */
	uint32_t seq, ack;
	uint32_t wire_len; /* payload bytes sent; len < wire_len if cut */
	uint16_t window; /* as on the wire, unscaled */
	uint16_t ip_id; /* IPv4 only */
	uint8_t ttl; /* or hop limit */
	uint8_t tcp_flags;
	uint8_t wscale;
	uint16_t mss; /* 0: no option */
	uint16_t dport, sport; /* in this order to be read as one number */
	uint16_t urgent;
	uint32_t tsval, tsecr;
	uint32_t option_order; /* of the kinds, hashed; 0 for none or only TS */
	const uint8_t *tcp; /* start of the TCP header */
	const uint8_t *payload;
	uint32_t len; /* payload bytes held */
};

#endif
