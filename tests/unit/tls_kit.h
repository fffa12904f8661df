/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS dialogues built record by record. Each is played whole, byte by byte, and
 * cut in two at every place, and must tell the same.
 */
#ifndef STRIPWIRE_TLS_KIT_H
#define STRIPWIRE_TLS_KIT_H

#include <stdarg.h>

#include "decoders/tls_pool.h"
#include "decoders/tls_record.h"
#include "tests/packed.h"
#include "tests/test.h"

/* ---- building ---- */

struct bytes {
	uint8_t b[90000];
	size_t n;
};

static inline void
put(struct bytes *d, const void *p, size_t n)
{
	if (n > sizeof(d->b) - d->n)
		abort();
	memcpy(d->b + d->n, p, n);
	d->n += n;
}

static inline void
put_be(struct bytes *d, uint32_t v, unsigned width)
{
	while (width-- > 0) {
		uint8_t c = (uint8_t)(v >> 8 * width);

		put(d, &c, 1);
	}
}

/* A length of `width` bytes, then the body. */
static inline void
put_vec(struct bytes *d, unsigned width, const struct bytes *body)
{
	put_be(d, (uint32_t)body->n, width);
	put(d, body->b, body->n);
}

static inline void
put_record(struct bytes *d, uint8_t type, const struct bytes *body)
{
	put_be(d, type, 1);
	put_be(d, 0x0303, 2);
	put_vec(d, 2, body);
}

static inline void
put_message(struct bytes *d, uint8_t type, const struct bytes *body)
{
	put_be(d, type, 1);
	put_vec(d, 3, body);
}

struct hello_mould {
	uint16_t version; /* legacy field */
	uint16_t versions[4]; /* supported_versions, 0 ends */
	uint16_t suites[4];
	const char *sni;
	uint8_t sid_len; /* bytes of 0x5d */
	const char *tail; /* last eight bytes of the random */
	bool retry, psk;
	uint8_t scts; /* time stamps of transparency, of two bytes each */
	bool no_scts; /* the extension without any */
};

static inline void
put_random(struct bytes *d, const struct hello_mould *m)
{
	uint8_t r[32];
	static const uint8_t retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a,
	    0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
	    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2,
	    0xc8, 0xa8, 0x33, 0x9c};

	memset(r, 0x11, sizeof(r));
	if (m->tail != NULL)
		memcpy(r + 24, m->tail, 8);
	put(d, m->retry ? retry : r, 32);
}

static inline void
put_sid(struct bytes *d, const struct hello_mould *m)
{
	put_be(d, m->sid_len, 1);
	for (unsigned i = 0; i < m->sid_len; i++)
		put_be(d, 0x5d, 1);
}

static inline void
put_sni(struct bytes *exts, const char *name)
{
	struct bytes body = {.n = 0};

	put_be(&body, (uint32_t)strlen(name) + 3, 2);
	put_be(&body, 0, 1);
	put_be(&body, (uint32_t)strlen(name), 2);
	put(&body, name, strlen(name));
	put_be(exts, 0, 2);
	put_vec(exts, 2, &body);
}

static inline void
client_hello(struct bytes *body, const struct hello_mould *m)
{
	static struct bytes list, exts;

	list.n = exts.n = 0;
	put_be(body, m->version, 2);
	put_random(body, m);
	put_sid(body, m);
	for (unsigned i = 0; i < 4 && m->suites[i] != 0; i++)
		put_be(&list, m->suites[i], 2);
	put_vec(body, 2, &list);
	put_be(body, 0x0100, 2); /* compression: null */
	if (m->sni != NULL)
		put_sni(&exts, m->sni);
	list.n = 0;
	for (unsigned i = 0; i < 4 && m->versions[i] != 0; i++)
		put_be(&list, m->versions[i], 2);
	if (list.n > 0) {
		put_be(&exts, 43, 2);
		put_be(&exts, (uint32_t)list.n + 1, 2);
		put_vec(&exts, 1, &list);
	}
	if (exts.n > 0)
		put_vec(body, 2, &exts);
}

static inline void
server_hello(struct bytes *body, const struct hello_mould *m)
{
	static struct bytes exts;

	exts.n = 0;
	put_be(body, m->version, 2);
	put_random(body, m);
	put_sid(body, m);
	put_be(body, m->suites[0], 2);
	put_be(body, 0, 1);
	if (m->versions[0] != 0) {
		put_be(&exts, 43, 2);
		put_be(&exts, 2, 2);
		put_be(&exts, m->versions[0], 2);
	}
	if (m->psk) {
		put_be(&exts, 41, 2);
		put_be(&exts, 2, 2);
		put_be(&exts, 0, 2);
	}
	if (m->scts > 0 || m->no_scts) {
		put_be(&exts, 18, 2);
		put_be(&exts, 2 + 4u * m->scts, 2);
		put_be(&exts, 4u * m->scts, 2);
		for (unsigned i = 0; i < m->scts; i++)
			put_be(&exts, 0x00020101, 4);
	}
	if (exts.n > 0)
		put_vec(body, 2, &exts);
}

