/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates: each once, with first and last sight. A busy server shows the
 * same one on every connection, so sights are gathered in a small table and
 * written with the batch.
 */
#include "db/store_priv.h"

#include <stdio.h>
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
write_sight(struct store *s, const struct store_sight *e)
{
	char sha[65], spki[65];
	struct binder b;
	int rc = store_stmt(s, ST_CERT, &b);

	if (rc != SQLITE_OK)
		return rc;
	hex(sha, e->leaf.sha256, sizeof(e->leaf.sha256));
	hex(spki, e->leaf.spki_sha256, sizeof(e->leaf.spki_sha256));
	bind_text(&b, sha);
	bind_text(&b, spki);
	bind_facts(&b, &e->leaf);
	bind_int(&b, e->trust);
	bind_text(&b, e->error);
	bind_int(&b, e->first);
	bind_text(&b, e->first_server);
	bind_int(&b, e->last);
	bind_text(&b, e->last_server);
	return store_step(&b);
}

int
store_write_sights(struct store *s)
{
	int rc = SQLITE_OK;

	for (unsigned i = 0; i < STORE_CERT_SLOTS && s->nsights != 0; i++) {
		if (!s->sights[i].used)
			continue;
		if ((rc = write_sight(s, &s->sights[i])) != SQLITE_OK)
			return rc;
		s->sights[i].used = false;
		s->nsights--;
		s->rows++;
	}
	return rc;
}

static void
sight_new(struct store *s, struct store_sight *e, const struct chain_verdict *v,
    const char *server, int64_t time)
{
	e->used = true;
	e->leaf = v->leaf;
	e->trust = v->trust;
	memcpy(e->error, v->error, sizeof(e->error));
	e->error[sizeof(e->error) - 1] = '\0';
	e->first = e->last = time;
	memcpy(e->first_server, server, ENDPOINT_TEXT_MAX);
	memcpy(e->last_server, server, ENDPOINT_TEXT_MAX);
	s->nsights++;
	s->counters.certs++;
}

static void
sight_again(struct store_sight *e, const char *server, int64_t time)
{
	if (time < e->first) {
		e->first = time;
		memcpy(e->first_server, server, ENDPOINT_TEXT_MAX);
	}
	if (time >= e->last) {
		e->last = time;
		memcpy(e->last_server, server, ENDPOINT_TEXT_MAX);
	}
}

void
store_cert(struct store *s, const struct chain_verdict *v,
    const struct obs_flow *flow, int64_t time)
{
	struct store_sight *e =
	    &s->sights[v->leaf.sha256[0] % STORE_CERT_SLOTS];
	char server[ENDPOINT_TEXT_MAX] = "";
	int rc = SQLITE_OK;

	if (v->trust == TRUST_MALFORMED || v->count == 0)
		return;
	endpoint_to_text(server, &flow->server, flow->server_port);
	if (e->used && memcmp(e->leaf.sha256, v->leaf.sha256, 32) == 0) {
		sight_again(e, server, time);
		return;
	}
	/* the slot is taken by another, or it is time: write them all */
	if (e->used || s->nsights >= STORE_CERT_DUE)
		if ((rc = store_begin(s)) == SQLITE_OK)
			rc = store_write_sights(s);
	if (rc != SQLITE_OK)
		store_trouble(s, rc);
	if (e->used)
		return; /* could not be written, as told */
	sight_new(s, e, v, server, time);
}
