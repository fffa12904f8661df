/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration: what an operator may set, in a file or, where an option
 * exists, on the command line, which wins. config_keys.c holds one table of
 * all keys with type, unit, range, default and a sentence; reader, help,
 * sample file and manual page are made from it or checked against it.
 *
 * A file with any mistake is refused as a whole, and every mistake is named
 * with its place and how to mend it.
 */
#ifndef STRIPWIRE_CONFIG_H
#define STRIPWIRE_CONFIG_H

#include <stdbool.h>
#include <stdio.h>

#include "db/transport.h"
#include "decoders/slice.h"
#include "rules/resetters.h"

#define CONFIG_PATH "/etc/stripwire/stripwire.conf"
#define DB_DEFAULT "stripwire.db"
#define CONFIG_TRUST_MAX 32 /* files; each may hold many certificates */
#define CONFIG_MISTAKES_MAX 100 /* told; then one line says so */
#define CONFIG_TEXT_MAX 4096 /* bytes of one value: PATH_MAX */

#define CONFIG_FEEDS_MAX 16

struct rule_vars;

/* One of the map `feeds`; its keys are in the table config_feed_keys. */
struct config_feed {
	char *name;
	unsigned type; /* enum transport_kind */
	unsigned format; /* enum feed_format */
	unsigned events; /* 1 << enum event_type */
	char *path, *address, *ca_file, *cert_file, *key_file, *server_name;
	char *brokers, *topic, *sasl_password, *sasl_password_file;
	char *option[TRANSPORT_OPTIONS_MAX]; /* "name=value" */
	unsigned noptions;
	unsigned socket; /* 0 stream, 1 datagram */
	unsigned framing; /* 0 octet counting, 1 newline */
	unsigned header; /* 0 as usual for the type, 1 no, 2 yes */
	uint64_t rotate_size, rotate_hours, rotate_keep;
	uint64_t facility, timeout, resend_size, resend_seconds, queue_size;
	char *host; /* of address */
	uint16_t port;
};

/* Plain values; strings are owned, "" is: not set. */
struct config {
	char *database, *rules, *thresholds, *classification;
	char *interceptors, *eve, *sensor_name;
	char *trust[CONFIG_TRUST_MAX + 1];
	unsigned ntrust;
	bool system_trust;
	unsigned user_names; /* enum names_mode */
	unsigned eve_types; /* 1 << enum event_type */
	unsigned reassembly; /* enum reassembly */
	struct resetters resetters;
	char *resetter[RESETTERS_MAX * 2]; /* the same as written */
	unsigned nresetters, nvars;
	struct rule_vars *vars; /* NULL: none set */
	char **var_text; /* nvars "NAME: value" as written, in order */
	/* live capture */
	char *interfaces, *timestamps, *filter, *user, *socket, *log;
	char *crash_folder;
	uint64_t workers, snaplen, buffer;
	bool promiscuous, whole_packets;
	uint64_t flows, sessions, judged_flows; /* at a time */
	uint64_t history_servers, history_pairs; /* entries */
	uint64_t pending_bytes, tls_bytes;
	unsigned tls_min_version; /* TLS_10 + this */
	unsigned tls_accept; /* 1 << enum weakness */
	uint64_t tls_min_dh_bits, tls_min_curve_bits;
	uint64_t incident_window; /* minutes */
	uint64_t incident_repeat; /* hours */
	uint64_t incident_alerts; /* 0: all */
	uint64_t retention_days, retention_size; /* 0: for ever, any */
	struct config_feed *feed[CONFIG_FEEDS_MAX];
	unsigned nfeeds;
	uint64_t event_days, max_events;
};

enum config_type {
	CONFIG_TEXT, /* one line */
	CONFIG_PATHNAME, /* a file that may come to be */
	CONFIG_INPUT, /* a file that must be there */
	CONFIG_INPUTS, /* several of them */
	CONFIG_SWITCH, /* yes or no */
	CONFIG_WORD, /* one of a few */
	CONFIG_WORDS, /* any of a few; bits of an unsigned */
	CONFIG_NUMBER,
	CONFIG_BYTES, /* with KiB, MiB or GiB */
	CONFIG_RESETTERS,
	CONFIG_VARIABLES,
	CONFIG_FEEDS, /* a map of maps */
	CONFIG_SECRET, /* a text that is never shown */
	CONFIG_OPTIONS /* a map of texts; some of them are secret */
};

struct config_key {
	const char *name; /* "limits.flows": flows within the map limits */
	uint8_t type; /* enum config_type */
	bool power_of_two; /* rounded up to one */
	uint16_t at; /* its field in struct config */
	const char *range; /* as documented, with the unit */
	const char *initial; /* as it is written in a file; "": not set */
	const char *help; /* sentences */
	uint64_t min, max;
	/* CONFIG_WORD, CONFIG_WORDS: by value or bit, NULL at the end; "" is
	 * none that can be written */
	const char *const *words;
};

extern const struct config_key config_keys[];
extern const unsigned config_key_count;

struct config_feed_key {
	struct config_key key; /* at: in struct config_feed */
	unsigned kinds; /* 1 << enum transport_kind: where it has a meaning */
	bool needed; /* there */
};

extern const struct config_feed_key config_feed_keys[];
extern const unsigned config_feed_key_count;

/* All defaults. -1: no memory; config_fini() it all the same. */
int config_init(struct config *c) __attribute__((warn_unused_result));
void config_fini(struct config *c);

/* `FILE:LINE:COLUMN: what, and how to mend it`, without a newline. */
typedef void config_error_fn(void *ctx, const char *line);

/* Reads text into c, which is initialised. Returns the number of mistakes;
 * with any, c is not to be used but for config_fini(). files: those that must
 * be there are looked for. */
unsigned config_parse(struct config *c, const char *file, struct slice text,
    bool files, config_error_fn *error, void *ctx);
/* The same of a file; one that cannot be read is a mistake without a place. */
unsigned config_load(struct config *c, const char *path, bool files,
    config_error_fn *error, void *ctx);

/* May this key change while the sensor runs? */
bool config_is_live(const struct config_key *k);
typedef void config_frozen_fn(void *ctx, const char *key);
/* Takes over all that may from fresh, which gets what was there, to be freed.
 * frozen (or NULL) is told the other keys that differ. */
void config_take_live(struct config *c, struct config *fresh,
    config_frozen_fn *frozen, void *ctx);

/* As the file would have it. Returns how it is written, in buf if need be;
 * of lists the i-th entry, NULL behind the last. */
const char *config_value(const struct config *c, const struct config_key *k,
    unsigned i, char *buf, size_t cap);
bool config_is_list(const struct config_key *k);

/* The same of a feed. Of options "name=value"; a secret is "" if it is not
 * set, else words that say that it is. */
const char *config_feed_value(const struct config_feed *f,
    const struct config_key *k, unsigned i, char *buf, size_t cap);
/* Is the option of that name a secret of librdkafka? */
bool config_option_is_secret(const char *name);
bool config_feeds_are_same(const struct config *a, const struct config *b);
void config_feed_free(struct config_feed *f);

#endif
