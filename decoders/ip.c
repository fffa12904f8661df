/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPv4 and IPv6 down to TCP. A stage hands the next one an ip_payload: where
 * it starts, how many bytes of it are held, how many were sent.
 *
 * What the total length says is held against the frame: 0 means that the
 * network card was to cut the packet (offload), so the frame's own length
 * counts; less than the frame is Ethernet padding, which is cut off; more
 * means that the capture lost the rest.
 *
 * Each IP header is one turn of the loop in decode(): it ends at TCP, or at a
 * tunnel (tunnel.h) with the next IP header in it, TUNNEL_DEPTH times.
 */
#include "decoders/ip.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "decoders/be.h"
#include "decoders/defrag.h"
#include "decoders/tcp_hdr.h"
#include "decoders/tunnel.h"
#include "decoders/usual.h"

#define IP4_HEADER 20
#define IP6_HEADER 40
#define IP6_HEADERS_MAX 16 /* extension headers; real packets have 0 to 3 */
#define FRAG_HEADER 8

enum ip4_frag { IP4_DF = 0x4000, IP4_MF = 0x2000, IP4_OFFSET = 0x1fff };

enum ip_protocol {
	NEXT_HOP_BY_HOP = 0,
	NEXT_TCP = 6,
	NEXT_UDP = 17,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AH = 51,
	NEXT_DEST_OPTS = 60,
	NEXT_MOBILITY = 135,
	NEXT_HIP = 139,
	NEXT_SHIM6 = 140
};

/* What is said of one IP header, not of what it stands in. */
#define HEADER_FLAGS \
	(PKT_V6 | PKT_BAD_IP_CSUM | PKT_LEN_ZERO | PKT_FRAGMENT | PKT_IP_DF)

#define CHECKSUM_KNOWN (PKT_TRUNCATED | PKT_CSUM_CHECKED | PKT_OPEN_TCP_CSUM)

struct ip_ctx {
	struct ip_counters n;
	bool udp_tunnels; /* one was seen: fragments of UDP are worth holding */
	struct defrag *defrag;
};

