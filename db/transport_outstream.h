/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages on a stream: framed, in a buffer of fixed size, written as the
 * receiver takes them. One that takes nothing for timeout_ms is broken.
 *
 *	counted	  "83 <34>1 2026-..."	RFC 6587 section 3.4.1, RFC 5425 4.3
 *	else	  a newline behind each
 */
#ifndef STRIPWIRE_TRANSPORT_OUTSTREAM_H
#define STRIPWIRE_TRANSPORT_OUTSTREAM_H

#include "db/feed_format.h"
#include "db/transport_priv.h"

#define OUTSTREAM_BATCH 65536 /* written when there is so much, or at a flush */
#define OUTSTREAM_CAP (FEED_MESSAGE_MAX + 2 * OUTSTREAM_BATCH)

struct outstream {
	int fd; /* -1: not connected */
	bool counted;
	unsigned timeout_ms;
	const char *where; /* for errors; outlives it */
	/* Writes some: the number of bytes, 0: not now, -1 with a sentence. */
	ssize_t (*write)(void *ctx, const char *p, size_t n, char *err);
	/* Reads and forgets what the receiver says. -1 with a sentence: it has
	 * closed the connection. */
	int (*listen)(void *ctx, char *err);
	void *ctx;

	/* the stream's own */
	char *buf; /* OUTSTREAM_CAP */
	size_t head, tail; /* what waits */
	int64_t progress; /* ms: when something was taken, or all had been */
	uint64_t put, out; /* bytes since the connection began */
	int64_t last_seq; /* behind `put` */
	uint64_t mark; /* when `out` is here, mark_seq has been sent */
	int64_t mark_seq, sent_seq;
};

/* Where ctx is the stream itself. */
ssize_t outstream_write_fd(void *ctx, const char *p, size_t n, char *err);
int outstream_listen_fd(void *ctx, char *err);

/* The sentence for an errno of the socket; 0: it was closed. Returns -1. */
int outstream_error(const struct outstream *s, int e, char *err);

/* As the operations of transport_ops. begin: takes fd, which is connected;
 * end: closes it, what waits is forgotten. */
int outstream_begin(struct outstream *s, int fd, char *err);
int outstream_send(struct outstream *s, const struct message *m, char *err);
int outstream_flush(
    struct outstream *s, int wait_ms, int64_t *arrived, char *err);
void outstream_end(struct outstream *s);
void outstream_free(struct outstream *s); /* ends, and gives the buffer back */

#endif
