/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rule language: what parses, and what it matches.
 */
#include "tests/unit/rule_help.h"

/* The rules must be right; a mistake fails the test. */
static struct ruleset *
good(const char *text)
{
	static struct report r;
	struct ruleset *set = parse(text, &r);

	for (unsigned i = 0; i < r.n && i < ERRORS_MAX; i++)
		TEST_FAIL(
		    "%u:%u: %s", r.e[i].line, r.e[i].column, r.e[i].message);
	if (set == NULL)
		TEST_FAIL("no rules from: %s", text);
	return set;
}

static struct addr
v6(unsigned first, unsigned last)
{
	struct addr out = {{0x20, 0x01, 0x0d, 0xb8}};

	out.b[4] = (uint8_t)first;
	out.b[15] = (uint8_t)last;
	return out;
}

static void
keep(void *ctx, const struct alert *a)
{
	*(struct alert *)ctx = *a;
}

static unsigned
matches(const struct ruleset *set, struct alert a)
{
	static struct alert last;

	return set == NULL ? 999 : ruleset_match(set, &a, keep, &last);
}

/* Does the rule with this header and these options match? */
static unsigned
one(const char *header, const char *options, const struct alert *a)
{
	struct ruleset *set;
	char text[1024];
	unsigned n;

	(void)snprintf(text, sizeof(text),
	    "alert %s (%s severity:low; sid:1;)\n", header, options);
	set = good(text);
	n = matches(set, *a);
	ruleset_free(set);
	return n;
}

/* ---- what parses ---- */

TEST(rule_fills_the_alert)
{
	struct ruleset *set = good("alert smtp any any -> any any (msg:\"a "
				   "\\\"b\\\" \\; c\\\\d \\: e\"; "
				   "finding:starttls-stripped; severity:high; "
				   "classtype:misc-attack; sid:4294967295; "
				   "gid:7; rev:3; reference:url,example.org/x; "
				   "reference:cve,2011-0411; "
				   "metadata:owner me, since 2026_11_22; "
				   "metadata:plain;)");
	struct alert a = an_alert(FIND_STARTTLS_STRIPPED), out;

	CHECK_INT(ruleset_count(set), 1);
	CHECK_INT(ruleset_match(set, &a, keep, &out), 1);
	CHECK_STR(out.msg, "a \"b\" ; c\\d : e");
	CHECK_STR(out.classtype, "misc-attack");
	CHECK_STR(out.reference, "url,example.org/x\ncve,2011-0411");
	CHECK_STR(out.metadata, "owner me\nsince 2026_11_22\nplain ");
	CHECK_INT(out.sid, 4294967295);
	CHECK_INT(out.gid, 7);
	CHECK_INT(out.rev, 3);
	CHECK_INT(out.severity, SEV_HIGH);
	CHECK_INT(out.finding.confidence, 90);
	ruleset_free(set);
}

TEST(rule_defaults)
{
	struct ruleset *set =
	    good("alert tcp any any -> any any (severity:info; sid:5;)");
	struct alert a = an_alert(FIND_CERT_EXPIRED), out;

	CHECK_INT(ruleset_match(set, &a, keep, &out), 1);
	CHECK_STR(out.msg, finding_info(FIND_CERT_EXPIRED)->title);
	CHECK_STR(out.classtype, "");
	CHECK_STR(out.reference, "");
	CHECK_INT(out.gid, 1);
	CHECK_INT(out.rev, 0);
	ruleset_free(set);
}

TEST(rule_layout_is_free)
{
	static const char *const texts[] = {
	    "\xef\xbb\xbf"
	    "alert smtp any any -> any any (severity:low; sid:1;)",
	    "  alert\tsmtp any  any -> any any(severity:low;sid:1;)",
	    "# comment\n\n \t\n  # another\n"
	    "alert smtp any any -> any any (severity:low; sid:1;) # end\n",
	    "alert smtp any any -> any any ( \\\n severity : low ; \\ \t\n"
	    "sid: 1 ; )\n",
	    "alert smtp any any -> any any (severity:low; sid:1;)\r\n",
	    "alert smtp any any -> any any \\\r\n(severity:low; sid:1;)\r\n",
	    "alert smtp any any -> any any (sev\\\nerity:lo\\\nw; sid:1;)",
	    "alert smtp any any -> any any (msg:\"two \\\nlines\"; "
	    "severity:low; sid:1;)",
	};

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ruleset *set = good(texts[i]);

		CHECK_INT(set == NULL ? 0 : ruleset_count(set), 1);
		ruleset_free(set);
	}
}

