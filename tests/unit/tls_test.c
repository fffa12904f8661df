/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS seen from outside. A dialogue is built record by record; each is played
 * whole, byte by byte, and cut in two at every place, and must tell the same.
 */
#include "decoders/tls_record.h"

#include "decoders/tls_pool.h"
#include "tests/test.h"

/* ---- building ---- */

struct bytes {
	uint8_t b[90000];
	size_t n;
};

static void
put(struct bytes *d, const void *p, size_t n)
{
	if (n > sizeof(d->b) - d->n)
		abort();
	memcpy(d->b + d->n, p, n);
	d->n += n;
}

static void
put_be(struct bytes *d, uint32_t v, unsigned width)
{
	while (width-- > 0) {
		uint8_t c = (uint8_t)(v >> 8 * width);

		put(d, &c, 1);
	}
}

/* A length of `width` bytes, then the body. */
static void
put_vec(struct bytes *d, unsigned width, const struct bytes *body)
{
	put_be(d, (uint32_t)body->n, width);
	put(d, body->b, body->n);
}

static void
put_record(struct bytes *d, uint8_t type, const struct bytes *body)
{
	put_be(d, type, 1);
	put_be(d, 0x0303, 2);
	put_vec(d, 2, body);
}

static void
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
};

static void
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

static void
put_sid(struct bytes *d, const struct hello_mould *m)
{
	put_be(d, m->sid_len, 1);
	for (unsigned i = 0; i < m->sid_len; i++)
		put_be(d, 0x5d, 1);
}

static void
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

static void
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

static void
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
static uint8_t last_chain[32];
static unsigned chains;

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#include <stdarg.h>

static void
tell(const char *fmt, ...)
{
	size_t n = strlen(told);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(told + n, sizeof(told) - n, fmt, ap);
	va_end(ap);
}

static void
tell_hello(const struct obs_hello *h)
{
	tell(" %04x", h->version);
	if (h->suite != 0)
		tell(" suite=%04x", h->suite);
	if (h->nsuites != 0)
		tell(" suites=%u", h->nsuites);
	if (h->has_sni)
		tell(" sni=%s", h->sni);
	tell("%s%s%s%s%s", h->sslv2 ? " v2" : "",
	    h->sentinel ? (h->sentinel == 1 ? " sentinel1" : " sentinel2") : "",
	    h->retry ? " retry" : "", h->resumed ? " resumed" : "",
	    h->offers_13 ? " offers13" : "");
}

static void
on_obs(void *ctx, const struct obs *o)
{
	(void)ctx;
	CHECK_INT(o->size, obs_size(o->kind));
	tell("%s %s", o->dir == DIR_C2S ? ">" : "<", obs_kind_name(o->kind));
	switch (o->kind) {
	case OBS_TLS_CLIENT_HELLO:
	case OBS_TLS_SERVER_HELLO:
		tell_hello(&o->u.hello);
		break;
	case OBS_TLS_CERT:
		tell(" %u", o->u.cert.count);
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
		break;
	case OBS_TLS_BROKEN:
		tell(" %s", o->u.verb.verb);
		break;
	}
	tell("\n");
}

static void
on_chain(void *ctx, const uint8_t id[32], const struct slice *der, unsigned n)
{
	(void)ctx;
	memcpy(last_chain, id, 32);
	chains++;
	for (unsigned i = 0; i < n; i++)
		CHECK(der[i].len > 0);
}

static struct mail_env env = {.sink = {on_obs, on_chain, NULL}};

/* Plays a script with the bytes of step `cut_step` cut at `cut_at`. */
static void
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
	CHECK_INT(tls_pool_lent(env.pool), 0);
}

static void
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

static void
add(struct script *s, enum dir dir, const struct bytes *b)
{
	struct bytes *copy = malloc(sizeof(*copy));

	if (copy == NULL || s->n == STEPS)
		abort();
	*copy = *b;
	s->step[s->n].dir = dir;
	s->step[s->n++].bytes = copy;
}

static void
add_record(
    struct script *s, enum dir dir, uint8_t type, const struct bytes *body)
{
	static struct bytes rec;

	rec.n = 0;
	put_record(&rec, type, body);
	add(s, dir, &rec);
}

