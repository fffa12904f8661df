/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sockets of the transports: they never block, poll() waits for them until a
 * given time. TCP_USER_TIMEOUT ends connections whose other side has gone
 * without a word while bytes are on their way, keep-alive those that are idle.
 */
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "db/transport_priv.h"

#define IDLE_S 60 /* before the first keep-alive probe */
#define PROBE_S 10

int
socket_wait(int fd, short events, int64_t until_ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = until_ms - transport_now_ms();
		int n = poll(&p, 1,
		    left < 0	     ? 0
		    : left > INT_MAX ? INT_MAX
				     : (int)left);

		if (n > 0)
			return p.revents;
		if (n == 0 || errno != EINTR)
			return 0;
	}
}

void
socket_where(char where[WHERE_MAX], const struct transport_config *c)
{
	bool v6 = strchr(c->host, ':') != NULL;

	snprintf(where, WHERE_MAX, "%s%.255s%s:%u", v6 ? "[" : "", c->host,
	    v6 ? "]" : "", c->port);
}

int
socket_check(const struct transport_config *c, char *err)
{
	if (c->host[0] == '\0')
		return transport_error(
		    err, "no address is set: give the receiver's, HOST:PORT");
	if (c->port == 0)
		return transport_error(err,
		    "no port is set for %s (514 is usual for syslog, 6514 for "
		    "syslog over TLS)",
		    c->host);
	return 0;
}

static void
set_keepalive(int fd, unsigned timeout_ms)
{
	int on = 1, idle = IDLE_S, probe = PROBE_S, n = 3;
	/* a full window is ours to tell */
	unsigned gone_ms = TRANSPORT_GONE_TIMES * timeout_ms;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &probe, sizeof(probe));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &n, sizeof(n));
	setsockopt(
	    fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, sizeof(gone_ms));
}

