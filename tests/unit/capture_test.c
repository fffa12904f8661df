/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Formats in, packets out: every format, byte order and time resolution; what
 * is broken is said with its place, and what was readable is kept. Folders and
 * pipes are in capture_source_test.c.
 */
#include "sensor/capture.h"

#include <unistd.h>

#include "capture_run.h"
#include "tests/test.h"

static struct bytes b, z;

#define S(n) (INT64_C(n) * 1000000000)

static const char frame1[] = "the first frame of a capture";
static const char frame2[] = "and its second";
#define FRAME1 frame1, sizeof(frame1)
#define FRAME2 frame2, sizeof(frame2)

static void
build_pcap(bool big, uint32_t magic, uint32_t factor)
{
	b.big = big;
	pcap_begin(&b, magic, 65535, 1);
	pcap_record(&b, 1000, 123456 * factor, FRAME1);
	pcap_record(&b, 1001, 5 * factor, FRAME2);
}

static void
check_two(void)
{
	struct seen *s = run_bytes(&b);

	CHECK_INT(s->n, 2);
	CHECK_STR(s->said, "");
	CHECK_INT(s->pkt[0].time, S(1000) + 123456000);
	CHECK_INT(s->pkt[1].time, S(1001) + 5000);
	CHECK_INT(s->pkt[0].caplen, sizeof(frame1));
	CHECK_INT(s->pkt[0].wirelen, sizeof(frame1) + 5);
	CHECK(memcmp(s->data[0], FRAME1) == 0);
	CHECK(memcmp(s->data[1], FRAME2) == 0);
	CHECK_INT(s->pkt[1].ordinal, 2);
	CHECK_INT(s->pkt[1].frame_no, 2);
	CHECK_INT(s->pkt[1].linktype, 1);
	CHECK(s->pkt[1].ip == NULL && s->pkt[1].flags == 0);
	CHECK_INT(s->files, 1);
	CHECK_INT(s->file.packets, 2);
	CHECK_INT(s->file.bytes, sizeof(frame1) + sizeof(frame2));
	CHECK_INT(s->file.file_bytes, b.n);
	CHECK_INT(s->file.first, s->pkt[0].time);
	CHECK_INT(s->file.last, s->pkt[1].time);
	CHECK(!s->file.broken);
	CHECK_INT(s->done, b.n);
	CHECK_INT(s->total, b.n);
}

TEST(pcap_in_both_orders_and_resolutions)
{
	for (int big = 0; big < 2; big++) {
		build_pcap(big, 0xa1b2c3d4, 1);
		check_two();
		build_pcap(big, 0xa1b23c4d, 1000);
		check_two();
	}
}

TEST(pcap_of_kuznetzov)
{
	static const uint8_t more[8] = {0};

	b.big = false;
	pcap_begin(&b, 0xa1b2cd34, 65535, 1);
	for (uint32_t i = 0; i < 2; i++) {
		put32(&b, 10 + i);
		put32(&b, 0);
		put32(&b, 4);
		put32(&b, 4);
		put(&b, more, 8);
		put(&b, "abcd", 4);
	}
	struct seen *s = run_bytes(&b);
	CHECK_INT(s->n, 2);
	CHECK_STR(s->said, "");
	b.n--;
	s = run_bytes(&b);
	CHECK_INT(s->n, 1);
	CHECK(strstr(s->said, "begins at byte 52 ") != NULL);
}

static void
build_ng(bool big)
{
	b.n = 0;
	b.big = big;
	ng_section(&b);
	ng_interface(&b, 1, 65535, -1, 0);
	ng_interface(&b, 113, 96, 9, 0);
	ng_packet(&b, 0, 1000123456, FRAME1);
	ng_packet(&b, 1, S(1001) + 5000, FRAME2);
}

TEST(pcapng_with_two_kinds_of_interface)
{
	for (int big = 0; big < 2; big++) {
		build_ng(big);
		struct seen *s = run_bytes(&b);
		CHECK_INT(s->n, 2);
		CHECK_STR(s->said, "");
		CHECK_INT(s->pkt[0].time, S(1000) + 123456000);
		CHECK_INT(s->pkt[1].time, S(1001) + 5000);
		CHECK_INT(s->pkt[0].linktype, 1);
		CHECK_INT(s->pkt[1].linktype, 113);
		CHECK(memcmp(s->data[1], FRAME2) == 0);
		CHECK_INT(s->pkt[1].wirelen, sizeof(frame2) + 5);
	}
}

