/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IP and TCP headers as they should be, as offloading hosts and span ports
 * make them, and as an attacker would.
 */
#include <arpa/inet.h>

#include "decoders/ip.h"
#include "decoders/tcp_hdr.h"

#include "ip_kit.h"

static void
build4(const void *options, unsigned olen)
{
	begin();
	put_segment(&w, false, options, olen);
}

static void
build6(void)
{
	begin();
	put_segment(&w, true, NULL, 0);
}

static void
check_tcp(void)
{
	CHECK_INT(pkt.ip_proto, 6);
	CHECK_INT(pkt.sport, 40000);
	CHECK_INT(pkt.dport, 25);
	CHECK_INT(pkt.seq, 0x01020304);
	CHECK_INT(pkt.ack, 0x05060708);
	CHECK_INT(pkt.tcp_flags, TCP_ACK | TCP_PSH);
	CHECK_INT(pkt.window, 0x7210);
	CHECK_INT(pkt.urgent, 9);
	CHECK_INT(pkt.wire_len, TEXT_LEN);
}

static void
check_text(void)
{
	check_tcp();
	CHECK_INT(pkt.len, TEXT_LEN);
	CHECK(pkt.len == TEXT_LEN && memcmp(pkt.payload, text, TEXT_LEN) == 0);
}

TEST(plain_ipv4)
{
	static const uint8_t src[16] = {[10] = 0xff, [11] = 0xff, 10, 1, 0, 2};
	build4(NULL, 0);
	CHECK_INT(decode(), IP_TCP);
	check_text();
	CHECK(memcmp(pkt.src.b, src, 16) == 0);
	CHECK_INT(pkt.ttl, 57);
	CHECK_INT(pkt.ip_id, 0x4242);
	CHECK_INT(pkt.flags, PKT_IP_DF);
	ip_check_tcp(ctx, &pkt);
	CHECK_INT(pkt.flags, PKT_IP_DF | PKT_CSUM_CHECKED);
	CHECK_INT(ip_counters(ctx)->tcp, 1);
	CHECK_INT(ip_counters(ctx)->v4, 1);
}

TEST(plain_ipv6)
{
	build6();
	CHECK_INT(decode(), IP_TCP);
	check_text();
	CHECK_INT(pkt.src.b[0], 0x20);
	CHECK_INT(pkt.dst.b[15], 2);
	CHECK_INT(pkt.ttl, 61);
	ip_check_tcp(ctx, &pkt);
	CHECK_INT(pkt.flags, PKT_V6 | PKT_CSUM_CHECKED);
	CHECK_INT(ip_counters(ctx)->v6, 1);
}

TEST(checksums_are_counted_not_judged)
{
	build4(NULL, 0);
	w.d[45] ^= 1;
	w.d[10] ^= 1;
	CHECK_INT(decode(), IP_TCP);
	CHECK_INT(pkt.flags, PKT_IP_DF | PKT_BAD_IP_CSUM);
	ip_check_tcp(ctx, &pkt);
	ip_check_tcp(ctx, &pkt);
	CHECK(pkt.flags & PKT_BAD_TCP_CSUM);
	CHECK_INT(ip_counters(ctx)->bad_ip_csum, 1);
	CHECK_INT(ip_counters(ctx)->bad_tcp_csum, 1);
	build6();
	w.d[70] ^= 0x80;
	CHECK_INT(decode(), IP_TCP);
	ip_check_tcp(ctx, &pkt);
	CHECK(pkt.flags & PKT_BAD_TCP_CSUM);
}

/* The fast sum against the plain one, at every length and with carries. */
TEST(checksum_left_to_the_network_card)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		if (v6)
			build6();
		else
			build4(NULL, 0);
		uint32_t at = v6 ? 40 : 20, from = v6 ? 8 : 12;
		uint32_t sum = w_sum(6 + w.n - at, w.d + from, v6 ? 32 : 8);
		w_set16(&w, at + 16, sum);
		CHECK_INT(decode(), IP_TCP);
		ip_check_tcp(ctx, &pkt);
		ip_check_tcp(ctx, &pkt);
		CHECK(pkt.flags & PKT_OPEN_TCP_CSUM);
		CHECK(!(pkt.flags & (PKT_CSUM_CHECKED | PKT_BAD_TCP_CSUM)));
		CHECK_INT(ip_counters(ctx)->open_tcp_csum, 1);
		w_set16(&w, at + 16, sum ^ 1);
		CHECK_INT(decode(), IP_TCP);
		ip_check_tcp(ctx, &pkt);
		CHECK(pkt.flags & PKT_BAD_TCP_CSUM);
	}
}

