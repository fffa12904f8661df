/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Syslog over UDP (RFC 5426) and over TCP (RFC 6587), without encryption.
 *
 * What a UDP receiver's machine refuses (port closed) is told with the next
 * datagram: that one is sent all the same, and fails in the earlier one's
 * place, so that the number of failures is right.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "db/transport_outstream.h"

#define DATAGRAM_MAX 65507 /* IPv4; IPv6 has 20 more */

struct transport {
	const struct transport_config *c;
	struct outstream stream;
	struct datagrams datagrams;
	char where[WHERE_MAX];
};

static struct transport *
net_open(const struct transport_config *c, char *err)
{
	struct transport *t;

	if (socket_check(c, err) != 0)
		return NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		transport_error(err, "no memory");
		return NULL;
	}
	t->c = c;
	socket_where(t->where, c);
	t->stream = (struct outstream){.fd = -1,
	    .counted = !c->lines,
	    .timeout_ms = c->timeout_ms,
	    .where = t->where,
	    .write = outstream_write_fd,
	    .listen = outstream_listen_fd,
	    .ctx = &t->stream};
	t->datagrams = (struct datagrams){
	    .fd = -1, .timeout_ms = c->timeout_ms, .where = t->where};
	return t;
}

static void
net_disconnect(struct transport *t)
{
	outstream_end(&t->stream);
	datagram_end(&t->datagrams);
}

static void
net_close(struct transport *t)
{
	datagram_end(&t->datagrams);
	outstream_free(&t->stream);
	free(t);
}

/* ---- TCP ---- */

static int
tcp_connect(struct transport *t, char *err)
{
	net_disconnect(t);
	int fd = socket_dial(t->c, SOCK_STREAM, err);

	return fd == -1 ? -1 : outstream_begin(&t->stream, fd, err);
}

static int
tcp_send(struct transport *t, const struct message *m, char *err)
{
	return outstream_send(&t->stream, m, err);
}

static int
tcp_flush(struct transport *t, int wait_ms, int64_t *arrived, char *err)
{
	return outstream_flush(&t->stream, wait_ms, arrived, err);
}

const struct transport_ops transport_tcp = {.name = "tcp",
    .memory = MEMORY_NONE,
    .open = net_open,
    .connect = tcp_connect,
    .send = tcp_send,
    .flush = tcp_flush,
    .disconnect = net_disconnect,
    .close = net_close};

/* ---- UDP ---- */

static int
udp_connect(struct transport *t, char *err)
{
	net_disconnect(t);
	t->datagrams.fd = socket_dial(t->c, SOCK_DGRAM, err);
	return t->datagrams.fd == -1 ? -1 : 0;
}

static int
udp_send(struct transport *t, const struct message *m, char *err)
{
	int r;

	if (t->datagrams.fd == -1 && udp_connect(t, err) != 0)
		return -1;
	r = datagram_send(&t->datagrams, m, DATAGRAM_MAX, err);
	if (r != -2)
		return r;
	r = datagram_send(&t->datagrams, m, DATAGRAM_MAX, err);
	if (r == 1)
		return 1;
	return transport_error(err,
	    "%.150s refused a datagram: is the receiver listening there on "
	    "UDP?",
	    t->where);
}

static int
udp_flush(struct transport *t, int wait_ms, int64_t *arrived, char *err)
{
	(void)err;
	datagram_flush(&t->datagrams, wait_ms, arrived);
	return 0;
}

const struct transport_ops transport_udp = {.name = "udp",
    .memory = MEMORY_DATAGRAM,
    .open = net_open,
    .connect = udp_connect,
    .send = udp_send,
    .flush = udp_flush,
    .disconnect = net_disconnect,
    .close = net_close};
