/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When a capture begins and ends, as seen without reading it, in all forms of
 * files; and which of two has nothing to do with the other.
 */
#include "sensor/capture_extent.h"

#include "capture_run.h"
#include "sensor/capture_plan.h"
#include "tests/test.h"

#define S INT64_C(1000000000)
#define PCAP_US 0xa1b2c3d4
#define PCAP_NS 0xa1b23c4d

static struct bytes b;

static struct extent
extent_of_bytes(const struct bytes *file)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	struct extent e;
	struct reader r;
	char path[32];

	if (fd < 0 || write(fd, file->d, file->n) != (ssize_t)file->n)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader_init(&r);
	extent_of(&e, &r, path);
	reader_fini(&r);
	close(fd);
	return e;
}

static void
check_known(int64_t first, int64_t last)
{
	struct extent e = extent_of_bytes(&b);

	CHECK(e.known);
	CHECK_INT(e.first, first);
	CHECK_INT(e.last, last);
	CHECK(!e.two_way);
}

static void
pcap_of(uint32_t magic, unsigned n, uint32_t len)
{
	static uint8_t frame[3000];

	memset(frame, 0, sizeof(frame));
	pcap_begin(&b, magic, 65535, 1);
	for (unsigned i = 0; i < n; i++)
		pcap_record(&b, 100 + i, 5, frame, len);
}

TEST(pcap_in_all_its_forms)
{
	for (unsigned big = 0; big < 2; big++) {
		b.big = big;
		pcap_of(PCAP_US, 3, 60);
		check_known(100 * S + 5000, 102 * S + 5000);
		pcap_of(PCAP_NS, 3, 60);
		check_known(100 * S + 5, 102 * S + 5);
		pcap_of(PCAP_US, 300, 1400); /* more than is looked at */
		check_known(100 * S + 5000, 399 * S + 5000);
	}
	b.big = false;
}

/* Frames that are full of what looks like records. */
TEST(pcap_within_pcap)
{
	static uint8_t inner[1600];

	memset(inner, 0, sizeof(inner));
	for (size_t at = 0; at + 40 < sizeof(inner); at += 40)
		memcpy(inner + at, (const uint32_t[4]){7, 7, 24, 24}, 16);
	pcap_begin(&b, PCAP_US, 65535, 1);
	for (uint32_t i = 0; i < 400; i++)
		pcap_record(&b, 1000 + i, 0, inner, 1200 + i);
	check_known(1000 * S, 1399 * S);
}

TEST(pcapng_in_all_its_forms)
{
	for (unsigned big = 0; big < 2; big++) {
		size_t at;

		b.n = 0;
		b.big = big;
		ng_section(&b);
		ng_interface(&b, 1, 0, -1, 0);
		ng_interface(&b, 113, 0, 9, 50);
		ng_packet(&b, 0, 3000000, "abcd", 4);
		ng_packet(&b, 1, 4000000007, "abcde", 5);
		check_known(3 * S, 54 * S + 7);
		at = ng_open(&b, 5); /* statistics, as dumpcap writes them */
		put32(&b, 0);
		put_uint(&b, 0, 8);
		ng_close(&b, at);
		check_known(3 * S, 54 * S + 7);
	}
	b.big = false;
}

static void
check_unknown(const char *what)
{
	if (extent_of_bytes(&b).known)
		TEST_FAIL("%s: its end is said to be known", what);
}

TEST(what_cannot_be_known)
{
	static struct bytes gz;

	b.n = 0;
	check_unknown("empty");
	pcap_of(PCAP_US, 0, 0);
	check_unknown("no packet");
	pcap_of(PCAP_US, 3, 60);
	b.n--;
	check_unknown("cut in a frame");
	pcap_of(PCAP_US, 300, 1400);
	b.n -= 1404;
	check_unknown("cut in a record's header");
	pcap_of(PCAP_US, 300, 1400);
	gz.n = 0;
	put_gzip(&gz, b.d, b.n);
	b = gz;
	check_unknown("compressed");
	b.n = 0;
	ng_section(&b);
	ng_interface(&b, 1, 0, -1, 0);
	ng_packet(&b, 0, 3000000, "abcd", 4);
	put32(&b, 12); /* a block that does not begin */
	check_unknown("pcapng with nonsense at its end");
	pcap_begin(&b, PCAP_US, 65535, 1);
	put(&b, "no record at all, and more of it", 32);
	check_unknown("nonsense");
}

