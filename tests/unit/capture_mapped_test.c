/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that are larger than one window of the mapping: every frame is whole,
 * wherever windows meet; what is cut or grows while it is read is survived and
 * said; and packets that lie at hand are the ones that come. And files that are
 * read into room that the caller gives: there frames stay.
 */
#include <stdlib.h>
#include <unistd.h>

#include "capture_run.h"
#include "sensor/capture_input.h"
#include "sensor/mapped.h"
#include "tests/test.h"

#define FRAMES 6000
#define SIZE(i) (800 + (i)*7 % 700) /* odd: records meet pages anywhere */
#define AHEAD 16

#define ROOMS 64

static struct bytes b;
static uint8_t *room[ROOMS];
static unsigned rooms;

struct reading {
	int fd;
	uint64_t at[FRAMES + 1]; /* offset of each record; the end */
	struct capture *c;
	struct seen s;
};

static uint8_t
byte_of(uint32_t frame, uint32_t at)
{
	return (uint8_t)(frame * 31 + at * 7 + (at >> 8));
}

static bool
is_frame(const uint8_t *p, uint32_t len, uint32_t i)
{
	for (uint32_t k = 0; k < len; k++)
		if (p[k] != byte_of(i, k))
			return false;
	return true;
}

static void
append(struct reading *r, uint32_t from, uint32_t to)
{
	uint8_t frame[2000];

	for (uint32_t i = from; i < to; i++) {
		b.n = 0;
		if (i == 0)
			pcap_begin(&b, 0xa1b2c3d4, 65535, 1);
		r->at[i] = (uint64_t)lseek(r->fd, 0, SEEK_END) + b.n;
		for (uint32_t k = 0; k < SIZE(i); k++)
			frame[k] = byte_of(i, k);
		pcap_record(&b, 1000 + i, 0, frame, SIZE(i));
		if (pwrite(r->fd, b.d, b.n, lseek(r->fd, 0, SEEK_END)) !=
		    (ssize_t)b.n)
			abort();
	}
	r->at[to] = (uint64_t)lseek(r->fd, 0, SEEK_END);
}

static uint8_t *
new_room(void *ctx)
{
	(void)ctx;
	if (rooms == ROOMS || (room[rooms] = malloc(INPUT_ROOM)) == NULL)
		abort();
	return room[rooms++];
}

static void
end_rooms(void)
{
	while (rooms > 0)
		free(room[--rooms]);
}

/* A file of the first n frames, opened. */
static struct reading *
begin_in(uint32_t n, uint8_t *(*give)(void *))
{
	static struct reading r;
	struct capture_config cfg = {.on_problem = seen_problem,
	    .on_file_end = seen_file_end,
	    .room = give,
	    .ctx = &r.s};
	char path[32], err[512];
	const char *paths[] = {path};

	memset(&r, 0, sizeof(r));
	r.s.worst = -1;
	r.fd = memfd_create("capture", MFD_CLOEXEC);
	if (r.fd < 0)
		abort();
	append(&r, 0, n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r.fd);
	r.c = capture_open(paths, 1, &cfg, err, sizeof(err));
	if (r.c == NULL)
		abort();
	return &r;
}

static struct reading *
begin(uint32_t n)
{
	return begin_in(n, NULL);
}

static void
end(struct reading *r)
{
	capture_close(r->c);
	close(r->fd);
}

/* Reads up to n frames, all of which must be whole; returns how many came. */
static uint32_t
read_whole(struct reading *r, uint32_t from, uint32_t n)
{
	struct packet pkt;
	uint32_t i = from;

	while (i < n && capture_next(r->c, &pkt) == 1) {
		CHECK_INT(pkt.caplen, SIZE(i));
		CHECK(is_frame(pkt.frame, pkt.caplen, i));
		i++;
	}
	return i;
}

TEST(frames_are_whole_where_windows_meet)
{
	struct reading *r = begin(FRAMES);
	struct packet pkt;

	CHECK(r->at[FRAMES] > 2 * MAPPED_WINDOW);
	CHECK_INT(read_whole(r, 0, FRAMES), FRAMES);
	CHECK_INT(capture_next(r->c, &pkt), 0);
	CHECK_STR(r->s.said, "");
	CHECK_INT(r->s.file.packets, FRAMES);
	CHECK(!r->s.file.broken);
	end(r);
}

