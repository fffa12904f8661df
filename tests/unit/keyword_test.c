/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every keyword of the language, by the parser's own tables: a dialogue on
 * which its rule fires, one on which it is silent, and how it is written
 * wrong. A keyword or buffer that is new has to come here too.
 *
 * A dialogue is a list of steps with bars between. A step is the name of a
 * buffer and what it holds (rule_feed.h), or
 *
 *	finding NAME CONFIDENCE [EVIDENCE]	a detector's yes
 *	vis NAME, incident SEVERITY		what was missed, what is open
 *	known N			so many sessions offered STARTTLS
 *	again			another connection of the same hosts
 *	other			and of another client
 *	wait SECONDS
 */
#include "rules/rule_option.h"
#include "rules/visibility.h"
#include "tests/unit/rule_feed.h"

#define T "alert smtp any any -> any any ("
#define F "alert tcp any any -> any any ("
#define C "smtp.command; "
#define Q "smtp.command; content:\"QUIT\"; "
#define QUIT "smtp.command QUIT"
#define NOOP "smtp.command NOOP"

static const struct row {
	const char *keyword;
	const char *rules; /* sid 1 is asked about */
	const char *fires, *silent;
	const char *shows; /* what the alert then says, "name value", NULL */
	const char *wrong; /* the options of a rule */
	const char *message; /* what is said of them, its beginning */
} rows[] = {
    {"msg", T "msg:\"a title\"; " Q "sid:1;)", QUIT, NOOP, "msg a title",
	"msg:a; ", "msg wants a string in quotes"},
    {"sid", T Q "sid:1;)", QUIT, NOOP, "sid 1", "sid:one; ",
	"sid 'one' is not a number"},
    {"gid", T Q "gid:7; sid:1;)", QUIT, NOOP, "gid 7", "gid:x; ",
	"gid 'x' is not a number"},
    {"rev", T Q "rev:3; sid:1;)", QUIT, NOOP, "rev 3", "rev:-1; ",
	"rev '-1' is not a number"},
    {"classtype", T Q "classtype:misc-attack; sid:1;)", QUIT, NOOP,
	"class misc-attack", "classtype:misc-atack; ",
	"unknown classtype 'misc-atack': did you mean 'misc-attack'?"},
    {"priority", T Q "priority:1; sid:1;)", QUIT, NOOP, "severity high",
	"priority:0; ", "priority is a number from 1"},
    {"reference", T Q "reference:cve,2011-0411; sid:1;)", QUIT, NOOP,
	"reference cve,2011-0411", "reference:url; ",
	"reference wants kind,value"},
    {"metadata", T Q "metadata:team mail, level 2; sid:1;)", QUIT, NOOP,
	"metadata team mail\nlevel 2", "metadata:a b,; ",
	"metadata wants key value, key value"},
    {"target", T Q "target:dest_ip; sid:1;)", QUIT, NOOP, "target 2",
	"target:both; ", "target is src_ip or dest_ip"},
    {"finding", F "finding:rst-injected; sid:1;)", "finding rst-injected 90",
	"finding fin-injected 90", NULL, "finding:rst; ",
	"unknown finding 'rst'"},
    {"confidence", F "confidence:>=50; sid:1;)", "finding rst-injected 50",
	"finding rst-injected 49", NULL, "confidence:50; ",
	"a bare number is ambiguous"},
    {"evidence", F "evidence:was-tls,!selective; sid:1;)",
	"finding rst-injected 90 was-tls", "finding rst-injected 90", NULL,
	"evidence:tls; ", "unknown evidence 'tls'"},
    {"severity", F "severity:critical; finding:rst-injected; sid:1;)",
	"finding rst-injected 90", "finding fin-injected 90",
	"severity critical", "severity:hihg; ",
	"unknown severity 'hihg': did you mean 'high'?"},
    {"visibility", T Q "visibility:complete; sid:1;)", QUIT,
	"vis gap-client|" QUIT, NULL, "visibility:all; ",
	"unknown visibility 'all'"},
    {"incident", F "incident:open,>=high; sid:1;)",
	"incident critical|finding rst-injected 90", "finding rst-injected 90",
	NULL, "incident:old; ", "incident is new, open, none or >=SEVERITY"},
    {"history", F "history:starttls,seen,>10; sid:1;)",
	"known 11|finding rst-injected 90", "known 10|finding rst-injected 90",
	NULL, "history:starttls; ", "history wants a fact"},
    /* what is looked for */
    {"content", T C "content:\"a|0d|b\"; sid:1;)", "smtp.command a\rb",
	"smtp.command a0db", NULL, C "content:\"a|0d\"; ",
	"the hexadecimal digits have no closing '|'"},
    {"nocase", T C "content:\"quit\"; nocase; sid:1;)", QUIT, NOOP, NULL,
	C "content:\"a\"; nocase:1; ", "nocase takes no value"},
    {"offset", T C "content:\"IT\"; offset:2; sid:1;)", QUIT, "smtp.command IT",
	NULL, C "content:\"a\"; offset:-1; ",
	"this is a number from 0 to 65535"},
    {"depth", T C "content:\"QU\"; depth:2; sid:1;)", QUIT,
	"smtp.command -QUIT", NULL, C "content:\"abc\"; depth:2; ",
	"the content has 3 bytes and never stands in 2"},
    {"distance", T C "content:\"Q\"; content:\"T\"; distance:2; sid:1;)", QUIT,
	"smtp.command QUT", NULL, C "content:\"a\"; distance:1; ",
	"this counts from the end of the content before"},
    {"within", T C "content:\"Q\"; content:\"T\"; within:3; sid:1;)", QUIT,
	"smtp.command QUI-T", NULL,
	C "content:\"a\"; content:\"b\"; within:0; ",
	"the content has 1 bytes and never stands in 0"},
    {"startswith", T C "content:\"QU\"; startswith; sid:1;)", QUIT,
	"smtp.command -QUIT", NULL, C "content:\"a\"; startswith:1; ",
	"startswith takes no value"},
    {"endswith", T C "content:\"IT\"; endswith; sid:1;)", QUIT,
	"smtp.command QUITS", NULL, C "content:\"a\"; endswith:\"a\"; ",
	"endswith takes no value"},
    {"fast_pattern",
	T C "content:\"Q\"; fast_pattern; content:\"UIT\"; sid:1;)", QUIT,
	"smtp.command UIT", NULL, C "content:!\"a\"; fast_pattern; ",
	"what must not be there is not searched for first"},
    {"rawbytes", T C "content:\"QUIT\"; rawbytes; sid:1;)", QUIT, NOOP, NULL,
	C "content:\"a\"; rawbytes:1; ", "rawbytes takes no value"},
    {"bsize", T C "content:\"QUIT\"; bsize:4; sid:1;)", QUIT,
	"smtp.command QUITS", NULL, C "content:\"a\"; bsize:>; ",
	"bsize is N, >N"},
    {"isdataat", T C "content:\"QU\"; isdataat:1,relative; sid:1;)", QUIT,
	"smtp.command QU", NULL, C "content:\"a\"; isdataat:x; ",
	"isdataat is N or !N"},
    {"pcre", T C "pcre:\"/^QU[A-Z]T$/\"; sid:1;)", QUIT, "smtp.command QU1T",
	NULL, C "pcre:\"/a(/\"; ", "the pattern is wrong here"},
    {"strip_whitespace", T C "strip_whitespace; content:\"MAILFROM\"; sid:1;)",
	"smtp.command MAIL FROM", "smtp.command MAIL-FROM", NULL,
	"strip_whitespace; ", "this changes a sticky buffer"},
    {"to_lowercase", T C "to_lowercase; content:\"quit\"; sid:1;)", QUIT, NOOP,
	NULL, C "content:\"a\"; to_lowercase; ",
	"this changes the whole buffer"},
    {"to_uppercase", T C "to_uppercase; content:\"QUIT\"; sid:1;)",
	"smtp.command quit", NOOP, NULL, C "to_uppercase:1; content:\"A\"; ",
	"to_uppercase takes no value"},
    {"dotprefix",
	T "tls.sni; dotprefix; content:\".b.test\"; endswith; sid:1;)",
	"tls.sni b.test", "tls.sni ab.test", NULL, "dotprefix; ",
	"this changes a sticky buffer"},
    /* the flow, what was before, how many */
    {"flow", T "flow:to_server; content:\"QUIT\"; sid:1;)", "line QUIT",
	"reply QUIT", NULL, Q "flow:to_sever; ", "flow is to_server"},
    {"flowbits",
	T C "content:\"SET\"; flowbits:set,x; noalert; sid:2;)\n" T Q
	    "flowbits:isset,x; sid:1;)",
	"smtp.command SET|" QUIT, "smtp.command SET|again|" QUIT, NULL,
	Q "flowbits:sett,x; ", "flowbits wants set, unset"},
    {"xbits",
	T C "content:\"SET\"; xbits:set,x,track ip_pair,expire 60; noalert; "
	    "sid:2;)\n" T Q "xbits:isset,x,track ip_pair; sid:1;)",
	"smtp.command SET|again|" QUIT "|", "smtp.command SET|other|" QUIT,
	NULL, Q "xbits:set,x; ", "xbits is set, unset"},
    {"noalert",
	T Q "flowbits:set,x; noalert; sid:2;)\n" T Q
	    "flowbits:isset,x; sid:1;)",
	QUIT, NOOP, "alone 1", Q "noalert:1; ", "noalert takes no value"},
    {"threshold",
	T Q "threshold:type threshold, track by_src, count 2, seconds 60; "
	    "sid:1;)",
	QUIT "|" QUIT, QUIT "|wait 61|" QUIT, NULL,
	Q "threshold:type all, track by_src, count 1, seconds 1; ",
	"the type is limit, threshold or both"},
    {"detection_filter",
	T Q "detection_filter:track by_src, count 1, seconds 60; sid:1;)",
	QUIT "|" QUIT, QUIT "|other|" QUIT, NULL,
	Q "detection_filter:track by_src, count 0, seconds 1; ",
	"this is a number from 1"},
    {"tls.store", T "tls.sni; content:\"a\"; tls.store; sid:1;)",
	"tls.sni a.test", "tls.sni b.test", NULL,
	"tls.sni; content:\"a\"; tls.store:1; ", "tls.store takes no value"},
    {"tls_store", T "tls.sni; content:\"a\"; tls_store; sid:1;)",
	"tls.sni a.test", "tls.sni b.test", NULL,
	"tls.sni; content:\"a\"; tls_store:1; ", "tls_store takes no value"},
    {"prefilter", T Q "prefilter; sid:1;)", QUIT, NOOP, NULL, Q "prefilter:x; ",
	"prefilter takes no value"},
};

