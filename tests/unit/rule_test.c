/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rule language: what parses, what it means, and for every mistake the
 * place and the words in which it is reported.
 */
#include "rules/rule.h"

#include "tests/test.h"

#define ERRORS_MAX 32

struct report {
	unsigned n;
	struct rule_error e[ERRORS_MAX];
};

static void
on_error(void *ctx, const struct rule_error *e)
{
	struct report *r = ctx;

	if (r->n < ERRORS_MAX)
		r->e[r->n] = *e;
	r->n++;
}

static struct ruleset *
parse(const char *text, struct report *r)
{
	r->n = 0;
	return ruleset_parse("t", text, on_error, r);
}

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

/* ---- alerts to match ---- */

static struct addr
v4(unsigned a, unsigned b, unsigned c, unsigned d)
{
	struct addr out = {{0}};

	out.b[10] = out.b[11] = 0xff;
	out.b[12] = (uint8_t)a;
	out.b[13] = (uint8_t)b;
	out.b[14] = (uint8_t)c;
	out.b[15] = (uint8_t)d;
	return out;
}

static struct addr
v6(unsigned first, unsigned last)
{
	struct addr out = {{0x20, 0x01, 0x0d, 0xb8}};

	out.b[4] = (uint8_t)first;
	out.b[15] = (uint8_t)last;
	return out;
}