/* Records everywhere, none of which leads to the end: a look must not take a
 * second for each of them. */
TEST(a_tail_made_to_take_long)
{
	uint32_t v = 16;

	pcap_of(PCAP_US, 1, 60);
	while (b.n < 600000)
		put(&b, &v, sizeof(v));
	put(&b, "xx", 2);
	for (unsigned i = 0; i < 50; i++)
		check_unknown("nothing but beginnings");
}

/* ---- directions ---- */

static void
tcp_frame(uint32_t time, unsigned client, bool answer)
{
	uint8_t f[54] = {0};
	const uint8_t host[2][4] = {{10, 0, 0, (uint8_t)client}, {10, 1, 0, 1}};
	const uint8_t port[2][2] = {{40, (uint8_t)client}, {0, 25}};

	f[12] = 8;
	f[14] = 0x45;
	f[17] = 40;
	f[22] = 64;
	f[23] = 6;
	memcpy(f + 26, host[answer], 4);
	memcpy(f + 30, host[!answer], 4);
	memcpy(f + 34, port[answer], 2);
	memcpy(f + 36, port[!answer], 2);
	f[46] = 0x50;
	f[47] = 0x10;
	pcap_record(&b, time, 0, f, sizeof(f));
}

static bool
is_two_way(unsigned clients, unsigned answered, unsigned packets)
{
	struct extent e;

	pcap_begin(&b, PCAP_US, 65535, 1);
	for (unsigned i = 0; i < packets; i++)
		for (unsigned c = 0; c < clients; c++)
			tcp_frame(100 + i, c, i % 2 == 1 && c < answered);
	e = extent_of_bytes(&b);
	CHECK(e.known);
	return e.two_way;
}

TEST(one_direction_is_known)
{
	CHECK(is_two_way(1, 1, 3));
	CHECK(is_two_way(20, 20, 6));
	CHECK(is_two_way(20, 16, 6)); /* one or the other does not answer */
	CHECK(!is_two_way(20, 14, 6)); /* two paths share the directions */
	CHECK(!is_two_way(20, 0, 6));
	CHECK(!is_two_way(20, 20, 2)); /* too few to tell */
}

TEST(which_has_nothing_to_do_with_the_other)
{
	static const struct {
		const char *what;
		int64_t first, last, then; /* s; then: the other begins */
		bool known, two_way, apart;
	} row[] = {
	    {"the next one of a row", 100, 200, 200, true, true, false},
	    {"likewise, with a pause", 100, 200, 7000, true, true, false},
	    {"likewise, overlapping a little", 100, 200, 190, true, true,
		false},
	    {"another day", 100, 200, 7401, true, true, true},
	    {"likewise, one direction", 100, 200, 7401, true, false, true},
	    {"another place", 100, 200, 100, true, true, true},
	    {"likewise, begun a little later", 100, 200, 150, true, true, true},
	    {"before it, overlapping", 100, 200, 50, true, true, true},
	    {"before it, perhaps its beginning", 300, 400, 150, true, true,
		false},
	    {"long before it", 9000, 9100, 100, true, true, true},
	    {"the other direction", 100, 200, 100, true, false, false},
	    {"nothing is known", 100, 200, 9000, false, true, false},
	    {"a capture of one moment", 100, 100, 100, true, true, false},
	    {"its clock went back", 200, 100, 100, true, true, false},
	};

	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct extent a = {.first = row[i].first * S,
		    .last = row[i].last * S,
		    .known = row[i].known,
		    .two_way = row[i].two_way};
		struct extent e = {.first = row[i].then * S,
		    .last = (row[i].then + 100) * S,
		    .known = true,
		    .two_way = row[i].two_way};

		if (extent_is_apart(&a, &e) != row[i].apart)
			TEST_FAIL("%s", row[i].what);
	}
}

/* ---- parts ---- */