static void
add_message(
    struct script *s, enum dir dir, uint8_t type, const struct bytes *body)
{
	static struct bytes msg;

	msg.n = 0;
	put_message(&msg, type, body);
	add_record(s, dir, 22, &msg);
}

static void
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

static void
add_fill(struct script *s, enum dir dir, uint8_t type, size_t n)
{
	static struct bytes body;

	body.n = n;
	memset(body.b, type == 20 ? 1 : 0xee, n);
	add_record(s, dir, type, &body);
}

static void
add_alert(struct script *s, enum dir dir, uint8_t level, uint8_t description)
{
	struct bytes *body = calloc(1, sizeof(*body));

	put_be(body, level, 1);
	put_be(body, description, 1);
	add_record(s, dir, 21, body);
	free(body);
}

static void
add_gap(struct script *s, enum dir dir, uint64_t n)
{
	s->step[s->n].dir = dir;
	s->step[s->n++].gap = n;
}

/* n certificates of `len` bytes each. */
static void
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

static void
add_certs(struct script *s, enum dir dir, unsigned n, unsigned len)
{
	static struct bytes body;

	body.n = 0;
	cert_list(&body, n, len);
	add_message(s, dir, 11, &body);
}

static void
finish(struct script *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->step[i].gap == 0)
			free(s->step[i].bytes);
}

static void
check_and_finish(struct script *s, const char *want)
{
	check_script(s, want);
	finish(s);
}

/* ---- whole handshakes ---- */

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

TEST(tls12_full_handshake)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_certs(&s, DIR_S2C, 2, 100);
	add_fill(&s, DIR_C2S, 20, 1);
	add_fill(&s, DIR_C2S, 22, 40);
	add_fill(&s, DIR_S2C, 20, 1);
	add_fill(&s, DIR_S2C, 22, 40);
	add_fill(&s, DIR_S2C, 23, 100);
	add_fill(&s, DIR_C2S, 23, 30);
	add_fill(&s, DIR_C2S, 23, 30);
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "< tls-cert 2\n"
	    "< tls-done 0303\n"
	    "> tls-appdata 0303\n");
}

TEST(tls12_resumed)
{
	struct script s = {.n = 0};
	struct hello_mould echo = server12;

	echo.sid_len = 4;
	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &echo);
	add_fill(&s, DIR_S2C, 20, 1);
	add_fill(&s, DIR_S2C, 22, 40);
	add_fill(&s, DIR_C2S, 20, 1);
	add_fill(&s, DIR_C2S, 22, 40);
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f resumed\n"
	    "> tls-done 0303 resumed\n");
}

TEST(tls12_client_certificate_and_none)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_certs(&s, DIR_S2C, 1, 100);
	add_certs(&s, DIR_C2S, 0, 0);
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "< tls-cert 1\n"
	    "> tls-cert 0\n");
}

TEST(tls13_handshake)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &server13);
	add_fill(&s, DIR_S2C, 20, 1);
	add_fill(&s, DIR_S2C, 23, 900);
	add_fill(&s, DIR_C2S, 20, 1);
	add_fill(&s, DIR_C2S, 23, 53); /* Finished */
	add_fill(&s, DIR_C2S, 23, 19); /* an alert's size */
	add_fill(&s, DIR_C2S, 23, 40);
	check_and_finish(&s, "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301\n"
			     "> tls-done 0304\n"
			     "> tls-appdata 0304\n");
}

/* The session id is echoed in 1.3 always: it says nothing there. */
TEST(tls13_resumed_by_psk_only)
{
	struct script s = {.n = 0};
	struct hello_mould psk = server13;

	psk.psk = true;
	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &psk);
	check_and_finish(&s, "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301 resumed\n");
}

TEST(tls13_client_refuses_in_secret)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &server13);
	add_fill(&s, DIR_S2C, 23, 900);
	add_fill(&s, DIR_C2S, 23, 19); /* no Finished: an encrypted alert */
	check_and_finish(&s, "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301\n");
}

TEST(hello_retry_request)
{
	struct script s = {.n = 0};
	struct hello_mould retry = server13;

	retry.retry = true;
	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &retry);
	add_fill(&s, DIR_C2S, 20, 1); /* before the second hello (D.4) */
	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &server13);
	add_fill(&s, DIR_S2C, 23, 900);
	add_fill(&s, DIR_C2S, 23, 69);
	check_and_finish(&s, "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301 retry\n"
			     "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301\n"
			     "> tls-done 0304\n");
}

