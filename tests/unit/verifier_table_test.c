/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Chains with each defect, alone and combined, in RSA, ECDSA and Ed25519: our
 * verdict and findings, and beside them what `openssl verify` says of the same
 * files at the same time.
 */
#include <unistd.h>

#include "rules/detect.h"
#include "sensor/verifier.h"

#include "tests/certs.h"

#define NOW (T2026 + 180 * INT64_C(86400))
#define HOST "mail.example"

enum defect {
	EXPIRED = 1 << 0,
	FUTURE = 1 << 1, /* not valid yet */
	SELF = 1 << 2, /* signed by itself */
	ALONE = 1 << 3, /* its intermediate is not sent */
	FOREIGN = 1 << 4, /* of an authority that nobody here knows */
	FORGED = 1 << 5, /* a byte of the signature is another */
	OTHER_NAME = 1 << 6,
	NO_SAN = 1 << 7, /* the right name, and only in the subject */
	WIDE_STAR = 1 << 8, /* *.example, for all of a top-level domain */
	STAR = 1 << 9, /* *.mail.example, one label too many */
	WEAK_SHA1 = 1 << 10,
	WEAK_MD5 = 1 << 11,
	SHORT = 1 << 12, /* RSA 1024, P-192 */
	AUTHORITY = 1 << 13, /* the server's own says CA:TRUE */
	CLIENT = 1 << 14, /* extended key usage: clientAuth alone */
	SUB_OLD = 1 << 15, /* the intermediate has expired */
	SUB_WEAK = 1 << 16,
	SUB_LEAF = 1 << 17, /* the intermediate says CA:FALSE */
	PATH_LONG = 1 << 18, /* one intermediate more than allowed */
	CONSTRAINED = 1 << 19, /* the name is outside the intermediate's */
	ROOT_SENT = 1 << 20, /* no defect: the root comes along */
	UNORDERED = 1 << 21, /* no defect: the root before the intermediate */
	NO_DNS = 1 << 22 /* as NO_SAN, and there is an address beside it */
};

struct kind {
	const char *name;
	enum cert_key leaf, weak, sub, root, other;
	unsigned none; /* defects that it cannot have */
};

static const struct kind kinds[] = {
    {"RSA", CK_RSA, CK_RSA1024, CK_SUB, CK_CA, CK_OTHER_RSA, 0},
    {"ECDSA", CK_EC, CK_EC192, CK_SUB_EC, CK_CA_EC, CK_OTHER_EC, WEAK_MD5},
    {"Ed25519", CK_ED25519, CK_ED25519, CK_SUB_ED25519, CK_CA_ED25519,
	CK_OTHER_ED25519, WEAK_SHA1 | WEAK_MD5 | SHORT | SUB_WEAK},
};

struct row {
	unsigned defects;
	enum trust trust;
	const char *findings; /* in the order of the catalogue */
	int openssl; /* its X509_V_ERR, 0: OK */
};

