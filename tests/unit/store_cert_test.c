/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates in the database: each once, with its bytes, first and last
 * sight; the intermediates for the next run; and how many there may be.
 */
#include "db/query_cert.h"
#include "db/store.h"

#include "tests/alert_sample.h"
#include "tests/certs.h"

static struct cert *root, *sub;

struct shown { /* a leaf, and the intermediate if there is one */
	struct chain_verdict verdict;
	struct slice der[2];
	struct store_chain chain;
};

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

static void
hash_of(const struct cert *c, uint8_t out[32])
{
	unsigned n = 32;

	CHECK_INT(X509_digest(c->x, EVP_sha256(), out, &n), 1);
}

/* As the verifier and the pipeline hand it over. */
static struct shown *
show(const struct cert *leaf, const struct cert *issuer)
{
	struct shown *s = calloc(1, sizeof(*s));

	CHECK_INT(x509_read(leaf->slice, &s->verdict.leaf), 0);
	s->verdict.trust = TRUST_OK;
	s->verdict.count = 1;
	s->der[0] = leaf->slice;
	if (issuer != NULL) {
		s->der[1] = issuer->slice;
		hash_of(issuer, s->verdict.others[0]);
		s->verdict.count = 2;
		s->verdict.on_path = 2;
	}
	s->chain = (struct store_chain){
	    &s->verdict, s->der, s->verdict.count, 0, false};
	return s;
}

static struct cert *
make_leaf(const char *san)
{
	make_authorities();
	return cert_make(&(struct mould){
	    .cn = "m", .key = CK_EC, .issuer = sub, .san = san});
}

DB_TEST(each_certificate_once_with_first_and_last_sight)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0);
	struct cert *leaf = make_leaf("DNS:mx.example.net");
	struct shown *c = show(leaf, sub);

	store_chain(s, &c->chain, &a.flow, T0);
	store_chain(s, &c->chain, &a.flow, T0 + 5);
	store_flush(s);
	a.flow.server_port = 587;
	store_chain(s, &c->chain, &a.flow, T0 - 5);
	store_chain(s, &c->chain, &a.flow, T0 + 1);
	store_close(s);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM certificates"), 2);
	CHECK_INT(
	    sample_ask(db, "SELECT min(last-first) FROM certificates"), 10);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM certificates WHERE "
				 "first_server='10.2.0.20:587' AND "
				 "last_server='10.2.0.20:25'"),
	    2);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM certificates JOIN "
				 "certificate_der USING (sha256) WHERE place=0 "
				 "AND trust=1 AND known=0 AND "
				 "names='mx.example.net'"),
	    1);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM certificates JOIN "
				 "certificate_der USING (sha256) WHERE place=1 "
				 "AND trust=0 AND known=1"),
	    1);
	free(c);
	cert_free(leaf);
}

/* A leaf in one chain and sent along in another; known once, known always. */
DB_TEST(what_a_later_sight_changes)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0);
	struct cert *leaf = make_leaf(NULL);
	struct shown *whole = show(leaf, sub), *alone = show(sub, NULL);

	store_chain(s, &whole->chain, &a.flow, T0);
	store_flush(s);
	alone->verdict.trust = TRUST_INCOMPLETE;
	store_chain(s, &alone->chain, &a.flow, T0 + 1);
	store_flush(s);
	store_chain(s, &whole->chain, &a.flow, T0 + 2);
	store_close(s);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM certificates JOIN "
				 "certificate_der USING (sha256) WHERE "
				 "subject='CN=Issuing' AND place=0 AND known=1 "
				 "AND trust=3"),
	    1);
	free(whole);
	free(alone);
	cert_free(leaf);
}

DB_TEST(what_is_no_certificate_is_left_out)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0);
	struct cert *leaf = make_leaf(NULL);
	struct shown *c = show(leaf, NULL);
	uint8_t junk[40] = {0x30};

	c->der[1] = (struct slice){junk, sizeof(junk)};
	c->chain.n = 2;
	c->verdict.trust = TRUST_MALFORMED;
	store_chain(s, &c->chain, &a.flow, T0);
	c->der[1].len = 0;
	store_chain(s, &c->chain, &a.flow, T0);
	CHECK_INT(store_close(s), 0);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM certificates"), 1);
	CHECK_INT(
	    sample_ask(db, "SELECT trust FROM certificates"), TRUST_MALFORMED);
	free(c);
	cert_free(leaf);
}

static void
count_known(void *ctx, struct slice der)
{
	CHECK_INT(der.len, sub->slice.len);
	CHECK(memcmp(der.p, sub->der, der.len) == 0);
	++*(unsigned *)ctx;
}

DB_TEST(known_intermediates_come_back)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0);
	struct cert *leaf = make_leaf(NULL);
	struct shown *c = show(leaf, sub);
	unsigned n = 0;

	store_chain(s, &c->chain, &a.flow, T0);
	store_close(s);
	s = sample_open(db, false);
	CHECK_INT(store_each_known(s, count_known, &n), 0);
	CHECK_INT(n, 1);
	store_close(s);
	free(c);
	cert_free(leaf);
}

