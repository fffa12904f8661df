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
    {"drop smtp any any -> any any (" S, 1,
	"action 'drop' would change traffic, and Stripwire only listens: use "
	"'alert'"},
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