static const struct row rows[] = {
    {0, TRUST_OK, "", 0},
    {ROOT_SENT, TRUST_OK, "", 0},
    {UNORDERED, TRUST_OK, "", 0},
    {EXPIRED, TRUST_OK, "cert-expired", 10},
    {FUTURE, TRUST_OK, "cert-not-yet-valid", 9},
    {SELF, TRUST_SELF_SIGNED, "cert-self-signed", 18},
    {ALONE, TRUST_INCOMPLETE, "cert-incomplete-chain cert-untrusted", 20},
    {FOREIGN, TRUST_ROOT_UNKNOWN, "cert-untrusted", 20},
    {FOREIGN | ROOT_SENT, TRUST_ROOT_UNKNOWN, "cert-untrusted", 19},
    {FORGED, TRUST_BAD_SIGNATURE, "cert-untrusted", 7},
    {OTHER_NAME, TRUST_OK, "cert-name-mismatch", 62},
    {NO_SAN, TRUST_OK, "", 0},
    {NO_DNS, TRUST_OK, "", 0},
    {WIDE_STAR, TRUST_OK, "cert-name-mismatch", 62},
    {STAR, TRUST_OK, "cert-name-mismatch", 62},
    {WEAK_SHA1, TRUST_OK, "cert-weak-signature", 0},
    {WEAK_MD5, TRUST_OK, "cert-weak-signature", 0},
    {SHORT, TRUST_OK, "cert-weak-key", 0},
    {AUTHORITY, TRUST_OK, "cert-bad-usage", 0},
    {CLIENT, TRUST_OK, "cert-bad-usage", 26},
    {SUB_OLD, TRUST_OK, "cert-expired", 10},
    {SUB_WEAK, TRUST_OK, "cert-weak-signature", 0},
    {SUB_LEAF, TRUST_ROOT_UNKNOWN, "cert-untrusted", 79},
    {PATH_LONG, TRUST_ROOT_UNKNOWN, "cert-untrusted", 25},
    {CONSTRAINED, TRUST_ROOT_UNKNOWN, "cert-untrusted", 47},
    {SELF | EXPIRED, TRUST_SELF_SIGNED, "cert-self-signed cert-expired", 18},
    {SELF | OTHER_NAME, TRUST_SELF_SIGNED,
	"cert-self-signed cert-name-mismatch", 18},
    {SELF | SHORT, TRUST_SELF_SIGNED, "cert-self-signed cert-weak-key", 18},
    {SELF | AUTHORITY, TRUST_SELF_SIGNED, "cert-self-signed", 18},
    {SELF | EXPIRED | OTHER_NAME, TRUST_SELF_SIGNED,
	"cert-self-signed cert-name-mismatch cert-expired", 18},
    {ALONE | EXPIRED, TRUST_INCOMPLETE,
	"cert-expired cert-incomplete-chain cert-untrusted", 20},
    {ALONE | FOREIGN, TRUST_INCOMPLETE, "cert-incomplete-chain cert-untrusted",
	20},
    {ALONE | FORGED, TRUST_INCOMPLETE, "cert-incomplete-chain cert-untrusted",
	20},
    {FOREIGN | EXPIRED, TRUST_ROOT_UNKNOWN, "cert-expired cert-untrusted", 20},
    {FOREIGN | OTHER_NAME, TRUST_ROOT_UNKNOWN,
	"cert-name-mismatch cert-untrusted", 20},
    {FOREIGN | CONSTRAINED, TRUST_ROOT_UNKNOWN, "cert-untrusted", 20},
    {FORGED | EXPIRED, TRUST_BAD_SIGNATURE, "cert-expired cert-untrusted", 7},
    {FORGED | OTHER_NAME, TRUST_BAD_SIGNATURE,
	"cert-name-mismatch cert-untrusted", 62},
    {EXPIRED | OTHER_NAME, TRUST_OK, "cert-name-mismatch cert-expired", 62},
    {EXPIRED | SUB_OLD, TRUST_OK, "cert-expired", 10},
    {EXPIRED | SHORT | WEAK_SHA1, TRUST_OK,
	"cert-expired cert-weak-key cert-weak-signature", 10},
    {FUTURE | CLIENT, TRUST_OK, "cert-not-yet-valid cert-bad-usage", 26},
    {OTHER_NAME | CLIENT | AUTHORITY, TRUST_OK,
	"cert-name-mismatch cert-bad-usage", 26},
    {WEAK_SHA1 | SUB_WEAK, TRUST_OK, "cert-weak-signature", 0},
    {SUB_LEAF | FOREIGN, TRUST_ROOT_UNKNOWN, "cert-untrusted", 20},
    {SUB_OLD | OTHER_NAME, TRUST_OK, "cert-name-mismatch cert-expired", 62},
    {NO_SAN | EXPIRED, TRUST_OK, "cert-expired", 10},
};

struct chain {
	struct cert *root, *sub, *below, *leaf;
};

static struct cert *
make_sub(unsigned d, const struct kind *k, const struct cert *issuer)
{
	return cert_make(&(struct mould){.cn = "Issuing",
	    .org = "Lab",
	    .key = k->sub,
	    .issuer = issuer,
	    .ca = 1,
	    .constraints = d & SUB_LEAF	   ? "critical,CA:FALSE"
			   : d & PATH_LONG ? "critical,CA:TRUE,pathlen:0"
					   : NULL,
	    .more = {{NID_name_constraints,
		d & CONSTRAINED ? "critical,permitted;DNS:other.example"
				: NULL}},
	    .md = d & SUB_WEAK ? EVP_sha1() : NULL,
	    .from = T2025,
	    .to = d & SUB_OLD ? T2026 + 86400 : T2030});
}