TEST(sentinels)
{
	struct script s = {.n = 0};
	struct hello_mould one = server12, two = server12, none = server12;

	one.tail = "DOWNGRD\x01";
	two.tail = "DOWNGRD\x00";
	two.version = 0x0302;
	none.tail = "DOWNGRD\x02";
	add_hello(&s, DIR_S2C, &one);
	add_hello(&s, DIR_S2C, &two);
	add_hello(&s, DIR_S2C, &none);
	check_and_finish(&s, "< tls-server-hello 0303 suite=c02f sentinel1\n"
			     "< tls-server-hello 0302 suite=c02f sentinel2\n"
			     "< tls-server-hello 0303 suite=c02f\n");
}

TEST(ssl3_without_extensions)
{
	struct script s = {.n = 0};
	struct hello_mould c = {.version = 0x0300, .suites = {0x0005}};
	struct hello_mould h = {.version = 0x0300, .suites = {0x0005}};

	add_hello(&s, DIR_C2S, &c);
	add_hello(&s, DIR_S2C, &h);
	check_and_finish(&s, "> tls-client-hello 0300 suites=1\n"
			     "< tls-server-hello 0300 suite=0005\n");
}

/* ---- cutting and joining ---- */

TEST(a_message_over_many_records)
{
	static struct bytes body, msg, part;
	struct script s = {.n = 0};

	body.n = msg.n = 0;
	client_hello(&body, &client12);
	put_message(&msg, 1, &body);
	for (size_t at = 0; at < msg.n; at += part.n) {
		part.n = msg.n - at < 9 ? msg.n - at : 9;
		memcpy(part.b, msg.b + at, part.n);
		add_record(&s, DIR_C2S, 22, &part);
	}
	check_and_finish(
	    &s, "> tls-client-hello 0303 suites=2 sni=mail.example\n");
}

TEST(several_messages_in_one_record)
{
	static struct bytes body, all;
	struct script s = {.n = 0};

	all.n = body.n = 0;
	server_hello(&body, &server12);
	put_message(&all, 2, &body);
	body.n = 0;
	cert_list(&body, 3, 50);
	put_message(&all, 11, &body);
	body.n = 0;
	put_message(&all, 14, &body); /* ServerHelloDone: empty */
	add_record(&s, DIR_S2C, 22, &all);
	add_alert(&s, DIR_S2C, 1, 0);
	check_and_finish(&s, "< tls-server-hello 0303 suite=c02f\n"
			     "< tls-cert 3\n"
			     "< tls-alert 1/0\n");
}

TEST(empty_records_are_passed_over)
{
	struct script s = {.n = 0};

	add_fill(&s, DIR_C2S, 22, 0);
	add_hello(&s, DIR_C2S, &client12);
	check_and_finish(
	    &s, "> tls-client-hello 0303 suites=2 sni=mail.example\n");
}

/* ---- alerts ---- */

TEST(alerts_in_clear_only)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_alert(&s, DIR_C2S, 2, 48);
	add_fill(&s, DIR_C2S, 20, 1);
	add_alert(&s, DIR_C2S, 2, 42); /* encrypted, whatever it looks like */
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "> tls-alert 2/48\n");
}

TEST(tls13_alert_in_clear)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client13);
	add_hello(&s, DIR_S2C, &server13);
	add_alert(&s, DIR_C2S, 2, 47);
	check_and_finish(&s, "> tls-client-hello 0304 suites=1 offers13\n"
			     "< tls-server-hello 0304 suite=1301\n"
			     "> tls-alert 2/47\n");
}

TEST(alerts_are_capped)
{
	struct script s = {.n = 0};

	for (int i = 0; i < 20; i++)
		add_alert(&s, DIR_S2C, 1, 90);
	check_and_finish(&s,
	    "< tls-alert 1/90\n< tls-alert 1/90\n< tls-alert 1/90\n"
	    "< tls-alert 1/90\n< tls-alert 1/90\n< tls-alert 1/90\n"
	    "< tls-alert 1/90\n< tls-alert 1/90\n"
	    "< tls-broken FLOOD\n< tls-broken FLOOD\n"
	    "< tls-broken FLOOD\n< tls-broken FLOOD\n");
}

