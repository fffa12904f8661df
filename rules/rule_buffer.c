/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of buffers, and the way from an observation to their bytes. What
 * the store of certificates writes in its own way is rewritten here as
 * Suricata has it: serial numbers and fingerprints as AB:CD:EF.
 */
#include "rules/rule_buffer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "decoders/tls_hello.h"

#define C2S (1u << DIR_C2S)
#define S2C (1u << DIR_S2C)
#define BOTH (C2S | S2C)

static const struct buffer_info infos[BUF_COUNT] = {
    [BUF_LINE] = {"", {"pkt_data"}, PROTO_UNKNOWN, BOTH, OBS_LINE, 0, false,
	false, "each line of the dialogue, of both sides"},
    [BUF_SMTP_GREETING] = {"smtp.greeting", {NULL}, PROTO_SMTP, S2C,
	OBS_GREETING, 0, false, false, "220 mx.example.net ESMTP"},
    [BUF_SMTP_COMMAND] = {"smtp.command", {NULL}, PROTO_SMTP, C2S, OBS_LINE,
	LINE_COMMAND, false, false, "each line of the client"},
    [BUF_SMTP_HELO] = {"smtp.helo", {NULL}, PROTO_SMTP, C2S, OBS_LINE,
	LINE_HELO, false, false, "the name behind HELO, EHLO or LHLO"},
    [BUF_SMTP_CAPABILITY] = {"smtp.capability", {NULL}, PROTO_SMTP, S2C,
	OBS_CAPS, 0, false, false, "each capability of the list"},
    [BUF_SMTP_REPLY] = {"smtp.reply", {NULL}, PROTO_SMTP, S2C, OBS_LINE,
	LINE_REPLY, false, false, "each line of the server"},
    [BUF_SMTP_MAIL_FROM] = {"smtp.mail_from", {NULL}, PROTO_SMTP, C2S, OBS_LINE,
	LINE_MAIL_FROM, false, false, "<a@example.org>"},
    [BUF_SMTP_RCPT_TO] = {"smtp.rcpt_to", {NULL}, PROTO_SMTP, C2S, OBS_LINE,
	LINE_RCPT_TO, false, false, "<b@example.net>"},
    [BUF_IMAP_GREETING] = {"imap.greeting", {NULL}, PROTO_IMAP, S2C,
	OBS_GREETING, 0, false, false, "* OK ready"},
    [BUF_IMAP_COMMAND] = {"imap.command", {"imap.request"}, PROTO_IMAP, C2S,
	OBS_LINE, LINE_COMMAND, false, false, "each line of the client"},
    [BUF_IMAP_CAPABILITY] = {"imap.capability", {NULL}, PROTO_IMAP, S2C,
	OBS_CAPS, 0, false, false, "each capability of the list"},
    [BUF_IMAP_RESPONSE] = {"imap.response", {NULL}, PROTO_IMAP, S2C, OBS_LINE,
	LINE_REPLY, false, false, "each line of the server"},
    [BUF_POP3_GREETING] = {"pop3.greeting", {NULL}, PROTO_POP3, S2C,
	OBS_GREETING, 0, false, false, "+OK ready"},
    [BUF_POP3_COMMAND] = {"pop3.command", {NULL}, PROTO_POP3, C2S, OBS_LINE,
	LINE_COMMAND, false, false, "each line of the client"},
    [BUF_POP3_CAPABILITY] = {"pop3.capability", {NULL}, PROTO_POP3, S2C,
	OBS_CAPS, 0, false, false, "each capability of the list"},
    [BUF_POP3_RESPONSE] = {"pop3.response", {NULL}, PROTO_POP3, S2C, OBS_LINE,
	LINE_REPLY, false, false, "each status line of the server"},
    [BUF_SIEVE_GREETING] = {"managesieve.greeting", {NULL}, PROTO_SIEVE, S2C,
	OBS_GREETING, 0, false, false, "OK \"ready\""},
    [BUF_SIEVE_COMMAND] = {"managesieve.command", {NULL}, PROTO_SIEVE, C2S,
	OBS_LINE, LINE_COMMAND, false, false, "each line of the client"},
    [BUF_SIEVE_CAPABILITY] = {"managesieve.capability", {NULL}, PROTO_SIEVE,
	S2C, OBS_CAPS, 0, false, false, "each capability of the list"},
    [BUF_SIEVE_RESPONSE] = {"managesieve.response", {NULL}, PROTO_SIEVE, S2C,
	OBS_LINE, LINE_REPLY, false, false, "each line of the server"},
    [BUF_AUTH_MECHANISM] = {"auth.mechanism", {NULL}, PROTO_UNKNOWN, C2S,
	OBS_AUTH, 0, false, false, "PLAIN, LOGIN, USER/PASS ..."},
    [BUF_AUTH_USER] = {"auth.user", {NULL}, PROTO_UNKNOWN, C2S, OBS_AUTH, 0,
	false, false, "the name a client logged in with, in clear"},
    [BUF_TLS_SNI] = {"tls.sni", {"tls_sni"}, PROTO_UNKNOWN, C2S,
	OBS_TLS_CLIENT_HELLO, 0, true, false, "mx.example.net"},
    [BUF_TLS_ALPN] = {"tls.alpn", {NULL}, PROTO_UNKNOWN, BOTH,
	OBS_TLS_CLIENT_HELLO, 0, true, false, "imap"},
    [BUF_TLS_VERSION] = {"tls.version", {NULL}, PROTO_UNKNOWN, BOTH,
	OBS_TLS_SERVER_HELLO, 0, true, true, "1.2, as the server chose"},
    [BUF_TLS_CERT_SUBJECT] = {"tls.cert_subject",
	{"tls_cert_subject", "tls.subject"}, PROTO_UNKNOWN, S2C, OBS_TLS_CERT,
	0, true, true, "C=DE, O=Example, CN=mx.example.net"},
    [BUF_TLS_CERT_ISSUER] = {"tls.cert_issuer",
	{"tls_cert_issuer", "tls.issuerdn"}, PROTO_UNKNOWN, S2C, OBS_TLS_CERT,
	0, true, true, "C=DE, O=Example, CN=Example CA"},
    [BUF_TLS_CERT_SERIAL] = {"tls.cert_serial", {"tls_cert_serial"},
	PROTO_UNKNOWN, S2C, OBS_TLS_CERT, 0, true, false, "5C:19:B7:B1"},
    [BUF_TLS_CERT_FINGERPRINT] = {"tls.cert_fingerprint",
	{"tls_cert_fingerprint", "tls.fingerprint"}, PROTO_UNKNOWN, S2C,
	OBS_TLS_CERT, 0, true, true, "4a:a3:66:76 ... (SHA-1)"},
    [BUF_TLS_CERT_SHA256] = {"tls.cert_sha256", {NULL}, PROTO_UNKNOWN, S2C,
	OBS_TLS_CERT, 0, true, false, "9b:e2:04:71 ... (SHA-256)"},
    [BUF_TLS_SUBJECTALTNAME] = {"tls.subjectaltname", {NULL}, PROTO_UNKNOWN,
	S2C, OBS_TLS_CERT, 0, true, false, "each name of the certificate"},
    [BUF_JA3_HASH] = {"ja3.hash", {"ja3_hash"}, PROTO_UNKNOWN, C2S,
	OBS_TLS_CLIENT_HELLO, 0, true, false, "e7eca2baf4458d09 ..."},
    [BUF_JA3S_HASH] = {"ja3s.hash", {"ja3s_hash"}, PROTO_UNKNOWN, S2C,
	OBS_TLS_SERVER_HELLO, 0, true, false, "b64d1ab6dc3c4ab3 ..."},
    [BUF_JA4_HASH] = {"ja4.hash", {NULL}, PROTO_UNKNOWN, C2S,
	OBS_TLS_CLIENT_HELLO, 0, true, false, "t13d1516h2_8daaf6152771_ ..."},
};

