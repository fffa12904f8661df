/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store's life: open, batches, runs, trouble, close.
 *
 * A batch is one transaction, opened by the first row and committed when it
 * is full or old. When a write fails, the batch is rolled back and counted as
 * lost, the user is told once, and for a while (1 s, doubling to 4 s)
 * nothing is tried: a full disk must not cost the sensor a failing system
 * call per alert. When it works again that is told too, with the loss.
 */
#include "db/store_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BACKOFF_MIN 1000
#define BACKOFF_MAX 4000
#define QUIET 60000 /* ms without trouble: it is over */

enum trouble {
	TROUBLE_FULL,
	TROUBLE_BUSY,
	TROUBLE_DAMAGED,
	TROUBLE_READ_ONLY,
	TROUBLE_OTHER
};

static int64_t
clock_ms(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
store_monotonic_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC_COARSE);
}

int64_t
store_wall_ns(void)
{
	return clock_ms(CLOCK_REALTIME) * 1000000;
}

static void
store_destroy(struct store *s)
{
	for (unsigned i = 0; i < ST_COUNT; i++)
		sqlite3_finalize(s->stmt[i]);
	sqlite3_close(s->db);
	for (unsigned i = 0; i < ROWS_KINDS; i++)
		rows_free(s->waiting[i]);
	if (s->lock_fd != -1)
		close(s->lock_fd);
	store_files_free(s);
	store_sights_free(s);
	free(s->event_text);
	free(s->command);
	free(s->rules);
	free(s->path);
	free(s);
}

enum store_status
store_open(struct store **out, const struct store_config *cfg, char *err,
    size_t errlen)
{
	struct store *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL || (s->path = strdup(cfg->path)) == NULL) {
		free(s);
		snprintf(err, errlen, "%s: out of memory", cfg->path);
		return STORE_FAILED;
	}
	s->cfg = *cfg;
	s->cfg.path = s->path;
	s->lock_fd = -1;
	if (store_open_file(s, err, errlen) == -1) {
		store_destroy(s);
		return STORE_FAILED;
	}
	if (store_rows_open(s) != SQLITE_OK ||
	    store_alerts_open(s) != SQLITE_OK) {
		snprintf(err, errlen, "%s: cannot be read", cfg->path);
		store_destroy(s);
		return STORE_FAILED;
	}
	*out = s;
	if (store_use_feeds(s, cfg->feeds, cfg->nfeeds) == -1) {
		snprintf(err, errlen, "%s: cannot be written for the feeds",
		    cfg->path);
		store_destroy(s);
		*out = NULL;
		return STORE_FAILED;
	}
	return STORE_OK;
}

int
store_close(struct store *s)
{
	int lost;

	if (s == NULL)
		return 0;
	store_flush(s);
	lost = s->counters.lost != 0;
	store_destroy(s);
	return lost ? -1 : 0;
}

const struct store_counters *
store_counters(const struct store *s)
{
	return &s->counters;
}

int64_t
store_run_id(const struct store *s)
{
	return s->run;
}

/* ---- trouble ---- */

/* SQLite tells no more than that a write failed. */
static bool
is_read_only(const struct store *s)
{
	return access(s->path, W_OK) == -1 &&
	       (errno == EROFS || errno == EPERM);
}

static enum trouble
trouble_kind(const struct store *s, int rc)
{
	int error;

	switch (rc & 0xff) {
	case SQLITE_FULL:
		return TROUBLE_FULL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return TROUBLE_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return TROUBLE_DAMAGED;
	case SQLITE_READONLY:
		return TROUBLE_READ_ONLY;
	case SQLITE_IOERR:
		error = sqlite3_system_errno(s->db);
		if (error == ENOSPC || error == EDQUOT || error == EFBIG)
			return TROUBLE_FULL;
		return is_read_only(s) ? TROUBLE_READ_ONLY : TROUBLE_OTHER;
	default:
		return TROUBLE_OTHER;
	}
}

