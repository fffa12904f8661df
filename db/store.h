/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store: one SQLite file, one writer, WAL, batches. What was accepted is
 * never lost: a batch is at most STORE_BATCH_ROWS rows or STORE_BATCH_MS old,
 * and kill -9 loses at most that. A full disk stops nothing: rows are counted
 * as lost, it is said once, and storing resumes when there is room.
 */
#ifndef STRIPWIRE_STORE_H
#define STRIPWIRE_STORE_H

#include "decoders/siphash.h"
#include "decoders/table_use.h"
#include "decoders/x509.h"
#include "rules/alert.h"
#include "rules/history.h"
#include "rules/incident.h"

#define STORE_BATCH_ROWS 4000
#define STORE_BATCH_MS 500 /* an alert is to be read within a second */
#define STORE_CERTS_MAX 32768 /* about 2 KiB each */
#define STORE_DER_MAX 16384 /* bytes; of a longer certificate only the facts */

enum store_status {
	STORE_OK = 0,
	STORE_FAILED, /* cannot be opened, locked, not a database, newer
			   version, read-only: a sentence is in err */
	STORE_KNOWN /* store_file_end(): this capture was read before */
};

struct store;

struct store_feed { /* of the configuration, whose strings outlive it */
	const char *name;
	unsigned events; /* 1 << enum event_type: what it sends */
};

struct store_config {
	const char *path;
	const char *sensor; /* its name in EVE, NULL: none */
	const struct store_feed *feeds; /* see store_use_feeds() */
	unsigned nfeeds;
	bool again; /* store and learn even what is known */
	unsigned max_certs; /* rows of certificates; 0: STORE_CERTS_MAX */
	/* once per kind of trouble: disk full, write error */
	void (*on_problem)(void *ctx, const char *sentence);
	/* it can be written again; lost: alerts meanwhile. May be NULL */
	void (*on_resumed)(void *ctx, uint64_t lost, const char *sentence);
	/* now and then during work that takes long. May be NULL */
	void (*on_busy)(void *ctx);
	void *ctx;
};

struct store_counters {
	uint64_t alerts, duplicates, lost, batches, certs;
	uint64_t retired; /* alerts that had been kept long enough */
	uint64_t certs_dropped; /* for want of room */
	uint64_t unfed; /* events that could not be written for the feeds */
};

/* Opens or creates; a database of another program or of a newer version is
 * left untouched. */
enum store_status store_open(struct store **out, const struct store_config *cfg,
    char *err, size_t errlen);
/* Writes what is pending and closes. Returns -1 if something was lost. */
int store_close(struct store *s);

/* The key of this name that the database keeps. If it has none, what stands in
 * key is kept from now on; else key is filled with it. -1: neither, with a
 * sentence in err. */
int store_key(struct store *s, const char *name, uint8_t key[SIPHASH_KEY],
    char *err, size_t errlen) __attribute__((warn_unused_result));

int store_load_history(struct store *s, struct history *h);
/* For commands: writes what changed, and the pins. -1: told by on_problem. */
int store_save_history(struct store *s, struct history *h)
    __attribute__((warn_unused_result));
/* Live: the same for max of each kind, those that have waited for longest, and
 * without the pins, which only commands change. */
int store_keep_history(struct store *s, struct history *h, uint64_t max)
    __attribute__((warn_unused_result));
/* Takes a server and its pairs from the tables; name where the key is of one. */
int store_forget(struct store *s, const struct server_key *key,
    const char *name) __attribute__((warn_unused_result));
/* The protocol of that name (proto_name()); PROTO_UNKNOWN: there is none. */
uint8_t history_proto(const char *name);
/* Sets key (its port and protocol stand) and name from an address, a name or
 * "*.domain". false: it is none of them. */
bool pin_name_to_key(struct pin *p, const char *server);

/* Reads the open incidents. From now on those of in are kept as history is, at
 * store_file_end(), or by store_save_incidents(). -1: told by on_problem. */
int store_load_incidents(struct store *s, struct incidents *in);
/* The number of a new one (for incidents_config.new_id). */
int64_t store_incident_id(struct store *s);
/* Without files of input: writes what changed. Incidents that the operator
 * closed meanwhile end. -1: told by on_problem. */
int store_save_incidents(struct store *s);

