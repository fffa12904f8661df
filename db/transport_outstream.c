/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is handed over waits in one buffer. Where a message ended is known at
 * one place of it, the mark: when that has been written, the mark moves to the
 * end of what waits by then. So the number that flush tells moves as long as
 * the receiver reads, and is never ahead.
 */
#include "db/transport_outstream.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT_MAX 8 /* "262144 ", a newline */
#define LISTEN_MAX 65536 /* of a receiver that talks: so much a turn */

int
outstream_begin(struct outstream *s, int fd, char *err)
{
	if (s->buf == NULL && (s->buf = malloc(OUTSTREAM_CAP)) == NULL) {
		close(fd);
		return transport_error(err, "no memory for a buffer");
	}
	s->fd = fd;
	s->head = s->tail = 0;
	s->put = s->out = s->mark = 0;
	s->mark_seq = s->last_seq = 0;
	s->progress = transport_now_ms();
	return 0;
}

void
outstream_end(struct outstream *s)
{
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
	s->head = s->tail = 0;
}

void
outstream_free(struct outstream *s)
{
	outstream_end(s);
	free(s->buf);
}

int
outstream_error(const struct outstream *s, int e, char *err)
{
	if (e == 0 || e == EPIPE || e == ECONNRESET)
		return transport_error(err,
		    "the receiver %.150s has closed the connection; its own "
		    "log should say why",
		    s->where);
	if (e == ETIMEDOUT || e == EHOSTUNREACH)
		return transport_error(err,
		    "the receiver %.120s takes nothing any more: is it "
		    "hanging, has its machine gone, does a firewall drop "
		    "the connection?",
		    s->where);
	return transport_error(err, "the connection to %.150s is broken: %s",
	    s->where, strerror(e));
}

ssize_t
outstream_write_fd(void *ctx, const char *p, size_t n, char *err)
{
	struct outstream *s = ctx;
	ssize_t w = send(s->fd, p, n, MSG_NOSIGNAL);

	if (w >= 0)
		return w;
	return errno == EAGAIN || errno == EINTR
		   ? 0
		   : outstream_error(s, errno, err);
}

int
outstream_listen_fd(void *ctx, char *err)
{
	struct outstream *s = ctx;
	char rubbish[4096];
	ssize_t n;

	for (size_t all = 0; all < LISTEN_MAX; all += (size_t)n) {
		n = recv(s->fd, rubbish, sizeof(rubbish), 0);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n <= 0)
			return outstream_error(s, n == 0 ? 0 : errno, err);
	}
	return 0;
}

static void
wrote(struct outstream *s, size_t n)
{
	s->head += n;
	s->out += n;
	if (s->out >= s->mark) {
		if (s->mark_seq != 0)
			s->sent_seq = s->mark_seq;
		s->mark = s->put;
		s->mark_seq = s->last_seq;
	}
	if (s->head != s->tail)
		return;
	s->head = s->tail = 0;
	if (s->last_seq != 0)
		s->sent_seq = s->last_seq;
}

/* Writes what is taken now. */
static int
push(struct outstream *s, char *err)
{
	if (s->listen(s->ctx, err) != 0)
		return -1;
	while (s->head < s->tail) {
		ssize_t n =
		    s->write(s->ctx, s->buf + s->head, s->tail - s->head, err);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		wrote(s, (size_t)n);
		s->progress = transport_now_ms();
	}
	if (s->head < s->tail &&
	    transport_now_ms() - s->progress >= s->timeout_ms)
		return transport_error(err,
		    "%.150s accepts the connection but has read nothing for "
		    "%u s: is the receiver hanging?",
		    s->where, s->timeout_ms / 1000);
	return 0;
}

static void
append(struct outstream *s, const struct message *m)
{
	char *p = s->buf + s->tail, *start = p;

	if (s->counted)
		p += sprintf(p, "%zu ", m->len);
	memcpy(p, m->bytes, m->len);
	p += m->len;
	if (!s->counted)
		*p++ = '\n';
	if (s->head == s->tail)
		s->progress = transport_now_ms();
	s->tail += (size_t)(p - start);
	s->put += (size_t)(p - start);
	if (m->seq != 0)
		s->last_seq = m->seq;
}

int
outstream_send(struct outstream *s, const struct message *m, char *err)
{
	size_t need = m->len + COUNT_MAX;

	if (s->fd == -1)
		return transport_error(err, "not connected to %s", s->where);
	if (m->len > FEED_MESSAGE_MAX)
		return transport_error(
		    err, "a message of %zu bytes is too long", m->len);
	if (s->tail - s->head + need > OUTSTREAM_CAP && push(s, err) != 0)
		return -1;
	if (s->tail - s->head + need > OUTSTREAM_CAP)
		return 1;
	if (s->tail + need > OUTSTREAM_CAP) {
		memmove(s->buf, s->buf + s->head, s->tail - s->head);
		s->tail -= s->head;
		s->head = 0;
	}
	append(s, m);
	return s->tail - s->head >= OUTSTREAM_BATCH ? push(s, err) : 0;
}

int
outstream_flush(struct outstream *s, int wait_ms, int64_t *arrived, char *err)
{
	int64_t until = transport_now_ms() + wait_ms, limit;

	*arrived = s->sent_seq;
	if (s->fd == -1)
		return transport_error(err, "not connected to %s", s->where);
	for (;;) {
		if (push(s, err) != 0)
			return -1;
		*arrived = s->sent_seq;
		if (s->head == s->tail || transport_now_ms() >= until)
			return 0;
		limit = s->progress + s->timeout_ms;
		socket_wait(
		    s->fd, POLLIN | POLLOUT, until < limit ? until : limit);
	}
}
