/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates: each once, with first and last sight. A busy server shows the
 * same ones on every connection, so sights are gathered in a small table and
 * written with the batch. Anybody can make certificates: when there are very
 * many, those not seen for longest go.
 */
#include "db/store_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
hex(char *dst, const uint8_t *src, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*dst++ = digits[src[i] >> 4];
		*dst++ = digits[src[i] & 15];
	}
	*dst = '\0';
}

static void
bind_facts(struct binder *b, const struct x509_facts *c)
{
	bind_text(b, c->subject);
	bind_text(b, c->issuer);
	bind_text(b, c->serial);
	bind_text(b, c->names);
	bind_int(b, c->not_before);
	bind_int(b, c->not_after);
	bind_int(b, c->key_type);
	bind_int(b, c->key_bits);
	bind_text(b, c->sig_name);
	bind_int(b, c->flags);
}

static int
write_facts(struct store *s, const struct store_sight *e, const char *sha,
    const struct x509_facts *facts)
{
	char spki[65];
	struct binder b;
	int rc = store_stmt(s, ST_CERT, &b);

	if (rc != SQLITE_OK)
		return rc;
	hex(spki, facts->spki_sha256, sizeof(facts->spki_sha256));
	bind_text(&b, sha);
	bind_text(&b, spki);
	bind_facts(&b, facts);
	bind_int(&b, e->trust);
	bind_text(&b, e->error);
	bind_int(&b, e->first);
	bind_text(&b, e->first_server);
	bind_int(&b, e->last);
	bind_text(&b, e->last_server);
	return store_step(&b);
}

static int
write_sight(struct store *s, const struct store_sight *e)
{
	struct x509_facts facts;
	char sha[65];
	struct binder b;
	int rc;

	if (x509_read((struct slice){e->der, e->len}, &facts) != 0)
		return SQLITE_OK; /* no certificate */
	hex(sha, e->sha256, sizeof(e->sha256));
	rc = write_facts(s, e, sha, &facts);
	if (rc == SQLITE_OK)
		rc = store_stmt(s, ST_CERT_DER, &b);
	if (rc != SQLITE_OK)
		return rc;
	bind_text(&b, sha);
	bind_int(&b, e->place);
	bind_int(&b, e->known);
	bind_int(&b, e->staple);
	bind_int(&b, e->scts);
	bind_blob(&b, e->der, e->len > STORE_DER_MAX ? 0 : e->len);
	s->rows += 2;
	return store_step(&b);
}

static void
release(struct store *s, struct store_sight *e)
{
	free(e->der);
	memset(e, 0, sizeof(*e));
	s->nsights--;
}

void
store_sights_free(struct store *s)
{
	for (unsigned i = 0; i < STORE_CERT_SLOTS; i++)
		free(s->sights[i].der);
}

/* ---- room ---- */

