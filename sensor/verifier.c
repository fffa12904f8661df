/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Trust store, known intermediates and the cache of verdicts. All anchors are
 * read into memory at the start: a verifier in a sandbox has no files. Those
 * of the system are parsed when they are asked for, see verifier_anchors.c.
 *
 * Only intermediates of chains that reached an anchor are remembered. One that
 * anybody may add would let an attacker's certificate of the same name stand
 * in the way of the real one.
 */
#include "sensor/verifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "decoders/hash.h"
#include "decoders/x509_ocsp.h"
#include "sensor/verifier_path.h"

#define KNOWN_MAX 512 /* intermediates; the web's roots have some thousand */
#define BUCKETS 4096 /* power of two */
#define PARSED_MAX 32 /* of those that were sent above a leaf */

struct entry {
	struct entry *next; /* of its bucket */
	struct entry *newer, *older; /* by use */
	X509 *issuer; /* of a trusted leaf; NULL: another, or an anchor */
	struct staple staple; /* the last one, and of what */
	uint8_t staple_hash[HASH_SHA256_LEN];
	int64_t revoked_update; /* this_update of what the verdict has */
	struct chain_verdict verdict;
};

/* Many leaves come with the same one above, and OpenSSL 3 takes 100 us to
 * parse it. */
struct parsed {
	uint8_t sha256[HASH_SHA256_LEN];
	X509 *x; /* NULL: free */
};

struct verifier {
	struct verifier_store trust;
	bool offered; /* what stands above the extra anchors is in the store */
	struct entry *bucket[BUCKETS];
	struct entry *newest, *oldest;
	unsigned entries;
	struct parsed parsed[PARSED_MAX];
	unsigned next_parsed; /* who makes room next */
	const struct interceptors *interceptors;
	struct verifier_counters n;
};

/* ---- cache ---- */

static struct entry **
bucket_of(struct verifier *v, const uint8_t id[32])
{
	return &v->bucket[((unsigned)id[0] << 8 | id[1]) & (BUCKETS - 1)];
}

static void
unlink_use(struct verifier *v, struct entry *e)
{
	*(e->newer != NULL ? &e->newer->older : &v->newest) = e->older;
	*(e->older != NULL ? &e->older->newer : &v->oldest) = e->newer;
}

static void
link_newest(struct verifier *v, struct entry *e)
{
	e->newer = NULL;
	e->older = v->newest;
	*(v->newest != NULL ? &v->newest->newer : &v->oldest) = e;
	v->newest = e;
}

static struct entry *
find(struct verifier *v, const uint8_t id[32])
{
	struct entry *e = *bucket_of(v, id);

	while (e != NULL && memcmp(e->verdict.chain_id, id, 32) != 0)
		e = e->next;
	if (e != NULL) {
		unlink_use(v, e);
		link_newest(v, e);
	}
	return e;
}

/* Takes the least recently used entry out of the table. */
static struct entry *
evict(struct verifier *v)
{
	struct entry *e = v->oldest, **at;

	for (at = bucket_of(v, e->verdict.chain_id); *at != e;)
		at = &(*at)->next;
	*at = e->next;
	unlink_use(v, e);
	X509_free(e->issuer);
	v->entries--;
	v->n.evicted++;
	return e;
}

static struct entry *
insert(struct verifier *v, const uint8_t id[32])
{
	struct entry *e =
	    v->entries == VERIFIER_CACHE ? NULL : malloc(sizeof(*e));

	if (e == NULL && v->entries > 0)
		e = evict(v);
	if (e == NULL)
		return NULL;
	memset(e, 0, sizeof(*e));
	memcpy(e->verdict.chain_id, id, 32);
	e->next = *bucket_of(v, id);
	*bucket_of(v, id) = e;
	link_newest(v, e);
	v->entries++;
	return e;
}

/* ---- anchors ---- */