static void
trouble_say(struct store *s, enum trouble kind)
{
	static const char *const what[] = {
	    [TROUBLE_FULL] = "no room on the disk: make room",
	    [TROUBLE_BUSY] = "another program holds it locked: end that one",
	    [TROUBLE_DAMAGED] = "is damaged: restore it from a backup",
	    [TROUBLE_READ_ONLY] = ("the disk is read-only: look why in the "
				   "kernel's log, then mount it to be written"),
	    [TROUBLE_OTHER] = "cannot be written: look at the disk"};
	char text[512];

	if ((s->said & 1u << kind) != 0 || s->cfg.on_problem == NULL)
		return;
	s->said |= 1u << kind;
	snprintf(text, sizeof(text),
	    "%s: %s; until then alerts are counted as lost, and storing is "
	    "tried again (%s)",
	    s->path, what[kind], sqlite3_errmsg(s->db));
	s->cfg.on_problem(s->cfg.ctx, text);
}

void
store_trouble(struct store *s, int rc)
{
	if (rc == SQLITE_ABORT && !s->open)
		return; /* waiting: told before */
	trouble_say(s, trouble_kind(s, rc));
	if (s->trouble_since == 0) {
		s->trouble_since = store_monotonic_ms();
		s->lost_before = s->counters.lost;
	}
	if (!sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	if (s->open) {
		s->counters.lost += s->batch_alerts;
		s->counters.alerts -= s->batch_alerts;
		store_files_rolled_back(s);
		if (s->run_batch == s->batch)
			s->run = 0;
		store_alerts_drop(s);
		for (unsigned i = 0; i < ROWS_KINDS; i++)
			rows_clear(s->waiting[i]);
	}
	s->open = false;
	s->down_since = store_monotonic_ms();
	s->backoff = s->backoff == 0 ? BACKOFF_MIN : s->backoff * 2;
	if (s->backoff > BACKOFF_MAX)
		s->backoff = BACKOFF_MAX;
	s->down_until = s->down_since + s->backoff;
}

/* ---- statements ---- */

/* Rows of new_alerts and new_flows without their first column, the number: SQLite
 * finds the next one faster than that a given one is free. A text that most
 * rows lack comes as NULL, which takes less than an empty one. */
#define ALERT_COLUMNS                                                   \
	"key, run, capture, flow, time, kind, confidence, visibility, " \
	"user, mech, cert_sha256, cause, advice, evidence, ladder, incident"
#define ALERT_VALUES                                           \
	"c1, c2, c3, c4, c5, c6, c7, c8, c9, ifnull(c10,''), " \
	"ifnull(c11,''), ifnull(c12,''), ifnull(c13,''), c14, c15, c16"
#define FLOW_COLUMNS                                                     \
	"id, run, start, client, client_port, server, server_port, v6, " \
	"vlan, proto, implicit_tls, client_ttl, server_ttl, server_name"
#define FLOW_VALUES                                                 \
	"c1, c2, c3, c4, c5, c6, c7, c8, ifnull(c9,''), c10, c11, " \
	"c12, c13, ifnull(c14,'')"

static const char *const sql[ST_COUNT] = {
    [ST_RUN_BEGIN] = "INSERT INTO runs (started, command, rules) "
		     "VALUES (?,?,?)",
    [ST_RUN_END] = "UPDATE runs SET ended=?, packets=?, bytes=?, flows=?, "
		   "alerts=?, lost=? WHERE id=?",
    [ST_ALERTS] = "INSERT OR FAIL INTO alert_rows (id, " ALERT_COLUMNS
		  ") SELECT c0, " ALERT_VALUES " FROM new_alerts",
    [ST_ALERTS_NEXT] = "INSERT OR FAIL INTO alert_rows (" ALERT_COLUMNS
		       ") SELECT " ALERT_VALUES " FROM new_alerts",
    [ST_ALERT_ID] = "SELECT id FROM alert_rows WHERE time=? AND key=?",
    [ST_NEWEST_TIME] = "SELECT max(time) FROM alert_rows",
    [ST_KIND_ID] = "SELECT id FROM alert_kinds WHERE sid=? AND gid=? AND "
		   "rev=? AND finding=? AND severity=? AND tags=? AND msg=? "
		   "AND classtype=? AND reference=?",
    [ST_KIND] = "INSERT INTO alert_kinds (sid, gid, rev, finding, severity, "
		"tags, msg, classtype, reference) VALUES (?,?,?,?,?,?,?,?,?)",
    [ST_FLOWS] = "INSERT OR FAIL INTO flow_rows (n, " FLOW_COLUMNS
		 ") SELECT c0, " FLOW_VALUES " FROM new_flows",
    [ST_FLOWS_NEXT] = "INSERT OR FAIL INTO flow_rows (" FLOW_COLUMNS
		      ") SELECT " FLOW_VALUES " FROM new_flows",
    [ST_FLOWS_CHANGED] =
	"INSERT INTO flow_rows SELECT c0, " FLOW_VALUES
	" FROM changed_flows WHERE true "
	"ON CONFLICT (n) DO UPDATE SET proto=excluded.proto, "
	"implicit_tls=excluded.implicit_tls, "
	"client_ttl=max(client_ttl, excluded.client_ttl), "
	"server_ttl=max(server_ttl, excluded.server_ttl), "
	"server_name=iif(excluded.server_name='', server_name, "
	"excluded.server_name) "
	"WHERE excluded.proto<>proto OR (excluded.server_name<>'' "
	"AND excluded.server_name<>server_name)",
    [ST_FLOW_N] = "SELECT n FROM flow_rows WHERE start=? AND id=?",
    [ST_LAST_FLOW] = "SELECT max(n) FROM flow_rows",
    [ST_NEWEST_FLOW] = "SELECT max(start) FROM flow_rows",
    [ST_CAPTURE_OPEN] = "INSERT INTO captures (run, path, complete, read_at) "
			"VALUES (?,?,0,?)",
    [ST_CAPTURE_DONE] = "UPDATE captures SET fingerprint=?, packets=?, "
			"first=?, last=?, complete=?, read_at=? WHERE id=?",
    [ST_CAPTURE_KNOWN] = "SELECT path, read_at FROM captures "
			 "WHERE fingerprint=? AND packets=? AND first=? "
			 "AND last=? AND complete=1 ORDER BY id LIMIT 1",
    [ST_CAPTURE_DROP] = "DELETE FROM captures WHERE id=?",
    [ST_DROP_ALERTS] = "DELETE FROM alert_rows WHERE id>=? AND capture=?",
    [ST_DROP_FLOWS] = "DELETE FROM flow_rows WHERE run=? "
		      "AND n NOT IN (SELECT flow FROM alert_rows)",
    [ST_ALERT_INCIDENT] = "UPDATE alert_rows SET incident=? WHERE id=? AND "
			  "incident NOT IN (SELECT id FROM incidents)",
    [ST_INCIDENT_ID] = "INSERT INTO incidents (id, run) VALUES (?,?)",
    [ST_INCIDENT] = "INSERT INTO incidents (id, run, saved, ended, first, "
		    "last, severity, confidence, story, stages, sessions, "
		    "alerts, folded, server_name, title, cause, advice, "
		    "detail) VALUES (?,?,1,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
		    "ON CONFLICT (id) DO UPDATE SET saved=1, "
		    "ended=excluded.ended, first=excluded.first, "
		    "last=excluded.last, severity=excluded.severity, "
		    "confidence=excluded.confidence, story=excluded.story, "
		    "stages=excluded.stages, sessions=excluded.sessions, "
		    "alerts=excluded.alerts, folded=excluded.folded, "
		    "server_name=excluded.server_name, "
		    "title=excluded.title, cause=excluded.cause, "
		    "advice=excluded.advice, detail=excluded.detail",
    [ST_INCIDENTS_CLOSED] = "SELECT id FROM incidents WHERE ended=0 "
			    "AND status=2",
    [ST_INCIDENTS_DROP] = "DELETE FROM incidents WHERE saved=0",
    [ST_OTHERS_WROTE] = "PRAGMA data_version",
    [ST_LAST_ID] = "SELECT seq FROM sqlite_sequence WHERE name=?",
    [ST_CERT] = "INSERT INTO certificates (sha256, spki_sha256, subject, "
		"issuer, serial, names, not_before, not_after, key_type, "
		"key_bits, signature, flags, trust, error, first, "
		"first_server, last, last_server) "
		"VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
		"ON CONFLICT (sha256) DO UPDATE SET "
		"error=iif(excluded.trust=0, error, excluded.error), "
		"trust=iif(excluded.trust=0, trust, excluded.trust), "
		"first_server=iif(excluded.first<first, "
		"excluded.first_server, first_server), "
		"first=min(first, excluded.first), "
		"last_server=iif(excluded.last>last, excluded.last_server, "
		"last_server), last=max(last, excluded.last)",
    [ST_CERT_AGAIN] = "UPDATE certificates SET "
		      "trust=iif(?1=0, trust, ?1), error=iif(?1=0, error, ?2), "
		      "first_server=iif(?3<first, ?4, first_server), "
		      "first=min(first, ?3), "
		      "last_server=iif(?5>last, ?6, last_server), "
		      "last=max(last, ?5) WHERE sha256=?7",
    [ST_CERT_DER] = "INSERT INTO certificate_der (sha256, place, known, "
		    "staple, scts, der) VALUES (?,?,?,?,?,?) "
		    "ON CONFLICT (sha256) DO UPDATE SET "
		    "place=min(place, excluded.place), "
		    "known=max(known, excluded.known), "
		    "staple=iif(excluded.staple=0, staple, excluded.staple), "
		    "scts=scts|excluded.scts",
    [ST_CERT_STAPLE] = "UPDATE certificate_der SET staple=?, scts=scts|? "
		       "WHERE sha256=?",
    [ST_CERTS_COUNT] = "SELECT count(*) FROM certificates",
    [ST_CERTS_DROP] = "DELETE FROM certificates WHERE sha256 IN (SELECT "
		      "sha256 FROM certificates ORDER BY last LIMIT ?)",
    [ST_CERT_DERS_DROP] = "DELETE FROM certificate_der WHERE sha256 NOT IN "
			  "(SELECT sha256 FROM certificates)",
    [ST_SERVERS] = "INSERT OR REPLACE INTO servers "
		   "SELECT * FROM new_servers",
    [ST_SERVER_KEYS] = "INSERT OR REPLACE INTO server_keys "
		       "SELECT * FROM new_server_keys",
    [ST_SERVER_KEYS_DROP] = "DELETE FROM server_keys WHERE addr=? AND port=? "
			    "AND proto=? AND implicit_tls=?",
    [ST_SERVER_KEYS_ANY] = "SELECT 1 FROM server_keys LIMIT 1",
    [ST_SERVER_STACKS] = "INSERT OR REPLACE INTO server_stacks "
			 "SELECT * FROM new_server_stacks",
    [ST_SERVER_STACKS_DROP] = "DELETE FROM server_stacks WHERE addr=? AND "
			      "port=? AND proto=? AND implicit_tls=?",
    [ST_SERVER_STACKS_ANY] = "SELECT 1 FROM server_stacks LIMIT 1",
    [ST_PAIRS] = "INSERT OR REPLACE INTO pairs SELECT * FROM new_pairs",
    [ST_PAIRS_USUAL] = "INSERT OR REPLACE INTO pairs (client, addr, port, "
		       "proto, implicit_tls, first, last, tls, clear, "
		       "tls_days, tls_failed_then_clear, offered, "
		       "not_offered, ehlo, syn_signature, client_ttl, "
		       "ehlo_name) SELECT * FROM usual_pairs",
    [ST_PIN] = "INSERT INTO pins VALUES "
	       "(?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [ST_EVENT] = "INSERT INTO events (type, time, stored, id, ref, eve) "
		 "VALUES (?,?,?,?,?,?)",
    [ST_EVENT_LAST] = "SELECT max(seq) FROM sqlite_sequence "
		      "WHERE name='events'",
    [ST_EVENT_OLDEST] = "SELECT seq, stored FROM events ORDER BY seq LIMIT 1",
    [ST_EVENTS_DROP] = "DELETE FROM events WHERE seq>=? AND type='alert' AND "
		       "ref IN (SELECT id FROM alert_rows WHERE id>=? AND "
		       "capture=?)",
    [ST_EVENTS_UNSAVED] = "DELETE FROM events WHERE type='incident' AND ref "
			  "IN (SELECT id FROM incidents WHERE saved=0)",
    [ST_EVENTS_BEFORE] = "SELECT max(seq) FROM events WHERE seq<=? AND "
			 "stored<?",
    [ST_EVENTS_RETIRE] = "DELETE FROM events WHERE seq<=?",
    [ST_EVENTS_EXPIRE] =
	"UPDATE feeds SET cursor=?2, expired=expired+(SELECT count(*) FROM "
	"events WHERE seq>cursor AND seq<=?2 AND iif(type='alert', ?3, ?4)) "
	"WHERE name=?1 AND cursor<?2",
    [ST_FEED_NEW] = "INSERT INTO feeds (name, cursor) VALUES (?, (SELECT "
		    "coalesce(max(seq), 0) FROM sqlite_sequence WHERE "
		    "name='events')) ON CONFLICT (name) DO NOTHING",
    [ST_FEED_CURSOR] = "SELECT cursor, expired FROM feeds WHERE name=?",
    [ST_OLD_ALERTS] =
	"SELECT id, flow FROM alert_rows WHERE time<?1 AND run IN "
	"(SELECT id FROM runs WHERE started<?1) ORDER BY time "
	"LIMIT 100",
    [ST_OLDEST_ALERTS] =
	"SELECT id, flow FROM alert_rows WHERE time<?1 ORDER BY "
	"time LIMIT 100",
    [ST_OLDEST_TIME] = "SELECT min(time) FROM alert_rows",
    [ST_OLD_INCIDENTS] = "SELECT id, 0 FROM incidents WHERE last<?1 AND "
			 "ended<>0 AND saved=1 LIMIT 100",
    [ST_RETIRE_ALERT] = "DELETE FROM alert_rows WHERE id=?",
    [ST_RETIRE_ALERT_NOTES] = "DELETE FROM notes WHERE kind='alert' AND ref=?",
    [ST_RETIRE_FLOW] = "DELETE FROM flow_rows WHERE n=?1 AND NOT EXISTS "
		       "(SELECT 1 FROM alert_rows WHERE flow=?1)",
    [ST_RETIRE_INCIDENT] = "DELETE FROM incidents WHERE id=?",
    [ST_RETIRE_INCIDENT_NOTES] = "DELETE FROM notes WHERE kind='incident' "
				 "AND ref=?",
    [ST_RETIRE_CAPTURES] = "DELETE FROM captures WHERE id IN (SELECT id FROM "
			   "captures WHERE last<?1 AND read_at<?1 LIMIT 100)",
    [ST_RETIRE_CERTS] = "DELETE FROM certificates WHERE sha256 IN (SELECT "
			"sha256 FROM certificates WHERE last<?1 AND sha256 "
			"NOT IN (SELECT sha256 FROM certificate_der WHERE "
			"known=1) LIMIT 100)",
    [ST_PAGES] = "PRAGMA page_count",
    [ST_PAGES_FREE] = "PRAGMA freelist_count",
    [ST_PAGE_SIZE] = "PRAGMA page_size",
    [ST_AUTO_VACUUM] = "PRAGMA auto_vacuum",
};

int
store_stmt(struct store *s, enum store_stmt which, struct binder *b)
{
	int rc = SQLITE_OK;

	if (s->stmt[which] == NULL)
		rc = sqlite3_prepare_v3(s->db, sql[which], -1,
		    SQLITE_PREPARE_PERSISTENT, &s->stmt[which], NULL);
	b->st = s->stmt[which];
	b->n = 0;
	return rc;
}

int
store_step(struct binder *b)
{
	sqlite3_step(b->st);
	return sqlite3_reset(b->st);
}

void
bind_int(struct binder *b, int64_t v)
{
	sqlite3_bind_int64(b->st, ++b->n, v);
}

void
bind_text(struct binder *b, const char *v)
{
	sqlite3_bind_text(b->st, ++b->n, v, -1, SQLITE_STATIC);
}

void
bind_blob(struct binder *b, const void *v, size_t n)
{
	sqlite3_bind_blob(b->st, ++b->n, v, (int)n, SQLITE_STATIC);
}

/* ---- rows that wait ---- */

/* Columns as in the statement. */
static const struct {
	const char *name;
	unsigned columns;
	enum store_stmt put;
} waiting[ROWS_KINDS] = {
    [ROWS_ALERTS] = {"new_alerts", 17, ST_ALERTS},
    [ROWS_FLOWS] = {"new_flows", 15, ST_FLOWS},
    [ROWS_FLOWS_CHANGED] = {"changed_flows", 15, ST_FLOWS_CHANGED},
    [ROWS_SERVERS] = {"new_servers", 51, ST_SERVERS},
    [ROWS_SERVER_KEYS] = {"new_server_keys", 14, ST_SERVER_KEYS},
    [ROWS_SERVER_STACKS] = {"new_server_stacks", 17, ST_SERVER_STACKS},
    [ROWS_PAIRS_USUAL] = {"usual_pairs", 17, ST_PAIRS_USUAL},
    [ROWS_PAIRS] = {"new_pairs", 24, ST_PAIRS},
};

int
store_rows_open(struct store *s)
{
	for (unsigned i = 0; i < ROWS_KINDS; i++) {
		s->waiting[i] =
		    rows_new(s->db, waiting[i].name, waiting[i].columns);
		if (s->waiting[i] == NULL)
			return SQLITE_NOMEM;
	}
	return SQLITE_OK;
}

static int
put_rows(struct store *s, enum store_rows which, enum store_stmt how)
{
	struct binder b;
	int rc = store_stmt(s, how, &b);

	if (rc == SQLITE_OK)
		rc = store_step(&b);
	rows_clear(s->waiting[which]);
	return rc;
}

int
store_write_rows(struct store *s, enum store_rows which)
{
	if (rows_count(s->waiting[which]) == 0)
		return SQLITE_OK;
	return put_rows(s, which, waiting[which].put);
}

int
store_append_rows(
    struct store *s, enum store_rows which, enum store_stmt how, int64_t *last)
{
	unsigned n = rows_count(s->waiting[which]);
	int64_t first, end;
	bool follows;
	int rc;

	if (n == 0)
		return SQLITE_OK;
	first = rows_first_int(s->waiting[which]);
	end = first + n - 1;
	follows = first == *last + 1;
	*last = STORE_LAST_UNKNOWN;
	rc = put_rows(s, which, follows ? how : waiting[which].put);
	if (rc == SQLITE_OK && sqlite3_last_insert_rowid(s->db) != end)
		rc = SQLITE_CONSTRAINT; /* somebody else wrote rows */
	if (rc == SQLITE_OK)
		*last = end;
	return rc;
}

int
store_next_id(struct store *s, const char *table, int64_t *next)
{
	struct binder b;
	int rc = store_stmt(s, ST_LAST_ID, &b);

	*next = 1;
	if (rc != SQLITE_OK)
		return rc;
	bind_text(&b, table);
	if (sqlite3_step(b.st) == SQLITE_ROW)
		*next = sqlite3_column_int64(b.st, 0) + 1;
	return sqlite3_reset(b.st);
}

/* ---- batches ---- */

static int
run_insert(struct store *s)
{
	struct binder b;
	int rc = store_stmt(s, ST_RUN_BEGIN, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_int(&b, s->run_started);
	bind_text(&b, s->command != NULL ? s->command : "");
	bind_text(&b, s->rules != NULL ? s->rules : "");
	if ((rc = store_step(&b)) != SQLITE_OK)
		return rc;
	s->run = sqlite3_last_insert_rowid(s->db);
	s->run_batch = s->batch;
	return SQLITE_OK;
}

bool
store_is_down(const struct store *s)
{
	return s->down_until != 0 && store_monotonic_ms() < s->down_until;
}

/* Somebody else did since the last batch: their rows have numbers, too. */
static int
see_others(struct store *s)
{
	int64_t seen = s->data_version;
	struct binder b;
	int rc = store_stmt(s, ST_OTHERS_WROTE, &b);

	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_step(b.st) == SQLITE_ROW)
		s->data_version = sqlite3_column_int64(b.st, 0);
	if (s->data_version != seen)
		s->last_flow = s->last_alert = STORE_LAST_UNKNOWN;
	return sqlite3_reset(b.st);
}

int
store_begin(struct store *s)
{
	int rc;

	if (s->open)
		return SQLITE_OK;
	if (store_is_down(s))
		return SQLITE_ABORT;
	rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return rc;
	s->open = true;
	s->empty = false;
	s->rows = 0;
	s->batch++;
	s->batch_alerts = 0;
	s->batch_bytes = 0;
	s->since = store_monotonic_ms();
	rc = see_others(s);
	if (rc != SQLITE_OK)
		return rc;
	return s->run == 0 && s->command != NULL ? run_insert(s) : SQLITE_OK;
}

/* It works again: trouble may be told again, and after a quiet minute the
 * waiting starts small again. */
static void
recovered(struct store *s)
{
	uint64_t lost = s->counters.lost - s->lost_before;
	char text[512];

	if (s->down_until == 0)
		return;
	snprintf(text, sizeof(text),
	    "%s: can be written again after %lld s: %llu alerts were not "
	    "stored meanwhile",
	    s->path,
	    (long long)(store_monotonic_ms() - s->trouble_since + 999) / 1000,
	    (unsigned long long)lost);
	if (s->cfg.on_resumed != NULL)
		s->cfg.on_resumed(s->cfg.ctx, lost, text);
	s->trouble_since = 0;
	s->said = 0;
	s->down_until = 0;
	if (store_monotonic_ms() - s->down_since > QUIET)
		s->backoff = 0;
}

int
store_commit(struct store *s)
{
	int rc = SQLITE_OK;

	if (s->nsights != 0 && (rc = store_begin(s)) == SQLITE_OK)
		rc = store_write_sights(s);
	if (rc == SQLITE_OK && s->open)
		rc = store_write_alerts(s);
	if (rc == SQLITE_OK && s->open)
		rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		store_trouble(s, rc);
		return -1;
	}
	if (s->open) {
		s->counters.batches++;
		recovered(s);
	}
	s->open = false;
	return 0;
}

