/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A segment in every kind of tunnel, whole, cut at every byte by the capture
 * and by the sender, in fragments inside and outside, and in more layers than
 * are taken off.
 */
#include "decoders/tunnel.h"

#include "decoders/link.h"
#include "ip_kit.h"

static struct wire inner;

#define ETHER "\2\0\0\0\0\1\2\0\0\0\0\2"
#define BYTES(s) s, sizeof(s) - 1

/* In `header`, what stands between the outer IP header and the inner one. */
static const struct tunnel_case {
	const char *name;
	uint8_t proto;
	bool inner6, mac;
	uint8_t vlans; /* expected */
	const char *header;
	size_t len;
} cases[] = {
    {"ip in ip", 4, false, false, 0, BYTES("")},
    {"6in4", 41, true, false, 0, BYTES("")},
    {"gre", 47, false, false, 0, BYTES("\0\0\x08\0")},
    {"gre, ipv6", 47, true, false, 0, BYTES("\0\0\x86\xdd")},
    {"gre, checksum", 47, false, false, 0, BYTES("\x80\0\x08\0\1\2\0\0")},
    {"gre, checksum, key, number", 47, false, false, 0,
	BYTES("\xb0\0\x08\0\1\2\0\0\0\0\0\7\0\0\0\1")},
    {"gre, mpls", 47, false, false, 0, BYTES("\0\0\x88\x47\0\1\1\x40")},
    {"gre, ethernet", 47, false, true, 0, BYTES("\0\0\x65\x58" ETHER "\x08\0")},
    {"nvgre, vlan", 47, false, true, 1,
	BYTES("\x20\0\x65\x58\0\x12\x34\0" ETHER "\x81\0\0\x64\x08\0")},
    {"erspan 1", 47, false, true, 0, BYTES("\0\0\x88\xbe" ETHER "\x08\0")},
    {"erspan 2", 47, false, true, 0,
	BYTES("\x10\0\x88\xbe\0\0\0\1\x10\x64\0\x05\0\0\0\x09" ETHER "\x08\0")},
    {"erspan 3", 47, true, true, 2,
	BYTES("\x10\0\x22\xeb\0\0\0\1\x20\x64\0\x05\0\0\0\x09\0\0\0\0" ETHER
	      "\x88\xa8\0\x0a\x81\0\0\x14\x86\xdd")},
    {"erspan 3, platform", 47, false, true, 0,
	BYTES("\x10\0\x22\xeb\0\0\0\1\x20\x64\0\x05\0\0\0\x09\0\0\0\1"
	      "\0\0\0\0\0\0\0\0" ETHER "\x08\0")},
    {"vxlan", 17, false, true, 0,
	BYTES("\xc0\0\x12\xb5\0\0\0\0\x08\0\0\0\0\0\x7b\0" ETHER "\x08\0")},
    {"vxlan, linux port, vlan", 17, true, true, 1,
	BYTES("\xc0\0\x21\x18\0\0\0\0\x08\0\0\0\0\0\x7b\0" ETHER
	      "\x81\0\0\x64\x86\xdd")},
    {"geneve", 17, false, true, 0,
	BYTES("\xc0\0\x17\xc1\0\0\0\0\0\0\x65\x58\0\0\x7b\0" ETHER "\x08\0")},
    {"geneve, options, ip", 17, false, false, 0,
	BYTES("\xc0\0\x17\xc1\0\0\0\0\2\0\x08\0\0\0\x7b\0\1\2\3\1\0\0\0\0")},
    {"etherip", 97, false, true, 0, BYTES("\x30\0" ETHER "\x08\0")},
    {"mpls in ip", 137, true, false, 0, BYTES("\0\1\0\x40\0\1\1\x40")},
    {"pseudowire with control word in gre", 47, false, true, 0,
	BYTES("\0\0\x88\x47\0\1\1\x40\0\0\0\1" ETHER "\x08\0")},
    {"pseudowire", 137, false, true, 0, BYTES("\0\1\1\x40" ETHER "\x08\0")},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static void
inner_segment(bool v6)
{
	inner.n = 0;
	put_segment(&inner, v6, NULL, 0);
}

static void
outer(bool v6, unsigned proto, unsigned id, unsigned field, unsigned len)
{
	if (v6)
		w_ip6(&w, proto, len);
	else
		w_ip4(&w, proto, id, field, len);
}

static void
build(const struct tunnel_case *t, bool outer6)
{
	begin();
	inner_segment(t->inner6);
	outer(outer6, t->proto, 7, 0, (unsigned)t->len + inner.n);
	w_put(&w, t->header, t->len);
	w_put(&w, inner.d, inner.n);
}

static void
check_segment(bool v6)
{
	CHECK_INT(pkt.ip_proto, 6);
	CHECK_INT(pkt.dport, 25);
	CHECK_INT(pkt.len, TEXT_LEN);
	CHECK_INT(pkt.wire_len, TEXT_LEN);
	CHECK_INT(pkt.ttl, v6 ? 61 : 57);
	CHECK_INT(pkt.flags & (PKT_TUNNEL | PKT_V6 | PKT_TRUNCATED | PKT_IP_DF),
	    PKT_TUNNEL | (v6 ? PKT_V6 : PKT_IP_DF));
	CHECK(memcmp(pkt.payload, text, TEXT_LEN) == 0);
	ip_check_tcp(ctx, &pkt);
	CHECK(!(pkt.flags & PKT_BAD_TCP_CSUM));
}

static enum tunnel_kind
kind_of(const struct tunnel_case *t)
{
	switch (t->proto) {
	case 47:
		return strncmp(t->name, "erspan", 6) == 0 ? TUNNEL_ERSPAN
							  : TUNNEL_GRE;
	case 17:
		return t->name[0] == 'v' ? TUNNEL_VXLAN : TUNNEL_GENEVE;
	case 97:
		return TUNNEL_ETHERIP;
	case 137:
		return TUNNEL_MPLS;
	default:
		return TUNNEL_IN_IP;
	}
}

static void
one_case(const struct tunnel_case *t, bool outer6)
{
	build(t, outer6);
	enum ip_result r = decode();
	if (r != IP_TCP) {
		TEST_FAIL("%s is %d", t->name, (int)r);
		return;
	}
	check_segment(t->inner6);
	CHECK(pkt.outer == exact);
	CHECK_INT(pkt.nvlan, t->vlans);
	CHECK_INT(!!(pkt.flags & PKT_HAS_MAC), t->mac);
	if (t->mac)
		CHECK(memcmp(pkt.mac, ETHER, 12) == 0);
	CHECK_INT(ip_counters(ctx)->tunnels, 1);
	CHECK_INT(ip_counters(ctx)->tunnel[kind_of(t)], 1);
	CHECK_INT(ip_counters(ctx)->tcp, 1);
}

TEST(every_tunnel)
{
	for (unsigned i = 0; i < CASES; i++) {
		one_case(&cases[i], false);
		one_case(&cases[i], true);
	}
}

/* What a packet is that ends after `held` bytes, before its TCP header does.
 * A UDP port that is not there names no tunnel, and a pseudowire cannot be
 * told by less than its Ethernet header. An inner length beyond what the
 * outer one leaves counts as the capture's fault, as it does outside. */
static bool
early_as_expected(const struct tunnel_case *t, uint32_t held, enum ip_result r,
    bool by_sender)
{
	uint32_t ip = 20 + (uint32_t)t->len + (t->inner6 ? 40 : 20);

	if (r == IP_NOT_TCP)
		return (t->proto == 17 && held < 28) ||
		       strstr(t->name, "pseudowire") != NULL;
	if (by_sender && held < ip)
		return r == IP_MALFORMED;
	return r == IP_TRUNCATED;
}

static void
cut_case(const struct tunnel_case *t, bool by_sender)
{
	build(t, false);
	uint32_t whole = w.n, tcp = whole - TEXT_LEN;

	for (uint32_t held = 20; held < whole; held++) {
		if (by_sender)
			w_set16(&w, 2, held);
		enum ip_result r = decode_cut(held, by_sender ? held : whole);
		if (held >= tcp) {
			CHECK_INT(r, IP_TCP);
			CHECK(pkt.flags & PKT_TRUNCATED);
			CHECK_INT(pkt.len, held - tcp);
		} else if (!early_as_expected(t, held, r, by_sender)) {
			TEST_FAIL("%s cut at %u is %d", t->name, held, (int)r);
		}
	}
}

TEST(every_tunnel_cut_at_every_byte)
{
	for (unsigned i = 0; i < CASES; i++) {
		cut_case(&cases[i], false);
		cut_case(&cases[i], true);
	}
}

TEST(layers_are_bounded)
{
	for (unsigned n = 1; n <= TUNNEL_DEPTH + 2; n++) {
		begin();
		for (unsigned i = 0; i < n; i++)
			w_ip4(&w, 4, 1, 0, (n - 1 - i) * 20 + 40 + TEXT_LEN);
		put_segment(&w, false, NULL, 0);
		CHECK_INT(decode(), n <= TUNNEL_DEPTH ? IP_TCP : IP_NOT_TCP);
		CHECK_INT(
		    ip_counters(ctx)->tunnel_deep, n > TUNNEL_DEPTH ? 1 : 0);
	}
}

/* SNAP in SNAP and pseudowire in pseudowire end as well. */
TEST(link_layers_are_bounded)
{
	begin();
	w_put(&w, BYTES(ETHER "\x88\x47"));
	for (unsigned i = 0; i < 3000; i++)
		w_put(&w, BYTES("\0\1\1\x40" ETHER "\x88\x47"));
	pkt = (struct packet){.frame = w.d,
	    .caplen = w.n,
	    .wirelen = w.n,
	    .linktype = LINK_EN10MB};
	CHECK_INT(link_decode(&pkt), LINK_OTHER);
}

TEST(no_tunnel)
{
	static const struct {
		uint8_t proto;
		const char *p;
		size_t len;
	} other[] = {
	    {17, BYTES("\xc0\0\0\x35\0\x14\0\0\x08\0\0\0\0\0\x7b\0")},
	    {17, BYTES("\xc0\0\x12\xb5\0\x14\0\0\0\0\0\0\0\0\x7b\0")},
	    {17, BYTES("\xc0\0\x17\xc1\0\x14\0\0\x40\0\x65\x58\0\0\x7b\0")},
	    {17, BYTES("\xc0\0\x17\xc1\0\x14\0\0\0\x80\x65\x58\0\0\x7b\0")},
	    {47, BYTES("\x40\0\x08\0\0\0\0\0\0\0\0\0")},
	    {47, BYTES("\x20\1\x88\x0b\0\0\0\0\0\0\0\0")},
	    {47, BYTES("\0\0\x90\0\0\0\0\0\0\0\0\0\0\0\0\0")},
	    {47, BYTES("\x10\0\x88\xbe\0\0\0\1\x30\0\0\0\0\0\0\0")},
	    {97, BYTES("\x20\0" ETHER "\x08\0")},
	    {50, BYTES("\0\0\0\1\0\0\0\1\0\0\0\0")},
	};

	for (unsigned i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		begin();
		w_ip4(&w, other[i].proto, 1, 0, (unsigned)other[i].len);
		w_put(&w, other[i].p, other[i].len);
		CHECK_INT(decode(), IP_NOT_TCP);
		CHECK_INT(ip_counters(ctx)->tunnels, 0);
	}
}

/* A switch that cut the frame it mirrored says so: the sender's lengths do
 * not contradict each other. */
TEST(erspan_frame_cut_by_the_switch)
{
	static const char header[] =
	    "\x10\0\x88\xbe\0\0\0\1\x10\x64\x04\x05\0\0\0\x09" ETHER
	    "\x08\0\x45";

	begin();
	w_ip4(&w, 47, 1, 0, sizeof(header) - 1);
	w_put(&w, BYTES(header));
	CHECK_INT(decode(), IP_TRUNCATED);
	w.d[30] = 0; /* t */
	w_set16(&w, 10, 0);
	CHECK_INT(decode(), IP_MALFORMED);
}

static void
inner_fragment(unsigned off, unsigned len, bool more)
{
	w.n = 0;
	w_ip4(&w, 47, 1, 0, 4 + 20 + len);
	w_put(&w, BYTES("\0\0\x08\0"));
	w_ip4(&w, 6, 9, off / 8 | (more ? 0x2000 : 0), len);
	w_put(&w, inner.d + 20 + off, len);
}

TEST(fragments_inside)
{
	begin();
	inner_segment(false);
	inner_fragment(24, inner.n - 20 - 24, false);
	CHECK_INT(decode(), IP_FRAGMENT);
	inner_fragment(0, 24, true);
	CHECK_INT(decode(), IP_TCP);
	pkt.flags |= PKT_IP_DF; /* a fragment has none */
	check_segment(false);
	CHECK(pkt.flags & PKT_FRAGMENT);
}

/* The VXLAN packet of the table in three fragments, each order. UDP fragments
 * that come before the first of the first tunnel are not held. */
static enum ip_result
outer_fragments(
    const struct tunnel_case *t, const uint8_t order[3], unsigned id)
{
	static struct wire whole;
	enum ip_result r = IP_FRAGMENT;
	uint32_t hop = 32;

	w.n = 0;
	outer(false, t->proto, id, 0, (unsigned)t->len + inner.n);
	w_put(&w, t->header, t->len);
	w_put(&w, inner.d, inner.n);
	memcpy(&whole, &w, sizeof(w));
	uint32_t body = whole.n - 20;
	for (unsigned i = 0; i < 3; i++) {
		uint32_t off = order[i] * hop, len = hop;
		bool last = order[i] == 2;
		if (last)
			len = body - off;
		w.n = 0;
		w_ip4(&w, t->proto, id, off / 8 | (last ? 0 : 0x2000), len);
		w_put(&w, whole.d + 20 + off, len);
		r = decode();
	}
	return r;
}

TEST(fragments_outside)
{
	static const uint8_t forth[3] = {0, 1, 2}, back[3] = {2, 1, 0};

	for (unsigned i = 0; i < CASES; i++) {
		begin();
		inner_segment(cases[i].inner6);
		CHECK_INT(outer_fragments(&cases[i], forth, 1), IP_TCP);
		check_segment(cases[i].inner6);
		CHECK(pkt.outer == exact);
		CHECK_INT(outer_fragments(&cases[i], back, 2), IP_TCP);
		check_segment(cases[i].inner6);
	}
}

/* The inner Ethernet addresses stood in the datagram that the inner fragments
 * were put together over. */
TEST(fragments_inside_and_outside)
{
	static const uint8_t order[3] = {0, 1, 2};
	const struct tunnel_case *t = &cases[13]; /* vxlan */
	static struct wire whole;

	begin();
	put_segment(&whole, false, NULL, 0);
	inner.n = 0;
	w_ip4(&inner, 6, 9, 0x2000, 24);
	w_put(&inner, whole.d + 20, 24);
	CHECK_INT(outer_fragments(t, order, 1), IP_FRAGMENT);
	inner.n = 0;
	w_ip4(&inner, 6, 9, 3, whole.n - 20 - 24);
	w_put(&inner, whole.d + 44, whole.n - 20 - 24);
	CHECK_INT(outer_fragments(t, order, 2), IP_TCP);
	CHECK(memcmp(pkt.payload, text, TEXT_LEN) == 0);
	CHECK(!(pkt.flags & PKT_HAS_MAC));
	whole.n = 0;
}

TEST(tunnel_teardown)
{
	finish();
}

TEST_MAIN
