/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The events beside alerts and incidents, for who asks for them: what was seen
 * of a mail connection, whether anything was wrong with it or not. The fields
 * are Suricata's where it has them; imap is ours, shaped like its pop3; the
 * rest stands in "stripwire", among it what sensors at several places need to
 * compare one connection: initial sequence numbers, the capability list, the
 * server's key.
 *
 *	flow	a connection has ended
 *	tls	a handshake is complete
 *	smtp	a mail transaction that was in clear is over
 *	imap	a command in clear that matters here was answered: the
 *	pop3	capability list, STARTTLS or STLS, a login, the end
 *	stats	the sensor's own counters
 *
 * Names of users are as user_names has them; no secret is in any of them.
 */
#ifndef STRIPWIRE_EVE_EVENT_H
#define STRIPWIRE_EVE_EVENT_H

#include "db/event.h"
#include "decoders/x509.h"
#include "rules/judge.h"

#define EVENT_BIT(t) (1u << (t))
/* Those that are made here. */
#define EVENTS_SEEN                                         \
	(EVENT_BIT(EVENT_FLOW) | EVENT_BIT(EVENT_TLS) |     \
	    EVENT_BIT(EVENT_SMTP) | EVENT_BIT(EVENT_IMAP) | \
	    EVENT_BIT(EVENT_POP3))

struct eve_place {
	const char *host; /* the sensor's name, or NULL */
	const char *id; /* the event's, see event_id.h */
	const char *iface; /* where the connection was seen: live, or NULL */
	const char *pcap_file; /* likewise of a capture */
};

struct eve_seen {
	enum event_type type;
	const struct judge_view *v;
	/* what is known of the server's certificates; NULL: nothing */
	const struct chain_verdict *chain;
};

/* Which events the observation makes: EVENT_BIT() of up to two. */
unsigned eve_events_of(const struct judge_view *v);

/* One of them as a line, with the newline, NUL-terminated. Returns its length,
 * 0 if it does not fit into cap or there is no memory. */
size_t eve_format_event(char *buf, size_t cap, const struct eve_seen *s,
    const struct eve_place *at);

/* When it happened, ns. */
int64_t eve_event_time(const struct eve_seen *s);

struct eve_stats {
	int64_t time; /* ns */
	uint64_t uptime; /* s */
	bool captured; /* the next two are known: live */
	uint64_t kernel_packets, kernel_drops;
	uint64_t packets, bytes; /* decoded */
	uint64_t tcp, flows; /* packets of TCP; connections begun */
	uint64_t rst, midstream, bad_checksums, holes;
	uint64_t alerts, alerts_folded, observations, findings;
};

size_t eve_format_stats(char *buf, size_t cap, const struct eve_stats *s,
    const struct eve_place *at);

#endif
