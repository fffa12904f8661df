/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Link layers down to the IP header. Every decoder here is a step from one
 * (protocol number, rest of the frame) to the next; `struct rest` is what is
 * left of the frame, and nothing is read that it does not hold.
 *
 *	Ethernet   dst 6 | src 6 | type 2            IEEE 802.3
 *	VLAN tag   tci 2 | type 2                    IEEE 802.1Q, 802.1ad
 *	MPLS       label 20 bits, tc 3, s 1, ttl 8   RFC 3032
 *	pseudowire 0 4 bits, flags 12, number 2      RFC 4385 (may be left out)
 *	PPPoE      vt 1 | code 1 | sid 2 | len 2     RFC 2516
 *	cooked v1  type 2 | arphrd 2 | halen 2 | addr 8 | proto 2
 *	cooked v2  proto 2 | 0 2 | ifindex 4 | arphrd 2 | type 1 | halen 1 | addr 8
 */
#include "decoders/link.h"

#include <stdio.h>

#include "decoders/be.h"

#define ETHER_MIN_TYPE 0x600 /* below it, the field is a length */
#define MAC_BYTES 12
#define ETHER_HEADER (MAC_BYTES + 2)
#define CONTROL_WORD 4
#define LINK_NEST_MAX 4 /* Ethernet or SNAP within what they carry */

enum ether_type {
	ETHER_IP4 = 0x0800,
	ETHER_VLAN = 0x8100,
	ETHER_IP6 = 0x86dd,
	ETHER_MPLS = 0x8847,
	ETHER_MPLS_MC = 0x8848,
	ETHER_PPPOE = 0x8864,
	ETHER_QINQ = 0x88a8,
	ETHER_QINQ_OLD = 0x9100
};

enum ppp_proto { PPP_IP4 = 0x0021, PPP_IP6 = 0x0057 };

struct rest {
	const uint8_t *p;
	uint32_t len;
	uint8_t nested;
};

static enum link_result ether_payload(
    struct packet *pkt, uint16_t type, struct rest r);
static enum link_result ethernet(struct packet *pkt, struct rest r);

static inline struct rest
rest_after(struct rest r, uint32_t n)
{
	return (struct rest){r.p + n, r.len - n, r.nested};
}

static inline enum link_result
found_ip(struct packet *pkt, struct rest r)
{
	if (r.len == 0)
		return LINK_TRUNCATED;
	pkt->ip = r.p;
	pkt->ip_caplen = r.len;
	return LINK_IP;
}

/* No protocol number: the version nibble has to say it. */
static enum link_result
by_version(struct packet *pkt, struct rest r)
{
	if (r.len == 0)
		return LINK_TRUNCATED;
	if (r.p[0] >> 4 != 4 && r.p[0] >> 4 != 6)
		return LINK_OTHER;
	return found_ip(pkt, r);
}

static bool
is_vlan(uint16_t type)
{
	return type == ETHER_VLAN || type == ETHER_QINQ ||
	       type == ETHER_QINQ_OLD;
}

/* An Ethernet header with a type that leads on? */
static bool
looks_like_ethernet(struct rest r, uint32_t at)
{
	if (r.len < at + ETHER_HEADER)
		return false;
	uint16_t type = be16(r.p + at + MAC_BYTES);
	return type == ETHER_IP4 || type == ETHER_IP6 || is_vlan(type) ||
	       type == ETHER_MPLS || type == ETHER_PPPOE;
}

/*
 * An Ethernet pseudowire (RFC 4448). Nothing announces it: a control word
 * starts with four zero bits, and so does a frame to a MAC address of most
 * makers, so the type behind it decides. One that starts like an IP version
 * is taken for IP (RFC 4928).
 */
static enum link_result
pseudowire(struct packet *pkt, struct rest r)
{
	bool word = r.len > 0 && r.p[0] >> 4 == 0 &&
		    looks_like_ethernet(r, CONTROL_WORD);

	if (!word && !looks_like_ethernet(r, 0))
		return LINK_OTHER;
	if (r.nested++ == LINK_NEST_MAX)
		return LINK_OTHER;
	pkt->flags |= PKT_TUNNEL;
	return ethernet(pkt, word ? rest_after(r, CONTROL_WORD) : r);
}

static enum link_result
mpls(struct packet *pkt, struct rest r)
{
	for (;;) {
		if (r.len < 4)
			return LINK_TRUNCATED;
		bool bottom = r.p[2] & 1;
		r = rest_after(r, 4);
		if (!bottom)
			continue;
		enum link_result ip = by_version(pkt, r);
		return ip == LINK_OTHER ? pseudowire(pkt, r) : ip;
	}
}