TEST(checksum_of_every_length)
{
	uint8_t data[300];

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = i < 64 ? 0xff : (uint8_t)(i * 37);
	for (unsigned len = 0; len <= sizeof(data); len++) {
		begin();
		w_ip4(&w, 6, 1, 0, 20 + len);
		w_tcp(&w, NULL, 0, data, len);
		w_fix_tcp(&w, 20, w.n - 20, 12, 4);
		CHECK_INT(decode(), IP_TCP);
		ip_check_tcp(ctx, &pkt);
		CHECK(!(pkt.flags & PKT_BAD_TCP_CSUM));
		w.d[20 + len % 20] ^= 0x10;
		CHECK_INT(decode() == IP_TCP, len % 20 != 12);
		ip_check_tcp(ctx, &pkt);
		CHECK(len % 20 == 12 || pkt.flags & PKT_BAD_TCP_CSUM);
	}
}

static uint16_t
plain_sum(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += (uint64_t)p[i] << (i % 2 == 0 ? 8 : 0);
	while (sum > 0xffff)
		sum = (sum >> 16) + (sum & 0xffff);
	return htons((uint16_t)sum);
}

/* Of one byte, that carries reach as far as they can, and of all. */
TEST(sum_of_any_length)
{
	static const int fill[] = {0x00, 0x7f, 0x80, 0xff, -1};
	static uint8_t data[200001];

	for (unsigned f = 0; f < sizeof(fill) / sizeof(*fill); f++) {
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = fill[f] == -1
				      ? (uint8_t)(i * 2654435761u >> 9)
				      : (uint8_t)fill[f];
		for (size_t len = 0; len <= sizeof(data);
		     len += len < 700 ? 1 : 33190)
			for (unsigned at = 0; at < 2 && at < len; at++)
				CHECK_INT(tcp_sum_payload((struct slice){
					      data + at, len - at}),
				    plain_sum(data + at, len - at));
	}
}

TEST(ethernet_padding_is_cut_off)
{
	build4(NULL, 0);
	w_put(&w, "\0\0\0\0\0\0", 6);
	CHECK_INT(decode(), IP_TCP);
	check_text();
	build6();
	w_put(&w, "\0\0\0\0\0\0", 6);
	CHECK_INT(decode(), IP_TCP);
	check_text();
}

TEST(total_length_zero_is_offload)
{
	build4(NULL, 0);
	w_set16(&w, 2, 0);
	CHECK_INT(decode(), IP_TCP);
	check_text();
	CHECK(pkt.flags & PKT_LEN_ZERO);
	CHECK_INT(decode_cut(w.n - 10, w.n), IP_TCP);
	CHECK(pkt.flags & PKT_TRUNCATED);
	CHECK_INT(pkt.len, TEXT_LEN - 10);
	check_tcp();
	build6();
	w_set16(&w, 4, 0);
	CHECK_INT(decode(), IP_TCP);
	check_text();
	CHECK(pkt.flags & PKT_LEN_ZERO);
}

TEST(offloaded_frame_of_64_kib)
{
	static uint8_t big[70000];

	begin();
	w_ip4(&w, 6, 1, 0, 65515);
	w_tcp(&w, NULL, 0, big, 65495);
	w_fix_tcp(&w, 20, w.n - 20, 12, 4);
	CHECK_INT(decode(), IP_TCP);
	CHECK_INT(pkt.len, 65495);
	ip_check_tcp(ctx, &pkt);
	CHECK(!(pkt.flags & PKT_BAD_TCP_CSUM));
	begin();
	w_ip4(&w, 6, 1, 0, 0);
	w_set16(&w, 2, 0);
	w_tcp(&w, NULL, 0, big, sizeof(big));
	CHECK_INT(decode(), IP_TCP);
	CHECK_INT(pkt.len, sizeof(big));
}