const struct buffer_info *
buffer_info(enum rule_buffer b)
{
	return &infos[(unsigned)b < BUF_COUNT ? b : BUF_LINE];
}

enum rule_buffer
buffer_by_name(const char *name)
{
	for (unsigned b = 0; b < BUF_COUNT; b++) {
		if (name[0] != '\0' && infos[b].name[0] == name[0] &&
		    strcmp(infos[b].name, name) == 0)
			return (enum rule_buffer)b;
		for (unsigned i = 0; i < 3 && infos[b].also[i] != NULL; i++)
			if (strcmp(infos[b].also[i], name) == 0)
				return (enum rule_buffer)b;
	}
	return BUF_COUNT;
}

/* ---- from observations ---- */

struct taker {
	buffer_fn *fn;
	void *ctx;
};

static void
give(const struct taker *t, enum rule_buffer b, const char *s)
{
	if (s[0] != '\0')
		t->fn(t->ctx, b, (struct slice){(const uint8_t *)s, strlen(s)});
}

/* Each entry of a list with '\n' between. */
static void
give_each(const struct taker *t, enum rule_buffer b, const char *s)
{
	while (*s != '\0') {
		size_t n = strcspn(s, "\n");

		if (n > 0)
			t->fn(t->ctx, b, (struct slice){(const uint8_t *)s, n});
		s += n + (s[n] == '\n');
	}
}

static enum rule_buffer
of_protocol(const struct obs *o, unsigned kind, unsigned line)
{
	for (unsigned b = BUF_LINE + 1; b < BUF_AUTH_MECHANISM; b++)
		if (infos[b].proto == o->proto && infos[b].kind == kind &&
		    infos[b].line == line)
			return (enum rule_buffer)b;
	return BUF_COUNT;
}

static void
give_line(const struct taker *t, const struct obs *o)
{
	const struct obs_line *l = &o->u.line;
	struct slice s = {(const uint8_t *)l->bytes, l->len};
	enum rule_buffer b = of_protocol(o, OBS_LINE, l->what);

	if (b != BUF_COUNT)
		t->fn(t->ctx, b, s);
	if (l->what == LINE_COMMAND || l->what == LINE_REPLY)
		t->fn(t->ctx, BUF_LINE, s);
}

