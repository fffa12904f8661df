/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may be shown of POP3 commands; dialogues are in tests/dialogs. */
#include "decoders/pop3.h"

#include "tests/test.h"

static struct slice
str(const char *s)
{
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

TEST(what_is_shown_of_a_command)
{
	static const struct {
		const char *in, *out;
	} t[] = {
	    {"USER alice", "USER alice"},
	    {"pass hunter2 and more", "PASS ********"},
	    {"PASS", "PASS ********"},
	    {"APOP alice c4c9334bac56", "APOP ********"},
	    {"AUTH PLAIN AGEAYg==", "AUTH PLAIN ********"},
	    {"AUTH AGEAYg==", "AUTH ********"},
	    {"hunter2", "xxxxxx0"},
	};
	char out[64];

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		pop3_show(out, sizeof(out), str(t[i].in));
		CHECK_STR(out, t[i].out);
	}
}

TEST(beginnings_that_may_be_shown)
{
	CHECK(pop3_command_is_public(str("RETR 1")));
	CHECK(!pop3_command_is_public(str("PASS hun")));
	CHECK(!pop3_command_is_public(str("PAS")));
	CHECK(!pop3_command_is_public(str("APOP a")));
}

TEST_MAIN