/* The protocol field may be compressed to one byte, which is odd, where the
 * first of two is even (RFC 1661 2). */
static enum link_result
ppp_proto(struct packet *pkt, struct rest r)
{
	if (r.len < 2)
		return LINK_TRUNCATED;
	uint32_t n = r.p[0] & 1 ? 1 : 2;
	uint16_t proto = n == 1 ? r.p[0] : be16(r.p);

	if (proto != PPP_IP4 && proto != PPP_IP6)
		return LINK_OTHER;
	return found_ip(pkt, rest_after(r, n));
}

/* Address and control (ff 03) may be left out (RFC 1661 6.6). */
static enum link_result
ppp(struct packet *pkt, struct rest r)
{
	if (r.len >= 2 && r.p[0] == 0xff && r.p[1] == 0x03)
		r = rest_after(r, 2);
	return ppp_proto(pkt, r);
}

static enum link_result
pppoe(struct packet *pkt, struct rest r)
{
	if (r.len < 6)
		return LINK_TRUNCATED;
	if (r.p[0] != 0x11 || r.p[1] != 0)
		return LINK_OTHER;
	return ppp_proto(pkt, rest_after(r, 6));
}

/* 802.2 LLC with a SNAP header of organisation 0 carries an EtherType. */
static enum link_result
llc_snap(struct packet *pkt, struct rest r)
{
	static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};

	if (r.len < 8)
		return LINK_OTHER;
	if (memcmp(r.p, snap, sizeof(snap)) != 0)
		return LINK_OTHER;
	uint16_t type = be16(r.p + 6);
	if (type < ETHER_MIN_TYPE || r.nested++ == LINK_NEST_MAX)
		return LINK_OTHER;
	return ether_payload(pkt, type, rest_after(r, 8));
}

static enum link_result
ether_payload(struct packet *pkt, uint16_t type, struct rest r)
{
	while (is_vlan(type)) {
		if (r.len < 4)
			return LINK_TRUNCATED;
		if (pkt->nvlan < PACKET_VLAN_MAX)
			pkt->vlan[pkt->nvlan++] = be16(r.p) & 0xfff;
		type = be16(r.p + 2);
		r = rest_after(r, 4);
	}
	switch (type) {
	case ETHER_IP4:
	case ETHER_IP6:
		return found_ip(pkt, r);
	case ETHER_MPLS:
	case ETHER_MPLS_MC:
		return mpls(pkt, r);
	case ETHER_PPPOE:
		return pppoe(pkt, r);
	default:
		return type < ETHER_MIN_TYPE ? llc_snap(pkt, r) : LINK_OTHER;
	}
}

static enum link_result
ethernet(struct packet *pkt, struct rest r)
{
	if (r.len < ETHER_HEADER)
		return LINK_TRUNCATED;
	pkt->mac = r.p;
	pkt->flags |= PKT_HAS_MAC;
	uint16_t type = be16(r.p + MAC_BYTES);
	r = rest_after(r, ETHER_HEADER);
	if (type == ETHER_IP4)
		return found_ip(pkt, r);
	return ether_payload(pkt, type, r);
}

/* A header of fixed size with an EtherType somewhere in it. */
static enum link_result
typed_header(struct packet *pkt, struct rest r, uint32_t size, uint32_t at)
{
	if (r.len < size)
		return LINK_TRUNCATED;
	return ether_payload(pkt, be16(r.p + at), rest_after(r, size));
}

/* An address family in the byte order of the machine that captured (NULL) or
 * of the network (LOOP); AF_INET6 is 10, 24, 28 or 30 depending on who. */
static enum link_result
bsd_loopback(struct packet *pkt, struct rest r)
{
	if (r.len < 4)
		return LINK_TRUNCATED;
	uint32_t af = be32(r.p);
	if (af > 0xffff)
		af = __builtin_bswap32(af);
	switch (af) {
	case 2:
	case 10:
	case 24:
	case 28:
	case 30:
		return found_ip(pkt, rest_after(r, 4));
	default:
		return LINK_OTHER;
	}
}

enum link_result
link_decode_inner(struct packet *pkt, uint16_t type, struct slice in)
{
	struct rest r = {in.p, (uint32_t)in.len, 0};

	if (type == LINK_ETHER_IN_TUNNEL)
		return ethernet(pkt, r);
	return ether_payload(pkt, type, r);
}