TEST(cut_by_the_capture_at_every_byte)
{
	for (int six = 0; six < 2; six++) {
		six ? build6() : build4(NULL, 0);
		uint32_t head = six ? 60 : 40;
		for (uint32_t n = 0; n < w.n; n++) {
			enum ip_result r = decode_cut(n, w.n);
			CHECK_INT(r, n < head ? IP_TRUNCATED : IP_TCP);
			if (r != IP_TCP)
				continue;
			check_tcp();
			CHECK_INT(pkt.len, n - head);
			CHECK(pkt.flags & PKT_TRUNCATED);
			ip_check_tcp(ctx, &pkt);
			CHECK(!(pkt.flags & PKT_CSUM_CHECKED));
		}
	}
}

/* The same, but the frame claims to be all there was: the sender's fault. */
TEST(cut_by_the_sender)
{
	build4(NULL, 0);
	CHECK_INT(decode_cut(0, 0), IP_MALFORMED);
	CHECK_INT(decode_cut(19, 19), IP_MALFORMED);
	w_set16(&w, 2, 30);
	CHECK_INT(decode_cut(30, 30), IP_MALFORMED);
	w_set16(&w, 2, 19);
	CHECK_INT(decode(), IP_MALFORMED);
	CHECK_INT(ip_counters(ctx)->malformed, 4);
	build6();
	CHECK_INT(decode_cut(39, 39), IP_MALFORMED);
}

TEST(total_length_beyond_the_frame)
{
	build4(NULL, 0);
	w_set16(&w, 2, 1000);
	CHECK_INT(decode(), IP_TCP);
	CHECK(pkt.flags & PKT_TRUNCATED);
	CHECK_INT(pkt.len, TEXT_LEN);
	CHECK_INT(pkt.wire_len, 960);
}

TEST(ipv4_options_are_skipped)
{
	for (unsigned ihl = 0; ihl < 16; ihl++) {
		begin();
		w_ip4(
		    &w, 6, 1, 0, (ihl > 5 ? ihl * 4 - 20 : 0) + 20 + TEXT_LEN);
		w.d[0] = (uint8_t)(0x40 | ihl);
		for (unsigned i = 20; i < ihl * 4; i++)
			w8(&w, 1);
		w_tcp(&w, NULL, 0, text, TEXT_LEN);
		CHECK_INT(decode(), ihl < 5 ? IP_MALFORMED : IP_TCP);
		if (ihl >= 5)
			check_text();
	}
}

TEST(every_ip_version)
{
	for (unsigned v = 0; v < 16; v++) {
		build4(NULL, 0);
		w.d[0] = (uint8_t)(v << 4 | 5);
		if (v != 4 && v != 6)
			CHECK_INT(decode(), IP_MALFORMED);
	}
	build4(NULL, 0);
	w.d[9] = 17;
	CHECK_INT(decode(), IP_NOT_TCP);
	CHECK_INT(pkt.ip_proto, 17);
	CHECK_INT(ip_counters(ctx)->other, 1);
}

TEST(every_tcp_data_offset)
{
	for (unsigned off = 0; off < 16; off++) {
		build4(NULL, 0);
		w.d[32] = (uint8_t)(off << 4);
		unsigned room = (20 + TEXT_LEN) / 4;
		enum ip_result want =
		    off < 5 || off > room ? IP_MALFORMED : IP_TCP;
		CHECK_INT(decode(), want);
		if (want == IP_TCP)
			CHECK_INT(pkt.len, 20 + TEXT_LEN - off * 4);
	}
}

static const struct option_case {
	const char *bytes;
	unsigned len;
	uint32_t flags;
	unsigned mss, wscale;
	uint32_t tsval, tsecr;
} option_cases[] = {
    {"\x02\x04\x05\xb4", 4, 0, 1460, 0, 0, 0},
    {"\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\x07\0\0\0\x09\x01\x03\x03\x07", 20,
	PKT_SACK_OK | PKT_TS | PKT_WSCALE, 1460, 7, 7, 9},
    {"\x01\x01\x08\x0a\0\0\x01\0\0\0\x02\0", 12, PKT_TS, 0, 0, 256, 512},
    {"\x08\x0a\0\0\x01\0\0\0\x02\0\x01\x01", 12, PKT_TS, 0, 0, 256, 512},
    {"\x03\x03\xff\0", 4, PKT_WSCALE, 0, 14, 0, 0},
    {"\x05\x0a\0\0\0\0\0\0\0\0\x01\x01", 12, 0, 0, 0, 0, 0}, /* SACK */
    {"\xfd\x04\xf9\x89", 4, 0, 0, 0, 0, 0}, /* experimental */
    {"\0\x02\0\0", 4, 0, 0, 0, 0, 0}, /* behind the end */
    {"\x01\x01\x01\x02", 4, PKT_BAD_OPTIONS, 0, 0, 0, 0},
    {"\x02\0\x05\xb4", 4, PKT_BAD_OPTIONS, 0, 0, 0, 0},
    {"\x02\x01\x05\xb4", 4, PKT_BAD_OPTIONS, 0, 0, 0, 0},
    {"\x02\x05\x05\xb4", 4, PKT_BAD_OPTIONS, 0, 0, 0, 0},
    {"\x02\x03\x05\x01", 4, PKT_BAD_OPTIONS, 0, 0, 0, 0},
    {"\x08\xff\0\0\0\0\0\0\0\0\0\0", 12, PKT_BAD_OPTIONS, 0, 0, 0, 0},
};

