/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hello messages (RFC 5246 7.4.1, RFC 8446 4.1) and the Certificate message.
 *
 *	ClientHello:  version 2, random 32, session id <0..32>,
 *	              suites <2..2^16-2>, compression <1..255>, extensions
 *	ServerHello:  version 2, random 32, session id <0..32>,
 *	              suite 2, compression 1, extensions
 *
 * Lists longer than an observation holds are cut there and counted whole.
 */
#include "decoders/tls_hello.h"

#include <string.h>

#include "decoders/cursor.h"
#include "decoders/tls_extension.h"

#define SUITE_FALLBACK_SCSV 0x5600 /* RFC 7507 */

/* RFC 8446 4.1.3: the random of a HelloRetryRequest. */
static const uint8_t retry_random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a,
    0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2,
    0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8,
    0x33, 0x9c};

const char *
tls_version_name(uint16_t v)
{
	switch (v) {
	case TLS_SSL2:
		return "SSL 2";
	case TLS_SSL3:
		return "SSL 3";
	case TLS_10:
		return "TLS 1.0";
	case TLS_11:
		return "TLS 1.1";
	case TLS_12:
		return "TLS 1.2";
	case TLS_13:
		return "TLS 1.3";
	default:
		return "an unknown version";
	}
}

/* Absent in hellos older than RFC 3546: then nothing is left to read. */
static bool
read_extensions(struct cursor *c, struct obs_hello *h, bool client)
{
	struct cursor list;

	if (c->left == 0)
		return cursor_ok(c);
	cursor_init(&list, cursor_vec16(c));
	while (cursor_ok(&list) && list.left > 0) {
		uint16_t type = cursor_u16(&list);
		struct slice body = cursor_vec16(&list);

		if (!cursor_ok(&list))
			break;
		if (h->nexts < OBS_TLS_LIST_MAX)
			h->exts[h->nexts] = type;
		h->nexts++;
		if (!(client ? tls_read_client_extension
			     : tls_read_server_extension)(type, body, h))
			cursor_fail(&list);
	}
	return cursor_ok(&list) && cursor_done(c);
}

static void
add_suite(struct obs_hello *h, uint16_t suite)
{
	if (h->nsuites < OBS_TLS_LIST_MAX)
		h->suites[h->nsuites] = suite;
	h->nsuites++;
	if (suite == SUITE_FALLBACK_SCSV)
		h->fallback_scsv = 1;
	h->grease |= tls_is_grease(suite);
}

static void
clear_hello(struct obs_hello *h)
{
	uint16_t record_version = h->record_version;

	memset(h, 0, sizeof(*h));
	h->record_version = record_version;
}

/* What both hellos begin with. */
static void
read_hello_head(
    struct cursor *c, struct obs_hello *h, struct tls_session_id *sid)
{
	struct slice id;

	clear_hello(h);
	memset(sid, 0, sizeof(*sid));
	h->legacy_version = cursor_u16(c);
	h->version = h->legacy_version;
	cursor_copy(c, h->random, sizeof(h->random));
	id = cursor_vec8(c);
	if (id.len > sizeof(sid->id) || h->legacy_version >> 8 != 3) {
		cursor_fail(c);
		return;
	}
	if (id.len > 0)
		memcpy(sid->id, id.p, id.len);
	sid->len = (uint8_t)id.len;
	h->session_id_len = sid->len;
}

enum tls_read
tls_read_client_hello(
    struct slice body, struct obs_hello *h, struct tls_session_id *sid)
{
	struct cursor c, suites;

	cursor_init(&c, body);
	read_hello_head(&c, h, sid);
	cursor_init(&suites, cursor_vec16(&c));
	(void)cursor_vec8(&c); /* compression methods */
	if (!cursor_ok(&c) || suites.left % 2 != 0)
		return TLS_READ_BAD;
	while (suites.left > 0)
		add_suite(h, cursor_u16(&suites));
	return read_extensions(&c, h, true) ? TLS_READ_OK : TLS_READ_PARTLY;
}

