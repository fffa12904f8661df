/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads alerts back.
 *
 * A database in WAL mode wants a shared-memory file beside it even of a
 * reader. Where the folder cannot be written and no writer is at work (there
 * is no WAL), the file cannot change under us and is opened as immutable.
 */
#include "db/query.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/history_sqlite.h"
#include "db/ladder_blob.h"
#include "db/query_priv.h"
#include "db/store_priv.h"

#define SQL_MAX 2048
/* What the views alerts and flows are made of. */
#define TABLES                                                 \
	"alert_rows a LEFT JOIN alert_kinds k ON k.id=a.kind " \
	"LEFT JOIN flow_rows f ON f.n=a.flow "
#define URI_MAX 4200 /* a path, each byte as %xx at worst: PATH_MAX fits */

/* Columns of the row, read in order. */
struct columns {
	sqlite3_stmt *st;
	int n;
};

void
query_filter_init(struct query_filter *f)
{
	memset(f, 0, sizeof(*f));
	f->since = f->until = QUERY_NO_TIME;
}

/* ---- open ---- */

void
query_explain(const struct query *q, int rc, char *err, size_t errlen)
{
	const char *why = sqlite3_errmsg(q->db);

	switch (rc & 0xff) {
	case SQLITE_NOTADB:
		snprintf(err, errlen,
		    "%s: is not a database: name the one that `stripwire "
		    "read` wrote with -d",
		    q->path);
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		snprintf(err, errlen,
		    "%s: is locked by another program: try again when that "
		    "one has ended",
		    q->path);
		break;
	case SQLITE_CORRUPT:
		snprintf(err, errlen,
		    "%s: is damaged (%s): restore it from a backup", q->path,
		    why);
		break;
	default:
		snprintf(err, errlen, "%s: cannot be read (%s)", q->path, why);
	}
}

static int
check_file(const char *path, char *err, size_t errlen)
{
	struct stat st;

	if (stat(path, &st) == -1 && errno == ENOENT) {
		snprintf(err, errlen,
		    "%s: no such database: `stripwire read` makes it, or name "
		    "another with -d",
		    path);
		return -1;
	}
	if (access(path, R_OK) == -1) {
		snprintf(err, errlen, "%s: cannot be read (%s)", path,
		    strerror(errno));
		return -1;
	}
	if (S_ISDIR(st.st_mode)) {
		snprintf(err, errlen, "%s: is a folder, not a database", path);
		return -1;
	}
	return 0;
}

static int
ask_int(struct query *q, const char *sql, int64_t *out)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(q->db, sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_step(st) == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	return sqlite3_finalize(st);
}

static int
immutable_uri(char uri[URI_MAX], const char *path)
{
	char *full = realpath(path, NULL);
	size_t n = (size_t)snprintf(uri, URI_MAX, "file:");

	if (full == NULL)
		return -1;
	for (const char *p = full; *p != '\0' && n < URI_MAX - 16; p++) {
		if (strchr("?#%", *p) != NULL)
			n += (size_t)snprintf(
			    uri + n, 4, "%%%02X", (unsigned char)*p);
		else
			uri[n++] = *p;
	}
	snprintf(uri + n, URI_MAX - n, "?immutable=1");
	free(full);
	return 0;
}

static bool
has_wal(const char *path)
{
	char wal[PATH_MAX];
	struct stat st;

	snprintf(wal, sizeof(wal), "%s-wal", path);
	return stat(wal, &st) == 0 && st.st_size > 0;
}

