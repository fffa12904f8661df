/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the transports share; transport*.c only. Each keeps a struct transport
 * of its own. The process ignores SIGPIPE. */
#ifndef STRIPWIRE_TRANSPORT_PRIV_H
#define STRIPWIRE_TRANSPORT_PRIV_H

#include <stdint.h>
#include <sys/types.h>

#include "db/transport_kinds.h"

/* What an error calls the receiver: "siem.example.org:6514", a path. */
#define WHERE_MAX 280

/* The sentence, cut at TRANSPORT_ERROR_MAX, unprintable bytes as '?'.
 * Returns -1. */
int transport_error(char *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

int64_t transport_now_ms(void); /* CLOCK_MONOTONIC */

/* poll() of one descriptor until then, at the latest. Returns what there is,
 * 0: the time is over. */
int socket_wait(int fd, short events, int64_t until_ms);

/* "host:port", with brackets around an IPv6 address. */
void socket_where(char where[WHERE_MAX], const struct transport_config *c);
/* False with a sentence: no host or no port is set. */
int socket_check(const struct transport_config *c, char *err);

/* A connected socket, not blocking: all addresses of the name in turn, within
 * timeout_ms, except that a name server that says nothing costs what the
 * resolver's own limits are (resolv.conf: timeout, attempts). SOCK_STREAM or
 * SOCK_DGRAM. */
int socket_dial(const struct transport_config *c, int type, char *err);
/* The same for a Unix socket. */
int socket_dial_path(const struct transport_config *c, int type, char *err);

/* ---- datagrams ---- */

struct datagrams {
	int fd; /* -1: none */
	unsigned timeout_ms;
	int64_t full_since; /* ms, 0: there is room */
	int64_t sent; /* seq */
	const char *where;
};

/* As transport_ops.send. -2: not connected, nobody is there any more, or an
 * earlier one was refused; err is not set. */
int datagram_send(
    struct datagrams *d, const struct message *m, size_t max, char *err);
void datagram_flush(struct datagrams *d, int wait_ms, int64_t *arrived);
void datagram_end(struct datagrams *d); /* closes it */

#endif