/* Returns the number of anchors in PEM text. */
static int
parse_extra(struct verifier *v, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	int n = 0;
	X509 *x;

	if (bio == NULL)
		return 0;
	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		(void)X509_STORE_add_cert(v->trust.store, x);
		if (sk_X509_push(v->trust.extra, x) > 0)
			n++;
		else
			X509_free(x);
	}
	ERR_clear_error();
	BIO_free(bio);
	return n;
}

/* A whole file as a string, or NULL with errno set. */
static char *
read_file(const char *path)
{
	FILE *fp = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (fp == NULL)
		return NULL;
	if (getdelim(&text, &room, '\0', fp) == -1 && !ferror(fp)) {
		free(text);
		text = strdup("");
	} else if (ferror(fp)) {
		free(text);
		text = NULL;
	}
	fclose(fp);
	return text;
}

/* Where systems keep their bundle; the first that is there. */
static void
load_system(struct verifier *v)
{
	const char *const paths[] = {getenv(X509_get_default_cert_file_env()),
	    "/etc/ssl/certs/ca-certificates.crt",
	    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
	    X509_get_default_cert_file()};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *text = paths[i] != NULL ? read_file(paths[i]) : NULL;

		if (text != NULL && anchors_take_pem(v->trust.system, text))
			return;
		free(text);
	}
	(void)X509_STORE_set_default_paths(v->trust.store);
	ERR_clear_error();
}

static int
load_extra(struct verifier *v, const char *path, char *err, size_t errlen)
{
	char *text = read_file(path);
	int n;

	if (text == NULL) {
		snprintf(err, errlen,
		    "%s: the trust anchors cannot be read: %m", path);
		return -1;
	}
	n = parse_extra(v, text);
	free(text);
	if (n > 0)
		return 0;
	snprintf(err, errlen,
	    "%s: no certificate in it; trust anchors are expected in "
	    "PEM form (-----BEGIN CERTIFICATE-----)",
	    path);
	return -1;
}

struct verifier *
verifier_new(const char *const *extra, unsigned nextra, bool no_system,
    char *err, size_t errlen)
{
	struct verifier *v = calloc(1, sizeof(*v));

	/* what OpenSSL holds goes with the process */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
	if (v == NULL)
		goto nomem;
	v->trust.store = X509_STORE_new();
	v->trust.extra = sk_X509_new_null();
	v->trust.known = sk_X509_new_null();
	v->trust.system = anchors_new();
	if (v->trust.store == NULL || v->trust.extra == NULL ||
	    v->trust.known == NULL || v->trust.system == NULL)
		goto nomem;
	if (!no_system)
		load_system(v);
	for (unsigned i = 0; i < nextra; i++) {
		if (load_extra(v, extra[i], err, errlen) != 0) {
			verifier_free(v);
			return NULL;
		}
	}
	return v;
nomem:
	snprintf(err, errlen, "no memory for the trust store");
	verifier_free(v);
	return NULL;
}

void
verifier_free(struct verifier *v)
{
	struct entry *e, *older;

	if (v == NULL)
		return;
	for (e = v->newest; e != NULL; e = older) {
		older = e->older;
		X509_free(e->issuer);
		free(e);
	}
	for (unsigned i = 0; i < PARSED_MAX; i++)
		X509_free(v->parsed[i].x);
	anchors_free(v->trust.system);
	sk_X509_pop_free(v->trust.known, X509_free);
	sk_X509_pop_free(v->trust.extra, X509_free);
	X509_STORE_free(v->trust.store);
	free(v);
}

void
verifier_use_interceptors(struct verifier *v, const struct interceptors *list)
{
	v->interceptors = list;
}

/* ---- chains ---- */

static X509 *
parse(struct slice der)
{
	const uint8_t *p = der.p;
	X509 *x;

	if (der.len == 0 || der.len > X509_DER_MAX)
		return NULL;
	x = d2i_X509(NULL, &p, (long)der.len);
	if (x != NULL && p != der.p + der.len) {
		X509_free(x);
		x = NULL;
	}
	return x;
}

