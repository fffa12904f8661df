/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shipped policy, sensor.rules: each finding gives exactly one alert
 * whatever goes with it, and the grades are those that were meant.
 */
#include "tests/unit/rule_help.h"

#include "rules/visibility.h"

struct grades {
	unsigned n;
	uint32_t sid;
	uint8_t severity;
};

static void
grade(void *ctx, const struct alert *a)
{
	struct grades *g = ctx;

	g->n++;
	g->sid = a->sid;
	g->severity = a->severity;
}

static struct ruleset *
shipped(void)
{
	static struct report r;
	struct ruleset *set;
	char err[300] = "", line[1024];
	struct rule_sources src = {
	    .path = "sensor.rules", .on_error = on_error, .ctx = &r};
	int sys = 0;

	r.n = 0;
	set = ruleset_load(&src, &sys, err, sizeof(err));
	for (unsigned i = 0; i < r.n && i < ERRORS_MAX; i++)
		TEST_FAIL("%s", rule_error_format(line, sizeof(line), &r.e[i]));
	if (set == NULL)
		TEST_FAIL("sensor.rules: %s", err);
	return set;
}

/* Made once: there are millions of questions. */
static struct engine *
engine_of(const struct ruleset *set)
{
	static struct engine *e;
	static const struct ruleset *of;

	if (of != set) {
		engine_free(e);
		e = engine_new(set, false);
		of = set;
	}
	return e;
}

static struct grades
grade_of(const struct ruleset *set, struct alert a)
{
	struct grades g = {0};

	if (set != NULL)
		(void)engine_match(engine_of(set), &a, grade, &g);
	return g;
}

static enum proto
proto_of(unsigned id, uint16_t port)
{
	if (id >= FIND_IMAP_PREAUTH && id <= FIND_IMAP_ALERT_IN_CLEAR)
		return PROTO_IMAP;
	if (port == 110 || port == 995)
		return PROTO_POP3;
	return port == 143 || port == 993 ? PROTO_IMAP : PROTO_SMTP;
}

/* Says what is not matched by exactly one rule, and returns false. */
static bool
one_alert(const struct ruleset *set, unsigned id, uint32_t tags, uint8_t c)
{
	static const uint16_t ports[] = {25, 587, 465, 143, 993, 110, 995};
	uint16_t port = ports[(tags + c) % 7];
	struct alert a = an_alert(id);
	struct grades g;

	a.finding.tags = tags;
	a.finding.confidence = c;
	a.flow.server_port = port;
	a.proto = (uint8_t)proto_of(id, port);
	g = grade_of(set, a);
	if (g.n != 1)
		TEST_FAIL("%s port %u confidence %u tags %#x: %u rules, last "
			  "%u",
		    finding_info(id)->name, port, c, tags, g.n, g.sid);
	return g.n == 1;
}

static bool
one_alert_each(const struct ruleset *set, unsigned id)
{
	static const uint8_t confidences[] = {
	    0, 20, 49, 50, 60, 84, 85, 90, 100};
	static const uint32_t more[] = {
	    0, EVT_ALL_CLIENTS, EVT_STARTTLS_IS_NEW, EVT_PINNED};

	for (uint32_t tags = 0; tags < 2 * EVT_WAS_TLS; tags++)
		for (unsigned c = 0; c < sizeof(confidences); c++)
			if (!one_alert(set, id, tags | more[(tags + c) / 7 % 4],
				confidences[c]))
				return false;
	return true;
}

TEST(shipped_rules_give_one_alert_for_each_finding)
{
	struct ruleset *set = shipped();

	for (unsigned id = FIND_NONE + 1; id < FIND_COUNT; id++)
		if (!one_alert_each(set, id))
			break;
	(void)engine_of(NULL);
	ruleset_free(set);
}

/* The guide at the top of the file names every word there is. */
TEST(shipped_rules_explain_all_words)
{
	static char text[65536];
	FILE *f = fopen("sensor.rules", "r");
	char *end;

	CHECK(f != NULL);
	if (f == NULL)
		return;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	(void)fclose(f);
	end = strstr(text, "# A. ");
	CHECK(end != NULL);
	if (end != NULL)
		*end = '\0';
	for (unsigned i = 0; i < 32; i++) {
		const char *tag = evidence_tag_name(UINT32_C(1) << i);
		const char *vis = vis_name(UINT32_C(1) << i);

		if (evidence_tag_by_name(tag) != 0 && !strstr(text, tag))
			TEST_FAIL("evidence %s is not explained", tag);
		if (vis != NULL && !strstr(text, vis))
			TEST_FAIL("visibility %s is not explained", vis);
	}
}