/* A client's is kept too, and told apart; a server's own stays one. */
DB_TEST(certificates_of_clients)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0);
	struct cert *leaf = make_leaf(NULL);
	struct shown *c = show(leaf, sub);

	c->chain.of_client = true;
	store_chain(s, &c->chain, &a.flow, T0);
	store_flush(s);
	CHECK_INT(sample_ask(db, "SELECT min(place) FROM certificate_der"),
	    STORE_PLACE_CLIENT);
	CHECK_INT(sample_ask(db, "SELECT max(place) FROM certificate_der"),
	    STORE_PLACE_CLIENT + 1);
	c->chain.of_client = false;
	store_chain(s, &c->chain, &a.flow, T0 + 1);
	store_close(s);
	CHECK_INT(sample_ask(db, "SELECT min(place) FROM certificate_der"), 0);
	CHECK_INT(sample_ask(db, "SELECT max(place) FROM certificate_der"), 1);
	free(c);
	cert_free(leaf);
}

/* The staple comes after the chain, and the row may be written by then. */
DB_TEST(what_a_staple_said)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0);
	struct cert *leaf = make_leaf(NULL);
	struct shown *c = show(leaf, sub);

	store_chain(s, &c->chain, &a.flow, T0);
	c->verdict.staple = STAPLE_GOOD;
	store_staple(s, &c->verdict);
	store_flush(s);
	CHECK_INT(sample_ask(db, "SELECT staple FROM certificate_der WHERE "
				 "place=0"),
	    STAPLE_GOOD);
	c->verdict.staple = STAPLE_REVOKED;
	c->verdict.staple_scts = 2;
	store_staple(s, &c->verdict);
	store_flush(s);
	c->verdict.staple = STAPLE_NONE;
	c->verdict.staple_scts = 0;
	c->chain.scts = 3;
	store_chain(s, &c->chain, &a.flow, T0 + 1); /* without one */
	store_close(s);
	CHECK_INT(sample_ask(db, "SELECT scts FROM certificate_der WHERE "
				 "place=0"),
	    SCT_IN_STAPLE | SCT_IN_HANDSHAKE);
	CHECK_INT(sample_ask(db, "SELECT staple FROM certificate_der WHERE "
				 "place=0"),
	    STAPLE_REVOKED);
	CHECK_INT(sample_ask(db, "SELECT staple FROM certificate_der WHERE "
				 "place=1"),
	    STAPLE_NONE);
	free(c);
	cert_free(leaf);
}

DB_TEST(of_too_many_the_ones_not_seen_for_longest_go)
{
	struct store_config cfg = {.path = db, .max_certs = 160};
	struct alert a = sample_alert(0);
	char err[256] = "";
	struct store *s;

	make_authorities();
	CHECK_INT(store_open(&s, &cfg, err, sizeof(err)), STORE_OK);
	for (unsigned i = 0; i < 600; i++) {
		struct cert *leaf = make_leaf(NULL);
		struct shown *c = show(leaf, sub);

		store_chain(s, &c->chain, &a.flow, T0 + i);
		free(c);
		cert_free(leaf);
	}
	store_flush(s);
	CHECK(store_counters(s)->certs_dropped >= 400);
	CHECK_INT(store_close(s), 0);
	/* up to one round of writing more than the limit */
	CHECK(sample_ask(db, "SELECT count(*) FROM certificates") <= 260);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM certificates") -
		      sample_ask(db, "SELECT count(*) FROM certificate_der"),
	    0);
	/* the newest is there, and so is what all of them share */
	CHECK_INT(
	    sample_ask(db, "SELECT max(last) FROM certificates"), T0 + 599);
	CHECK_INT(sample_ask(db, "SELECT count(*) FROM certificates WHERE "
				 "subject='CN=Issuing'"),
	    1);
}

/* ---- reading back ---- */

static int
note_row(void *ctx, const struct query_cert *c)
{
	char *out = ctx;

	strcat(out, c->subject);
	strcat(out, c->der.len > 0 ? " " : "! ");
	return 0;
}

static void
check_query(const char *db, struct query_cert_filter f, const char *want)
{
	char err[256] = "", got[512] = "";
	struct query *q = query_open(db, err, sizeof(err));

	CHECK(q != NULL);
	CHECK(query_certs(q, &f, note_row, got, err, sizeof(err)) >= 0);
	CHECK_STR(err, "");
	CHECK_STR(got, want);
	query_close(q);
}

DB_TEST(certificates_are_found_by_server_name_and_fingerprint)
{
	struct store *s = sample_open(db, false);
	struct alert a = sample_alert(0);
	struct cert *leaf = make_leaf("DNS:mx.example.net,DNS:b.example");
	struct shown *c = show(leaf, sub);
	char sha[65];

	store_chain(s, &c->chain, &a.flow, T0);
	store_close(s);
	for (unsigned i = 0; i < 32; i++)
		snprintf(sha + 2 * i, 3, "%02x", c->verdict.leaf.sha256[i]);
	check_query(db,
	    (struct query_cert_filter){
		.host = "10.2.0.20", .servers_only = true},
	    "CN=m ");
	check_query(db, (struct query_cert_filter){.host = "10.2.0.2"}, "");
	check_query(
	    db, (struct query_cert_filter){.host = "B.example"}, "CN=m ");
	check_query(db, (struct query_cert_filter){.host = "example"}, "");
	check_query(db, (struct query_cert_filter){.sha256 = sha}, "CN=m ");
	sha[9] = '\0';
	check_query(db, (struct query_cert_filter){.sha256 = sha}, "CN=m ");
	check_query(db, (struct query_cert_filter){.sha256 = "none"}, "");
	sample_exec(db, "DELETE FROM certificate_der");
	check_query(db, (struct query_cert_filter){.sha256 = sha}, "CN=m! ");
	free(c);
	cert_free(leaf);
}

TEST_MAIN