enum link_result
link_decode(struct packet *pkt)
{
	struct rest r = {pkt->frame, pkt->caplen, 0};

	switch (pkt->linktype) {
	case LINK_EN10MB:
		return ethernet(pkt, r);
	case LINK_SLL:
		return typed_header(pkt, r, 16, 14);
	case LINK_SLL2:
		return typed_header(pkt, r, 20, 0);
	case LINK_C_HDLC:
		return typed_header(pkt, r, 4, 2);
	case LINK_NULL:
	case LINK_LOOP:
		return bsd_loopback(pkt, r);
	case LINK_PPP:
	case LINK_PPP_SERIAL:
		return ppp(pkt, r);
	case LINK_PPP_ETHER:
		return pppoe(pkt, r);
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_FILE:
	case LINK_IPV4:
	case LINK_IPV6:
		return by_version(pkt, r);
	default:
		return LINK_UNKNOWN;
	}
}

static const struct link_label {
	int type;
	bool known;
	const char *text;
} link_labels[] = {
    {LINK_NULL, true, "DLT 0 (NULL)"},
    {LINK_EN10MB, true, "DLT 1 (EN10MB)"},
    {6, false, "DLT 6 (IEEE802)"},
    {8, false, "DLT 8 (SLIP)"},
    {LINK_PPP, true, "DLT 9 (PPP)"},
    {10, false, "DLT 10 (FDDI)"},
    {11, false, "DLT 11 (ATM_RFC1483)"},
    {LINK_RAW, true, "DLT 12 (RAW)"},
    {LINK_RAW_BSD, true, "DLT 14 (RAW)"},
    {LINK_PPP_SERIAL, true, "DLT 50 (PPP_SERIAL)"},
    {LINK_PPP_ETHER, true, "DLT 51 (PPP_ETHER)"},
    {LINK_RAW_FILE, true, "DLT 101 (RAW)"},
    {LINK_C_HDLC, true, "DLT 104 (C_HDLC)"},
    {105, false, "DLT 105 (IEEE802_11)"},
    {107, false, "DLT 107 (FRELAY)"},
    {LINK_LOOP, true, "DLT 108 (LOOP)"},
    {LINK_SLL, true, "DLT 113 (LINUX_SLL)"},
    {117, false, "DLT 117 (PFLOG)"},
    {119, false, "DLT 119 (PRISM_HEADER)"},
    {122, false, "DLT 122 (IP_OVER_FC)"},
    {127, false, "DLT 127 (IEEE802_11_RADIO)"},
    {147, false, "DLT 147 (USER0)"},
    {149, false, "DLT 149 (PKTAP)"},
    {163, false, "DLT 163 (IEEE802_11_RADIO_AVS)"},
    {187, false, "DLT 187 (BLUETOOTH_HCI_H4)"},
    {189, false, "DLT 189 (USB_LINUX)"},
    {192, false, "DLT 192 (PPI)"},
    {195, false, "DLT 195 (IEEE802_15_4)"},
    {220, false, "DLT 220 (USB_LINUX_MMAPPED)"},
    {226, false, "DLT 226 (IPNET)"},
    {227, false, "DLT 227 (CAN_SOCKETCAN)"},
    {LINK_IPV4, true, "DLT 228 (IPV4)"},
    {LINK_IPV6, true, "DLT 229 (IPV6)"},
    {239, false, "DLT 239 (NFLOG)"},
    {247, false, "DLT 247 (INFINIBAND)"},
    {249, false, "DLT 249 (USBPCAP)"},
    {252, false, "DLT 252 (WIRESHARK_UPPER_PDU)"},
    {253, false, "DLT 253 (NETLINK)"},
    {LINK_SLL2, true, "DLT 276 (LINUX_SLL2)"},
};

static const struct link_label *
label_find(int linktype)
{
	size_t n = sizeof(link_labels) / sizeof(link_labels[0]);

	for (size_t i = 0; i < n; i++)
		if (link_labels[i].type == linktype)
			return &link_labels[i];
	return NULL;
}

bool
link_known(int linktype)
{
	const struct link_label *l = label_find(linktype);

	return l != NULL && l->known;
}

const char *
link_name(int linktype)
{
	static char number[32];
	const struct link_label *l = label_find(linktype);

	if (l != NULL)
		return l->text;
	snprintf(number, sizeof(number), "DLT %d", linktype);
	return number;
}