/* 10.1.0.10:51514 to 10.2.0.20:25, SMTP, confidence 90. */
static struct alert
an_alert(enum finding_id id)
{
	struct alert a = {.proto = PROTO_SMTP};

	a.finding.id = (uint16_t)id;
	a.finding.confidence = 90;
	a.flow.client = v4(10, 1, 0, 10);
	a.flow.server = v4(10, 2, 0, 20);
	a.flow.client_port = 51514;
	a.flow.server_port = 25;
	return a;
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

/* ---- mistakes ---- */

/* The rest of a rule that is right. */
#define H "alert smtp any any -> any any "
#define S "severity:low; sid:1;)"

static const struct mistake {
	const char *text;
	unsigned column;
	const char *message;
} mistakes[] = {
    /* header */
    {"alrt smtp any any -> any any (" S, 1,
	"unknown action 'alrt': did you mean 'alert'?"},
    {"pass smtp any any -> any any (" S, 1,
	"action 'pass' is not supported yet"},
    {"log smtp any any -> any any (" S, 1, "action 'log' is not supported yet"},
    {"drop smtp any any -> any any (" S, 1,
	"action 'drop' would change traffic, and Stripwire only listens: use "
	"'alert'"},
    {"hello world", 1, "unknown action 'hello'"},
    {"alert", 6, "expected a protocol: smtp, imap, pop3, mail, tls or tcp"},
    {"alert http any any -> any any (" S, 7,
	"protocol 'http' is not supported: use smtp, imap, pop3, mail, tls or "
	"tcp"},
    {"alert stmp any any -> any any (" S, 7,
	"unknown protocol 'stmp': did you mean 'smtp'?"},
    {"alert smtp", 11, "expected an address"},
    {"alert smtp any", 15, "expected a port"},
    {"alert smtp any any", 19, "expected the direction '->' or '<>'"},
    {"alert smtp any any any any (" S, 20,
	"expected the direction '->' or '<>'"},
    {"alert smtp any any <- any any (" S, 20,
	"there is no direction '<-': swap both sides and write '->'"},
    {"alert smtp any any -> any (" S, 27, "expected a port"},
    {"alert smtp any any -> any any", 30,
	"expected '(' and the rule's options"},
    {"alert smtp any any -> any any 7 (" S, 31,
	"expected '(' and the rule's options"},
    /* addresses */
    {"alert smtp 10.0.0 any -> any any (" S, 12,
	"'10.0.0' is not an address: any, IPv4, IPv6, a/len, a-b, !a, [a,b] "
	"or $NAME is expected"},
    {"alert smtp 10.0.0.0/33 any -> any any (" S, 21,
	"'33' is not a prefix length (0 to 32) or netmask"},
    {"alert smtp 10.0.0.0/255.0.255.0 any -> any any (" S, 21,
	"'255.0.255.0' is not a prefix length (0 to 32) or netmask"},
    {"alert smtp ::/129 any -> any any (" S, 15,
	"'129' is not a prefix length (0 to 128)"},
    {"alert smtp x/8 any -> any any (" S, 12, "'x' is not an address"},
    {"alert smtp 10.0.0.9-10.0.0.1 any -> any any (" S, 12,
	"'10.0.0.9-10.0.0.1' ends before it starts"},
    {"alert smtp 10.0.0.9-::1 any -> any any (" S, 12,
	"'10.0.0.9-::1' joins an IPv4 and an IPv6 address"},
    {"alert smtp 10.0.0.9-x any -> any any (" S, 21, "'x' is not an address"},
    {"alert smtp $HOM_NET any -> any any (" S, 13,
	"unknown address variable 'HOM_NET': did you mean 'HOME_NET'?"},
    {"alert smtp !$HOME_NET any -> any any (" S, 12,
	"this matches no address at all"},
    {"alert smtp [1.2.3.4,!1.2.3.0/24] any -> any any (" S, 12,
	"this matches no address at all"},
    {"alert smtp [1.2.3.4 any -> any any (" S, 12,
	"the list has no closing ']'"},
    {"alert smtp [] any -> any any (" S, 13, "expected an address in the list"},
    {"alert smtp [1.2.3.4,] any -> any any (" S, 21,
	"expected an address in the list"},
    {"alert smtp [[[[[[[[[any]]]]]]]]] any -> any any (" S, 20,
	"lists are nested more than 8 deep"},
    /* ports */
    {"alert smtp any 65536 -> any any (" S, 16,
	"'65536' is not a port (0 to 65535)"},
    {"alert smtp any 20:10 -> any any (" S, 16,
	"'20:10' ends before it starts"},
    {"alert smtp any 1:x -> any any (" S, 18, "'x' is not a port (0 to 65535)"},
    {"alert smtp any $STMP_PORTS -> any any (" S, 17,
	"unknown port variable 'STMP_PORTS': did you mean 'SMTP_PORTS'?"},
    {"alert smtp any !any -> any any (" S, 16, "this matches no port at all"},
    /* options as such */
    {H "(" S " x", 54, "expected the end of the line after ')'"},
    {H "(severity:low; sid:1;", 52, "the rule has no ')' at its end"},
    {H "(severity:low; sid:1)", 52, "'sid' has no ';' at its end"},
    {H "(severity:low sid:1;)", 45, "';' is missing before this"},
    {H "(msg:\"a\" " S, 40,
	"expected ';' after the string (a quote inside it is written \\\")"},
    {H "(; " S, 32, "expected a keyword"},
    {H "(# why \\\n" S, 32, "a comment cannot stand inside a rule"},
    {H "(msgg:\"a\"; " S, 32, "unknown keyword 'msgg': did you mean 'msg'?"},
    {H "(sverity:low; " S, 32,
	"unknown keyword 'sverity': did you mean 'severity'?"},
    {H "(frobnicate:\"a\\;b\"; " S, 32, "unknown keyword 'frobnicate'"},
    {H "(content:\"a\\;b\"; " S, 32,
	"keyword 'content' is not supported yet: finding says what to look "
	"for"},
    {H "(nocase; " S, 32, "keyword 'nocase' is not supported yet"},
    {H "(priority:1; " S, 32,
	"keyword 'priority' is not supported yet: severity grades the alert"},
    {H "(threshold:type limit, track by_both, count 1, seconds 3600; " S, 32,
	"keyword 'threshold' is not supported yet"},
    {H "(sid:2; " S, 53, "sid was given already in this rule"},
    {H "(rev; " S, 35, "rev wants a value: rev:1;"},
    {H "(rev:; " S, 36, "rev has no value: rev:1;"},
    {H "(rev:\"1\"; " S, 36, "rev takes its value without quotes: rev:1;"},
    {H "(msg:a; " S, 36, "msg wants a string in quotes: msg:\"text\";"},
    {H "(msg:\"a;b\"; " S, 36,
	"this string has no closing quote before the ';' (a semicolon inside "
	"quotes is written \\;)"},
    {H "(severity:low; msg:\"a; sid:1;)", 50,
	"this string has no closing quote before the ';' (a semicolon inside "
	"quotes is written \\;)"},
    {H "(sid:1;)", 1,
	"the rule has no severity: severity:info, low, medium, high or "
	"critical"},
    {H "(severity:low;)", 1,
	"the rule has no sid: give it a number of its own, sid:1000001;"},
    /* values */
    {H "(msg:\"\"; " S, 37, "msg is empty"},
    {H "(msg:\"a\\n\"; " S, 38,
	"unknown escape: there are \\\" \\; \\: and \\\\"},
    {H "(msg:\"a\tb\"; " S, 38, "a control character in msg"},
    {H "(msg:\"a\xff\"; " S, 38, "bytes that are not UTF-8 in msg"},
    {H "(severity:low; sid:0;)", 50,
	"sid '0' is not a number from 1 to 4294967295"},
    {H "(severity:low; sid:4294967296;)", 50,
	"sid '4294967296' is not a number from 1 to 4294967295"},
    {H "(rev:-1; " S, 36, "rev '-1' is not a number from 0 to 4294967295"},
    {H "(gid:x; " S, 36, "gid 'x' is not a number from 0 to 4294967295"},
    {H "(classtype:misc-atack; " S, 42,
	"unknown classtype 'misc-atack': did you mean 'misc-attack'?"},
    {H "(classtype:trojan; " S, 42,
	"unknown classtype 'trojan': did you mean 'trojan-activity'?"},
    {H "(reference:ulr,x; " S, 42,
	"unknown kind of reference 'ulr': did you mean 'url'?"},
    {H "(reference:url; " S, 42,
	"reference wants kind,value: reference:url,example.org;"},
    {H "(metadata:a b,; " S, 45, "metadata wants key value, key value"},
    {H "(finding:starttls-striped; " S, 40,
	"unknown finding 'starttls-striped': did you mean "
	"'starttls-stripped'?"},
    {H "(finding:rst-injected,; " S, 53, "the name of a finding is missing"},
    {H "(finding:none; " S, 40, "unknown finding 'none'"},
    {H "(confidence:50; " S, 43,
	"a bare number is ambiguous: write >=N for at least N"},
    {H "(confidence:>=101; " S, 43,
	"confidence is >=N, >N, <=N, <N or A-B, with numbers from 0 to 100"},
    {H "(confidence:high; " S, 43,
	"confidence is >=N, >N, <=N, <N or A-B, with numbers from 0 to 100"},
    {H "(confidence:80-50; " S, 43, "the range ends before it starts"},
    {H "(confidence:>100; " S, 43, "no confidence is like that"},
    {H "(confidence:<0; " S, 43, "no confidence is like that"},
    {H "(evidence:wastls; " S, 41,
	"unknown evidence 'wastls': did you mean 'was-tls'?"},
    {H "(evidence:was-tls,!was-tls; " S, 50,
	"evidence was-tls is both wanted and ruled out"},
    {H "(severity:hihg; sid:1;)", 41,
	"unknown severity 'hihg': did you mean 'high'?"},
    {H "(severity:5; sid:1;)", 41,
	"severity is info, low, medium, high or critical"},
    {H "(visibility:compleet; " S, 43,
	"unknown visibility 'compleet': did you mean 'complete'?"},
    {H "(visibility:cut,!cut; " S, 43,
	"visibility is both wanted and ruled out"},
    {H "(visibility:complete,cut; " S, 43,
	"what was seen whole is missing nothing: leave out 'complete'"},
};

TEST(mistakes_are_named_with_their_place)
{
	static struct report r;

	for (unsigned i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		const struct mistake *m = &mistakes[i];
		struct ruleset *set = parse(m->text, &r);

		if (set != NULL || r.n == 0) {
			TEST_FAIL("no mistake in: %s", m->text);
			ruleset_free(set);
			continue;
		}
		if (r.n != 1)
			TEST_FAIL("%u mistakes in: %s\nsecond: %s", r.n,
			    m->text, r.e[1].message);
		CHECK_STR(r.e[0].message, m->message);
		CHECK_INT(r.e[0].line, 1);
		if (r.e[0].column != m->column)
			TEST_FAIL("column %u, not %u: %s", r.e[0].column,
			    m->column, m->text);
	}
}

TEST(all_mistakes_come_in_one_run)
{
	static struct report r;
	struct ruleset *set =
	    parse("alert smtp any any -> any any (severity:low; sid:1;)\n"
		  "# fine so far\n"
		  "alert stmp any 99999 -> any any \\\n"
		  "    (finding:rst; confidence:50; severity:low; \\\n"
		  "     sid:1;)\n"
		  "alert smtp any any -> any any (severity:low; sid:2)\n",
		&r);

	CHECK(set == NULL);
	CHECK_INT(r.n, 6);
	CHECK_INT(r.e[0].line, 3);
	CHECK_INT(r.e[0].column, 7);
	CHECK_INT(r.e[1].line, 3);
	CHECK_INT(r.e[1].column, 16);
	CHECK_INT(r.e[2].line, 4);
	CHECK_INT(r.e[2].column, 14);
	CHECK_STR(r.e[2].message,
	    "unknown finding 'rst': did you mean 'rst-injected'?");
	CHECK_INT(r.e[3].line, 4);
	CHECK_INT(r.e[3].column, 30);
	CHECK_INT(r.e[4].line, 5);
	CHECK_INT(r.e[4].column, 10);
	CHECK_STR(r.e[4].message, "sid 1 is taken by the rule in line 1");
	CHECK_STR(r.e[4].source, "     sid:1;)");
	CHECK_INT(r.e[5].line, 6);
}

TEST(a_commented_rule_hides_all_of_its_lines_or_says_so)
{
	static struct report r;
	struct ruleset *set = parse("# alert smtp any any -> any any \\\n"
				    "    (severity:low; sid:1;)\n",
	    &r);

	CHECK(set == NULL);
	CHECK_INT(r.n, 1);
	CHECK_INT(r.e[0].line, 2);
	CHECK_INT(r.e[0].column, 5);
	CHECK_STR(r.e[0].message,
	    "the comment before this line ends in a backslash: put a '#' "
	    "before this line too");
}

TEST(file_ending_in_a_backslash)
{
	static struct report r;

	CHECK(parse(H "(" S "\\\n", &r) == NULL);
	CHECK_INT(r.n, 1);
	CHECK_STR(r.e[0].message,
	    "the file ends after a backslash that promises another line");
}

TEST(long_values_are_refused)
{
	static struct report r;
	char text[1024], pad[400];

	memset(pad, 'x', sizeof(pad));
	(void)snprintf(text, sizeof(text), H "(msg:\"%.159s\"; " S, pad);
	ruleset_free(good(text));
	(void)snprintf(text, sizeof(text), H "(msg:\"%.160s\"; " S, pad);
	CHECK(parse(text, &r) == NULL);
	CHECK_STR(r.e[0].message, "msg is longer than 159 bytes");
	(void)snprintf(text, sizeof(text), H "(reference:url,%.160s; " S, pad);
	CHECK(parse(text, &r) == NULL);
	CHECK_STR(r.e[0].message,
	    "the references are longer than 159 bytes together");
	(void)snprintf(text, sizeof(text), H "(metadata:a %.300s; " S, pad);
	CHECK(parse(text, &r) == NULL);
	CHECK_STR(
	    r.e[0].message, "the metadata is longer than 255 bytes together");
}

TEST(caret_stands_below_the_place)
{
	static struct report r;
	char out[1024];

	CHECK(parse("alert smtp any any -> any any (msg:\"\xc3\xa9\";\t"
		    "severity:hihg; sid:1;)",
		  &r) == NULL);
	CHECK_STR(rule_error_format(out, sizeof(out), &r.e[0]),
	    "t:1:51: unknown severity 'hihg': did you mean 'high'?\n"
	    "    alert smtp any any -> any any (msg:\"\xc3\xa9\";\t"
	    "severity:hihg; sid:1;)\n"
	    "                                           \t"
	    "         ^\n");
}

TEST(caret_in_a_long_line)
{
	static struct report r;
	char text[2048], pad[1000];

	memset(pad, ' ', sizeof(pad));
	(void)snprintf(text, sizeof(text), "%.900sbogus%.900s", pad, pad);
	CHECK(parse(text, &r) == NULL);
	CHECK_INT(r.e[0].column, 901);
	CHECK(strncmp(r.e[0].source + r.e[0].caret, "bogus", 5) == 0);
	CHECK(strlen(r.e[0].source) < sizeof(r.e[0].source));
}

TEST(source_is_safe_for_a_terminal)
{
	static struct report r;

	CHECK(parse("x\x1b[2J\x01\xff\xc2\x9b"
		    "y",
		  &r) == NULL);
	CHECK_STR(r.e[0].source, "x?[2J???y");
	CHECK_STR(r.e[0].message, "unknown action 'x?[2J????y'");
}

TEST(number_of_mistakes_is_bounded)
{
	static struct report r;
	static char text[5000];

	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "x\n", 2);
	CHECK(parse(text, &r) == NULL);
	CHECK_INT(r.n, RULE_ERRORS_MAX + 1);
}

