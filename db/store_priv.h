/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the store share. Not for others: they include store.h.
 *
 * store.c holds life cycle, batches and trouble; store_schema.c opens a file
 * and decides whether it is ours; store_alert.c, store_capture.c and
 * store_cert.c write rows (those of alerts wait in store_rows.c until their
 * batch is written), store_event.c what feeds send, store_retain.c takes
 * rows away; history_sqlite.c loads and saves history, incident_sqlite.c
 * incidents.
 *
 * Every write goes through store_begin() .. commit. A function that writes
 * returns an SQLite result code and leaves it to its caller to call
 * store_trouble(), which rolls the batch back.
 */
#ifndef STRIPWIRE_STORE_PRIV_H
#define STRIPWIRE_STORE_PRIV_H

#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "db/addr_text.h"
#include "db/store.h"
#include "db/store_rows.h"

#define STORE_APPLICATION_ID 0x53747277 /* "Strw" */
#define STORE_SCHEMA_VERSION 6
#define STORE_BUSY_MS 5000
#define STORE_PAGE_BYTES 8192 /* of a new database; SQLite's own: 4096 */
#define STORE_FILES 256 /* files remembered: one read, others just ended */
#define STORE_FLOWS 1024 /* connections of alerts, of late */
#define STORE_KINDS 128 /* power of two; of alerts, likewise */
#define STORE_PENDING 1024 /* power of two; alerts that wait, twice */
#define STORE_BATCH_BYTES (4u << 20) /* of rows */
#define STORE_WRITE_BYTES (128u << 10) /* that wait before they are written */
#define STORE_CERT_SLOTS 256 /* certificates seen of late */
#define STORE_CERT_WAYS 8 /* slots in which one may stand */
#define STORE_CERT_DUE 64 /* of them before a batch is due */

enum store_stmt {
	ST_RUN_BEGIN,
	ST_RUN_END,
	ST_ALERTS,
	ST_ALERTS_NEXT,
	ST_ALERT_ID,
	ST_NEWEST_TIME,
	ST_KIND_ID,
	ST_KIND,
	ST_FLOWS,
	ST_FLOWS_NEXT,
	ST_FLOWS_CHANGED,
	ST_FLOW_N,
	ST_LAST_FLOW,
	ST_NEWEST_FLOW,
	ST_CAPTURE_OPEN,
	ST_CAPTURE_DONE,
	ST_CAPTURE_KNOWN,
	ST_CAPTURE_DROP,
	ST_DROP_ALERTS,
	ST_DROP_FLOWS,
	ST_ALERT_INCIDENT,
	ST_INCIDENT_ID,
	ST_INCIDENT,
	ST_INCIDENTS_DROP,
	ST_INCIDENTS_CLOSED,
	ST_LAST_ID,
	ST_OTHERS_WROTE,
	ST_CERT,
	ST_CERT_AGAIN,
	ST_CERT_DER,
	ST_CERT_STAPLE,
	ST_CERTS_COUNT,
	ST_CERTS_DROP,
	ST_CERT_DERS_DROP,
	ST_SERVERS,
	ST_SERVER_KEYS,
	ST_SERVER_KEYS_DROP,
	ST_SERVER_KEYS_ANY,
	ST_SERVER_STACKS,
	ST_SERVER_STACKS_DROP,
	ST_SERVER_STACKS_ANY,
	ST_PAIRS,
	ST_PAIRS_USUAL,
	ST_PIN,
	/* store_event.c */
	ST_EVENT,
	ST_EVENT_LAST,
	ST_EVENT_OLDEST,
	ST_EVENTS_DROP,
	ST_EVENTS_UNSAVED,
	ST_EVENTS_BEFORE,
	ST_EVENTS_RETIRE,
	ST_EVENTS_EXPIRE,
	ST_FEED_NEW,
	ST_FEED_CURSOR,
	/* store_retain.c */
	ST_OLD_ALERTS,
	ST_OLDEST_ALERTS,
	ST_OLDEST_TIME,
	ST_OLD_INCIDENTS,
	ST_RETIRE_ALERT,
	ST_RETIRE_ALERT_NOTES,
	ST_RETIRE_FLOW,
	ST_RETIRE_INCIDENT,
	ST_RETIRE_INCIDENT_NOTES,
	ST_RETIRE_CAPTURES,
	ST_RETIRE_CERTS,
	ST_PAGES,
	ST_PAGES_FREE,
	ST_PAGE_SIZE,
	ST_AUTO_VACUUM,
	ST_COUNT
};

