/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names are shown as they stand in the certificate, and internationalised ones
 * as they read beside it. Rows may come from a file that somebody else wrote:
 * all text is cleaned.
 */
#include "sensor/cert_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "db/store.h"
#include "decoders/idn.h"
#include "decoders/x509.h"

#define TEXT_MAX (X509_NAMES_MAX + IDN_TEXT_MAX + 4)
#define COLUMN 14 /* where values begin */

const char *
cert_trust_name(const struct query_cert *c)
{
	static const char *const names[] = {
	    [TRUST_UNKNOWN] = "",
	    [TRUST_OK] = "trusted",
	    [TRUST_SELF_SIGNED] = "self-signed",
	    [TRUST_INCOMPLETE] = "incomplete chain",
	    [TRUST_ROOT_UNKNOWN] = "unknown root",
	    [TRUST_BAD_SIGNATURE] = "wrong signature",
	    [TRUST_MALFORMED] = "malformed chain",
	};

	if (c->trust < 0 || c->trust > TRUST_MALFORMED)
		return "";
	return names[c->trust];
}

const char *
cert_role_name(const struct query_cert *c)
{
	return c->place == 0			? "server"
	       : c->place == STORE_PLACE_CLIENT ? "client"
						: "issuer";
}

static const char *
role_sentence(const struct query_cert *c)
{
	return c->place == 0			? "a server's own"
	       : c->place == STORE_PLACE_CLIENT ? "a client's own"
						: "an issuer's, sent along";
}

static const char *
staple_name(const struct query_cert *c)
{
	static const char *const names[] = {
	    [STAPLE_NONE] = "",
	    [STAPLE_GOOD] = "good",
	    [STAPLE_REVOKED] = "revoked",
	    [STAPLE_UNKNOWN] = "unknown to its authority",
	    [STAPLE_OLD] = "out of date",
	    [STAPLE_OTHER] = "about another certificate",
	    [STAPLE_UNSIGNED] = "not signed by its authority",
	    [STAPLE_REFUSED] = "the authority's responder had an error",
	    [STAPLE_UNCHECKED] = "not checked, the chain is not trusted",
	    [STAPLE_MALFORMED] = "malformed",
	};

	if (c->staple < 0 || c->staple > STAPLE_MALFORMED)
		return "";
	return names[c->staple];
}

static const char *
scts_name(const struct query_cert *c)
{
	static const char *const names[] = {"", "in a stapled response",
	    "in the handshake", "in a stapled response, in the handshake"};

	return names[c->scts & (SCT_IN_STAPLE | SCT_IN_HANDSHAKE)];
}

static const char *
key_name(const struct query_cert *c)
{
	static const char *const names[] = {[KEY_OTHER] = "of another kind",
	    [KEY_RSA] = "RSA",
	    [KEY_EC] = "EC",
	    [KEY_ED25519] = "Ed25519",
	    [KEY_ED448] = "Ed448",
	    [KEY_DSA] = "DSA"};

	return c->key_type < 0 || c->key_type > KEY_DSA ? names[KEY_OTHER]
							: names[c->key_type];
}

static const struct {
	uint32_t flag;
	const char *name; /* for programs */
	const char *what;
} flag_names[] = {
    {X509F_SELF_ISSUED, "self_issued", "names itself as its issuer"},
    {X509F_SELF_SIGNED, "self_signed", "signed by its own key"},
    {X509F_CA, "ca", "may issue others"},
    {X509F_SERVER_AUTH, "server_auth", "may be a TLS server's"},
    {X509F_HAS_SCT, "sct", "holds certificate transparency time stamps"},
    {X509F_HAS_AIA, "aia", "says where its issuer is to be found"},
    {X509F_NAMES_CUT, "names_cut", "has more names than were kept"},
    {X509F_BAD_NAME, "bad_name", "a name in it is none"},
};

#define FLAG_NAMES (sizeof(flag_names) / sizeof(flag_names[0]))

/* ---- for people ---- */

static void
line(FILE *out, const struct text_style *style, const char *name,
    const char *value)
{
	char clean[TEXT_MAX];

	if (value[0] == '\0')
		return;
	text_clean(clean, sizeof(clean), value, style);
	fprintf(out, "%-*s%s\n", COLUMN, name, clean);
}

static void
print_names(FILE *out, const struct text_style *style, const char *names)
{
	char name[X509_NAMES_MAX], unicode[IDN_TEXT_MAX], both[TEXT_MAX];
	const char *title = "names";

	while (*names != '\0') {
		size_t n = strcspn(names, "\n");

		snprintf(name, sizeof(name), "%.*s", (int)n, names);
		if (idn_to_text(unicode, name))
			snprintf(both, sizeof(both), "%s (%s)", name, unicode);
		else
			snprintf(both, sizeof(both), "%s", name);
		line(out, style, title, both);
		title = "";
		names += n + (names[n] == '\n');
	}
}

