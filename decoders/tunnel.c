/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each kind of tunnel is a function that reads its header and says behind
 * which EtherType the rest stands; link.c takes it from there, so that inner
 * VLAN tags, MPLS and PPPoE are what they are outside. Nothing of this is on
 * the path of plain TCP, and UDP to another port costs one comparison.
 *
 *	GRE     C R K S 4 bits, 0 9 bits, version 3 | type 2 |
 *	        [sum 2 | 0 2] [key 4] [number 4]
 *	ERSPAN II   1 4 bits, vlan 12 | cos 3, en 2, t 1, session 10 | index 4
 *	ERSPAN III  2 4 bits, vlan 12 | cos 3, bso 2, t 1, session 10 | time 4 |
 *	            sgt 2 | p 1, ft 5, hw 6, d 1, gra 2, o 1 | [platform 8]
 *	VXLAN   flags 1 | 0 3 | vni 3 | 0 1
 *	GENEVE  version 2 bits, options/4 6 | O C 2 bits | type 2 | vni 3 | 0 1
 *
 * ERSPAN of the first kind has no header and is told from the second by the
 * missing sequence number; a switch that cut the mirrored frame says so in t,
 * which makes the rest truncated, not malformed.
 */
#include "decoders/tunnel.h"

#include "decoders/be.h"
#include "decoders/link.h"

#define UDP_HEADER 8
#define VXLAN_HEADER 8
#define GENEVE_HEADER 8
#define ERSPAN2_HEADER 8
#define ERSPAN3_HEADER 12
#define ERSPAN3_PLATFORM 8
#define ETHERIP_HEADER 2

enum protocol {
	PROTO_IP4 = 4,
	PROTO_UDP = 17,
	PROTO_IP6 = 41,
	PROTO_GRE = 47,
	PROTO_ETHERIP = 97,
	PROTO_MPLS = 137
};

enum udp_port { PORT_VXLAN = 4789, PORT_VXLAN_OLD = 8472, PORT_GENEVE = 6081 };

enum gre_flag {
	GRE_SUM = 0x8000,
	GRE_ROUTING = 0x4000, /* RFC 1701; nobody may send it any more */
	GRE_KEY = 0x2000,
	GRE_NUMBER = 0x1000,
	GRE_VERSION = 0x0007
};

enum inner_type {
	TYPE_IP4 = 0x0800,
	TYPE_ERSPAN3 = 0x22eb,
	TYPE_IP6 = 0x86dd,
	TYPE_MPLS = 0x8847,
	TYPE_ERSPAN = 0x88be
};

#define ERSPAN_CUT 0x0400 /* t, in the second word of 16 bits */
#define ERSPAN_SESSION 0x03ff
#define ERSPAN3_HAS_PLATFORM 0x01
#define VXLAN_HAS_VNI 0x08
#define GENEVE_CONTROL 0x80

/* Moves over n bytes of header: TUNNEL_IP to go on. */
static enum tunnel_result
step(struct ip_payload *in, uint32_t n)
{
	if (n > in->wire)
		return TUNNEL_MALFORMED;
	if (n > in->held)
		return TUNNEL_TRUNCATED;
	in->p += n;
	in->held -= n;
	in->wire -= n;
	return TUNNEL_IP;
}

/* Which network of several: the identifiers of all layers. */
static void
note_id(struct packet *pkt, uint32_t id)
{
	pkt->tunnel_id = (pkt->tunnel_id ^ (id + 1)) * 0x9e3779b1u;
}

static enum tunnel_result
inner(struct packet *pkt, struct ip_payload *in, uint16_t type)
{
	const uint8_t *outer = pkt->ip;
	struct slice rest = {in->p, in->held};

	switch (link_decode_inner(pkt, type, rest)) {
	case LINK_IP:
		break;
	case LINK_TRUNCATED:
		return in->held < in->wire ? TUNNEL_TRUNCATED
					   : TUNNEL_MALFORMED;
	default:
		return TUNNEL_NONE;
	}
	pkt->flags |= PKT_TUNNEL;
	if (pkt->outer == NULL)
		pkt->outer = outer;
	return step(in, (uint32_t)(pkt->ip - in->p));
}

/* A frame that the mirroring switch cut is held in part, whatever the
 * capture did. */
static enum tunnel_result
mirrored(
    struct packet *pkt, struct ip_payload *in, uint32_t header, uint16_t word)
{
	enum tunnel_result r = step(in, header);

	if (r != TUNNEL_IP)
		return r;
	pkt->tunnel = TUNNEL_ERSPAN;
	note_id(pkt, word & ERSPAN_SESSION);
	if (word & ERSPAN_CUT && in->wire == in->held)
		in->wire++;
	return inner(pkt, in, LINK_ETHER_IN_TUNNEL);
}

static enum tunnel_result
erspan(struct packet *pkt, struct ip_payload *in, uint16_t type)
{
	uint32_t header =
	    type == TYPE_ERSPAN3 ? ERSPAN3_HEADER : ERSPAN2_HEADER;
	struct ip_payload at = *in;
	enum tunnel_result r = step(&at, header);

	if (r != TUNNEL_IP)
		return r;
	if (in->p[0] >> 4 != (type == TYPE_ERSPAN3 ? 2 : 1))
		return TUNNEL_NONE;
	if (type == TYPE_ERSPAN3 && in->p[11] & ERSPAN3_HAS_PLATFORM)
		header += ERSPAN3_PLATFORM;
	return mirrored(pkt, in, header, be16(in->p + 2));
}