/* One that is sent above a leaf; to be freed. */
static X509 *
parse_issuer(struct verifier *v, struct slice der, const uint8_t sha256[32])
{
	struct parsed *p;
	X509 *x;

	for (unsigned i = 0; i < PARSED_MAX; i++) {
		p = &v->parsed[i];
		if (p->x != NULL && memcmp(p->sha256, sha256, 32) == 0)
			return X509_up_ref(p->x) == 1 ? p->x : NULL;
	}
	x = parse(der);
	if (x == NULL || X509_up_ref(x) != 1)
		return x;
	p = &v->parsed[v->next_parsed++ % PARSED_MAX];
	X509_free(p->x);
	p->x = x;
	memcpy(p->sha256, sha256, 32);
	return x;
}

/* NULL if one does not parse. The hashes of all are taken, also then. */
static STACK_OF(X509) * parse_chain(struct verifier *v, const struct slice *der,
			    unsigned n, uint8_t others[][32])
{
	STACK_OF(X509) *list = n > 0 ? sk_X509_new_null() : NULL;
	bool hashed = true;

	for (unsigned i = 1; i < n; i++)
		hashed &= hash_sha256(der[i], others[i - 1]) == 0;
	for (unsigned i = 0; list != NULL && i < n; i++) {
		X509 *x = i == 0 || !hashed
			      ? parse(der[i])
			      : parse_issuer(v, der[i], others[i - 1]);

		if (x != NULL && sk_X509_push(list, x) > 0)
			continue;
		X509_free(x);
		sk_X509_pop_free(list, X509_free);
		list = NULL;
	}
	ERR_clear_error();
	return list;
}

static bool
is_known(const struct verifier *v, const X509 *x)
{
	for (int i = 0; i < sk_X509_num(v->trust.known); i++)
		if (X509_cmp(sk_X509_value(v->trust.known, i), x) == 0)
			return true;
	return false;
}

static void
remember_one(struct verifier *v, X509 *x)
{
	if (is_known(v, x))
		return;
	if (sk_X509_num(v->trust.known) >= KNOWN_MAX)
		v->n.known_full++;
	else if (X509_up_ref(x) == 1 && sk_X509_push(v->trust.known, x) <= 0)
		X509_free(x);
}

/* The path of a trusted chain without its leaf and its anchor. */
static void
remember(struct verifier *v, const STACK_OF(X509) * path,
    const STACK_OF(X509) * sent, struct chain_verdict *out)
{
	for (int i = 1; i < sk_X509_num(path) - 1; i++) {
		X509 *x = sk_X509_value(path, i);

		remember_one(v, x);
		for (int j = 1; j < sk_X509_num(sent); j++)
			if (X509_cmp(sk_X509_value(sent, j), x) == 0)
				out->on_path |= (uint16_t)(1u << j);
	}
}

void
verifier_know(struct verifier *v, struct slice der)
{
	X509 *x = parse(der);

	if (x != NULL && X509_check_ca(x) > 0)
		remember_one(v, x);
	X509_free(x);
	ERR_clear_error();
}

static void
name_interceptor(const struct interceptors *list, struct chain_verdict *out)
{
	const struct interceptor *i = interceptors_find(list, &out->leaf);

	if (i == NULL)
		return;
	out->interceptor = i->kind;
	memcpy(
	    out->interceptor_name, i->product, sizeof(out->interceptor_name));
}

