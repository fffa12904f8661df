/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which keys may change while the sensor runs, and taking them over from a
 * configuration that was read anew.
 */
#include <string.h>

#include "sensor/config.h"
#include "sensor/config_private.h"

static const char *const live[] = {"rules", "thresholds", "classification",
    "interceptors", "user_names", "authorized_resetters", "variables", "tls.",
    "incidents.", "retention.", "trust.", "run.log", "feeds", "events."};

bool
config_is_live(const struct config_key *k)
{
	for (unsigned i = 0; i < sizeof(live) / sizeof(live[0]); i++) {
		size_t len = strlen(live[i]);

		if (strncmp(k->name, live[i], len) == 0 &&
		    (live[i][len - 1] == '.' || k->name[len] == '\0'))
			return true;
	}
	return false;
}

static bool
is_same(
    const struct config *a, const struct config *b, const struct config_key *k)
{
	char x[CONFIG_TEXT_MAX], y[CONFIG_TEXT_MAX];
	const char *p, *q;

	for (unsigned i = 0;; i++) {
		p = config_value(a, k, i, x, sizeof(x));
		q = config_value(b, k, i, y, sizeof(y));
		if (p == NULL || q == NULL)
			return p == q;
		if (strcmp(p, q) != 0)
			return false;
	}
}

static void
swap(void *a, void *b, size_t n)
{
	unsigned char *x = a, *y = b, t;

	while (n-- > 0) {
		t = *x;
		*x++ = *y;
		*y++ = t;
	}
}

#define SWAP(member) swap(&c->member, &fresh->member, sizeof(c->member))

static void
take(struct config *c, struct config *fresh, const struct config_key *k)
{
	struct rule_vars *vars;

	switch (k->type) {
	case CONFIG_SWITCH:
		swap(config_field(c, k), config_field(fresh, k), sizeof(bool));
		break;
	case CONFIG_WORD:
	case CONFIG_WORDS:
		swap(config_field(c, k), config_field(fresh, k),
		    sizeof(unsigned));
		break;
	case CONFIG_NUMBER:
	case CONFIG_BYTES:
		swap(config_field(c, k), config_field(fresh, k),
		    sizeof(uint64_t));
		break;
	case CONFIG_INPUTS:
		SWAP(trust);
		SWAP(ntrust);
		break;
	case CONFIG_RESETTERS:
		SWAP(resetters);
		SWAP(resetter);
		SWAP(nresetters);
		break;
	case CONFIG_VARIABLES:
		vars = c->vars;
		c->vars = fresh->vars;
		fresh->vars = vars;
		SWAP(var_text);
		SWAP(nvars);
		break;
	case CONFIG_FEEDS:
		SWAP(feed);
		SWAP(nfeeds);
		break;
	default:
		swap(
		    config_field(c, k), config_field(fresh, k), sizeof(c->log));
	}
}

void
config_take_live(
    struct config *c, struct config *fresh, config_frozen_fn *frozen, void *ctx)
{
	for (unsigned i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (config_is_live(k))
			take(c, fresh, k);
		else if (frozen != NULL && !is_same(c, fresh, k))
			frozen(ctx, k->name);
	}
}