/* ---- hostile ---- */

TEST(text_instead_of_records_breaks_it)
{
	struct script s = {.n = 0};
	struct bytes *b = calloc(1, sizeof(*b));

	put(b, "250 mail.example\r\n", 18);
	add(&s, DIR_S2C, b);
	add_hello(&s, DIR_C2S, &client12); /* not looked at any more */
	check_and_finish(&s, "< tls-broken BAD-RECORD\n");
	free(b);
}

TEST(a_record_longer_than_allowed_breaks_it)
{
	struct script s = {.n = 0};
	struct bytes *b = calloc(1, sizeof(*b));

	put(b, "\x16\x03\x03\x48\x01", 5);
	add(&s, DIR_S2C, b);
	check_and_finish(&s, "< tls-broken BAD-RECORD\n");
	free(b);
}

TEST(a_message_too_long_is_skipped_and_said)
{
	struct script s = {.n = 0};
	struct bytes *b = calloc(1, sizeof(*b));

	put_be(b, 11, 1);
	put_be(b, TLS_MESSAGE_MAX + 1, 3);
	add_record(&s, DIR_S2C, 22, b);
	for (int i = 0; i < 4; i++)
		add_fill(&s, DIR_S2C, 22, 16384);
	add_fill(&s, DIR_S2C, 22, 1);
	add_hello(&s, DIR_S2C, &server12);
	check_and_finish(
	    &s, "< tls-broken TOO-LONG\n< tls-server-hello 0303 suite=c02f\n");
	free(b);
}

TEST(lengths_that_contradict_each_other)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *want;
	} t[] = {
	    /* ClientHello of 2 bytes */
	    {"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03", 11,
		"< tls-broken BAD-HELLO\n"},
	    /* Certificate: a list longer than the message */
	    {"\x16\x03\x01\x00\x09\x0b\x00\x00\x05\x00\x00\x09\x00\x00", 14,
		"< tls-broken BAD-CERTIFICATE\n"},
	    /* Certificate: an empty certificate in the list */
	    {"\x16\x03\x01\x00\x0a\x0b\x00\x00\x06\x00\x00\x03\x00\x00\x00", 15,
		"< tls-broken BAD-CERTIFICATE\n"},
	    /* Certificate without a body */
	    {"\x16\x03\x01\x00\x04\x0b\x00\x00\x00", 9,
		"< tls-broken BAD-CERTIFICATE\n"},
	    /* a message type that does not exist */
	    {"\x16\x03\x01\x00\x05\x63\x00\x00\x01\x00", 10,
		"< tls-broken BAD-MESSAGE\n"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct script s = {.n = 0};
		struct bytes *b = calloc(1, sizeof(*b));
		char want[64];

		put(b, t[i].bytes, t[i].n);
		snprintf(want, sizeof(want), "%s", t[i].want);
		if (t[i].bytes[5] == 1) /* the client's */
			want[0] = '>';
		add(&s, want[0] == '>' ? DIR_C2S : DIR_S2C, b);
		check_and_finish(&s, want);
		free(b);
	}
}

