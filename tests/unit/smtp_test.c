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
