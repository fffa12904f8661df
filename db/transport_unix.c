/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unix socket of a receiver on the same machine, stream (a newline behind each
 * message) or datagram. A receiver that starts anew makes its socket anew: one
 * that sends datagrams then has to connect again, which send() does itself.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "db/transport_outstream.h"

struct transport {
	const struct transport_config *c;
	struct outstream stream;
	struct datagrams datagrams;
};

static struct transport *
unix_open(const struct transport_config *c, char *err)
{
	struct transport *t;
	size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (c->path[0] == '\0' || strlen(c->path) > max) {
		transport_error(err,
		    c->path[0] == '\0'
			? "no path is set: give that of the receiver's socket"
			: "the path of a Unix socket has at most 107 bytes");
		return NULL;
	}
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		transport_error(err, "no memory");
		return NULL;
	}
	t->c = c;
	t->stream = (struct outstream){.fd = -1,
	    .timeout_ms = c->timeout_ms,
	    .where = c->path,
	    .write = outstream_write_fd,
	    .listen = outstream_listen_fd,
	    .ctx = &t->stream};
	t->datagrams = (struct datagrams){
	    .fd = -1, .timeout_ms = c->timeout_ms, .where = c->path};
	return t;
}

static void
unix_disconnect(struct transport *t)
{
	outstream_end(&t->stream);
	datagram_end(&t->datagrams);
}

static void
unix_close(struct transport *t)
{
	datagram_end(&t->datagrams);
	outstream_free(&t->stream);
	free(t);
}

/* ---- stream ---- */

static int
stream_connect(struct transport *t, char *err)
{
	unix_disconnect(t);
	int fd = socket_dial_path(t->c, SOCK_STREAM, err);

	return fd == -1 ? -1 : outstream_begin(&t->stream, fd, err);
}

static int
send_stream(struct transport *t, const struct message *m, char *err)
{
	return outstream_send(&t->stream, m, err);
}

static int
flush_stream(struct transport *t, int wait_ms, int64_t *arrived, char *err)
{
	return outstream_flush(&t->stream, wait_ms, arrived, err);
}

const struct transport_ops transport_unix = {.name = "unix",
    .memory = MEMORY_NONE,
    .open = unix_open,
    .connect = stream_connect,
    .send = send_stream,
    .flush = flush_stream,
    .disconnect = unix_disconnect,
    .close = unix_close};

/* ---- datagrams ---- */

static int
datagram_connect(struct transport *t, char *err)
{
	unix_disconnect(t);
	t->datagrams.fd = socket_dial_path(t->c, SOCK_DGRAM, err);
	return t->datagrams.fd == -1 ? -1 : 0;
}

static int
send_datagram(struct transport *t, const struct message *m, char *err)
{
	int r = datagram_send(&t->datagrams, m, SIZE_MAX, err);

	if (r != -2)
		return r;
	if (datagram_connect(t, err) != 0)
		return -1;
	r = datagram_send(&t->datagrams, m, SIZE_MAX, err);
	return r != -2 ? r
		       : transport_error(err,
			     "nobody receives at %s: is the receiver running?",
			     t->c->path);
}

static int
flush_datagram(struct transport *t, int wait_ms, int64_t *arrived, char *err)
{
	(void)err;
	datagram_flush(&t->datagrams, wait_ms, arrived);
	return 0;
}

const struct transport_ops transport_unix_datagram = {.name = "unix",
    .memory = MEMORY_DATAGRAM,
    .open = unix_open,
    .connect = datagram_connect,
    .send = send_datagram,
    .flush = flush_datagram,
    .disconnect = unix_disconnect,
    .close = unix_close};
