/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads certificates back.
 */
#include "db/query_cert.h"

#include <stdio.h>
#include <string.h>

#include "db/addr_text.h"
#include "db/query_priv.h"

static const char question[] =
    "SELECT c.sha256, spki_sha256, subject, issuer, serial, names, signature, "
    "error, first_server, last_server, not_before, not_after, first, last, "
    "key_type, key_bits, trust, flags, place, staple, scts, der "
    "FROM certificates c LEFT JOIN certificate_der d ON d.sha256=c.sha256 "
    "WHERE (?1 IS NULL OR substr(c.sha256, 1, length(?1))=?1) "
    "AND (?2 IS NULL OR instr(char(10)||names||char(10), "
    "char(10)||lower(?2)||char(10)) OR "
    "substr(first_server, 1, length(?3))=?3 OR "
    "substr(last_server, 1, length(?3))=?3) "
    "AND (NOT ?4 OR ifnull(place, 0)=0) ORDER BY first, c.sha256";

static const char *
text(sqlite3_stmt *st, int column)
{
	const char *s = (const char *)sqlite3_column_text(st, column);

	return s != NULL ? s : "";
}

static void
read_row(sqlite3_stmt *st, struct query_cert *c)
{
	c->sha256 = text(st, 0);
	c->spki_sha256 = text(st, 1);
	c->subject = text(st, 2);
	c->issuer = text(st, 3);
	c->serial = text(st, 4);
	c->names = text(st, 5);
	c->signature = text(st, 6);
	c->error = text(st, 7);
	c->first_server = text(st, 8);
	c->last_server = text(st, 9);
	c->not_before = sqlite3_column_int64(st, 10);
	c->not_after = sqlite3_column_int64(st, 11);
	c->first = sqlite3_column_int64(st, 12);
	c->last = sqlite3_column_int64(st, 13);
	c->key_type = sqlite3_column_int(st, 14);
	c->key_bits = sqlite3_column_int(st, 15);
	c->trust = sqlite3_column_int(st, 16);
	c->flags = (uint32_t)sqlite3_column_int64(st, 17);
	c->place = sqlite3_column_int(st, 18);
	c->staple = sqlite3_column_int(st, 19);
	c->scts = sqlite3_column_int(st, 20);
	c->der = (struct slice){
	    sqlite3_column_blob(st, 21), (size_t)sqlite3_column_bytes(st, 21)};
}

/* "192.0.2.1:" is what the servers at that address begin with. */
static void
server_prefix(char out[ENDPOINT_TEXT_MAX + 1], const char *host)
{
	struct addr a;
	char *colon;

	out[0] = '\0';
	if (host == NULL || addr_from_text(&a, host) == -1) {
		out[0] = '?'; /* of no server */
		out[1] = '\0';
		return;
	}
	colon = strrchr(endpoint_to_text(out, &a, 0), ':');
	colon[1] = '\0';
}

int64_t
query_certs(struct query *q, const struct query_cert_filter *f,
    query_cert_fn fn, void *ctx, char *err, size_t errlen)
{
	char server[ENDPOINT_TEXT_MAX + 1];
	struct query_cert row;
	sqlite3_stmt *st;
	int64_t n = 0;
	int rc = sqlite3_prepare_v2(q->db, question, -1, &st, NULL);

	if (rc == SQLITE_OK) {
		server_prefix(server, f->host);
		sqlite3_bind_text(st, 1, f->sha256, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 2, f->host, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 3, server, -1, SQLITE_STATIC);
		sqlite3_bind_int(st, 4, f->servers_only);
		while (sqlite3_step(st) == SQLITE_ROW) {
			read_row(st, &row);
			n++;
			if (fn(ctx, &row) != 0)
				break;
		}
		rc = sqlite3_finalize(st);
	}
	if (rc == SQLITE_OK)
		return n;
	query_explain(q, rc, err, errlen);
	return -1;
}