static struct cert *
make_leaf(unsigned d, const struct kind *k, const struct cert *issuer)
{
	return cert_make(&(struct mould){.cn = HOST,
	    .key = d & SHORT ? k->weak : k->leaf,
	    .issuer = d & SELF ? NULL : issuer,
	    .san = d & NO_DNS	    ? "IP:192.0.2.1"
		   : d & NO_SAN	    ? NULL
		   : d & OTHER_NAME ? "DNS:other.test"
		   : d & WIDE_STAR  ? "DNS:*.example"
		   : d & STAR	    ? "DNS:*." HOST
				    : "DNS:" HOST,
	    .eku = d & CLIENT ? "clientAuth" : "serverAuth",
	    .md = d & WEAK_MD5	  ? EVP_md5()
		  : d & WEAK_SHA1 ? EVP_sha1()
				  : NULL,
	    .ca = (d & AUTHORITY) != 0,
	    .from = d & FUTURE	  ? T2027
		    : d & EXPIRED ? T2025
				  : T2026,
	    .to = d & EXPIRED ? T2026 : T2027 + 86400});
}

static struct chain
make_chain(unsigned d, const struct kind *k)
{
	struct chain c = {0};

	c.root = cert_make(&(struct mould){.cn = d & FOREIGN ? "Far" : "Root",
	    .org = d & FOREIGN ? "Elsewhere" : "Lab",
	    .key = d & FOREIGN ? k->other : k->root,
	    .ca = 1,
	    .from = T2025,
	    .to = T2030});
	c.sub = make_sub(d, k, c.root);
	if (d & PATH_LONG)
		c.below = cert_make(&(struct mould){.cn = "Below",
		    .org = "Lab",
		    .key = k->other,
		    .issuer = c.sub,
		    .ca = 1,
		    .to = T2030});
	c.leaf = make_leaf(d, k, c.below != NULL ? c.below : c.sub);
	if (d & FORGED)
		c.leaf->der[c.leaf->slice.len - 1] ^= 1;
	return c;
}

static void
free_chain(struct chain *c)
{
	cert_free(c->root);
	cert_free(c->sub);
	if (c->below != NULL)
		cert_free(c->below);
	cert_free(c->leaf);
}

/* ---- ours ---- */

static unsigned
order_sent(const struct chain *c, unsigned d, struct slice der[4])
{
	unsigned n = 0;

	der[n++] = c->leaf->slice;
	if (d & UNORDERED)
		der[n++] = c->root->slice;
	if (c->below != NULL)
		der[n++] = c->below->slice;
	if (!(d & (ALONE | SELF)))
		der[n++] = c->sub->slice;
	if (d & ROOT_SENT)
		der[n++] = c->root->slice;
	return n;
}

/* The findings of the detector, a space between. */
static void
judge(struct chain_verdict *v, char *out, size_t cap)
{
	static const struct facts_tls tls = {
	    .known = 1, .has_sni = 1, .has_chain = 1, .sni = HOST};
	static struct facts f;
	static struct detect_ctx c;
	static struct obs o;
	size_t used = 0;

	facts_init(&f);
	f.tls = &tls;
	memset(&c, 0, sizeof(c));
	obs_init(&o, OBS_TLS_CERT);
	o.dir = DIR_S2C;
	o.time = NOW * INT64_C(1000000000);
	o.u.cert.from_server = 1;
	f.proto = PROTO_IMAP;
	f.who.server_port = 143;
	c.o = &o;
	c.f = &f;
	c.verdict = v;
	detect_cert(&o, &f, &c);
	out[0] = '\0';
	for (unsigned id = 0; id < FIND_COUNT; id++)
		for (unsigned i = 0; i < c.nout; i++)
			if (c.out[i].id == id && c.out[i].confidence > 0)
				used += (size_t)snprintf(out + used, cap - used,
				    "%s%s", used > 0 ? " " : "",
				    finding_info((enum finding_id)id)->name);
}

static struct chain_verdict
verify(const struct chain *c, const struct cert *anchor, unsigned d)
{
	static const uint8_t id[32] = {1};
	const char *path = cert_write_pem(anchor);
	char err[256] = "";
	struct verifier *v = verifier_new(&path, 1, true, err, sizeof(err));
	struct chain_verdict r;
	struct slice der[4];

	unlink(path);
	CHECK_STR(err, "");
	r = *verifier_chain(v, id, der, order_sent(c, d, der));
	verifier_free(v);
	return r;
}

