/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What certificates cost: a chain is verified once however often it is shown,
 * and a hostile one no more than a bounded piece of work. What bounds it is
 * checked by what was refused and by counts; processor time and memory are
 * printed where FIGURES is in the environment (make long), and checked
 * nowhere: a machine may be slow.
 */
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "sensor/verifier.h"

#include "tests/certs.h"

#define SESSIONS 100000
#define CHAINS 50
#define LONG_TEXT (1 << 20)

static struct cert *root, *sub;

static void
make_authorities(void)
{
	if (root != NULL)
		return;
	root = cert_make(&(struct mould){
	    .cn = "Root", .key = CK_CA_EC, .ca = 1, .to = T2030});
	sub = cert_make(&(struct mould){.cn = "Issuing",
	    .key = CK_SUB_EC,
	    .ca = 1,
	    .issuer = root,
	    .to = T2030});
}

static struct verifier *
lab_verifier(void)
{
	char err[256] = "";
	const char *path;
	struct verifier *v;

	make_authorities();
	path = cert_write_pem(root);
	v = verifier_new(&path, 1, true, err, sizeof(err));
	unlink(path);
	CHECK_STR(err, "");
	return v;
}

static double
cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static long
peak_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/* ---- many sessions ---- */

TEST(a_hundred_thousand_sessions_with_fifty_chains)
{
	struct verifier *v = lab_verifier();
	struct cert *leaf[CHAINS];
	double before;

	for (unsigned i = 0; i < CHAINS; i++)
		leaf[i] = cert_make(
		    &(struct mould){.cn = "m", .key = CK_EC, .issuer = sub});
	before = cpu_ms();
	for (unsigned i = 0; i < SESSIONS; i++) {
		uint8_t id[32] = {(uint8_t)(i % CHAINS)};
		struct slice der[2] = {leaf[i % CHAINS]->slice, sub->slice};

		if (verifier_chain(v, id, der, 2)->trust != TRUST_OK)
			TEST_FAIL("session %u", i);
	}
	if (getenv("FIGURES") != NULL)
		printf("%d sessions, %d chains: %.1f ms\n", SESSIONS, CHAINS,
		    cpu_ms() - before);
	CHECK_INT(verifier_counters(v)->chains, SESSIONS);
	CHECK(verifier_counters(v)->verified <= CHAINS);
	for (unsigned i = 0; i < CHAINS; i++)
		cert_free(leaf[i]);
	verifier_free(v);
}

/* ---- hostile chains ---- */

/* Verifies one that nobody may trust. */
static struct chain_verdict
attack(const char *name, const struct slice *der, unsigned n)
{
	static const uint8_t id[32] = {1};
	struct verifier *v = lab_verifier();
	long memory = peak_kib();
	double before = cpu_ms(), ms;
	struct chain_verdict r = *verifier_chain(v, id, der, n);
	size_t bytes = 0;

	ms = cpu_ms() - before;
	for (unsigned i = 0; i < n; i++)
		bytes += der[i].len;
	if (getenv("FIGURES") != NULL)
		printf("%-28s %2u certificates %8zu bytes %8.2f ms "
		       "%6ld KiB  trust %u %s\n",
		    name, n, bytes, ms, peak_kib() - memory, r.trust, r.error);
	CHECK_INT(verifier_counters(v)->verified, 1);
	CHECK_INT(verifier_counters(v)->too_long, n > X509_CHAIN_MAX);
	CHECK(r.count == n);
	(void)verifier_chain(v, id, der, n); /* and never again */
	CHECK_INT(verifier_counters(v)->verified, 1);
	verifier_free(v);
	return r;
}

static struct chain_verdict
attack_with(const char *name, struct cert *const *chain, unsigned n)
{
	struct slice der[32];

	for (unsigned i = 0; i < n; i++)
		der[i] = chain[i]->slice;
	return attack(name, der, n);
}

/* A certificate with n extensions that nobody knows. */
static struct cert *
make_extensions(int n)
{
	struct cert *c =
	    cert_make(&(struct mould){.cn = "m", .key = CK_EC, .issuer = sub});
	ASN1_OCTET_STRING *empty = ASN1_OCTET_STRING_new();
	uint8_t *p = c->der;
	int len;

	for (int i = 0; i < n; i++) {
		char oid[32];
		ASN1_OBJECT *o;
		X509_EXTENSION *e;

		(void)snprintf(oid, sizeof(oid), "1.2.%d", i);
		o = OBJ_txt2obj(oid, 1);
		e = X509_EXTENSION_create_by_OBJ(NULL, o, 0, empty);
		if (e == NULL || X509_add_ext(c->x, e, -1) != 1)
			abort();
		X509_EXTENSION_free(e);
		ASN1_OBJECT_free(o);
	}
	ASN1_OCTET_STRING_free(empty);
	if (X509_sign(c->x, sub->key, EVP_sha256()) <= 0 ||
	    (len = i2d_X509(c->x, NULL)) <= 0 || (size_t)len > sizeof(c->der))
		abort();
	len = i2d_X509(c->x, &p);
	c->slice.len = (size_t)len;
	return c;
}

