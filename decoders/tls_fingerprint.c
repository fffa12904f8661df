/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A text that does not fit, or a list with too many entries, is full; work on
 * it ends there and nothing is hashed. An entry of a list is at most "65535-",
 * three lists are in the longest text, and the point formats (at most 255 of
 * one byte).
 */
#include "decoders/tls_fingerprint.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/cursor.h"
#include "decoders/hash.h"
#include "decoders/memo.h"
#include "decoders/tls_extension.h"
#include "decoders/tls_hello.h"

#define TEXT_MAX (3 * FINGERPRINT_LIST_MAX * 6 + 255 * 4 + 16)
#define JA4_DIGITS 12 /* of a SHA-256 */
#define JA4_COUNT_MAX 99

struct parts { /* of a hello, borrowed */
	uint16_t version;
	struct slice suites; /* of a server: the one it chose */
	struct slice exts;
};

struct text {
	size_t n;
	bool full;
	uint16_t list[FINGERPRINT_LIST_MAX]; /* to sort */
	char p[TEXT_MAX];
};

/* ---- taking hellos apart ---- */

static void
parts_of(struct slice body, bool client, struct parts *out)
{
	struct cursor c;

	cursor_init(&c, body);
	out->version = cursor_u16(&c);
	cursor_skip(&c, 32); /* random */
	(void)cursor_vec8(&c); /* session id */
	out->suites = client ? cursor_vec16(&c) : cursor_take(&c, 2);
	if (client)
		(void)cursor_vec8(&c); /* compression */
	else
		cursor_skip(&c, 1);
	out->exts = cursor_vec16(&c); /* empty where there are none */
}

/* The next extension that is no GREASE; false behind the last. */
static bool
next_extension(struct cursor *c, uint16_t *type, struct slice *body)
{
	while (cursor_ok(c) && c->left > 0) {
		*type = cursor_u16(c);
		*body = cursor_vec16(c);
		if (!tls_is_grease(*type))
			return cursor_ok(c);
	}
	return false;
}

/* The body of the first of that type, or nothing. */
static struct slice
extension(const struct parts *p, uint16_t wanted)
{
	struct cursor c;
	struct slice body;
	uint16_t type;

	cursor_init(&c, p->exts);
	while (next_extension(&c, &type, &body))
		if (type == wanted)
			return body;
	return (struct slice){NULL, 0};
}

/* A list with its length in two bytes before it. */
static struct slice
list_in(struct slice body)
{
	struct cursor c;

	cursor_init(&c, body);
	return cursor_vec16(&c);
}

/* ---- texts ---- */

static void
put_char(struct text *t, char c)
{
	if (t->n < sizeof(t->p))
		t->p[t->n++] = c;
	else
		t->full = true;
}

static void
put_decimal(struct text *t, unsigned v)
{
	char digits[8];
	unsigned n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	while (n > 0)
		put_char(t, digits[--n]);
}

/* One of a list whose first stands at `start`. */
static void
put_item(struct text *t, size_t start, unsigned v)
{
	if (t->n > start)
		put_char(t, '-');
	put_decimal(t, v);
}

static void
put_numbers(struct text *t, struct slice list)
{
	size_t start = t->n;
	struct cursor c;

	cursor_init(&c, list);
	while (c.left >= 2 && !t->full) {
		uint16_t v = cursor_u16(&c);

		if (!tls_is_grease(v))
			put_item(t, start, v);
	}
}

static void
put_extensions(struct text *t, const struct parts *p)
{
	size_t start = t->n;
	struct cursor c;
	struct slice body;
	uint16_t type;

	cursor_init(&c, p->exts);
	while (!t->full && next_extension(&c, &type, &body))
		put_item(t, start, type);
}

static void
put_point_formats(struct text *t, struct slice body)
{
	size_t start = t->n;
	struct slice list;
	struct cursor c;

	cursor_init(&c, body);
	list = cursor_vec8(&c);
	for (size_t i = 0; i < list.len; i++)
		put_item(t, start, list.p[i]);
}

static void
hash_ja3(const struct text *t, char ja3[OBS_JA3_MAX])
{
	uint8_t md5[HASH_MD5_LEN];

	if (!t->full &&
	    hash_md5((struct slice){(const uint8_t *)t->p, t->n}, md5) == 0)
		hash_hex(ja3, md5, sizeof(md5));
}

/* ---- JA3, JA3S ---- */

static void
ja3_client(struct text *t, const struct parts *p, char ja3[OBS_JA3_MAX])
{
	put_decimal(t, p->version);
	put_char(t, ',');
	put_numbers(t, p->suites);
	put_char(t, ',');
	put_extensions(t, p);
	put_char(t, ',');
	put_numbers(t, list_in(extension(p, TLS_EXT_GROUPS)));
	put_char(t, ',');
	put_point_formats(t, extension(p, TLS_EXT_POINT_FORMATS));
	hash_ja3(t, ja3);
}