TEST(pcapng_resolutions_and_offsets)
{
	static const struct {
		int resolution;
		int64_t offset;
		uint64_t ticks;
		int64_t time;
	} t[] = {
	    {0, 0, 1000, S(1000)},
	    {3, 0, 1000001, S(1000) + 1000000},
	    {9, 0, S(1000) + 1, S(1000) + 1},
	    {12, 0, UINT64_C(1000000000001999), S(1000) + 1},
	    {19, 0, UINT64_C(10000000000000000000), S(1)},
	    {0x80 | 20, 0, (1000u << 20) + (1u << 19), S(1000) + 500000000},
	    {0x80 | 0, 0, 7, S(7)},
	    {0x80 | 127, 0, UINT64_MAX, 0},
	    {127, 0, UINT64_MAX, 1}, /* treated as 10^-28 */
	    {6, 500, 1000000, S(501)},
	    {6, -1, 3000000, S(2)},
	    {6, -9, 3000000, 0}, /* before the epoch */
	    {0, 0, UINT64_MAX, INT64_MAX / 2},
	    {6, INT64_MAX, UINT64_MAX, INT64_MAX / 2},
	    {6, INT64_MIN, 0, 0},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		b.n = 0;
		b.big = i % 2;
		ng_section(&b);
		ng_interface(&b, 1, 0, t[i].resolution, t[i].offset);
		ng_packet(&b, 0, t[i].ticks, FRAME1);
		struct seen *s = run_bytes(&b);
		CHECK_INT(s->n, 1);
		CHECK_INT(s->pkt[0].time, t[i].time);
	}
}

TEST(pcapng_all_kinds_of_packet_block)
{
	b.n = 0;
	b.big = true;
	ng_section(&b);
	ng_interface(&b, 1, 8, -1, 0);
	ng_obsolete(&b, 0, 2000000, FRAME1);
	ng_simple(&b, 100, "12345678", 8);
	ng_simple(&b, 3, "123", 3);
	struct seen *s = run_bytes(&b);
	CHECK_INT(s->n, 3);
	CHECK_STR(s->said, "");
	CHECK_INT(s->pkt[0].time, S(2));
	CHECK_INT(s->pkt[0].caplen, sizeof(frame1));
	CHECK_INT(s->pkt[1].time, S(2)); /* it has none of its own */
	CHECK_INT(s->pkt[1].caplen, 8);
	CHECK_INT(s->pkt[1].wirelen, 100);
	CHECK_INT(s->pkt[2].caplen, 3);
}

TEST(pcapng_sections_reset_interfaces_and_order)
{
	build_ng(false);
	b.big = true;
	ng_section(&b);
	ng_interface(&b, 12, 0, -1, 0);
	ng_packet(&b, 0, 5000000000, FRAME1);
	ng_packet(&b, 1, 5000000000, FRAME2); /* of the section before */
	struct seen *s = run_bytes(&b);
	CHECK_INT(s->n, 3);
	CHECK_INT(s->pkt[2].linktype, 12);
	CHECK_INT(s->pkt[2].time, S(5000));
	CHECK_INT(s->worst, 1);
	CHECK(strstr(s->said, "1 malformed packet block skipped") != NULL);
}

TEST(pcapng_unknown_blocks_are_skipped)
{
	static uint8_t filler[500000];

	build_ng(false);
	size_t at = ng_open(&b, 0x0bad);
	put(&b, "whatever", 8);
	ng_close(&b, at);
	at = ng_open(&b, 10); /* decryption secrets, of any size */
	put(&b, filler, sizeof(filler));
	ng_close(&b, at);
	ng_packet(&b, 0, 2000000000, FRAME1);
	struct seen *s = run_bytes(&b);
	CHECK_INT(s->n, 3);
	CHECK_STR(s->said, "");
}