TEST(tcp_options)
{
	for (size_t i = 0; i < sizeof(option_cases) / sizeof(option_cases[0]);
	     i++) {
		const struct option_case *c = &option_cases[i];
		build4(c->bytes, c->len);
		CHECK_INT(decode(), IP_TCP);
		check_text();
		CHECK_INT(pkt.flags, PKT_IP_DF | c->flags);
		CHECK_INT(pkt.mss, c->mss);
		CHECK_INT(pkt.wscale, c->wscale);
		CHECK_INT(pkt.tsval, c->tsval);
		CHECK_INT(pkt.tsecr, c->tsecr);
	}
}

/* A snap length of 68 ends inside the options: the numbers are still good. */
TEST(tcp_options_cut_by_the_capture)
{
	const struct option_case *c = &option_cases[1];

	build4(c->bytes, c->len);
	for (uint32_t n = 40; n < 60; n++) {
		CHECK_INT(decode_cut(n, w.n), IP_TCP);
		check_tcp();
		CHECK_INT(pkt.len, 0);
		CHECK(!(pkt.flags & PKT_BAD_OPTIONS));
		CHECK_INT(pkt.mss, n < 44 ? 0 : 1460);
	}
}

/* kind 0: none. Sizes are in units of 8 (AH: of 4, less 2). */
static void
build6_chain(const uint8_t *kinds, unsigned n)
{
	begin();
	w_ip6(&w, kinds[0], 0);
	for (unsigned i = 0; i < n; i++) {
		uint8_t next = i + 1 < n ? kinds[i + 1] : 6;
		w8(&w, next);
		w8(&w, kinds[i] == 51 ? 2 : kinds[i] == 44 ? 0 : i % 2);
		w16(&w, 0);
		w32(&w, 0);
		if (kinds[i] == 51 || (kinds[i] != 44 && i % 2 == 1))
			w_put(&w, "\0\0\0\0\0\0\0\0", 8);
	}
	w_tcp(&w, NULL, 0, text, TEXT_LEN);
	w_set16(&w, 4, w.n - 40);
}

TEST(ipv6_extension_headers)
{
	static const uint8_t all[] = {0, 60, 43, 44, 51, 60, 135, 139, 140};

	for (unsigned n = 1; n <= sizeof(all); n++) {
		build6_chain(all, n);
		CHECK_INT(decode(), IP_TCP);
		check_text();
		/* the fragment header in it is atomic */
		CHECK(!(pkt.flags & PKT_FRAGMENT));
		CHECK_INT(ip_counters(ctx)->fragments, 0);
		uint32_t head = w.n - TEXT_LEN - 20;
		for (uint32_t cut = 40; cut < head + 20; cut++)
			CHECK_INT(decode_cut(cut, w.n), IP_TRUNCATED);
	}
}

TEST(ipv6_chains_are_bounded)
{
	uint8_t many[40];

	memset(many, 60, sizeof(many));
	build6_chain(many, 15);
	CHECK_INT(decode(), IP_TCP);
	build6_chain(many, 16);
	CHECK_INT(decode(), IP_MALFORMED);
	build6_chain(many, sizeof(many));
	CHECK_INT(decode(), IP_MALFORMED);
}

