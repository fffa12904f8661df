/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How messages leave: one file for each kind. A transport belongs to one
 * thread, which it may hold up for as long as it is told and no longer;
 * nothing here is on the path of packets or of the judge.
 *
 *	file	lines; rotation by size and age, opened anew on SIGHUP
 *	unix	Unix socket, stream (lines) or datagram
 *	udp	syslog datagrams, RFC 5426
 *	tcp	syslog, RFC 6587 octet counting, or lines
 *	tls	syslog, RFC 5425
 *	kafka	librdkafka, idempotent producer
 *
 * What a receiver is known to have: a file, what was written and synchronised;
 * Kafka, what was acknowledged by all replicas; everything else, nothing: the
 * feed sends the last `resend` again after a break (feed.h).
 */
#ifndef STRIPWIRE_TRANSPORT_H
#define STRIPWIRE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRANSPORT_ERROR_MAX 300 /* a sentence, no newline */
#define TRANSPORT_OPTIONS_MAX 64 /* of librdkafka, passed through */
/* A connection whose other side has gone without a word breaks after so many
 * times timeout_ms. */
#define TRANSPORT_GONE_TIMES 3

enum transport_kind {
	TRANSPORT_FILE = 0,
	TRANSPORT_UNIX,
	TRANSPORT_UDP,
	TRANSPORT_TCP,
	TRANSPORT_TLS,
	TRANSPORT_KAFKA,
	TRANSPORT_COUNT
};

/* As configured; strings belong to the configuration and outlive it; "": not
 * set. */
struct transport_config {
	enum transport_kind kind;
	const char *path; /* file, unix */
	bool datagram; /* unix */
	uint64_t rotate_bytes, rotate_s; /* file; 0: not by it */
	unsigned rotate_keep; /* files beside the current one */
	const char *host; /* udp, tcp, tls: name or address */
	uint16_t port;
	bool lines; /* tcp, tls: a newline after each instead of a count */
	const char *ca_file; /* tls; "": the system's store */
	const char *cert_file, *key_file; /* tls: the client's own */
	const char *peer_name; /* tls: in its certificate; "": host */
	const char *brokers, *topic; /* kafka */
	const char *option[TRANSPORT_OPTIONS_MAX]; /* kafka: "name=value" */
	unsigned noptions;
	unsigned timeout_ms; /* connecting, sending: no progress for so long */
};

struct message {
	int64_t seq; /* events.seq, 0: not from the database */
	const char *bytes; /* without a newline, and holds none */
	size_t len;
	const char *id; /* of the event */
	const char *key; /* kafka's partition key, "" any */
};

/* What is known of the messages that were handed over. */
enum transport_memory {
	MEMORY_CERTAIN, /* flush says up to where they have arrived */
	MEMORY_NONE, /* stream: the last ones may be lost in a break */
	MEMORY_DATAGRAM /* each on its own, best effort */
};

struct transport;

/* -1 is always with a sentence in err[TRANSPORT_ERROR_MAX] that names what is
 * wrong and how to mend it, never a secret. */
struct transport_ops {
	const char *name; /* of the kind, as configured */
	enum transport_memory memory;
	/* Checks the configuration and prepares; touches no network. NULL: -1 */
	struct transport *(*open)(const struct transport_config *c, char *err);
	/* Establishes what it needs; at most timeout_ms. */
	int (*connect)(struct transport *t, char *err);
	/* Hands one over. -1: the connection is broken, this one may or may not
	 * have gone; connect() comes next. MEMORY_DATAGRAM: -1, this one was
	 * not sent, the next may be. 1: there is no room now (kafka's queue is
	 * full), call flush() and come again with the same one. */
	int (*send)(struct transport *t, const struct message *m, char *err);
	/* Waits at most wait_ms for what is on its way. *arrived becomes the
	 * highest seq up to which all have arrived (MEMORY_CERTAIN), else the
	 * last one that was sent. Of several that failed for ever the first is
	 * told, -1, and the feed sends again from *arrived. */
	int (*flush)(
	    struct transport *t, int wait_ms, int64_t *arrived, char *err);
	/* SIGHUP: the file anew. May be NULL. */
	int (*reopen)(struct transport *t, char *err);
	void (*disconnect)(struct transport *t);
	void (*close)(struct transport *t); /* disconnects, frees */
};

/* By kind; a Unix socket's by `datagram` too. */
const struct transport_ops *transport_ops(const struct transport_config *c);

#endif