/* RFC 8446 4.1.3: "the last 8 bytes of their Random value". */
static uint8_t
sentinel_of(const uint8_t random[32])
{
	if (memcmp(random + 24, "DOWNGRD", 7) != 0 || random[31] > 1)
		return 0;
	return random[31] == 1 ? 1 : 2;
}

enum tls_read
tls_read_server_hello(
    struct slice body, struct obs_hello *h, struct tls_session_id *sid)
{
	struct cursor c;

	cursor_init(&c, body);
	read_hello_head(&c, h, sid);
	h->suite = cursor_u16(&c);
	(void)cursor_u8(&c); /* compression method */
	if (!cursor_ok(&c))
		return TLS_READ_BAD;
	h->sentinel = sentinel_of(h->random);
	h->retry = memcmp(h->random, retry_random, sizeof(retry_random)) == 0;
	return read_extensions(&c, h, false) ? TLS_READ_OK : TLS_READ_PARTLY;
}

static void
add_certificate(struct tls_chain *out, struct slice der)
{
	if (out->nder < TLS_CERTS_MAX)
		out->der[out->nder++] = der;
	out->count++;
}

enum tls_read
tls_read_certificate(struct slice body, struct tls_chain *out)
{
	struct cursor c, list;

	memset(out, 0, sizeof(*out));
	cursor_init(&c, body);
	out->list = cursor_vec24(&c);
	cursor_init(&list, out->list);
	while (cursor_ok(&list) && list.left > 0) {
		struct slice der = cursor_vec24(&list);

		if (!cursor_ok(&list) || der.len == 0)
			return TLS_READ_BAD;
		add_certificate(out, der);
	}
	return cursor_done(&c) && cursor_ok(&list) ? TLS_READ_OK : TLS_READ_BAD;
}

static uint16_t
v2_suite(struct cursor *c)
{
	uint8_t kind = cursor_u8(c);
	uint16_t rest = cursor_u16(c);

	return kind == 0 ? rest : (uint16_t)(0xff00 | kind);
}

/* RFC 5246 appendix E.2: type 1, version, three lengths, three lists. */
enum tls_read
tls_read_v2_client_hello(struct slice body, struct obs_hello *h)
{
	struct cursor c, specs;
	uint16_t nspecs, nid, nchallenge;

	cursor_init(&c, body);
	clear_hello(h);
	(void)cursor_u8(&c);
	h->sslv2 = 1;
	h->legacy_version = cursor_u16(&c);
	h->version = h->legacy_version;
	nspecs = cursor_u16(&c);
	nid = cursor_u16(&c);
	nchallenge = cursor_u16(&c);
	cursor_init(&specs, cursor_take(&c, nspecs));
	h->session_id_len = nid > 32 ? 32 : (uint8_t)nid;
	cursor_skip(&c, nid);
	cursor_skip(&c, nchallenge);
	if (!cursor_done(&c) || nspecs % 3 != 0)
		return TLS_READ_BAD;
	while (specs.left > 0)
		add_suite(h, v2_suite(&specs));
	return TLS_READ_OK;
}

/* The SSL 2 draft, 2.6: type 4, session id hit, certificate type, version,
 * lengths of certificate, cipher specs and connection id. */
enum tls_read
tls_read_v2_server_hello(
    struct slice body, struct obs_hello *h, struct slice *cert)
{
	struct cursor c, specs;
	uint16_t ncert, nspecs, nid;

	cursor_init(&c, body);
	clear_hello(h);
	(void)cursor_u8(&c);
	h->sslv2 = 1;
	h->resumed = cursor_u8(&c) != 0;
	(void)cursor_u8(&c); /* certificate type */
	h->legacy_version = cursor_u16(&c);
	h->version = TLS_SSL2;
	ncert = cursor_u16(&c);
	nspecs = cursor_u16(&c);
	nid = cursor_u16(&c);
	*cert = cursor_take(&c, ncert);
	cursor_init(&specs, cursor_take(&c, nspecs));
	cursor_skip(&c, nid);
	if (!cursor_done(&c) || nspecs % 3 != 0)
		return TLS_READ_BAD;
	while (specs.left > 0)
		add_suite(h, v2_suite(&specs));
	return TLS_READ_OK;
}
