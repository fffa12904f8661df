/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each kind of frame around the same IP header: where it is found, with which
 * tags; and the same frame cut at every byte.
 */
#include "decoders/link.h"

#include "packet_build.h"
#include "tests/test.h"

#define MACS "\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
#define IP4 "\x45IPv4 header and more"
#define IP6 "\x60IPv6 header and more"
#define LEN(s) (sizeof(s) - 1)

#define CASE(n, type, bytes, result, ...)                                      \
	{                                                                      \
		.name = n, .linktype = type, .head = bytes, .len = LEN(bytes), \
		.want = result, __VA_ARGS__                                    \
	}

static const struct link_case {
	const char *name;
	int linktype;
	const char *head;
	size_t len;
	enum link_result want;
	unsigned nvlan;
	uint16_t vlan[PACKET_VLAN_MAX];
} cases[] = {
    CASE("ethernet", 1, MACS "\x08\x00", LINK_IP),
    CASE("ethernet v6", 1, MACS "\x86\xdd", LINK_IP),
    CASE("arp", 1, MACS "\x08\x06", LINK_OTHER),
    CASE("one tag", 1, MACS "\x81\x00\x60\x2a\x08\x00", LINK_IP, .nvlan = 1,
	.vlan = {42}),
    CASE("two tags", 1, MACS "\x88\xa8\x0f\xff\x81\x00\x00\x07\x86\xdd",
	LINK_IP, .nvlan = 2, .vlan = {4095, 7}),
    CASE("old outer tag", 1, MACS "\x91\x00\0\x01\x81\x00\0\x02\x08\x00",
	LINK_IP, .nvlan = 2, .vlan = {1, 2}),
    CASE("six tags", 1,
	MACS "\x81\x00\0\x01\x81\x00\0\x02\x81\x00\0\x03\x81\x00\0\x04\x81\x00"
	     "\0\x05\x81\x00\0\x06\x08\x00",
	LINK_IP, .nvlan = 4, .vlan = {1, 2, 3, 4}),
    CASE("tagged arp", 1, MACS "\x81\x00\0\x01\x08\x06", LINK_OTHER, .nvlan = 1,
	.vlan = {1}),
    CASE("mpls", 1, MACS "\x88\x47\0\x01\x01\x40", LINK_IP),
    CASE("three labels", 1,
	MACS "\x88\x48\0\x01\0\x40\0\x02\0\x40\0\x03\x01\x40", LINK_IP),
    CASE("pppoe", 1, MACS "\x88\x64\x11\0\0\x05\0\x20\0\x21", LINK_IP),
    CASE("pppoe v6 in a vlan", 1,
	MACS "\x81\0\0\x07\x88\x64\x11\0\0\x05\0\x20\0\x57", LINK_IP,
	.nvlan = 1, .vlan = {7}),
    CASE("pppoe lcp", 1, MACS "\x88\x64\x11\0\0\x05\0\x20\xc0\x21", LINK_OTHER),
    CASE("pppoe discovery", 1, MACS "\x88\x64\x11\x09\0\x05\0\x20\0\x21",
	LINK_OTHER),
    CASE("snap", 1, MACS "\0\x40\xaa\xaa\x03\0\0\0\x08\0", LINK_IP),
    CASE("spanning tree", 1, MACS "\0\x26\x42\x42\x03\0\0\0\0\0", LINK_OTHER),
    CASE("snap in snap", 1, MACS "\0\x40\xaa\xaa\x03\0\0\0\0\x40", LINK_OTHER),
    CASE("cooked", 113, "\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0\x08\0", LINK_IP),
    CASE("cooked vlan", 113,
	"\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0\x81\0\0\x09\x86\xdd", LINK_IP,
	.nvlan = 1, .vlan = {9}),
    CASE("cooked arp", 113, "\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0\x08\x06",
	LINK_OTHER),
    CASE("cooked v2", 276,
	"\x08\0\0\0\0\0\0\x02\0\x01\0\x06\x02\0\0\0\0\x01\0\0", LINK_IP),
    CASE("raw 12", 12, "", LINK_IP),
    CASE("raw 14", 14, "", LINK_IP),
    CASE("raw 101", 101, "", LINK_IP),
    CASE("ipv4", 228, "", LINK_IP),
    CASE("ipv6", 229, "", LINK_IP),
    CASE("raw, not IP", 101, "\x10\x20", LINK_OTHER),
    CASE("null, little", 0, "\x02\0\0\0", LINK_IP),
    CASE("null, big", 0, "\0\0\0\x02", LINK_IP),
    CASE("null, v6 of a Mac", 0, "\x1e\0\0\0", LINK_IP),
    CASE("null, v6 of FreeBSD", 0, "\0\0\0\x1c", LINK_IP),
    CASE("null, other", 0, "\x07\0\0\0", LINK_OTHER),
    CASE("loop", 108, "\0\0\0\x18", LINK_IP),
    CASE("ppp", 9, "\xff\x03\0\x21", LINK_IP),
    CASE("ppp, all compressed", 9, "\x21", LINK_IP),
    CASE("ppp serial v6", 50, "\xff\x03\0\x57", LINK_IP),
    CASE("pppoe alone", 51, "\x11\0\0\x05\0\x20\0\x21", LINK_IP),
    CASE("cisco hdlc", 104, "\x0f\0\x08\0", LINK_IP),
    CASE("radio", 127, "\0\0", LINK_UNKNOWN),
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static enum link_result
decode(const struct link_case *c, const uint8_t *frame, uint32_t n,
    struct packet *pkt)
{
	*pkt = (struct packet){
	    .frame = frame, .caplen = n, .wirelen = n, .linktype = c->linktype};
	return link_decode(pkt);
}

static void
check_case(const struct link_case *c, const char *ip, size_t ip_len)
{
	static struct wire w;
	struct packet pkt;

	w.n = 0;
	w_put(&w, c->head, c->len);
	w_put(&w, ip, ip_len);
	uint8_t *frame = w_exact(&w, w.n);
	enum link_result got = decode(c, frame, w.n, &pkt);
	if (got != c->want)
		TEST_FAIL("%s: %d, not %d", c->name, got, c->want);
	CHECK_INT(pkt.nvlan, c->nvlan);
	CHECK(memcmp(pkt.vlan, c->vlan, sizeof(c->vlan)) == 0);
	CHECK_INT((pkt.flags & PKT_HAS_MAC) != 0, c->linktype == 1);
	CHECK_INT(pkt.mac == frame, c->linktype == 1);
	if (c->want == LINK_IP) {
		CHECK_INT(pkt.ip - frame, c->len);
		CHECK_INT(pkt.ip_caplen, ip_len);
	}
	free(frame);
}

TEST(every_kind_of_frame)
{
	for (size_t i = 0; i < CASES; i++) {
		check_case(&cases[i], IP4, LEN(IP4));
		check_case(&cases[i], IP6, LEN(IP6));
	}
}

TEST(every_kind_of_frame_cut_at_every_byte)
{
	for (size_t i = 0; i < CASES; i++) {
		const struct link_case *c = &cases[i];
		for (uint32_t n = 0; n <= c->len; n++) {
			struct wire w = {.n = 0};
			struct packet pkt;
			w_put(&w, c->head, c->len);
			uint8_t *frame = w_exact(&w, n);
			enum link_result got = decode(c, frame, n, &pkt);
			if (c->want == LINK_IP && got != LINK_TRUNCATED &&
			    got != LINK_OTHER)
				TEST_FAIL("%s at %u: %d", c->name, n, got);
			if (c->want == LINK_IP && n == c->len)
				CHECK_INT(got, LINK_TRUNCATED);
			free(frame);
		}
	}
}

TEST(names_and_known_types)
{
	for (size_t i = 0; i < CASES; i++)
		CHECK_INT(link_known(cases[i].linktype),
		    cases[i].want != LINK_UNKNOWN);
	CHECK_STR(link_name(1), "DLT 1 (EN10MB)");
	CHECK_STR(link_name(105), "DLT 105 (IEEE802_11)");
	CHECK_STR(link_name(4242), "DLT 4242");
	CHECK(!link_known(4242));
	CHECK(!link_known(-1));
}

TEST_MAIN
