/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mail transactions as they are kept for SMTP events. */
#include "rules/talk.h"

#include "tests/test.h"

static struct obs
line(enum obs_line_what what, const char *bytes)
{
	struct obs o;

	obs_init(&o, OBS_LINE);
	o.time = 42;
	o.u.line.what = (uint8_t)what;
	o.u.line.len = (uint16_t)strlen(bytes);
	memcpy(o.u.line.bytes, bytes, o.u.line.len + 1u);
	return o;
}

static void
say(struct talk *t, enum obs_line_what what, const char *bytes)
{
	struct obs o = line(what, bytes);

	talk_line(t, &o);
}

static bool
is_over(const struct talk *t, enum obs_kind kind)
{
	struct obs o;

	obs_init(&o, kind);
	return talk_is_over(t, &o);
}

TEST(keeps_who_and_whom)
{
	struct talk t = {.time = 0};
	struct obs next = line(LINE_MAIL_FROM, "<b@x>");

	CHECK(!is_over(NULL, OBS_FLOW_END));
	say(&t, LINE_RCPT_TO, "<nobody@asked>");
	CHECK_STR(t.rcpt_to, "");
	CHECK(!is_over(&t, OBS_FLOW_END));
	say(&t, LINE_MAIL_FROM, "<a@x>");
	say(&t, LINE_RCPT_TO, "<m\xc3\xbcller@y>");
	say(&t, LINE_RCPT_TO, "<c\nd@y>");
	CHECK_STR(t.mail_from, "<a@x>");
	CHECK_STR(t.rcpt_to, "<m\xc3\xbcller@y>\n<c?d@y>\n");
	CHECK(t.time == 42 && t.rcpts == 2);
	CHECK(is_over(&t, OBS_FLOW_END) && is_over(&t, OBS_QUIT) &&
	      is_over(&t, OBS_MAIL_CONTENT) && talk_is_over(&t, &next));
	CHECK(!is_over(&t, OBS_AUTH));
	talk_line(&t, &next);
	CHECK_STR(t.mail_from, "<b@x>");
	CHECK(t.rcpts == 0 && t.rcpt_to[0] == '\0');
}

TEST(is_bounded)
{
	struct talk t = {.time = 0};
	char longest[OBS_LINE_MAX];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	say(&t, LINE_MAIL_FROM, longest);
	CHECK(strlen(t.mail_from) == OBS_NAME_MAX - 1);
	for (unsigned i = 0; i < 70000; i++)
		say(&t, LINE_RCPT_TO, longest);
	CHECK(t.rcpts == UINT16_MAX);
	CHECK(t.used < TALK_RCPT_BYTES && strlen(t.rcpt_to) == t.used);
}

TEST_MAIN