static struct kit k;

/* ---- steps ---- */

static void
finding(const char *words)
{
	struct engine_about about = kit_about(&k);
	char name[64], tag[64] = "";
	unsigned confidence;
	struct alert a;

	if (sscanf(words, "%63s %u %63s", name, &confidence, tag) < 2)
		TEST_FAIL("finding %s", words);
	memset(&a, 0, sizeof(a));
	a.finding.id = (uint16_t)finding_by_name(name);
	a.finding.confidence = (uint8_t)confidence;
	a.finding.tags = evidence_tag_by_name(tag);
	a.finding.time = k.now;
	a.finding.vis = k.vis;
	kit_prepare(&k, &a);
	(void)engine_finding(k.e, &about, &a);
}

static void
step(const char *text)
{
	const char *value = strchr(text, ' ');

	value = value != NULL ? value + 1 : "";
	if (strncmp(text, "finding ", 8) == 0) {
		finding(value);
	} else if (strncmp(text, "vis ", 4) == 0) {
		for (unsigned i = 0; i < 32; i++)
			if (vis_name(UINT32_C(1) << i) != NULL &&
			    strcmp(vis_name(UINT32_C(1) << i), value) == 0)
				k.vis |= UINT32_C(1) << i;
		CHECK(k.vis != 0);
	} else if (strncmp(text, "incident ", 9) == 0) {
		k.incident = 1;
		k.incident_severity = (uint8_t)severity_by_name(value);
	} else if (strncmp(text, "known ", 6) == 0) {
		k.known = true;
		k.server.offered = (uint32_t)atoi(value);
	} else if (strcmp(text, "again") == 0) {
		k.at++;
	} else if (strcmp(text, "other") == 0) {
		k.at++;
		k.who.client.b[15]++;
	} else if (strncmp(text, "wait ", 5) == 0) {
		k.now += atoi(value) * KIT_SECOND;
	} else if (text[0] != '\0') {
		feed(&k, text);
	}
}