static void
print_sights(
    FILE *out, const struct text_style *style, const struct query_cert *c)
{
	char text[TEXT_TIME_MAX + 128], when[TEXT_TIME_MAX];

	snprintf(text, sizeof(text), "%s at %.80s", text_time(when, c->first),
	    c->first_server);
	line(out, style, "first seen", text);
	snprintf(text, sizeof(text), "%s at %.80s", text_time(when, c->last),
	    c->last_server);
	line(out, style, "last seen", text);
}

void
cert_print(
    FILE *out, const struct text_style *style, const struct query_cert *c)
{
	char text[192], from[TEXT_TIME_MAX], to[TEXT_TIME_MAX];

	line(out, style, "sha256", c->sha256);
	line(out, style, "subject", c->subject);
	line(out, style, "issuer", c->issuer);
	line(out, style, "serial", c->serial);
	print_names(out, style, c->names);
	snprintf(text, sizeof(text), "%s to %s", text_date(from, c->not_before),
	    text_date(to, c->not_after));
	line(out, style, "valid", text);
	snprintf(text, sizeof(text), "%s, %d bits, sha256 %.64s", key_name(c),
	    c->key_bits, c->spki_sha256);
	line(out, style, "key", text);
	line(out, style, "signature", c->signature);
	for (size_t i = 0; i < FLAG_NAMES; i++)
		if (c->flags & flag_names[i].flag)
			line(out, style, "", flag_names[i].what);
	line(out, style, "trust", cert_trust_name(c));
	line(out, style, "", c->error);
	line(out, style, "ocsp", staple_name(c));
	line(out, style, "more scts", scts_name(c));
	line(out, style, "role", role_sentence(c));
	print_sights(out, style, c);
	if (c->der.len == 0)
		line(out, style, "", "the certificate itself was not kept");
}

/* ---- for programs ---- */

static void
set_text(json_t *o, const char *key, const char *s)
{
	static const struct text_style all = {.utf8 = true};
	char clean[TEXT_MAX];

	json_object_set_new(
	    o, key, json_string(text_clean(clean, sizeof(clean), s, &all)));
}

static void
set_time(json_t *o, const char *key, int64_t ns)
{
	char text[TEXT_TIME_MAX];

	set_text(o, key, text_time(text, ns));
}

static json_t *
json_names(const char *names, bool unicode)
{
	char name[X509_NAMES_MAX], text[IDN_TEXT_MAX];
	json_t *list = json_array();

	while (*names != '\0') {
		size_t n = strcspn(names, "\n");

		snprintf(name, sizeof(name), "%.*s", (int)n, names);
		if (!unicode)
			json_array_append_new(list, json_string(name));
		else if (idn_to_text(text, name))
			json_array_append_new(list, json_string(text));
		names += n + (names[n] == '\n');
	}
	return list;
}

static json_t *
json_flags(uint32_t flags)
{
	json_t *list = json_array();

	for (size_t i = 0; i < FLAG_NAMES; i++)
		if (flags & flag_names[i].flag)
			json_array_append_new(
			    list, json_string(flag_names[i].name));
	return list;
}

static void
set_pem(json_t *o, const struct query_cert *c)
{
	char *pem = c->der.len > 0 ? x509_to_pem(c->der) : NULL;

	json_object_set_new(
	    o, "pem", pem != NULL ? json_string(pem) : json_null());
	free(pem);
}

int
cert_print_json(FILE *out, const struct query_cert *c)
{
	char from[TEXT_TIME_MAX], to[TEXT_TIME_MAX];
	json_t *o = json_object();
	int rc;

	set_text(o, "sha256", c->sha256);
	set_text(o, "role", cert_role_name(c));
	set_text(o, "subject", c->subject);
	set_text(o, "issuer", c->issuer);
	set_text(o, "serial", c->serial);
	json_object_set_new(o, "names", json_names(c->names, false));
	json_object_set_new(o, "names_unicode", json_names(c->names, true));
	set_text(o, "not_before", text_date_time(from, c->not_before));
	set_text(o, "not_after", text_date_time(to, c->not_after));
	set_text(o, "key", key_name(c));
	json_object_set_new(o, "key_bits", json_integer(c->key_bits));
	set_text(o, "spki_sha256", c->spki_sha256);
	set_text(o, "signature", c->signature);
	json_object_set_new(o, "flags", json_flags(c->flags));
	set_text(o, "trust", cert_trust_name(c));
	set_text(o, "error", c->error);
	set_time(o, "first", c->first);
	set_text(o, "ocsp", staple_name(c));
	set_text(o, "more_scts", scts_name(c));
	set_text(o, "first_server", c->first_server);
	set_time(o, "last", c->last);
	set_text(o, "last_server", c->last_server);
	set_pem(o, c);
	rc = json_dumpf(o, out, JSON_COMPACT);
	json_decref(o);
	return rc == -1 || fputc('\n', out) == EOF ? -1 : 0;
}