TEST(ten_thousand_extensions)
{
	struct cert *c, *fits;
	struct slice der[2];

	make_authorities();
	c = make_extensions(10000);
	fits = make_extensions(6000);
	CHECK(c->slice.len > X509_DER_MAX);
	CHECK(fits->slice.len <= X509_DER_MAX);
	der[0] = c->slice;
	der[1] = sub->slice;
	CHECK_INT(attack("10,000 extensions", der, 2).trust, TRUST_MALFORMED);
	der[0] = fits->slice;
	CHECK_INT(attack("6,000 extensions", der, 2).trust, TRUST_OK);
	cert_free(c);
	cert_free(fits);
}

TEST(sixteen_mebibytes)
{
	/* a SEQUENCE of that length */
	static const uint8_t head[] = {0x30, 0x84, 0x00, 0xff, 0xff, 0xfa};
	size_t n = 16 << 20;
	uint8_t *p = calloc(1, n);
	struct slice der = {p, n};

	memcpy(p, head, sizeof(head));
	CHECK_INT(attack("16 MiB", &der, 1).trust, TRUST_MALFORMED);
	free(p);
}

/* "critical,permitted;DNS:h0.example,permitted;DNS:h1.example,..." */
static char *
many(const char *before, const char *prefix, const char *suffix, unsigned n)
{
	char *text = malloc(LONG_TEXT);
	size_t used = (size_t)snprintf(text, LONG_TEXT, "%s", before);

	for (unsigned i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, LONG_TEXT - used,
		    "%s%s%u%s", i > 0 ? "," : "", prefix, i, suffix);
	return text;
}

/* Ten intermediates under one another, each with this extension. */
static unsigned
make_ladder(struct cert *chain[16], const struct mould *each, unsigned n)
{
	struct cert *above = root;

	for (unsigned i = n; i > 0; i--) {
		struct mould m = *each;
		char name[16];

		(void)snprintf(name, sizeof(name), "Step %u", i);
		m.cn = name;
		m.ca = 1;
		m.issuer = above;
		m.to = T2030;
		m.key = i % 2 ? CK_SUB_EC : CK_OTHER_EC;
		above = chain[i] = cert_make(&m);
	}
	return n + 1;
}

static void
free_ladder(struct cert *chain[16], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		cert_free(chain[i]);
}

TEST(deep_name_constraints)
{
	char *names = many("", "DNS:h", ".example", 3000);
	char *trees = many("critical,", "permitted;DNS:h", ".example", 2000);
	struct cert *chain[16];
	unsigned n;

	make_authorities();
	n = make_ladder(
	    chain, &(struct mould){.more = {{NID_name_constraints, trees}}}, 9);
	chain[0] = cert_make(&(struct mould){
	    .cn = "m", .key = CK_EC, .issuer = chain[1], .san = names});
	(void)attack_with("name constraints", chain, n);
	free_ladder(chain, n);
	free(names);
	free(trees);
}

/* CVE-2023-0464: each level maps every policy to every other. */
TEST(pathological_policy_trees)
{
	char *mappings = malloc(LONG_TEXT);
	size_t used = 0;
	char *policies = many("", "1.2.3.", "", 40);
	struct cert *chain[16];
	unsigned n;

	for (unsigned i = 0; i < 40; i++)
		for (unsigned j = 0; j < 40; j++)
			used += (size_t)snprintf(mappings + used,
			    LONG_TEXT - used, "%s1.2.3.%u:1.2.3.%u",
			    used > 0 ? "," : "", i, j);
	make_authorities();
	n = make_ladder(chain,
	    &(struct mould){.more = {{NID_certificate_policies, policies},
				{NID_policy_mappings, mappings}}},
	    9);
	chain[0] = cert_make(&(struct mould){.cn = "m",
	    .key = CK_EC,
	    .issuer = chain[1],
	    .more = {{NID_certificate_policies, policies}}});
	CHECK_INT(attack_with("policy trees", chain, n).trust, TRUST_OK);
	free_ladder(chain, n);
	free(policies);
	free(mappings);
}

