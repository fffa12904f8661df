/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mistakes in rules: for every one the place and the words in which it is
 * reported.
 */
#include "tests/unit/rule_help.h"

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
    {"drp smtp any any -> any any (" S, 1, "unknown action 'drp'"},
    {"drop smtp any any", 1, "unknown action 'drop'"},
    {"hello world", 1, "unknown action 'hello'"},
    {"alert", 6, "expected a protocol: smtp, imap, pop3, mail, tls or tcp"},
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
    {"alert smtp !any any -> any any (" S, 12,
	"this matches no address at all"},
    {"alert smtp !$HOME_NET any -> !any any (" S, 30,
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
    {"log smtp any any -> any any (severity:high; sid:1;)", 1,
	"'log' records and never alarms: its severity is info, or write "
	"'alert'"},
    {H "(priority:0; " S, 41,
	"priority is a number from 1, the gravest, to 255"},
    {H "(target:both; " S, 39, "target is src_ip or dest_ip"},
    {H "(smtp.helo:\"a\"; " S, 41,
	"smtp.helo takes no value, content stands behind it: smtp.helo; "
	"content:\"text\";"},
    {H "(smtp.hello; " S, 32,
	"unknown keyword 'smtp.hello': did you mean 'smtp.helo'?"},
    {H "(tls.cert_isuer; " S, 32,
	"unknown keyword 'tls.cert_isuer': did you mean 'tls.cert_issuer'?"},
    {H "(smtp.helo; contnt:\"a\"; " S, 43,
	"unknown keyword 'contnt': did you mean 'content'?"},
    {H "(smtp.helo; " S, 32,
	"behind smtp.helo no content or pcre says what to look for"},
    {H "(imap.command; content:\"a\"; " S, 32,
	"imap.command is nothing that a rule for smtp can look at"},
    {H "(smtp.reply; flow:to_server; content:\"a\"; " S, 49,
	"smtp.reply is what the server says, and flow asks for the other "
	"side"},
    {H "(smtp.helo; content:\"a\"; confidence:>=50; " S, 67,
	"a rule selects findings or looks at buffers: set a flowbit in one "
	"rule and ask for it in the other"},
    {H "(content:a; " S, 40,
	"content wants a string in quotes: content:\"text|0d 0a|\";"},
    {H "(content:\"\"; " S, 41, "content is empty"},
    {H "(content:\"|0|\"; " S, 42,
	"between bars stand pairs of hexadecimal digits: |0D 0A|"},
    {H "(content:\"a|0d\"; " S, 42,
	"the hexadecimal digits have no closing '|'"},
    {H "(content:\"a\\x\"; " S, 42,
	"unknown escape: there are \\\" \\; \\: \\| and \\\\; other bytes are "
	"written |0D|"},
    {H "(content:\"a\"; nocase:1; " S, 51, "nocase takes no value: nocase;"},
    {H "(nocase; content:\"a\"; " S, 32,
	"this stands behind the content that it is about"},
    {H "(content:\"a\"; offset:-1; " S, 52, "this is a number from 0 to 65535"},
    {H "(content:\"a\"; offset:x; " S, 52, "this is a number from 0 to 65535"},
    {H "(content:\"abc\"; depth:2; " S, 53,
	"the content has 3 bytes and never stands in 2"},
    {H "(content:\"a\"; distance:1; " S, 54,
	"this counts from the end of the content before, and there is none "
	"in this buffer"},
    {H "(content:\"a\"; content:\"b\"; within:0; " S, 65,
	"the content has 1 bytes and never stands in 0"},
    {H "(content:\"a\"; content:\"b\"; offset:1; distance:1; " S, 77,
	"distance and offset or depth of one content do not go together"},
    {H "(content:\"a\"; startswith; depth:1; " S, 63,
	"depth and startswith of one content do not go together"},
    {H "(content:\"a\"; offset:1; startswith; " S, 55,
	"startswith and offset, depth, distance or within of one content do "
	"not go together"},
    {H "(content:\"a\"; offset:1; endswith; " S, 55,
	"endswith and offset, distance or within of one content do not go "
	"together"},
    {H "(content:!\"a\"; fast_pattern; " S, 46,
	"what must not be there is not searched for first"},
    {H "(bsize:1; " S, 38,
	"bsize is the size of a sticky buffer and stands behind its name"},
    {H "(smtp.helo; bsize:>; " S, 49,
	"bsize is N, >N, >=N, <N, <=N, !N or A<>B"},
    {H "(smtp.helo; bsize:5<>6; " S, 49,
	"bsize is N, >N, >=N, <N, <=N, !N or A<>B"},
    {H "(content:\"a\"; isdataat:x; " S, 54,
	"isdataat is N or !N, then ,relative"},
    {H "(pcre:\"abc\"; " S, 38,
	"pcre stands between slashes: pcre:\"/pattern/i\""},
    {H "(pcre:\"/a(/\"; " S, 41,
	"the pattern is wrong here: missing closing parenthesis"},
    {H "(pcre:\"/a/iq\"; " S, 42,
	"'q' is no modifier here: i, s, m, x, A, E, G and R are"},
    {H "(pcre:\"/a/R\"; " S, 38,
	"this counts from the end of the content before, and there is none "
	"in this buffer"},
    {H "(to_lowercase; content:\"a\"; " S, 32,
	"this changes a sticky buffer and stands behind its name"},
    {H "(smtp.helo; content:\"a\"; to_lowercase; " S, 56,
	"this changes the whole buffer: it stands before the first content"},
    {H "(flow:to_sever; " S, 37,
	"flow is to_server, to_client, from_server, from_client, established "
	"or stateless"},
    {H "(flow:to_server,to_client; " S, 47, "flow names both directions"},
    {H "(flow:not_established; " S, 37,
	"only what was said on established connections is looked at"},
    {H "(flowbits:sett,a; " S, 41,
	"flowbits wants set, unset, toggle, isset or isnotset and a name, or "
	"noalert: flowbits:set,name;"},
    {H "(flowbits:set,a|b; " S, 45, "a|b can be asked for, and not set"},
    {H "(flowbits:set,; " S, 45,
	"expected a name without blanks of at most 63 bytes"},
    {H "(xbits:set,a; " S, 43,
	"xbits is set, unset, toggle, isset or isnotset, a name, track "
	"ip_src, ip_dst or ip_pair, and perhaps expire SECONDS"},
    {H "(xbits:set,a,expire 5; " S, 38,
	"xbits lacks track ip_src, ip_dst or ip_pair"},
    {H "(xbits:set,a,track ip_src,expire 0; " S, 57,
	"xbits is set, unset, toggle, isset or isnotset, a name, track "
	"ip_src, ip_dst or ip_pair, and perhaps expire SECONDS"},
    {H "(threshold:type limit, track by_src, count 1; " S, 42,
	"threshold lacks seconds"},
    {H "(threshold:type all, track by_src, count 1, seconds 1; " S, 47,
	"the type is limit, threshold or both"},
    {H "(detection_filter:track by_host, count 1, seconds 1; " S, 55,
	"track is by_src, by_dst, by_both or by_rule"},
    {H "(detection_filter:track by_src, count 0, seconds 1; " S, 69,
	"this is a number from 1 to 31622400"},
    {H "(detection_filter:type limit, track by_src, count 1, seconds 1; " S, 49,
	"detection_filter takes track, count and seconds"},
    {H "(incident:old; " S, 41,
	"incident is new, open, none or >=SEVERITY, with commas between"},
    {H "(incident:>=hihg; " S, 43,
	"after >= comes info, low, medium, high or critical"},
    {H "(incident:none,>=low; " S, 51,
	"where there is no incident yet it has no severity"},
    {H "(history:startls,seen; " S, 40,
	"unknown fact of the history 'startls': did you mean 'starttls'?"},
    {H "(history:starttls; " S, 48,
	"history wants a fact, then seen or never: "
	"history:starttls,seen,>10;"},
    {H "(history:starttls,never,>1; " S, 55,
	"what was never seen has no number"},
    {H "(history:starttls,seen,many; " S, 54,
	"how often is >N, >=N, <N, <=N or N sessions"},
    {H "(tls.version:\"\"; " S, 45, "content is empty"},
    {"include other.rules", 9, "nothing can be included here"},
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

/* Rules for all of a network load: what is not for mail is named. */
TEST(rules_outside_mail_are_skipped)
{
	static const char *const rules[] = {
	    "alert http any any -> any any (http.uri; content:\"a\"; sid:1;)",
	    "alert dns $HOME_NET any -> any 53 (msg:\"a\"; sid:1;)",
	    "drop udp any any -> any any (sid:1;)",
	    H "(msg:\"a\"; file_data; content:\"a\"; sid:1;)",
	    H "(content:\"a\\;b\"; byte_test:1,>,2,0; frobnicate:1; sid:1;)",
	    H "(dsize:>100; sid:1;)",
	    "alert tls any any -> any any (ssl_state:client_hello; sid:1;)",
	    "drop smtp any any -> any any (smtp.helo; content:\"a\"; sid:1;)",
	    "reject imap any any -> any any (" S,
	    "rejectboth tls any any -> "
	    "any any (" S,
	    "config smtp any any -> any any (" S,
	    /* a variable that is any has nothing outside */
	    "alert smtp !$HOME_NET any -> any any (" S,
	    "alert smtp !$HOME_NET !$SMTP_PORTS -> ![$HOME_NET] any (" S,
	    "alert smtp [10.0.0.0/8,!$HOME_NET] any -> any any (" S,
	};
	static struct report r;

	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct ruleset *set = parse(rules[i], &r);

		if (set == NULL || r.skipped != 1 || r.n != 0 ||
		    ruleset_count(set) != 0 || ruleset_skipped(set) != 1)
			TEST_FAIL("not skipped: %s", rules[i]);
		ruleset_free(set);
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
	struct ruleset *set;

	memset(pad, 'x', sizeof(pad));
	(void)snprintf(text, sizeof(text), H "(msg:\"%.159s\"; " S, pad);
	set = parse(text, &r);
	CHECK(set != NULL);
	ruleset_free(set);
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
	struct rule_sources src = {
	    .path = path, .on_error = on_error, .ctx = &r};
	char err[300] = "";
	int sys = 0;

	r.n = 0;
	CHECK(ruleset_load(&src, &sys, err, sizeof(err)) == NULL);
	CHECK_INT(sys, -1);
	CHECK_INT(r.n, 0);
	if (strstr(err, want) == NULL)
		TEST_FAIL("'%s' does not say '%s'", err, want);
}

TEST(files_that_cannot_be_read)
{
	load_fails("/nonexistent/x.rules", "No such file");
	load_fails("/proc/self", "there is no *.rules in it");
	load_fails("/dev/zero", "longer than 8 MiB");
	load_fails("/proc/self/exe", "it ");
}

TEST_MAIN