/* Some at a time, so that it need not be done for each. */
static int
drop_oldest(struct store *s, int64_t n)
{
	struct binder b;
	int rc = store_stmt(s, ST_CERTS_DROP, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_int(&b, n);
	rc = store_step(&b);
	if (rc == SQLITE_OK)
		rc = store_stmt(s, ST_CERT_DERS_DROP, &b);
	if (rc == SQLITE_OK)
		rc = store_step(&b);
	if (rc == SQLITE_OK)
		s->counters.certs_dropped += (uint64_t)n;
	return rc;
}

static int
keep_in_bounds(struct store *s)
{
	int64_t max =
	    s->cfg.max_certs != 0 ? s->cfg.max_certs : STORE_CERTS_MAX;
	struct binder b;
	int64_t n;
	int rc;

	if (s->unchecked < max / 16)
		return SQLITE_OK;
	s->unchecked = 0;
	if ((rc = store_stmt(s, ST_CERTS_COUNT, &b)) != SQLITE_OK)
		return rc;
	rc = sqlite3_step(b.st);
	n = rc == SQLITE_ROW ? sqlite3_column_int64(b.st, 0) : 0;
	sqlite3_reset(b.st);
	if (rc != SQLITE_ROW)
		return rc;
	return n > max ? drop_oldest(s, n - max + max / 16) : SQLITE_OK;
}

int
store_write_sights(struct store *s)
{
	int rc = SQLITE_OK;

	if (s->nsights == 0)
		return rc;
	for (unsigned i = 0; i < STORE_CERT_SLOTS && s->nsights != 0; i++) {
		if (!s->sights[i].used)
			continue;
		if ((rc = write_sight(s, &s->sights[i])) != SQLITE_OK)
			return rc;
		release(s, &s->sights[i]);
		s->unchecked++;
	}
	return keep_in_bounds(s);
}

/* ---- sights ---- */

static void
sight_again(struct store_sight *e, const struct store_sight *now)
{
	if (now->first < e->first) {
		e->first = now->first;
		memcpy(e->first_server, now->first_server, ENDPOINT_TEXT_MAX);
	}
	if (now->last >= e->last) {
		e->last = now->last;
		memcpy(e->last_server, now->last_server, ENDPOINT_TEXT_MAX);
	}
	if (now->place == 0) {
		e->trust = now->trust;
		memcpy(e->error, now->error, sizeof(e->error));
	}
	if (now->staple != STAPLE_NONE)
		e->staple = now->staple;
	e->scts |= now->scts;
	if (now->place < e->place)
		e->place = now->place;
	e->known |= now->known;
}

/* Makes room in the table: the slot is taken by another, or it is time. */
static void
write_due(struct store *s, const struct store_sight *slot)
{
	int rc = SQLITE_OK;

	if (slot->used || s->nsights >= STORE_CERT_DUE)
		if ((rc = store_begin(s)) == SQLITE_OK)
			rc = store_write_sights(s);
	if (rc != SQLITE_OK)
		store_trouble(s, rc);
}

static void
note_sight(struct store *s, const struct store_sight *now, struct slice der)
{
	struct store_sight *e = &s->sights[now->sha256[0] % STORE_CERT_SLOTS];

	if (e->used && memcmp(e->sha256, now->sha256, 32) == 0) {
		sight_again(e, now);
		return;
	}
	write_due(s, e);
	if (e->used)
		return; /* could not be written, as told */
	*e = *now;
	e->der = malloc(der.len);
	if (e->der == NULL) {
		e->used = false;
		return;
	}
	memcpy(e->der, der.p, der.len);
	e->len = der.len;
	s->nsights++;
	s->counters.certs++;
}

static uint8_t
ways(const struct chain_verdict *v, bool in_handshake)
{
	return (uint8_t)((v->staple_scts != 0 ? SCT_IN_STAPLE : 0) |
			 (in_handshake ? SCT_IN_HANDSHAKE : 0));
}

void
store_chain(struct store *s, const struct store_chain *c,
    const struct obs_flow *flow, int64_t time)
{
	const struct chain_verdict *v = c->verdict;
	struct store_sight now;

	for (unsigned i = 0; i < c->n && i < X509_CHAIN_MAX; i++) {
		if (c->der[i].len == 0 || c->der[i].len > X509_DER_MAX)
			continue;
		memset(&now, 0, sizeof(now));
		now.used = true;
		memcpy(
		    now.sha256, i == 0 ? v->leaf.sha256 : v->others[i - 1], 32);
		now.place =
		    (uint8_t)(i + (c->of_client ? STORE_PLACE_CLIENT : 0));
		now.known = (v->on_path >> i & 1) != 0;
		now.first = now.last = time;
		endpoint_to_text(
		    now.first_server, &flow->server, flow->server_port);
		memcpy(now.last_server, now.first_server, ENDPOINT_TEXT_MAX);
		if (i == 0) {
			now.trust = v->trust;
			now.staple = v->staple;
			now.scts = ways(v, c->scts != 0);
			snprintf(now.error, sizeof(now.error), "%s", v->error);
		}
		note_sight(s, &now, c->der[i]);
	}
}

static int
write_staple(struct store *s, const struct chain_verdict *v)
{
	char sha[65];
	struct binder b;
	int rc = store_begin(s);

	if (rc == SQLITE_OK)
		rc = store_stmt(s, ST_CERT_STAPLE, &b);
	if (rc != SQLITE_OK)
		return rc;
	hex(sha, v->leaf.sha256, 32);
	bind_int(&b, v->staple);
	bind_int(&b, ways(v, false));
	bind_text(&b, sha);
	s->rows++;
	return store_step(&b);
}

void
store_staple(struct store *s, const struct chain_verdict *v)
{
	const uint8_t *sha256 = v->leaf.sha256;
	struct store_sight *e = &s->sights[sha256[0] % STORE_CERT_SLOTS];
	int rc;

	if (e->used && memcmp(e->sha256, sha256, 32) == 0) {
		e->staple = v->staple;
		e->scts |= ways(v, false);
		return;
	}
	if ((rc = write_staple(s, v)) != SQLITE_OK)
		store_trouble(s, rc);
}

int
store_each_known(
    struct store *s, void (*fn)(void *ctx, struct slice der), void *ctx)
{
	static const char sql[] =
	    "SELECT der FROM certificate_der JOIN certificates USING (sha256) "
	    "WHERE known AND length(der) > 0 ORDER BY last DESC LIMIT 512";
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return -1;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		fn(ctx, (struct slice){sqlite3_column_blob(st, 0),
			    (size_t)sqlite3_column_bytes(st, 0)});
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? 0 : -1;
}