TEST(rule_order_is_file_order)
{
	struct ruleset *set =
	    good("alert tcp any any -> any any (severity:low; sid:9;)\n"
		 "alert smtp any any -> any any (severity:high; sid:3;)\n"
		 "alert smtp any any -> any any (severity:high; gid:2; sid:3;"
		 " finding:cert-expired;)\n");
	struct alert a = an_alert(FIND_RST_INJECTED), out;

	CHECK_INT(ruleset_match(set, &a, keep, &out), 2);
	CHECK_INT(out.sid, 3);
	CHECK_INT(out.gid, 1);
	ruleset_free(set);
}

TEST(rule_empty_file_is_no_rules)
{
	struct ruleset *set = good("");

	CHECK_INT(ruleset_count(set), 0);
	CHECK_INT(matches(set, an_alert(FIND_RST_INJECTED)), 0);
	ruleset_free(set);
	set = good("# nothing but a comment");
	CHECK_INT(ruleset_count(set), 0);
	ruleset_free(set);
}

/* ---- what it matches ---- */

TEST(protocols_match)
{
	static const struct {
		const char *word;
		unsigned smtp, imap, pop3, unknown; /* for rst-injected */
		unsigned cert; /* for cert-expired on IMAP */
	} rows[] = {
	    {"smtp", 1, 0, 0, 0, 0},
	    {"imap", 0, 1, 0, 0, 1},
	    {"pop3", 0, 0, 1, 0, 0},
	    {"mail", 1, 1, 1, 0, 1},
	    {"tls", 0, 0, 0, 0, 1},
	    {"tcp", 1, 1, 1, 1, 1},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alert a = an_alert(FIND_RST_INJECTED);
		char header[64];

		(void)snprintf(header, sizeof(header), "%s any any -> any any",
		    rows[i].word);
		CHECK_INT(one(header, "", &a), rows[i].smtp);
		a.proto = PROTO_IMAP;
		CHECK_INT(one(header, "", &a), rows[i].imap);
		a.proto = PROTO_POP3;
		CHECK_INT(one(header, "", &a), rows[i].pop3);
		a.proto = PROTO_UNKNOWN;
		CHECK_INT(one(header, "", &a), rows[i].unknown);
		a = an_alert(FIND_CERT_EXPIRED);
		a.proto = PROTO_IMAP;
		CHECK_INT(one(header, "", &a), rows[i].cert);
	}
}

