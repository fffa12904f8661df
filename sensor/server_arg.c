/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Servers and pins on the command line.
 */
#include "sensor/server_arg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "db/addr_text.h"
#include "db/store.h"

static const struct {
	uint16_t port;
	uint8_t proto, implicit_tls;
} ports[] = {{25, PROTO_SMTP, 0}, {465, PROTO_SMTP, 1}, {587, PROTO_SMTP, 0},
    {2525, PROTO_SMTP, 0}, {24, PROTO_SMTP, 0}, {143, PROTO_IMAP, 0},
    {993, PROTO_IMAP, 1}, {110, PROTO_POP3, 0}, {995, PROTO_POP3, 1},
    {4190, PROTO_SIEVE, 0}};

static void
service_of_port(struct server_key *k)
{
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i].port == k->port) {
			k->proto = ports[i].proto;
			k->implicit_tls = ports[i].implicit_tls;
		}
}

static int
parse_port(const char *text, uint16_t *port)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    n < 1 || n > 65535)
		return -1;
	*port = (uint16_t)n;
	return 0;
}

int
server_arg_parse(struct pin *pin, const char *text, char *err, size_t errlen)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	char host[SERVER_NAME_MAX];
	bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';

	memset(pin, 0, sizeof(*pin));
	if (len != 0 && len < sizeof(host) &&
	    parse_port(colon + 1, &pin->key.port) == 0) {
		memcpy(host, text + brackets, len - 2 * brackets);
		host[len - 2 * brackets] = '\0';
		service_of_port(&pin->key);
		if ((brackets || memchr(text, ':', len) == NULL) &&
		    pin_name_to_key(pin, host))
			return 0;
	}
	snprintf(err, errlen,
	    "'%.100s' is no server: 192.0.2.1:25, [2001:db8::1]:25 or "
	    "mx.example.org:25 are",
	    text);
	return -1;
}

/* ---- what is pinned ---- */

static int
set_starttls(struct pin *p, const char *value)
{
	for (unsigned s = PIN_REQUIRED; s <= PIN_NONE; s++)
		if (strcmp(value, pin_starttls_name((uint8_t)s)) == 0) {
			p->starttls = (uint8_t)s;
			return 0;
		}
	return -1;
}

/* With or without colons between the bytes, as openssl prints it. */
static int
set_key(struct pin *p, const char *value)
{
	unsigned n = 0, byte;

	if (strncasecmp(value, "sha256:", 7) == 0)
		value += 7;
	for (; *value != '\0' && n < 32; n++) {
		if (strspn(value, "0123456789abcdefABCDEF") < 2)
			return -1;
		(void)sscanf(value, "%2x", &byte);
		p->sha256[n] = (uint8_t)byte;
		value += 2;
		value += *value == ':';
	}
	p->has_key = n == 32 && *value == '\0';
	return p->has_key ? 0 : -1;
}

static int
set_issuer(struct pin *p, const char *value)
{
	return value[0] != '\0' &&
		       (size_t)snprintf(p->issuer, sizeof(p->issuer), "%s",
			   value) < sizeof(p->issuer)
		   ? 0
		   : -1;
}

static int
set_name(struct pin *p, const char *value)
{
	return server_name_fold(p->cert_name, value) ? 0 : -1;
}

static int
set_tls_min(struct pin *p, const char *value)
{
	static const char *const names[] = {"1.0", "1.1", "1.2", "1.3"};

	for (uint16_t i = 0; i < 4; i++)
		if (strcmp(value, names[i]) == 0) {
			p->tls_min = (uint16_t)(0x0301 + i);
			return 0;
		}
	return -1;
}

static int
set_interceptor(struct pin *p, const char *value)
{
	p->interceptor = strcmp(value, "allowed") == 0;
	return p->interceptor ? 0 : -1;
}

static int
set_proto(struct pin *p, const char *value)
{
	p->key.proto = history_proto(value);
	return proto_is_mail((enum proto)p->key.proto) ? 0 : -1;
}

static const struct {
	const char *name;
	int (*set)(struct pin *p, const char *value);
	const char *values;
} keys[] = {{"starttls", set_starttls, "required, offered or none"},
    {"key", set_key, "64 hex digits: SHA-256 of public key or certificate"},
    {"issuer", set_issuer, "a part of the issuer's name"},
    {"name", set_name, "the host name that the certificate must be for"},
    {"tls-min", set_tls_min, "1.0, 1.1, 1.2 or 1.3"},
    {"interceptor", set_interceptor, "allowed"},
    {"proto", set_proto, "smtp, imap, pop3 or managesieve"}};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

int
pin_arg_parse(struct pin *pin, const char *text, char *err, size_t errlen)
{
	size_t len = strcspn(text, "=");

	for (size_t i = 0; i < NKEYS; i++) {
		if (strlen(keys[i].name) != len ||
		    strncmp(keys[i].name, text, len) != 0)
			continue;
		if (text[len] == '=' && keys[i].set(pin, text + len + 1) == 0)
			return 0;
		snprintf(err, errlen, "'%.100s': %s= takes %s", text,
		    keys[i].name, keys[i].values);
		return -1;
	}
	snprintf(err, errlen,
	    "'%.100s' is nothing to pin: starttls=, key=, issuer=, name=, "
	    "tls-min=, interceptor=, proto= are",
	    text);
	return -1;
}

char *
server_arg_print(
    char buf[SERVER_ARG_MAX], const struct server_key *k, const char *name)
{
	if (!k->of_name)
		return endpoint_to_text(buf, &k->addr, k->port);
	snprintf(buf, SERVER_ARG_MAX, "%s:%u", name, k->port);
	return buf;
}
