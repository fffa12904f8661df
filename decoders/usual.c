/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything is looked at before anything is written. What is asked of IPv4
 * but for protocol, lengths and checksum is one comparison of its first 8
 * bytes:
 *
 *	| 4 5 | tos | total length | id | - DF MF offset |
 *	  ===                                  == ======
 */
#include "decoders/usual.h"

#include <arpa/inet.h>

#include "decoders/be.h"
#include "decoders/link.h"
#include "decoders/tcp_hdr.h"

#define ETHER_HEADER 14
#define ETHER_IP4 0x0800
#define ETHER_IP6 0x86dd
#define ETHER_VLAN 0x8100
#define VLAN_TAG 4
#define IP4_HEADER 20
#define IP6_HEADER 40
#define IP4_DF 0x40 /* in the first byte of its field */
#define NEXT_TCP 6
#define TCP_HEADER 20
#define SHORTEST (ETHER_HEADER + IP4_HEADER + TCP_HEADER)

/* All of it in one function, so that what was read once is in a register. */
#define INLINE inline __attribute__((always_inline))

typedef uint32_t words __attribute__((vector_size(16)));

typedef uint64_t pair __attribute__((vector_size(16)));

struct segment {
	const uint8_t *p;
	uint32_t size; /* of its header */
	uint32_t len; /* of all */
};

union first_bytes {
	uint8_t b[8];
	uint64_t word;
};

/* As they lie there, in either byte order. */
static const union first_bytes ip4_mask = {{0xff, 0, 0, 0, 0, 0, 0x3f, 0xff}};
static const union first_bytes ip4_plain = {{0x45}};

/* Bytes of the TCP header, as it says; fewer than 20 are wrong. */
static INLINE uint32_t
header_size(const uint8_t *tcp)
{
	return (tcp[12] & 0xf0u) >> 2;
}

/* Both addresses with one load, each in one store: they are read as a whole
 * soon, and would wait for two of them. */
static INLINE void
set_mapped(struct packet *pkt, uint64_t addresses)
{
	const words mapped = {0, htonl(0xffff), 0, 0};
	words both = (words)(pair){addresses, 0}, src, dst;

	src = __builtin_shufflevector(mapped, both, 0, 1, 4, 4);
	dst = __builtin_shufflevector(mapped, both, 0, 1, 5, 5);
	src = __builtin_shufflevector(src, src, 0, 0, 1, 2);
	dst = __builtin_shufflevector(dst, dst, 0, 0, 1, 2);
	memcpy(&pkt->src, &src, sizeof(pkt->src));
	memcpy(&pkt->dst, &dst, sizeof(pkt->dst));
}

/* The header is right if it adds up to no rest: all its 16-bit words, in ones'
 * complement, are a multiple of 0xffff. */
static INLINE bool
ip4_sum_ok(const uint8_t *p)
{
	uint64_t sum = (uint64_t)load32(p) + load32(p + 4) + load32(p + 8) +
		       load32(p + 12) + load32(p + 16);

	return sum % 0xffff == 0;
}

static INLINE bool
is_usual4(const uint8_t *p, uint32_t held, struct segment *tcp)
{
	uint32_t total;

	if (held < IP4_HEADER + TCP_HEADER || p[9] != NEXT_TCP ||
	    (load64(p) & ip4_mask.word) != ip4_plain.word)
		return false;
	total = be16(p + 2);
	*tcp = (struct segment){
	    p + IP4_HEADER, header_size(p + IP4_HEADER), total - IP4_HEADER};
	return total <= held && tcp->size >= TCP_HEADER &&
	       total >= IP4_HEADER + tcp->size && ip4_sum_ok(p);
}

static INLINE bool
is_usual6(const uint8_t *p, uint32_t held, struct segment *tcp)
{
	if (held < IP6_HEADER + TCP_HEADER || p[0] >> 4 != 6 ||
	    p[6] != NEXT_TCP)
		return false;
	*tcp = (struct segment){
	    p + IP6_HEADER, header_size(p + IP6_HEADER), be16(p + 4)};
	return tcp->len <= held - IP6_HEADER && tcp->size >= TCP_HEADER &&
	       tcp->len >= tcp->size;
}

static INLINE void
fill4(struct packet *pkt, const uint8_t *p)
{
	pkt->flags |= (p[6] & (uint32_t)IP4_DF) * (PKT_IP_DF / IP4_DF);
	pkt->ip_id = be16(p + 4);
	pkt->ttl = p[8];
	set_mapped(pkt, load64(p + 12));
}

static INLINE void
fill6(struct packet *pkt, const uint8_t *p)
{
	pkt->flags |= PKT_V6;
	pkt->ttl = p[7];
	memcpy(&pkt->src, p + 8, sizeof(pkt->src));
	memcpy(&pkt->dst, p + 24, sizeof(pkt->dst));
}

static INLINE void
fill_tcp(struct packet *pkt, struct segment tcp)
{
	pkt->ip_proto = NEXT_TCP;
	pkt->payload = tcp.p + tcp.size;
	pkt->len = pkt->wire_len = tcp.len - tcp.size;
	tcp_fixed_header(pkt, tcp.p);
	if (tcp.size > TCP_HEADER)
		tcp_options(
		    pkt, tcp.p + TCP_HEADER, tcp.size - TCP_HEADER, false);
}

bool
usual_ip(struct packet *pkt)
{
	struct segment tcp;

	if (is_usual4(pkt->ip, pkt->ip_caplen, &tcp))
		fill4(pkt, pkt->ip);
	else if (is_usual6(pkt->ip, pkt->ip_caplen, &tcp))
		fill6(pkt, pkt->ip);
	else
		return false;
	fill_tcp(pkt, tcp);
	return true;
}

static INLINE void
fill_link(struct packet *pkt, const uint8_t *ip, uint32_t held)
{
	pkt->mac = pkt->frame;
	pkt->flags |= PKT_HAS_MAC;
	pkt->ip = ip;
	pkt->ip_caplen = held;
	if (held == pkt->caplen - ETHER_HEADER)
		return;
	pkt->vlan[0] = be16(ip - VLAN_TAG) & 0xfff;
	pkt->nvlan = 1;
}

bool
usual_frame(struct packet *pkt)
{
	const uint8_t *ip = pkt->frame + ETHER_HEADER;
	uint32_t held = pkt->caplen - ETHER_HEADER;
	struct segment tcp;

	if (pkt->linktype != LINK_EN10MB || pkt->caplen < SHORTEST)
		return false;
	if (be16(ip - 2) == ETHER_VLAN) {
		ip += VLAN_TAG;
		held -= VLAN_TAG;
	}
	if (be16(ip - 2) == ETHER_IP4 && is_usual4(ip, held, &tcp))
		fill4(pkt, ip);
	else if (be16(ip - 2) == ETHER_IP6 && is_usual6(ip, held, &tcp))
		fill6(pkt, ip);
	else
		return false;
	fill_link(pkt, ip, held);
	fill_tcp(pkt, tcp);
	return true;
}
