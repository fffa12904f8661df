/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates: each once, with first and last sight. A busy server shows the
 * same ones on every connection, so sights are gathered in a small table and
 * written with the batch; those that were written stay in it, so that what
 * they say is read once (OpenSSL takes 100 us to parse one; of a leaf the
 * verifier did it) and after that only the last sight is brought up to date. Anybody can make certificates: when
 * there are very many, those not seen for longest go.
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

/* What the row of its DER says of it. */
static uint32_t
der_state(const struct store_sight *e)
{
	return (uint32_t)e->place << 24 | (uint32_t)e->known << 16 |
	       (uint32_t)e->staple << 8 | e->scts;
}

static int
write_der(struct store *s, const struct store_sight *e, const char *sha)
{
	struct binder b;
	int rc = store_stmt(s, ST_CERT_DER, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_text(&b, sha);
	bind_int(&b, e->place);
	bind_int(&b, e->known);
	bind_int(&b, e->staple);
	bind_int(&b, e->scts);
	bind_blob(&b, e->der, e->len > STORE_DER_MAX ? 0 : e->len);
	s->rows++;
	return store_step(&b);
}

/* Its row is there already. *gone: it was, and has been dropped. */
static int
write_again(
    struct store *s, const struct store_sight *e, const char *sha, bool *gone)
{
	struct binder b;
	int rc = store_stmt(s, ST_CERT_AGAIN, &b);

	if (rc != SQLITE_OK)
		return rc;
	bind_int(&b, e->trust);
	bind_text(&b, e->error);
	bind_int(&b, e->first);
	bind_text(&b, e->first_server);
	bind_int(&b, e->last);
	bind_text(&b, e->last_server);
	bind_text(&b, sha);
	s->rows++;
	rc = store_step(&b);
	*gone = rc == SQLITE_OK && sqlite3_changes(s->db) == 0;
	if (rc == SQLITE_OK && !*gone && der_state(e) != e->as_written)
		rc = write_der(s, e, sha);
	return rc;
}

/* -1: no certificate. */
static int
read_facts(const struct store_sight *e, struct x509_facts *facts)
{
	if (e->facts == NULL)
		return x509_read((struct slice){e->der, e->len}, facts);
	*facts = *e->facts;
	return 0;
}

static int
write_sight(struct store *s, struct store_sight *e)
{
	struct x509_facts facts;
	bool gone = true;
	char sha[65];
	int rc = SQLITE_OK;

	hex(sha, e->sha256, sizeof(e->sha256));
	if (e->written)
		rc = write_again(s, e, sha, &gone);
	if (rc == SQLITE_OK && gone) {
		if (read_facts(e, &facts) != 0)
			return SQLITE_OK; /* no certificate */
		rc = write_facts(s, e, sha, &facts);
		s->rows++;
		s->unchecked++;
		if (rc == SQLITE_OK)
			rc = write_der(s, e, sha);
	}
	e->written = rc == SQLITE_OK;
	e->as_written = der_state(e);
	if (e->written) {
		free(e->facts);
		e->facts = NULL;
	}
	return rc;
}

void
store_sights_free(struct store *s)
{
	for (unsigned i = 0; i < STORE_CERT_SLOTS; i++) {
		free(s->sights[i].der);
		free(s->sights[i].facts);
	}
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
		if (!s->sights[i].due)
			continue;
		if ((rc = write_sight(s, &s->sights[i])) != SQLITE_OK)
			return rc;
		s->sights[i].due = false;
		s->nsights--;
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

/* The i-th of the slots in which it may stand. */
static struct store_sight *
slot_of(struct store *s, const uint8_t sha256[32], unsigned i)
{
	unsigned set = sha256[0] % (STORE_CERT_SLOTS / STORE_CERT_WAYS);

	return &s->sights[set * STORE_CERT_WAYS + i % STORE_CERT_WAYS];
}

static struct store_sight *
find_sight(struct store *s, const uint8_t sha256[32])
{
	for (unsigned i = 0; i < STORE_CERT_WAYS; i++) {
		struct store_sight *e = slot_of(s, sha256, i);

		if (e->used && memcmp(e->sha256, sha256, 32) == 0)
			return e;
	}
	return NULL;
}

/* One that is free, or was written; in turns. */
static struct store_sight *
find_room(struct store *s, const uint8_t sha256[32])
{
	struct store_sight *clean = NULL;

	for (unsigned i = 0; i < STORE_CERT_WAYS; i++) {
		struct store_sight *e = slot_of(s, sha256, s->next_way + i);

		if (!e->used)
			return e;
		if (clean == NULL && !e->due)
			clean = e;
	}
	s->next_way++;
	return clean;
}

static void
write_due(struct store *s)
{
	int rc = store_begin(s);

	if (rc == SQLITE_OK)
		rc = store_write_sights(s);
	if (rc != SQLITE_OK)
		store_trouble(s, rc);
}

static void
mark_due(struct store *s, struct store_sight *e)
{
	s->nsights += !e->due;
	e->due = true;
}

/* facts: of a leaf, or NULL. */
static void
note_sight(struct store *s, const struct store_sight *now, struct slice der,
    const struct x509_facts *facts)
{
	struct store_sight *e = find_sight(s, now->sha256);
	uint8_t *copy;

	if (e != NULL) {
		sight_again(e, now);
		mark_due(s, e);
		return;
	}
	e = find_room(s, now->sha256);
	if (e == NULL || s->nsights >= STORE_CERT_DUE) {
		write_due(s);
		e = find_room(s, now->sha256);
	}
	copy = e != NULL ? malloc(der.len) : NULL;
	if (copy == NULL)
		return; /* could not be written, as told */
	free(e->der);
	free(e->facts);
	*e = *now;
	e->facts = facts != NULL ? malloc(sizeof(*facts)) : NULL;
	if (e->facts != NULL)
		*e->facts = *facts;
	e->der = copy;
	memcpy(e->der, der.p, der.len);
	e->len = der.len;
	mark_due(s, e);
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
		note_sight(s, &now, c->der[i],
		    i == 0 && v->trust != TRUST_MALFORMED ? &v->leaf : NULL);
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
	struct store_sight *e = find_sight(s, sha256);
	int rc;

	if (e != NULL) {
		e->staple = v->staple;
		e->scts |= ways(v, false);
		mark_due(s, e);
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
