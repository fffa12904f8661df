/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Evidence packets, read back byte by byte.
 */
#include "db/evidence_pcap.h"

#include "tests/alert_sample.h"

struct packet_back {
	uint32_t sec, nsec, caplen, len;
	uint8_t bytes[65536];
};

static uint8_t file[1 << 20];
static size_t file_len;

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static unsigned
be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static int
write_back(const struct alert *a)
{
	FILE *f = fmemopen(file, sizeof(file), "wb");
	int n = evidence_pcap_write(f, a);

	file_len = (size_t)ftell(f);
	fclose(f);
	return n;
}

/* The i-th packet; false if there is none. */
static bool
packet_at(unsigned i, struct packet_back *p)
{
	size_t at = 24;

	for (;; i--) {
		uint32_t head[4];

		if (at + 16 > file_len)
			return false;
		memcpy(head, file + at, 16);
		if (i == 0) {
			p->sec = head[0];
			p->nsec = head[1];
			p->caplen = head[2];
			p->len = head[3];
			memcpy(p->bytes, file + at + 16, head[2]);
			return at + 16 + head[2] <= file_len;
		}
		at += 16 + head[2];
	}
}

static unsigned
ones_sum(uint32_t acc, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		acc += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (acc >> 16 != 0)
		acc = (acc & 0xffff) + (acc >> 16);
	return acc;
}

static void
check_text(const struct packet_back *p, size_t headers, const char *want)
{
	char got[2048];

	snprintf(got, sizeof(got), "%.*s", (int)(p->caplen - headers),
	    (const char *)p->bytes + headers);
	CHECK_STR(got, want);
}

TEST(headers_are_as_recorded)
{
	static struct packet_back p;
	struct alert a = sample_alert(0);
	uint32_t head[6];

	CHECK_INT(write_back(&a), 6);
	memcpy(head, file, sizeof(head));
	CHECK_INT(head[0], 0xa1b23c4d);
	CHECK_INT(head[5], 101);
	CHECK(packet_at(0, &p));
	CHECK_INT(p.sec, 1795341794);
	CHECK_INT(p.nsec, 514000000);
	CHECK_INT(p.len, 40 + 26);
	CHECK_INT(p.caplen, p.len);
	CHECK_INT(p.bytes[0], 0x45);
	CHECK_INT(be16(p.bytes + 2), 66);
	CHECK_INT(be16(p.bytes + 4), 4660);
	CHECK_INT(p.bytes[8], 57);
	CHECK_INT(be32(p.bytes + 12), 0x0a020014); /* from the server */
	CHECK_INT(be32(p.bytes + 16), 0x0a01000a);
	CHECK_INT(be16(p.bytes + 20), 25);
	CHECK_INT(be16(p.bytes + 22), 51514);
	CHECK_INT(be32(p.bytes + 24), 2000);
	CHECK_INT(be32(p.bytes + 28), 5000);
	CHECK_INT(p.bytes[33], TCP_ACK | TCP_PSH);
	CHECK_INT(be16(p.bytes + 34), 512);
	check_text(&p, 40, "220 mx.example.net ESMTP\r\n");
	CHECK_INT(ones_sum(0, p.bytes, 20), 0xffff);
	CHECK_INT(ones_sum(6 + p.len - 20, p.bytes + 12, p.len - 12), 0xffff);
	/* the reset has no text; a later connection its own port */
	CHECK(packet_at(4, &p));
	CHECK_INT(p.len, 40);
	CHECK_INT(p.bytes[33], TCP_RST);
	CHECK(packet_at(5, &p));
	CHECK_INT(be16(p.bytes + 20), 51520);
	CHECK(!packet_at(6, &p));
}

TEST(ipv6_too)
{
	static struct packet_back p;
	struct alert a = sample_alert(0);

	CHECK_INT(addr_from_text(&a.flow.client, "2001:db8::7"), 0);
	CHECK_INT(addr_from_text(&a.flow.server, "2001:db8::19"), 0);
	CHECK_INT(write_back(&a), 6);
	CHECK(packet_at(1, &p));
	CHECK_INT(p.bytes[0], 0x60);
	CHECK_INT(be16(p.bytes + 4), p.len - 40);
	CHECK_INT(p.bytes[6], 6);
	CHECK_INT(p.bytes[7], 64);
	CHECK_INT(p.bytes[23], 0x07);
	CHECK_INT(p.bytes[39], 0x19);
	check_text(&p, 60, "EHLO mail-out.example.org\r\n");
	CHECK_INT(ones_sum(6 + p.len - 40, p.bytes + 8, p.len - 8), 0xffff);
}