void
store_poll(struct store *s)
{
	if (!s->open)
		return;
	if (s->rows >= STORE_BATCH_ROWS || store_alerts_due(s) ||
	    store_monotonic_ms() - s->since >= STORE_BATCH_MS)
		store_commit(s);
}

void
store_flush(struct store *s)
{
	if (s->open || s->nsights != 0)
		store_commit(s);
}

/* ---- runs ---- */

void
store_run_begin(
    struct store *s, const char *command_line, const char *rules_path)
{
	int rc;

	free(s->command);
	free(s->rules);
	s->command = strdup(command_line != NULL ? command_line : "");
	s->rules = strdup(rules_path != NULL ? rules_path : "");
	s->run = 0;
	s->run_started = store_wall_ns();
	store_flush(s);
	if ((rc = store_begin(s)) != SQLITE_OK)
		store_trouble(s, rc);
	store_flush(s);
}

void
store_run_end(struct store *s, uint64_t packets, uint64_t bytes, uint64_t flows)
{
	struct binder b;
	int rc = store_begin(s);

	if (rc == SQLITE_OK &&
	    (rc = store_stmt(s, ST_RUN_END, &b)) == SQLITE_OK) {
		bind_int(&b, store_wall_ns());
		bind_int(&b, (int64_t)packets);
		bind_int(&b, (int64_t)bytes);
		bind_int(&b, (int64_t)flows);
		bind_int(&b, (int64_t)s->counters.alerts);
		bind_int(&b, (int64_t)s->counters.lost);
		bind_int(&b, s->run);
		rc = store_step(&b);
	}
	if (rc != SQLITE_OK)
		store_trouble(s, rc);
	store_flush(s);
}