static int
open_db(struct query *q)
{
	char uri[URI_MAX];
	int64_t n;
	int rc = sqlite3_open_v2(q->path, &q->db, SQLITE_OPEN_READONLY, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(q->db, STORE_BUSY_MS);
		rc = ask_int(q, "PRAGMA schema_version", &n);
	}
	if ((rc & 0xff) != SQLITE_CANTOPEN && (rc & 0xff) != SQLITE_READONLY)
		return rc;
	if (has_wal(q->path) || immutable_uri(uri, q->path) == -1)
		return rc;
	sqlite3_close(q->db);
	return sqlite3_open_v2(
	    uri, &q->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
}

static int
check_ours(struct query *q, char *err, size_t errlen)
{
	int64_t app = 0, version = 0;
	int rc = ask_int(q, "PRAGMA application_id", &app);

	if (rc == SQLITE_OK)
		rc = ask_int(q, "PRAGMA user_version", &version);
	if (rc != SQLITE_OK) {
		query_explain(q, rc, err, errlen);
		return -1;
	}
	if (app != STORE_APPLICATION_ID) {
		snprintf(err, errlen,
		    "%s: is not a database of Stripwire: name another with -d",
		    q->path);
		return -1;
	}
	if (version > STORE_SCHEMA_VERSION) {
		snprintf(err, errlen,
		    "%s: written by a newer version (schema %lld, this program "
		    "knows %d): use the newer program or another -d",
		    q->path, (long long)version, STORE_SCHEMA_VERSION);
		return -1;
	}
	if (version < STORE_SCHEMA_VERSION) {
		snprintf(err, errlen,
		    "%s: written by an older version (schema %lld, this is "
		    "%d): `stripwire read` brings it up to date",
		    q->path, (long long)version, STORE_SCHEMA_VERSION);
		return -1;
	}
	return 0;
}

struct query *
query_open(const char *path, char *err, size_t errlen)
{
	struct query *q;
	int rc;

	if (check_file(path, err, errlen) == -1)
		return NULL;
	q = calloc(1, sizeof(*q));
	if (q == NULL || (q->path = strdup(path)) == NULL) {
		snprintf(err, errlen, "%s: out of memory", path);
		free(q);
		return NULL;
	}
	if ((rc = open_db(q)) != SQLITE_OK)
		query_explain(q, rc, err, errlen);
	else if (check_ours(q, err, errlen) == -1)
		rc = SQLITE_ERROR;
	else if ((rc = sqlite3_exec(q->db, "BEGIN", NULL, NULL, NULL)) !=
		 SQLITE_OK)
		query_explain(q, rc, err, errlen);
	if (rc == SQLITE_OK)
		return q;
	query_close(q);
	return NULL;
}

void
query_close(struct query *q)
{
	if (q == NULL)
		return;
	sqlite3_close(q->db);
	free(q->path);
	free(q);
}

int
query_history(struct query *q, struct history *h, char *err, size_t errlen)
{
	int rc = history_sqlite_load(q->db, h);

	if (rc == SQLITE_OK)
		return 0;
	query_explain(q, rc, err, errlen);
	return -1;
}

/* ---- rows ---- */

static int64_t
col_int(struct columns *c)
{
	return sqlite3_column_int64(c->st, c->n++);
}

static const char *
col_str(struct columns *c)
{
	const char *s = (const char *)sqlite3_column_text(c->st, c->n++);

	return s != NULL ? s : "";
}

static void
col_text(struct columns *c, char *dst, size_t cap)
{
	snprintf(dst, cap, "%s", col_str(c));
}

static void
read_evidence(struct finding *f, const char *text)
{
	json_t *list = json_loads(text, 0, NULL);
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n && i < FINDING_EVIDENCE_MAX; i++) {
		json_t *e = json_array_get(list, i);
		const char *s = json_string_value(json_array_get(e, 1));

		f->evidence[i].weight =
		    (int16_t)json_integer_value(json_array_get(e, 0));
		snprintf(f->evidence[i].text, sizeof(f->evidence[i].text), "%s",
		    s != NULL ? s : "");
		f->nevidence++;
	}
	json_decref(list);
}

static uint32_t
read_tags(const char *text)
{
	char name[64];
	uint32_t tags = 0;
	size_t n;

	for (; *text != '\0'; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		snprintf(name, sizeof(name), "%.*s", (int)n, text);
		tags |= evidence_tag_by_name(name);
	}
	return tags;
}

static uint8_t
read_proto(const char *name)
{
	for (unsigned p = 0; p < PROTO_COUNT; p++)
		if (strcmp(proto_name((enum proto)p), name) == 0)
			return (uint8_t)p;
	return PROTO_UNKNOWN;
}

static void
read_vlan(struct obs_flow *f, const char *text)
{
	unsigned a = 0, b = 0;
	int n = sscanf(text, "%u,%u", &a, &b);

	f->nvlan = n > 0 ? (uint8_t)n : 0;
	f->vlan[0] = (uint16_t)a;
	f->vlan[1] = (uint16_t)b;
}