TEST(shipped_rules_are_quiet_about_suspicions)
{
	struct ruleset *set = shipped();

	/* what the sensor says of itself is sure, and of what TCP shows there
	 * are no suspicions */
	for (unsigned id = FIND_NONE + 1; id < FIND_SENSOR_RESTARTED; id++) {
		struct alert a = an_alert(id);

		if (id >= FIND_RST_INJECTED && id <= FIND_HANDSHAKE_HIJACK)
			continue;
		a.proto = (uint8_t)proto_of(id, 143);
		a.flow.server_port = 143;
		a.finding.confidence = 49;
		a.finding.tags = EVT_WAS_TRUSTED | EVT_AFTER_ATTACK;
		CHECK_INT(grade_of(set, a).severity, SEV_INFO);
	}
	(void)engine_of(NULL);
	ruleset_free(set);
}

TEST(shipped_rules_grade)
{
	static const struct {
		unsigned id, confidence, port;
		uint32_t tags;
		unsigned severity;
	} rows[] = {
	    {FIND_STARTTLS_STRIPPED, 90, 25, 0, SEV_CRITICAL},
	    {FIND_STARTTLS_STRIPPED, 60, 25, 0, SEV_HIGH},
	    {FIND_STARTTLS_MANGLED, 60, 25, 0, SEV_MEDIUM},
	    {FIND_PLAINTEXT_FALLBACK, 60, 25, EVT_AFTER_FORGED_RST,
		SEV_CRITICAL},
	    {FIND_PLAINTEXT_FALLBACK, 60, 25, 0, SEV_MEDIUM},
	    {FIND_EHLO_REFUSED, 60, 25, EVT_NO_HISTORY, SEV_INFO},
	    {FIND_RST_INJECTED, 90, 25, EVT_DURING_TLS_HANDSHAKE, SEV_CRITICAL},
	    {FIND_RST_INJECTED, 90, 25, 0, SEV_HIGH},
	    {FIND_CERT_SELF_SIGNED, 100, 25, 0, SEV_INFO},
	    {FIND_CERT_SELF_SIGNED, 100, 25, EVT_WAS_TRUSTED, SEV_HIGH},
	    {FIND_CERT_SELF_SIGNED, 100, 993, EVT_FIRST_SIGHT, SEV_LOW},
	    {FIND_CERT_UNTRUSTED, 60, 25, EVT_OPPORTUNISTIC, SEV_INFO},
	    {FIND_CERT_UNTRUSTED, 60, 587, 0, SEV_LOW},
	    {FIND_CERT_NAME_MISMATCH, 90, 25, 0, SEV_LOW},
	    {FIND_CERT_NAME_MISMATCH, 90, 587, 0, SEV_HIGH},
	    {FIND_CERT_EXPIRED, 100, 25, 0, SEV_INFO},
	    {FIND_CERT_BAD_ACCEPTED, 60, 993, EVT_FIRST_SIGHT, SEV_INFO},
	    {FIND_TLS_OLD_VERSION, 60, 25, 0, SEV_INFO},
	    {FIND_PLAINTEXT_CREDENTIALS, 100, 143, 0, SEV_HIGH},
	    {FIND_PLAINTEXT_CREDENTIALS, 100, 143, EVT_AFTER_ATTACK,
		SEV_CRITICAL},
	    {FIND_CHALLENGE_RESPONSE_IN_CLEAR, 45, 587, 0, SEV_INFO},
	    {FIND_CHALLENGE_RESPONSE_IN_CLEAR, 60, 587, EVT_WAS_TLS,
		SEV_MEDIUM},
	};
	struct ruleset *set = shipped();

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alert a = an_alert(rows[i].id);
		struct grades g;

		a.finding.confidence = (uint8_t)rows[i].confidence;
		a.finding.tags = rows[i].tags;
		a.flow.server_port = (uint16_t)rows[i].port;
		a.proto = (uint8_t)proto_of(rows[i].id, (uint16_t)rows[i].port);
		g = grade_of(set, a);
		if (g.severity != rows[i].severity)
			TEST_FAIL("row %u: %s is %s by sid %u", i,
			    finding_info(rows[i].id)->name,
			    severity_name(g.severity), g.sid);
	}
	(void)engine_of(NULL);
	ruleset_free(set);
}

TEST_MAIN