struct store_retention {
	unsigned days; /* alerts of before then go; 0: none for their age */
	uint64_t bytes; /* the oldest go while the file holds more; 0: none */
	unsigned event_days; /* events that all feeds have passed are kept */
	uint64_t max_events; /* of more the oldest go, sent or not */
};
/* One small step: alerts with their notes and flows, incidents that ended,
 * captures and certificates that no alert is left of. An alert's age counts
 * from its time or from the run that stored it, whichever is later. now: wall
 * clock, ns. Returns 1 if there is more to do now. */
int store_retain(struct store *s, const struct store_retention *r, int64_t now);

/* Like that of events: those that every feed has passed when they are old
 * enough, all others with the alerts of their time, or when there are too many.
 * What goes unsent is counted in feeds.expired and told by on_problem. Call it
 * after store_retain(). now: below 0, nothing is old. */
int store_retire_events(
    struct store *s, const struct store_retention *r, int64_t now);

/* From now on events are written for these feeds, kept by the caller; a feed
 * that is new begins with what is stored next. -1: told by on_problem. */
int store_use_feeds(struct store *s, const struct store_feed *feeds, unsigned n)
    __attribute__((warn_unused_result));
/* What happened to an incident, for the feeds; without any nothing is done. */
void store_incident_event(
    struct store *s, const struct incident *i, enum incident_event what);

/* A run: one call of the program over some input. */
void store_run_begin(
    struct store *s, const char *command_line, const char *rules_path);
/* What the column `run` holds for this run; 0 before anything was stored. */
int64_t store_run_id(const struct store *s);
void store_run_end(
    struct store *s, uint64_t packets, uint64_t bytes, uint64_t flows);

/* Accepts an alert. Its row is given an id at once (what `show` takes); if the
 * alert stands in the database already, that row's id; 0 if it could not be
 * stored. */
int64_t store_alert(struct store *s, const struct alert *a, const char *file);

struct store_chain { /* one that was shown */
	const struct chain_verdict *verdict;
	const struct slice *der; /* leaf first; the first X509_CHAIN_MAX */
	unsigned n;
	uint8_t scts; /* time stamps that came with it in the handshake */
	bool of_client;
};

/* Added to the place in the chain where a client showed it. */
#define STORE_PLACE_CLIENT 128

/* How time stamps of certificate transparency (RFC 6962 3.3) came that are not
 * in the certificate itself. */
enum sct_way { SCT_IN_STAPLE = 1 << 0, SCT_IN_HANDSHAKE = 1 << 1 };

/* Each certificate that parses once, with first and last sight and where. */
void store_chain(struct store *s, const struct store_chain *c,
    const struct obs_flow *flow, int64_t time);
/* What a stapled OCSP response says of the leaf of a chain that was stored
 * before. */
void store_staple(struct store *s, const struct chain_verdict *v);
/* The intermediates that completed a path to a trust anchor, those seen last
 * first. -1: they cannot be read. */
int store_each_known(
    struct store *s, void (*fn)(void *ctx, struct slice der), void *ctx);

struct store_capture { /* a file of the input, read to its end */
	const char *path;
	uint64_t fingerprint, packets; /* see struct capture_file */
	int64_t first, last; /* packet times */
};

/*
 * A file of the input has ended: its alerts and what it taught (h: marked
 * before, see history.h) become permanent together. STORE_KNOWN: a file with
 * this fingerprint, packet count and times is in the database already; then
 * its alerts of this run are taken out again and h is dropped, unless again
 * (the incidents go the way of h);
 * earlier says when that was ("as x.pcap on 2026-11-22 10:03:14 +0000").
 * STORE_FAILED: some of it could not be written; h is dropped, and the file
 * will not be taken for known. h may be NULL.
 */
enum store_status store_file_end(struct store *s, const struct store_capture *c,
    struct history *h, char *earlier, size_t earlierlen);

/* Commits the batch if it is due (call often, it is cheap) or now. */
void store_poll(struct store *s);
void store_flush(struct store *s);

const struct store_counters *store_counters(const struct store *s);

#define STORE_CACHE_KIB 2048 /* of pages; what most batches fit in */
#define STORE_CACHE_BYTES (STORE_CACHE_KIB * 1024u)
struct store_memory {
	struct table_use sqlite; /* its cache, schema and statements; entries:
				    pages */
	struct table_use certs; /* not written yet */
};
void store_memory(const struct store *s, struct store_memory *out);

#endif