TEST(addresses_match)
{
	static const struct {
		const char *dst;
		unsigned v4, v6; /* 10.2.0.20, 2001:db8:100::5 */
	} rows[] = {
	    {"any", 1, 1},
	    {"$MAIL_SERVERS", 1, 1},
	    {"10.2.0.20", 1, 0},
	    {"10.2.0.21", 0, 0},
	    {"10.2.0.0/24", 1, 0},
	    {"10.2.0.99/24", 1, 0},
	    {"10.2.0.0/255.255.255.0", 1, 0},
	    {"10.2.1.0/24", 0, 0},
	    {"0.0.0.0/0", 1, 0},
	    {"::/0", 1, 1},
	    {"10.2.0.20/32", 1, 0},
	    {"10.2.0.19-10.2.0.20", 1, 0},
	    {"10.2.0.21-10.2.0.30", 0, 0},
	    {"2001:db8::/32", 0, 1},
	    {"2001:db8:100::5", 0, 1},
	    {"2001:db8:100::1-2001:db8:100::4", 0, 0},
	    {"!10.2.0.20", 0, 1},
	    {"!10.2.0.0/16", 0, 1},
	    {"!2001:db8::/32", 1, 0},
	    {"[10.2.0.20,2001:db8::/32]", 1, 1},
	    {"[10.0.0.0/8,!10.2.0.0/16]", 0, 0},
	    {"[10.0.0.0/8,!10.3.0.0/16]", 1, 0},
	    {"[!10.2.0.20,!10.2.0.21]", 0, 1},
	    {"![10.2.0.20,10.2.0.21]", 0, 1},
	    {"![10.0.0.0/8,![10.2.0.0/16]]", 1, 1},
	    {"[10.2.0.20,10.2.0.20,10.2.0.0/24]", 1, 0},
	    {"[ 10.2.0.20 , 10.9.9.9 ]", 1, 0},
	    {"[[10.2.0.20],[2001:db8::/32]]", 1, 1},
	    {"::ffff:10.2.0.20", 1, 0},
	    {"[any,!10.2.0.20]", 0, 1},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alert a = an_alert(FIND_RST_INJECTED);
		char header[128];
		unsigned got;

		(void)snprintf(header, sizeof(header), "tcp any any -> %s any",
		    rows[i].dst);
		got = one(header, "", &a);
		if (got != rows[i].v4)
			TEST_FAIL("%s: IPv4 %u", rows[i].dst, got);
		a.flow.server = v6(1, 5);
		got = one(header, "", &a);
		if (got != rows[i].v6)
			TEST_FAIL("%s: IPv6 %u", rows[i].dst, got);
	}
}

TEST(ports_match)
{
	static const struct {
		const char *port;
		unsigned p25, p587, p0, p65535;
	} rows[] = {
	    {"any", 1, 1, 1, 1},
	    {"$SMTP_PORTS", 1, 1, 1, 1},
	    {"25", 1, 0, 0, 0},
	    {"!25", 0, 1, 1, 1},
	    {"[25,587]", 1, 1, 0, 0},
	    {"[!25,!587]", 0, 0, 1, 1},
	    {":25", 1, 0, 1, 0},
	    {"587:", 0, 1, 0, 1},
	    {"25:587", 1, 1, 0, 0},
	    {"26:586", 0, 0, 0, 0},
	    {"[1:1023,!25]", 0, 1, 0, 0},
	    {"0", 0, 0, 1, 0},
	    {"65535", 0, 0, 0, 1},
	    {"!0:65534", 0, 0, 0, 1},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const unsigned want[4] = {
		    rows[i].p25, rows[i].p587, rows[i].p0, rows[i].p65535};
		static const uint16_t ports[4] = {25, 587, 0, 65535};
		struct alert a = an_alert(FIND_RST_INJECTED);
		char header[64];

		(void)snprintf(header, sizeof(header), "tcp any any -> any %s",
		    rows[i].port);
		for (unsigned j = 0; j < 4; j++) {
			a.flow.server_port = ports[j];
			if (one(header, "", &a) != want[j])
				TEST_FAIL("%s with %u", rows[i].port, ports[j]);
		}
	}
}

TEST(direction_matches)
{
	struct alert a = an_alert(FIND_RST_INJECTED);

	CHECK_INT(one("tcp 10.1.0.10 51514 -> 10.2.0.20 25", "", &a), 1);
	CHECK_INT(one("tcp 10.2.0.20 25 -> 10.1.0.10 51514", "", &a), 0);
	CHECK_INT(one("tcp 10.2.0.20 25 <> 10.1.0.10 51514", "", &a), 1);
	CHECK_INT(one("tcp 10.1.0.10 51514 <> 10.2.0.20 25", "", &a), 1);
	CHECK_INT(one("tcp 10.1.0.10 25 <> 10.2.0.20 25", "", &a), 0);
}