static void
ja3_server(struct text *t, const struct parts *p, char ja3[OBS_JA3_MAX])
{
	put_decimal(t, p->version);
	put_char(t, ',');
	put_numbers(t, p->suites);
	put_char(t, ',');
	put_extensions(t, p);
	hash_ja3(t, ja3);
}

/* ---- JA4 ---- */

static int
by_number(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
put_hex16(struct text *t, uint16_t v, bool first)
{
	static const char hex[] = "0123456789abcdef";

	if (!first)
		put_char(t, ',');
	for (int shift = 12; shift >= 0; shift -= 4)
		put_char(t, hex[v >> shift & 15]);
}

static void
put_sorted(struct text *t, size_t n)
{
	qsort(t->list, n, sizeof(t->list[0]), by_number);
	for (size_t i = 0; i < n; i++)
		put_hex16(t, t->list[i], i == 0);
}

static void
add_number(struct text *t, size_t *n, uint16_t v)
{
	if (*n < FINGERPRINT_LIST_MAX)
		t->list[(*n)++] = v;
	else
		t->full = true;
}

/* Numbers of a list without GREASE, into t->list. */
static size_t
collect(struct text *t, struct slice list)
{
	struct cursor c;
	size_t n = 0;

	cursor_init(&c, list);
	while (c.left >= 2 && !t->full) {
		uint16_t v = cursor_u16(&c);

		if (!tls_is_grease(v))
			add_number(t, &n, v);
	}
	return n;
}

/* Types of extensions into t->list, but for SNI and ALPN, which part a tells;
 * all are counted. */
static size_t
collect_extensions(struct text *t, const struct parts *p, size_t *all)
{
	struct cursor c;
	struct slice body;
	uint16_t type;
	size_t n = 0;

	*all = 0;
	cursor_init(&c, p->exts);
	while (!t->full && next_extension(&c, &type, &body)) {
		++*all;
		if (type != TLS_EXT_SERVER_NAME && type != TLS_EXT_ALPN)
			add_number(t, &n, type);
	}
	return n;
}

/* The digits of the text so far, zeros if there is none, and begins another
 * text; false: no digest. */
static bool
hash_ja4(struct text *t, char out[JA4_DIGITS])
{
	uint8_t sha[HASH_SHA256_LEN];
	char hex[2 * HASH_SHA256_LEN + 1];

	memset(out, '0', JA4_DIGITS);
	if (t->n == 0)
		return true;
	if (t->full ||
	    hash_sha256((struct slice){(const uint8_t *)t->p, t->n}, sha) != 0)
		return false;
	hash_hex(hex, sha, sizeof(sha));
	memcpy(out, hex, JA4_DIGITS);
	t->n = 0;
	return true;
}

static const char *
ja4_version(const struct parts *p)
{
	struct slice body = extension(p, TLS_EXT_VERSIONS);
	uint16_t best = 0;
	struct cursor c;

	cursor_init(&c, body);
	cursor_init(&c, cursor_vec8(&c));
	while (c.left >= 2) {
		uint16_t v = cursor_u16(&c);

		if (!tls_is_grease(v) && v > best)
			best = v;
	}
	switch (best != 0 ? best : p->version) {
	case TLS_13:
		return "13";
	case TLS_12:
		return "12";
	case TLS_11:
		return "11";
	case TLS_10:
		return "10";
	case TLS_SSL3:
		return "s3";
	default:
		return "00";
	}
}

static bool
is_alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

/* First and last character of the first protocol; of its hexadecimal form if
 * one of the two is neither letter nor digit. */
static void
ja4_alpn(const struct parts *p, char out[2])
{
	struct cursor c;
	struct slice first;
	char hex[3];

	cursor_init(&c, list_in(extension(p, TLS_EXT_ALPN)));
	first = cursor_vec8(&c);
	out[0] = out[1] = '0';
	if (first.len == 0)
		return;
	out[0] = (char)first.p[0];
	out[1] = (char)first.p[first.len - 1];
	if (is_alphanumeric((uint8_t)out[0]) &&
	    is_alphanumeric((uint8_t)out[1]))
		return;
	hash_hex(hex, first.p, 1);
	out[0] = hex[0];
	hash_hex(hex, first.p + first.len - 1, 1);
	out[1] = hex[1];
}

static void
two_digits(char out[2], size_t n)
{
	if (n > JA4_COUNT_MAX)
		n = JA4_COUNT_MAX;
	out[0] = (char)('0' + n / 10);
	out[1] = (char)('0' + n % 10);
}

/* Hashes of suites, extensions and signatures: parts b and c. */
static bool
ja4_hashes(struct text *t, const struct parts *p, char out[OBS_JA4_MAX])
{
	size_t all, n = collect(t, p->suites);

	two_digits(out + 4, n);
	put_sorted(t, n);
	if (!hash_ja4(t, out + 11))
		return false;
	n = collect_extensions(t, p, &all);
	two_digits(out + 6, all);
	put_sorted(t, n);
	n = collect(t, list_in(extension(p, TLS_EXT_SIGNATURES)));
	if (n > 0)
		put_char(t, '_');
	for (size_t i = 0; i < n; i++) /* in the client's order */
		put_hex16(t, t->list[i], i == 0);
	return hash_ja4(t, out + 24);
}

static void
ja4_client(struct text *t, const struct parts *p, struct obs_hello *h)
{
	char out[OBS_JA4_MAX] = "t__d____aa_bbbbbbbbbbbb_cccccccccccc";

	memcpy(out + 1, ja4_version(p), 2);
	out[3] = h->has_sni ? 'd' : 'i';
	ja4_alpn(p, out + 8);
	if (ja4_hashes(t, p, out))
		memcpy(h->ja4, out, sizeof(h->ja4));
}

/* ---- hellos that were seen before ---- */

#define SHAPE_MAX 1024 /* of usual hellos; longer ones are done each time */

/* What the fingerprints of a hello are made of, as bytes: two hellos of the
 * same shape have the same ones. */
struct shape {
	size_t n;
	bool full;
	uint8_t p[SHAPE_MAX];
};

struct prints {
	char ja3[OBS_JA3_MAX];
	char ja4[OBS_JA4_MAX];
};

static void
shape_bytes(struct shape *s, struct slice bytes)
{
	uint8_t head[2] = {
	    (uint8_t)(bytes.len >> 8), (uint8_t)(bytes.len & 255)};

	if (bytes.len + sizeof(head) > sizeof(s->p) - s->n) {
		s->full = true;
		return;
	}
	memcpy(s->p + s->n, head, sizeof(head));
	s->n += sizeof(head);
	if (bytes.len > 0)
		memcpy(s->p + s->n, bytes.p, bytes.len);
	s->n += bytes.len;
}

static void
shape_number(struct shape *s, uint16_t v)
{
	if (sizeof(s->p) - s->n < 2) {
		s->full = true;
		return;
	}
	s->p[s->n++] = (uint8_t)(v >> 8);
	s->p[s->n++] = (uint8_t)(v & 255);
}

/* Of these more than the type counts. */
static bool
body_counts(uint16_t type)
{
	return type == TLS_EXT_GROUPS || type == TLS_EXT_POINT_FORMATS ||
	       type == TLS_EXT_SIGNATURES || type == TLS_EXT_VERSIONS ||
	       type == TLS_EXT_ALPN;
}

/* more: what else tells them apart. */
static void
shape_of(struct shape *s, const struct parts *p, uint16_t more)
{
	struct cursor c;
	struct slice body;
	uint16_t type;

	s->n = 0;
	s->full = false;
	shape_number(s, more);
	shape_number(s, p->version);
	shape_bytes(s, p->suites);
	cursor_init(&c, p->exts);
	while (!s->full && next_extension(&c, &type, &body)) {
		shape_number(s, type);
		if (body_counts(type))
			shape_bytes(s, body);
	}
}

static void
print_client(const struct parts *p, struct obs_hello *h)
{
	struct text t;

	t.n = 0;
	t.full = false;
	ja3_client(&t, p, h->ja3);
	t.n = 0;
	if (!t.full)
		ja4_client(&t, p, h);
}

static void
print_server(const struct parts *p, struct obs_hello *h)
{
	struct text t;

	t.n = 0;
	t.full = false;
	ja3_server(&t, p, h->ja3);
}

static void
print_once(const struct parts *p, uint16_t more, struct obs_hello *h,
    void (*print)(const struct parts *, struct obs_hello *))
{
	static struct memo seen;
	struct prints known;
	struct shape s;

	shape_of(&s, p, more);
	if (!s.full &&
	    memo_get(&seen, (struct slice){s.p, s.n}, &known, sizeof(known))) {
		memcpy(h->ja3, known.ja3, sizeof(h->ja3));
		memcpy(h->ja4, known.ja4, sizeof(h->ja4));
		return;
	}
	print(p, h);
	if (s.full)
		return;
	memcpy(known.ja3, h->ja3, sizeof(known.ja3));
	memcpy(known.ja4, h->ja4, sizeof(known.ja4));
	memo_put(&seen, (struct slice){s.p, s.n}, &known, sizeof(known));
}

void
tls_fingerprint_client(struct slice body, struct obs_hello *h)
{
	struct parts p;

	parts_of(body, true, &p);
	print_once(&p, h->has_sni ? 2 : 1, h, print_client);
}

void
tls_fingerprint_server(struct slice body, struct obs_hello *h)
{
	struct parts p;

	parts_of(body, false, &p);
	print_once(&p, 0, h, print_server);
}
