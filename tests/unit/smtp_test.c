/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may be shown of SMTP commands; dialogues are in tests/dialogs. */
#include "decoders/smtp.h"

#include "tests/test.h"

static struct slice
str(const char *s)
{
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

TEST(verbs)
{
	CHECK_INT(smtp_verb_parse(str("ehlo")), SMTP_EHLO);
	CHECK_INT(smtp_verb_parse(str("LHLO")), SMTP_EHLO);
	CHECK_INT(smtp_verb_parse(str("StartTLS")), SMTP_STARTTLS);
	CHECK_INT(smtp_verb_parse(str("VRFY")), SMTP_KNOWN);
	CHECK_INT(smtp_verb_parse(str("XXXXXXXX")), SMTP_UNKNOWN);
	CHECK_INT(smtp_verb_parse(str("")), SMTP_NONE);
	CHECK_STR(smtp_verb_name(SMTP_STARTTLS), "STARTTLS");
}

static bool
same(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || a.p == b.p);
}

/* Verbs, their letters changed, blanks anywhere. */
TEST(a_usual_command_is_the_same_command)
{
	static const char *const words[] = {"EHLO", "quit", "MaIl", "STARTTLS",
	    "X-EXPS", "AUT", "ehl\x4f", "RCP\x14", "DATA\t", " ", "  ", "\t",
	    "\r", "a", "FROM:<a@b>", "e", "", "AUTH", "\x01", "\xc5HLO"};
	unsigned seed = 1, usual = 0, n = sizeof(words) / sizeof(*words);
	struct smtp_command a, b;
	char line[64];

	for (unsigned round = 0; round < 200000; round++) {
		line[0] = '\0';
		for (unsigned i = 0; i < 1 + round % 4; i++) {
			seed = seed * 1103515245 + 12345;
			strcat(line, words[(seed >> 16) % n]);
		}
		if (!smtp_command_usual(&a, str(line)))
			continue;
		usual++;
		smtp_command_read(&b, str(line));
		CHECK(same(a.line, b.line) && same(a.word, b.word) &&
		      same(a.rest, b.rest));
		CHECK_INT(a.verb, b.verb);
	}
	CHECK(usual > 10000);
}

TEST(what_is_shown_of_a_command)
{
	static const struct {
		const char *in, *out;
	} t[] = {
	    {"MAIL FROM:<a@b>", "MAIL FROM:<a@b>"},
	    {"auth plain AGEAYg==", "AUTH plain ********"},
	    {"AUTH PLAIN", "AUTH PLAIN"},
	    {"AUTH AGEAYg==", "AUTH ********"},
	    {"  AUTH   LOGIN   Ym9i", "AUTH LOGIN ********"},
	    {"BURL imap://x;urlauth=y LAST", "BURL ********"},
	    {"hunter2", "xxxxxx0"},
	    {"", ""},
	};
	char out[64];

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		smtp_show(out, sizeof(out), str(t[i].in));
		CHECK_STR(out, t[i].out);
	}
}

TEST(beginnings_that_may_be_shown)
{
	CHECK(smtp_command_is_public(str("MAIL F")));
	CHECK(!smtp_command_is_public(str("MAIL")));
	CHECK(!smtp_command_is_public(str("AUTH PLAIN ")));
	CHECK(!smtp_command_is_public(str("hunter2 x")));
	CHECK(!smtp_command_is_public(str("")));
}

TEST_MAIN