static void
read_addr(struct addr *a, const char *text)
{
	if (addr_from_text(a, text) == -1)
		memset(a, 0, sizeof(*a));
}

static const char flow_columns[] =
    "coalesce(f.id, 0), f.start, f.client, f.client_port, f.server, "
    "f.server_port, f.v6, "
    "f.vlan, f.proto, f.implicit_tls, f.client_ttl, f.server_ttl, "
    "f.server_name";

static void
read_flow(struct columns *c, struct alert *a)
{
	struct obs_flow *f = &a->flow;

	f->public_id = (uint64_t)col_int(c);
	f->start = col_int(c);
	read_addr(&f->client, col_str(c));
	f->client_port = (uint16_t)col_int(c);
	read_addr(&f->server, col_str(c));
	f->server_port = (uint16_t)col_int(c);
	f->v6 = col_int(c) != 0;
	read_vlan(f, col_str(c));
	a->proto = read_proto(col_str(c));
	a->implicit_tls = col_int(c) != 0;
	f->client_ttl = (uint8_t)col_int(c);
	f->server_ttl = (uint8_t)col_int(c);
	col_text(c, a->server_name, sizeof(a->server_name));
}

static const char rule_columns[] =
    "k.gid, k.sid, k.rev, k.severity, k.msg, k.classtype, k.reference";

static void
read_rule(struct columns *c, struct alert *a)
{
	int64_t severity;

	a->gid = (uint32_t)col_int(c);
	a->sid = (uint32_t)col_int(c);
	a->rev = (uint32_t)col_int(c);
	severity = col_int(c);
	a->severity = severity < 0 || severity > SEV_CRITICAL
			  ? SEV_INFO
			  : (uint8_t)severity;
	col_text(c, a->msg, sizeof(a->msg));
	col_text(c, a->classtype, sizeof(a->classtype));
	col_text(c, a->reference, sizeof(a->reference));
}

static const char finding_columns[] =
    "a.time, a.confidence, k.tags, a.visibility, a.user, a.mech, "
    "a.cert_sha256, a.cause, a.advice, a.evidence, a.ladder";

static void
read_finding(struct columns *c, struct alert *a)
{
	struct finding *f = &a->finding;
	const void *ladder;

	f->time = col_int(c);
	f->confidence = (uint8_t)col_int(c);
	f->tags = read_tags(col_str(c));
	f->vis = (uint32_t)col_int(c);
	col_text(c, f->user, sizeof(f->user));
	col_text(c, f->mech, sizeof(f->mech));
	col_text(c, f->cert_sha256, sizeof(f->cert_sha256));
	col_text(c, f->where, sizeof(f->where));
	col_text(c, f->advice, sizeof(f->advice));
	read_evidence(f, col_str(c));
	ladder = sqlite3_column_blob(c->st, c->n);
	/* what is damaged is simply not shown */
	if (ladder_decode(
		a, ladder, (size_t)sqlite3_column_bytes(c->st, c->n)) == -1)
		a->finding.flow = 0;
	c->n++;
}

static void
read_row(sqlite3_stmt *st, struct query_row *row)
{
	struct columns c = {st, 0};

	memset(row, 0, sizeof(*row));
	row->id = col_int(&c);
	row->run = col_int(&c);
	row->stored = col_int(&c);
	row->alert.incident = col_int(&c);
	row->status = (int)col_int(&c);
	row->closed_as = col_str(&c);
	row->finding = col_str(&c);
	row->capture = col_str(&c);
	row->cert_subject = col_str(&c);
	row->cert_issuer = col_str(&c);
	row->cert_from = col_int(&c);
	row->cert_to = col_int(&c);
	read_flow(&c, &row->alert);
	read_rule(&c, &row->alert);
	read_finding(&c, &row->alert);
	row->alert.finding.id = (uint16_t)finding_by_name(row->finding);
}

/* ---- the question ---- */

