/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes of one file, front to back: peek, take, skip. Gzip is undone on
 * the way (found by its first bytes; several members follow one another), and
 * nothing seeks, so that a pipe is as good as a file. Offsets are those of the
 * plain bytes unless they say compressed.
 */
#ifndef STRIPWIRE_CAPTURE_INPUT_H
#define STRIPWIRE_CAPTURE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "sensor/mapped.h"

#define INPUT_CHUNK (128u << 10) /* asked of the kernel at once; fits in L2 */
#define INPUT_PEEK_MAX (384u << 10) /* contiguous bytes that can be seen */
#define INPUT_ROOM (INPUT_PEEK_MAX + INPUT_CHUNK)
#define INPUT_FETCH 2048 /* bytes: a packet or two */
#define INPUT_ERROR 128

struct input {
	const uint8_t *buf; /* a window of the file, or own */
	uint8_t *own; /* INPUT_ROOM, kept between files */
	size_t head, tail; /* what is not taken yet */
	size_t fetched; /* up to which input_fetch() asked; SIZE_MAX: not so */
	uint64_t base; /* offset of buf[0] */
	uint64_t raw; /* bytes read from the descriptor */
	uint8_t *zbuf; /* INPUT_CHUNK of compressed bytes, if gzip */
	z_stream z;
	int fd; /* -1: none */
	bool regular; /* a file that can be read again from its start */
	bool gzip, eof;
	bool mapped; /* buf is (mapped.h) */
	bool between; /* behind a gzip member: the end may come */
	/* before a read that will have to wait; may be NULL */
	void (*on_wait)(void *ctx);
	/* INPUT_ROOM bytes to read into, in place of own ones that are used
	 * over and over: what was read there stays, and no file is mapped;
	 * may be NULL */
	uint8_t *(*room)(void *ctx);
	void *ctx;
	char error[INPUT_ERROR]; /* why it ended early; empty: it did not */
};

void input_init(struct input *in);
void input_fini(struct input *in);

/* "-" is standard input. Returns -1 with the reason in in->error. */
int input_open(struct input *in, const char *path)
    __attribute__((warn_unused_result));
void input_close(struct input *in);

/* Reads on until n bytes (at most INPUT_PEEK_MAX) lie behind head, or the end
 * comes. Returns the bytes there, which may be fewer than n. */
size_t input_fill(struct input *in, size_t n);

/* Returns -1 if the end came before. */
int input_skip(struct input *in, uint64_t n)
    __attribute__((warn_unused_result));

/* Bytes of the file that are behind us, compressed ones if it is. */
uint64_t input_consumed(const struct input *in);

/* Are n bytes that were peeked the file's? Not those of a page that was cut
 * since: they are zeros. Costs a system call; false: in->error says so. */
bool input_has(struct input *in, size_t n);

/* n contiguous bytes that live until the next call, or NULL at the end. */
static inline const uint8_t *
input_peek(struct input *in, size_t n)
{
	if ((in->tail - in->head < n || mapped_lost()) && input_fill(in, n) < n)
		return NULL;
	return in->buf + in->head;
}

/* What lies so far on comes from memory while these bytes are worked on: the
 * processor itself sees no stream where frames are looked at here and there.
 * It may be asked for what is behind the window, which does no harm. */
static inline void
input_fetch(struct input *in)
{
	const uint8_t *p;

	if (in->fetched < in->head)
		in->fetched = in->head;
	for (; in->fetched < in->head + INPUT_FETCH; in->fetched += 256) {
		p = in->buf + in->fetched;
		__builtin_prefetch(p);
		__builtin_prefetch(p + 64);
		__builtin_prefetch(p + 128);
		__builtin_prefetch(p + 192);
	}
}

/* Only what was peeked. */
static inline void
input_take(struct input *in, size_t n)
{
	in->head += n;
	if (in->head + INPUT_FETCH > in->fetched)
		input_fetch(in);
}

static inline uint64_t
input_offset(const struct input *in)
{
	return in->base + in->head;
}

#endif