static void
play(const char *rules, const char *dialogue)
{
	char copy[512], *next = copy, *text;

	kit_init(&k, rules);
	(void)snprintf(copy, sizeof(copy), "%s", dialogue);
	while ((text = strsep(&next, "|")) != NULL)
		step(text);
}

/* ---- one row ---- */

static bool
shows(const struct alert *a, const char *what)
{
	const char *value = strchr(what, ' ') + 1;

	switch (what[0]) {
	case 'm':
		return strcmp(what[1] == 's' ? a->msg : a->metadata, value) ==
		       0;
	case 'c':
		return strcmp(a->classtype, value) == 0;
	case 's':
		return what[1] == 'i'
			   ? a->sid == (unsigned)atoi(value)
			   : strcmp(severity_name(a->severity), value) == 0;
	case 'g':
		return a->gid == (unsigned)atoi(value);
	case 'r':
		return what[2] == 'v' ? a->rev == (unsigned)atoi(value)
				      : strcmp(a->reference, value) == 0;
	case 't':
		return a->target == atoi(value);
	default: /* "alone": of the rules only the one that is asked about */
		return k.n == (unsigned)atoi(value);
	}
}

static const struct alert *
alert_of(uint32_t sid)
{
	for (unsigned i = 0; i < k.n && i < KIT_ALERTS; i++)
		if (k.alerts[i].sid == sid)
			return &k.alerts[i];
	return NULL;
}