TEST(confidence_matches)
{
	static const struct {
		const char *option;
		unsigned lo, hi; /* what matches, inclusive */
	} rows[] = {
	    {"confidence:>=50;", 50, 100},
	    {"confidence:>50;", 51, 100},
	    {"confidence:<50;", 0, 49},
	    {"confidence:<=50;", 0, 50},
	    {"confidence:50-80;", 50, 80},
	    {"confidence: 50 - 80 ;", 50, 80},
	    {"confidence:>= 0;", 0, 100},
	    {"confidence:100-100;", 100, 100},
	    {"", 0, 100},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alert a = an_alert(FIND_RST_INJECTED);

		for (unsigned c = 0; c <= 100; c++) {
			unsigned want = c >= rows[i].lo && c <= rows[i].hi;

			a.finding.confidence = (uint8_t)c;
			if (one("tcp any any -> any any", rows[i].option, &a) !=
			    want)
				TEST_FAIL("%s with %u", rows[i].option, c);
		}
	}
}

TEST(evidence_matches)
{
	static const char h[] = "tcp any any -> any any";
	struct alert a = an_alert(FIND_RST_INJECTED);

	CHECK_INT(one(h, "evidence:was-tls;", &a), 0);
	CHECK_INT(one(h, "evidence:!was-tls;", &a), 1);
	a.finding.tags = EVT_WAS_TLS | EVT_KNOWN_TOOL;
	CHECK_INT(one(h, "evidence:was-tls;", &a), 1);
	CHECK_INT(one(h, "evidence:!was-tls;", &a), 0);
	CHECK_INT(one(h, "evidence:was-tls,known-tool;", &a), 1);
	CHECK_INT(one(h, "evidence:was-tls,selective;", &a), 0);
	CHECK_INT(one(h, "evidence:was-tls; evidence:!selective;", &a), 1);
	CHECK_INT(one(h, "evidence:was-tls, ! known-tool;", &a), 0);
}

TEST(visibility_matches)
{
	static const char h[] = "tcp any any -> any any";
	struct alert a = an_alert(FIND_RST_INJECTED);

	CHECK_INT(one(h, "visibility:complete;", &a), 1);
	CHECK_INT(one(h, "visibility:partial;", &a), 0);
	CHECK_INT(one(h, "visibility:!gap-server;", &a), 1);
	a.finding.vis = VIS_GAP_S2C | VIS_MIDSTREAM;
	CHECK_INT(one(h, "visibility:complete;", &a), 0);
	CHECK_INT(one(h, "visibility:partial;", &a), 1);
	CHECK_INT(one(h, "visibility:!complete;", &a), 1);
	CHECK_INT(one(h, "visibility:!partial;", &a), 0);
	CHECK_INT(one(h, "visibility:gap-server;", &a), 1);
	CHECK_INT(one(h, "visibility:gap-server,one-way;", &a), 0);
	CHECK_INT(one(h, "visibility:!gap-server;", &a), 0);
	CHECK_INT(one(h, "visibility:!gap-client,midstream;", &a), 1);
}

TEST(finding_matches)
{
	static const char h[] = "tcp any any -> any any";
	struct alert a = an_alert(FIND_RST_INJECTED);

	CHECK_INT(one(h, "finding:rst-injected;", &a), 1);
	CHECK_INT(one(h, "finding:fin-injected;", &a), 0);
	CHECK_INT(one(h, "finding:fin-injected, rst-injected;", &a), 1);
	CHECK_INT(one(h, "", &a), 1);
	a.finding.id = FIND_COUNT;
	CHECK_INT(one(h, "", &a), 0);
}

TEST(all_names_parse)
{
	char option[160];

	for (int id = FIND_NONE + 1; id < FIND_COUNT; id++) {
		struct alert a = an_alert(id);

		(void)snprintf(option, sizeof(option), "finding:%s;",
		    finding_info(id)->name);
		CHECK_INT(one("tcp any any -> any any", option, &a), 1);
		a.finding.id = id == 1 ? 2 : 1;
		CHECK_INT(one("tcp any any -> any any", option, &a), 0);
	}
	for (uint32_t tag = 1; tag <= EVT_WAS_TLS; tag <<= 1) {
		struct alert a = an_alert(FIND_RST_INJECTED);

		a.finding.tags = tag;
		(void)snprintf(option, sizeof(option), "evidence:%s;",
		    evidence_tag_name(tag));
		CHECK_INT(one("tcp any any -> any any", option, &a), 1);
	}
}

TEST_MAIN