/* ---- OpenSSL's command ---- */

static void
write_pem(const char *path, const struct slice *der, unsigned n)
{
	FILE *fp = fopen(path, "w");

	if (fp == NULL)
		abort();
	for (unsigned i = 0; i < n; i++)
		(void)PEM_write(
		    fp, PEM_STRING_X509, "", der[i].p, (long)der[i].len);
	fclose(fp);
}

/* The number of the first error it prints, 0 for OK, -1 for neither. */
static int
ask_openssl(const struct chain *c, const struct cert *anchor, unsigned d)
{
	static const char command[] =
	    "openssl verify -no-CApath -no-CAstore -CAfile root.pem "
	    "-untrusted sent.pem -attime %lld -auth_level 0 "
	    "-purpose sslserver -verify_hostname " HOST " leaf.pem 2>&1";
	char line[512], cmd[sizeof(command) + 24];
	struct slice der[4];
	unsigned n = order_sent(c, d, der);
	int error = -1, found;
	FILE *fp;

	write_pem("root.pem", &anchor->slice, 1);
	write_pem("leaf.pem", der, 1);
	write_pem("sent.pem", n > 1 ? der + 1 : der, n > 1 ? n - 1 : 1);
	snprintf(cmd, sizeof(cmd), command, (long long)NOW);
	fp = popen(cmd, "r");
	while (fp != NULL && fgets(line, sizeof(line), fp) != NULL) {
		if (error == -1 && sscanf(line, "error %d at", &found) == 1)
			error = found;
		if (error == -1 && strcmp(line, "leaf.pem: OK\n") == 0)
			error = 0;
	}
	if (fp != NULL)
		pclose(fp);
	return error;
}

/* ---- both ---- */

/* What keeps a chain from being accepted, as against a remark on it. */
static bool
is_refusal(const char *findings)
{
	static const char *const names[] = {"cert-expired",
	    "cert-not-yet-valid", "cert-self-signed", "cert-incomplete-chain",
	    "cert-untrusted", "cert-name-mismatch"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strstr(findings, names[i]) != NULL)
			return true;
	return false;
}

static void
check_row(const struct row *r, const struct kind *k, const struct cert *anchor)
{
	struct chain c = make_chain(r->defects, k);
	const struct cert *trust = r->defects & FOREIGN ? anchor : c.root;
	struct chain_verdict v = verify(&c, trust, r->defects);
	int openssl = ask_openssl(&c, trust, r->defects);
	char findings[512];

	judge(&v, findings, sizeof(findings));
	if (v.trust != r->trust || strcmp(findings, r->findings) != 0 ||
	    openssl != r->openssl)
		TEST_FAIL("%s %#x: trust %d \"%s\" openssl %d, not %d \"%s\" "
			  "%d",
		    k->name, r->defects, v.trust, findings, openssl, r->trust,
		    r->findings, r->openssl);
	/* theirs is yes or no: a certificate for clients is a no */
	CHECK_INT(
	    is_refusal(findings) || (r->defects & CLIENT) != 0, openssl != 0);
	free_chain(&c);
}

TEST(our_verdict_and_that_of_openssl_verify)
{
	char folder[] = "/tmp/stripwire-table-XXXXXX",
	     *before = getcwd(NULL, 0);
	unsigned chains = 0;

	if (mkdtemp(folder) == NULL || chdir(folder) != 0)
		abort();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct cert *anchor = cert_make(&(struct mould){.cn = "Root",
		    .org = "Lab",
		    .key = kinds[i].root,
		    .ca = 1,
		    .from = T2025,
		    .to = T2030});

		for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++) {
			if (rows[j].defects & kinds[i].none)
				continue;
			check_row(&rows[j], &kinds[i], anchor);
			chains++;
		}
		cert_free(anchor);
	}
	CHECK(chains >= 60);
	if (getenv("FIGURES") != NULL)
		printf("%u chains beside openssl verify\n", chains);
	(void)!system("rm -f root.pem leaf.pem sent.pem");
	if (chdir(before) != 0 || rmdir(folder) != 0)
		abort();
	free(before);
}

TEST_MAIN