/* A file of the input, as far as this run has to do with it. */
struct store_file {
	char *path; /* NULL: slot not used */
	int64_t id; /* captures.id; 0: no row yet */
	uint64_t batch; /* in which the row was made */
	int64_t first_alert; /* id of the first one stored, 0 none */
	int64_t first_event; /* likewise, seq */
	uint64_t alerts; /* stored */
	uint64_t alert_batch; /* that holds the last of them */
	bool lost; /* some could not be stored */
	bool known; /* read before: nothing of it is stored */
};

enum store_rows { /* that wait, see store_rows.h */
	ROWS_ALERTS,
	ROWS_FLOWS,
	ROWS_FLOWS_CHANGED,
	/* history_sqlite.c */
	ROWS_SERVERS,
	ROWS_SERVER_KEYS,
	ROWS_SERVER_STACKS,
	ROWS_PAIRS_USUAL,
	ROWS_PAIRS,
	ROWS_KINDS
};

struct store_flow { /* whose row stands, or waits to be written */
	uint64_t id;
	int64_t start;
	int64_t n; /* of its row; 0: slot not used */
	int64_t gone; /* start of the latest that had to make room here */
	uint32_t name; /* hash of the server's, 0 none */
	uint8_t proto;
};

struct store_kind { /* a row of alert_kinds */
	int64_t id; /* 0: slot not used */
	uint32_t gid, sid, rev, tags;
	uint16_t finding;
	uint8_t severity;
	char msg[160], classtype[64], reference[160];
};

struct store_pending { /* an alert of the batch, by its key */
	int64_t key, id; /* id 0: slot not used */
};

struct store_sight { /* a certificate seen of late */
	bool used;
	bool due; /* something of it is not written yet */
	bool written; /* before: its row is there, unless it was dropped */
	uint32_t as_written; /* what was of its DER, see store_cert.c */
	uint8_t sha256[32];
	uint8_t place; /* in the chain, nearest to 0 */
	uint8_t known; /* see certificates_der.known in schema.sql */
	uint8_t trust; /* of a leaf */
	uint8_t staple; /* likewise, enum staple_status */
	uint8_t scts; /* likewise, enum sct_way */
	char error[128];
	uint8_t *der; /* a copy */
	size_t len;
	struct x509_facts *facts; /* of a leaf, until it was written; or NULL */
	int64_t first, last;
	char first_server[ENDPOINT_TEXT_MAX], last_server[ENDPOINT_TEXT_MAX];
};

struct store {
	sqlite3 *db;
	int lock_fd; /* holds the writer's lock, see store_schema.c */
	struct store_config cfg;
	char *path;
	struct store_counters counters;
	sqlite3_stmt *stmt[ST_COUNT];

	/* evictions of history when its tables were last cut */
	uint64_t pruned_servers, pruned_pairs;

	/* the batch */
	bool empty; /* a new file, in which nothing was written yet */
	bool open;
	unsigned rows;
	uint64_t batch; /* its number */
	uint64_t batch_alerts;
	size_t batch_bytes; /* of their rows */
	int64_t since; /* monotonic ms */
	int64_t data_version; /* others wrote when it moves */

	struct rows *waiting[ROWS_KINDS];
	/* alerts of it, and their flows, until they are written */
	struct store_pending pending[STORE_PENDING];
	struct store_flow flows[STORE_FLOWS];
	int64_t next_flow; /* n */
	int64_t last_flow; /* likewise, see store_append_rows() */
	int64_t flows_written; /* rows from this n on wait */
	bool flow_hidden; /* one that waits had to make room */
	int64_t newest_flow; /* start of the latest that has a row */
	int64_t flows_before; /* likewise, where flows may lack it */
	struct store_kind kinds[STORE_KINDS];
	int64_t next_alert; /* id */
	int64_t last_alert; /* likewise */
	int64_t newest; /* time: no alert that stands written is later */
	int64_t newest_pending; /* likewise, nor one of the batch */

	/* trouble */
	int64_t down_until, down_since; /* monotonic ms */
	int64_t backoff; /* ms, 0: none so far */
	unsigned said; /* bits: kinds of trouble told */
	int64_t trouble_since; /* monotonic ms; 0: none */
	uint64_t lost_before; /* alerts, until then */

	/* retention */
	bool retains; /* its index is there */
	bool gives_back; /* pages that are free */
	bool shrinking; /* by size, down to somewhat below */
	int64_t retain_due; /* monotonic ms: the next look at ages */

	/* feeds */
	char *event_text; /* a line, EVE_LINE_MAX */
	int64_t expired_said; /* monotonic ms; 0: nothing has expired */

