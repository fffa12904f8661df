/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pins: a table by hash of the key. The operator's pin stands in its chain
 * before policies, so that the first that fits is the one that holds.
 */
#include "rules/pins.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096 /* power of two */

struct node {
	struct node *next;
	struct pin pin;
};

struct pins {
	struct node *bucket[BUCKETS];
	unsigned count;
};

struct pins *
pins_new(void)
{
	return calloc(1, sizeof(struct pins));
}

void
pins_free(struct pins *p)
{
	if (p == NULL)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct node *n = p->bucket[i], *next; n != NULL;
		     n = next) {
			next = n->next;
			free(n);
		}
	free(p);
}

unsigned
pins_count(const struct pins *p)
{
	return p->count;
}

struct table_use
pins_use(const struct pins *p)
{
	return table_use(p->count, PINS_MAX, sizeof(struct node), sizeof(*p));
}

static unsigned
bucket_of(const struct server_key *key)
{
	return hash32(key, sizeof(*key)) & (BUCKETS - 1);
}

static bool
is_same(const struct pin *a, const struct pin *b)
{
	return memcmp(&a->key, &b->key, sizeof(a->key)) == 0 &&
	       strcmp(a->name, b->name) == 0 && a->source == b->source &&
	       strcmp(a->domain, b->domain) == 0;
}

bool
pins_put(struct pins *p, const struct pin *pin)
{
	struct node **at = &p->bucket[bucket_of(&pin->key)], *n;

	for (n = *at; n != NULL; n = n->next)
		if (is_same(&n->pin, pin)) {
			n->pin = *pin;
			return true;
		}
	n = p->count < PINS_MAX ? calloc(1, sizeof(*n)) : NULL;
	if (n == NULL)
		return false;
	n->pin = *pin;
	if (pin->source != PIN_OPERATOR)
		while (*at != NULL)
			at = &(*at)->next;
	n->next = *at;
	*at = n;
	p->count++;
	return true;
}

typedef bool pin_test(const struct pin *pin, const void *arg);

static bool
is_operators(const struct pin *pin, const void *key)
{
	return pin->source == PIN_OPERATOR &&
	       memcmp(&pin->key, key, sizeof(pin->key)) == 0;
}

static bool
is_of_domain(const struct pin *pin, const void *domain)
{
	return pin->source == PIN_POLICY && strcmp(pin->domain, domain) == 0;
}

static unsigned
drop_from(struct pins *p, unsigned bucket, pin_test *test, const void *arg)
{
	struct node **at = &p->bucket[bucket];
	unsigned dropped = 0;

	while (*at != NULL) {
		struct node *n = *at;

		if (!test(&n->pin, arg)) {
			at = &n->next;
			continue;
		}
		*at = n->next;
		free(n);
		dropped++;
	}
	p->count -= dropped;
	return dropped;
}

unsigned
pins_drop(struct pins *p, const struct server_key *key)
{
	return drop_from(p, bucket_of(key), is_operators, key);
}

unsigned
pins_drop_domain(struct pins *p, const char *domain)
{
	unsigned dropped = 0;

	for (unsigned i = 0; i < BUCKETS; i++)
		dropped += drop_from(p, i, is_of_domain, domain);
	return dropped;
}

static const struct pin *
find(const struct pins *p, const struct server_key *key, const char *name,
    int64_t now)
{
	const struct node *n = p->bucket[bucket_of(key)];

	for (; n != NULL; n = n->next)
		if (memcmp(&n->pin.key, key, sizeof(*key)) == 0 &&
		    strcmp(n->pin.name, name) == 0 &&
		    (n->pin.expires == 0 || n->pin.expires > now))
			return &n->pin;
	return NULL;
}

static const struct pin *
find_name(const struct pins *p, const struct server_key *key, const char *name,
    int64_t now)
{
	char folded[SERVER_NAME_MAX], pattern[SERVER_NAME_MAX + 1];
	struct server_key k;
	const struct pin *pin;
	const char *dot;

	if (!server_name_fold(folded, name) ||
	    !server_key_of_name(&k, key, folded))
		return NULL;
	pin = find(p, &k, folded, now);
	dot = strchr(folded, '.');
	if (pin != NULL || dot == NULL || dot == folded)
		return pin;
	pattern[0] = '*';
	memcpy(pattern + 1, dot, strlen(dot) + 1);
	return server_key_of_name(&k, key, pattern) ? find(p, &k, pattern, now)
						    : NULL;
}

const struct pin *
pins_find(const struct pins *p, const struct server_key *key,
    const char *const names[2], int64_t now)
{
	const struct pin *pin;

	if (p->count == 0)
		return NULL;
	pin = find(p, key, "", now);
	for (unsigned i = 0; i < 2 && pin == NULL; i++)
		if (names[i] != NULL && names[i][0] != '\0')
			pin = find_name(p, key, names[i], now);
	return pin;
}

void
pins_each(const struct pins *p, void (*fn)(void *ctx, const struct pin *pin),
    void *ctx)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (const struct node *n = p->bucket[i]; n != NULL;
		     n = n->next)
			fn(ctx, &n->pin);
}

const char *
pin_starttls_name(uint8_t starttls)
{
	static const char *const names[] = {"", "required", "offered", "none"};

	return starttls < sizeof(names) / sizeof(names[0]) ? names[starttls]
							   : "";
}
