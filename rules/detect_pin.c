/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the operator pinned of a server's TLS: key, issuer, name, version.
 *
 * Benign: a renewal that nobody told the sensor about. It is for the operator
 * to change the pin; that is what a pin is.
 */
#include <stdio.h>
#include <string.h>

#include "rules/detect.h"
#include "rules/weights.h"

bool
pin_has_key(const struct pin *p, const struct x509_facts *leaf)
{
	return p != NULL && p->has_key &&
	       (memcmp(p->sha256, leaf->spki_sha256, 32) == 0 ||
		   memcmp(p->sha256, leaf->sha256, 32) == 0);
}

static void
add(struct detect_ctx *c, enum finding_id id, int weight, const char *sentence,
    const char *what)
{
	struct finding *n = detect_find(c, id);

	if (n == NULL)
		return;
	n->tags |= EVT_PINNED;
	for (unsigned i = 0; c->verdict != NULL && i < 32; i++)
		(void)snprintf(n->cert_sha256 + 2 * i, 3, "%02x",
		    c->verdict->leaf.sha256[i]);
	finding_add(n, weight, "%s%.100s", sentence, what);
}

static void
check_cert(const struct pin *p, struct detect_ctx *c)
{
	const struct x509_facts *leaf = &c->verdict->leaf;

	if (c->verdict->trust == TRUST_MALFORMED)
		return;
	if (p->has_key && !pin_has_key(p, leaf))
		add(c, FIND_CERT_CHANGED, W_PINNED_KEY,
		    "neither key nor certificate is the one pinned by the "
		    "operator; the issuer is ",
		    leaf->issuer);
	if (p->issuer[0] != '\0' && strcasestr(leaf->issuer, p->issuer) == NULL)
		add(c, FIND_CERT_CHANGED, W_PINNED_ISSUER,
		    "the issuer is not the one pinned by the operator, but ",
		    leaf->issuer);
	if (p->cert_name[0] != '\0' && x509_speaks_for(leaf, p->cert_name) == 0)
		add(c, FIND_CERT_NAME_MISMATCH, W_PINNED_NAME,
		    "the certificate is not for the name pinned by the "
		    "operator, ",
		    p->cert_name);
}

void
detect_pinned(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	const struct pin *p = past_pin(c);

	(void)f;
	if (p == NULL)
		return;
	if (o->kind == OBS_TLS_CERT) {
		if (c->verdict != NULL && o->u.cert.from_server)
			check_cert(p, c);
	} else if (!o->u.hello.retry && o->u.hello.version != 0 &&
		   o->u.hello.version < p->tls_min) {
		add(c, FIND_TLS_OLD_VERSION, W_PINNED_VERSION,
		    "the version is below the one pinned by the operator", "");
	}
}