TEST(pcapng_too_large_a_packet_costs_only_itself)
{
	static uint8_t filler[420000];
	static const uint32_t size[] = {262144, 262148, sizeof(filler)};

	for (size_t i = 0; i < 3; i++) {
		build_ng(true);
		ng_packet(&b, 0, 2000000000, filler, size[i]);
		ng_packet(&b, 0, 2000000000, FRAME1);
		struct seen *s = run_bytes(&b);
		CHECK_INT(s->n, i == 0 ? 4 : 3);
		CHECK_INT(s->worst, i == 0 ? -1 : 1);
	}
}

static void
set32(size_t at, uint32_t v)
{
	size_t n = b.n;

	b.n = at;
	put32(&b, v);
	b.n = n;
}

TEST(pcapng_lengths_that_lie)
{
	static const struct {
		size_t back; /* from the end of the last packet block */
		uint32_t value;
		unsigned packets;
		const char *said;
	} t[] = {
	    {4, 52, 1, "second length is 52"},
	    {44, 47, 1, "a block of length 47"},
	    {44, 8, 1, "a block of length 8"},
	    {44, 0, 1, "a block of length 0"},
	    {44, 0xfffffffc, 1, "cut in the middle"},
	    {44, 52, 1, "cut in the middle"},
	    {28, 17, 1, "malformed packet block"}, /* held */
	    {28, 0xffffffff, 1, "malformed packet block"},
	    {40, 2, 1, "malformed packet block"}, /* interface */
	    {24, 0, 2, NULL}, /* sent less than held */
	};
	size_t start;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		build_ng(i % 2);
		start = b.n - 48;
		set32(b.n - t[i].back, t[i].value);
		struct seen *s = run_bytes(&b);
		CHECK_INT(s->n, t[i].packets);
		CHECK((t[i].said == NULL) == (s->said[0] == '\0'));
		if (t[i].said == NULL)
			continue;
		char at[64];
		snprintf(at, sizeof(at), "at byte %zu", start);
		CHECK(strstr(s->said, t[i].said) != NULL);
		CHECK(strstr(s->said, at) != NULL);
		CHECK(s->file.broken);
	}
}

/* The same packets have the same fingerprint, whatever they came in. */
TEST(fingerprint_does_not_depend_on_the_format)
{
	build_pcap(false, 0xa1b2c3d4, 1);
	uint64_t want = run_bytes(&b)->file.fingerprint;

	build_pcap(true, 0xa1b23c4d, 1000);
	CHECK(run_bytes(&b)->file.fingerprint == want);
	z.n = 0;
	put_gzip(&z, b.d, b.n);
	CHECK(run_bytes(&z)->file.fingerprint == want);
	build_ng(true);
	CHECK(run_bytes(&b)->file.fingerprint == want);
	build_pcap(true, 0xa1b23c4d, 1001);
	CHECK(run_bytes(&b)->file.fingerprint != want);
	build_pcap(false, 0xa1b2c3d4, 1);
	b.d[24 + 12]++; /* the length on the wire */
	CHECK(run_bytes(&b)->file.fingerprint != want);
	b.n -= sizeof(frame2) + 16;
	CHECK(run_bytes(&b)->file.fingerprint != want);
}

TEST(gzip_of_several_members)
{
	build_pcap(false, 0xa1b2c3d4, 1);
	z.n = 0;
	put_gzip(&z, b.d, 30);
	put_gzip(&z, b.d + 30, b.n - 30);
	put(&z, "\0\0\0\0", 4); /* padding */
	struct seen *s = run_bytes(&z);
	CHECK_INT(s->n, 2);
	CHECK_STR(s->said, "");
	CHECK_INT(s->done, z.n);
	put(&z, "garbage", 7);
	s = run_bytes(&z);
	CHECK_INT(s->n, 2);
	CHECK_INT(s->worst, 1);
	CHECK(strstr(s->said, "compressed data is corrupt at byte") != NULL);
}

static unsigned
count_whole(const size_t *end, size_t n)
{
	return n >= end[1] ? 2 : n >= end[0];
}