TEST(ipv6_other_ends_of_the_chain)
{
	static const uint8_t next[] = {59, 50, 58, 17, 1, 255};

	for (size_t i = 0; i < sizeof(next); i++) {
		build6();
		w.d[6] = next[i];
		CHECK_INT(decode(), IP_NOT_TCP);
	}
	build6();
	w.d[6] = 60; /* a header longer than the packet */
	w.d[41] = 255;
	CHECK_INT(decode(), IP_MALFORMED);
}

/* Splits the TCP segment of build4()/build6() and sends the parts in the given
 * order; the result of the last is returned. */
static enum ip_result
send_parts(int six, const unsigned *order, unsigned n, uint32_t step)
{
	static struct wire whole;
	enum ip_result r = IP_NOT_TCP;

	six ? build6() : build4(NULL, 0);
	whole = w;
	uint32_t head = six ? 40 : 20, total = whole.n - head;
	for (unsigned i = 0; i < n; i++) {
		uint32_t off = order[i] * step;
		uint32_t len = total - off < step ? total - off : step;
		unsigned more = off + len < total;
		w.n = 0;
		if (six) {
			w_ip6(&w, 44, 8 + len);
			w16(&w, 6 << 8);
			w16(&w, off | more);
			w32(&w, 0xabcdef);
		} else {
			w_ip4(&w, 6, 77, off / 8 | (more ? 0x2000 : 0), len);
		}
		w_put(&w, whole.d + head + off, len);
		r = decode();
		CHECK_INT(r, i + 1 < n ? IP_FRAGMENT : IP_TCP);
	}
	return r;
}

TEST(fragments_in_any_order)
{
	static const unsigned order[][4] = {
	    {0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}};

	for (int six = 0; six < 2; six++) {
		for (size_t i = 0; i < 4; i++) {
			CHECK_INT(send_parts(six, order[i], 4, 16), IP_TCP);
			check_text();
			CHECK(pkt.flags & PKT_FRAGMENT);
			ip_check_tcp(ctx, &pkt);
			CHECK(!(pkt.flags & PKT_BAD_TCP_CSUM));
			CHECK_INT(ip_counters(ctx)->fragments, 4);
			CHECK_INT(ip_counters(ctx)->reassembled, 1);
			CHECK_INT(ip_counters(ctx)->frag_dropped, 0);
		}
	}
}

TEST(fragments_of_other_protocols_are_not_held)
{
	begin();
	w_ip4(&w, 17, 5, 0x2000, 8);
	w_put(&w, "12345678", 8);
	CHECK_INT(decode(), IP_NOT_TCP);
	begin();
	w_ip6(&w, 44, 16);
	w16(&w, 17 << 8);
	w16(&w, 1);
	w32(&w, 9);
	w_put(&w, "12345678", 8);
	CHECK_INT(decode(), IP_NOT_TCP);
}

/* The one that made libnids read past a buffer. */
TEST(empty_fragment)
{
	begin();
	w_ip4(&w, 6, 5, 0x2000, 0);
	CHECK_INT(decode(), IP_MALFORMED);
	w.n = 0;
	w_ip4(&w, 6, 5, 0x0010, 0);
	CHECK_INT(decode(), IP_MALFORMED);
	CHECK_INT(ip_counters(ctx)->frag_dropped, 2);
}

TEST(fragment_cut_by_the_capture)
{
	begin();
	w_ip4(&w, 6, 5, 0x2000, 16);
	w_put(&w, "1234567812345678", 16);
	CHECK_INT(decode_cut(w.n - 8, w.n), IP_TRUNCATED);
	CHECK_INT(ip_counters(ctx)->frag_dropped, 1);
}

/* What was put together says that it is a fragment itself. */
TEST(ipv6_fragment_within_fragments)
{
	begin();
	w_ip6(&w, 44, 16);
	w16(&w, 60 << 8);
	w16(&w, 1);
	w32(&w, 9);
	w_put(&w, "\x2c\0\0\0\0\0\0\0", 8);
	CHECK_INT(decode(), IP_FRAGMENT);
	w.n = 0;
	w_ip6(&w, 44, 24);
	w16(&w, 60 << 8);
	w16(&w, 8);
	w32(&w, 9);
	w_put(&w,
	    "\x06\0\0\x01\0\0\0\0"
	    "payload.",
	    16);
	CHECK_INT(decode(), IP_MALFORMED);
}

TEST(ip_teardown)
{
	finish();
}

TEST_MAIN