/* ---- playing ---- */

#define STEPS 24

struct script {
	struct {
		enum dir dir;
		struct bytes *bytes;
		uint64_t gap; /* instead of bytes */
	} step[STEPS];
	unsigned n;
};

static char told[20000];
static bool tell_more; /* what was said besides, and the flight */
static uint8_t last_chain[32];
static unsigned chains;

static inline void tell(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

static inline void
tell(const char *fmt, ...)
{
	size_t n = strlen(told);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(told + n, sizeof(told) - n, fmt, ap);
	va_end(ap);
}

static inline void
tell_hello(const struct obs_hello *h)
{
	tell(" %04x", h->version);
	if (h->suite != 0)
		tell(" suite=%04x", h->suite);
	if (h->nsuites != 0)
		tell(" suites=%u", h->nsuites);
	if (h->has_sni)
		tell(" sni=%s", h->sni);
	if (h->scts > 0)
		tell(" scts=%u", h->scts);
	tell("%s%s%s%s%s", h->sslv2 ? " v2" : "",
	    h->sentinel ? (h->sentinel == 1 ? " sentinel1" : " sentinel2") : "",
	    h->retry ? " retry" : "", h->resumed ? " resumed" : "",
	    h->offers_13 ? " offers13" : "");
}

static inline void
on_obs(void *ctx, struct obs *o)
{
	(void)ctx;
	CHECK_INT(o->size, obs_size(o->kind));
	CHECK(packed_survives(o));
	tell("%s %s", o->dir == DIR_C2S ? ">" : "<", obs_kind_name(o->kind));
	switch (o->kind) {
	case OBS_TLS_CLIENT_HELLO:
	case OBS_TLS_SERVER_HELLO:
		tell_hello(&o->u.hello);
		break;
	case OBS_TLS_CERT:
		tell(" %u", o->u.cert.count);
		if (o->u.cert.scts > 0)
			tell(" scts=%u", o->u.cert.scts);
		CHECK(o->u.cert.count == 0 ||
		      memcmp(last_chain, o->u.cert.chain_id, 32) == 0);
		CHECK_INT(o->u.cert.from_server, o->dir == DIR_S2C);
		break;
	case OBS_TLS_ALERT:
		tell(" %u/%u", o->u.alert.level, o->u.alert.description);
		break;
	case OBS_TLS_DONE:
	case OBS_TLS_APPDATA:
		tell(" %04x%s", o->u.done.version,
		    o->u.done.resumed ? " resumed" : "");
		if (tell_more)
			tell(" said=%02x flight=%u/%u", o->u.done.said,
			    o->u.done.flight, o->u.done.flight_records);
		break;
	case OBS_TLS_KEY_EXCHANGE:
		tell(
		    " %u %04x %u", o->u.kex.how, o->u.kex.group, o->u.kex.bits);
		break;
	case OBS_TLS_BROKEN:
		tell(" %s", o->u.verb.verb);
		break;
	}
	tell("\n");
}

static inline void
on_chain(void *ctx, const uint8_t id[32], const struct slice *der, unsigned n)
{
	(void)ctx;
	memcpy(last_chain, id, 32);
	chains++;
	for (unsigned i = 0; i < n; i++)
		CHECK(der[i].len > 0);
}

static inline void
on_staple(void *ctx, const uint8_t id[32], struct slice response, int64_t time)
{
	(void)ctx;
	CHECK(memcmp(last_chain, id, 32) == 0);
	CHECK_INT(time, 1);
	tell("< staple %zu\n", response.len);
}

static struct mail_env env = {
    .sink = {.emit = on_obs, .chain = on_chain, .staple = on_staple}};

/* Plays a script with the bytes of step `cut_step` cut at `cut_at`. */
static inline void
play(const struct script *s, size_t piece, unsigned cut_step, size_t cut_at)
{
	struct tls_head head = {.flow = 7, .proto = PROTO_SMTP};
	struct pkt_ref pkt = {.time = 1, .ordinal = 1};
	struct tls t;

	told[0] = '\0';
	tls_init(&t, &env, &head);
	for (unsigned i = 0; i < s->n; i++) {
		size_t at = 0, end;

		if (s->step[i].gap != 0)
			tls_gap(&t, s->step[i].dir, s->step[i].gap);
		for (; s->step[i].gap == 0 && at < s->step[i].bytes->n;
		     at = end) {
			end = at + piece;
			if (i == cut_step && at < cut_at && end > cut_at)
				end = cut_at;
			if (end > s->step[i].bytes->n)
				end = s->step[i].bytes->n;
			tls_data(&t, s->step[i].dir,
			    (struct slice){s->step[i].bytes->b + at, end - at},
			    &pkt);
		}
	}
	tls_fini(&t);
	CHECK_INT(tls_pool_use(env.pool).bytes, 0);
}

static inline void
check_script(const struct script *s, const char *want)
{
	if (env.pool == NULL)
		env.pool = tls_pool_new(1 << 20);
	play(s, SIZE_MAX / 2, STEPS, 0);
	CHECK_STR(told, want);
	play(s, 1, STEPS, 0);
	CHECK_STR(told, want);
	for (unsigned i = 0; i < s->n; i++) {
		size_t n = s->step[i].gap != 0 ? 0 : s->step[i].bytes->n;

		if (n > 2000)
			continue;
		for (size_t at = 1; at < n; at++) {
			play(s, SIZE_MAX / 2, i, at);
			CHECK_STR(told, want);
		}
	}
}

static inline void
add(struct script *s, enum dir dir, const struct bytes *b)
{
	struct bytes *copy = malloc(sizeof(*copy));

	if (copy == NULL || s->n == STEPS)
		abort();
	*copy = *b;
	s->step[s->n].dir = dir;
	s->step[s->n++].bytes = copy;
}

static inline void
add_record(
    struct script *s, enum dir dir, uint8_t type, const struct bytes *body)
{
	static struct bytes rec;

	rec.n = 0;
	put_record(&rec, type, body);
	add(s, dir, &rec);
}

static inline void
add_message(
    struct script *s, enum dir dir, uint8_t type, const struct bytes *body)
{
	static struct bytes msg;

	msg.n = 0;
	put_message(&msg, type, body);
	add_record(s, dir, 22, &msg);
}

static inline void
add_hello(struct script *s, enum dir dir, const struct hello_mould *m)
{
	static struct bytes body;

	body.n = 0;
	if (dir == DIR_C2S)
		client_hello(&body, m);
	else
		server_hello(&body, m);
	add_message(s, dir, dir == DIR_C2S ? 1 : 2, &body);
}

static inline void
add_fill(struct script *s, enum dir dir, uint8_t type, size_t n)
{
	static struct bytes body;

	body.n = n;
	memset(body.b, type == 20 ? 1 : 0xee, n);
	add_record(s, dir, type, &body);
}

/* ChangeCipherSpec, and what stands for Finished. */
static inline void
add_finished(struct script *s, enum dir dir)
{
	add_fill(s, dir, 20, 1);
	add_fill(s, dir, 22, 40);
}

static inline void
add_alert(struct script *s, enum dir dir, uint8_t level, uint8_t description)
{
	struct bytes *body = calloc(1, sizeof(*body));

	put_be(body, level, 1);
	put_be(body, description, 1);
	add_record(s, dir, 21, body);
	free(body);
}

static inline void
add_gap(struct script *s, enum dir dir, uint64_t n)
{
	s->step[s->n].dir = dir;
	s->step[s->n++].gap = n;
}

/* n certificates of `len` bytes each. */
static inline void
cert_list(struct bytes *body, unsigned n, unsigned len)
{
	static struct bytes list, der;

	list.n = 0;
	der.n = len;
	memset(der.b, 0x30, len);
	for (unsigned i = 0; i < n; i++)
		put_vec(&list, 3, &der);
	put_vec(body, 3, &list);
}

static inline void
add_certs(struct script *s, enum dir dir, unsigned n, unsigned len)
{
	static struct bytes body;

	body.n = 0;
	cert_list(&body, n, len);
	add_message(s, dir, 11, &body);
}

static inline void
finish(struct script *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->step[i].gap == 0)
			free(s->step[i].bytes);
}

static inline void
check_and_finish(struct script *s, const char *want)
{
	check_script(s, want);
	finish(s);
}

/* ---- the usual hellos ---- */

static const struct hello_mould client12 = {.version = 0x0303,
    .suites = {0xc02f, 0x009c},
    .sni = "mail.example",
    .sid_len = 4};
static const struct hello_mould server12 = {
    .version = 0x0303, .suites = {0xc02f}};
static const struct hello_mould client13 = {.version = 0x0303,
    .suites = {0x1301},
    .versions = {0x7a7a, 0x0304, 0x0303},
    .sid_len = 32};
static const struct hello_mould server13 = {
    .version = 0x0303, .suites = {0x1301}, .versions = {0x0304}, .sid_len = 32};

#endif
