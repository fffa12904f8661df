/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Observations by the name of the buffer that holds a text: feed() for all
 * buffers, and "line" and "reply" for lines of client and server.
 */
#ifndef STRIPWIRE_RULE_FEED_H
#define STRIPWIRE_RULE_FEED_H

#include "rules/rule_buffer.h"
#include "tests/unit/engine_kit.h"

static inline void
feed_put(char *to, size_t cap, const char *text)
{
	(void)snprintf(to, cap, "%.*s", (int)cap - 1, text);
}

static inline unsigned
feed_pairs(const char *text, uint8_t *out, unsigned max)
{
	unsigned n = 0, byte;

	for (; n < max && sscanf(text, "%2x", &byte) == 1; text += 3) {
		out[n++] = (uint8_t)byte;
		if (text[2] != ':')
			break;
	}
	return n;
}

/* In the order of RFC 2253, as decoders have it. */
static inline void
feed_name(char *to, const char *text)
{
	size_t end = strlen(text), at;

	to[0] = '\0';
	while (end > 0) {
		for (at = end; at > 1; at--)
			if (text[at - 1] == ' ' && text[at - 2] == ',')
				break;
		if (at <= 1)
			at = 0;
		(void)snprintf(to + strlen(to), 200, "%s%.*s",
		    to[0] != '\0' ? "," : "", (int)(end - at), text + at);
		end = at >= 2 ? at - 2 : 0;
	}
}

static inline void
feed_cert(struct kit *k, enum rule_buffer b, const char *text)
{
	struct x509_facts *f = &k->verdict.leaf;
	uint8_t serial[32];
	unsigned n;

	memset(f, 0, sizeof(*f));
	if (b == BUF_TLS_CERT_SUBJECT)
		feed_name(f->subject, text);
	else if (b == BUF_TLS_CERT_ISSUER)
		feed_name(f->issuer, text);
	else if (b == BUF_TLS_SUBJECTALTNAME)
		feed_put(f->names, sizeof(f->names), text);
	else if (b == BUF_TLS_CERT_FINGERPRINT)
		(void)feed_pairs(text, f->sha1, sizeof(f->sha1));
	else if (b == BUF_TLS_CERT_SHA256)
		(void)feed_pairs(text, f->sha256, sizeof(f->sha256));
	n = b == BUF_TLS_CERT_SERIAL ? feed_pairs(text, serial, sizeof(serial))
				     : 0;
	for (unsigned i = 0; i < n; i++)
		(void)snprintf(f->serial + 2 * i, 3, "%02x", serial[i]);
}

static inline void
feed_hello(struct obs_hello *h, enum rule_buffer b, const char *text)
{
	static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};

	for (unsigned i = 0; b == BUF_TLS_VERSION && i < 4; i++)
		if (strcmp(text, versions[i]) == 0)
			h->version = (uint16_t)(0x0301 + i);
	if (b == BUF_TLS_SNI)
		feed_put(h->sni, sizeof(h->sni), text);
	if (b == BUF_TLS_ALPN)
		feed_put(h->alpn, sizeof(h->alpn), text);
	if (b == BUF_JA3_HASH || b == BUF_JA3S_HASH)
		feed_put(h->ja3, sizeof(h->ja3), text);
	if (b == BUF_JA4_HASH)
		feed_put(h->ja4, sizeof(h->ja4), text);
}

static inline void
feed_buffer(struct kit *k, enum rule_buffer b, const char *text)
{
	const struct buffer_info *info = buffer_info(b);
	struct obs o;

	obs_init(&o, (enum obs_kind)info->kind);
	o.dir = info->dirs == 1u << DIR_S2C ? DIR_S2C : DIR_C2S;
	if (info->proto != PROTO_UNKNOWN)
		k->proto = info->proto;
	switch (info->kind) {
	case OBS_LINE:
		kit_line(k, (enum obs_line_what)info->line, text);
		return;
	case OBS_GREETING:
		feed_put(o.text, sizeof(o.text), text);
		break;
	case OBS_CAPS:
		feed_put(o.u.caps.words, sizeof(o.u.caps.words), text);
		break;
	case OBS_AUTH:
		feed_put(
		    b == BUF_AUTH_USER ? o.u.auth.user : o.u.auth.mech_name,
		    OBS_VERB_MAX, text);
		break;
	case OBS_TLS_CERT:
		o.u.cert.from_server = 1;
		feed_cert(k, b, text);
		break;
	default:
		feed_hello(&o.u.hello, b, text);
		break;
	}
	kit_obs(k, &o);
}

/* words: the buffer's name, a space, the text. */
static inline void
feed(struct kit *k, const char *words)
{
	char name[64];
	size_t n = strcspn(words, " ");
	const char *text = words + n + (words[n] == ' ');

	(void)snprintf(name, sizeof(name), "%.*s", (int)n, words);
	if (strcmp(name, "line") == 0)
		kit_line(k, LINE_COMMAND, text);
	else if (strcmp(name, "reply") == 0)
		kit_line(k, LINE_REPLY, text);
	else if (buffer_by_name(name) == BUF_COUNT)
		TEST_FAIL("no buffer %s", name);
	else
		feed_buffer(k, buffer_by_name(name), text);
}

#endif