static void
build_sql(char sql[SQL_MAX], const struct query_filter *f)
{
	static const char *const orders[] = {[QUERY_BY_TIME] = "a.time, a.id",
	    [QUERY_BY_SEVERITY] = "k.severity DESC, a.time, a.id"};
	const char *newest =
	    f->limit != 0 ? " AND a.id IN (SELECT a.id FROM " TABLES "WHERE "
			  : "";
	char where[512];

	snprintf(where, sizeof(where), "1%s%s%s%s%s%s%s%s%s",
	    f->id != 0 ? " AND a.id=?1" : "",
	    f->run != 0 ? " AND a.run=?2" : "",
	    f->incident != 0 ? " AND a.incident=?9" : "",
	    f->open_only ? " AND a.status<2" : "",
	    f->since != QUERY_NO_TIME ? " AND a.time>=?3" : "",
	    f->until != QUERY_NO_TIME ? " AND a.time<?4" : "",
	    f->finding != NULL ? " AND k.finding=?5" : "",
	    f->min_severity > 0 ? " AND k.severity>=?6" : "",
	    f->host != NULL ? " AND (f.client=?7 OR f.server=?7 OR "
			      "f.server_name=?7 COLLATE NOCASE)"
			    : "");
	snprintf(sql, SQL_MAX,
	    "SELECT a.id, a.run, r.started, a.incident, a.status, a.closed_as, "
	    "k.finding, c.path, x.subject, "
	    "x.issuer, x.not_before, x.not_after, %s, %s, %s "
	    "FROM " TABLES "LEFT JOIN runs r ON r.id=a.run "
	    "LEFT JOIN captures c ON c.id=a.capture "
	    "LEFT JOIN certificates x ON x.sha256=a.cert_sha256 "
	    "WHERE %s%s%s%s ORDER BY %s",
	    flow_columns, rule_columns, finding_columns, where, newest,
	    f->limit != 0 ? where : "",
	    f->limit != 0 ? " ORDER BY a.time DESC, a.id DESC LIMIT ?8)" : "",
	    orders[f->order]);
}

static void
bind_filter(
    sqlite3_stmt *st, const struct query_filter *f, char host[ADDR_TEXT_MAX])
{
	const char *h = f->host;
	struct addr a;

	/* ::FFFF:192.0.2.1 and 2001:DB8::1 as they stand in the table */
	if (h != NULL && addr_from_text(&a, h) == 0)
		h = addr_to_text(host, &a);
	/* a parameter that does not occur is refused, which is fine */
	sqlite3_bind_int64(st, 1, f->id);
	sqlite3_bind_int64(st, 2, f->run);
	sqlite3_bind_int64(st, 3, f->since);
	sqlite3_bind_int64(st, 4, f->until);
	sqlite3_bind_text(st, 5, f->finding, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 6, f->min_severity);
	sqlite3_bind_text(st, 7, h, -1, SQLITE_STATIC);
	sqlite3_bind_int64(
	    st, 8, f->limit > INT64_MAX ? INT64_MAX : (int64_t)f->limit);
	sqlite3_bind_int64(st, 9, f->incident);
}

static int64_t
each_row(sqlite3_stmt *st, query_row_fn fn, void *ctx)
{
	struct query_row row;
	int64_t n = 0;

	while (sqlite3_step(st) == SQLITE_ROW) {
		read_row(st, &row);
		n++;
		if (fn(ctx, &row) != 0)
			break;
	}
	return n;
}

int64_t
query_each(struct query *q, const struct query_filter *f, query_row_fn fn,
    void *ctx, char *err, size_t errlen)
{
	char sql[SQL_MAX], host[ADDR_TEXT_MAX];
	sqlite3_stmt *st;
	int64_t n = -1;
	int rc;

	build_sql(sql, f);
	rc = sqlite3_prepare_v2(q->db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK) {
		bind_filter(st, f, host);
		n = each_row(st, fn, ctx);
		rc = sqlite3_finalize(st);
	}
	if (rc == SQLITE_OK)
		return n;
	query_explain(q, rc, err, errlen);
	return -1;
}

int64_t
query_alerts(const char *path, const struct query_filter *f, query_row_fn fn,
    void *ctx, char *err, size_t errlen)
{
	struct query *q = query_open(path, err, errlen);
	int64_t n;

	if (q == NULL)
		return -1;
	n = query_each(q, f, fn, ctx, err, errlen);
	query_close(q);
	return n;
}