static void
verify(struct verifier *v, struct entry *e, const struct slice *der, unsigned n)
{
	struct chain_verdict *out = &e->verdict;
	STACK_OF(X509) *sent = NULL, *path = NULL;

	v->n.verified++;
	out->count = n > UINT8_MAX ? UINT8_MAX : (uint8_t)n;
	if (n > X509_CHAIN_MAX) {
		v->n.too_long++;
		n = X509_CHAIN_MAX;
	}
	sent = parse_chain(v, der, n, out->others);
	if (sent != NULL &&
	    x509_read_parsed(sk_X509_value(sent, 0), der[0], &out->leaf) != 0) {
		sk_X509_pop_free(sent, X509_free);
		sent = NULL;
	} else if (sent == NULL && n > 0) {
		/* another than the leaf may be the one that does not parse */
		(void)!x509_read(der[0], &out->leaf);
	}
	if (sent == NULL) {
		out->trust = TRUST_MALFORMED;
		out->valid_from = out->leaf.not_before;
		out->valid_to = out->leaf.not_after;
		snprintf(out->error, sizeof(out->error),
		    "a certificate does not parse");
		v->n.malformed++;
		return;
	}
	name_interceptor(v->interceptors, out);
	if (!v->offered)
		anchors_offer(v->trust.system, v->trust.store, v->trust.extra);
	v->offered = true;
	anchors_offer(v->trust.system, v->trust.store, sent);
	verifier_check_path(&v->trust, sent, out, &path);
	remember(v, path, sent, out);
	if (sk_X509_num(path) > 1 && X509_up_ref(sk_X509_value(path, 1)) == 1)
		e->issuer = sk_X509_value(path, 1);
	sk_X509_pop_free(path, X509_free);
	sk_X509_pop_free(sent, X509_free);
}

const struct chain_verdict *
verifier_chain(struct verifier *v, const uint8_t chain_id[32],
    const struct slice *der, unsigned n)
{
	struct entry *e = find(v, chain_id);

	v->n.chains++;
	if (e != NULL) {
		v->n.cache_hits++;
		return &e->verdict;
	}
	e = insert(v, chain_id);
	if (e == NULL)
		return NULL;
	verify(v, e, der, n);
	return &e->verdict;
}

const struct chain_verdict *
verifier_lookup(struct verifier *v, const uint8_t chain_id[32])
{
	struct entry *e = find(v, chain_id);

	return e == NULL ? NULL : &e->verdict;
}

/* A revoked certificate stays so, unless its authority says otherwise later:
 * not because an older word is repeated, or one that nobody signed. */
static void
note_staple(struct entry *e, enum staple_status now)
{
	if (e->verdict.staple == STAPLE_REVOKED &&
	    ((now != STAPLE_GOOD && now != STAPLE_REVOKED) ||
		e->staple.this_update < e->revoked_update))
		return;
	e->verdict.staple = (uint8_t)now;
	e->verdict.staple_scts = e->staple.scts;
	e->verdict.revoked_at = e->staple.revoked_at;
	e->revoked_update = e->staple.this_update;
}

uint8_t
verifier_staple(struct verifier *v, const uint8_t chain_id[32],
    struct slice response, int64_t now)
{
	struct entry *e = find(v, chain_id);
	uint8_t hash[HASH_SHA256_LEN];

	if (e == NULL || hash_sha256(response, hash) != 0)
		return STAPLE_NONE;
	if (e->staple.status == STAPLE_NONE ||
	    memcmp(hash, e->staple_hash, sizeof(hash)) != 0) {
		e->staple = (struct staple){.status = STAPLE_UNCHECKED};
		memcpy(e->staple_hash, hash, sizeof(hash));
		if (e->issuer != NULL) {
			v->n.staples++;
			x509_read_staple(response, e->issuer,
			    e->verdict.leaf.serial, now, &e->staple);
		}
	}
	note_staple(e, x509_staple_at(&e->staple, now));
	return (uint8_t)x509_staple_at(&e->staple, now);
}

const struct verifier_counters *
verifier_counters(const struct verifier *v)
{
	return &v->n;
}

struct table_use
verifier_verdicts(const struct verifier *v)
{
	return table_use(
	    v->entries, VERIFIER_CACHE, sizeof(struct entry), sizeof(*v));
}

struct table_use
verifier_known(const struct verifier *v)
{
	return (struct table_use){
	    .entries = (uint64_t)sk_X509_num(v->trust.known),
	    .max_entries = KNOWN_MAX};
}