static struct alert
one_step(const char *text, uint32_t len)
{
	struct alert a = sample_alert(0);
	struct step *s;

	a.nsteps = 0;
	memset(&a.finding.pkt, 0, sizeof(a.finding.pkt));
	s = sample_step(&a, DIR_C2S, OBS_CLEAR_USE, text);
	s->pkt.len = len;
	return a;
}

TEST(what_is_not_known_is_left_out_as_if_cut)
{
	static struct packet_back p;
	struct alert a = one_step("MAIL FROM:<a@b>", 1000);

	CHECK_INT(write_back(&a), 1);
	CHECK(packet_at(0, &p));
	CHECK_INT(p.len, 1040);
	CHECK_INT(p.caplen, 40 + 17);
	CHECK_INT(be16(p.bytes + 2), 1040);
}

TEST(a_line_in_pieces_ends_where_its_last_piece_did)
{
	static struct packet_back p;
	struct alert a = one_step("MAIL FROM:<a@b>", 1);

	CHECK_INT(write_back(&a), 1);
	CHECK(packet_at(0, &p));
	check_text(&p, 40, "MAIL FROM:<a@b>\r\n");
	CHECK_INT(be32(p.bytes + 24), 2000 - 16);
	CHECK_INT(ones_sum(6 + p.len - 20, p.bytes + 12, p.len - 12), 0xffff);
}

TEST(a_mask_gives_way_before_the_numbers_do)
{
	static struct packet_back p;
	struct alert a = one_step("PASS ********", 10);

	CHECK_INT(write_back(&a), 1);
	CHECK(packet_at(0, &p));
	check_text(&p, 40, "PASS ***\r\n");
	CHECK_INT(be32(p.bytes + 24), 2000);
}

TEST(escapes_become_bytes_and_lists_ascii)
{
	static struct packet_back p;
	struct alert a = one_step("A\\x41\\r\\nB\\q\\x4 \\", 500);

	CHECK_INT(write_back(&a), 1);
	CHECK(packet_at(0, &p));
	check_text(&p, 40, "AA\r\nB\\q\\x4 \\\r\n");
	a = one_step("250 \u2026 SIZE", 500);
	CHECK_INT(write_back(&a), 1);
	CHECK(packet_at(0, &p));
	check_text(&p, 40, "250 ... SIZE\r\n");
}

TEST(steps_of_one_packet_are_one_packet_and_order_is_time)
{
	static struct packet_back p;
	struct alert a = sample_alert(0);

	a.steps[1].pkt = a.steps[0].pkt;
	a.steps[1].dir = a.steps[0].dir;
	a.steps[3].pkt.time = T0 - MS;
	a.steps[2].pkt.ordinal = 0; /* not known */
	a.finding.pkt.ordinal = 99; /* not among the steps */
	a.finding.pkt.time = T0 + 60 * 1000 * MS;
	CHECK_INT(write_back(&a), 5);
	CHECK(packet_at(0, &p));
	check_text(&p, 40, "220 2.0.0 Ready\r\n");
	CHECK(packet_at(1, &p));
	CHECK(strstr((char *)p.bytes + 40, "ESMTP\r\nEHLO") != NULL);
	CHECK(packet_at(4, &p));
	CHECK_INT(p.bytes[33], TCP_RST);
}

TEST(the_largest_and_the_oddest_fit)
{
	static struct packet_back p;
	struct alert a;

	memset(&a, 0xff, sizeof(a));
	a.nsteps = LADDER_STEPS;
	for (unsigned i = 0; i < LADDER_STEPS; i++) {
		a.steps[i].kind = OBS_GREETING;
		a.steps[i].pkt.len = 0x7fffffff;
		a.steps[i].pkt.ordinal = 1; /* all in one packet */
		memset(a.steps[i].text, 'x', LADDER_TEXT_MAX - 1);
		a.steps[i].text[LADDER_TEXT_MAX - 1] = '\0';
	}
	a.finding.pkt.len = UINT32_MAX;
	CHECK_INT(write_back(&a), 2);
	CHECK(packet_at(0, &p));
	CHECK(p.len <= 65535);
	for (unsigned i = 0; i < LADDER_STEPS; i++)
		a.steps[i].pkt.ordinal = i + 1;
	CHECK_INT(write_back(&a), LADDER_STEPS + 1);
	a.nsteps = 0;
	a.finding.pkt.ordinal = 0;
	CHECK_INT(write_back(&a), 0);
	CHECK_INT(file_len, 24);
}

TEST_MAIN