TEST(extensions_that_do_not_parse_cost_only_themselves)
{
	static struct bytes body;
	struct script s = {.n = 0};

	body.n = 0;
	client_hello(&body, &client12);
	put_be(&body, 0, 1); /* trailing byte */
	add_message(&s, DIR_C2S, 1, &body);
	check_and_finish(&s,
	    "> tls-broken BAD-HELLO\n"
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n");
}

TEST(without_buffers_pieces_are_skipped_and_said)
{
	struct script s = {.n = 0};
	struct tls_pool *pool = env.pool;

	add_hello(&s, DIR_C2S, &client12);
	add_fill(&s, DIR_C2S, 20, 1);
	env.pool = tls_pool_new(100);
	env.n.tls_pool_empty = 0;
	play(&s, 40, STEPS, 0);
	CHECK_STR(told, "> tls-broken NO-BUFFER\n");
	CHECK_INT(env.n.tls_pool_empty, 1);
	play(&s, SIZE_MAX / 2, STEPS, 0); /* whole: none is needed */
	CHECK_STR(told, "> tls-client-hello 0303 suites=2 sni=mail.example\n");
	tls_pool_free(env.pool);
	env.pool = pool;
	finish(&s);
}

TEST(a_handshake_without_end_is_left)
{
	struct script s = {.n = 0};

	for (int i = 0; i < 20; i++)
		add_fill(&s, DIR_S2C, 24, 16384);
	for (int i = 0; i < 4; i++)
		add_fill(&s, DIR_S2C, 24, 16384);
	if (env.pool == NULL)
		env.pool = tls_pool_new(1 << 20);
	/* 24 records are 393 kB: fine; played three times they are not. */
	struct tls t;
	struct tls_head head = {.flow = 1};
	struct pkt_ref pkt = {.time = 1};

	told[0] = '\0';
	tls_init(&t, &env, &head);
	for (unsigned i = 0; i < 3 * s.n; i++)
		tls_data(&t, DIR_S2C,
		    (struct slice){
			s.step[i % s.n].bytes->b, s.step[i % s.n].bytes->n},
		    &pkt);
	CHECK_STR(told, "< tls-broken TOO-LONG\n");
	CHECK(tls_broken(&t));
	CHECK_INT(tls_phase(&t), PHASE_OPAQUE);
	CHECK(!tls_wants(&t, DIR_C2S));
	tls_fini(&t);
	finish(&s);
}

/* ---- holes ---- */

TEST(a_hole_inside_a_certificate)
{
	static struct bytes body, msg, rec, part;
	struct script s = {.n = 0};

	body.n = msg.n = rec.n = 0;
	cert_list(&body, 2, 500);
	put_message(&msg, 11, &body);
	put_record(&rec, 22, &msg);
	part.n = 200;
	memcpy(part.b, rec.b, part.n);
	add(&s, DIR_S2C, &part);
	add_gap(&s, DIR_S2C, 100);
	part.n = rec.n - 300;
	memcpy(part.b, rec.b + 300, part.n);
	add(&s, DIR_S2C, &part);
	add_alert(&s, DIR_S2C, 2, 40);
	check_and_finish(&s, "< tls-alert 2/40\n");
}

TEST(a_hole_over_a_record_boundary)
{
	static struct bytes part;
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_gap(&s, DIR_S2C, 1000);
	part.n = 70; /* the rest of something */
	memset(part.b, 0xaa, part.n);
	add(&s, DIR_S2C, &part);
	add_fill(&s, DIR_S2C, 20, 1);
	add_fill(&s, DIR_S2C, 22, 40);
	add_fill(&s, DIR_C2S, 20, 1);
	add_fill(&s, DIR_C2S, 22, 40);
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "> tls-done 0303\n");
}

TEST(application_data_after_a_hole_means_done)
{
	struct script s = {.n = 0};

	add_hello(&s, DIR_C2S, &client12);
	add_hello(&s, DIR_S2C, &server12);
	add_gap(&s, DIR_S2C, 3000);
	add_gap(&s, DIR_C2S, 300);
	add_fill(&s, DIR_C2S, 23, 50);
	check_and_finish(&s,
	    "> tls-client-hello 0303 suites=2 sni=mail.example\n"
	    "< tls-server-hello 0303 suite=c02f\n"
	    "> tls-done 0303\n"
	    "> tls-appdata 0303\n");
}

/* ---- SSLv2 ---- */

static void
put_v2_client_hello(struct bytes *d, uint16_t version)
{
	static struct bytes body;

	body.n = 0;
	put_be(&body, 1, 1);
	put_be(&body, version, 2);
	put_be(&body, 9, 2); /* specs */
	put_be(&body, 0, 2);
	put_be(&body, 16, 2); /* challenge */
	put_be(&body, 0x00002f, 3);
	put_be(&body, 0x010080, 3);
	put_be(&body, 0x0700c0, 3);
	for (int i = 0; i < 16; i++)
		put_be(&body, 0xc4, 1);
	put_be(d, 0x8000 | (uint32_t)body.n, 2);
	put(d, body.b, body.n);
}