static void
check_row(const struct row *r)
{
	static struct report rep;
	struct ruleset *set;
	char rule[512];

	play(r->rules, r->fires);
	if (alert_of(1) == NULL)
		TEST_FAIL("%s: silent on %s", r->keyword, r->fires);
	else if (r->shows != NULL && !shows(alert_of(1), r->shows))
		TEST_FAIL("%s: the alert lacks %s", r->keyword, r->shows);
	kit_fini(&k);
	play(r->rules, r->silent);
	if (alert_of(1) != NULL)
		TEST_FAIL("%s: fires on %s", r->keyword, r->silent);
	kit_fini(&k);
	(void)snprintf(rule, sizeof(rule), T "%s%s", r->wrong,
	    strncmp(r->wrong, "sid", 3) == 0 ? ")" : "sid:1;)");
	set = parse(rule, &rep);
	if (set != NULL || rep.n != 1 ||
	    strncmp(rep.e[0].message, r->message, strlen(r->message)) != 0)
		TEST_FAIL("%s: %u mistakes in %s: %s", r->keyword, rep.n, rule,
		    rep.n > 0 ? rep.e[0].message : "");
	ruleset_free(set);
}

static const struct row *
row_of(const char *keyword)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].keyword, keyword) == 0)
			return &rows[i];
	return NULL;
}

TEST(every_keyword_fires_is_silent_and_is_written_wrong)
{
	const char *name;
	unsigned n = 0;

	for (; (name = rule_keyword_name(n)) != NULL; n++) {
		const struct row *r = row_of(name);

		if (r == NULL)
			TEST_FAIL("no test of %s", name);
		else
			check_row(r);
	}
	CHECK_INT(n, sizeof(rows) / sizeof(rows[0]));
}

/* ---- buffers, by all of their names ---- */

static const struct {
	enum rule_buffer b;
	const char *this, *that;
} forms[] = {
    {BUF_TLS_VERSION, "1.2", "1.3"},
    {BUF_TLS_CERT_SERIAL, "0A:1B:2C", "0A:1B:2D"},
    {BUF_TLS_CERT_FINGERPRINT,
	"4a:a3:66:76:82:cb:6b:23:bb:c3:58:47:23:a4:63:a7:78:a4:a1:18",
	"4a:a3:66:76:82:cb:6b:23:bb:c3:58:47:23:a4:63:a7:78:a4:a1:19"},
    {BUF_TLS_CERT_SHA256,
	"4a:a3:66:76:82:cb:6b:23:bb:c3:58:47:23:a4:63:a7:78:a4:a1:18:"
	"00:00:00:00:00:00:00:00:00:00:00:00",
	"4b:a3:66:76:82:cb:6b:23:bb:c3:58:47:23:a4:63:a7:78:a4:a1:18:"
	"00:00:00:00:00:00:00:00:00:00:00:00"},
    {BUF_TLS_CERT_SUBJECT, "O=Example, CN=this.test",
	"O=Example, CN=that.test"},
    {BUF_TLS_CERT_ISSUER, "O=Example, CN=this CA", "O=Example, CN=that CA"},
};

static void
feed_to(enum rule_buffer b, const char *text)
{
	if (b == BUF_LINE)
		kit_command(&k, text);
	else
		feed_buffer(&k, b, text);
}

static void
check_buffer(enum rule_buffer b, const char *name)
{
	const char *this = "this.test", *that = "that.test";
	static struct report r;
	struct ruleset *set;
	char rule[512];

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (forms[i].b == b) {
			this = forms[i].this;
			that = forms[i].that;
		}
	(void)snprintf(
	    rule, sizeof(rule), F "%s; content:\"%s\"; sid:1;)", name, this);
	kit_init(&k, rule);
	feed_to(b, that);
	if (kit_new(&k) != 0)
		TEST_FAIL("%s fires on %s", name, that);
	feed_to(b, this);
	if (kit_new(&k) != 1)
		TEST_FAIL("%s is silent on %s", name, this);
	kit_fini(&k);
	(void)snprintf(rule, sizeof(rule), F "%s; sid:1;)", name);
	set = parse(rule, &r);
	if (set != NULL || strstr(r.e[0].message, "no content or pcre") == NULL)
		TEST_FAIL("%s with nothing behind it: %s", name,
		    set == NULL ? r.e[0].message : "is good");
	ruleset_free(set);
}

TEST(every_buffer_fires_is_silent_and_is_written_wrong)
{
	for (unsigned b = 0; b < BUF_COUNT; b++) {
		const struct buffer_info *info =
		    buffer_info((enum rule_buffer)b);

		if (info->name[0] != '\0')
			check_buffer((enum rule_buffer)b, info->name);
		for (unsigned i = 0; i < 3 && info->also[i] != NULL; i++)
			check_buffer((enum rule_buffer)b, info->also[i]);
	}
}

TEST_MAIN
