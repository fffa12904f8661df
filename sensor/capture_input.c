/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that is larger than a chunk is mapped, a window at a time. All else
 * (pipes, compressed files, file systems that cannot map) goes through one
 * buffer of fixed size. When it runs dry the rest moves to its front and a
 * chunk is read behind it: the chunk is small enough to stay in the cache
 * between the kernel's copy and ours, which is worth more than fewer calls.
 */
#include "sensor/capture_input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/mapped.h"

#define GZIP_WINDOW (15 + 16) /* zlib: largest window, gzip header */

void
input_init(struct input *in)
{
	memset(in, 0, sizeof(*in));
	in->fetched = SIZE_MAX;
	in->fd = -1;
}

void
input_fini(struct input *in)
{
	input_close(in);
	if (in->own != NULL && in->room == NULL) {
		explicit_bzero(in->own, INPUT_ROOM);
		free(in->own);
	}
	free(in->zbuf);
	input_init(in);
}

static int
fail(struct input *in, const char *why)
{
	snprintf(in->error, sizeof(in->error), "%s", why);
	in->eof = true;
	return -1;
}

static void
fail_compressed(struct input *in, const char *what)
{
	in->eof = true;
	snprintf(in->error, sizeof(in->error),
	    "%s at byte %" PRIu64 " of the compressed file", what,
	    in->raw - in->z.avail_in);
}

/* A pipe that has nothing yet: what was found so far can be written. */
static void
tell_wait(const struct input *in)
{
	struct pollfd p = {.fd = in->fd, .events = POLLIN};

	if (!in->regular && in->on_wait != NULL && poll(&p, 1, 0) == 0)
		in->on_wait(in->ctx);
}

/* Shorter than what was read of it. */
static bool
is_cut(const struct input *in)
{
	struct stat st;

	return in->regular && fstat(in->fd, &st) == 0 &&
	       (uint64_t)st.st_size < in->raw;
}

