/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys of the history. The hash of a name stands where an address would: two
 * FNV-1a sums of 64 bits, and whoever looks a name up compares the name too.
 */
#include "rules/server_key.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "decoders/memo.h"

#define FNV_PRIME UINT64_C(1099511628211)
#define KEY_MIN 24 /* bytes of a server's; of a pair's 44 */
#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio */
#define FNV_BASIS UINT64_C(14695981039346656037)

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static uint64_t
fnv(uint64_t h, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * FNV_PRIME;
	return h;
}

/* Multiplicative, over words of 64 bits, and of a pair one of 32 at the end: an
 * observation asks twice. Keys have no padding that is not zero. */
static inline uint64_t
hash_word(uint64_t h, const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	h = (h ^ word) * HASH_FACTOR;
	return h ^ h >> 32;
}

uint32_t
key_hash(const void *key, size_t len)
{
	const uint8_t *p = key;
	uint64_t h = len;
	uint32_t half;

	h = hash_word(hash_word(hash_word(h, p), p + 8), p + 16);
	if (len == KEY_MIN)
		return (uint32_t)h;
	h = hash_word(hash_word(h, p + 24), p + 32);
	memcpy(&half, p + 40, sizeof(half));
	h = (h ^ half) * HASH_FACTOR;
	return (uint32_t)(h ^ h >> 32);
}

static_assert(
    sizeof(struct server_key) == KEY_MIN && sizeof(struct pair_key) == 44,
    "key_hash() knows these two");

static uint32_t
fold(uint64_t h)
{
	uint32_t folded = (uint32_t)(h ^ h >> 32);

	return folded != 0 ? folded : 1;
}

uint32_t
hash32(const void *p, size_t len)
{
	return fold(fnv(FNV_BASIS, p, len));
}

static bool
is_v4(const struct addr *a)
{
	return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

/* fnv(FNV_BASIS, mapped, sizeof(mapped)) */
#define FNV_MAPPED UINT64_C(0x540b81da1cc1b60b)

uint32_t
hash32_addr(const struct addr *a)
{
	if (is_v4(a))
		return fold(fnv(FNV_MAPPED, a->b + 12, 4));
	return hash32(a, sizeof(*a));
}

uint32_t
hash32_text(const char *s)
{
	return hash32(s, strlen(s));
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
server_name_fold(char to[SERVER_NAME_MAX], const char *name)
{
	bool dot = false, letter = false;
	size_t n = 0;

	if (name[0] == '\0')
		return false;
	for (; name[n] != '\0'; n++) {
		char c = lower(name[n]);

		if (n + 1 >= SERVER_NAME_MAX)
			return false;
		if (c == '.' && (n == 0 || name[n - 1] == '.'))
			return false; /* an empty label */
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '_' || c == '.' || c == '*'))
			return false;
		letter |= c >= 'a' && c <= 'z';
		dot |= c == '.' && n > 0 && name[n + 1] != '\0';
		to[n] = c;
	}
	if (n > 0 && to[n - 1] == '.')
		n--;
	memset(to + n, 0, SERVER_NAME_MAX - n);
	return dot && letter && strcmp(to, "localhost.localdomain") != 0;
}

static bool
sum_name(uint64_t sum[2], const char *name)
{
	char folded[SERVER_NAME_MAX];
	size_t len;

	if (!server_name_fold(folded, name))
		return false;
	len = strlen(folded);
	sum[0] = fnv(FNV_BASIS, folded, len);
	sum[1] = fnv(sum[0] ^ len, folded, len);
	return true;
}

bool
server_name_is(const char *folded, const char *name)
{
	size_t len = strlen(folded);

	return strncasecmp(folded, name, len) == 0 &&
	       (name[len] == '\0' || strcmp(name + len, ".") == 0);
}

/* Names come again and again: servers greet by them. */
struct known { /* of a name */
	uint64_t sum[2];
	bool is_name;
};

bool
server_key_of_name(
    struct server_key *to, const struct server_key *key, const char *name)
{
	static struct memo seen;
	struct slice text = {(const uint8_t *)name, strlen(name)};
	struct known known = {.is_name = false};

	if (strchr(name, '.') == NULL)
		return false;
	if (!memo_get(&seen, text, &known, sizeof(known))) {
		known.is_name = sum_name(known.sum, name);
		memo_put(&seen, text, &known, sizeof(known));
	}
	*to = *key;
	memcpy(to->addr.b, known.sum, sizeof(to->addr.b));
	to->of_name = 1;
	return known.is_name;
}

void
addr_network(struct addr *a)
{
	if (is_v4(a))
		a->b[15] = 0;
	else
		memset(a->b + 6, 0, 10);
}

void
pair_key_network(struct pair_key *to, const struct pair_key *key)
{
	*to = *key;
	to->of_network = 1;
	addr_network(&to->client);
}

static bool
v4_is_private(const uint8_t *b)
{
	return b[0] == 10 || b[0] == 127 ||
	       (b[0] == 172 && (b[1] & 0xf0) == 16) ||
	       (b[0] == 192 && b[1] == 168) || (b[0] == 169 && b[1] == 254) ||
	       (b[0] == 100 && (b[1] & 0xc0) == 64);
}

bool
addr_is_private(const struct addr *a)
{
	static const struct addr loopback = {
	    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

	if (is_v4(a))
		return v4_is_private(a->b + 12);
	return (a->b[0] & 0xfe) == 0xfc ||
	       (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80) ||
	       memcmp(a, &loopback, sizeof(*a)) == 0;
}
