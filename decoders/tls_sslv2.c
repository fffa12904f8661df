/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SSLv2, as far as it is met: a ClientHello in its form, sent by old clients
 * to servers of any version (RFC 5246 appendix E.2), and the rare server that
 * answers in it.
 *
 *	record:  1 length:15 body   or   0 escape:1 length:14 padding:8 body
 *
 * After a v2 ServerHello nothing but lengths is looked at: the client's
 * master key (clear) and finished (encrypted), the server's verify. Two more
 * records of the client and one of the server pass for a complete handshake.
 */
#include "decoders/tls_private.h"

#include <string.h>

#define V2_CLIENT_HELLO 1
#define V2_SERVER_HELLO 4

static void
on_v2_client_hello(struct tls *t, const struct tls_at *at, struct slice body)
{
	struct obs o;

	tls_obs(t, &o, OBS_TLS_CLIENT_HELLO, at);
	if (tls_read_v2_client_hello(body, &o.u.hello) != TLS_READ_OK) {
		tls_report(t, at, "BAD-HELLO");
		return;
	}
	tls_emit(t, &o);
}

static void
on_v2_server_hello(struct tls *t, const struct tls_at *at, struct slice body)
{
	struct tls_chain chain = {.count = 1, .nder = 1};
	struct obs o;

	tls_obs(t, &o, OBS_TLS_SERVER_HELLO, at);
	if (tls_read_v2_server_hello(body, &o.u.hello, &chain.der[0]) !=
	    TLS_READ_OK) {
		tls_report(t, at, "BAD-HELLO");
		return;
	}
	t->v2 = 1;
	t->version = TLS_SSL2;
	t->resumed = o.u.hello.resumed;
	tls_emit(t, &o);
	chain.list = chain.der[0];
	if (chain.list.len > 0)
		tls_chain_seen(t, at, &chain);
}

static void
on_v2_message(struct tls *t, const struct tls_at *at, struct slice body)
{
	if (at->dir == DIR_C2S && body.p[0] == V2_CLIENT_HELLO)
		on_v2_client_hello(t, at, body);
	else if (at->dir == DIR_S2C && body.p[0] == V2_SERVER_HELLO)
		on_v2_server_hello(t, at, body);
	else
		tls_report(t, at, "BAD-HELLO");
}

static void
v2_record_end(struct tls *t, const struct tls_at *at)
{
	struct tls_side *s = &t->side[at->dir];

	s->nhead = 0;
	s->nrecords++;
	t->env->n.tls_records++;
	if (!t->v2)
		return;
	if (t->done && at->dir == DIR_C2S)
		tls_client_data(t, at);
	if (s->nrecords > (at->dir == DIR_C2S ? 2u : 1u))
		s->finished = 1;
	tls_check_done(t, at);
}

static void
v2_record_begin(struct tls_side *s)
{
	if (s->head[0] & 0x80)
		s->left = (uint16_t)((s->head[0] & 0x7f) << 8 | s->head[1]);
	else
		s->left = (uint16_t)((s->head[0] & 0x3f) << 8 | s->head[1]);
	s->mlen = s->left;
	s->mhave = 0;
}

static unsigned
header_length(const struct tls_side *s)
{
	return s->nhead == 0 || s->head[0] & 0x80 ? 2 : 3;
}

static size_t
v2_body(struct tls *t, const struct tls_at *at, struct slice bytes)
{
	struct tls_side *s = &t->side[at->dir];
	size_t n = bytes.len < s->left ? bytes.len : s->left;

	if (s->nrecords == 0 && s->mskip == 0)
		n = tls_collect(
		    t, at, (struct slice){bytes.p, n}, on_v2_message);
	s->left -= (uint16_t)n;
	return n;
}

/* Returns the bytes used. */
static size_t
v2_step(struct tls *t, const struct tls_at *at, struct slice bytes)
{
	struct tls_side *s = &t->side[at->dir];
	size_t n = 1;

	if (s->nhead < header_length(s)) {
		s->head[s->nhead++] = bytes.p[0];
		if (s->nhead < header_length(s))
			return 1;
		v2_record_begin(s);
	} else {
		n = v2_body(t, at, bytes);
	}
	if (s->left == 0)
		v2_record_end(t, at);
	return n;
}

bool
tls_v2_is_over(const struct tls *t, enum dir dir)
{
	const struct tls_side *s = &t->side[dir];

	return !t->v2 && s->nrecords > 0 && s->nhead == 0;
}

size_t
tls_v2_data(struct tls *t, const struct tls_at *at, struct slice bytes)
{
	size_t used = 0;

	while (used < bytes.len && tls_wants(t, at->dir) &&
	       !tls_v2_is_over(t, at->dir))
		used += v2_step(
		    t, at, (struct slice){bytes.p + used, bytes.len - used});
	return used;
}