/* Returns 0 at the end, and with in->error set if it cannot be read. */
static size_t
read_raw(struct input *in, uint8_t *dst, size_t n)
{
	ssize_t got;

	tell_wait(in);
	do {
		got = read(in->fd, dst, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		snprintf(in->error, sizeof(in->error),
		    "read error at byte %" PRIu64 ": %s", in->raw,
		    strerror(errno));
		got = 0;
	} else if (got == 0 && is_cut(in)) {
		snprintf(in->error, sizeof(in->error),
		    "cut while it was read, before byte %" PRIu64, in->raw);
	}
	in->raw += (uint64_t)got;
	return (size_t)got;
}

/* Compressed bytes for inflate(); false at the end of the file. */
static bool
refill_compressed(struct input *in)
{
	if (in->z.avail_in > 0)
		return true;
	in->z.next_in = in->zbuf;
	in->z.avail_in = (uInt)read_raw(in, in->zbuf, INPUT_CHUNK);
	return in->z.avail_in > 0;
}

/* Behind a member: zeros are padding, all else is another member. */
static bool
next_member(struct input *in)
{
	while (refill_compressed(in)) {
		while (in->z.avail_in > 0 && *in->z.next_in == 0)
			in->z.next_in++, in->z.avail_in--;
		if (in->z.avail_in > 0) {
			in->between = false;
			return inflateReset(&in->z) == Z_OK;
		}
	}
	return false;
}

static size_t
read_gzip(struct input *in, uint8_t *dst, size_t n)
{
	in->z.next_out = dst;
	in->z.avail_out = (uInt)n;
	while (in->z.avail_out == n) {
		if (in->between && !next_member(in))
			break;
		if (!refill_compressed(in)) {
			if (in->error[0] == '\0')
				fail_compressed(in, "compressed data ends");
			break;
		}
		int r = inflate(&in->z, Z_NO_FLUSH);
		if (r == Z_STREAM_END) {
			in->between = true;
		} else if (r != Z_OK) {
			fail_compressed(in, "compressed data is corrupt");
			break;
		}
	}
	return n - in->z.avail_out;
}

/* From here on it is read. Returns -1 with in->error set. */
static int
stop_mapping(struct input *in)
{
	uint64_t at = input_offset(in);

	mapped_drop();
	in->mapped = false;
	in->fetched = SIZE_MAX;
	in->buf = in->own;
	in->head = in->tail = 0;
	in->base = in->raw = at;
	if (lseek(in->fd, (off_t)at, SEEK_SET) == (off_t)at)
		return 0;
	return fail(in, strerror(errno));
}

static size_t
lose(struct input *in)
{
	snprintf(in->error, sizeof(in->error),
	    "cut while it was read, before byte %" PRIu64, in->base + in->tail);
	in->tail = in->head;
	in->eof = true;
	return 0;
}

bool
input_has(struct input *in, size_t n)
{
	struct stat st;

	if (!in->mapped || (fstat(in->fd, &st) == 0 &&
			       (uint64_t)st.st_size >= input_offset(in) + n))
		return true;
	(void)lose(in);
	return false;
}

/* The window moves on, so that it begins with the page of head. A file may
 * have grown since it was last looked at. */
static size_t
map_on(struct input *in, size_t n)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t at = input_offset(in), from = at - at % page, size;
	const uint8_t *p;
	struct stat st;

	size = fstat(in->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	in->eof = size <= in->base + in->tail;
	if (in->eof)
		return in->tail - in->head;
	if (size - from > MAPPED_WINDOW)
		size = from + MAPPED_WINDOW;
	p = mapped_move(in->fd, from, (size_t)(size - from));
	if (p == NULL)
		return stop_mapping(in) == 0 ? input_fill(in, n) : 0;
	in->buf = p;
	in->base = from;
	in->head = in->fetched = (size_t)(at - from);
	in->tail = (size_t)(size - from);
	return in->tail - in->head;
}

/* For n bytes behind head, and for a chunk of which they may be the first. */
static void
make_room(struct input *in, size_t n)
{
	size_t left = in->tail - in->head;
	const uint8_t *rest = in->own + in->head;

	if (in->room != NULL) {
		if (in->head + n <= INPUT_PEEK_MAX)
			return;
		in->buf = in->own = in->room(in->ctx);
	}
	memmove(in->own, rest, left);
	in->base += in->head;
	in->head = 0;
	in->tail = left;
}

size_t
input_fill(struct input *in, size_t n)
{
	size_t left = in->tail - in->head;

	if (mapped_lost() && in->mapped)
		return lose(in);
	if (left >= n || in->eof)
		return left;
	if (in->mapped)
		return map_on(in, n);
	make_room(in, n);
	while (in->tail - in->head < n && !in->eof) {
		uint8_t *dst = in->own + in->tail;
		size_t got = in->gzip ? read_gzip(in, dst, INPUT_CHUNK)
				      : read_raw(in, dst, INPUT_CHUNK);
		in->tail += got;
		if (got == 0)
			in->eof = true;
	}
	return in->tail - in->head;
}

int
input_skip(struct input *in, uint64_t n)
{
	for (;;) {
		size_t have = in->tail - in->head;
		size_t take = have < n ? have : (size_t)n;
		in->head += take;
		n -= take;
		if (n == 0)
			return 0;
		if (input_fill(in, 1) == 0)
			return -1;
	}
}

/* The first bytes were read as they are: they become inflate()'s input. */
static int
start_gzip(struct input *in)
{
	if (in->zbuf == NULL)
		in->zbuf = malloc(INPUT_CHUNK);
	memset(&in->z, 0, sizeof(in->z));
	if (in->zbuf == NULL || inflateInit2(&in->z, GZIP_WINDOW) != Z_OK)
		return fail(in, strerror(ENOMEM));
	memcpy(in->zbuf, in->buf, in->tail);
	in->z.next_in = in->zbuf;
	in->z.avail_in = (uInt)in->tail;
	in->tail = 0;
	in->gzip = true;
	in->between = false;
	in->eof = false;
	return 0;
}

static int
start(struct input *in)
{
	if (in->room != NULL)
		in->own = in->room(in->ctx);
	else if (in->own == NULL)
		in->own = malloc(INPUT_ROOM);
	if (in->own == NULL)
		return fail(in, strerror(ENOMEM));
	in->buf = in->own;
	while (in->tail < 3 && !in->eof) { /* a pipe may give single bytes */
		size_t got =
		    read_raw(in, in->own + in->tail, INPUT_CHUNK - in->tail);
		in->tail += got;
		in->eof = got == 0;
	}
	if (in->error[0] != '\0')
		return -1;
	if (in->tail >= 3 && memcmp(in->buf, "\x1f\x8b\x08", 3) == 0)
		return start_gzip(in);
	if (in->regular && in->room == NULL && in->tail == INPUT_CHUNK) {
		in->mapped = true;
		in->tail = 0; /* from its start */
	}
	return 0;
}

int
input_open(struct input *in, const char *path)
{
	struct stat st;

	input_close(in);
	in->head = in->tail = 0;
	in->base = in->raw = 0;
	in->eof = false;
	in->error[0] = '\0';
	if (strcmp(path, "-") == 0)
		in->fd = STDIN_FILENO;
	else
		in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in->fd < 0)
		return fail(in, strerror(errno));
	in->regular = in->fd != STDIN_FILENO && fstat(in->fd, &st) == 0 &&
		      S_ISREG(st.st_mode);
	(void)posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (start(in) == 0)
		return 0;
	input_close(in);
	return -1;
}

void
input_close(struct input *in)
{
	if (in->gzip)
		inflateEnd(&in->z);
	in->gzip = false;
	if (in->mapped)
		mapped_drop();
	in->mapped = false;
	in->fetched = SIZE_MAX;
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	in->fd = -1;
}

uint64_t
input_consumed(const struct input *in)
{
	if (in->gzip)
		return in->raw - in->z.avail_in;
	return input_offset(in);
}
