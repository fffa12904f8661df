/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sticky buffers: what rules can look at, under the names that Suricata gives
 * them, and which observation holds each. What a decoder names has a buffer;
 * message bodies have none.
 */
#ifndef STRIPWIRE_RULE_BUFFER_H
#define STRIPWIRE_RULE_BUFFER_H

#include <stdbool.h>

#include "decoders/obs.h"
#include "decoders/x509.h"

enum rule_buffer {
	BUF_LINE = 0, /* content without a buffer: any line of the dialogue */
	BUF_SMTP_GREETING,
	BUF_SMTP_COMMAND,
	BUF_SMTP_HELO,
	BUF_SMTP_CAPABILITY,
	BUF_SMTP_REPLY,
	BUF_SMTP_MAIL_FROM,
	BUF_SMTP_RCPT_TO,
	BUF_IMAP_GREETING,
	BUF_IMAP_COMMAND,
	BUF_IMAP_CAPABILITY,
	BUF_IMAP_RESPONSE,
	BUF_POP3_GREETING,
	BUF_POP3_COMMAND,
	BUF_POP3_CAPABILITY,
	BUF_POP3_RESPONSE,
	BUF_SIEVE_GREETING,
	BUF_SIEVE_COMMAND,
	BUF_SIEVE_CAPABILITY,
	BUF_SIEVE_RESPONSE,
	BUF_AUTH_MECHANISM,
	BUF_AUTH_USER,
	BUF_TLS_SNI,
	BUF_TLS_ALPN,
	BUF_TLS_VERSION,
	BUF_TLS_CERT_SUBJECT,
	BUF_TLS_CERT_ISSUER,
	BUF_TLS_CERT_SERIAL,
	BUF_TLS_CERT_FINGERPRINT,
	BUF_TLS_CERT_SHA256,
	BUF_TLS_SUBJECTALTNAME,
	BUF_JA3_HASH,
	BUF_JA3S_HASH,
	BUF_JA4_HASH,
	BUF_COUNT
};

struct buffer_info {
	const char *name; /* "" for BUF_LINE */
	const char *also[3]; /* older names */
	uint8_t proto; /* enum proto; PROTO_UNKNOWN: all of them */
	uint8_t dirs; /* 1 << enum dir of who sent it */
	uint8_t kind; /* enum obs_kind that holds it */
	uint8_t line; /* of OBS_LINE: enum obs_line_what */
	bool tls; /* a matter of TLS: rules of protocol tls may look */
	bool with_value; /* name:value; as older rules have it */
	const char *holds; /* for people */
};

const struct buffer_info *buffer_info(enum rule_buffer b);
/* By its name or an older one; BUF_COUNT: there is none. */
enum rule_buffer buffer_by_name(const char *name);

/*
 * Calls fn for each buffer that the observation holds, with its bytes, which
 * live until fn returns. A list gives one call for each entry. v: the verdict
 * on the chain, where it is an OBS_TLS_CERT, or NULL.
 */
typedef void buffer_fn(void *ctx, enum rule_buffer b, struct slice bytes);
void buffers_of(const struct obs *o, const struct chain_verdict *v,
    buffer_fn *fn, void *ctx);

#endif