static int
file_at(uint32_t time, unsigned client, char path[32])
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	pcap_of(PCAP_US, 0, 0);
	for (unsigned i = 0; i < 4; i++)
		tcp_frame(time + i, client, i % 2 == 1);
	if (fd < 0 || write(fd, b.d, b.n) != (ssize_t)b.n)
		abort();
	(void)snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

TEST(parts_of_an_input)
{
	static const uint32_t time[] = {1000, 1003, 90000, 50000, 50004};
	static const bool begins[] = {false, false, true, true, false};
	char path[5][32];
	const char *paths[5];
	struct capture_plan plan = {{0}}, *p = &plan;
	const struct capture_config cfg = {.on_problem = NULL};
	struct capture *c;
	struct reader r;
	struct packet pkt;
	char err[512];
	uint32_t from, end;
	unsigned n = 0;
	int fd[5];

	for (unsigned i = 0; i < 5; i++) {
		fd[i] = file_at(time[i], i, path[i]);
		paths[i] = path[i];
	}
	c = capture_open(paths, 5, NULL, err, sizeof(err));
	for (; capture_next(c, &pkt); n++)
		CHECK_INT(capture_part_begins(c), n % 4 == 0 && begins[n / 4]);
	CHECK_INT(n, 20);
	capture_close(c);

	reader_init(&r);
	CHECK_INT(
	    capture_plan_make(p, paths, 5, &cfg, &r, err, sizeof(err)), 0);
	reader_fini(&r);
	CHECK_INT(capture_plan_parts(p), 3);
	capture_plan_part(p, 1, &from, &end);
	CHECK_INT(from, 2);
	CHECK_INT(end, 3);
	capture_plan_part(p, 2, &from, &end);
	CHECK_INT(from, 3);
	CHECK_INT(end, 5);
	CHECK_INT(capture_plan_bytes(p, 2), 2 * b.n);
	c = capture_open_part(p, 2, NULL);
	for (n = 0; capture_next(c, &pkt); n++) {
		CHECK_INT(pkt.ordinal, n + 1);
		CHECK_INT(pkt.file, 3 + n / 4);
		CHECK(!capture_part_begins(c));
	}
	CHECK_INT(n, 8);
	capture_close(c);
	capture_plan_fini(p);
	for (unsigned i = 0; i < 5; i++)
		close(fd[i]);
}

static unsigned
parts_of(unsigned n, const uint32_t *time, const unsigned *client)
{
	struct capture_plan plan = {{0}};
	const struct capture_config cfg = {.on_problem = NULL};
	char path[4][32], err[512];
	const char *paths[4];
	struct reader r;
	unsigned parts;
	int fd[4];

	for (unsigned i = 0; i < n; i++) {
		fd[i] = file_at(time[i], client[i], path[i]);
		paths[i] = path[i];
	}
	reader_init(&r);
	CHECK_INT(
	    capture_plan_make(&plan, paths, n, &cfg, &r, err, sizeof(err)), 0);
	reader_fini(&r);
	parts = capture_plan_parts(&plan);
	capture_plan_fini(&plan);
	for (unsigned i = 0; i < n; i++)
		close(fd[i]);
	return parts;
}

/* Of 4 s each. */
TEST(what_belongs_together_stays_together)
{
	/* the same connection, before and behind somebody in the middle */
	CHECK_INT(parts_of(2, (uint32_t[]){100, 100}, (unsigned[]){1, 1}), 1);
	CHECK_INT(parts_of(2, (uint32_t[]){100, 100}, (unsigned[]){1, 2}), 2);
	CHECK_INT(
	    parts_of(3, (uint32_t[]){100, 101, 100}, (unsigned[]){1, 2, 1}), 1);
	/* rows of two places, by date, and by place */
	CHECK_INT(parts_of(4, (uint32_t[]){100, 100, 104, 104},
		      (unsigned[]){1, 2, 3, 4}),
	    1);
	CHECK_INT(parts_of(4, (uint32_t[]){100, 104, 100, 104},
		      (unsigned[]){1, 3, 2, 4}),
	    1);
	CHECK_INT(parts_of(4, (uint32_t[]){100, 104, 50, 54},
		      (unsigned[]){1, 3, 2, 4}),
	    1);
}

TEST_MAIN