/* Returns 0 or an errno. */
static int
finish_connect(int fd, int64_t until)
{
	int e = 0;
	socklen_t n = sizeof(e);

	if (socket_wait(fd, POLLOUT, until) == 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0 ? errno : e;
}

static int
connect_until(int fd, const struct sockaddr *sa, socklen_t len, int64_t until)
{
	if (connect(fd, sa, len) == 0)
		return 0;
	/* a Unix socket whose queue of connections is full says EAGAIN */
	if (errno != EINPROGRESS)
		return errno;
	return finish_connect(fd, until);
}

static const char *
advice(int e)
{
	switch (e) {
	case ECONNREFUSED:
		return "; is the receiver running and listening there?";
	case ETIMEDOUT:
		return "; does a firewall drop it, is the address right?";
	case EAGAIN:
		return "; it takes no connection: is the receiver hanging?";
	case ENETUNREACH:
	case EHOSTUNREACH:
		return "; is there a route to it?";
	case EACCES:
	case EPERM:
		return "; a firewall of this machine, or rights, forbid it";
	default:
		return "";
	}
}

static int
resolve(const struct transport_config *c, int type, struct addrinfo **list,
    char *err)
{
	struct addrinfo want = {
	    .ai_socktype = type, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
	char port[8];

	snprintf(port, sizeof(port), "%u", c->port);
	int e = getaddrinfo(c->host, port, &want, list);
	if (e == 0)
		return 0;
	if (e == EAI_NONAME || e == EAI_NODATA)
		return transport_error(err,
		    "the name %.100s is not known: correct address, or the "
		    "resolver of this machine (%s)",
		    c->host, gai_strerror(e));
	return transport_error(err,
	    "the name %.100s cannot be looked up now (%s): is the name server "
	    "in /etc/resolv.conf reachable?",
	    c->host, e == EAI_SYSTEM ? strerror(errno) : gai_strerror(e));
}

/* A socket, or -1 and *e. */
static int
dial_one(const struct addrinfo *a, int64_t until, int *e)
{
	int fd = socket(a->ai_family,
	    a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);

	if (fd == -1) {
		*e = errno;
		return -1;
	}
	*e = connect_until(fd, a->ai_addr, a->ai_addrlen, until);
	if (*e == 0)
		return fd;
	close(fd);
	return -1;
}

int
socket_dial(const struct transport_config *c, int type, char *err)
{
	struct addrinfo *list, *a;
	int fd = -1, e = 0, left = 0;
	char where[WHERE_MAX];

	if (resolve(c, type, &list, err) != 0)
		return -1;
	int64_t now = transport_now_ms(), end = now + c->timeout_ms;

	for (a = list; a != NULL; a = a->ai_next)
		left++;
	/* each address has its share of what is left */
	for (a = list; a != NULL && fd == -1; a = a->ai_next, left--) {
		now = transport_now_ms();
		fd = dial_one(a, now + (end - now) / left, &e);
	}
	freeaddrinfo(list);
	if (fd == -1) {
		socket_where(where, c);
		return transport_error(err, "cannot connect to %.120s: %s%s",
		    where, strerror(e), advice(e));
	}
	if (type == SOCK_STREAM)
		set_keepalive(fd, c->timeout_ms);
	return fd;
}

int
socket_dial_path(const struct transport_config *c, int type, char *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd, e;

	memcpy(sa.sun_path, c->path, strlen(c->path) + 1); /* checked at open */
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	e = fd == -1 ? errno
		     : connect_until(fd, (struct sockaddr *)&sa, sizeof(sa),
			   transport_now_ms() + c->timeout_ms);
	if (e == 0)
		return fd;
	if (fd != -1)
		close(fd);
	if (e == EPROTOTYPE)
		return transport_error(err,
		    "%s is a Unix socket of the other kind: set socket to %s",
		    c->path, type == SOCK_DGRAM ? "stream" : "datagram");
	return transport_error(err, "cannot connect to %s: %s%s", c->path,
	    strerror(e),
	    e == ENOENT	  ? "; is the receiver running, is the path right?"
	    : e == EACCES ? "; the feeds' user has to be allowed to write "
			    "to it"
			  : advice(e));
}

/* ---- datagrams ---- */

static int
no_room(struct datagrams *d, char *err)
{
	int64_t now = transport_now_ms();

	if (d->full_since == 0)
		d->full_since = now;
	if (now - d->full_since < d->timeout_ms)
		return 1;
	return transport_error(err,
	    "%.150s has taken nothing for %u s: what comes meanwhile is lost; "
	    "is the receiver hanging?",
	    d->where, d->timeout_ms / 1000);
}

int
datagram_send(
    struct datagrams *d, const struct message *m, size_t max, char *err)
{
	if (d->fd == -1)
		return -2;
	if (m->len <= max &&
	    send(d->fd, m->bytes, m->len, MSG_NOSIGNAL) != -1) {
		d->full_since = 0;
		if (m->seq != 0)
			d->sent = m->seq;
		return 0;
	}
	if (m->len > max || errno == EMSGSIZE)
		return transport_error(err,
		    "a message of %zu bytes does not fit into a datagram to "
		    "%.120s: it was not sent; tcp, tls or a stream socket "
		    "have no such limit",
		    m->len, d->where);
	switch (errno) {
	case EAGAIN:
	case EINTR:
		return no_room(d, err);
	case ECONNREFUSED:
	case ENOTCONN:
	case ECONNRESET:
	case EPIPE:
		return -2;
	default:
		return transport_error(err, "cannot send to %.150s: %s%s",
		    d->where, strerror(errno), advice(errno));
	}
}

void
datagram_flush(struct datagrams *d, int wait_ms, int64_t *arrived)
{
	int64_t until = transport_now_ms() + wait_ms;

	if (d->full_since != 0 && until > d->full_since + d->timeout_ms)
		until = d->full_since + d->timeout_ms;
	if (d->full_since != 0)
		socket_wait(d->fd, POLLOUT, until);
	*arrived = d->sent;
}

void
datagram_end(struct datagrams *d)
{
	if (d->fd != -1)
		close(d->fd);
	d->fd = -1;
	d->full_since = 0;
}