/*
 * An RSA key of about so many bits out of small primes, which is made at once
 * and costs a verifier the same as a good one. Its public exponent has
 * exponent_bits; or, if that is 0, its private one is short.
 */
static EVP_PKEY *
make_rsa(int bits, int exponent_bits)
{
	BIGNUM *n = BN_new(), *phi = BN_new(), *p = BN_new(), *e = BN_new(),
	       *d = NULL;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BN_CTX *bn = BN_CTX_new();
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;

	BN_one(n);
	BN_one(phi);
	for (int i = 0; i < bits / 64; i++) {
		if (BN_generate_prime_ex(p, 64, 0, NULL, NULL, NULL) != 1)
			abort();
		BN_mul(n, n, p, bn);
		BN_sub_word(p, 1);
		BN_mul(phi, phi, p, bn);
	}
	while (d == NULL) {
		BN_rand(e, exponent_bits > 0 ? exponent_bits : 64,
		    BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
		d = BN_mod_inverse(NULL, e, phi, bn);
	}
	if (exponent_bits == 0)
		BN_swap(e, d);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d);
	params = OSSL_PARAM_BLD_to_param(build);
	if (EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		abort();
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_CTX_free(bn);
	BN_free(n);
	BN_free(phi);
	BN_free(p);
	BN_free(e);
	BN_free(d);
	return key;
}

/* Under each other, all signed by that key. */
static struct chain_verdict
attack_with_rsa(const char *name, EVP_PKEY *key, unsigned steps)
{
	struct cert *chain[16];
	struct chain_verdict r;
	unsigned n;

	make_authorities();
	n = make_ladder(chain, &(struct mould){.own_key = key}, steps);
	chain[0] = cert_make(
	    &(struct mould){.cn = "m", .key = CK_EC, .issuer = chain[1]});
	r = attack_with(name, chain, n);
	free_ladder(chain, n);
	EVP_PKEY_free(key);
	return r;
}

TEST(long_keys)
{
	struct chain_verdict r =
	    attack_with_rsa("RSA 16384", make_rsa(16384 + 64, 0), 1);

	CHECK_INT(r.trust, TRUST_ROOT_UNKNOWN);
	CHECK(r.costly_key > X509_KEY_BITS_MAX);
	r = attack_with_rsa("RSA 8192, exponent of 64", make_rsa(8192, 64), 9);
	CHECK_INT(r.trust, TRUST_OK);
	r = attack_with_rsa(
	    "RSA 3072, exponent of 3000", make_rsa(3072, 3000), 9);
	CHECK_INT(r.trust, TRUST_OK);
}

/* The key of the leaf verifies nothing, unless it has signed itself. */
TEST(a_long_key_of_the_leaf)
{
	EVP_PKEY *key = make_rsa(16384 + 64, 0);
	struct cert *c;

	make_authorities();
	c = cert_make(
	    &(struct mould){.cn = "m", .own_key = key, .issuer = sub});
	CHECK_INT(attack("leaf of RSA 16384",
		      (struct slice[]){c->slice, sub->slice}, 2)
		      .trust,
	    TRUST_OK);
	cert_free(c);
	c = cert_make(&(struct mould){.cn = "m", .own_key = key});
	CHECK(attack("its own RSA 16384", &c->slice, 1).costly_key >
	      X509_KEY_BITS_MAX);
	cert_free(c);
	EVP_PKEY_free(key);
}

TEST(a_name_as_long_as_a_certificate)
{
	struct mould m = {.key = CK_EC, .raw_cn_len = 60000};
	char *text = malloc(60000);
	struct cert *c;

	memset(text, '\\', 60000);
	m.raw_cn = (const uint8_t *)text;
	make_authorities();
	m.issuer = sub;
	c = cert_make(&m);
	(void)attack("a name of 60,000 bytes",
	    (struct slice[]){c->slice, sub->slice}, 2);
	cert_free(c);
	free(text);
}

/* All of one name, each other's issuer: how many paths are there? */
TEST(certificates_that_sign_each_other_in_circles)
{
	struct cert *chain[32], *twin;
	unsigned n = 0;

	make_authorities();
	twin = cert_make(
	    &(struct mould){.cn = "Circle", .key = CK_SUB_EC, .ca = 1});
	for (; n < 32; n++)
		chain[n] = cert_make(&(struct mould){.cn = "Circle",
		    .key = n % 2 ? CK_SUB_EC : CK_OTHER_EC,
		    .ca = 1,
		    .issuer = n == 0 ? twin : chain[n - 1]});
	CHECK(attack_with("circles", chain, n).trust != TRUST_OK);
	cert_free(twin);
	free_ladder(chain, n);
}

TEST_MAIN