	/* incidents */
	struct incidents *incidents; /* NULL: none are kept */
	int64_t next_incident;

	/* the run */
	int64_t run, run_started;
	uint64_t run_batch; /* the batch that holds its row */
	char *command, *rules;

	struct store_file files[STORE_FILES];
	unsigned next_file;
	struct store_sight sights[STORE_CERT_SLOTS];
	unsigned nsights; /* due ones */
	unsigned next_way; /* who makes room next */
	unsigned unchecked; /* certificates written since they were counted */
};

/* Values for a statement, in order. */
struct binder {
	sqlite3_stmt *st;
	int n;
};

/* store_schema.c */
int store_open_file(struct store *s, char *err, size_t errlen)
    __attribute__((warn_unused_result));
/* on_busy is called now and then by what SQLite does, until it is off. */
void store_signs_of_life(struct store *s, bool on);

/* store.c */
int64_t store_wall_ns(void);
int64_t store_monotonic_ms(void);
bool store_is_down(const struct store *s); /* trouble: nothing is tried now */
/* Opens a batch if none is open. SQLITE_OK, or why not (also while waiting
 * after trouble: then the trouble was told already and rc is SQLITE_ABORT). */
int store_begin(struct store *s) __attribute__((warn_unused_result));
/* Writes certificate sights and commits; on failure the batch is lost, and
 * told. Returns 0 or -1. */
int store_commit(struct store *s);
void store_trouble(struct store *s, int rc);
/* A prepared statement, reset; bind with the functions below, then run. */
int store_stmt(struct store *s, enum store_stmt which, struct binder *b)
    __attribute__((warn_unused_result));
int store_step(struct binder *b) __attribute__((warn_unused_result));
void bind_int(struct binder *b, int64_t v);
void bind_text(struct binder *b, const char *v); /* borrowed until the step */
void bind_blob(struct binder *b, const void *v, size_t n);

int store_rows_open(struct store *s) __attribute__((warn_unused_result));
/* Into the transaction that is open. */
int store_write_rows(struct store *s, enum store_rows which)
    __attribute__((warn_unused_result));
/* Likewise of rows whose first columns are the numbers that they are to have,
 * one after the other. *last: after which SQLite gives one itself, which `how`
 * leaves to it; STORE_LAST_UNKNOWN: not known, as after rows were deleted or
 * rolled back. */
#define STORE_LAST_UNKNOWN (-2)
int store_append_rows(struct store *s, enum store_rows which,
    enum store_stmt how, int64_t *last) __attribute__((warn_unused_result));
/* The number after the last that this table (AUTOINCREMENT) gave. */
int store_next_id(struct store *s, const char *table, int64_t *next)
    __attribute__((warn_unused_result));

/* store_alert.c */
int store_alerts_open(struct store *s) __attribute__((warn_unused_result));
bool store_alerts_due(const struct store *s); /* the batch is large */
/* Into the transaction that is open. */
int store_write_alerts(struct store *s) __attribute__((warn_unused_result));
void store_alerts_drop(struct store *s); /* what is known of the batch */

/* store_flow.c */
int store_flows_open(struct store *s) __attribute__((warn_unused_result));
/* The number of the row of its connection, which is made if there is none, and
 * of what it has in common with others. */
int store_flow(struct store *s, const struct alert *a, int64_t *n)
    __attribute__((warn_unused_result));
int store_kind(struct store *s, const struct alert *a, int64_t *id)
    __attribute__((warn_unused_result));
int store_write_flows(struct store *s) __attribute__((warn_unused_result));
void store_flows_forget(struct store *s); /* rows of flows were deleted */
void store_kinds_forget(struct store *s); /* the batch was rolled back */

/* store_event.c */
int store_alert_event(struct store *s, const struct alert *a,
    struct store_file *f, int64_t id) __attribute__((warn_unused_result));
/* What was written of a file's alerts, and of incidents that no row is saved
 * of, is taken out again. After a kill the latter stay: they happened, and may
 * have been sent. */
int store_drop_events(struct store *s, const struct store_file *f)
    __attribute__((warn_unused_result));

/* store_capture.c */
struct store_file *store_file_find(struct store *s, const char *path);
int store_file_row(struct store *s, struct store_file *f)
    __attribute__((warn_unused_result));
void store_files_rolled_back(struct store *s);
void store_files_free(struct store *s);

/* store_cert.c */
int store_write_sights(struct store *s) __attribute__((warn_unused_result));
void store_sights_free(struct store *s);

#endif
