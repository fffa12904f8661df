/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * MTA-STS policies: lines of "key: value", ended by CRLF or LF. Keys that are
 * not known are for later versions and are passed over, as the RFC wants it;
 * of a key that may stand once the first counts.
 */
#include "rules/sts_policy.h"

#include <stdio.h>
#include <string.h>

#define NS INT64_C(1000000000)

struct reader {
	struct sts_policy *p;
	bool version, mode, max_age; /* were there */
	unsigned line;
	char *err;
	size_t errlen;
};

static const char *const modes[] = {"none", "testing", "enforce"};

const char *
sts_mode_name(uint8_t mode)
{
	return mode < 3 ? modes[mode] : "?";
}

int
sts_set_mode(struct sts_policy *p, const char *mode)
{
	for (uint8_t i = 0; i < 3; i++)
		if (strcmp(mode, modes[i]) == 0) {
			p->mode = i;
			return 0;
		}
	return -1;
}

/* A host name, or one with a "*" as its whole first label. */
int
sts_add_mx(struct sts_policy *p, const char *pattern)
{
	char folded[SERVER_NAME_MAX];
	const char *star;

	if (p->nmx == STS_MX_MAX || !server_name_fold(folded, pattern))
		return -1;
	star = strrchr(folded, '*');
	if (star != NULL && (star != folded || folded[1] != '.'))
		return -1;
	memcpy(p->mx[p->nmx++], folded, sizeof(folded));
	return 0;
}

int
sts_set_domain(
    struct sts_policy *p, const char *domain, char *err, size_t errlen)
{
	if (server_name_fold(p->domain, domain) &&
	    strchr(p->domain, '*') == NULL)
		return 0;
	snprintf(err, errlen, "'%.80s' is no domain", domain);
	return -1;
}

static int
complain(struct reader *r, const char *what, const char *value)
{
	snprintf(
	    r->err, r->errlen, "line %u: %s '%.80s'", r->line, what, value);
	return -1;
}

static int
read_max_age(struct reader *r, const char *value)
{
	uint64_t n = 0;

	if (r->max_age)
		return 0;
	for (const char *c = value; *c != '\0'; c++) {
		if (*c < '0' || *c > '9' || c - value >= 10)
			return complain(r, "no number of seconds:", value);
		n = n * 10 + (uint64_t)(*c - '0');
	}
	if (value[0] == '\0')
		return complain(r, "no number of seconds:", value);
	r->p->max_age = n > STS_AGE_MAX ? STS_AGE_MAX : (uint32_t)n;
	r->max_age = true;
	return 0;
}

static int
read_pair(struct reader *r, const char *key, const char *value)
{
	if (strcmp(key, "version") == 0) {
		r->version = true;
		return strcmp(value, "STSv1") == 0
			   ? 0
			   : complain(r, "a version that is not known:", value);
	}
	if (strcmp(key, "mode") == 0) {
		if (!r->mode && sts_set_mode(r->p, value) == -1)
			return complain(r, "no mode:", value);
		r->mode = true;
		return 0;
	}
	if (strcmp(key, "max_age") == 0)
		return read_max_age(r, value);
	if (strcmp(key, "mx") != 0)
		return 0;
	if (r->p->nmx == STS_MX_MAX)
		return complain(r, "more servers than are kept, at", value);
	return sts_add_mx(r->p, value) == 0
		   ? 0
		   : complain(r, "no name or pattern of a server:", value);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* line: NUL-terminated, without its LF. */
static int
read_line(struct reader *r, char *line)
{
	char *end = line + strlen(line), *colon, *value;

	while (end > line && is_blank(end[-1]))
		*--end = '\0';
	if (line[0] == '\0')
		return 0;
	colon = strchr(line, ':');
	if (colon == NULL)
		return complain(r, "no colon in", line);
	for (value = colon + 1; is_blank(*value); value++)
		;
	while (colon > line && is_blank(colon[-1]))
		colon--;
	*colon = '\0';
	return read_pair(r, line, value);
}

static int
check_whole(struct reader *r)
{
	const char *missing = NULL;

	if (!r->version)
		missing = "version: STSv1";
	else if (!r->mode)
		missing = "mode";
	else if (!r->max_age)
		missing = "max_age";
	else if (r->p->nmx == 0 && r->p->mode != STS_NONE)
		missing = "mx";
	if (missing == NULL)
		return 0;
	snprintf(r->err, r->errlen, "'%s' is missing", missing);
	return -1;
}

int
sts_policy_parse(
    struct sts_policy *p, struct slice text, char *err, size_t errlen)
{
	struct reader r = {.p = p, .err = err, .errlen = errlen};
	char line[512];
	size_t at = 0;

	memset(p, 0, sizeof(*p));
	if (text.len > STS_TEXT_MAX) {
		snprintf(err, errlen, "is longer than a policy may be");
		return -1;
	}
	while (at < text.len) {
		const uint8_t *lf = memchr(text.p + at, '\n', text.len - at);
		size_t n =
		    lf != NULL ? (size_t)(lf - text.p) - at : text.len - at;

		r.line++;
		if (n >= sizeof(line) || memchr(text.p + at, 0, n) != NULL)
			return complain(&r, "no line of a policy", "");
		memcpy(line, text.p + at, n);
		line[n] = '\0';
		if (read_line(&r, line) == -1)
			return -1;
		at += n + 1;
	}
	return check_whole(&r);
}

int
sts_policy_apply(const struct sts_policy *p, struct pins *pins, int64_t now)
{
	struct server_key any;
	struct pin pin;
	int held = 0;

	(void)pins_drop_domain(pins, p->domain);
	if (p->mode != STS_ENFORCE || p->max_age == 0)
		return 0;
	memset(&any, 0, sizeof(any));
	any.port = 25;
	any.proto = PROTO_SMTP;
	for (unsigned i = 0; i < p->nmx; i++) {
		memset(&pin, 0, sizeof(pin));
		if (!server_key_of_name(&pin.key, &any, p->mx[i]))
			continue;
		memcpy(pin.name, p->mx[i], sizeof(pin.name));
		memcpy(pin.domain, p->domain, sizeof(pin.domain));
		pin.source = PIN_POLICY;
		pin.starttls = PIN_REQUIRED;
		pin.expires = now + (int64_t)p->max_age * NS;
		if (!pins_put(pins, &pin))
			return -1;
		held++;
	}
	return held;
}