/* "0c19b7" and bytes as 0C:19:B7. */
static void
give_pairs(const struct taker *t, enum rule_buffer b, const char *hex)
{
	char out[192];
	size_t used = 0;

	for (size_t i = 0; hex[i] != '\0' && used + 3 < sizeof(out); i++) {
		if (i > 0 && i % 2 == strlen(hex) % 2)
			out[used++] = ':';
		out[used++] = b == BUF_TLS_CERT_SERIAL
				  ? (char)toupper((unsigned char)hex[i])
				  : (char)tolower((unsigned char)hex[i]);
	}
	out[used] = '\0';
	give(t, b, out);
}

static void
give_hash(
    const struct taker *t, enum rule_buffer b, const uint8_t *hash, size_t len)
{
	char hex[65];

	for (size_t i = 0; i < len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	give_pairs(t, b, hex);
}

/* The part of a name from `from` on, without its escapes. */
static size_t
put_part(char *out, size_t cap, const char *from, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n && used + 1 < cap; i++) {
		if (from[i] == '\\' && i + 1 < n &&
		    strchr(",+\"\\<>;=# ", from[i + 1]) != NULL)
			i++;
		out[used++] = from[i];
	}
	out[used] = '\0';
	return used;
}

/* "CN=R3,O=Let's Encrypt,C=US" (RFC 2253) as Suricata has it, in the order of
 * the certificate: "C=US, O=Let's Encrypt, CN=R3". */
static void
give_name(const struct taker *t, enum rule_buffer b, const char *name)
{
	char out[2 * X509_NAME_TEXT] = "";
	size_t end = strlen(name), at, used = 0;

	while (end > 0 && used + 4 < sizeof(out)) {
		for (at = end; at > 0; at--)
			if (name[at - 1] == ',' &&
			    (at < 2 || name[at - 2] != '\\'))
				break;
		if (used > 0)
			used +=
			    put_part(out + used, sizeof(out) - used, ", ", 2);
		used += put_part(
		    out + used, sizeof(out) - used, name + at, end - at);
		end = at > 0 ? at - 1 : 0;
	}
	give(t, b, out);
}

static void
give_cert(const struct taker *t, const struct x509_facts *f)
{
	give_name(t, BUF_TLS_CERT_SUBJECT, f->subject);
	give_name(t, BUF_TLS_CERT_ISSUER, f->issuer);
	give_pairs(t, BUF_TLS_CERT_SERIAL, f->serial);
	give_hash(t, BUF_TLS_CERT_FINGERPRINT, f->sha1, sizeof(f->sha1));
	give_hash(t, BUF_TLS_CERT_SHA256, f->sha256, sizeof(f->sha256));
	give_each(t, BUF_TLS_SUBJECTALTNAME, f->names);
}

static void
give_version(const struct taker *t, uint16_t v)
{
	static const char *const names[] = {
	    "SSLv3", "1.0", "1.1", "1.2", "1.3"};

	if (v == TLS_SSL2)
		give(t, BUF_TLS_VERSION, "SSLv2");
	else if (v >= TLS_SSL3 && v <= TLS_13)
		give(t, BUF_TLS_VERSION, names[v - TLS_SSL3]);
}

static void
give_hello(const struct taker *t, const struct obs *o)
{
	const struct obs_hello *h = &o->u.hello;

	give(t, BUF_TLS_ALPN, h->alpn);
	if (o->kind == OBS_TLS_CLIENT_HELLO) {
		give(t, BUF_TLS_SNI, h->sni);
		give(t, BUF_JA3_HASH, h->ja3);
		give(t, BUF_JA4_HASH, h->ja4);
	} else if (!h->retry) {
		give_version(t, h->version);
		give(t, BUF_JA3S_HASH, h->ja3);
	}
}

void
buffers_of(const struct obs *o, const struct chain_verdict *v, buffer_fn *fn,
    void *ctx)
{
	struct taker t = {fn, ctx};

	switch (o->kind) {
	case OBS_LINE:
		give_line(&t, o);
		break;
	case OBS_GREETING:
		give(&t, of_protocol(o, OBS_GREETING, 0), o->text);
		break;
	case OBS_CAPS:
		give_each(&t, of_protocol(o, OBS_CAPS, 0), o->u.caps.words);
		break;
	case OBS_AUTH:
		give(&t, BUF_AUTH_MECHANISM, o->u.auth.mech_name);
		give(&t, BUF_AUTH_USER, o->u.auth.user);
		break;
	case OBS_TLS_CLIENT_HELLO:
	case OBS_TLS_SERVER_HELLO:
		give_hello(&t, o);
		break;
	case OBS_TLS_CERT:
		if (v != NULL && o->u.cert.from_server)
			give_cert(&t, &v->leaf);
		break;
	default:
		break;
	}
}