/* What lies in the window still, and what comes after it. */
TEST(a_file_cut_while_it_is_read)
{
	static const uint32_t keep[] = {101, 150, 1000, 5000};

	for (unsigned i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
		struct reading *r = begin(FRAMES);
		uint64_t size = r->at[keep[i]] + 300;
		struct packet pkt;
		uint32_t n = read_whole(r, 0, 100), whole = n, zero = 0;

		CHECK_INT(ftruncate(r->fd, (off_t)size), 0);
		while (capture_next(r->c, &pkt) == 1) {
			if (pkt.caplen == SIZE(n) &&
			    is_frame(pkt.frame, pkt.caplen, n))
				whole++;
			zero += pkt.caplen == 0;
			n++;
		}
		/* the page that was cut is whole to its end, in zeros */
		CHECK(whole >= keep[i] - 1 && whole <= keep[i]);
		CHECK(n - whole <= 6 && zero == 0);
		CHECK(r->s.file.broken);
		CHECK_INT(r->s.worst, 1);
		CHECK(strstr(r->s.said, "cut ") != NULL ||
		      strstr(r->s.said, "malformed") != NULL);
		CHECK(!mapped_lost());
		end(r);
	}
}

TEST(a_file_that_grows_while_it_is_read)
{
	struct reading *r = begin(1000);
	uint32_t n = read_whole(r, 0, 500);

	append(r, 1000, FRAMES);
	CHECK_INT(read_whole(r, n, FRAMES), FRAMES);
	CHECK_STR(r->s.said, "");
	end(r);
}

TEST(packets_at_hand_live_on_until_the_next_is_asked_for)
{
	struct reading *r = begin(FRAMES);
	struct packet pkt[AHEAD];
	uint32_t n = 0, got, far = 0;

	while (capture_next(r->c, &pkt[0]) == 1) {
		got = 1;
		while (got < AHEAD && capture_more(r->c, &pkt[got]) == 1)
			got++;
		for (uint32_t i = 0; i < got; i++, n++) {
			CHECK_INT(pkt[i].ordinal, n + 1);
			CHECK_INT(pkt[i].caplen, SIZE(n));
			CHECK(is_frame(pkt[i].frame, pkt[i].caplen, n));
		}
		far += got == AHEAD;
	}
	CHECK_INT(n, FRAMES);
	CHECK(far > FRAMES / AHEAD / 10 * 9);
	CHECK_INT(capture_more(r->c, &pkt[0]), 0);
	end(r);
}

TEST(frames_stay_in_the_room_they_were_read_into)
{
	struct reading *r = begin_in(FRAMES, new_room);
	static struct packet pkt[FRAMES];
	uint32_t n = 0;

	while (n < FRAMES && capture_next(r->c, &pkt[n]) == 1)
		n++;
	CHECK_INT(n, FRAMES);
	CHECK(rooms > 10 && rooms < 40); /* filled, not one for each chunk */
	while (n > 0) {
		n--;
		CHECK_INT(pkt[n].caplen, SIZE(n));
		CHECK(is_frame(pkt[n].frame, pkt[n].caplen, n));
	}
	CHECK_INT(r->s.worst, -1);
	end(r);
	end_rooms();
}

/* 100 frames are read, then the file is cut. Returns how many came whole. */
static uint32_t
read_cut(struct reading *r, uint64_t size)
{
	struct packet pkt;
	uint32_t n;

	for (n = 0; n < 100; n++)
		CHECK_INT(capture_next(r->c, &pkt), 1);
	if (ftruncate(r->fd, (off_t)size) == -1)
		abort();
	for (; capture_next(r->c, &pkt) == 1; n++)
		CHECK(is_frame(pkt.frame, pkt.caplen, n));
	CHECK_INT(r->s.worst, 1);
	return n;
}

/* What would have shown zeros where it is mapped. */
TEST(a_file_that_is_cut_while_it_is_read_into_room)
{
	struct reading *r = begin_in(FRAMES, new_room);

	CHECK_INT(read_cut(r, r->at[3000] + 5), 3000);
	end(r);
	end_rooms();
}

TEST(a_file_that_is_cut_before_what_was_read_into_room)
{
	struct reading *r = begin_in(FRAMES, new_room);
	uint32_t n = read_cut(r, r->at[10]);

	CHECK(n >= 100 && n < FRAMES);
	CHECK(strstr(r->s.said, "cut while it was read") != NULL);
	end(r);
	end_rooms();
}

TEST_MAIN