static uint64_t
held(const struct store *s, int what)
{
	int now = 0, most = 0;

	(void)sqlite3_db_status(s->db, what, &now, &most, 0);
	return (uint64_t)now;
}

void
store_memory(const struct store *s, struct store_memory *out)
{
	uint64_t pages = held(s, SQLITE_DBSTATUS_CACHE_USED), ders = 0;
	uint64_t rest = held(s, SQLITE_DBSTATUS_SCHEMA_USED) +
			held(s, SQLITE_DBSTATUS_STMT_USED);

	for (unsigned i = 0; i < ROWS_KINDS; i++)
		rest += rows_room(s->waiting[i]);
	out->sqlite = (struct table_use){.entries = pages / STORE_PAGE_BYTES,
	    .bytes = pages + rest,
	    .max_bytes = STORE_CACHE_BYTES + rest};
	for (unsigned i = 0; i < STORE_CERT_SLOTS; i++)
		ders += s->sights[i].used ? table_alloc(s->sights[i].len) : 0;
	out->certs = (struct table_use){.entries = s->nsights,
	    .max_entries = STORE_CERT_SLOTS,
	    .bytes = sizeof(*s) + ders,
	    .max_bytes =
		sizeof(*s) + STORE_CERT_SLOTS * table_alloc(UINT16_MAX)};
}