/* ---- files ---- */

static void
load_fails(const char *path, const char *want)
{
	static struct report r;
	char err[300] = "";
	int sys = 0;

	r.n = 0;
	CHECK(ruleset_load(path, on_error, &r, &sys, err, sizeof(err)) == NULL);
	CHECK_INT(sys, -1);
	CHECK_INT(r.n, 0);
	if (strstr(err, want) == NULL)
		TEST_FAIL("'%s' does not say '%s'", err, want);
}

TEST(files_that_cannot_be_read)
{
	load_fails("/nonexistent/x.rules", "No such file");
	load_fails("/", "it is a folder");
	load_fails("/dev/zero", "longer than 8 MiB");
	load_fails("/proc/self/exe", "it ");
}

/* ---- the shipped policy ---- */

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
	int sys = 0;

	r.n = 0;
	set =
	    ruleset_load("sensor.rules", on_error, &r, &sys, err, sizeof(err));
	for (unsigned i = 0; i < r.n && i < ERRORS_MAX; i++)
		TEST_FAIL("%s", rule_error_format(line, sizeof(line), &r.e[i]));
	if (set == NULL)
		TEST_FAIL("sensor.rules: %s", err);
	return set;
}

static struct grades
grade_of(const struct ruleset *set, struct alert a)
{
	struct grades g = {0};

	if (set != NULL)
		(void)ruleset_match(set, &a, grade, &g);
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

TEST(shipped_rules_give_one_alert_for_each_finding)
{
	static const uint16_t ports[] = {25, 587, 465, 143, 993, 110, 995};
	static const uint8_t confidences[] = {
	    0, 20, 49, 50, 60, 84, 85, 90, 100};
	struct ruleset *set = shipped();
	struct alert a;

	for (unsigned id = FIND_NONE + 1; id < FIND_COUNT; id++)
		for (uint32_t tags = 0; tags < 2 * EVT_WAS_TLS; tags++)
			for (unsigned c = 0; c < sizeof(confidences); c++) {
				unsigned p = (tags + c) % 7;
				struct grades g;

				a = an_alert(id);
				a.finding.tags = tags;
				a.finding.confidence = confidences[c];
				a.flow.server_port = ports[p];
				a.proto = (uint8_t)proto_of(id, ports[p]);
				g = grade_of(set, a);
				if (g.n == 1)
					continue;
				TEST_FAIL("%s port %u confidence %u tags %#x: "
					  "%u rules, last %u",
				    finding_info(id)->name, ports[p],
				    confidences[c], tags, g.n, g.sid);
				ruleset_free(set);
				return;
			}
	ruleset_free(set);
}

TEST(shipped_rules_are_quiet_about_suspicions)
{
	struct ruleset *set = shipped();

	for (unsigned id = FIND_NONE + 1; id < FIND_COUNT; id++) {
		struct alert a = an_alert(id);

		a.proto = (uint8_t)proto_of(id, 143);
		a.flow.server_port = 143;
		a.finding.confidence = 49;
		a.finding.tags = EVT_WAS_TRUSTED | EVT_AFTER_ATTACK;
		CHECK_INT(grade_of(set, a).severity, SEV_INFO);
	}
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
	    {FIND_CERT_UNTRUSTED, 60, 587, 0, SEV_MEDIUM},
	    {FIND_CERT_NAME_MISMATCH, 60, 25, EVT_NO_SNI, SEV_INFO},
	    {FIND_CERT_NAME_MISMATCH, 90, 587, 0, SEV_HIGH},
	    {FIND_CERT_EXPIRED, 100, 25, 0, SEV_INFO},
	    {FIND_CERT_BAD_ACCEPTED, 60, 993, EVT_FIRST_SIGHT, SEV_INFO},
	    {FIND_TLS_OLD_VERSION, 60, 25, 0, SEV_INFO},
	    {FIND_PLAINTEXT_CREDENTIALS, 100, 143, 0, SEV_HIGH},
	    {FIND_PLAINTEXT_CREDENTIALS, 100, 143, EVT_AFTER_ATTACK,
		SEV_CRITICAL},
	    {FIND_CHALLENGE_RESPONSE_IN_CLEAR, 60, 587, 0, SEV_INFO},
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
	ruleset_free(set);
}

TEST_MAIN