struct ip_ctx *
ip_new(void)
{
	struct ip_ctx *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->defrag = defrag_new();
	if (c->defrag == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void
ip_free(struct ip_ctx *c)
{
	if (c == NULL)
		return;
	defrag_free(c->defrag);
	free(c);
}

struct table_use
ip_use(const struct ip_ctx *c)
{
	return defrag_use(c->defrag);
}

const struct ip_counters *
ip_counters(const struct ip_ctx *c)
{
	return &c->n;
}

/* From the IP header on: what is held, and what was on the wire. */
static inline struct ip_payload
from_ip(const struct packet *pkt)
{
	uint32_t cut =
	    pkt->wirelen > pkt->caplen ? pkt->wirelen - pkt->caplen : 0;
	uint32_t wire = pkt->ip_caplen + cut;

	return (struct ip_payload){
	    pkt->ip, pkt->ip_caplen, wire < cut ? UINT32_MAX : wire};
}

/* Too short for its headers: whose fault? */
static enum ip_result
too_short(struct ip_payload in)
{
	return in.wire > in.held ? IP_TRUNCATED : IP_MALFORMED;
}

static inline struct ip_payload
skip(struct ip_payload in, uint32_t n)
{
	return (struct ip_payload){in.p + n, in.held - n, in.wire - n};
}

/* Any IPv6 header that may stand before TCP in a fragment. */
static bool
leads_to_tcp(uint8_t next)
{
	return next == NEXT_TCP || next == NEXT_HOP_BY_HOP ||
	       next == NEXT_ROUTING || next == NEXT_DEST_OPTS ||
	       next == NEXT_AH;
}

/* Only the first fragment of a UDP datagram names the port, so the others are
 * held where tunnels over UDP are known to pass. */
static bool
worth_holding(struct ip_ctx *c, const struct frag *f, struct ip_payload in)
{
	if (f->proto != NEXT_UDP)
		return tunnel_protocol(f->proto) ||
		       (f->v6 ? leads_to_tcp(f->proto) : f->proto == NEXT_TCP);
	if (f->off == 0 && tunnel_udp(in))
		c->udp_tunnels = true;
	return c->udp_tunnels;
}

/* MAC addresses that stood in a datagram put together earlier are gone with
 * it. */
static void
forget_old_mac(struct packet *pkt)
{
	uintptr_t mac = (uintptr_t)pkt->mac, frame = (uintptr_t)pkt->frame;

	if (pkt->flags & PKT_HAS_MAC && mac - frame >= pkt->caplen) {
		pkt->flags &= ~(uint32_t)PKT_HAS_MAC;
		pkt->mac = NULL;
	}
}

/*
 * Gives the fragment to the defragmenter. Only what may hold TCP is kept: other
 * fragments would only push it out. Returns IP_TCP with *in set when the
 * datagram is whole (pkt->ip_proto says what it holds).
 */
static enum ip_result
fragment(
    struct ip_ctx *c, struct packet *pkt, struct frag *f, struct ip_payload *in)
{
	const struct defrag_counters *n = defrag_counters(c->defrag);
	struct slice whole;

	c->n.fragments++;
	if (!worth_holding(c, f, *in))
		return IP_NOT_TCP;
	if (in->held < in->wire) {
		c->n.frag_dropped++; /* cut: it can never be whole */
		return IP_TRUNCATED;
	}
	f->src = pkt->src;
	f->dst = pkt->dst;
	f->time = pkt->time;
	f->way = pkt->ttl | (pkt->flags & PKT_BAD_IP_CSUM ? 0x100 : 0);
	f->len = in->held;
	f->data = in->p;

	uint64_t dropped = n->dropped, overlap = n->overlap;
	enum defrag_result r = defrag_add(c->defrag, f, &whole, &pkt->ip_proto);
	c->n.frag_dropped += n->dropped - dropped;
	c->n.frag_overlap += n->overlap - overlap;
	if (r == DEFRAG_REFUSED)
		return IP_MALFORMED;
	if (r == DEFRAG_HELD)
		return IP_FRAGMENT;
	c->n.reassembled++;
	pkt->flags |= PKT_FRAGMENT;
	if (defrag_unsure(c->defrag))
		pkt->flags |= PKT_UNSURE;
	forget_old_mac(pkt);
	*in = (struct ip_payload){
	    whole.p, (uint32_t)whole.len, (uint32_t)whole.len};
	return IP_TCP;
}

/* In one store: it is read as a whole soon, and would wait for two of them. */
static inline void
set_mapped(struct addr *a, const uint8_t *p)
{
	typedef uint32_t words __attribute__((vector_size(16)));
	words w = {0, 0, htonl(0xffff), load32(p)};

	memcpy(a, &w, sizeof(*a));
}

/* size: at least IP4_HEADER, at most 60. */
static inline bool
ip4_checksum_ok(const uint8_t *p, uint32_t size)
{
	uint64_t sum = (uint64_t)load32(p) + load32(p + 4) + load32(p + 8) +
		       load32(p + 12) + load32(p + 16);

	for (uint32_t i = IP4_HEADER; i < size; i += 4)
		sum += load32(p + i);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return sum == 0xffff; /* the carry that may be left leaves no 0xffff */
}

/* Holds a length from the header against the frame. */
static inline struct ip_payload
bounded(struct packet *pkt, struct ip_payload in, uint32_t total)
{
	in.wire = total;
	if (total <= in.held)
		in.held = total; /* Ethernet padding */
	else
		pkt->flags |= PKT_TRUNCATED;
	return in;
}

static enum ip_result
ip4_fragment(
    struct ip_ctx *c, struct packet *pkt, struct ip_payload *in, uint16_t field)
{
	struct frag f = {.id = (uint32_t)pkt->ip_proto << 16 | pkt->ip_id,
	    .proto = pkt->ip_proto,
	    .more = field & IP4_MF,
	    .off = (field & IP4_OFFSET) * 8u};

	return fragment(c, pkt, &f, in);
}

/* Here and below: IP_TCP when *in is what the IP header carries and
 * pkt->ip_proto says what that is. */
static enum ip_result
ip4_decode(struct ip_ctx *c, struct packet *pkt, struct ip_payload *in)
{
	const uint8_t *p = in->p;

	c->n.v4++;
	if (in->held < IP4_HEADER)
		return too_short(*in);
	uint32_t size = (p[0] & 0xf) * 4u, total = be16(p + 2);
	if (size < IP4_HEADER)
		return IP_MALFORMED;
	if (size > in->held)
		return too_short(*in);
	if (total == 0) {
		pkt->flags |= PKT_LEN_ZERO;
		total = in->wire;
	}
	if (total < size)
		return IP_MALFORMED;
	if (!ip4_checksum_ok(p, size)) {
		pkt->flags |= PKT_BAD_IP_CSUM;
		c->n.bad_ip_csum++;
	}
	uint16_t field = be16(p + 6);
	pkt->ip_id = be16(p + 4);
	pkt->flags |= field & IP4_DF ? PKT_IP_DF : 0;
	pkt->ttl = p[8];
	pkt->ip_proto = p[9];
	set_mapped(&pkt->src, p + 12);
	set_mapped(&pkt->dst, p + 16);

	*in = skip(bounded(pkt, *in, total), size);
	if (field & (IP4_MF | IP4_OFFSET))
		return ip4_fragment(c, pkt, in, field);
	return IP_TCP;
}

/* Size in bytes of the extension header, or 0 if next is none. All but AH
 * count in units of 8 without the first (RFC 8200 4, RFC 4302 2.2). */
static uint32_t
ext_size(uint8_t next, const uint8_t *p)
{
	switch (next) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_DEST_OPTS:
	case NEXT_MOBILITY:
	case NEXT_HIP:
	case NEXT_SHIM6:
		return (p[1] + 1u) * 8;
	case NEXT_AH:
		return (p[1] + 2u) * 4;
	default:
		return 0;
	}
}

/*
 * One step along the chain of headers. Returns IP_TCP to go on (in and
 * pkt->ip_proto moved, or *end set at a header that is no extension),
 * otherwise what became of the packet.
 */
static enum ip_result
ip6_step(struct ip_ctx *c, struct packet *pkt, struct ip_payload *in, bool *end)
{
	if (pkt->ip_proto != NEXT_FRAGMENT &&
	    ext_size(pkt->ip_proto, (const uint8_t[2]){0}) == 0) {
		*end = true;
		return IP_TCP;
	}
	if (in->held < 8)
		return in->wire < 8 ? IP_MALFORMED : IP_TRUNCATED;
	const uint8_t *p = in->p;
	if (pkt->ip_proto != NEXT_FRAGMENT) {
		uint32_t size = ext_size(pkt->ip_proto, p);
		if (size > in->wire)
			return IP_MALFORMED;
		if (size > in->held)
			return IP_TRUNCATED;
		pkt->ip_proto = p[0];
		*in = skip(*in, size);
		return IP_TCP;
	}
	struct frag f = {.id = be32(p + 4),
	    .v6 = true,
	    .proto = p[0],
	    .more = p[3] & 1,
	    .off = be16(p + 2) & 0xfff8u};
	pkt->ip_proto = p[0];
	*in = skip(*in, FRAG_HEADER);
	if (f.off == 0 && !f.more) /* atomic, RFC 6946 */
		return IP_TCP;
	if (pkt->flags & PKT_FRAGMENT) /* a fragment in a whole datagram */
		return IP_MALFORMED;
	return fragment(c, pkt, &f, in);
}

static enum ip_result
ip6_headers(struct ip_ctx *c, struct packet *pkt, struct ip_payload *in)
{
	bool end = false;

	for (unsigned i = 0; i < IP6_HEADERS_MAX; i++) {
		enum ip_result r = ip6_step(c, pkt, in, &end);
		if (r != IP_TCP || end)
			return r;
	}
	return IP_MALFORMED;
}

static enum ip_result
ip6_decode(struct ip_ctx *c, struct packet *pkt, struct ip_payload *in)
{
	const uint8_t *p = in->p;

	c->n.v6++;
	if (in->held < IP6_HEADER)
		return too_short(*in);
	uint32_t total = be16(p + 4) + (uint32_t)IP6_HEADER;
	if (total == IP6_HEADER) { /* offload, or a jumbogram (RFC 2675) */
		pkt->flags |= PKT_LEN_ZERO;
		total = in->wire;
	}
	pkt->flags |= PKT_V6;
	pkt->ip_proto = p[6];
	pkt->ttl = p[7];
	memcpy(&pkt->src, p + 8, sizeof(pkt->src));
	memcpy(&pkt->dst, p + 24, sizeof(pkt->dst));

	*in = skip(bounded(pkt, *in, total), IP6_HEADER);
	return pkt->ip_proto == NEXT_TCP ? IP_TCP : ip6_headers(c, pkt, in);
}

static inline enum ip_result
header(struct ip_ctx *c, struct packet *pkt, struct ip_payload *in)
{
	if (in->held == 0)
		return too_short(*in);
	switch (in->p[0] >> 4) {
	case 4:
		return ip4_decode(c, pkt, in);
	case 6:
		return ip6_decode(c, pkt, in);
	default:
		return IP_MALFORMED;
	}
}

/* IP_TCP: there is another IP header in it, at *in. */
static enum ip_result
tunnel(
    struct ip_ctx *c, struct packet *pkt, struct ip_payload *in, unsigned depth)
{
	switch (tunnel_enter(pkt, in)) {
	case TUNNEL_IP:
		break;
	case TUNNEL_NONE:
		return IP_NOT_TCP;
	case TUNNEL_TRUNCATED:
		return IP_TRUNCATED;
	case TUNNEL_MALFORMED:
		return IP_MALFORMED;
	}
	if (depth == TUNNEL_DEPTH) {
		c->n.tunnel_deep++;
		return IP_NOT_TCP;
	}
	c->n.tunnels++;
	c->n.tunnel[pkt->tunnel]++;
	pkt->ip_caplen = in->held;
	pkt->flags &= ~(uint32_t)HEADER_FLAGS;
	return IP_TCP;
}

static enum ip_result
decode(struct ip_ctx *c, struct packet *pkt)
{
	struct ip_payload in = from_ip(pkt);
	unsigned depth = 0;
	enum ip_result r;

	while ((r = header(c, pkt, &in)) == IP_TCP) {
		if (pkt->ip_proto == NEXT_TCP)
			return tcp_decode(pkt, in);
		r = tunnel(c, pkt, &in, depth++);
		if (r != IP_TCP)
			return r;
	}
	return r;
}

static inline void
count(struct ip_ctx *c, enum ip_result r)
{
	switch (r) {
	case IP_TCP:
		c->n.tcp++;
		break;
	case IP_NOT_TCP:
		c->n.other++;
		break;
	case IP_FRAGMENT: /* counted where it was taken */
		break;
	case IP_TRUNCATED:
		c->n.truncated++;
		break;
	case IP_MALFORMED:
		c->n.malformed++;
		break;
	}
}

/* What usual.c made of it. */
static inline enum ip_result
count_usual(struct ip_ctx *c, const struct packet *pkt)
{
	if (pkt->flags & PKT_V6)
		c->n.v6++;
	else
		c->n.v4++;
	c->n.tcp++;
	return IP_TCP;
}

bool
ip_decode_frame(struct ip_ctx *c, struct packet *pkt)
{
	return usual_frame(pkt) && count_usual(c, pkt) == IP_TCP;
}

enum ip_result
ip_decode_any(struct ip_ctx *c, struct packet *pkt)
{
	enum ip_result r = decode(c, pkt);

	count(c, r);
	return r;
}

enum ip_result
ip_decode(struct ip_ctx *c, struct packet *pkt)
{
	return usual_ip(pkt) ? count_usual(c, pkt) : ip_decode_any(c, pkt);
}

void
ip_check_tcp(struct ip_ctx *c, struct packet *pkt)
{
	if (pkt->tcp == NULL || pkt->flags & CHECKSUM_KNOWN)
		return;
	bool ok = tcp_checksum_ok(pkt);
	if (!ok && tcp_checksum_open(pkt)) {
		pkt->flags |= PKT_OPEN_TCP_CSUM;
		c->n.open_tcp_csum++;
		return;
	}
	pkt->flags |= PKT_CSUM_CHECKED;
	if (ok)
		return;
	pkt->flags |= PKT_BAD_TCP_CSUM;
	c->n.bad_tcp_csum++;
}
