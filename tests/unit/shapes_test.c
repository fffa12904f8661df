/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The corpus of published shapes, tests/rules/shapes.rules: each is read, is
 * what was meant, fires on what it is for and on nothing else.
 */
#include "rules/rule_buffer.h"
#include "rules/rule_view.h"
#include "tests/unit/engine_kit.h"

#define CORPUS "tests/rules/shapes.rules"
#define LINES_MAX 16

struct shape {
	char lines[LINES_MAX][2048]; /* of = + - ~ */
	unsigned n;
};

static struct kit k;
static struct shape shape;
static unsigned shapes, skipped, fired, silent;

/* ---- an observation whose buffer holds the text ---- */

static void
put(char *to, size_t cap, const char *text)
{
	(void)snprintf(to, cap, "%.*s", (int)cap - 1, text);
}

static unsigned
pairs_to_bytes(const char *text, uint8_t *out, unsigned max)
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
static void
put_name(char *to, const char *text)
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

static void
put_cert(enum rule_buffer b, const char *text)
{
	struct x509_facts *f = &k.verdict.leaf;
	uint8_t serial[32];
	unsigned n;

	memset(f, 0, sizeof(*f));
	if (b == BUF_TLS_CERT_SUBJECT)
		put_name(f->subject, text);
	else if (b == BUF_TLS_CERT_ISSUER)
		put_name(f->issuer, text);
	else if (b == BUF_TLS_SUBJECTALTNAME)
		put(f->names, sizeof(f->names), text);
	else if (b == BUF_TLS_CERT_FINGERPRINT)
		(void)pairs_to_bytes(text, f->sha1, sizeof(f->sha1));
	n = b == BUF_TLS_CERT_SERIAL
		? pairs_to_bytes(text, serial, sizeof(serial))
		: 0;
	for (unsigned i = 0; i < n; i++)
		(void)snprintf(f->serial + 2 * i, 3, "%02x", serial[i]);
}

static void
put_hello(struct obs_hello *h, enum rule_buffer b, const char *text)
{
	static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};

	for (unsigned i = 0; b == BUF_TLS_VERSION && i < 4; i++)
		if (strcmp(text, versions[i]) == 0)
			h->version = (uint16_t)(0x0301 + i);
	if (b == BUF_TLS_SNI)
		put(h->sni, sizeof(h->sni), text);
	if (b == BUF_TLS_ALPN)
		put(h->alpn, sizeof(h->alpn), text);
	if (b == BUF_JA3_HASH || b == BUF_JA3S_HASH)
		put(h->ja3, sizeof(h->ja3), text);
	if (b == BUF_JA4_HASH)
		put(h->ja4, sizeof(h->ja4), text);
}

static void
feed_buffer(enum rule_buffer b, const char *text)
{
	const struct buffer_info *info = buffer_info(b);
	struct obs o;

	obs_init(&o, (enum obs_kind)info->kind);
	o.dir = info->dirs == 1u << DIR_S2C ? DIR_S2C : DIR_C2S;
	if (info->proto != PROTO_UNKNOWN)
		k.proto = info->proto;
	switch (info->kind) {
	case OBS_LINE:
		kit_line(&k, (enum obs_line_what)info->line, text);
		return;
	case OBS_GREETING:
		put(o.text, sizeof(o.text), text);
		break;
	case OBS_CAPS:
		put(o.u.caps.words, sizeof(o.u.caps.words), text);
		break;
	case OBS_AUTH:
		put(b == BUF_AUTH_USER ? o.u.auth.user : o.u.auth.mech_name,
		    OBS_VERB_MAX, text);
		break;
	case OBS_TLS_CERT:
		o.u.cert.from_server = 1;
		put_cert(b, text);
		break;
	default:
		put_hello(&o.u.hello, b, text);
		break;
	}
	kit_obs(&k, &o);
}

static unsigned
port_of(const char *rule)
{
	if (strstr(rule, " 143 (") != NULL)
		return 143;
	return strstr(rule, " 110 (") != NULL ? 110 : 25;
}

static void
feed(const char *words, const char *rule)
{
	char name[64];
	size_t n = strcspn(words, " ");
	const char *text = words + n + (words[n] == ' ');

	(void)snprintf(name, sizeof(name), "%.*s", (int)n, words);
	k.who.server_port = (uint16_t)port_of(rule);
	if (strcmp(name, "line") == 0)
		kit_line(&k, LINE_COMMAND, text);
	else if (strcmp(name, "reply") == 0)
		kit_line(&k, LINE_REPLY, text);
	else if (buffer_by_name(name) == BUF_COUNT)
		TEST_FAIL("no buffer %s", name);
	else
		feed_buffer(buffer_by_name(name), text);
}

/* ---- one shape ---- */

static void
expect(const char *words)
{
	struct rule_view v;
	const char *value = strchr(words, ' ');

	ruleset_view(k.set, 0, &v);
	if (strncmp(words, "severity ", 9) == 0)
		CHECK_STR(severity_name(v.severity), value + 1);
	else if (strncmp(words, "protocol ", 9) == 0)
		CHECK_STR(v.proto, value + 1);
	else if (strncmp(words, "action ", 7) == 0)
		CHECK_STR(v.action, value + 1);
	else if (strcmp(words, "noalert") == 0)
		CHECK(v.noalert);
	else
		TEST_FAIL("what is = %s?", words);
}

static void
check_line(const char *line, const char *rule)
{
	unsigned want = line[0] == '+', got;

	kit_init(&k, rule);
	if (k.set == NULL || ruleset_count(k.set) != 1) {
		TEST_FAIL("not read: %s", rule);
	} else if (line[0] == '=') {
		expect(line + 2);
	} else {
		feed(line + 2, rule);
		got = kit_new(&k);
		if (got != want)
			TEST_FAIL("%u alerts on '%s' of %s", got, line, rule);
		fired += want;
		silent += !want;
	}
	kit_fini(&k);
}

static void
check_skipped(const char *word, const char *rule)
{
	static struct report r;
	struct ruleset *set = parse(rule, &r);

	if (set == NULL || ruleset_count(set) != 0 || r.skipped != 1)
		TEST_FAIL("not skipped because of %s: %s", word, rule);
	ruleset_free(set);
	skipped++;
}

static void
check_shape(const char *rule)
{
	static struct report r;
	struct ruleset *set = parse(rule, &r);
	char *text;

	shapes++;
	if (set == NULL)
		TEST_FAIL("%u: %s: %s", r.e[0].column, r.e[0].message, rule);
	if (set != NULL && ruleset_count(set) == 1) {
		text = ruleset_explain(set, 0);
		CHECK(text != NULL && strlen(text) > 20);
		free(text);
	}
	ruleset_free(set);
	for (unsigned i = 0; i < shape.n; i++)
		if (shape.lines[i][0] == '~')
			check_skipped(shape.lines[i] + 2, rule);
		else
			check_line(shape.lines[i], rule);
	shape.n = 0;
}

TEST(published_shapes_are_read_as_documented)
{
	static char line[8192];
	FILE *f = fopen(CORPUS, "r");

	CHECK(f != NULL);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (strchr("=+-~", line[0]) == NULL)
			check_shape(line);
		else if (shape.n < LINES_MAX)
			put(shape.lines[shape.n++], sizeof(shape.lines[0]),
			    line);
	}
	if (f != NULL)
		(void)fclose(f);
	CHECK(shapes >= 150);
	CHECK(fired >= 120 && silent >= 120 && skipped >= 10);
}

TEST_MAIN
