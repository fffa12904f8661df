/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Base64 of the SHA-1 over seed, addresses, protocol, a zero byte and ports,
 * with the smaller endpoint first (Community ID Flow Hashing, version 1).
 * Addresses go in as they were on the wire: four bytes for IPv4.
 */
#include "db/community_id.h"

#include <string.h>

#include "db/addr_text.h"
#include "decoders/hash.h"

#define IPPROTO_TCP_BYTE 6

struct endpoint {
	const uint8_t *addr;
	size_t len;
	uint16_t port;
};

static struct endpoint
endpoint_of(const struct addr *a, uint16_t port)
{
	size_t skip = addr_is_v4(a) ? 12 : 0;

	return (struct endpoint){a->b + skip, sizeof(a->b) - skip, port};
}

static bool
endpoint_less(const struct endpoint *a, const struct endpoint *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int c = memcmp(a->addr, b->addr, len);

	return c < 0 || (c == 0 && a->port < b->port);
}

static uint8_t *
put_port(uint8_t *p, uint16_t port)
{
	*p++ = (uint8_t)(port >> 8);
	*p++ = (uint8_t)port;
	return p;
}

static char *
base64(char *dst, const uint8_t *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
				     "opqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;

		v |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? p[i + 2] : 0;
		*dst++ = digits[v >> 18];
		*dst++ = digits[v >> 12 & 63];
		*dst++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
		*dst++ = i + 2 < n ? digits[v & 63] : '=';
	}
	*dst = '\0';
	return dst;
}

char *
community_id(char buf[COMMUNITY_ID_MAX], const struct obs_flow *f)
{
	struct endpoint a = endpoint_of(&f->client, f->client_port);
	struct endpoint b = endpoint_of(&f->server, f->server_port);
	bool swap = endpoint_less(&b, &a);
	const struct endpoint *first = swap ? &b : &a, *last = swap ? &a : &b;
	uint8_t in[2 + 16 + 16 + 2 + 4] = {0}, *p = in + 2;
	uint8_t hash[HASH_SHA1_LEN];

	memcpy(p, first->addr, first->len);
	p += first->len;
	memcpy(p, last->addr, last->len);
	p += last->len;
	*p++ = IPPROTO_TCP_BYTE;
	*p++ = 0;
	p = put_port(p, first->port);
	p = put_port(p, last->port);
	buf[0] = '\0';
	if (hash_sha1((struct slice){in, (size_t)(p - in)}, hash) == -1)
		return buf;
	memcpy(buf, "1:", 2);
	(void)base64(buf + 2, hash, sizeof(hash));
	return buf;
}
