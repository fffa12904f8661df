/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names hidden: where they stand, that nothing else is touched, and that one
 * user keeps one pseudonym.
 */
#include "rules/names.h"

#include "tests/test.h"

static struct names
mode(enum names_mode m)
{
	struct names n = {.mode = (uint8_t)m, .key = "0123456789abcde"};

	return n;
}

static void
text_obs(struct obs *o, enum dir dir, const char *text)
{
	obs_init(o, OBS_CLEAR_USE);
	o->dir = (uint8_t)dir;
	snprintf(o->text, sizeof(o->text), "%s", text);
}

TEST(where_names_stand_in_texts)
{
	static const struct {
		enum dir dir;
		const char *text, *none;
	} t[] = {
	    {DIR_C2S, "MAIL FROM:<alice@lab.test> SIZE=72",
		"MAIL FROM:<…@lab.test> SIZE=72"},
	    {DIR_C2S, "RCPT TO:<a@b> <c.d+e@f>", "RCPT TO:<…@b> <…@f>"},
	    {DIR_C2S, "MAIL FROM:<>", "MAIL FROM:<>"},
	    {DIR_C2S, "USER alice", "USER …"},
	    {DIR_C2S, "user alice of sales", "user …"},
	    {DIR_C2S, "USER alice@lab.test", "USER …@lab.test"},
	    {DIR_C2S, "USER ", "USER "},
	    {DIR_S2C, "* PREAUTH server logged in as smith (x)",
		"* PREAUTH server logged in as … (x)"},
	    {DIR_S2C, "-ERR no such user \"smith\"", "-ERR no such user \"…\""},
	    {DIR_S2C, "imap://smith@mail.lab.test/", "imap://…@mail.lab.test/"},
	    {DIR_C2S, "RCPT TO:<smith>", "RCPT TO:<…>"},
	    {DIR_S2C, "550 5.1.1 <smith>: no such mailbox",
		"550 5.1.1 <…>: no such mailbox"},
	    {DIR_S2C, "250 STARTTLS SIZE", "250 STARTTLS SIZE"},
	    {DIR_S2C, "@", "@"},
	    {DIR_S2C, "@@ a@@b@", "@@ …@@…@"},
	};
	struct names none = mode(NAMES_NONE), clear = mode(NAMES_CLEAR);
	struct obs o;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		text_obs(&o, t[i].dir, t[i].text);
		names_hide(&none, &o);
		CHECK_STR(o.text, t[i].none);
		text_obs(&o, t[i].dir, t[i].text);
		names_hide(&clear, &o);
		CHECK_STR(o.text, t[i].text);
	}
}

static const char *
line(const struct names *n, enum proto proto, enum obs_line_what what,
    const char *text)
{
	static struct obs o;

	obs_init(&o, OBS_LINE);
	o.proto = (uint8_t)proto;
	o.dir = what == LINE_REPLY ? DIR_S2C : DIR_C2S;
	o.u.line.what = (uint8_t)what;
	o.u.line.len = (uint16_t)strlen(text);
	memcpy(o.u.line.bytes, text, strlen(text));
	names_hide(n, &o);
	CHECK_INT(o.u.line.len, strlen(o.u.line.bytes));
	return o.u.line.bytes;
}

TEST(where_names_stand_in_lines)
{
	static const struct {
		enum proto proto;
		enum obs_line_what what;
		const char *text, *none;
	} t[] = {
	    {PROTO_SMTP, LINE_COMMAND, "MAIL FROM:<alice@lab.test>",
		"MAIL FROM:<********@lab.test>"},
	    {PROTO_SMTP, LINE_COMMAND, "RCPT TO:<smith>", "RCPT TO:<********>"},
	    {PROTO_SMTP, LINE_RCPT_TO, "<smith>", "<********>"},
	    {PROTO_SMTP, LINE_MAIL_FROM, "<>", "<>"},
	    {PROTO_SMTP, LINE_COMMAND, "vrfy smith", "vrfy ********"},
	    {PROTO_SMTP, LINE_COMMAND, "EHLO mx.lab.test", "EHLO mx.lab.test"},
	    {PROTO_SMTP, LINE_REPLY, "550 <smith> unknown",
		"550 <********> unknown"},
	    {PROTO_IMAP, LINE_COMMAND, "a SETACL INBOX smith lr", "a ********"},
	    {PROTO_IMAP, LINE_COMMAND, "a SELECT user.smith", "a ********"},
	    {PROTO_IMAP, LINE_COMMAND, "a SELECT INBOX", "a SELECT INBOX"},
	    {PROTO_IMAP, LINE_REPLY, "* PREAUTH logged in as smith",
		"* PREAUTH logged in as ********"},
	    {PROTO_POP3, LINE_COMMAND, "USER smith", "USER ********"},
	    {PROTO_POP3, LINE_REPLY, "-ERR no such user smith",
		"-ERR no such user ********"},
	};
	struct names none = mode(NAMES_NONE), clear = mode(NAMES_CLEAR);

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK_STR(
		    line(&none, t[i].proto, t[i].what, t[i].text), t[i].none);
		CHECK_STR(
		    line(&clear, t[i].proto, t[i].what, t[i].text), t[i].text);
	}
}

static const char *
user(const struct names *n, const char *name)
{
	static struct obs o;

	obs_init(&o, OBS_AUTH);
	snprintf(o.u.auth.user, sizeof(o.u.auth.user), "%s", name);
	names_hide(n, &o);
	return o.u.auth.user;
}

TEST(one_user_one_pseudonym)
{
	struct names hashed = mode(NAMES_HASHED), none = mode(NAMES_NONE);
	char alice[OBS_NAME_MAX], want[OBS_NAME_MAX + 32];
	struct obs o;

	snprintf(alice, sizeof(alice), "%s", user(&hashed, "alice"));
	CHECK(strncmp(alice, "user-", 5) == 0 && strlen(alice) == 17);
	CHECK_STR(user(&hashed, "alice"), alice);
	CHECK(strcmp(user(&hashed, "alicf"), alice) != 0);
	snprintf(want, sizeof(want), "%s@lab.test", alice);
	CHECK_STR(user(&hashed, "alice@lab.test"), want);
	text_obs(&o, DIR_C2S, "MAIL FROM:<alice@lab.test>");
	names_hide(&hashed, &o);
	snprintf(want, sizeof(want), "MAIL FROM:<%s@lab.test>", alice);
	CHECK_STR(o.text, want);
	CHECK_STR(user(&none, "alice@lab.test"), "");
	CHECK_STR(user(&hashed, ""), "");
	hashed.key[0] ^= 1;
	CHECK(strcmp(user(&hashed, "alice"), alice) != 0);
}

TEST(a_full_text_stays_in_its_place)
{
	struct names hashed = mode(NAMES_HASHED);
	struct obs o;

	obs_init(&o, OBS_CLEAR_USE);
	for (size_t i = 0; i + 1 < sizeof(o.text); i++)
		o.text[i] = "a@ "[i % 3];
	names_hide(&hashed, &o);
	CHECK(strlen(o.text) == sizeof(o.text) - 1);
	CHECK(strncmp(o.text, "user-", 5) == 0);
}

TEST_MAIN