TEST(sslv2_hello_to_a_newer_server)
{
	static struct bytes b;
	struct script s = {.n = 0};

	b.n = 0;
	put_v2_client_hello(&b, 0x0301);
	add(&s, DIR_C2S, &b);
	add_hello(&s, DIR_S2C, &server12);
	add_fill(&s, DIR_C2S, 20, 1);
	add_fill(&s, DIR_C2S, 22, 40);
	add_fill(&s, DIR_S2C, 20, 1);
	add_fill(&s, DIR_S2C, 22, 40);
	check_and_finish(&s, "> tls-client-hello 0301 suites=3 v2\n"
			     "< tls-server-hello 0303 suite=c02f\n"
			     "< tls-done 0303\n");
}

TEST(sslv2_throughout)
{
	static struct bytes b, body;
	struct script s = {.n = 0};

	b.n = body.n = 0;
	put_v2_client_hello(&b, 0x0002);
	add(&s, DIR_C2S, &b);
	put_be(&body, 4, 1);
	put_be(&body, 0, 1); /* no hit */
	put_be(&body, 1, 1); /* X.509 */
	put_be(&body, 2, 2);
	put_be(&body, 50, 2);
	put_be(&body, 3, 2);
	put_be(&body, 16, 2);
	for (int i = 0; i < 50 + 3 + 16; i++)
		put_be(&body, i < 50 ? 0x30 : 1, 1);
	b.n = 0;
	put_be(&b, 0x8000 | (uint32_t)body.n, 2);
	put(&b, body.b, body.n);
	add(&s, DIR_S2C, &b);
	b.n = 0;
	put(&b, "\x80\x04mast", 6);
	add(&s, DIR_C2S, &b);
	b.n = 0;
	put(&b, "\x00\x04\x02veri", 7); /* three-byte header */
	add(&s, DIR_S2C, &b);
	b.n = 0;
	put(&b,
	    "\x80\x04"
	    "fini",
	    6);
	add(&s, DIR_C2S, &b);
	add(&s, DIR_C2S, &b);
	check_and_finish(&s, "> tls-client-hello 0002 suites=3 v2\n"
			     "< tls-server-hello 0002 suites=1 v2\n"
			     "< tls-cert 1\n"
			     "> tls-done 0002\n"
			     "> tls-appdata 0002\n");
}

/* ---- the first look ---- */

TEST(what_looks_like_a_record)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum tls_looks want;
	} t[] = {
	    {"", 0, TLS_LOOKS_MAYBE},
	    {"\x16", 1, TLS_LOOKS_MAYBE},
	    {"\x16\x03", 2, TLS_LOOKS_MAYBE},
	    {"\x16\x03\x01\x02", 4, TLS_LOOKS_MAYBE},
	    {"\x16\x03\x01\x02\x00", 5, TLS_LOOKS_YES},
	    {"\x15\x03\x03\x00\x02\x02\x28", 7, TLS_LOOKS_YES},
	    {"\x16\x03\x01\x48", 4, TLS_LOOKS_MAYBE},
	    {"\x16\x03\x01\x48\x00", 5, TLS_LOOKS_YES},
	    {"\x16\x03\x01\x48\x01", 5, TLS_LOOKS_NO},
	    {"\x16\x03\x01\x00\x00", 5, TLS_LOOKS_NO},
	    {"\x16\x03\x05\x00\x10", 5, TLS_LOOKS_NO},
	    {"\x16\x02", 2, TLS_LOOKS_NO},
	    {"2", 1, TLS_LOOKS_NO},
	    {"* OK", 4, TLS_LOOKS_NO},
	    {"EHLO", 4, TLS_LOOKS_NO},
	    {"\x80", 1, TLS_LOOKS_MAYBE},
	    {"\x80\x2e\x01\x03", 4, TLS_LOOKS_MAYBE},
	    {"\x80\x2e\x01\x03\x01", 5, TLS_LOOKS_YES},
	    {"\x80\x2e\x01\x00", 4, TLS_LOOKS_MAYBE},
	    {"\x80\x2e\x01\x00\x02", 5, TLS_LOOKS_YES},
	    {"\x80\x2e\x02", 3, TLS_LOOKS_NO},
	    {"\x80\x2e\x01\x03\x09", 5, TLS_LOOKS_NO},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		enum tls_looks got = tls_looks_like_record(
		    (struct slice){(const uint8_t *)t[i].bytes, t[i].n});

		if (got != t[i].want)
			TEST_FAIL("row %zu: %d, not %d", i, got, t[i].want);
	}
}

TEST_MAIN
