/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * MTA-STS policies (RFC 8461 section 3.2): what a domain says of the servers
 * that receive its mail, as a file that the operator fetched.
 */
#ifndef STRIPWIRE_STS_POLICY_H
#define STRIPWIRE_STS_POLICY_H

#include "rules/pins.h"

#define STS_TEXT_MAX 65536 /* RFC 8461 3.3: a client may stop there */
#define STS_MX_MAX 64
#define STS_AGE_MAX 31557600 /* seconds, RFC 8461 3.2: about one year */

enum sts_mode { STS_NONE = 0, STS_TESTING, STS_ENFORCE };

struct sts_policy {
	char domain[SERVER_NAME_MAX];
	uint8_t mode; /* enum sts_mode */
	uint32_t max_age; /* seconds */
	unsigned nmx;
	char mx[STS_MX_MAX][SERVER_NAME_MAX]; /* lower case, "*.d" or a name */
};

/* Reads text, which need not end with NUL. domain is not in it. Returns 0, or
 * -1 with a sentence in err that names the line. */
int sts_policy_parse(struct sts_policy *p, struct slice text, char *err,
    size_t errlen) __attribute__((warn_unused_result));

/* For other sources; -1 with a sentence. */
int sts_set_domain(struct sts_policy *p, const char *domain, char *err,
    size_t errlen) __attribute__((warn_unused_result));
int sts_set_mode(struct sts_policy *p, const char *mode);
int sts_add_mx(struct sts_policy *p, const char *pattern);

/*
 * Puts in the place of what was known of the domain: a pin for port 25 of
 * each pattern if the mode is enforce, until now + max_age. Testing and none
 * take the domain's pins away, and nothing else: they oblige nobody. Returns
 * how many pins hold, -1 if there is no room for all.
 */
int sts_policy_apply(
    const struct sts_policy *p, struct pins *pins, int64_t now);

const char *sts_mode_name(uint8_t mode);

#endif