/* Cut at every byte: what is whole is kept, the place of the cut is said. */
static void
check_every_cut(const size_t *end, size_t header, const size_t *boundary)
{
	for (size_t n = header; n < end[1]; n++) {
		size_t whole = b.n, at = 0;
		bool clean = false;
		char want[160];

		for (size_t i = 0; boundary[i] != 0 && boundary[i] <= n; i++) {
			at = boundary[i];
			clean = at == n;
		}
		b.n = n;
		struct seen *s = run_bytes(&b);
		b.n = whole;
		CHECK_INT(s->n, count_whole(end, n));
		CHECK_INT(s->worst, clean ? -1 : 1);
		CHECK_INT(s->file.broken, !clean);
		snprintf(want, sizeof(want),
		    "begins at byte %zu lacks its end, the file ends at byte "
		    "%zu",
		    at, n);
		if (!clean && strstr(s->said, want) == NULL)
			TEST_FAIL("cut at %zu: %s", n, s->said);
	}
}

TEST(pcap_cut_at_every_byte)
{
	build_pcap(true, 0xa1b2c3d4, 1);
	size_t end[] = {24 + 16 + sizeof(frame1), b.n};
	size_t boundary[] = {24, end[0], end[1], 0};

	check_every_cut(end, 24, boundary);
}

TEST(pcapng_cut_at_every_byte)
{
	b.n = 0;
	b.big = true;
	ng_section(&b);
	size_t section = b.n;
	ng_interface(&b, 1, 0, 9, 0);
	size_t iface = b.n;
	ng_packet(&b, 0, 1, FRAME1);
	size_t first = b.n;
	ng_packet(&b, 0, 2, FRAME2);
	size_t end[] = {first, b.n};
	size_t boundary[] = {section, iface, first, b.n, 0};

	check_every_cut(end, section, boundary);
}

TEST(pcap_file_header_cut_at_every_byte)
{
	build_pcap(false, 0xa1b2c3d4, 1);
	for (size_t n = 0; n < 24; n++) {
		b.n = n;
		struct seen *s = run_bytes(&b);
		CHECK_INT(s->n, 0);
		CHECK(s->failed);
		const char *want = n == 0  ? ": empty"
				   : n < 4 ? ": not a capture"
					   : "in the middle of its file header";
		CHECK(strstr(s->said, want) != NULL);
	}
}

TEST(gzip_cut_at_every_byte)
{
	build_pcap(false, 0xa1b2c3d4, 1);
	z.n = 0;
	put_gzip(&z, b.d, b.n);
	size_t whole = z.n;
	for (z.n = 3; z.n < whole; z.n++) {
		char want[160];
		struct seen *s = run_bytes(&z);
		snprintf(want, sizeof(want),
		    "compressed data ends at byte %zu ", z.n);
		CHECK(s->n <= 2);
		CHECK_INT(s->worst, 1);
		if (strstr(s->said, want) == NULL)
			TEST_FAIL("cut at %zu: %s", z.n, s->said);
	}
}

/* A record longer than the file says records are: libpcap cuts it, and the
 * places of those behind it must still be right. */
TEST(pcap_record_beyond_the_snap_length)
{
	b.big = false;
	pcap_begin(&b, 0xa1b2c3d4, 10, 1);
	pcap_record(&b, 1, 0, FRAME1);
	pcap_record(&b, 2, 0, "0123456789", 10);
	size_t third = b.n;
	pcap_record(&b, 3, 0, FRAME2);
	b.n--;
	struct seen *s = run_bytes(&b);
	char want[64];
	snprintf(want, sizeof(want), "begins at byte %zu ", third);
	CHECK_INT(s->n, 2);
	CHECK_INT(s->pkt[0].caplen, 10);
	CHECK_INT(s->pkt[0].wirelen, sizeof(frame1) + 5);
	CHECK(strstr(s->said, want) != NULL);
}

TEST(pcap_record_of_impossible_length)
{
	build_pcap(false, 0xa1b2c3d4, 1);
	size_t second = 24 + 16 + sizeof(frame1);
	set32(second + 8, 0x7fffffff);
	struct seen *s = run_bytes(&b);
	char want[64];
	snprintf(want, sizeof(want), "malformed at byte %zu:", second);
	CHECK_INT(s->n, 1);
	CHECK_INT(s->worst, 1);
	CHECK(strstr(s->said, want) != NULL);
	CHECK(strstr(s->said, "1 packet was read") != NULL);
}

