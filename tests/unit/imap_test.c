/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Literals and what may be shown; dialogues are in tests/dialogs. */
#include "decoders/imap.h"

#include "tests/test.h"

static struct slice
str(const char *s)
{
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

TEST(literals_at_the_end_of_a_line)
{
	static const struct {
		const char *in;
		bool have, sync;
		uint64_t len;
	} t[] = {
	    {"a LOGIN {5}", true, true, 5},
	    {"a LOGIN {5+}", true, false, 5},
	    {"a APPEND x ~{310-}", true, false, 310},
	    {"{0}", true, true, 0},
	    {"a {5} b", false, true, 0},
	    {"a {}", false, true, 0},
	    {"a {+}", false, true, 0},
	    {"a 5}", false, true, 0},
	    {"}", false, true, 0},
	    {"", false, true, 0},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct line l = {.text = str(t[i].in), .tail = str(t[i].in)};
		struct literal lit = line_literal(&l);

		CHECK_INT(lit.have, t[i].have);
		if (!t[i].have)
			continue;
		CHECK_INT(lit.sync, t[i].sync);
		CHECK_INT(lit.len, t[i].len);
	}
}

TEST(what_is_shown_of_a_command)
{
	static const struct {
		const char *in, *out;
	} t[] = {
	    {"a1 SELECT INBOX", "a1 SELECT INBOX"},
	    {"a1 login alice hunter2", "a1 LOGIN ********"},
	    {"a1   LOGIN   \"al ice\" {7}", "a1 LOGIN ********"},
	    {"a1 AUTHENTICATE PLAIN AGEAYg==",
		"a1 AUTHENTICATE PLAIN ********"},
	    {"a1 AUTHENTICATE AGEAYg==", "a1 AUTHENTICATE ********"},
	    {"hunter2", "xxxxxx0"},
	    {"hunter2 LOGIN2 x", "xxxxxx0 xxxxx0 x"},
	    {"p@ss%word SELECT x", "x.xx.xxxx xxxxxx x"},
	};
	char out[64];

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		imap_show(out, sizeof(out), str(t[i].in));
		CHECK_STR(out, t[i].out);
	}
}

TEST(beginnings_that_may_be_shown)
{
	CHECK(imap_command_is_public(str("a1 SELECT I")));
	CHECK(!imap_command_is_public(str("a1 SELECT")));
	CHECK(!imap_command_is_public(str("a1 LOGIN al")));
	CHECK(!imap_command_is_public(str("a1 AUTHENTICATE PLAIN ")));
	CHECK(!imap_command_is_public(str("hunter2")));
}

TEST_MAIN