static enum tunnel_result
gre(struct packet *pkt, struct ip_payload *in)
{
	struct ip_payload at = *in;
	enum tunnel_result r = step(&at, 4);

	if (r != TUNNEL_IP)
		return r;
	uint16_t flags = be16(in->p), type = be16(in->p + 2);
	if (flags & (GRE_ROUTING | GRE_VERSION))
		return TUNNEL_NONE;
	uint32_t size = 4;
	size += flags & GRE_SUM ? 4 : 0;
	size += flags & GRE_KEY ? 4 : 0;
	size += flags & GRE_NUMBER ? 4 : 0;
	r = step(in, size);
	if (r != TUNNEL_IP)
		return r;
	if (flags & GRE_KEY)
		note_id(pkt, be32(at.p + (flags & GRE_SUM ? 4 : 0)));
	pkt->tunnel = type == TYPE_ERSPAN ? TUNNEL_ERSPAN : TUNNEL_GRE;
	if (type == TYPE_ERSPAN && !(flags & GRE_NUMBER))
		return inner(pkt, in, LINK_ETHER_IN_TUNNEL);
	if (type == TYPE_ERSPAN || type == TYPE_ERSPAN3)
		return erspan(pkt, in, type);
	return inner(pkt, in, type);
}

static enum tunnel_result
vxlan(struct packet *pkt, struct ip_payload *in)
{
	const uint8_t *p = in->p;
	enum tunnel_result r = step(in, VXLAN_HEADER);

	if (r != TUNNEL_IP)
		return r;
	if (!(p[0] & VXLAN_HAS_VNI))
		return TUNNEL_NONE;
	pkt->tunnel = TUNNEL_VXLAN;
	note_id(pkt, be32(p + 4) >> 8);
	return inner(pkt, in, LINK_ETHER_IN_TUNNEL);
}

static enum tunnel_result
geneve(struct packet *pkt, struct ip_payload *in)
{
	const uint8_t *p = in->p;
	enum tunnel_result r = step(in, GENEVE_HEADER);

	if (r != TUNNEL_IP)
		return r;
	if (p[0] >> 6 != 0 || p[1] & GENEVE_CONTROL)
		return TUNNEL_NONE;
	pkt->tunnel = TUNNEL_GENEVE;
	note_id(pkt, be32(p + 4) >> 8);
	r = step(in, (p[0] & 0x3fu) * 4);
	return r == TUNNEL_IP ? inner(pkt, in, be16(p + 2)) : r;
}

bool
tunnel_udp(struct ip_payload in)
{
	if (in.held < UDP_HEADER)
		return false;
	uint16_t port = be16(in.p + 2);
	return port == PORT_VXLAN || port == PORT_VXLAN_OLD ||
	       port == PORT_GENEVE;
}

/* The length is trusted only to be less than what is there: with offload it
 * is 0 or that of another packet. */
static enum tunnel_result
udp(struct packet *pkt, struct ip_payload *in)
{
	if (!tunnel_udp(*in))
		return TUNNEL_NONE;
	uint16_t port = be16(in->p + 2), len = be16(in->p + 4);
	if (len != 0 && len < UDP_HEADER)
		return TUNNEL_MALFORMED;
	if (len != 0 && len < in->wire) {
		in->wire = len;
		in->held = in->held < len ? in->held : len;
	}
	enum tunnel_result r = step(in, UDP_HEADER);
	if (r != TUNNEL_IP)
		return r;
	return port == PORT_GENEVE ? geneve(pkt, in) : vxlan(pkt, in);
}

static enum tunnel_result
etherip(struct packet *pkt, struct ip_payload *in)
{
	const uint8_t *p = in->p;
	enum tunnel_result r = step(in, ETHERIP_HEADER);

	if (r != TUNNEL_IP)
		return r;
	pkt->tunnel = TUNNEL_ETHERIP;
	return p[0] >> 4 == 3 ? inner(pkt, in, LINK_ETHER_IN_TUNNEL)
			      : TUNNEL_NONE;
}

bool
tunnel_protocol(uint8_t proto)
{
	return proto == PROTO_IP4 || proto == PROTO_IP6 || proto == PROTO_GRE ||
	       proto == PROTO_ETHERIP || proto == PROTO_MPLS;
}

enum tunnel_result
tunnel_enter(struct packet *pkt, struct ip_payload *in)
{
	pkt->tunnel = pkt->ip_proto == PROTO_MPLS ? TUNNEL_MPLS : TUNNEL_IN_IP;
	switch (pkt->ip_proto) {
	case PROTO_UDP:
		return udp(pkt, in);
	case PROTO_IP4:
		return inner(pkt, in, TYPE_IP4);
	case PROTO_IP6:
		return inner(pkt, in, TYPE_IP6);
	case PROTO_GRE:
		return gre(pkt, in);
	case PROTO_ETHERIP:
		return etherip(pkt, in);
	case PROTO_MPLS:
		return inner(pkt, in, TYPE_MPLS);
	default:
		return TUNNEL_NONE;
	}
}