TEST(clock_that_steps_back_is_survived)
{
	b.big = false;
	pcap_begin(&b, 0xa1b2c3d4, 65535, 1);
	pcap_record(&b, 1000, 0, FRAME1);
	pcap_record(&b, 990, 0, FRAME1);
	pcap_record(&b, 990, 500000, FRAME1);
	pcap_record(&b, 990, 400000, FRAME1);
	struct seen *s = run_bytes(&b);
	CHECK_INT(s->n, 4);
	CHECK_INT(s->file.time_backwards, 2);
	CHECK_INT(s->worst, 0);
	CHECK_INT(s->sentences, 1);
	CHECK(strstr(s->said, "steps back by 10.0 s at packet 2") != NULL);
	CHECK_INT(s->pkt[3].time, S(990) + 400000000);
}

TEST(small_step_back_is_only_counted)
{
	b.big = false;
	pcap_begin(&b, 0xa1b2c3d4, 65535, 1);
	pcap_record(&b, 1000, 0, FRAME1);
	pcap_record(&b, 999, 500000, FRAME1);
	struct seen *s = run_bytes(&b);
	CHECK_INT(s->file.time_backwards, 1);
	CHECK_STR(s->said, "");
}

TEST(time_beyond_2038)
{
	b.big = false;
	pcap_begin(&b, 0xa1b2c3d4, 65535, 1);
	pcap_record(&b, 0xfffffff0, 0, FRAME1);
	CHECK_INT(run_bytes(&b)->pkt[0].time, S(0xfffffff0));
}

/* A fraction of a second that is none (found by fuzzing). */
TEST(pcap_negative_fraction)
{
	b.big = false;
	pcap_begin(&b, 0xa1b2c3d4, 65535, 1);
	pcap_record(&b, 0, 0x80000000, FRAME1);
	pcap_record(&b, 7, 0xffffffff, FRAME1);
	struct seen *s = run_bytes(&b);
	CHECK_INT(s->pkt[0].time, 0);
	CHECK_INT(s->pkt[1].time, S(7) - 1000);
}

TEST(unknown_link_type_is_named_once)
{
	b.n = 0;
	b.big = false;
	ng_section(&b);
	ng_interface(&b, 105, 0, -1, 0);
	ng_interface(&b, 1, 0, -1, 0);
	for (unsigned i = 0; i < 10; i++) {
		ng_packet(&b, 0, i, FRAME1);
		ng_packet(&b, 1, i, FRAME2);
	}
	struct seen *s = run_bytes(&b);
	CHECK_INT(s->n, 20);
	CHECK_INT(s->worst, 0);
	CHECK_INT(s->sentences, 1);
	CHECK(strstr(s->said, "10 packets of a link type that is not known, "
			      "DLT 105 (IEEE802_11), skipped") != NULL);
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Nothing to check but that every run ends, with no more packets than bytes. */
static void
mutate(const struct bytes *good, unsigned runs)
{
	static struct bytes m;
	uint32_t seed = 7;

	for (unsigned i = 0; i < runs; i++) {
		m = *good;
		if (next_random(&seed) % 8 == 0)
			m.n = next_random(&seed) % good->n + 1;
		unsigned flips = next_random(&seed) % 4 + 1;
		while (flips-- > 0)
			m.d[next_random(&seed) % m.n] =
			    (uint8_t)next_random(&seed);
		struct seen *s = run_bytes(&m);
		CHECK(s->n <= m.n);
		CHECK(s->n > 0 || s->said[0] != '\0' || m.n < 64);
	}
}

TEST(mutated_captures_do_no_harm)
{
	build_pcap(false, 0xa1b2c3d4, 1);
	mutate(&b, 300);
	z.n = 0;
	put_gzip(&z, b.d, b.n);
	mutate(&z, 300);
	build_ng(true);
	mutate(&b, 300);
}

TEST_MAIN
