/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Comparing a certificate with those that history has of its server.
 */
#include "rules/renewal.h"

#include <ctype.h>
#include <string.h>

#define DAY INT64_C(86400)

/* ---- domains ---- */

static unsigned
labels(const char *s, size_t n)
{
	unsigned dots = 0;

	for (size_t i = 0; i < n; i++)
		dots += s[i] == '.';
	return dots + 1;
}

static void
add_domain(uint32_t out[2], const char *name, size_t n)
{
	char domain[256];
	const char *dot = memchr(name, '.', n);
	uint32_t bit;

	if (dot != NULL && (labels(name, n) >= 3 || name[0] == '*')) {
		n -= (size_t)(dot + 1 - name);
		name = dot + 1;
	}
	if (n == 0 || n >= sizeof(domain))
		return;
	for (size_t i = 0; i < n; i++)
		domain[i] = (char)tolower((unsigned char)name[i]);
	bit = hash32(domain, n) & 63;
	out[bit >> 5] |= UINT32_C(1) << (bit & 31);
}

void
renewal_domains(uint32_t out[2], const struct x509_facts *leaf)
{
	const char *p = leaf->names;

	memset(out, 0, 2 * sizeof(out[0]));
	if (leaf->flags & (X509F_NAMES_CUT | X509F_BAD_NAME))
		return;
	if (*p == '\0')
		p = leaf->common_name;
	while (*p != '\0') {
		size_t n = strcspn(p, "\n");

		add_domain(out, p, n);
		p += n + (p[n] == '\n');
	}
}

/* ---- comparing ---- */

/* The one seen last; NULL: none whose dates are known. */
static const struct known_cert *
latest(const struct server_facts *s)
{
	const struct known_cert *best = NULL;

	for (unsigned i = 0; i < s->ncerts && i < HISTORY_KEYS; i++)
		if (s->certs[i].not_after > s->certs[i].not_before &&
		    (best == NULL || s->certs[i].last > best->last))
			best = &s->certs[i];
	return best;
}

static void
compare_sets(const struct server_facts *s, const struct x509_facts *leaf,
    struct renewal *out)
{
	uint32_t domains[2];
	bool known = s->ncerts > 0;

	renewal_domains(domains, leaf);
	out->twin = s->ncerts > 0;
	for (unsigned i = 0; i < s->ncerts && i < HISTORY_KEYS; i++) {
		const struct known_cert *k = &s->certs[i];

		out->same_issuer |=
		    memcmp(k->issuer, leaf->issuer_sha256, 32) == 0;
		out->same_domains |= ((k->domains[0] & domains[0]) |
					 (k->domains[1] & domains[1])) != 0;
		known &= (k->domains[0] | k->domains[1]) != 0;
		if (k->key_type == leaf->key_type || k->not_after == 0)
			out->twin = false;
	}
	out->other_domains =
	    known && (domains[0] | domains[1]) != 0 && !out->same_domains;
}

void
renewal_compare(const struct server_facts *s, const struct x509_facts *leaf,
    int64_t now, struct renewal *out)
{
	const struct known_cert *before = latest(s);
	int64_t life, longer;

	memset(out, 0, sizeof(*out));
	compare_sets(s, leaf, out);
	if (before == NULL)
		return;
	life = before->not_after - before->not_before;
	longer = leaf->not_after - leaf->not_before - life;
	out->short_lived =
	    life <= RENEWAL_SHORT_LIFE && longer <= DAY && longer >= -DAY;
	out->left = before->not_after - now;
	out->due = out->left <= life / 3 + DAY;
	out->early = !out->due;
}
